"""One pinned list feeds pip, conda and the package's own metadata."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version

import pytest
import yaml

from robotr1 import environment, paths


def test_conda_environments_have_not_drifted():
    for path, content in (
        (environment.ENVIRONMENT, environment.conda_environment()),
        (environment.RLBENCH_ENVIRONMENT, environment.rlbench_environment()),
    ):
        assert path.read_text() == content, "run `python -m robotr1.environment`"


def test_environment_for_rlbench_pins_both_repositories_and_is_otherwise_the_same():
    text = environment.RLBENCH_ENVIRONMENT.read_text()
    content = yaml.safe_load(text)
    *pinned, package = content["dependencies"][-1]["pip"]
    listed = environment.requirements(environment.RLBENCH_REQUIREMENTS)
    rlbench = next(line for line in listed if line.startswith("rlbench "))
    assert rlbench not in pinned  # it asks for another PyRep; pip would refuse both
    assert f'pip install --no-deps "{rlbench}"' in text
    assert pinned == environment.requirements() + [line for line in listed if line != rlbench]
    folder = environment.RLBENCH_ENVIRONMENT.parent / package.removeprefix("--editable ")
    assert folder.resolve() == paths.ROOT, "conda runs pip in the folder of the file"
    names = [line.partition("==")[0].lower() for line in pinned]
    assert len(set(names)) == len(names)
    pins = [line for line in listed if "git+" in line]
    assert len(pins) == 2
    assert all(re.fullmatch(r"\w+ @ git\+https://github\.com/stepjam/\w+\.git@[0-9a-f]{40}", line) for line in pins)


def test_conda_environment_parses_and_its_pip_part_is_the_pinned_list():
    content = yaml.safe_load(environment.ENVIRONMENT.read_text())
    assert content["name"] == "robotr1"
    assert content["dependencies"][0] == "python=3.11"
    *pinned, package = content["dependencies"][-1]["pip"]
    assert pinned == environment.requirements()
    assert package == "--editable ."


def test_torch_comes_first_and_everything_is_pinned():
    listed = environment.requirements()
    assert listed[0] == "torch==2.13.0"
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+==[\w.]+", line) for line in listed)
    assert not any(line.startswith(("torchvision", "pyrep", "rlbench")) for line in listed)


def test_package_metadata_reads_the_same_list():
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}


@pytest.mark.parametrize("line", environment.requirements())
def test_what_is_installed_is_what_is_pinned(line):
    name, _, pinned = line.partition("==")
    assert version(name).partition("+")[0] == pinned, "run `make setup`"


def test_every_imported_package_is_pinned():
    """Nothing is used that only came along as the dependency of something else."""
    distributions = packages_distributions()
    extras = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = [*environment.requirements(), *(line for extra in extras.values() for line in extra)]
    pinned = {re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in lines}
    local = {path.stem for folder in ("tests", "performance") for path in (paths.ROOT / folder).rglob("*.py")}
    optional = {"rlbench", "pyrep", "torchvision", "robotr1", "conftest"}
    missing = set()
    for folder in ("robotr1", "tests", "performance"):
        for path in (paths.ROOT / folder).rglob("*.py"):
            for module in _imported(path) - set(sys.stdlib_module_names) - optional - local:
                names = {re.sub(r"[-_.]+", "-", name).lower() for name in distributions.get(module, [module])}
                if not names & pinned and not names & {"mujoco-core"}:
                    missing.add(f"{paths.relative(path)}: {module}")
    assert not missing, "pin these in requirements.txt, or in an extra of pyproject.toml"


def _imported(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
