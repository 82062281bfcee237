"""Choose how MuJoCo renders, before `mujoco` is imported (it reads MUJOCO_GL once, on import).

macOS and Windows need nothing. On Linux, child processes try the display, EGL and OSMesa, each by rendering one image.
`python -m robotr1.demos.tabletop.gl` does the same in the environment of the stages; if nothing renders, it names the
environment variable that prevents it or the packages to install.
"""

import os
import subprocess
import sys

EGL_PACKAGES = "libegl1 libopengl0 libgl1"
OSMESA_PACKAGES = "libosmesa6"
NO_RENDERER = (
    "MuJoCo cannot render here: neither EGL nor OSMesa works, and there is no usable display.\n"
    "Install one of them, then run this again:\n"
    f"  apt-get install {EGL_PACKAGES}    (Debian, Ubuntu; uses a GPU where there is one)\n"
    f"  apt-get install {OSMESA_PACKAGES}    (smaller, software only)"
)
# Variables that can keep a backend from rendering: MuJoCo's, PyOpenGL's, those of GL libraries and of the loader.
SUSPECTS = (
    "MUJOCO_EGL_DEVICE_ID", "PYOPENGL_PLATFORM", "EGL_PLATFORM", "EGL_DRIVER", "__EGL_VENDOR_LIBRARY_FILENAMES",
    "__EGL_VENDOR_LIBRARY_DIRS", "__GLX_VENDOR_LIBRARY_NAME", "LIBGL_DRIVERS_PATH", "LIBGL_ALWAYS_INDIRECT",
    "GALLIUM_DRIVER", "MESA_LOADER_DRIVER_OVERRIDE", "MESA_GL_VERSION_OVERRIDE", "MESA_EXTENSION_OVERRIDE",
    "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "LD_PRELOAD",
)  # fmt: skip
TRIAL_SECONDS = 120  # a display behind a dead connection never answers
_TRIAL = """
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><light/><geom size='1'/></worldbody></mujoco>")
renderer = mujoco.Renderer(model, 16, 16)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
renderer.update_scene(data)
image = renderer.render()
renderer.close()
if image.min() == image.max():
    raise SystemExit("the image is empty")
"""


class RenderingError(RuntimeError):
    """Nothing renders; the message names the variable to unset or the packages to install."""


def choose_renderer() -> str:
    """Set MUJOCO_GL where it has to be set, and return the choice ("" = MuJoCo's own default).

    A MUJOCO_GL that is already set is respected. Otherwise a Linux tries its display, EGL and OSMesa in child
    processes; worker processes inherit the choice. PYOPENGL_PLATFORM is set to the choice, since MuJoCo stops at any
    other. Raises RenderingError if nothing renders, or if MUJOCO_EGL_DEVICE_ID names no device.
    """
    chosen = os.environ.get("MUJOCO_GL", "")
    if not chosen and sys.platform.startswith("linux"):
        chosen = next((backend for backend in _candidates() if _works(backend)), "")
        if not chosen:
            raise RenderingError(_explanation(_candidates()))
    _set(os.environ, chosen)
    return chosen


def trial_error(backend: str, without: tuple[str, ...] = ()) -> str | None:
    """Render one image with MUJOCO_GL=`backend` in a fresh Python; return the reason if that fails, else None.

    `backend` "" leaves MUJOCO_GL as it is. The variables in `without` are unset.
    """
    environment = dict(os.environ)
    _set(environment, backend)
    for name in without:
        environment.pop(name, None)
    command = [sys.executable, "-c", _TRIAL]
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TRIAL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no image after {TRIAL_SECONDS} seconds"
    lines = done.stderr.strip().splitlines() or [f"Python ended with code {done.returncode}"]
    return None if done.returncode == 0 else lines[-1][:300]


def _candidates() -> list[str]:
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return [*(["glfw"] if display else []), "egl", "osmesa"]


def _works(backend: str) -> bool:
    """Return whether a backend renders; a device that the user named but that does not exist is an error."""
    device = "MUJOCO_EGL_DEVICE_ID"
    if trial_error(backend) is None:
        return True
    if backend == "egl" and device in os.environ and trial_error(backend, without=(device,)) is None:
        raise RenderingError(_explanation([backend]))
    return False


def _set(environment, backend: str) -> None:
    if backend:
        environment["MUJOCO_GL"] = backend
    if backend.lower() in ("egl", "osmesa"):
        environment["PYOPENGL_PLATFORM"] = backend.lower()


def _explanation(backends: list[str]) -> str:
    """Say why none of these backends renders: a variable without which one does, or missing packages."""
    suspects = tuple(name for name in SUSPECTS if name in os.environ)
    reasons = {backend: trial_error(backend) for backend in backends}
    for backend in backends:
        sets = [(name,) for name in suspects] + ([suspects] if len(suspects) > 1 else [])
        guilty = next((names for names in sets if trial_error(backend, without=names) is None), None)
        if guilty:
            values = " and ".join(f"{name}={os.environ[name]}" for name in guilty)
            return (
                f"MuJoCo cannot render with {backend}, because of {values}\n({reasons[backend]}).\n"
                f"Fix: unset {' '.join(guilty)}"
            )
    return "\n".join([NO_RENDERER, "What happened:", *(f"  {name}: {why}" for name, why in reasons.items())])


def _explain_choice(chosen: str, reason: str) -> str:
    """Say why the backend that the user chose does not render, and which one does."""
    text = _explanation([chosen])
    if "Fix: unset" in text or not sys.platform.startswith("linux"):
        return text
    works = next((other for other in _candidates() if other != chosen and trial_error(other) is None), None)
    if works:
        return f"MuJoCo cannot render with MUJOCO_GL={chosen}\n({reason}).\nFix: unset MUJOCO_GL; {works} works here."
    return text


def main() -> int:
    try:
        given = os.environ.get("MUJOCO_GL", "")
        chosen = choose_renderer()
        if given and (reason := trial_error(chosen)):
            raise RenderingError(_explain_choice(chosen, reason))
        if not chosen and (reason := trial_error("")):
            raise RenderingError(f"MuJoCo cannot render here: {reason}")
    except RenderingError as error:
        print(error, file=sys.stderr)
        return 1
    display = os.environ.get("DISPLAY")
    unused = f" (the display {display} does not work)" if display and not given and chosen in ("egl", "osmesa") else ""
    print(f"rendering: {chosen or 'the platform default'}{unused}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
