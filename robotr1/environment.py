"""Write environment.yml for conda from requirements.txt: `python -m robotr1.environment`.

Everything but Python itself comes from pip, so that conda and pip users have the same versions.
"""

from robotr1 import paths

REQUIREMENTS = paths.ROOT / "requirements.txt"
ENVIRONMENT = paths.ROOT / "environment.yml"

HEADER = """\
# Written by `python -m robotr1.environment` from requirements.txt; edit that file.
#   conda env create -f environment.yml && conda activate robotr1 && dvc repro
name: robotr1
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def requirements() -> list[str]:
    """The pinned requirements, in order."""
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def conda_environment() -> str:
    """The content of environment.yml: the pinned list and this package itself."""
    return HEADER + "".join(f"      - {line}\n" for line in [*requirements(), "--editable ."])


if __name__ == "__main__":
    paths.write_text(ENVIRONMENT, conda_environment())
    print(f"wrote {paths.relative(ENVIRONMENT)}")
