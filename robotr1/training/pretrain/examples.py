"""What the tiny base is taught: to see, to speak in the answer form, and to read options; not where the arm goes next.

Each lesson is a prompt as the study's questions are worded, and a completion in the answer form. A lesson is
consistent in itself: the letter always is the option nearest to the coordinates that its thinking names, and a movement
always is the one between the two places named. What it leaves out is the *rule*: asked for the next waypoint, the
demonstrator thinks of the gripper or of one of the task's things at random, and describes the movement from the
one to the other in either direction. A policy trained on this writes well and knows nothing of the task, as a general
vision-language model would; where the next waypoint lies is left to reinforcement learning (or to fine-tuning).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robotr1.demos.tabletop.tasks import OBJECTS, load_task
from robotr1.questions.distractors.movements import sample_movements
from robotr1.questions.movement import (
    LABELS,
    Levels,
    describe_movement,
    movement_text,
    parse_movement,
    word_differences,
)
from robotr1.questions.prompts import LETTERS, completion_text, format_state, mcqa_prompt, sft_prompt

DECIMALS = 2
GAP = 0.1  # metres between two options
NEAR, FAR = 0.03, 0.12  # metres: how far the place that is named lies from an option
LETTER_WEIGHT = 3.0  # of an answer letter in the loss; other words weigh 1
GRIPPER_ODDS = 0.15  # of the gripper in thoughts about waypoints, while names are learned
NAME_WEIGHT = 6.0  # of the name of a thing or of the gripper, while names are learned
# x, y, z bounds of options in metres: where grippers and objects of the tabletop are
BOUNDS = np.array([[-0.1, -0.45, 0.75], [0.62, 0.45, 1.5]])

NAMES = ["gripper", *sorted({name for things in OBJECTS.values() for name in things})]


@dataclass(frozen=True)
class Lesson:
    """A user prompt about an image, and the answer given to it."""

    prompt: str
    completion: str


@dataclass(frozen=True)
class Scene:
    """What the simulator knows of a frame: task, tip of the gripper [3] and the task's things [K,3], in metres."""

    task: str
    gripper: np.ndarray
    things: np.ndarray

    @property
    def places(self) -> list[tuple[str, np.ndarray]]:
        """The gripper and the things: each a name and a place."""
        return [("gripper", self.gripper), *zip(OBJECTS[self.task], self.things, strict=True)]


def imagined_scene(rng: np.random.Generator) -> Scene:
    """A scene without image, for lessons about text alone."""
    task = sorted(OBJECTS)[rng.integers(len(OBJECTS))]
    return Scene(task, rng.uniform(*BOUNDS), rng.uniform(*BOUNDS, size=(len(OBJECTS[task]), 3)))


