"""Choose how MuJoCo renders, before `mujoco` is imported (it reads MUJOCO_GL once, on import).

macOS and Windows, and a Linux with a display, need nothing. A Linux without display needs EGL or OSMesa from the
system's packages. `python -m robotr1.demos.tabletop.gl` draws one picture and says which of them works.
"""

import os
import subprocess
import sys

EGL_PACKAGES = "libegl1 libopengl0 libgl1"
OSMESA_PACKAGES = "libosmesa6"
NO_RENDERER = (
    "MuJoCo cannot render here: this Linux has no display and neither EGL nor OSMesa works.\n"
    "Install one of them, then run this again:\n"
    f"  apt-get install {EGL_PACKAGES}    (Debian, Ubuntu; uses a GPU where there is one)\n"
    f"  apt-get install {OSMESA_PACKAGES}    (smaller, software only)"
)
_TRIAL = """
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
renderer = mujoco.Renderer(model, 16, 16)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer.update_scene(data)
renderer.render()
renderer.close()
"""


class RenderingError(RuntimeError):
    """No way to render; the message names the packages to install."""


def choose_renderer() -> str:
    """Set MUJOCO_GL where it has to be set, and return the choice ("" = MuJoCo's own default).

    A MUJOCO_GL that is already set is respected. The first call on a Linux without display tries EGL, then OSMesa,
    each by drawing one picture in a child process; the choice is inherited by worker processes.
    Raises RenderingError where neither works.
    """
    chosen = os.environ.get("MUJOCO_GL", "")
    if chosen or not _headless_linux():
        return chosen
    for backend in ("egl", "osmesa"):
        if can_render(backend):
            os.environ["MUJOCO_GL"] = backend
            return backend
    raise RenderingError(NO_RENDERER)


def can_render(backend: str) -> bool:
    """Whether a fresh Python can draw one picture with MUJOCO_GL=`backend` ("" = leave it unset)."""
    environment = {key: value for key, value in os.environ.items() if key not in ("MUJOCO_GL", "PYOPENGL_PLATFORM")}
    if backend:
        environment["MUJOCO_GL"] = backend
    trial = subprocess.run([sys.executable, "-c", _TRIAL], env=environment, capture_output=True, check=False)
    return trial.returncode == 0


def _headless_linux() -> bool:
    return sys.platform.startswith("linux") and not os.environ.get("DISPLAY")


def main() -> int:
    try:
        chosen = choose_renderer()
    except RenderingError as error:
        print(error, file=sys.stderr)
        return 1
    if not can_render(chosen):
        print(f"MuJoCo cannot render with MUJOCO_GL={chosen or '(unset)'}; unset it or try another", file=sys.stderr)
        return 1
    print(f"rendering: {chosen or 'the platform default'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
