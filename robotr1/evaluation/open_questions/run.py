"""The reasoning benchmark on another set of items than the committed one, such as a larger one from other seeds.

`python -m robotr1.evaluation.open_questions.make_items --questions 2000 --seed 1 --output data/reasoning_2000` makes one, and
`python -m robotr1.evaluation.open_questions.run data/reasoning_2000 --policy base grpo-seed0` has its brackets checked, the
policies asked and the rules judge, and prints the mean scores (0 to 3). Answers are kept beside the items.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from robotr1.evaluation.completions import load_completer
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.open_questions import results
from robotr1.evaluation.open_questions.scoring import check_brackets, control_answers, read_items, score_all, summarize
from robotr1.settings import load_settings


def examine(folder: Path, policies: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """`reasoning.summarize` of the controls and of `policies` on the items of `folder`; answers go to its `answers/`.

    Raises RecordError for broken items, BracketError where items and judge do not fit together, and PolicyError for a
    name in `models/` without a policy.
    """
    items, judge = read_items(folder / "reasoning.jsonl"), ReferenceJudge()
    check_brackets(items, judge, seed)
    written = control_answers(items, seed)
    for policy in policies:
        complete = load_completer(policy, load_settings()["run_benchmarks"], folder / "asked")
        written[policy] = complete(items)
    answers = score_all(written, items, judge)
    results.write(answers, folder / "answers")
    return summarize(answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("items", type=Path, help="the folder that reasoning_items wrote")
    parser.add_argument("--policy", nargs="*", default=[], help="folders of models/, after the controls")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    table = examine(arguments.items.resolve(), arguments.policy, arguments.seed)
    print(table[["policy", "ability", "distribution", "items", "score", "low", "high"]].round(2).to_string(index=False))


if __name__ == "__main__":
    main()
