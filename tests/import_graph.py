"""Which modules of the package a stage really imports, found by reading the code (also imports inside functions)."""

import ast
import json
from pathlib import Path

from robotr1 import paths


def module_path(name: str) -> Path | None:
    """The file of a module of this package, None for other modules."""
    base = paths.ROOT.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if name.partition(".")[0] == "robotr1" and path.is_file():
            return path
    return None


def imported_modules(tree: ast.AST, package: str = "") -> set[str]:
    """Names of this package's modules that the syntax tree imports; parents' __init__ count where they import."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package.split(".")[: -node.level + 1 or None], *filter(None, [node.module])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    parents = {".".join(name.split(".")[:i]) for name in names for i in range(1, name.count(".") + 1)}
    return {name for name in names | parents if module_path(name)}


def closure(tree: ast.AST) -> set[Path]:
    """Files of all modules that `tree` imports, directly or through others.

    Empty __init__ files do not count, nor does the package's own, which only says how threads wait for each other.
    """
    found: dict[str, Path] = {}
    waiting = list(imported_modules(tree))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = path = module_path(name)
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            waiting += imported_modules(ast.parse(path.read_text()), package)
    found.pop("robotr1", None)
    return {path for path in found.values() if path.name != "__init__.py" or _imports(path)}


def _imports(path: Path) -> bool:
    return any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.walk(ast.parse(path.read_text())))


def notebook_closure(path: Path) -> set[Path]:
    """Files that a notebook's code cells import."""
    cells = json.loads(path.read_text())["cells"]
    lines = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code").splitlines()
    code = "\n".join(line for line in lines if not line.startswith(("%", "!")))
    return closure(ast.parse(code))


def module_closure(name: str) -> set[Path]:
    """Files that `python -m name` runs: the module, or a package's `__main__`, and all that it imports."""
    path = module_path(name)
    path = path.with_name("__main__.py") if path.name == "__init__.py" else path
    return closure(ast.parse(path.read_text())) | {path}
