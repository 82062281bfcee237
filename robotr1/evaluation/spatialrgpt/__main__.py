"""Evaluate policies on SpatialRGPT-Bench's questions: `python -m robotr1.evaluation.spatialrgpt --policy base`.

The default is the committed set about the tabletop's scenes. For the published benchmark name its JSON file and the
folder of its images: `--items SpatialRGPT-Bench_v1.json --images FOLDER`. `run_benchmarks` in params.yaml says how
completions are sampled.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from robotr1 import paths
from robotr1.evaluation import items
from robotr1.evaluation.spatialrgpt.run import run
from robotr1.settings import load_settings

SHOWN = ["policy", "column", "questions", "accuracy", "low", "high", "unreadable"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m robotr1.evaluation.spatialrgpt", description=__doc__)
    parser.add_argument(
        "--items", type=Path, default=items.FOLDER / items.SPATIALRGPT, help="a file in the published form"
    )
    parser.add_argument("--images", type=Path, default=paths.ROOT, help="folder that image names start from")
    parser.add_argument("--policy", nargs="*", default=[], help="folders of models/, after the controls")
    parser.add_argument("--questions", type=int, help="at most this many, spread evenly over the columns; default: all")
    parser.add_argument("--output", type=Path, default=paths.DATA / "spatialrgpt", help="folder of answers and cache")
    parser.add_argument("--seed", type=int, help="of the random control and of sampling; default: that of params.yaml")
    arguments = parser.parse_args()
    settings = load_settings()["run_benchmarks"]
    if arguments.seed is not None:
        settings = replace(settings, seed=arguments.seed)
    table = run(
        arguments.items, arguments.images.resolve(), arguments.policy, arguments.questions, settings, arguments.output
    )
    print(table[SHOWN].round(3).to_string(index=False))
    print(f"answers are in {paths.relative(arguments.output.resolve())}")


if __name__ == "__main__":
    main()
