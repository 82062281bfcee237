"""Floor, wall, table and light in RLBench's dimensions (metres; the table top is at z = 0.75)."""

import numpy as np

from robotr1.demos.tabletop import textures
from robotr1.demos.tabletop.engine import mujoco

TABLE_HEIGHT = 0.75
TABLE_X, TABLE_Y = (-0.505, 1.107), (-0.558, 0.557)
WORKSPACE_X, WORKSPACE_Y = (-0.076, 0.582), (-0.463, 0.462)
WALL_X = -2.51
TABLE_THICKNESS = 0.04


def new_world() -> mujoco.MjSpec:
    """Make an empty room with the table, ready for a robot and a task's objects."""
    spec = mujoco.MjSpec()
    spec.modelname, spec.compiler.degree = "tabletop", False
    option = spec.option
    option.timestep, option.impratio = 0.002, 10
    option.cone, option.integrator = mujoco.mjtCone.mjCONE_ELLIPTIC, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    _add_looks(spec)
    _add_furniture(spec)
    _add_lights(spec)
    return spec


def _add_looks(spec: mujoco.MjSpec) -> None:
    plane = np.array([*WORKSPACE_X, *WORKSPACE_Y]) - [TABLE_X[0], TABLE_X[0], TABLE_Y[0], TABLE_Y[0]]
    length, width = TABLE_X[1] - TABLE_X[0], TABLE_Y[1] - TABLE_Y[0]
    images = {
        "wood": textures.wood(length, width, tuple(plane)),
        "hexagons": textures.hexagons(),
        "tiles": textures.tiles(),
    }
    for name, image in images.items():
        texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D)
        texture.height, texture.width, texture.nchannel = image.shape
        texture.data = image.tobytes()
        glow = 0.0 if name == "wood" else 0.3
        material = spec.add_material(name=name, specular=0.1, shininess=0.1, reflectance=0, emission=glow)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    spec.add_material(name="robot", specular=0.25, shininess=0.3)
    spec.add_material(name="enamel", specular=0.3, shininess=0.5, emission=0.25)


def _add_furniture(spec: mujoco.MjSpec) -> None:
    world, box = spec.worldbody, mujoco.mjtGeom.mjGEOM_BOX
    center = np.array([sum(TABLE_X), sum(TABLE_Y)]) / 2
    half = np.array([TABLE_X[1] - TABLE_X[0], TABLE_Y[1] - TABLE_Y[0]]) / 2
    top = (*center, TABLE_HEIGHT - TABLE_THICKNESS / 2)
    world.add_geom(name="table", type=box, pos=top, size=(*half, TABLE_THICKNESS / 2), material="wood")
    edge = {"type": box, "rgba": (0.30, 0.21, 0.10, 1), "contype": 0, "conaffinity": 0}
    lip = 0.006
    world.add_geom(pos=top, size=(*(half + lip), TABLE_THICKNESS / 2 - 0.002), **edge)
    leg_height = (TABLE_HEIGHT - TABLE_THICKNESS) / 2
    for x in (-1, 1):
        for y in (-1, 1):
            foot = center + (half - 0.05) * (x, y)
            world.add_geom(pos=(*foot, leg_height), size=(0.03, 0.03, leg_height), **edge)
    flat = {"type": box, "contype": 0, "conaffinity": 0}
    world.add_geom(name="floor", pos=(0, 0, -0.01), size=(4, 4, 0.01), material="tiles", **flat)
    world.add_geom(name="wall", pos=(WALL_X - 0.01, 0, 1.5), size=(0.01, 4, 1.5), material="hexagons", **flat)
    plate = {"pos": (-0.30, -0.0085, TABLE_HEIGHT + 0.003), "size": (0.12, 0.11, 0.003)}
    world.add_geom(name="base_plate", type=box, rgba=(0.42, 0.43, 0.45, 1), contype=0, conaffinity=0, **plate)


def _add_lights(spec: mujoco.MjSpec) -> None:
    """Add one lamp almost straight above: the hand's shadow is below it, and the table darkens to the edges."""
    lamp = spec.worldbody.add_light(name="lamp", pos=(0.45, 0.25, 3.4), dir=(-0.05, -0.06, -1.0))
    lamp.type, lamp.castshadow = mujoco.mjtLightType.mjLIGHT_SPOT, True
    lamp.cutoff, lamp.exponent = 30, 6
    lamp.diffuse, lamp.ambient, lamp.specular = (0.56, 0.55, 0.53), (0.0, 0.0, 0.0), (0.25, 0.25, 0.25)
    lamp.attenuation = (1, 0, 0)
    visual = spec.visual
    visual.headlight.ambient, visual.headlight.diffuse = (0.42, 0.42, 0.43), (0.22, 0.22, 0.22)
    visual.headlight.specular = (0.0, 0.0, 0.0)
    visual.quality.shadowsize, visual.quality.offsamples = 512, 0
    visual.map.znear, visual.map.zfar, spec.stat.extent, spec.stat.center = 0.01, 12.0, 1.0, (0.25, 0, 0.9)
    getattr(visual, "global").offwidth, getattr(visual, "global").offheight = 1024, 1024
