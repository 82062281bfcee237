"""Run policies in the EB-Manipulation protocol: `python -m robotr1.evaluation.eb_manipulation --policy grpo-seed0`.

Oracle and random actions come first and must be where they belong. Prints success by policy and subset. Finished
episodes are in --output; a second run resumes with the missing ones.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from robotr1 import paths
from robotr1.demos.tabletop.episodes import CollectionError
from robotr1.evaluation.eb_manipulation.agents import policy_agent
from robotr1.evaluation.eb_manipulation.controls import run_controls
from robotr1.evaluation.eb_manipulation.results import summarize
from robotr1.evaluation.eb_manipulation.run import run_agent
from robotr1.evaluation.eb_manipulation.scenes import TASKS

FOLDER = paths.DATA / "embodied"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", nargs="*", default=[], help="folders of models/, after the controls")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--episodes", type=int, default=12, help="scenes of each task, in every subset")
    parser.add_argument("--shots", type=int, default=4, help="in-context examples")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--max-completion-length", type=int, default=2048)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder for the episodes and summary.csv")
    options = parser.parse_args(arguments)
    scope = {"shots": options.shots, "image_size": options.image_size, "tasks": options.tasks}
    try:
        episodes = run_controls(options.episodes, options.seed, folder=options.output, **scope)
        for policy in options.policy:
            agent = policy_agent(policy, max_completion_length=options.max_completion_length)
            episodes += run_agent(agent, options.episodes, options.seed, options.output, **scope)
    except (ValueError, OSError, CollectionError) as error:
        print(error, file=sys.stderr)
        return 1
    table = summarize(episodes)
    table.to_csv(options.output / "summary.csv", index=False)
    print(table.round(3).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
