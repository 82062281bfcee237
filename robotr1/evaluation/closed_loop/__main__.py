"""Run policies in the closed loop: `python -m robotr1.evaluation.closed_loop --policy base grpo-seed0`.

Oracle and random come first and must be where they belong, then the text-only agent, then the policies, all on the same
placements. Prints success by policy.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from robotr1.demos.rlbench import RLBenchMissing
from robotr1.demos.tabletop.episodes import CollectionError
from robotr1.evaluation.closed_loop.agents import policy_agent, text_only_agent
from robotr1.evaluation.closed_loop.controls import run_controls
from robotr1.evaluation.closed_loop.forms import Form, MultipleChoiceForm, OpenForm
from robotr1.evaluation.closed_loop.results import Trace, summarize, write
from robotr1.evaluation.closed_loop.run import run_agent
from robotr1.evaluation.multiple_choice.items import read_questions, read_scenes
from robotr1.settings import load_settings

SPLITS = ("train", "validation", "test_in", "test_out")
SHOWN = ["policy", "episodes", "success", "low", "high", "right", "unreadable", "unreachable"]


def evaluate(
    policies: Sequence[str],
    tasks: Sequence[str],
    episodes: int,
    seed: int,
    *,
    open_form: bool = False,
    source: str = "tabletop",
    image_size: int = 224,
) -> list[Trace]:
    """The episodes of the controls and of `policies`, with the questions and settings of the study.

    Raises BenchmarkError where a control fails, RecordError without questions, PolicyError for a folder without a
    policy, KeyError for an unknown task, CollectionError where the expert fails, RLBenchMissing without RLBench.
    """
    settings = load_settings()
    questions = read_questions(splits=SPLITS)
    build, scenes = settings["build_questions"], read_scenes(questions)
    form: Form = OpenForm(build, scenes) if open_form else MultipleChoiceForm(questions, build, scenes)
    where = {"source": source, "image_size": image_size}
    traces = run_controls(form, tasks, episodes, seed, build, **where)
    agents = [] if open_form else [lambda: text_only_agent(form, [one for one in questions if one.split == "train"])]
    agents += [lambda name=name: policy_agent(name, form, settings["run_benchmarks"], cache=None) for name in policies]
    for make in agents:  # one at a time, so that only one model is in memory
        traces += run_agent(make(), tasks, episodes, seed, build.state, **where)
    return traces


def main(arguments: Sequence[str] | None = None) -> int:
    demos = load_settings()["extract_demos"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", nargs="*", default=[], help="folders of models/, after the controls")
    parser.add_argument("--tasks", nargs="+", default=[*demos.train_tasks, *demos.held_out_tasks])
    parser.add_argument("--episodes", type=int, default=10, help="placements of each task")
    parser.add_argument("--form", choices=("multiple_choice", "open"), default="multiple_choice")
    parser.add_argument("--source", choices=("tabletop", "rlbench"), default="tabletop")
    parser.add_argument("--image-size", type=int, default=demos.image_size)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="folder for the episodes, <policy>/closed_loop.jsonl")
    options = parser.parse_args(arguments)
    try:
        traces = evaluate(
            options.policy,
            options.tasks,
            options.episodes,
            options.seed,
            open_form=options.form == "open",
            source=options.source,
            image_size=options.image_size,
        )
    except (ValueError, KeyError, OSError, CollectionError, RLBenchMissing) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 1
    if options.output:
        write(traces, options.output)
    print(summarize(traces).query("task == 'all'")[SHOWN].round(3).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
