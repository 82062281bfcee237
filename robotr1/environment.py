"""Write conda's environment files from pip's requirements: `python -m robotr1.environment`.

environment.yml is requirements.txt; conf/rlbench/environment.yml adds conf/rlbench/requirements.txt. Everything but
Python itself comes from pip, so that conda and pip users have the same versions.
"""

from pathlib import Path

from robotr1 import paths

REQUIREMENTS = paths.ROOT / "requirements.txt"
ENVIRONMENT = paths.ROOT / "environment.yml"
RLBENCH_REQUIREMENTS = paths.ROOT / "conf/rlbench/requirements.txt"
RLBENCH_ENVIRONMENT = paths.ROOT / "conf/rlbench/environment.yml"

HEADER = """\
# Written by `python -m robotr1.environment` from requirements.txt; edit that file.
#   conda env create -f environment.yml && conda activate robotr1 && dvc repro
"""
RLBENCH_HEADER = """\
# Written by `python -m robotr1.environment` from requirements.txt and conf/rlbench/requirements.txt; edit those.
# Only for `source: rlbench`. First install CoppeliaSim 4.1.0 and set its three environment variables, listed in
# conf/rlbench/requirements.txt: PyRep's build stops without them. Then
#   conda env create -f conf/rlbench/environment.yml && conda activate robotr1-rlbench
#   pip install --no-deps "{rlbench}"
# RLBench comes last and alone: it asks for PyRep without a version, which pip refuses beside a pinned one.
# RLBench's licence: for academic, non-commercial use, not to be passed on. CoppeliaSim Edu has terms of its own.
"""
BODY = """\
name: {name}
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def requirements(path: Path = REQUIREMENTS) -> list[str]:
    """Read the pinned requirements in order."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def conda_environment() -> str:
    """Return the content of environment.yml: the pinned requirements and this package."""
    return HEADER + _body("robotr1", [*requirements(), "--editable ."])


def rlbench_environment() -> str:
    """Return the content of conf/rlbench/environment.yml: the same and RLBench's requirements, without RLBench."""
    listed = requirements(RLBENCH_REQUIREMENTS)
    rlbench = next(line for line in listed if line.startswith("rlbench "))
    listed.remove(rlbench)
    lines = [*requirements(), *listed, "--editable ../.."]
    return RLBENCH_HEADER.format(rlbench=rlbench) + _body("robotr1-rlbench", lines)


def _body(name: str, listed: list[str]) -> str:
    """Return a file's content; conda runs pip in the file's folder, so paths start there."""
    return BODY.format(name=name) + "".join(f"      - {line}\n" for line in listed)


if __name__ == "__main__":
    for path, content in ((ENVIRONMENT, conda_environment()), (RLBENCH_ENVIRONMENT, rlbench_environment())):
        paths.write_text(path, content)
        print(f"wrote {paths.relative(path)}")
