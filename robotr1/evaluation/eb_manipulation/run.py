"""The EB-Manipulation protocol on the tabletop (Robot-R1, Table 4): whole tasks, by plans of discrete actions.

`python -m robotr1.evaluation.eb_manipulation.run --policy grpo-seed0` plays and prints success by subset. As in EmbodiedBench a
policy is shown the scene and writes a plan; the plan is executed until the task is done, and where it ends before that
the policy is asked again, with what was done so far, 15 actions in all. Only full success counts. Two things differ: a
reply that cannot be read costs a step and moves nothing (there, a random action is done instead), and an action goes in
a straight line (there, a planner finds a way). An empty plan ends the episode, as there.

The tasks are those of `embodied_scenes`, not EmbodiedBench's recorded episodes: scores are no entries for its table.
"""

import argparse
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from robotr1 import paths
from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.eb_manipulation.actions import Action, Unreadable, parse_plan
from robotr1.evaluation.eb_manipulation.planners import (
    MOST_STEPS,
    Planner,
    Request,
    oracle,
    policy_planner,
    random_planner,
)
from robotr1.evaluation.eb_manipulation.prompt import example, picture, prompt
from robotr1.evaluation.eb_manipulation.results import SUBSETS, Episode, check_brackets, summarize
from robotr1.evaluation.eb_manipulation.scenes import TASKS, EmbodiedScene, embodied_scenes
from robotr1.records import read_records, write_records

EXAMPLE_SEED = 1_000_003  # added to the seed: examples are other scenes
FOLDER = paths.DATA / "embodied"

Setting = tuple[int, int, int]  # seed, shots, image_size


def play(
    planner: Planner,
    episodes: int,
    seed: int,
    output: Path,
    *,
    shots: int = 4,
    image_size: int = 224,
    subsets: Sequence[str] = SUBSETS,
    tasks: Sequence[str] = TASKS,
    together: int = 6,
) -> list[Episode]:
    """Play `episodes` scenes of every task in every subset; those that `output` (JSONL) already holds are kept.

    Raises:
        BenchmarkError: `output` holds episodes of another policy, seed, image size or number of examples.
        CollectionError: no placement was found that discrete actions can do.
    """
    done = read_records(output, Episode) if output.exists() else []
    run = (planner.name, seed, shots, image_size)
    if any((one.policy, one.seed, one.shots, one.image_size) != run for one in done):
        raise BenchmarkError(f"{output} holds episodes of another run. Fix: name another --output, or remove the file")
    for task in tasks:
        shown = embodied_scenes(task, shots if planner.sees else 0, seed + EXAMPLE_SEED, image_size)
        told = [example(scene) for scene in shown]
        for subset in subsets:
            known = {one.episode for one in done if (one.task, one.subset) == (task, subset)}
            if known >= set(range(episodes)):
                continue
            scenes = (
                scene for scene in embodied_scenes(task, episodes, seed, image_size) if scene.episode not in known
            )
            for group in _groups(scenes, together):
                done += _together(group, planner, subset, told, (seed, shots, image_size))
                write_records(output, done)
    return done


def brackets(episodes: int, seed: int) -> list[Episode]:
    """The oracle in every subset, and random actions in the first, as no wording can help them; nothing is kept.

    Raises:
        BenchmarkError: a bracket does not hold.
        CollectionError: no placement was found that discrete actions can do.
    """
    with TemporaryDirectory() as folder:
        best = play(oracle(), episodes, seed, Path(folder) / "oracle.jsonl")
        worst = play(random_planner(seed), episodes, seed, Path(folder) / "random.jsonl", subsets=SUBSETS[:1])
    check_brackets(best, worst)
    return best + worst


def _together(
    scenes: Sequence[EmbodiedScene], planner: Planner, subset: str, told: Sequence[str], setting: Setting
) -> list[Episode]:
    """Play a group of scenes to their ends, so that the policy answers in batches."""
    with TemporaryDirectory() as folder:
        games = [_game(scene, planner, subset, told, setting, Path(folder)) for scene in scenes]
        asked, ended = {number: next(game) for number, game in enumerate(games)}, {}
        while asked:
            for number, reply in zip(list(asked), planner.complete(list(asked.values())), strict=True):
                try:
                    asked[number] = games[number].send(reply)
                except StopIteration as end:
                    ended[number] = end.value
                    del asked[number]
    return [ended[number] for number in range(len(games))]


def _game(
    scene: EmbodiedScene, planner: Planner, subset: str, told: Sequence[str], setting: Setting, folder: Path
) -> Generator[Request, str, Episode]:
    """One episode as a coroutine: it yields requests, is sent replies, and returns what came of it."""
    instruction = scene.tell(subset)
    history: list[tuple[Action | None, str]] = []
    replies = 0
    while len(history) < MOST_STEPS and not scene.success():
        image = ""
        if planner.sees:
            image = str(folder / f"{scene.episode}-{replies}.png")
            picture(scene).save(image)
        plan = parse_plan((yield Request(prompt(scene, instruction, told, history), image, scene)))
        replies += 1
        if isinstance(plan, Unreadable):
            history.append((None, f"unreadable, {plan.reason}"))
        elif not plan:
            break
        else:
            for action in plan[: MOST_STEPS - len(history)]:
                history.append((action, scene.act(action)))
                if scene.success():
                    break
    outcomes = [came for _, came in history]
    return Episode(
        policy=planner.name,
        subset=subset,
        task=scene.task,
        episode=scene.episode,
        seed=setting[0],
        shots=setting[1],
        image_size=setting[2],
        instruction=instruction,
        success=scene.success(),
        replies=replies,
        steps=len(history),
        unreadable=sum(action is None for action, _ in history),
        unreachable=outcomes.count("unreachable"),
        refused=scene.refused,
    )


def _groups(scenes: Iterable[EmbodiedScene], size: int) -> Iterator[list[EmbodiedScene]]:
    scenes = iter(scenes)
    while group := list(islice(scenes, size)):
        yield group


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", nargs="*", default=[], help="folders of models/, after oracle and random")
    parser.add_argument("--episodes", type=int, default=12, help="scenes of each task, told in every subset")
    parser.add_argument("--shots", type=int, default=4, help="in-context examples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--max-completion-length", type=int, default=2048)
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder; what it holds is not played again")
    arguments = parser.parse_args()
    scope = {"shots": arguments.shots, "image_size": arguments.image_size}

    def played(planner: Planner, subsets: Sequence[str] = SUBSETS) -> list[Episode]:
        output = arguments.output / f"{planner.name}.jsonl"
        return play(planner, arguments.episodes, arguments.seed, output, subsets=subsets, **scope)

    results = [played(oracle()), played(random_planner(arguments.seed), SUBSETS[:1])]  # which no wording can help
    check_brackets(*results)
    for policy in arguments.policy:
        results.append(played(policy_planner(policy, max_completion_length=arguments.max_completion_length)))
    table = summarize([one for episodes in results for one in episodes])
    table.to_csv(arguments.output / "summary.csv", index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
