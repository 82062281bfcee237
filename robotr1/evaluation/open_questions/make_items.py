"""Write the reasoning benchmark: frames of new demonstrations, and what the simulator knows about them in words.

`python -m robotr1.evaluation.open_questions.make_items` draws the committed set again (it must come out the same), and
`--questions 2000 --seed 1 --output FOLDER` a larger one, which guards against luck in a set of 215 (`reasoning_exam`
puts it to policies).
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from robotr1 import paths
from robotr1.demos.images import project
from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.evaluation.open_questions.scoring import ITEMS, ReasoningItem
from robotr1.evaluation.spatialrgpt.scoring import COLUMNS, column_of
from robotr1.paths import write_text
from robotr1.questions.movement import describe_movement
from robotr1.records import write_records

TRAINED = ("pick_up_cup", "push_button", "put_rubbish_in_bin", "phone_on_base", "take_lid_off_saucepan")
HELD_OUT = ("lamp_on", "close_jar", "stack_blocks", "open_drawer", "place_shape_in_shape_sorter")
FRAMES = 5  # of a task, each from its own demonstration
MORE_SPATIAL = {"in": 12, "out": 3}  # of 25 frames each, so many have a second spatial question (37 and 28 in all)
OF_A_COLUMN = 15  # questions of each of SpatialRGPT-Bench's twelve sub-columns
APART = 0.03  # metres: smaller differences between two things are not told
TOGETHER = 0.05  # metres: the tip is at a thing
FIRST_EPISODE = 9000  # no demonstration of the study has such a number
SIZE, MARGIN = 224, 30  # pixels of an image; the tip is so much inside that the fingers are, too
STILL = 0.03  # metres: a frame with less of its movement left is too near to a keyframe to ask about
# What the simulator's position of a thing is the position of, where that is a part of it.
PARTS = {
    "lamp": "button of the lamp",
    "lid": "knob of the lid",
    "bin": "opening of the bin",
    "base": "seat on the base",
    "drawer": "handle of the drawer",
    "jar": "mouth of the jar",
}
SIDES = (("in front of", "behind"), ("to the right of", "to the left of"), ("above", "below"))


@dataclass(frozen=True, slots=True)
class Frame:
    """How an image was drawn."""

    id: str
    task: str
    seed: int
    episode: int
    attempt: int
    frame: int
    image: str
    sha256: str  # of the pixels, height x width x RGB; another renderer draws others


@dataclass(frozen=True)
class Moment:
    """The truth about one frame; lengths in metres."""

    tip: np.ndarray  # [3]
    target: np.ndarray  # [3], the tip at the next keyframe
    things: dict[str, np.ndarray]  # where the task's things are
    holds: str | None  # the thing that is in the closed gripper
    plan: Sequence[str]  # the whole script
    step: int  # index of the next step in it


def where(subject: str, place: np.ndarray, other: str, there: np.ndarray) -> str:
    """Say where one thing is relative to another, the largest difference first."""
    away = np.asarray(place) - there
    said = [SIDES[axis][int(away[axis] < 0)] for axis in np.argsort(-np.abs(away)) if abs(away[axis]) > APART]
    if not said:
        return f"The {subject} is at the {other}."
    joined = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return f"The {subject} is {joined} the {other}."


def spatial_questions(moment: Moment) -> list[tuple[str, str]]:
    """All spatial questions that a moment allows, with their references."""
    names = list(moment.things)
    asked = []
    for name in names:
        part = PARTS.get(name, name)
        if moment.holds == name:
            relation = f"The gripper holds the {part}."
        else:
            relation = where("gripper", moment.tip, part, moment.things[name])
        asked.append((f"What is the current spatial relationship between the gripper and the {part}?", relation))
    held = "Yes." if moment.holds == names[0] else "No."
    asked.append((f"Is the gripper holding the {names[0]}? Answer yes or no.", held))
    distance = float(np.linalg.norm(moment.tip - moment.things[names[0]]))
    if distance > TOGETHER:
        part = PARTS.get(names[0], names[0])
        question = f"How far is the tip of the gripper from the {part}, in centimetres?"
        asked.append((question, f"About {100 * distance:.0f} cm."))
    if len(names) == 2 and moment.holds is None:
        one, other = names
        flat = np.array([1, 1, 0])  # heights would compare a part with the middle of another thing
        relation = where(one, flat * moment.things[one], other, flat * moment.things[other])
        asked.append((f"Seen from the front, where on the table is the {one} relative to the {other}?", relation))
    return asked


def other_questions(moment: Moment, instruction: str) -> dict[str, tuple[str, str]]:
    """The questions on plan, next step and movement, with their references."""
    left = moment.plan[moment.step :]
    listed = ", ".join(f"{number}. {step}" for number, step in enumerate(left, start=1))
    return {
        "planning": (
            f"Which actions remain, from the current scene on, to {instruction}? Give the complete sequence.",
            listed,
        ),
        "high_level": ("What is the one next step that should be performed in the current scene?", left[0]),
        "movement": (
            "In which directions does the gripper have to move for the next step?",
            describe_movement(moment.target - moment.tip),
        ),
    }


def task_frames(task: str, count: int, seed: int, output: Path, images: str) -> Iterator[tuple]:
    """Draw `count` frames of a task, each from its own demonstration, into `output`.

    Yields (Frame, Moment, instruction, all questions in SpatialRGPT-Bench's form about the frame).
    `images` is how items name the folder. Frames are spread over the demonstrations' course.
    """
    # MuJoCo reads on import how it is to render: `choose_renderer` comes first.
    from robotr1.demos.tabletop.episodes import MAX_ATTEMPTS, attempt_generator
    from robotr1.demos.tabletop.expert import AttemptFailed, demonstrate, draw
    from robotr1.demos.tabletop.scene import TabletopScene
    from robotr1.evaluation.spatialrgpt.make_items import questions, regions_of

    scene = TabletopScene(task, np.random.default_rng(0), SIZE)
    for number in range(count):
        for attempt in range(MAX_ATTEMPTS):
            rng = attempt_generator(seed, task, FIRST_EPISODE + number, attempt)
            scene.reset(rng)
            try:
                recording = demonstrate(scene)
            except AttemptFailed:
                continue
            break
        else:
            raise RuntimeError(f"{task}: no demonstration in {MAX_ATTEMPTS} placements")
        share = (number % FRAMES + rng.uniform()) / FRAMES
        candidates = [frame for frame in range(recording.keyframes[-1]) if _can_be_asked_about(recording, frame)]
        frame = candidates[int(share * len(candidates))]
        picture = draw(scene, recording, [frame])["front_rgb"][frame]
        name = f"{task}-{number}.png"
        output.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(output / name, optimize=True)
        digest = hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()
        drawn = Frame(
            f"{task}/{number}", task, seed, FIRST_EPISODE + number, attempt, frame, f"{images}/{name}", digest
        )
        instruction = scene.task.instructions(0)[number % len(scene.task.instructions(0))]
        asked = list(questions(regions_of(scene)))  # `draw` left the scene in the frame's state
        yield drawn, _moment(task, recording, scene.task.script(0), frame), instruction, asked
    scene.close()


def size(questions: int) -> tuple[int, dict[str, int]]:
    """Frames of each task, and second spatial questions by distribution, for about so many questions."""
    frames = max(1, round(questions / 43))  # 4.3 questions a frame, ten tasks
    return frames, {name: count * frames // FRAMES for name, count in MORE_SPATIAL.items()}


def build(frames: int, seed: int, output: Path, more_spatial: dict[str, int] | None = None) -> None:
    """Write `reasoning.jsonl`, `spatialrgpt.json`, `frames.jsonl` and `images/` for `frames` frames of every task."""
    more_spatial = MORE_SPATIAL if more_spatial is None else more_spatial
    folder = paths.relative(output / "images")
    items: list[ReasoningItem] = []
    drawn: list[Frame] = []
    asked_of: dict[str, list[tuple]] = {}
    for distribution, tasks in (("in", TRAINED), ("out", HELD_OUT)):
        kinds = 0
        for place, (frame, moment, instruction, about_regions) in enumerate(
            row for task in tasks for row in task_frames(task, frames, seed, output / "images", folder)
        ):
            drawn.append(frame)
            asked_of[frame.image] = about_regions
            spatial = spatial_questions(moment)
            total = len(tasks) * frames
            second = (place + 1) * more_spatial[distribution] // total > place * more_spatial[distribution] // total
            asked = {f"spatial-{k}": spatial[(kinds + k) % len(spatial)] for k in range(1 + second)}
            kinds += 1 + second
            for name, (question, reference) in (asked | other_questions(moment, instruction)).items():
                ability = name.partition("-")[0]
                about = (frame.id, ability, distribution, frame.task, frame.image, instruction)
                items.append(ReasoningItem(f"{frame.id}/{name}", *about, question, reference))
    write_records(output / "reasoning.jsonl", items)
    write_records(output / "frames.jsonl", drawn)
    write_text(output / "spatialrgpt.json", _one_a_line(choose_spatial(asked_of, OF_A_COLUMN * frames // FRAMES, seed)))


def choose_spatial(asked_of: dict[str, list[tuple]], count: int, seed: int) -> list[dict]:
    """`count` questions of each of SpatialRGPT-Bench's sub-columns, drawn evenly over all frames, in its form."""
    from robotr1.evaluation.spatialrgpt.make_items import published_form

    by_column: dict[str, list[tuple]] = {column: [] for column in COLUMNS}
    for image, asked in asked_of.items():
        for question in asked:
            by_column[column_of(question[0])].append((image, question))
    chosen = []
    for n, (column, rows) in enumerate(by_column.items()):
        picked = np.random.default_rng([seed, n]).permutation(len(rows))[:count]
        for number, index in enumerate(sorted(picked.tolist())):
            image, question = rows[index]
            chosen.append(published_form(f"{column}-{number}", image, SIZE, question))
    return chosen


def _one_a_line(rows: list[dict]) -> str:
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _next(recording, frame: int) -> int:
    """The index of the next keyframe, which is that of the next step."""
    return next(n for n, keyframe in enumerate(recording.keyframes) if keyframe > frame)


def _can_be_asked_about(recording, frame: int) -> bool:
    """Whether the tip is inside the image and has still to move to its next keyframe."""
    tip = recording.gripper_pose[frame][:3]
    target = recording.gripper_pose[recording.keyframes[_next(recording, frame)]][:3]
    matrices = (recording.camera_misc[frame][f"front_camera_{name}"] for name in ("intrinsics", "extrinsics"))
    pixel = project(tip[None], *matrices)[0]
    return bool(np.linalg.norm(target - tip) >= STILL and (abs(pixel - SIZE / 2) < SIZE / 2 - MARGIN).all())


def _moment(task: str, recording, plan: Sequence[str], frame: int) -> Moment:
    names = OBJECTS[task]
    things = dict(zip(names, np.reshape(recording.positions[frame], (-1, 3))))
    tip = recording.gripper_pose[frame][:3]
    step = _next(recording, frame)
    is_open, carried = recording.gripper_open[frame], things[names[0]]
    # Held: between closed fingers, and grasped before (a closed hand that presses a button holds nothing).
    grasped = any("grasp" in words for words in plan[:step])
    holds = names[0] if not is_open and grasped and np.linalg.norm(carried - tip) < TOGETHER else None
    target = recording.gripper_pose[recording.keyframes[step]][:3]
    return Moment(tip, target, things, holds, plan, step)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=215)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ITEMS)
    arguments = parser.parse_args()
    from robotr1.demos.tabletop.gl import choose_renderer

    choose_renderer()
    frames, more = size(arguments.questions)
    build(frames, arguments.seed, arguments.output.resolve(), more)


if __name__ == "__main__":
    main()
