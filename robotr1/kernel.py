"""The environment of a stage's kernel: what results depend on does not come from the user's shell or files.

`python -m robotr1.kernel jupyter lab` runs a command in it, so that notebooks give the same in JupyterLab and in DVC.
Choices about the machine stay as they are: the renderer, devices, caches, proxies and the number of threads.
"""

import os
import platform
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from robotr1 import paths

FIXED = {
    "JUPYTER_PREFER_ENV_PATH": "1",  # the python3 kernel of this environment, not the user's
    "LC_ALL": "C",  # no local number formats, month names or sort orders
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # figures go into the notebook
    "OMP_WAIT_POLICY": "PASSIVE",  # waiting threads sleep: with other work on two cores, a stage took 30 s, not 172 s
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYTHONWARNINGS": "ignore:IProgress not found",  # plain progress bars suffice
    "TZ": "UTC",
}
DROPPED = (
    "COLUMNS", "LINES",  # widths of printed tables
    "LANGUAGE",
    "JUPYTER_PATH",  # could name another kernel
    # kernels of numerical libraries
    "ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "GLIBC_TUNABLES", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE", "MKL_DYNAMIC",
    "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "NVIDIA_TF32_OVERRIDE",
    "OMP_DYNAMIC", "ONEDNN_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA", "OPENBLAS_CORETYPE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    # another launcher's processes
    "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE",
    "USE_FLAX", "USE_JAX", "USE_TF", "USE_TORCH",
)  # fmt: skip
DROPPED_PREFIXES = ("ACCELERATE_", "FSDP_", "PYTHON")
KEPT_OF_PYTHON = (
    "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH",
    "PYTHONPYCACHEPREFIX", "PYTHONUSERBASE",
)  # fmt: skip
PACKAGE = Path(__file__).resolve().parent.parent  # the folder that holds robotr1


class KernelError(RuntimeError):
    """The user's shell or files would change results; the message names the fix."""


def environment(user: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables of a stage's kernel, made of the user's.

    Raises KernelError for a PYTHONPATH or a matplotlibrc that would replace pinned packages or settings.
    """
    _check_python_path(user.get("PYTHONPATH", ""))
    if (paths.ROOT / "matplotlibrc").exists():
        raise KernelError(
            f"{paths.ROOT / 'matplotlibrc'} would change every figure. Fix: move it out of the repository."
        )
    kept = {name: value for name, value in user.items() if not _is_dropped(name)}
    others = [entry for entry in kept.get("PYTHONPATH", "").split(os.pathsep) if entry and Path(entry) != PACKAGE]
    kept["PYTHONPATH"] = os.pathsep.join([str(PACKAGE), *others])  # the kernel imports this same package
    return kept | FIXED | _numerics() | {"MATPLOTLIBRC": _default_matplotlibrc()}


@contextmanager
def kernel_environment() -> Iterator[None]:
    """Replace this process's variables by those of a kernel, with an empty IPython profile, for a while."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="robotr1-") as profile:
        os.environ.update(changed := environment() | {"IPYTHONDIR": profile})
        for name in set(before) - set(changed):
            del os.environ[name]
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _is_dropped(name: str) -> bool:
    return name in DROPPED or name.startswith(DROPPED_PREFIXES) and name not in KEPT_OF_PYTHON


def _check_python_path(value: str) -> None:
    """Raise KernelError if an entry of PYTHONPATH replaces an installed package or a module of Python's library."""
    folders = {sysconfig.get_paths()[name] for name in ("purelib", "platlib")}
    installed = {name for folder in folders for name in _modules(folder)} | set(sys.stdlib_module_names)
    for entry in filter(None, value.split(os.pathsep)):
        if Path(entry).resolve() != PACKAGE and (replaced := sorted(_modules(entry) & installed)):
            raise KernelError(
                f"PYTHONPATH: {entry} holds {', '.join(replaced[:3])}, which would replace the installed "
                f"{replaced[0]} in every stage. Fix: unset PYTHONPATH, or take {entry} out of it."
            )


def _modules(folder: str) -> set[str]:
    """Names of the modules and regular packages in a folder."""
    return {path.stem for path in Path(folder).glob("*.py")} | {
        path.parent.name for path in Path(folder).glob("*/__init__.py")
    }


def _numerics() -> dict[str, str]:
    """Make NumPy and SciPy compute alike on every x86-64 CPU with AVX2: the kernels that all of them have."""
    import numpy as np

    features = np._core._multiarray_umath.__cpu_features__
    if platform.machine() not in ("x86_64", "AMD64") or not (features.get("AVX2") and features.get("FMA3")):
        return {}
    dispatched = np._core._multiarray_umath.__cpu_dispatch__
    newer = [name for name in dispatched if features.get(name) and (name == "X86_V4" or name.startswith("AVX512"))]
    chosen = {"OPENBLAS_CORETYPE": "Haswell"}
    return chosen | ({"NPY_DISABLE_CPU_FEATURES": " ".join(newer)} if newer else {})


def _default_matplotlibrc() -> str:
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "matplotlibrc")


def main() -> int:
    if not sys.argv[1:]:
        print("usage: python -m robotr1.kernel COMMAND …", file=sys.stderr)
        return 2
    try:
        with kernel_environment():
            process = subprocess.Popen(sys.argv[1:])
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which may ask before it ends
            signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            return process.wait()
    except (KernelError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
