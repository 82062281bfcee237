"""The tabletop scene of one task: state, kinematic posing, physics by the frame, images."""

import math
from collections.abc import Sequence

import numpy as np

from robotr1.demos.poses import matrix, multiply, pose
from robotr1.demos.tabletop import ik
from robotr1.demos.tabletop.cameras import SceneRenderer, add_cameras, misc
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.robot import (
    ARM_JOINTS,
    DAMPING,
    FINGER_JOINTS,
    FINGER_OPEN,
    HOME_Q,
    JOINT_OFFSET,
    STIFFNESS,
    add_panda,
)
from robotr1.demos.tabletop.tasks import load_task
from robotr1.demos.tabletop.tasks.base import Task
from robotr1.demos.tabletop.world import new_world
from robotr1.linear import dot

__all__ = ["FINGER_OPEN", "FRAME_SECONDS", "HOME_Q", "TabletopScene"]

FRAME_SECONDS = 0.05  # RLBench records at 20 Hz
STEPS_PER_FRAME = 25
OBJECTS_REST = 0.05  # m/s and rad/s


class TabletopScene:
    """RLBench's scene for one task. Angles and poses follow RLBench; lengths in metres.

    Args:
        task: name of a task in :data:`robotr1.demos.tabletop.tasks.TASKS`, or a task object.
        rng: samples the placements, also those of later resets.
        image_size: width and height of images in pixels.
        variation: the task's variation, for example the colour of the cup.

    Raises:
        KeyError: unknown task.
        FileNotFoundError: the Panda's meshes were not fetched yet.
    """

    def __init__(self, task: str | Task, rng: np.random.Generator, image_size: int = 224, variation: int = 0):
        self.task = load_task(task) if isinstance(task, str) else task
        self.rng, self.image_size, self.variation = rng, image_size, variation
        spec = new_world()
        add_panda(spec)
        add_cameras(spec)
        self.task.add_objects(spec)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self._scratch = mujoco.MjData(self.model)
        self._renderer: SceneRenderer | None = None
        self._qpos = ik.arm_addresses(self.model)
        self._dofs = np.array([self.model.joint(name).dofadr[0] for name in ARM_JOINTS])
        self._fingers = np.array([self.model.joint(name).qposadr[0] for name in FINGER_JOINTS])
        self._finger_dofs = np.array([self.model.joint(name).dofadr[0] for name in FINGER_JOINTS])
        self._arm_servos = np.array([self.model.actuator(name).id for name in ARM_JOINTS])
        self._finger_servos = np.array([self.model.actuator(name).id for name in FINGER_JOINTS])
        free = self.model.jnt_type == mujoco.mjtJoint.mjJNT_FREE
        self._free_dofs = (self.model.jnt_dofadr[free][:, None] + np.arange(6)).ravel()
        self._tip = self.model.site("tip").id
        self.reset()

    def reset(self, rng: np.random.Generator | None = None, variation: int | None = None) -> None:
        """Put the arm at home, open the gripper and place the objects anew, at rest."""
        self.rng = rng if rng is not None else self.rng
        self.variation = variation if variation is not None else self.variation
        mujoco.mj_resetData(self.model, self.data)
        self.set_arm(HOME_Q)
        self.set_gripper(1.0)
        self.task.place(self, self.rng)
        mujoco.mj_forward(self.model, self.data)
        self._target = HOME_Q.copy()

    # -- state ---------------------------------------------------------------------------------------------------

    def tip_pose(self) -> np.ndarray:
        """Return xyz and quaternion xyzw [7] of the point between the finger tips."""
        turned = np.zeros(4)
        mujoco.mju_mat2Quat(turned, self.data.site_xmat[self._tip])
        return pose(self.data.site_xpos[self._tip], np.roll(turned, -1))

    def arm_q(self) -> np.ndarray:
        """[7] joint angles in radians."""
        return self.data.qpos[self._qpos] - JOINT_OFFSET

    def arm_velocity(self) -> np.ndarray:
        """[7] joint velocities in radians per second."""
        return self.data.qvel[self._dofs].copy()

    def finger_positions(self) -> np.ndarray:
        """[2] travel of the fingers, 0 (closed) to 0.04 m."""
        return self.data.qpos[self._fingers].copy()

    def gripper_open_amount(self) -> float:
        """0 (closed) to 1 (open)."""
        return float(np.clip(self.finger_positions().mean() / FINGER_OPEN, 0, 1))

    def positions(self) -> np.ndarray:
        """Return the positions [K,3] of the task's objects (the cup's middle, the button's top), in metres."""
        return self.task.positions(self)

    def objects_rest(self) -> bool:
        """Return whether every free object is at rest."""
        return bool(np.abs(self.data.qvel[self._free_dofs]).max(initial=0) < OBJECTS_REST)

    def joint_forces(self) -> np.ndarray:
        """[7] torques of the arm's servos in newton metres."""
        return self.data.actuator_force[self._arm_servos].copy()

    def save_state(self) -> tuple:
        """Return all that an image of this moment depends on, for `restore_state`."""
        return self.data.qpos.copy(), self.task.state()

    def restore_state(self, state: tuple) -> None:
        """Restore a moment of this placement for `render`; physics cannot continue from it."""
        self.data.qpos[:], task_state = state
        self.task.restore(self, task_state)
        mujoco.mj_forward(self.model, self.data)

    # -- posing without physics ----------------------------------------------------------------------------------

    def set_arm(self, q: np.ndarray) -> None:
        """Put the arm at `q` [7], at rest, without physics."""
        self.data.qpos[self._qpos] = q + JOINT_OFFSET
        self.data.qvel[self._dofs] = 0
        self.data.ctrl[self._arm_servos] = q + JOINT_OFFSET
        self._target = np.array(q, float)
        mujoco.mj_forward(self.model, self.data)

    def set_gripper(self, amount: float) -> None:
        """Put the fingers at `amount` (0 closed, 1 open), at rest, without physics."""
        self.data.qpos[self._fingers] = self.data.ctrl[self._finger_servos] = amount * FINGER_OPEN
        self.data.qvel[self._finger_dofs] = 0
        mujoco.mj_forward(self.model, self.data)

    def set_body(self, name: str, position: np.ndarray, quaternion: np.ndarray) -> None:
        """Put an object's body, free or fixed, at a position [3] and quaternion xyzw."""
        body = self.model.body(name)
        placed = np.concatenate([position, np.roll(quaternion, 1)])
        if body.jntnum[0] and self.model.jnt_type[body.jntadr[0]] == mujoco.mjtJoint.mjJNT_FREE:
            address = self.model.jnt_qposadr[body.jntadr[0]]
            self.data.qpos[address : address + 7] = placed
            dof = self.model.jnt_dofadr[body.jntadr[0]]
            self.data.qvel[dof : dof + 6] = 0
        else:
            self.model.body_pos[body.id], self.model.body_quat[body.id] = placed[:3], placed[3:]

    def body_pose(self, name: str) -> np.ndarray:
        """Return xyz and quaternion xyzw [7] of an object's body."""
        return pose(self.data.body(name).xpos, np.roll(self.data.body(name).xquat, -1))

    def body_yaw(self, name: str) -> float:
        """Turn of an object's body about the world's z, in radians within [-pi, pi]."""
        rotation = matrix(self.body_pose(name)[3:])
        return math.atan2(rotation[1, 0], rotation[0, 0])

    def put_in_gripper(self, name: str, half_width: float, offset: Sequence[float] = (0, 0, 0)) -> None:
        """Put an object's body into the gripper, upright when the gripper points down, and close the fingers on it.

        `offset` [3] is the body's origin in the tip's frame (z points out of the gripper); the fingers stop
        `half_width` metres from the middle.
        """
        tip = self.tip_pose()
        position = tip[:3] + dot(matrix(tip[3:]), offset)
        self.set_body(name, position, multiply(tip[3:], np.array([1.0, 0.0, 0.0, 0.0])))
        self.set_gripper(half_width / FINGER_OPEN)

    def solve_ik(self, pose: np.ndarray, q0: np.ndarray | None = None) -> np.ndarray | None:
        """Find joint angles [7] for a tip pose [7], or None; the scene does not change."""
        return ik.solve(self.model, self._scratch, np.asarray(pose, float), self.arm_q() if q0 is None else q0)

    # -- physics and images --------------------------------------------------------------------------------------

    def step_frame(self, q_target: np.ndarray, finger_target: float) -> None:
        """Simulate one recorded frame (0.05 s).

        The arm's servos follow a straight line in joint space from the last target to `q_target` [7] with velocity
        feed-forward; the fingers' target is `finger_target` in metres of travel (0 closed, 0.04 open).
        """
        q_target = np.asarray(q_target, float)
        ahead = DAMPING / STIFFNESS * (q_target - self._target) / FRAME_SECONDS
        self.data.ctrl[self._finger_servos] = finger_target
        for step in range(1, STEPS_PER_FRAME + 1):
            between = self._target + step / STEPS_PER_FRAME * (q_target - self._target)
            self.data.ctrl[self._arm_servos] = between + JOINT_OFFSET + ahead
            mujoco.mj_step(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)
        self._target = q_target.copy()
        self.task.update(self)

    def render(self, camera: str = "front") -> np.ndarray:
        """uint8 [image_size, image_size, 3]."""
        return self._open_renderer().render(self.data, camera)

    def depth(self, camera: str = "front") -> np.ndarray:
        """Metres along the optical axis, float32 [image_size, image_size]."""
        return self._open_renderer().depth(self.data, camera)

    def mask(self, camera: str = "front") -> np.ndarray:
        """The visible shape at each pixel, int64 [image_size, image_size]; 0 is none."""
        return self._open_renderer().mask(self.data, camera)

    def camera_misc(self) -> dict:
        """Return RLBench's `misc` entries of the five cameras."""
        return misc(self.data, self.image_size)

    def close(self) -> None:
        """Free the GL context (a later `render` opens a new one)."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _open_renderer(self) -> SceneRenderer:
        if self._renderer is None or self._renderer.size != self.image_size:
            self.close()
            self._renderer = SceneRenderer(self.model, self.image_size)
        return self._renderer
