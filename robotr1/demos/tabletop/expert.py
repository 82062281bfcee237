"""The scripted expert moves the tip in straight lines from waypoint to waypoint of a task and grasps by friction.

As in RLBench, 20 frames per second are recorded, except while only the fingers move: the gripper changes from one
frame to the next. The arm rests at every waypoint and nowhere else, so ARM's keyframe rule (robotr1.keyframes) finds
exactly the script's waypoints. Physics runs first; the frames that need an image are rendered afterwards from saved
states.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from robotr1.demos.images import encode_depth, encode_mask
from robotr1.demos.tabletop.motion import straight_line
from robotr1.demos.tabletop.scene import FINGER_OPEN, FRAME_SECONDS, TabletopScene
from robotr1.demos.tabletop.tasks.base import Waypoint
from robotr1.demos.write import Camera
from robotr1.linear import norm

REST = 0.1  # rad/s; in ARM the arm has stopped if no joint is faster
SETTLING_FRAMES = 6  # the longest time to come to rest after the last commanded pose
FINGER_FRAMES = 20  # not recorded; enough for the fingers to close and for a dropped object to rest
FINGERS_REST = 1e-4  # metres per frame
OPEN = 0.9  # RLBench records gripper_open = 1.0 above this opening
REACHED = 0.01  # metres between the tip and its waypoint


class AttemptFailed(Exception):
    """This placement gave no demonstration, for the reason in the message; another random placement may."""


@dataclass
class Recording:
    """T recorded frames, 20 per second, in RLBench's conventions, and the states to render them from."""

    gripper_pose: list[np.ndarray] = field(default_factory=list)  # T x [7] tip xyz and quaternion xyzw
    gripper_open: list[float] = field(default_factory=list)  # T x 1.0 or 0.0
    joint_positions: list[np.ndarray] = field(default_factory=list)  # T x [7]
    joint_velocities: list[np.ndarray] = field(default_factory=list)  # T x [7]
    joint_forces: list[np.ndarray] = field(default_factory=list)  # T x [7] newton metres
    gripper_joint_positions: list[np.ndarray] = field(default_factory=list)  # T x [2] metres
    positions: list[np.ndarray] = field(default_factory=list)  # T x [3 K] of the task's K objects
    camera_misc: list[dict] = field(default_factory=list)  # T x RLBench's camera entries
    states: list = field(default_factory=list)  # T x scene.save_state()
    keyframes: list[int] = field(default_factory=list)  # one frame per waypoint

    def __len__(self) -> int:
        return len(self.gripper_pose)

    def add(self, scene: TabletopScene) -> int:
        """Record the scene's current state and return the frame's number."""
        self.gripper_pose.append(scene.tip_pose())
        self.gripper_open.append(1.0 if scene.gripper_open_amount() > OPEN else 0.0)
        self.joint_positions.append(scene.arm_q())
        self.joint_velocities.append(scene.arm_velocity())
        self.joint_forces.append(scene.joint_forces())
        self.gripper_joint_positions.append(scene.finger_positions())
        self.positions.append(scene.positions().ravel())
        self.camera_misc.append(scene.camera_misc())
        self.states.append(scene.save_state())
        return len(self) - 1

    def series(self) -> dict[str, np.ndarray]:
        """Return the arrays over all frames under the names that `write_episode` takes."""
        names = ("gripper_pose", "gripper_open", "joint_positions", "joint_velocities", "joint_forces")
        series = {name: np.array(getattr(self, name)) for name in (*names, "gripper_joint_positions")}
        return series | {"task_low_dim_state": np.array(self.positions)}

    def cameras(self, names: Iterable[str]) -> dict[str, Camera]:
        """Return the cameras for `write_episode`, with a pose for every frame."""

        def series(name: str, entry: str) -> np.ndarray:
            return np.array([misc[f"{name}_camera_{entry}"] for misc in self.camera_misc])

        return {
            name: Camera(
                intrinsics=series(name, "intrinsics")[0],
                extrinsics=series(name, "extrinsics"),
                near=float(series(name, "near")[0]),
                far=float(series(name, "far")[0]),
            )
            for name in names
        }


