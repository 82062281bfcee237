"""Make the items of both free-text benchmarks: draw frames, then write questions with references from the true state.

`python -m robotr1.evaluation.open_questions.make_items` draws the committed set again (the same bytes on the same
renderer). `--questions 2000 --seed 1 --output data/open_questions_2000` makes a larger set, on which a score depends
less on luck than on 215 items; `python -m robotr1.evaluation.open_questions --items FOLDER` evaluates policies on it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from robotr1 import paths
from robotr1.evaluation import items as committed
from robotr1.evaluation.items.frames import HELD_OUT, PER_TASK, TOGETHER, TRAINED, Frame, Moment, draw_frames
from robotr1.evaluation.open_questions.items import OpenItem
from robotr1.questions.movement import describe_movement
from robotr1.records import write_records

MORE_SPATIAL = {"in": 12, "out": 3}  # of 25 frames each, the number with a second spatial question (37 and 28 in all)
PER_COLUMN = 15  # questions of each of SpatialRGPT-Bench's twelve sub-columns
APART = 0.03  # metres: smaller differences between two positions are not mentioned
# The part of an object whose position the simulator gives, where that is not its middle.
PARTS = {
    "lamp": "button of the lamp",
    "lid": "knob of the lid",
    "bin": "opening of the bin",
    "base": "seat on the base",
    "drawer": "handle of the drawer",
    "jar": "mouth of the jar",
}
SIDES = (("in front of", "behind"), ("to the right of", "to the left of"), ("above", "below"))


def describe_relation(subject: str, position: np.ndarray, other: str, other_position: np.ndarray) -> str:
    """Describe where one object is relative to another, the largest difference first."""
    away = np.asarray(position) - other_position
    words = [SIDES[axis][int(away[axis] < 0)] for axis in np.argsort(-np.abs(away)) if abs(away[axis]) > APART]
    if not words:
        return f"The {subject} is at the {other}."
    joined = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"The {subject} is {joined} the {other}."


def spatial_questions(moment: Moment) -> list[tuple[str, str]]:
    """All spatial questions about a moment, with their references."""
    names = list(moment.objects)
    questions = []
    for name in names:
        part = PARTS.get(name, name)
        if moment.holds == name:
            relation = f"The gripper holds the {part}."
        else:
            relation = describe_relation("gripper", moment.tip, part, moment.objects[name])
        questions.append((f"What is the current spatial relationship between the gripper and the {part}?", relation))
    held = "Yes." if moment.holds == names[0] else "No."
    questions.append((f"Is the gripper holding the {names[0]}? Answer yes or no.", held))
    distance = float(np.linalg.norm(moment.tip - moment.objects[names[0]]))
    if distance > TOGETHER:
        part = PARTS.get(names[0], names[0])
        question = f"How far is the tip of the gripper from the {part}, in centimetres?"
        questions.append((question, f"About {100 * distance:.0f} cm."))
    if len(names) == 2 and moment.holds is None:
        one, other = names
        flat = np.array([1, 1, 0])  # heights would compare a part of one object with the middle of the other
        relation = describe_relation(one, flat * moment.objects[one], other, flat * moment.objects[other])
        questions.append((f"Seen from the front, where on the table is the {one} relative to the {other}?", relation))
    return questions


def other_questions(moment: Moment, instruction: str) -> dict[str, tuple[str, str]]:
    """The questions on plan, next step and movement, with their references."""
    remaining = moment.plan[moment.step :]
    numbered = ", ".join(f"{number}. {step}" for number, step in enumerate(remaining, start=1))
    return {
        "planning": (
            f"Which actions remain, from the current scene on, to {instruction}? Give the complete sequence.",
            numbered,
        ),
        "high_level": ("What is the one next step that should be performed in the current scene?", remaining[0]),
        "movement": (
            "In which directions does the gripper have to move for the next step?",
            describe_movement(moment.target - moment.tip),
        ),
    }


def frame_items(
    frame: Frame, distribution: str, instruction: str, moment: Moment, spatial: Sequence[tuple[str, str]]
) -> list[OpenItem]:
    """The items about one frame: the given spatial questions, then plan, next step and movement."""
    questions = {f"spatial-{k}": question for k, question in enumerate(spatial)} | other_questions(moment, instruction)
    items = []
    for name, (question, reference) in questions.items():
        ability = name.partition("-")[0]
        about = (frame.id, ability, distribution, frame.task, frame.image, instruction)
        items.append(OpenItem(f"{frame.id}/{name}", *about, question, reference))
    return items


def size(questions: int) -> tuple[int, dict[str, int]]:
    """Frames per task, and second spatial questions by distribution, for about `questions` questions."""
    frames = max(1, round(questions / 43))  # 4.3 questions a frame, ten tasks
    return frames, {name: count * frames // PER_TASK for name, count in MORE_SPATIAL.items()}


def build(frames: int, seed: int, output: Path, more_spatial: dict[str, int] | None = None) -> None:
    """Write both benchmarks' items, `frames.jsonl` and `images/` for `frames` frames of every task."""
    from robotr1.evaluation.spatialrgpt import make_items as spatialrgpt  # imports MuJoCo

    more_spatial = MORE_SPATIAL if more_spatial is None else more_spatial
    folder = paths.relative(output / committed.IMAGES)
    items: list[OpenItem] = []
    drawn: list[Frame] = []
    about_regions: dict[str, list[tuple]] = {}
    for distribution, tasks in (("in", TRAINED), ("out", HELD_OUT)):
        total, more, used = len(tasks) * frames, more_spatial[distribution], 0
        rows = (row for task in tasks for row in draw_frames(task, frames, seed, output / committed.IMAGES, folder))
        for place, (frame, moment, instruction, scene) in enumerate(rows):
            drawn.append(frame)
            about_regions[frame.image] = list(spatialrgpt.questions(spatialrgpt.regions_of(scene)))
            spatial = spatial_questions(moment)
            count = 1 + ((place + 1) * more // total > place * more // total)
            chosen = [spatial[(used + k) % len(spatial)] for k in range(count)]
            used += count
            items += frame_items(frame, distribution, instruction, moment, chosen)
    write_records(output / committed.OPEN_QUESTIONS, items)
    write_records(output / committed.FRAMES, drawn)
    chosen = spatialrgpt.choose(about_regions, PER_COLUMN * frames // PER_TASK, seed)
    paths.write_text(output / committed.SPATIALRGPT, spatialrgpt.to_json(chosen))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=215, help="about this many open questions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=committed.FOLDER)
    arguments = parser.parse_args()
    from robotr1.demos.tabletop.gl import choose_renderer

    choose_renderer()
    frames, more = size(arguments.questions)
    build(frames, arguments.seed, arguments.output.resolve(), more)


if __name__ == "__main__":
    main()
