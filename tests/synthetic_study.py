"""An invented study with questions, answers and logs, for the tests of the report."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.evaluation.closed_loop.results import Step, Trace
from robotr1.evaluation.eb_manipulation.results import SUBSETS, Episode
from robotr1.evaluation.faithfulness.results import THOUGHTS, Probed
from robotr1.evaluation.judging.rubric import ABILITIES, Judgement
from robotr1.evaluation.multiple_choice.items import OPEN_TYPES
from robotr1.evaluation.multiple_choice.scoring import evaluate, evaluate_open_form
from robotr1.evaluation.open_questions.results import OpenAnswer
from robotr1.evaluation.spatialrgpt.results import SpatialAnswer
from robotr1.policies.names import BLANK
from robotr1.questions.distractors.movements import sample_movements
from robotr1.questions.movement import describe_movement
from robotr1.questions.prompts import LETTERS, completion_text, format_state, mcqa_prompt
from robotr1.records import Prediction, Question
from robotr1.report.results import Results, analyze
from robotr1.report.study import Study
from robotr1.settings import AnalyzeResults

SETTINGS = AnalyzeResults(confidence=0.95, close_distance=0.05, examples=3, human_scores="", seed=0)
SPLITS = {"validation": ["pick_up_cup"], "test_in": ["pick_up_cup", "push_button"], "test_out": ["lamp_on"]}
UNTRUSTED = '<script>alert("x")</script> $\\frac{1}{0}$ \x00 | <b>bold'


def questions(episodes: int = 4, frames: int = 2, splits: dict[str, list[str]] = SPLITS) -> list[Question]:
    """Three questions for each frame of invented episodes; images do not exist."""
    rng = np.random.default_rng(0)
    places = [
        (split, task, episode, frame)
        for split, tasks in splits.items()
        for task in tasks
        for episode in range(episodes)
        for frame in range(0, 10 * frames, 10)
    ]
    return [
        question(rng, kind, split, task, episode + (100 if split == "validation" else 0), frame)
        for split, task, episode, frame in places
        for kind in ("waypoint", "state", "movement")
    ]


def question(rng, kind="waypoint", split="test_in", task="pick_up_cup", episode=0, frame=0) -> Question:
    state, target = (rng.uniform([-0.1, -0.4, 0.8], [0.6, 0.4, 1.4]).round(4).tolist() for _ in range(2))
    if kind == "movement":
        truth = describe_movement(np.subtract(target, state))
        others = sample_movements(truth, 3, rng)
    else:
        truth = format_state(state if kind == "state" else target, 2)
        others = [format_state(rng.uniform([-0.1, -0.4, 0.8], [0.6, 0.4, 1.4]), 2) for _ in range(3)]
    order = rng.permutation(4)
    options = [[truth, *others][i] for i in order]
    name = f"{task}/variation0/episode{episode}/frame{frame}/{kind}"
    prompt = mcqa_prompt(kind, "pick up the red cup", state, options, form="compact", decimals=2)
    return Question(
        id=name,
        split=split,
        type=kind,
        task=task,
        variation=0,
        episode=episode,
        frame=frame,
        keyframe=frame + 7,
        image=f"data/demos/{name}.png",
        instruction="pick up the red cup",
        state=state,
        target=target,
        options=options,
        answer=LETTERS[int(np.flatnonzero(order == 0)[0])],
        prompt=prompt,
    )


def completions(asked: list[Question], skill: float, rng: np.random.Generator) -> list[str]:
    """Answers in the right form, right with probability `skill`; one in thirty is untrusted rubbish."""
    written = []
    for one in asked:
        if rng.random() < 1 / 30:
            written.append(UNTRUSTED)
            continue
        letter = one.answer if rng.random() < skill else "ABCD"[rng.integers(4)]
        option = one.options[LETTERS.index(letter)]
        thing = "gripper" if one.type == "state" or rng.random() < 0.5 else OBJECTS.get(one.task, ("object",))[0]
        way = np.subtract(one.target, one.state)
        here, there, way = (format_state(place, 2) for place in (one.state, one.target, way))
        movement = f"From the gripper at {here} to the {thing} at {there} is {way}: {option}."
        written.append(completion_text(movement if one.type == "movement" else f"The {thing} is at {option}.", letter))
    return written


def predictions(asked: list[Question], reinforced: str = "grpo-seed0") -> list[Prediction]:
    """What nine policies and variants answered."""
    rng, found = np.random.default_rng(1), []
    for policy, skill in {"base": 0.1, reinforced: 0.9, "sft-direct": 0, "random": 0, "text_only": 0.2}.items():
        found += evaluate(policy, asked, completions(asked, skill, rng))
    found += evaluate("oracle", asked, [completion_text("Known.", one.answer) for one in asked])
    tested = [one for one in asked if one.split != "validation"]
    for policy in ("base", reinforced):
        found += evaluate(policy + BLANK, tested, completions(tested, 0.05, rng))
    open_ones = [one for one in asked if one.type in OPEN_TYPES]
    found += evaluate_open_form("sft-direct", open_ones, [one.options[0] for one in open_ones])
    return found


def training_logs(policies=("sft-direct", "grpo-seed0"), steps: int = 12) -> dict[str, pd.DataFrame]:
    step = np.arange(1, steps + 1)
    columns = ("loss", "token_accuracy", "reward", "accuracy", "length", "zero_std")
    return {policy: pd.DataFrame({"step": step} | dict.fromkeys(columns, step / steps)) for policy in policies}


def answers() -> list[OpenAnswer]:
    """Judged answers to four open questions on each of ten images."""
    rng, rows = np.random.default_rng(2), []
    for policy, best in {"oracle": 3, "random": 1, "majority": 1, "base": 0, "grpo-seed0": 2}.items():
        for task in ("pick_up_cup", "lamp_on"):
            for place in [(f"{task}/{number}", ability) for number in range(5) for ability in ABILITIES]:
                score = best if policy == "oracle" else int(rng.integers(best + 1))
                verdict = Judgement(score, "scored" if best else "no_answer", "invented")
                where = "in" if task == "pick_up_cup" else "out"
                text = UNTRUSTED if policy == "base" else "move above the cup"
                rows.append(OpenAnswer("/".join(place), *place, where, policy, "invented", text, text, verdict))
    return rows


def judged_again() -> list[OpenAnswer]:
    """The same answers, of which a second judge scores every third one point lower."""
    rows = [replace(row, judge="another") for row in answers()]
    lower = [max(0, row.judgement.score - (number % 3 == 0)) for number, row in enumerate(rows)]
    return [replace(row, judgement=replace(row.judgement, score=score)) for row, score in zip(rows, lower)]


def measured() -> list[SpatialAnswer]:
    """Answers to questions of one length and one relation on each of ten images; the base writes nothing readable."""
    return [
        SpatialAnswer(f"{column}-{n}", policy, f"{n}.png", column, column == "width", UNTRUSTED, n < right, right == 0)
        for policy, right in {"oracle": 10, "random": 3, "majority": 4, "base": 0}.items()
        for column in ("width", "left-right")
        for n in range(10)
    ]


def probed(episodes: int = 8) -> list[Probed]:
    """Answers after other thoughts: the base keeps its letter, the RL policy follows the thought."""
    rows = []
    for policy, split in [(p, s) for p in ("grpo-seed0", "base") for s in ("test_in", "test_out")]:
        for thought, kind in [(t, k) for t in THOUGHTS for k in ("waypoint", "movement")]:
            speaks = {"own": "A", "borrowed": "BC"}.get(thought)
            letter = "A" if policy == "base" else (speaks or "D")[0]
            for n in range(episodes):
                key = {
                    "id": f"pick_up_cup/variation{split == 'test_out':d}/episode{n}/frame0/{kind}",
                    "policy": policy,
                    "split": split,
                }
                key |= {"type": kind, "thought": thought, "completion": UNTRUSTED, "read": thought != "none"}
                rows.append(Probed(**key, letter=letter, own="A", speaks=speaks, answer="A" if n % 4 else "B"))
    return rows


def planned() -> list[Episode]:
    """Brackets of the EB-Manipulation protocol: the oracle does all scenes in all wordings, random actions none."""
    played = [("oracle", subset) for subset in SUBSETS] + [("random", SUBSETS[0])]
    common = dict.fromkeys(("seed", "shots", "unreadable", "unreachable", "refused"), 0)
    common |= {"image_size": 224, "instruction": "do the task", "replies": 1, "steps": 5, "task": "pick_up_cup"}
    return [
        Episode(policy=policy, subset=subset, episode=episode, success=policy == "oracle", **common)
        for policy, subset in played
        for episode in range(6)
    ]


def acted() -> list[Trace]:
    """Eight episodes of the closed loop for each of four players; base and the reinforced one look."""
    rng, played = np.random.default_rng(3), []
    for policy, skill in {"oracle": 1.0, "random": 0.1, "base": 0.3, "grpo-seed0": 0.8}.items():
        for task in ("pick_up_cup", "lamp_on"):
            for episode in range(4):
                images = [rng.integers(0, 255, (8, 8, 3), np.uint8) if policy in ("base", "grpo-seed0") else None] * 3
                good, target = bool(rng.random() < skill), [0.1, 0.2, 0.9]
                first = Step(images[0], [0.3, 0.0, 1.4], target, None, "unreadable")
                second = Step(images[1], [0.3, 0.0, 1.4], target, target if good else [0.3, 0.2, 0.9], "moved")
                played.append(Trace(policy, task, episode, "do the task", [first, second], good, images[2]))
    return played


def study(episodes: int = 4) -> Study:
    """The invented study, as `read_study` reads one."""
    asked = questions(episodes)
    return Study(
        questions={one.id: one for one in asked},
        predictions=predictions(asked),
        training=training_logs(),
        faithfulness=probed(),
        open_questions=answers() + judged_again(),
        spatialrgpt=measured(),
        closed_loop=acted(),
        eb_manipulation=planned(),
    )


@cache
def results(episodes: int = 4) -> Results:
    """The results of the invented study, cached because many tests use them."""
    return analyze(SETTINGS, study(episodes))


def results_of(predicted: list[Prediction], asked: list[Question], settings: AnalyzeResults = SETTINGS) -> Results:
    """The results of a study with multiple choice alone."""
    return analyze(settings, Study({one.id: one for one in asked}, predicted))
