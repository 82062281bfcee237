"""Import MuJoCo after a renderer was chosen: `from robotr1.demos.tabletop.engine import mujoco`."""

from robotr1.demos.tabletop.gl import choose_renderer

choose_renderer()

import mujoco  # noqa: E402

__all__ = ["mujoco"]
