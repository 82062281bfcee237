"""The package's shape: imports run downward, modules stay small, the notebooks share code through the package."""

import ast
import json
from collections import defaultdict
from functools import cache

import import_graph
import pytest

from robotr1 import paths

LONGEST_MODULE = 400  # lines
# Each part may import those of its own and of higher lines; parts on one line do not know each other.
LAYERS = (
    {"paths", "statistics"},
    {"fields", "ipynb", "environment"},
    {"records"},
    {"settings"},
    {"notebook", "profiles", "demos"},
    {"keyframes", "metadata"},
    {"questions"},
    {"policies"},
    {"training", "evaluation"},
    {"report"},
    {"ablation"},
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
NO_TORCH = ("demos", "keyframes", "metadata", "questions", "report")  # DESIGN: the data sides need no deep learning
MODULES = sorted(path for path in (paths.ROOT / "robotr1").rglob("*.py") if path.name != "__init__.py")
EVERY = sorted((paths.ROOT / "robotr1").rglob("*.py"))


def dotted(path):
    parts = path.relative_to(paths.ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


@cache
def imports(path):
    """Names of the package's modules that a file imports directly."""
    parts = dotted(path)
    package = parts if path.name == "__init__.py" else parts[:-1]
    return import_graph.imported_modules(ast.parse(path.read_text()), ".".join(package))


def upward(edges):
    """Those (importer, imported) names whose second part lies on the same or a lower line of LAYERS."""
    wrong = []
    for importer, imported in edges:
        above, below = importer.split(".")[1], imported.split(".")[1]
        if above != below and LEVEL[below] >= LEVEL[above]:
            wrong.append(f"{importer} imports {imported}")
    return wrong


def test_every_part_of_the_package_has_its_layer():
    assert {dotted(path)[1] for path in EVERY if len(dotted(path)) > 1} == set(LEVEL)


def test_imports_run_downward():
    edges = [(".".join(dotted(path)), name) for path in EVERY for name in imports(path)]
    edges = [(importer, imported) for importer, imported in edges if "." in importer and "." in imported]
    assert len(edges) > len(MODULES)
    assert not upward(edges)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("robotr1.questions.build", "robotr1.policies.load"),
        ("robotr1.training.grpo.trainer", "robotr1.evaluation.multiple_choice.scoring"),
    ],
)
def test_an_import_upward_or_sideways_is_found(importer, imported):
    assert upward([(importer, imported)])


def test_no_circle_of_imports():
    waiting = {path: {import_graph.module_path(name) for name in imports(path)} & set(MODULES) for path in MODULES}
    while free := {path for path, needs in waiting.items() if not needs - {path}}:
        waiting = {path: needs - free for path, needs in waiting.items() if path not in free}
    assert not [paths.relative(path) for path in waiting], "these modules wait for each other"


@pytest.mark.parametrize("part", NO_TORCH)
def test_data_and_report_import_no_deep_learning(part):
    files = [path for path in EVERY if dotted(path)[1:2] == (part,)]
    assert files
    for path in files:
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found = {name.partition(".")[0] for name in names} & {"torch", "transformers", "trl", "peft"}
            assert not found, paths.relative(path)


@pytest.mark.parametrize("path", EVERY, ids=paths.relative)
def test_modules_stay_small(path):
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE


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
