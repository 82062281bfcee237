"""MuJoCo, imported after its way of drawing was chosen: `from robotr1.demos.tabletop.engine import mujoco`."""

from robotr1.demos.tabletop.gl import choose_renderer

choose_renderer()

import mujoco  # noqa: E402

__all__ = ["mujoco"]
