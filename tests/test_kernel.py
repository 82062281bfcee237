"""What the user's shell and files hold does not reach a stage's results."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_notebook import EXECUTED, put, root, run  # noqa: F401

from robotr1 import kernel, paths
from robotr1.kernel import KernelError, environment

PROBE = (
    """
    import matplotlib.pyplot as plt
    plt.plot([1, 3, 2]); plt.title("ümlaut"); plt.show()
    """,
    """
    import hashlib, locale, sys, time, warnings
    import numpy as np
    import pandas as pd
    warnings.warn("heard")
    square = np.random.default_rng(0).normal(size=(64, 64))
    hashes = [hashlib.md5(a.tobytes()).hexdigest() for a in (square @ square, np.exp(square))]
    print(hashes, sys.flags.optimize, time.localtime(0).tm_hour, list({"one", "two", "three"}), open(__file__).encoding
          if "__file__" in globals() else locale.getpreferredencoding())
    pd.DataFrame({f"column {i}": [i / 7] for i in range(12)})
    """,
    """
    import os
    print(sorted(name for name in os.environ if name.startswith(("ACCELERATE", "RANK", "WORLD"))))
    print("from_the_profile" in globals(), "from_startup" in globals())
    try:
        assert False
    except AssertionError:
        print("assertions count")
    """,
)


def hostile(folder):
    """A shell and files as people have them on clusters, each of which changed or broke results."""
    startup = folder / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(
        "from_the_profile = 1\nimport matplotlib\nmatplotlib.rcParams['lines.linewidth'] = 9\n"
    )
    (folder / "python.py").write_text("from_startup = 1\n")
    for place in (folder / "matplotlib", folder / "config/matplotlib"):
        place.mkdir(parents=True)
        (place / "matplotlibrc").write_text("text.usetex: True\nfigure.figsize: 2, 9\nfont.size: 30\n")
    return {
        "ACCELERATE_MIXED_PRECISION": "bf16",
        "COLUMNS": "20",
        "IPYTHONDIR": str(folder / "ipython"),
        "LC_ALL": "de_DE.ISO-8859-1",
        "MATPLOTLIBRC": str(folder / "matplotlib"),
        "MPLBACKEND": "Agg",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3",
        "OPENBLAS_CORETYPE": "Prescott",
        "PYTHONHASHSEED": "7",
        "PYTHONIOENCODING": "latin-1",
        "PYTHONOPTIMIZE": "2",
        "PYTHONSTARTUP": str(folder / "python.py"),
        "PYTHONWARNINGS": "error:heard",
        "RANK": "1",
        "TZ": "Asia/Tokyo",
        "WORLD_SIZE": "2",
        "XDG_CONFIG_HOME": str(folder / "config"),
    }


def test_a_stage_gives_the_same_bytes_under_a_hostile_shell(root, tmp_path_factory, monkeypatch):  # noqa: F811
    put(root, *PROBE)
    code, _, stderr = run(root, "design_metadata")
    assert code == 0, stderr
    clean = (root / EXECUTED).read_bytes()
    assert b"image/png" in clean and b"assertions count" in clean and b"False False" in clean
    for name, value in hostile(tmp_path_factory.mktemp("user")).items():
        monkeypatch.setenv(name, value)
    code, _, stderr = run(root, "design_metadata")
    assert code == 0, stderr
    assert (root / EXECUTED).read_bytes() == clean


def test_a_matplotlibrc_in_the_repository_is_refused(root):  # noqa: F811
    put(root, "1")
    (root / "matplotlibrc").write_text("font.size: 30\n")
    code, _, stderr = run(root, "design_metadata")
    assert code == 1
    assert "matplotlibrc would change every figure. Fix: move it" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("name", ["numpy/__init__.py", "random.py", "torch/__init__.py"])
def test_a_python_path_that_replaces_a_package_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    replaced = Path(name).parts[0].removesuffix(".py")
    with pytest.raises(KernelError, match=f"PYTHONPATH: .* holds {replaced}, which would replace"):
        environment({"PYTHONPATH": os.pathsep.join(["/nowhere", str(tmp_path)])})


def test_a_python_path_beside_it_is_kept_after_the_package_itself(tmp_path):
    (tmp_path / "my_helpers.py").write_text("")
    (tmp_path / "datasets").mkdir()  # data, no package
    found = environment({"PYTHONPATH": str(tmp_path)})["PYTHONPATH"]
    assert found == os.pathsep.join([str(kernel.PACKAGE), str(tmp_path)])


def test_choices_about_the_machine_stay(monkeypatch):
    kept = {
        "CUDA_VISIBLE_DEVICES": "1", "HF_HOME": "/cache", "HTTPS_PROXY": "http://proxy", "MUJOCO_GL": "osmesa",
        "OMP_NUM_THREADS": "3", "ROBOTR1_ROOT": "/elsewhere", "PYTHONPYCACHEPREFIX": "/cache",
    }  # fmt: skip
    assert kept.items() <= environment(kept).items()


def test_the_process_has_its_own_variables_back(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.delenv("TZ", raising=False)
    before = dict(os.environ)
    with kernel.kernel_environment():
        assert os.environ["TZ"] == "UTC" and os.environ["MPLBACKEND"] != "Agg"
        profile = Path(os.environ["IPYTHONDIR"])
        assert profile.is_dir() and not list(profile.iterdir())
    assert dict(os.environ) == before
    with pytest.raises(ZeroDivisionError), kernel.kernel_environment():
        os.environ["TZ"] = str(1 / 0)
    assert dict(os.environ) == before
    assert not profile.exists()


def test_a_command_runs_in_the_same_environment(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(paths.ROOT))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    code = "import os, sys; print(os.environ['MPLBACKEND']); sys.exit(3)"
    command = [sys.executable, "-m", "robotr1.kernel", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "module://matplotlib_inline.backend_inline\n")
    done = subprocess.run([*command[:3], "no-such-command"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no-such-command" in done.stderr and "Traceback" not in done.stderr
