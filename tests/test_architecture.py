"""The package's rooms: which imports which, what they load, and how large they may become."""

import ast
import json
from collections import defaultdict
from functools import cache

import import_graph
import pytest

from robotr1 import paths

LONGEST_MODULE = 400  # lines
MOST_MODULES = 14  # side by side in one folder
ALIKE = {"robotr1/report/sections"}  # folders that grow by one module of the same shape for each new part

# A room is a module or folder of robotr1/. It may import its own modules and rooms of higher lines; rooms on one line
# do not import each other.
LAYERS = (
    {"paths", "special_tokens", "statistics", "linear"},
    {"fields", "environment", "kernel"},
    {"records"},
    {"settings"},
    {"ipynb", "profiles", "demos"},
    {"notebook", "keyframes", "metadata"},
    {"questions"},
    {"policies"},
    {"training", "evaluation"},
    {"report"},
    {"ablation"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
# A benchmark is a folder of robotr1/evaluation/. It may import the modules of evaluation/ itself, and of the other
# benchmarks only these. A module of evaluation/ imports no benchmark, except `judge`, which exports the judges.
BENCHMARKS = {
    "closed_loop": {"multiple_choice"},
    "eb_manipulation": {"closed_loop"},
    "faithfulness": {"multiple_choice"},
    "judging": set(),
    "multiple_choice": set(),
    "open_questions": {"judging", "spatialrgpt"},
    "planning": {"multiple_choice"},
    "spatialrgpt": {"judging"},
}
SHARED_MODULES = {"judge": {"judging"}}
SHARED_FOLDERS = {"items", "published"}  # of data that every benchmark may read
# External packages that a room must not load when it is imported, directly or through other modules.
LEARNING = {"torch", "transformers", "trl", "peft", "accelerate", "datasets"}
SIMULATORS = {"mujoco", "rlbench", "pyrep"}
UNLOADED = {
    "demos": LEARNING,
    "keyframes": LEARNING | SIMULATORS,
    "metadata": LEARNING | SIMULATORS,
    "questions": LEARNING | SIMULATORS,
    "report": LEARNING | SIMULATORS,
}
FILES = sorted((paths.ROOT / "robotr1").rglob("*.py"))
MODULES = [path for path in FILES if path.name != "__init__.py"]
FOLDERS = sorted({path.parent for path in MODULES})


def dotted(path):
    parts = path.relative_to(paths.ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def package(path):
    return ".".join(dotted(path) if path.name == "__init__.py" else dotted(path)[:-1])


@cache
def imports(path):
    """Names of the package's modules that a file imports directly, also inside functions."""
    return import_graph.imported_modules(ast.parse(path.read_text()), package(path))


@cache
def loaded(path):
    """What importing a file loads directly: the package's files, and the names of external packages."""
    lines = [line for line in ast.parse(path.read_text()).body if isinstance(line, (ast.Import, ast.ImportFrom))]
    names = [alias.name for line in lines if isinstance(line, ast.Import) for alias in line.names]
    names += [line.module for line in lines if isinstance(line, ast.ImportFrom) and line.module and not line.level]
    ours = import_graph.imported_modules(ast.Module(lines, []), package(path))
    return {import_graph.module_path(name) for name in ours}, {name.partition(".")[0] for name in names}


def loaded_packages(path):
    """External packages that importing a file loads, directly or through the package's other files."""
    seen, waiting = set(), [path]
    while waiting:
        if (file := waiting.pop()) not in seen:
            seen.add(file)
            waiting += loaded(file)[0]
    return set().union(*(loaded(file)[1] for file in seen))


def edges():
    """(importer, imported) names of all imports between modules of the package."""
    found = [(".".join(dotted(path)), name) for path in FILES for name in imports(path)]
    return [(importer, imported) for importer, imported in found if "." in importer and "." in imported]


def upward(edges):
    """Those imports whose target is in a room on the same or a lower line of LAYERS."""
    wrong = []
    for importer, imported in edges:
        above, below = importer.split(".")[1], imported.split(".")[1]
        if above != below and LEVEL[below] >= LEVEL[above]:
            wrong.append(f"{importer} imports {imported}")
    return wrong


def sideways(edges):
    """Those imports of one benchmark by another, or by a module of evaluation/, that the tables do not state."""
    wrong = []
    for importer, imported in edges:
        (_, room, above, *_), (_, other, below, *_) = [*importer.split("."), ""], [*imported.split("."), ""]
        stated = (BENCHMARKS | SHARED_MODULES).get(above, set()) | {"", above}
        if room == other == "evaluation" and below in BENCHMARKS and below not in stated:
            wrong.append(f"{importer} imports {imported}")
    return wrong


def waiting_for_each_other(needs):
    """What is left of {name: names that it needs} after everything without a circle is taken away."""
    while free := {name for name, others in needs.items() if not (others & set(needs)) - {name}}:
        needs = {name: others for name, others in needs.items() if name not in free}
    return sorted(needs)


def test_every_room_has_its_layer():
    assert {dotted(path)[1] for path in FILES if len(dotted(path)) > 1} == set(LEVEL)


def test_imports_run_downward():
    assert len(edges()) > len(MODULES)
    assert not upward(edges())


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("robotr1.questions.build", "robotr1.policies.load"),
        ("robotr1.training.grpo.trainer", "robotr1.evaluation.multiple_choice.scoring"),
    ],
)
def test_an_import_upward_or_sideways_is_found(importer, imported):
    assert upward([(importer, imported)])


def test_benchmarks_import_only_the_benchmarks_that_are_stated():
    folders = {path.parent.name for path in FILES if path.parent.parent.name == "evaluation"}
    assert folders == set(BENCHMARKS) | SHARED_FOLDERS
    assert not sideways(edges())


@pytest.mark.parametrize(
    ("importer", "imported", "wrong"),
    [
        ("robotr1.evaluation.closed_loop.run", "robotr1.evaluation.eb_manipulation.scenes", True),
        ("robotr1.evaluation.controls", "robotr1.evaluation.multiple_choice.scoring", True),
        ("robotr1.evaluation.faithfulness.run", "robotr1.evaluation.multiple_choice.scoring", False),
        ("robotr1.evaluation.planning.run", "robotr1.evaluation.controls", False),
        ("robotr1.report.page", "robotr1.evaluation.planning.results", False),
    ],
)
def test_an_import_between_benchmarks_is_found(importer, imported, wrong):
    assert bool(sideways([(importer, imported)])) == wrong


def test_no_circle_of_modules():
    needs = {path: {import_graph.module_path(name) for name in imports(path)} for path in MODULES}
    assert not [paths.relative(path) for path in waiting_for_each_other(needs)]


def test_no_circle_of_benchmarks():
    assert not waiting_for_each_other(BENCHMARKS)
    assert waiting_for_each_other({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["a", "b", "c"]


@pytest.mark.parametrize("room", UNLOADED)
def test_data_and_report_load_neither_learning_nor_simulator(room):
    files = [path for path in FILES if dotted(path)[1:2] == (room,)]
    assert files
    assert not {paths.relative(path): found for path in files if (found := loaded_packages(path) & UNLOADED[room])}


def test_a_loaded_package_is_found_through_other_modules():
    assert "mujoco" in loaded_packages(paths.ROOT / "robotr1/demos/tabletop/expert.py")


@pytest.mark.parametrize("path", FILES, ids=paths.relative)
def test_modules_stay_small(path):
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("folder", FOLDERS, ids=paths.relative)
def test_folders_stay_small(folder):
    modules = [path for path in MODULES if path.parent == folder and paths.relative(folder) not in ALIKE]
    assert len(modules) <= MOST_MODULES


def test_no_function_is_defined_in_two_notebooks():
    places = defaultdict(set)
    for path in sorted(paths.NOTEBOOKS.glob("*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] == "code":
                lines = "".join(cell["source"]).splitlines()
                code = "\n".join(line for line in lines if not line.startswith(("%", "!")))
                for node in ast.walk(ast.parse(code)):
                    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                        places[node.name].add(path.name)
    assert not {name: files for name, files in places.items() if len(files) > 1}, "move it into the package"
