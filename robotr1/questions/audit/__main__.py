"""Print the audit of strategies on the extracted demonstrations: `python -m robotr1.questions.audit paired uniform`.

The questions are built in memory with the settings of params.yaml and each strategy. The table has one row for each
guess, without the image (blind) or without the step (seeing), and one column for each split and type.
"""

import argparse
from dataclasses import replace

from robotr1 import paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.questions.audit.table import audit_all, table
from robotr1.questions.trajectory import trajectories_of
from robotr1.records import Keyframes, read_records
from robotr1.settings import DISTRACTORS, load_settings


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
