"""Evaluate policies on the open questions: `python -m robotr1.evaluation.open_questions --policy base grpo-seed0`.

`run_benchmarks` in params.yaml says how completions are sampled and who judges them. `--items` names a folder that
`robotr1.evaluation.open_questions.make_items` wrote; answers then go there, else to data/open_questions.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from robotr1 import paths
from robotr1.evaluation import items
from robotr1.evaluation.open_questions.run import run
from robotr1.settings import load_settings

SHOWN = ["policy", "ability", "distribution", "items", "score", "low", "high"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m robotr1.evaluation.open_questions", description=__doc__)
    parser.add_argument("--items", type=Path, default=items.FOLDER, help="a folder with items; default: the committed")
    parser.add_argument("--policy", nargs="*", default=[], help="folders of models/, after the controls")
    parser.add_argument("--output", type=Path, help="folder of the answers and the completion cache")
    parser.add_argument("--seed", type=int, help="of the random control and of sampling; default: that of params.yaml")
    arguments = parser.parse_args()
    settings = load_settings()["run_benchmarks"]
    if arguments.seed is not None:
        settings = replace(settings, seed=arguments.seed)
    own = arguments.items.resolve() == items.FOLDER
    output = arguments.output or (paths.DATA / "open_questions" if own else arguments.items)
    table = run(arguments.items.resolve() / items.OPEN_QUESTIONS, arguments.policy, settings, output.resolve())
    print(table[SHOWN].round(2).to_string(index=False))
    print(f"answers are in {paths.relative(output.resolve())}")


if __name__ == "__main__":
    main()
