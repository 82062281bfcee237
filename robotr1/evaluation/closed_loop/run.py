"""The closed loop: a policy is asked where to go, the arm goes there, and it is asked again, until the task is done.

Success, not accuracy: the paper's data end with the next waypoint (Robot-R1, section 3.2); its manipulation scores
(Table 4) count whole tasks done, as here. One question is asked per step of the script. The policy gives the position;
rotation and gripper come from the script's step, or from the policy as well where states are extended. A policy that
chooses is helped once more: the right place is always among its options. One that writes coordinates has no such help.

A step that cannot be executed is lost: an answer that cannot be read, or a place that the arm cannot reach in a
straight line. The arm stays, and the same step is asked again with newly drawn options. An episode ends with success,
after the script's last step, or when more than SPARE steps are lost. An executed step counts, however wrong its place.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation
from scipy.stats import binomtest

from robotr1.evaluation.closed_loop.players import Choices, Form, Player, oracle_player, random_player
from robotr1.evaluation.closed_loop.results import SPARE, Step, Trace
from robotr1.evaluation.closed_loop.worlds import VARIATION, Goal, Outcome, World, state_of
from robotr1.evaluation.controls import UNLIKELY, BenchmarkError
from robotr1.questions.distractors.scene import in_scene
from robotr1.questions.states import StateKind, is_extended
from robotr1.records import Question
from robotr1.settings import BuildQuestions

Source = Literal["tabletop", "rlbench"]
LUCK = 0.01  # more than the share of random coordinates that do a task by chance


def closed_loop(
    players: Sequence[Player],
    tasks: Sequence[str],
    episodes: int,
    seed: int,
    settings: BuildQuestions,
    *,
    source: Source = "tabletop",
    image_size: int = 224,
) -> list[Trace]:
    """Let all players do `episodes` placements of each task, the same ones for all; first the controls of their forms.

    `settings` are those the policies' questions were built with. With `source` "rlbench" the tasks run live, one
    episode after the other, and its own planner moves the arm.

    Raises:
        BenchmarkError: the oracle or the random player is not where it must be, see `check_brackets`.
        KeyError: the tabletop has no such task.
        RLBenchMissing: RLBench is not installed; the message has the steps.
    """
    forms = list({id(player.form): player.form for player in players}.values())
    where = {"source": source, "image_size": image_size}
    traces: list[Trace] = []
    for form in forms:
        kind = "" if len(forms) == 1 else f" ({type(form).__name__.lower()})"
        measured = play_controls(form, tasks, episodes, seed, settings, **where)
        traces += [replace(trace, policy=trace.policy + kind) for trace in measured]
    for player in players:
        traces += play(player, tasks, episodes, seed, settings.state, **where)
    return traces


def play_controls(
    form: Form,
    tasks: Sequence[str],
    episodes: int,
    seed: int,
    settings: BuildQuestions,
    *,
    source: Source = "tabletop",
    image_size: int = 224,
) -> list[Trace]:
    """Oracle and random in this form, and whether they are where they must be. Raises as `closed_loop` does."""
    traces = []
    for player in (oracle_player(form), random_player(form, seed)):
        traces += play(player, tasks, episodes, seed, settings.state, source=source, image_size=image_size)
    check_brackets(traces, 1 / settings.options if isinstance(form, Choices) else LUCK)
    return traces


def play(
    player: Player,
    tasks: Sequence[str],
    episodes: int,
    seed: int,
    kind: StateKind = "position",
    *,
    source: Source = "tabletop",
    image_size: int = 224,
) -> list[Trace]:
    """One player does `episodes` placements of each task. Raises KeyError and RLBenchMissing as `closed_loop` does."""
    traces = []
    for task in tasks:
        with _open(source, task, episodes, seed, image_size) as worlds:
            traces += run(worlds, player, kind, together=1 if source == "rlbench" else 16)
    return traces


def run(worlds: Iterable[World], player: Player, kind: StateKind = "position", together: int = 16) -> list[Trace]:
    """Play every world to its end, `together` of them at a time, so that the policy answers in batches.

    How many play together changes nothing but the time (and what rounding does inside a batch of a neural network).
    """
    traces = []
    with TemporaryDirectory() as folder:
        worlds = iter(worlds)
        while group := list(islice(worlds, together)):
            games = [_game(world, player, kind, Path(folder)) for world in group]
            asked = {number: next(game) for number, game in enumerate(games)}
            done: dict[int, Trace] = {}
            while asked:
                answers = _answers(player, list(asked.values()))
                for number, answer in zip(list(asked), answers, strict=True):
                    try:
                        asked[number] = games[number].send(answer)
                    except StopIteration as end:
                        done[number] = end.value
                        del asked[number]
            traces += [done[number] for number in range(len(games))]
    return traces


def check_brackets(traces: Sequence[Trace], chance: float) -> None:
    """The oracle must do every task every time, and the random player no more of them than one lucky guess would.

    `chance` is that of one guess: a success needs at least one place that must be right (the cup, the button), and
    most need more. Only a rate that luck cannot explain is an error.

    Raises:
        BenchmarkError: a bracket does not hold; the message says which.
    """
    oracle = [trace for trace in traces if trace.policy == "oracle"]
    if failed := [trace for trace in oracle if not trace.success]:
        raise BenchmarkError(
            f"the oracle fails {len(failed)} of {len(oracle)} episodes of the closed loop, first {failed[0].task}, "
            f"episode {failed[0].episode} ({failed[0].reason}): the loop does not execute what the script does"
        )
    wins = [trace.success for trace in traces if trace.policy == "random"]
    if wins and binomtest(sum(wins), len(wins), chance, alternative="greater").pvalue < UNLIKELY:
        raise BenchmarkError(
            f"the random player does {sum(wins)} of {len(wins)} tasks of the closed loop, where one right "
            f"guess in {1 / chance:.0f} is needed at least: the loop gives the answers away"
        )


@contextmanager
def _open(source: Source, task: str, episodes: int, seed: int, image_size: int) -> Iterator[Iterable[World]]:
    if source == "rlbench":
        from robotr1.evaluation.closed_loop.rlbench_world import rlbench_worlds

        np.random.seed(seed)  # RLBench places by the global generator
        with rlbench_worlds(task, episodes, image_size) as worlds:
            yield worlds
    else:
        from robotr1.evaluation.closed_loop.tabletop_world import tabletop_worlds

        yield tabletop_worlds(task, episodes, seed, image_size)


def _answers(player: Player, questions: list[Question]) -> list[list[float] | None]:
    completions = player.complete(questions)
    return [player.form.read(question, text) for question, text in zip(questions, completions, strict=True)]


def _game(
    world: World, player: Player, kind: StateKind, folder: Path
) -> Generator[Question, list[float] | None, Trace]:
    """One episode as a coroutine: it yields questions, is sent where to go, and returns the trace."""
    path = [state_of(kind, pose, gripper) for pose, gripper in zip(*world.demo)]
    steps: list[Step] = []
    done = lost = 0
    picture = world.image() if player.sees else None
    while done < len(world.goals) and lost <= SPARE and not world.success():
        goal = world.goals[done]
        question = _draft(world, goal, kind, len(steps), done)
        if picture is not None:
            question = replace(question, image=str(folder / f"{world.task}-{world.episode}-{len(steps)}.png"))
            Image.fromarray(picture).save(question.image)
        answer = yield player.form.question(question, path)
        outcome = "unreadable" if answer is None else _execute(world, answer, goal)
        steps.append(Step(picture, question.state, question.target, answer, outcome))
        if steps[-1].lost:
            lost += 1
        else:
            done += 1
            picture = world.image() if player.sees else None
    return Trace(player.name, world.task, world.episode, world.instruction, steps, world.success(), picture)


def _draft(world: World, goal: Goal, kind: StateKind, asked: int, step: int) -> Question:
    return Question(
        id=f"{world.task}/variation{VARIATION}/loop{world.episode}/frame{asked}/waypoint",
        split="test_in",
        type="waypoint",
        task=world.task,
        variation=VARIATION,
        episode=world.episode,
        frame=asked,
        keyframe=step,
        image="",
        instruction=world.instruction,
        state=state_of(kind, *world.hand()),
        target=state_of(kind, goal.pose, goal.gripper),
        options=[],
        answer="A",
        prompt="",
    )


def _execute(world: World, answer: Sequence[float], goal: Goal) -> Outcome:
    if not in_scene(answer[:3]):
        return "unreachable"
    if not is_extended(answer):
        return world.execute(np.array([*answer, *goal.pose[3:]]), goal.gripper)
    turned = Rotation.from_euler("xyz", answer[3:6]).as_quat()
    return world.execute(np.array([*answer[:3], *turned]), float(answer[6] > 0.5))
