"""States, keyframes, metadata and questions have the same bytes under the kernels of different CPUs."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from robotr1 import paths

PROGRAM = paths.ROOT / "tests/written_files.py"
TASKS = ["take_lid_off_saucepan", "open_drawer", "stack_blocks"]  # the first one's contacts amplify rounding most
DISPATCHED = ("X86_V4", "AVX512_ICL", "AVX512_SPR")  # numpy's own kernels for newer CPUs
CPUS = {
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "Zen": {"OPENBLAS_CORETYPE": "Zen"},
    "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "without AVX-512": {"NPY_DISABLE_CPU_FEATURES": " ".join(DISPATCHED)},
}


def can_run(name):
    return name != "SkylakeX" or np._core._multiarray_umath.__cpu_features__.get("AVX512_SKX", False)


@pytest.fixture(scope="module")
def written(panda, tmp_path_factory):
    """By kind of CPU: the hashes that the program prints, and all files that it wrote."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("OpenBLAS has other kernels on this architecture")
    found = {}
    for name in filter(can_run, CPUS):
        folder = tmp_path_factory.mktemp("cpu")
        environment = os.environ | CPUS[name] | {"PYTHONPATH": os.pathsep.join([str(paths.ROOT), str(PROGRAM.parent)])}
        environment |= {"PYTHONWARNINGS": "ignore:During parsing of NPY_DISABLE_CPU_FEATURES"}
        done = subprocess.run(
            [sys.executable, PROGRAM, folder, *TASKS], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        files = {
            path.relative_to(folder): path.read_bytes().replace(str(folder).encode(), b"")
            for path in folder.rglob("*")
            if path.is_file()
        }
        found[name] = done.stdout.split(), files
    return found


def test_the_kernels_really_differ(written):
    """Otherwise the next test says nothing."""
    assert len({product for (product, _), _ in written.values()}) > 1


@pytest.mark.parametrize("name", [name for name in CPUS if name != "Haswell" and can_run(name)])
def test_the_files_have_the_same_bytes(written, name):
    files, expected = written[name][1], written["Haswell"][1]
    assert {path.suffix for path in expected} >= {".pkl", ".jsonl", ".json"}
    assert len([path for path in expected if path.parts[0] == "demos" and path.name == "low_dim_obs.pkl"]) == len(TASKS)
    assert files.keys() == expected.keys()
    assert [str(path) for path in expected if files[path] != expected[path]] == []


def test_only_the_ground_floor_computes_with_matrices():
    """No BLAS, LAPACK or CPU-dependent function between the seed and the written files."""
    forbidden = ("np.linalg", " @ ", ".dot(", "einsum", "np.tan", "np.arc", "np.exp(", "np.log(", "np.power")
    rooms = [paths.ROOT / "robotr1" / name for name in ("demos", "keyframes.py", "metadata.py", "linear.py")]
    files = [file for room in rooms for file in (room.rglob("*.py") if room.is_dir() else [room])]
    lines = [(file, line) for file in files for line in Path(file).read_text().splitlines()]
    shown = [file.name for file, line in lines if any(name in line.partition("#")[0] for name in forbidden)]
    assert set(shown) <= {"linear.py", "show.py", "rlbench.py", "snapshots.py"}, "use robotr1.linear and math instead"
    assert shown.count("snapshots.py") <= 1, "it finds an object's body in images for pretraining, and nothing else"
