"""Evaluate policies on SpatialRGPT-Bench's questions: check the controls, sample completions, score, write."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.completions import FOLDER, load_completer
from robotr1.evaluation.spatialrgpt import controls, results
from robotr1.evaluation.spatialrgpt.items import SpatialItem, read_items, select
from robotr1.evaluation.spatialrgpt.regions import with_regions
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer
from robotr1.evaluation.spatialrgpt.scoring import score
from robotr1.settings import RunBenchmarks


def evaluate(
    policies: Sequence[str],
    whole: Sequence[SpatialItem],
    most: int,
    settings: RunBenchmarks,
    cache: Path = FOLDER,
    images: Path = paths.ROOT,
) -> list[SpatialAnswer]:
    """Scored answers of the controls and of `policies` (folders of models/) to at most `most` items of `whole`.

    `images` is the folder that image names start from. Raises BenchmarkError where the controls fail.
    """
    controls.check_controls(whole, settings.seed)
    items = select(whole, most)
    answers = controls.answers(items, whole, settings.seed)
    with with_regions(items, images) as shown:
        for policy in policies if items else []:
            answers += score(policy, items, load_completer(policy, settings, cache)(shown))
    return answers


def run(
    file: Path, images: Path, policies: Sequence[str], most: int | None, settings: RunBenchmarks, output: Path
) -> pd.DataFrame:
    """Evaluate the controls and `policies` on the items of `file` and return `summarize` of the answers.

    Args:
        images: the folder that image names start from.
        most: at most so many items, spread evenly over the sub-columns; None: all.
        output: folder of the answers and, below it, of the completion cache.

    Raises RecordError for broken items, BenchmarkError where the controls fail, and PolicyError for a name without a
    policy in models/.
    """
    whole = read_items(file)
    most = len(whole) if most is None else most
    answers = evaluate(policies, whole, most, settings, output / "completions", images)
    results.write(answers, output)
    return results.summarize(answers)
