"""Draw frames of new demonstrations, with the simulator's true state at each."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from robotr1.demos.images import project
from robotr1.demos.tabletop.tasks import OBJECTS

if TYPE_CHECKING:  # MuJoCo reads on import how it renders, so `choose_renderer` must run first
    from robotr1.demos.tabletop.scene import TabletopScene

TRAINED = ("pick_up_cup", "push_button", "put_rubbish_in_bin", "phone_on_base", "take_lid_off_saucepan")
HELD_OUT = ("lamp_on", "close_jar", "stack_blocks", "open_drawer", "place_shape_in_shape_sorter")
PER_TASK = 5  # frames of a task in the committed set, each from its own demonstration
FIRST_EPISODE = 9000  # the study's demonstrations have smaller numbers
SIZE, MARGIN = 224, 30  # pixels of an image; the tip keeps this margin so that the fingers are visible, too
STILL = 0.03  # metres: frames with less movement left before the next keyframe are not used
TOGETHER = 0.05  # metres: the tip is at an object


@dataclass(frozen=True, slots=True)
class Frame:
    """How one image was drawn."""

    id: str
    task: str
    seed: int
    episode: int
    attempt: int
    frame: int
    image: str
    sha256: str  # of the pixels, height x width x RGB; another renderer gives another digest


@dataclass(frozen=True)
class Moment:
    """The true state at one frame; lengths in metres."""

    tip: np.ndarray  # [3]
    target: np.ndarray  # [3], the tip at the next keyframe
    objects: dict[str, np.ndarray]  # positions [3] of the task's objects
    holds: str | None  # the object in the closed gripper
    plan: Sequence[str]  # all steps of the task
    step: int  # index of the next step in the plan


def draw_frames(
    task: str, count: int, seed: int, output: Path, images: str
) -> Iterator[tuple[Frame, Moment, str, "TabletopScene"]]:
    """Draw `count` frames of a task into `output`, each from its own demonstration.

    Yields (Frame, Moment, instruction, scene). The scene holds the frame's state until the next one is drawn.
    `images` is the folder's name in the items. Frames are spread evenly over the course of the demonstrations.
    """
    from robotr1.demos.tabletop.episodes import MAX_ATTEMPTS, attempt_generator
    from robotr1.demos.tabletop.expert import AttemptFailed, demonstrate, draw
    from robotr1.demos.tabletop.scene import TabletopScene

    output.mkdir(parents=True, exist_ok=True)
    scene = TabletopScene(task, np.random.default_rng(0), SIZE)
    for number in range(count):
        episode = FIRST_EPISODE + number
        for attempt in range(MAX_ATTEMPTS):
            rng = attempt_generator(seed, task, episode, attempt)
            scene.reset(rng)
            try:
                recording = demonstrate(scene)
            except AttemptFailed:
                continue
            break
        else:
            raise RuntimeError(f"{task}: no demonstration in {MAX_ATTEMPTS} placements")
        share = (number % PER_TASK + rng.uniform()) / PER_TASK
        candidates = [frame for frame in range(recording.keyframes[-1]) if _is_usable(recording, frame)]
        frame = candidates[int(share * len(candidates))]
        picture = draw(scene, recording, [frame])["front_rgb"][frame]
        name = f"{task}-{number}.png"
        Image.fromarray(picture).save(output / name, optimize=True)
        digest = hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()
        drawn = Frame(f"{task}/{number}", task, seed, episode, attempt, frame, f"{images}/{name}", digest)
        instruction = scene.task.instructions(0)[number % len(scene.task.instructions(0))]
        yield drawn, _moment(task, recording, scene.task.script(0), frame), instruction, scene
    scene.close()


def _next(recording, frame: int) -> int:
    """The index of the next keyframe, which is also that of the next step."""
    return next(n for n, keyframe in enumerate(recording.keyframes) if keyframe > frame)


def _is_usable(recording, frame: int) -> bool:
    """Whether the tip is well inside the image and has yet to move to its next keyframe."""
    tip = recording.gripper_pose[frame][:3]
    target = recording.gripper_pose[recording.keyframes[_next(recording, frame)]][:3]
    matrices = (recording.camera_misc[frame][f"front_camera_{name}"] for name in ("intrinsics", "extrinsics"))
    pixel = project(tip[None], *matrices)[0]
    return bool(np.linalg.norm(target - tip) >= STILL and (abs(pixel - SIZE / 2) < SIZE / 2 - MARGIN).all())


def _moment(task: str, recording, plan: Sequence[str], frame: int) -> Moment:
    names = OBJECTS[task]
    objects = dict(zip(names, np.reshape(recording.positions[frame], (-1, 3))))
    tip = recording.gripper_pose[frame][:3]
    step = _next(recording, frame)
    is_open, carried = recording.gripper_open[frame], objects[names[0]]
    # Held means between closed fingers after a grasp: a closed gripper that presses a button holds nothing.
    grasped = any("grasp" in words for words in plan[:step])
    holds = names[0] if not is_open and grasped and np.linalg.norm(carried - tip) < TOGETHER else None
    target = recording.gripper_pose[recording.keyframes[step]][:3]
    return Moment(tip, target, objects, holds, plan, step)
