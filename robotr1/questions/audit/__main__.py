"""Print the audit of strategies on the extracted demonstrations: `python -m robotr1.questions.audit paired uniform`.

The questions are built in memory with the settings of params.yaml and each strategy. The table has one row for each
guess, without the image (blind) or without the step (seeing), and one column for each split and type.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from robotr1 import paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.questions.audit.blind import BlindGuess, audit
from robotr1.questions.audit.learned import audit_learned
from robotr1.questions.audit.seeing import audit_seeing
from robotr1.questions.build import stream_questions
from robotr1.questions.splits import SPLITS
from robotr1.questions.trajectory import Trajectory, trajectories_of
from robotr1.records import Keyframes, read_records
from robotr1.settings import DISTRACTORS, BuildQuestions, load_settings


def audit_all(trajectories: Sequence[Trajectory], settings: BuildQuestions) -> dict[str, list[BlindGuess]]:
    """All guesses on all splits: those without the image (blind) and those without the step (seeing)."""
    questions = list(stream_questions(trajectories, settings))
    splits = {split: [question for question in questions if question.split == split] for split in SPLITS}
    fixed = [row for row in audit(splits) if row.policy != "text only"]  # the logit of audit_learned
    return {"blind": fixed + audit_learned(splits), "seeing": audit_seeing(splits, trajectories)}


def table(rows: Sequence[BlindGuess]) -> pd.DataFrame:
    """Accuracies in percent: one row for each guess, one column for each type and split."""
    frame = pd.DataFrame([(row.policy, row.type, row.split, 100 * row.accuracy) for row in rows])
    frame.columns = ["guess", "type", "split", "accuracy"]
    wide = frame.pivot_table(index="guess", columns=["type", "split"], values="accuracy", sort=False)
    return wide.round(1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m robotr1.questions.audit", description=__doc__)
    parser.add_argument("strategies", nargs="*", default=list(DISTRACTORS))
    parser.add_argument("--seed", type=int, help="of the build; default: that of params.yaml")
    options = parser.parse_args()
    settings = load_settings()["build_questions"]
    if options.seed is not None:
        settings = replace(settings, seed=options.seed)
    episodes = (read_episode(folder) for folder in list_episodes(paths.DEMOS))
    trajectories = trajectories_of(episodes, read_records(paths.KEYFRAMES, Keyframes), settings.state)
    for strategy in options.strategies:
        for name, rows in audit_all(trajectories, replace(settings, distractors=strategy)).items():
            print(f"\n{strategy}, {name}\n\n{table(rows).to_string(na_rep='')}")


if __name__ == "__main__":
    main()