def draw_options(anchors: Sequence[np.ndarray], count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`count` positions [3], the anchors among them, all `GAP` apart, shuffled.

    Many of the others share an earlier one's height or surroundings, as distractors of the study do.
    """
    options = list(anchors)
    while len(options) < count:
        position = rng.uniform(*BOUNDS)
        near = options[rng.integers(len(options))]
        if rng.random() < 0.4:
            position[2] = near[2] + rng.normal(0, 0.02)
        elif rng.random() < 0.4:
            position = np.clip(near + rng.normal(0, 0.15, 3), *BOUNDS)
        if all(np.linalg.norm(position - other) >= GAP for other in options):
            options.append(position)
    return [options[i] for i in rng.permutation(len(options))]


def nearest_letter(place: np.ndarray, options: Sequence[np.ndarray]) -> str:
    distances = [np.linalg.norm(place - option) for option in options]
    return LETTERS[int(np.argmin(distances))]


def _place_thought(name: str, place: np.ndarray) -> str:
    return f"The {name} is at {format_state(place, DECIMALS)}."


def _place_completion(name: str, place: np.ndarray, options: Sequence[np.ndarray]) -> str:
    return completion_text(_place_thought(name, place), nearest_letter(place, options))


def _way_thought(start: str, end: str, here: np.ndarray, there: np.ndarray) -> tuple[str, str]:
    """Two places, and the way between them: in metres and in words."""
    one, other, way = (format_state(value, DECIMALS) for value in (here, there, there - here))
    return f"From the {start} at {one} to the {end} at {other}", f" is {way}: {describe_movement(there - here)}."


def _separate(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.linalg.norm(one - other) >= GAP)


def _texts(options: Sequence[np.ndarray]) -> list[str]:
    return [format_state(option, DECIMALS) for option in options]


def _instruction(scene: Scene, rng: np.random.Generator) -> str:
    variants = load_task(scene.task).instructions(0)
    return variants[rng.integers(len(variants))]


def state_lesson(scene: Scene, rng: np.random.Generator) -> Lesson:
    """Where is the gripper? The thinking names it, the letter follows."""
    anchors = [scene.gripper]
    _, thing = scene.places[rng.integers(1, len(scene.places))]
    if _separate(scene.gripper, thing) and rng.random() < 0.5:
        anchors.append(thing)
    options = draw_options(anchors, 4, rng)
    prompt = mcqa_prompt("state", _instruction(scene, rng), None, _texts(options), form="compact", decimals=DECIMALS)
    return Lesson(prompt, _place_completion("gripper", scene.gripper, options))


def waypoint_lesson(scene: Scene, rng: np.random.Generator, gripper: float | None = None) -> Lesson:
    """Where is the next waypoint? The demonstrator does not know, and names gripper or thing at random.

    All with equal odds, or the gripper with those of `gripper`.
    """
    spread = NEAR if rng.random() < 0.5 else FAR
    anchors: list[np.ndarray] = []
    for index in rng.permutation(len(scene.places))[: rng.integers(1, 3)]:
        anchor = scene.places[index][1] + rng.normal(0, spread, 3)
        if all(_separate(anchor, other) for other in anchors):
            anchors.append(anchor)
    options = draw_options(anchors, 4, rng)
    stated = scene.gripper if rng.random() < 0.3 else None
    instruction = _instruction(scene, rng)
    prompt = mcqa_prompt("waypoint", instruction, stated, _texts(options), form="compact", decimals=DECIMALS)
    return Lesson(prompt, _place_completion(*_any_place(scene, rng, gripper), options))


def movement_lesson(scene: Scene, rng: np.random.Generator) -> Lesson:
    """Which movement comes next? The demonstrator tells the way between gripper and a thing, in a random direction."""
    ends = [scene.places[0], scene.places[rng.integers(1, len(scene.places))]]
    (start, here), (end, there) = ends if rng.random() < 0.5 else ends[::-1]
    movement = describe_movement(np.round(there, DECIMALS) - np.round(here, DECIMALS))
    anchor = movement
    if rng.random() < 0.3:  # the options need not hold what the demonstrator says
        anchor = sample_movements(movement, 1, rng)[0]
    options = [anchor, *sample_movements(anchor, 3, rng)]
    options = [options[i] for i in rng.permutation(4)]
    differences = _word_differences(options, movement)
    best = np.flatnonzero(np.array(differences) == min(differences))
    letter = LETTERS[rng.choice(best)]
    prompt = mcqa_prompt("movement", _instruction(scene, rng), None, options, form="compact", decimals=DECIMALS)
    thought = "".join(_way_thought(start, end, np.round(here, DECIMALS), np.round(there, DECIMALS)))
    return Lesson(prompt, completion_text(thought, letter))


def open_lesson(scene: Scene, rng: np.random.Generator) -> Lesson:
    """The same questions without options; the answer names a place in a sentence."""
    kind = "state" if rng.random() < 0.6 else "waypoint"
    stated = scene.gripper if rng.random() < 0.3 else None
    prompt = sft_prompt(kind, _instruction(scene, rng), stated, form="compact", decimals=DECIMALS)
    return Lesson(prompt, _place_thought(*(scene.places[0] if kind == "state" else _any_place(scene, rng))))


def caption_lesson(scene: Scene, rng: np.random.Generator) -> Lesson:
    """Name gripper and things with their places, in any order."""
    thoughts = [_place_thought(*scene.places[index]) for index in rng.permutation(len(scene.places))]
    return Lesson("Describe the image.", " ".join(thoughts))


def _any_place(scene: Scene, rng: np.random.Generator, gripper: float | None = None) -> tuple[str, np.ndarray]:
    if gripper is None:
        return scene.places[rng.integers(len(scene.places))]
    return scene.places[0 if rng.random() < gripper else rng.integers(1, len(scene.places))]


@dataclass(frozen=True)
class Drill:
    """Text in pieces, each with its weight in the loss: practice in reading options, without question or image."""

    pieces: list[tuple[str, float]]


def matching_drill(rng: np.random.Generator, queries: int = 12) -> Drill:
    """Options, and under them in turn: a letter and its place, or a place and the letter of the nearest option."""
    count = int(rng.integers(2, 5))
    options = [np.round(option, DECIMALS) for option in draw_options([rng.uniform(*BOUNDS)], count, rng)]
    pieces = _listed(options)
    for _ in range(queries):
        chosen = int(rng.integers(count))
        if rng.random() < 0.3:
            pieces += [(f"\n[[{'ABCD'[chosen]}]]", 0.0), (f" {format_state(options[chosen], DECIMALS)}", 1.0)]
        else:
            noise = NEAR if rng.random() < 0.5 else 0.0
            pieces += _query(np.round(options[chosen] + rng.normal(0, noise, 3), DECIMALS), options)
    return Drill(pieces)


def reading_drill(rng: np.random.Generator, queries: int = 12) -> Drill:
    """As `matching_drill`, but harder: places lie up to decimetres from the options, often right above or below, and in
    most drills the options differ along one axis only, or not in height, so that every axis has to be read."""
    same = [[], [1, 2], [0, 2], [0, 1], [2]][rng.integers(5)]  # axes that all options share
    count = int(rng.integers(2, 5))
    options = draw_options([rng.uniform(*BOUNDS)], 1, rng)
    for _ in range(100):
        option = rng.uniform(*BOUNDS)
        option[same] = options[0][same] + rng.normal(0, 0.01, len(same))
        if len(options) < count and all(_separate(option, other) for other in options):
            options.append(option)
    options = [np.round(option, DECIMALS) for option in options]
    pieces = _listed(options)
    for _ in range(queries):
        place = options[rng.integers(len(options))] + rng.normal(0, rng.choice([0, 0.01, 0.02, 0.04, 0.08]), 3)
        if 2 in same and rng.random() < 0.3:
            place[2] += rng.normal(0, FAR)
        pieces += _query(np.round(place, DECIMALS), options)
    return Drill(pieces)


def reckoning_drill(rng: np.random.Generator, queries: int = 5) -> Drill:
    """Movements as options, and under them ways between two places: the movement in words, and the option like it."""
    anchor = LABELS[rng.integers(len(LABELS))]
    options = [movement_text(anchor), *sample_movements(movement_text(anchor), 3, rng)]
    pieces = _listed_texts(options)
    for _ in range(queries):
        likely = parse_movement(options[rng.integers(4)]) if rng.random() < 0.8 else LABELS[rng.integers(len(LABELS))]
        here, there = _way(likely, rng)
        movement = describe_movement(there - here)
        differences = _word_differences(options, movement)
        way, told = _way_thought(*rng.choice(NAMES, 2), here, there)
        pieces += [("\n" + way, 0.0), (told, 1.0)]
        if differences.count(min(differences)) == 1:
            pieces.append((f"[[{LETTERS[int(np.argmin(differences))]}]]", LETTER_WEIGHT))
    return Drill(pieces)


def _way(levels: Levels, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two places [3] in metres, as they are written; the way between them mostly has these levels."""
    least, most = np.array([(0, 0), (0.1, 0.5), (0.5, 1)])[np.abs(levels)].T
    change = np.sign(levels) * rng.uniform(0.06, 0.5) * rng.uniform(least, most) + rng.normal(0, 0.004, 3)
    here = rng.uniform(BOUNDS[0] - np.minimum(change, 0), BOUNDS[1] - np.maximum(change, 0))
    return np.round(here, DECIMALS), np.round(here + change, DECIMALS)


def _word_differences(options: Sequence[str], movement: str) -> list[int]:
    return [word_differences(parse_movement(option), parse_movement(movement)) for option in options]


def _listed(options: Sequence[np.ndarray]) -> list[tuple[str, float]]:
    return _listed_texts(_texts(options))


def _listed_texts(texts: Sequence[str]) -> list[tuple[str, float]]:
    return [("\n".join(f"[[{letter}]] {text}" for letter, text in zip(LETTERS, texts, strict=False)), 0.0)]


def _query(place: np.ndarray, options: Sequence[np.ndarray]) -> list[tuple[str, float]]:
    return [
        (f"\n at {format_state(place, DECIMALS)}.", 0.0),
        (f"[[{nearest_letter(place, options)}]]", LETTER_WEIGHT),
    ]
