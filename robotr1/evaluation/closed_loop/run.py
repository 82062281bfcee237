"""Run an agent in the closed loop, step by step until the task is done.

The agent gets one question for each step of the task's script and completes it with a position. The script's step adds
rotation and gripper, unless states are extended; then the agent gives those too. In the multiple-choice form the right
position is always among the options; the open form has no such help.

A step is lost where its completion cannot be read, or where the arm cannot reach the position in a straight line. The
arm stays, and the same step is asked again with new options. An episode ends with success, after the script's last
step, or with more than MAX_LOST lost steps. An executed step counts, however wrong its position.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from robotr1 import paths
from robotr1.evaluation.closed_loop.agents import Agent
from robotr1.evaluation.closed_loop.environment import VARIATION, Environment, Goal, Outcome, state_of
from robotr1.evaluation.closed_loop.results import MAX_LOST, Step, Trace
from robotr1.evaluation.episodes import image_folder, run_in_groups
from robotr1.questions.distractors.scene import in_scene
from robotr1.questions.states import StateKind, is_extended
from robotr1.records import Question

Source = Literal["tabletop", "rlbench"]
TOGETHER = 16  # episodes that run at a time on the tabletop; RLBench has one simulator


def run_agent(
    agent: Agent,
    tasks: Sequence[str],
    episodes: int,
    seed: int,
    kind: StateKind = "position",
    *,
    source: Source = "tabletop",
    image_size: int = 224,
) -> list[Trace]:
    """Run `episodes` placements of each task; the placements depend on task, seed and source alone.

    `kind` is the state of the questions. With `source` "rlbench" RLBench's own planner moves the arm.

    Raises:
        KeyError: the tabletop has no such task.
        RLBenchMissing: RLBench is not installed; the message has the steps.
    """
    traces = []
    for task in tasks:
        with _environments(source, task, episodes, seed, image_size) as environments:
            traces += run_environments(environments, agent, kind, together=1 if source == "rlbench" else TOGETHER)
    return traces


def run_environments(
    environments: Iterable[Environment], agent: Agent, kind: StateKind = "position", together: int = TOGETHER
) -> list[Trace]:
    """Run one episode in each environment, `together` of them at a time."""
    with image_folder() as folder:
        episodes = (_episode(environment, agent, kind, folder) for environment in environments)
        return [trace for group in run_in_groups(episodes, agent.complete, together) for trace in group]


@contextmanager
def _environments(
    source: Source, task: str, episodes: int, seed: int, image_size: int
) -> Iterator[Iterable[Environment]]:
    if source == "rlbench":
        from robotr1.evaluation.closed_loop.rlbench import rlbench_environments

        np.random.seed(seed)  # RLBench draws placements from the global generator
        with rlbench_environments(task, episodes, image_size) as environments:
            yield environments
    else:
        from robotr1.evaluation.closed_loop.tabletop import tabletop_environments

        yield tabletop_environments(task, episodes, seed, image_size)


def _episode(environment: Environment, agent: Agent, kind: StateKind, folder: Path) -> Generator[Question, str, Trace]:
    states = [state_of(kind, pose, gripper) for pose, gripper in zip(*environment.demo)]
    steps: list[Step] = []
    done = lost = 0
    image = environment.image() if agent.uses_images else None
    while done < len(environment.goals) and lost <= MAX_LOST and not environment.success():
        goal = environment.goals[done]
        draft = _draft(environment, goal, kind, len(steps), done)
        if image is not None:
            file = folder / f"{environment.task}-{environment.episode}-{len(steps)}.png"
            Image.fromarray(image).save(file)
            draft = replace(draft, image=paths.relative(file))
        question = agent.form.question(draft, states)
        answer = agent.form.read(question, (yield question))
        outcome = "unreadable" if answer is None else _execute(environment, answer, goal)
        steps.append(Step(image, question.state, question.target, answer, outcome))
        if steps[-1].lost:
            lost += 1
        else:
            done += 1
            image = environment.image() if agent.uses_images else None
    return Trace(
        policy=agent.name,
        task=environment.task,
        episode=environment.episode,
        instruction=environment.instruction,
        steps=steps,
        success=environment.success(),
        last_image=image,
    )


def _draft(environment: Environment, goal: Goal, kind: StateKind, number: int, step: int) -> Question:
    """Question `number` of an episode, about the script's `step`; a form adds prompt and options."""
    return Question(
        id=f"{environment.task}/variation{VARIATION}/loop{environment.episode}/frame{number}/waypoint",
        split="test_in",
        type="waypoint",
        task=environment.task,
        variation=VARIATION,
        episode=environment.episode,
        frame=number,
        keyframe=step,
        image="",
        instruction=environment.instruction,
        state=state_of(kind, *environment.gripper()),
        target=state_of(kind, goal.pose, goal.gripper),
        options=[],
        answer="A",
        prompt="",
    )


def _execute(environment: Environment, answer: Sequence[float], goal: Goal) -> Outcome:
    if not in_scene(answer[:3]):
        return "unreachable"
    if not is_extended(answer):
        return environment.execute(np.array([*answer, *goal.pose[3:]]), goal.gripper)
    rotation = Rotation.from_euler("xyz", answer[3:6]).as_quat()
    return environment.execute(np.array([*answer[:3], *rotation]), float(answer[6] > 0.5))
