"""RLBench's Franka Panda in MuJoCo: joints, gripper, tip frame and position servos.

RLBench's joint 4 reads 0.069 rad less than the real arm's, its tip lies 0.110 m beyond the flange, and its base
is 0.268 m behind the world's origin (fitted to recordings of stepjam/RLBench; residual 0.13 mm).
"""

import json

import numpy as np

from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN, VISUAL
from robotr1.paths import PANDA

ARM_JOINTS = [f"joint{i}" for i in range(1, 8)]
FINGER_JOINTS = ["finger_joint1", "finger_joint2"]
BASE = (-0.268, -0.0085, 0.75)
JOINT_OFFSET = np.array([0, 0, 0, 0.069, 0, 0, 0])  # real Panda minus RLBench
HOME_Q = np.array([0, 0.1752, 0, -0.8730, 0, 1.2216, 0.7854])  # RLBench's convention
TIP_OFFSET = 0.110  # metres along the hand's z
FINGER_OPEN = 0.04  # metres of travel of each finger
FINGER_COLOR = (0.12, 0.12, 0.13)  # dark, as in RLBench
STIFFNESS = np.array([6000.0, 6000, 5000, 5000, 3000, 3000, 2000])  # N m / rad
DAMPING = np.array([300.0, 300, 250, 250, 120, 120, 80])  # N m s / rad
FINGER_STIFFNESS, FINGER_DAMPING, FINGER_FORCE = 2000.0, 40.0, 40.0


def read_panda(folder=PANDA) -> dict:
    """Read the description that :mod:`robotr1.demos.tabletop.panda` wrote.

    Raises:
        FileNotFoundError: the meshes were not fetched yet.
    """
    path = folder / "panda.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing. Fix: run `python -m robotr1.demos.tabletop.panda` once")
    return json.loads(path.read_text(encoding="utf-8"))


def add_panda(spec: mujoco.MjSpec, folder=PANDA) -> None:
    """Add the arm, the hand, the site `tip` and the servos `joint1` ... `joint7`, `finger_joint1`, `finger_joint2`."""
    description = read_panda(folder)
    bodies = {None: spec.worldbody}
    for item in description["bodies"]:
        bodies[item["name"]] = _add_body(bodies[item["parent"]], item)
    spec.body("link0").pos = BASE
    # The hand is turned back by 45 degrees on the flange.
    spec.body("hand").quat = (np.cos(np.pi / 8), 0, 0, -np.sin(np.pi / 8))
    for part in description["parts"]:
        targets = ["leftfinger", "rightfinger"] if part["link"] == "finger" else [part["link"]]
        name = part["mesh"].removesuffix(".obj")
        color = FINGER_COLOR if part["link"] == "finger" else part["color"]
        spec.add_mesh(name=name, file=str(folder / part["mesh"]))
        for target in targets:
            bodies[target].add_geom(
                type=mujoco.mjtGeom.mjGEOM_MESH,
                meshname=name,
                rgba=(*color, 1),
                material="robot",
                **VISUAL,
            )
    _add_collisions(bodies)
    bodies["hand"].add_site(name="tip", pos=(0, 0, TIP_OFFSET), quat=(0, 0, 0, 1))
    spec.add_exclude(bodyname1="leftfinger", bodyname2="rightfinger")
    _add_servos(spec)


def _add_body(parent, item: dict):
    body = parent.add_body(name=item["name"], pos=item["position"], quat=item["quaternion"], gravcomp=1)
    if "mass" in item:
        body.mass, body.ipos, body.fullinertia = item["mass"], item["center_of_mass"], item["inertia"]
        body.explicitinertial = True
    if "joint" in item:
        joint = item["joint"]
        slides = joint["type"] == "slide"
        body.add_joint(
            name=joint["name"],
            type=mujoco.mjtJoint.mjJNT_SLIDE if slides else mujoco.mjtJoint.mjJNT_HINGE,
            axis=joint["axis"],
            range=joint["range"],
            limited=True,
            armature=0.05 if slides else 0.1,
            damping=5.0 if slides else 1.0,
        )
    return body


def _add_collisions(bodies: dict) -> None:
    """Add boxes for the hand and the finger pads, the only parts of the robot that collide."""
    box = {"type": mujoco.mjtGeom.mjGEOM_BOX, "group": HIDDEN, "mass": 0.0}
    bodies["hand"].add_geom(name="hand_box", pos=(0, 0, 0.034), size=(0.028, 0.1, 0.03), **box)
    for finger in ("leftfinger", "rightfinger"):
        bodies[finger].add_geom(
            name=f"{finger}_pad",
            pos=(0, 0.008, 0.035),
            size=(0.010, 0.008, 0.0185),
            friction=(1.5, 0.05, 0.001),
            condim=4,
            priority=1,
            **box,
        )


def _add_servos(spec: mujoco.MjSpec) -> None:
    gains = dict(zip(ARM_JOINTS, zip(STIFFNESS, DAMPING)))
    gains |= {name: (FINGER_STIFFNESS, FINGER_DAMPING) for name in FINGER_JOINTS}
    for name, (stiffness, damping) in gains.items():
        actuator = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.gaintype, actuator.biastype = mujoco.mjtGain.mjGAIN_FIXED, mujoco.mjtBias.mjBIAS_AFFINE
        actuator.gainprm[0] = stiffness
        actuator.biasprm[:3] = 0, -stiffness, -damping
        if name in FINGER_JOINTS:
            actuator.forcelimited, actuator.forcerange = True, (-FINGER_FORCE, FINGER_FORCE)
