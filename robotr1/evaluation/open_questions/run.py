"""Evaluate policies on the open questions: check the controls, sample completions, judge them, write the answers."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from robotr1.evaluation.completions import FOLDER, load_completer
from robotr1.evaluation.judging.judges import judges_of
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.open_questions import controls, results
from robotr1.evaluation.open_questions.items import OpenItem, read_items
from robotr1.evaluation.open_questions.scoring import score
from robotr1.settings import RunBenchmarks


def complete(
    policies: Sequence[str], items: Sequence[OpenItem], settings: RunBenchmarks, cache: Path = FOLDER
) -> dict[str, list[str | None]]:
    """The completions of the controls and of `policies` (folders of models/), by name."""
    completions = controls.completions(items, settings.seed)
    return completions | {policy: load_completer(policy, settings, cache)(items) for policy in policies if items}


def run(file: Path, policies: Sequence[str], settings: RunBenchmarks, output: Path) -> pd.DataFrame:
    """Evaluate the controls and `policies` on the items of `file` and return `summarize` of the answers.

    Answers go to `output`, and completions to the cache below it. Raises RecordError for broken items, BenchmarkError
    where the controls fail, and PolicyError for a name without a policy in models/.
    """
    items = read_items(file)
    controls.check_controls(items, ReferenceJudge(), settings.seed)
    answers = score(complete(policies, items, settings, output / "completions"), items, judges_of(settings)[0])
    results.write(answers, output)
    return results.summarize(answers)