def demonstrate(scene: TabletopScene) -> Recording:
    """Do the scene's task from its current placement and return the recording.

    Raises:
        AttemptFailed: a waypoint is out of reach, the arm does not come to rest there or slows down elsewhere, the
            gripper does not follow its command, or the task is not done at the end.
    """
    recording = Recording()
    recording.add(scene)
    start, q, fingers = scene.tip_pose(), scene.arm_q(), FINGER_OPEN
    for waypoint in scene.task.waypoints(scene):
        q = _move(scene, recording, start, waypoint, q, fingers)
        if waypoint.gripper is not None:
            fingers = waypoint.gripper * FINGER_OPEN
            _move_fingers(scene, recording, waypoint, q, fingers)
        recording.keyframes.append(len(recording) - 1)
        start = waypoint.pose
    if not scene.task.success(scene):
        raise AttemptFailed("the task is not done at the end")
    _check_stops(recording)
    return recording


def frames_to_draw(recording: Recording, frame_interval: int) -> list[int]:
    """List every `frame_interval`-th frame and the keyframes (1: every frame)."""
    return sorted({*range(0, len(recording), frame_interval), *recording.keyframes})


def draw(
    scene: TabletopScene,
    recording: Recording,
    frames: Iterable[int],
    cameras: Iterable[str] = ("front",),
    depth_and_masks: bool = False,
) -> dict[str, dict[int, np.ndarray]]:
    """Render `frames` as uint8 [H,W,3], by folder ("front_rgb", "front_depth", "front_mask") and frame.

    Depths and masks use RLBench's encoding. The scene keeps the last of these states.
    """
    images: dict[str, dict[int, np.ndarray]] = {f"{camera}_rgb": {} for camera in cameras}
    if depth_and_masks:
        images |= {f"{camera}_{kind}": {} for camera in cameras for kind in ("depth", "mask")}
    for frame in frames:
        scene.restore_state(recording.states[frame])
        for camera in cameras:
            images[f"{camera}_rgb"][frame] = scene.render(camera)
            if depth_and_masks:
                near, far = (recording.camera_misc[frame][f"{camera}_camera_{name}"] for name in ("near", "far"))
                images[f"{camera}_depth"][frame] = encode_depth(scene.depth(camera), near, far)
                images[f"{camera}_mask"][frame] = encode_mask(scene.mask(camera))
    return images


def _move(
    scene: TabletopScene,
    recording: Recording,
    start: np.ndarray,
    waypoint: Waypoint,
    q: np.ndarray,
    fingers: float,
) -> np.ndarray:
    """Move from the commanded pose `start` (joints `q`) to the waypoint, rest there, and return its joints."""
    for target in straight_line(start, waypoint.pose, FRAME_SECONDS):
        q = scene.solve_ik(target, q)
        if q is None:
            raise AttemptFailed(f"{waypoint.name} is out of reach")
        scene.step_frame(q, fingers)
        frame = recording.add(scene)
    for _ in range(SETTLING_FRAMES):
        if _speed(recording, frame) < REST:
            break
        scene.step_frame(q, fingers)
        frame = recording.add(scene)
    else:
        raise AttemptFailed(f"the arm does not come to rest at {waypoint.name}")
    if norm(scene.tip_pose()[:3] - waypoint.pose[:3]) > REACHED:
        raise AttemptFailed(f"the arm does not arrive at {waypoint.name}")
    return q


def _move_fingers(
    scene: TabletopScene, recording: Recording, waypoint: Waypoint, q: np.ndarray, fingers: float
) -> None:
    """Open or close until the fingers (and a released object) rest, then record one frame."""
    for _ in range(FINGER_FRAMES):
        before = scene.finger_positions()
        scene.step_frame(q, fingers)
        closes_or_settled = waypoint.gripper < 0.5 or scene.objects_rest()
        if np.abs(scene.finger_positions() - before).max() < FINGERS_REST and closes_or_settled:
            break
    frame = recording.add(scene)
    if recording.gripper_open[frame] != round(waypoint.gripper):
        raise AttemptFailed(f"the gripper does not follow its command at {waypoint.name}")


def _speed(recording: Recording, frame: int) -> float:
    return float(np.abs(recording.joint_velocities[frame]).max())


def _check_stops(recording: Recording) -> None:
    """Require a fast arm from the second frame after a waypoint until the rest at the next one.

    A gripper command makes two slow frames, rest and change; ARM's rule takes the second.
    """
    start = 0
    for keyframe in recording.keyframes:
        changes = recording.gripper_open[keyframe] != recording.gripper_open[keyframe - 1]
        rest = keyframe - 1 if changes else keyframe
        for frame in range(start + 2, rest):
            if _speed(recording, frame) < REST:
                raise AttemptFailed(f"the arm slows down between waypoints, in frame {frame}")
        start = keyframe
