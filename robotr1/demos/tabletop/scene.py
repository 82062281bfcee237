"""The tabletop with one task's objects: state, kinematic posing, physics frame by frame, images."""

import numpy as np

from robotr1.demos.tabletop import ik
from robotr1.demos.tabletop.cameras import Eye, add_cameras, misc
from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.poses import matrix, pose
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

__all__ = ["FINGER_OPEN", "FRAME_SECONDS", "HOME_Q", "TabletopScene"]

FRAME_SECONDS = 0.05  # RLBench records at 20 Hz
STEPS_PER_FRAME = 25
OBJECTS_REST = 0.05  # m/s and rad/s


class TabletopScene:
    """RLBench's scene for one task. Angles and poses follow RLBench; lengths in metres.

    Args:
        task: name of a task in :data:`robotr1.demos.tabletop.tasks.TASKS`, or a task that is none of them.
        rng: draws the placements, also those of later resets.
        image_size: width and height of images in pixels.
        variation: the task's variation, for example the colour of the cup.

    Raises:
        KeyError: unknown task.
        FileNotFoundError: the Panda's assets were not fetched yet.
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
        self._eye: Eye | None = None
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
        """Arm at home, gripper open, objects newly placed at rest."""
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
        """[7]: xyz and quaternion xyzw of the point between the finger tips."""
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
        """[K, 3]: the objects of the task (the cup's middle, the button's top, the lid's knob), in metres."""
        return self.task.positions(self)

    def objects_rest(self) -> bool:
        """Whether every free object has come to rest."""
        return bool(np.abs(self.data.qvel[self._free_dofs]).max(initial=0) < OBJECTS_REST)

    def joint_forces(self) -> np.ndarray:
        """[7] torques of the arm's servos in newton metres."""
        return self.data.actuator_force[self._arm_servos].copy()

    def save_state(self) -> tuple:
        """Everything that an image of this moment depends on, for `restore_state`."""
        return self.data.qpos.copy(), self.task.state()

    def restore_state(self, state: tuple) -> None:
        """Bring back a moment of this placement, for `render`; physics should not go on from here."""
        self.data.qpos[:], task_state = state
        self.task.restore(self, task_state)
        mujoco.mj_forward(self.model, self.data)

    # -- posing without physics ----------------------------------------------------------------------------------

    def set_arm(self, q: np.ndarray) -> None:
        """Put the arm at rest at `q` [7] at once."""
        self.data.qpos[self._qpos] = q + JOINT_OFFSET
        self.data.qvel[self._dofs] = 0
        self.data.ctrl[self._arm_servos] = q + JOINT_OFFSET
        self._target = np.array(q, float)
        mujoco.mj_forward(self.model, self.data)

    def set_gripper(self, amount: float) -> None:
        """Put the fingers at rest at `amount` (0 closed, 1 open) at once."""
        self.data.qpos[self._fingers] = self.data.ctrl[self._finger_servos] = amount * FINGER_OPEN
        self.data.qvel[self._finger_dofs] = 0
        mujoco.mj_forward(self.model, self.data)

    def set_body(self, name: str, position: np.ndarray, quaternion: np.ndarray) -> None:
        """Put an object's body at a position [3] and quaternion xyzw: free bodies and fixed ones alike."""
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
        """[7]: xyz and quaternion xyzw of an object's body."""
        return pose(self.data.body(name).xpos, np.roll(self.data.body(name).xquat, -1))

    def in_tip_frame(self, offset: np.ndarray) -> np.ndarray:
        """World position [3] of a point given in the tip's frame (z points out of the gripper)."""
        tip = self.tip_pose()
        return tip[:3] + matrix(tip[3:]) @ offset

    def solve_ik(self, pose: np.ndarray, q0: np.ndarray | None = None) -> np.ndarray | None:
        """Joint angles [7] for a tip pose [7], or None; the scene stays as it is."""
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
        return self._open_eye().render(self.data, camera)

    def depth(self, camera: str = "front") -> np.ndarray:
        """Metres along the optical axis, float32 [image_size, image_size]."""
        return self._open_eye().depth(self.data, camera)

    def mask(self, camera: str = "front") -> np.ndarray:
        """Which drawn shape each pixel shows, int64 [image_size, image_size]; 0 is none."""
        return self._open_eye().mask(self.data, camera)

    def camera_misc(self) -> dict:
        """RLBench's `misc` entries of the five cameras."""
        return misc(self.data, self.image_size)

    def close(self) -> None:
        """Free the GL context (a later `render` opens a new one)."""
        if self._eye is not None:
            self._eye.close()
            self._eye = None

    def _open_eye(self) -> Eye:
        if self._eye is None or self._eye.size != self.image_size:
            self.close()
            self._eye = Eye(self.model, self.image_size)
        return self._eye
