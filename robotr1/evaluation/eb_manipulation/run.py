"""Run an agent in the EB-Manipulation protocol: it plans, the scene executes, until the task is done or 15 steps."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from robotr1 import paths
from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.eb_manipulation import results
from robotr1.evaluation.eb_manipulation.actions import Action, Unreadable, parse_plan
from robotr1.evaluation.eb_manipulation.agents import MAX_STEPS, Agent, Request
from robotr1.evaluation.eb_manipulation.prompt import example, numbered_image, prompt
from robotr1.evaluation.eb_manipulation.results import SUBSETS, Episode
from robotr1.evaluation.eb_manipulation.scenes import TASKS, EmbodiedScene, embodied_scenes
from robotr1.evaluation.episodes import image_folder, run_in_groups

EXAMPLE_SEED = 1_000_003  # added to the seed, so that examples are other scenes


@dataclass(frozen=True)
class _Setting:
    """What the episodes of one task and subset share."""

    subset: str
    examples: Sequence[str]
    seed: int
    shots: int
    image_size: int


def run_agent(
    agent: Agent,
    episodes: int,
    seed: int,
    folder: Path | None = None,
    *,
    shots: int = 4,
    image_size: int = 224,
    subsets: Sequence[str] = SUBSETS,
    tasks: Sequence[str] = TASKS,
    together: int = 6,
) -> list[Episode]:
    """Run `episodes` scenes of every task in every subset, `together` of them at a time.

    With `folder`, finished episodes are written to `<folder>/<agent>/embodied.jsonl` and those in it are not run again.

    Raises:
        BenchmarkError: the file has episodes of another seed, image size or number of examples.
        CollectionError: no placement was found that discrete actions can solve.
    """
    done = [one for one in results.read(folder) if one.policy == agent.name] if folder else []
    if any((one.seed, one.shots, one.image_size) != (seed, shots, image_size) for one in done):
        file = folder / agent.name / results.FILE
        raise BenchmarkError(f"{file} has episodes of another run. Fix: name another --output, or remove the file")
    for task in tasks:
        shown = embodied_scenes(task, shots if agent.uses_images else 0, seed + EXAMPLE_SEED, image_size)
        examples = [example(scene) for scene in shown]
        for subset in subsets:
            known = {one.episode for one in done if (one.task, one.subset) == (task, subset)}
            if known >= set(range(episodes)):
                continue
            setting = _Setting(subset, examples, seed, shots, image_size)
            with image_folder() as images:
                scenes = embodied_scenes(task, episodes, seed, image_size)
                running = (_episode(scene, agent, setting, images) for scene in scenes if scene.episode not in known)
                for group in run_in_groups(running, agent.complete, together):
                    done += group
                    if folder:
                        results.write(done, folder)
    return done


def _episode(scene: EmbodiedScene, agent: Agent, setting: _Setting, images: Path) -> Generator[Request, str, Episode]:
    instruction = scene.instruction(setting.subset)
    history: list[tuple[Action | None, str]] = []  # actions with their outcomes; None for an unreadable reply
    replies = 0
    while len(history) < MAX_STEPS and not scene.success():
        image = ""
        if agent.uses_images:
            file = images / f"{scene.episode}-{replies}.png"
            numbered_image(scene).save(file)
            image = paths.relative(file)
        plan = parse_plan((yield Request(prompt(scene, instruction, setting.examples, history), image, scene)))
        replies += 1
        if isinstance(plan, Unreadable):
            history.append((None, f"unreadable, {plan.reason}"))
        elif not plan:
            break
        else:
            for action in plan[: MAX_STEPS - len(history)]:
                history.append((action, scene.act(action)))
                if scene.success():
                    break
    return Episode(
        policy=agent.name,
        subset=setting.subset,
        task=scene.task,
        episode=scene.episode,
        seed=setting.seed,
        shots=setting.shots,
        image_size=setting.image_size,
        instruction=instruction,
        success=scene.success(),
        replies=replies,
        steps=len(history),
        unreadable=sum(action is None for action, _ in history),
        unreachable=sum(outcome == "unreachable" for _, outcome in history),
        refused=scene.refused,
    )
