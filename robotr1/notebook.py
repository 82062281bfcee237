"""Run one stage's notebook as DVC does: `python -m robotr1.notebook extract_demos [--set key=value …]`.

The runner reads params.yaml and passes exactly the stage's section to the notebook (papermill's own command line would
turn YAML's false into the string "false", which is true). The notebook's output appears in the terminal while it runs.
The executed copy is written only after every cell has finished. The kernel's environment is that of `robotr1.kernel`.

`--canonical FILE…` rewrites source notebooks in their committed form; `--check-canonical FILE…` checks them.
"""

import argparse
import dataclasses
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from robotr1 import ipynb, paths, settings
from robotr1.ipynb import NotebookError
from robotr1.kernel import KernelError, kernel_environment

STAGE_TIMES = paths.ROOT / ".stage_times.jsonl"


def find_notebook(name: str) -> Path:
    """Find a stage's notebook by its name, with or without number. Raises NotebookError for an unknown name."""
    stages = {path.stem[3:]: path for path in sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))}
    numbered = {path.stem: path for path in stages.values()}
    if name not in stages | numbered:
        raise NotebookError(f"unknown stage {name!r}; the stages are {', '.join(stages)}")
    return (stages | numbered)[name]


def stage_parameters(stage: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Return the stage's section of params.yaml with `overrides`, checked; empty for a notebook without a section.

    Raises SettingsError for unknown names and wrong values.
    """
    if stage not in settings.SECTIONS:
        if overrides:
            raise settings.SettingsError(f"{stage} takes no parameters, got {', '.join(overrides)}")
        return {}
    section = settings.read_params().get(stage)
    if isinstance(section, dict):
        section = section | overrides
    return dataclasses.asdict(settings.check_section(stage, section))


def run(stage: str, overrides: dict[str, Any] | None = None, output: Path | None = None) -> Path:
    """Execute a stage's notebook, write the cleaned executed copy and return its path.

    Raises NotebookError if a cell fails or exits (sys.exit counts as a failure), SettingsError for bad parameters.
    Nothing is written to `output` then.
    """
    source, overrides = find_notebook(stage), overrides or {}
    notebook = ipynb.canonical(ipynb.read(source))
    values = stage_parameters(source.stem[3:], overrides)
    stated = ipynb.parameters(notebook)
    if set(stated) != set(values):
        raise NotebookError(
            f"{paths.relative(source)}: its parameters cell and params.yaml differ in {set(stated) ^ set(values)}"
        )
    suffix = "".join(f"-{value if isinstance(value, str) else f'{key}{value}'}" for key, value in overrides.items())
    output = output or paths.EXECUTED / f"{source.stem}{suffix}.ipynb"
    started = time.perf_counter(), _children()[0]
    try:
        finished = _execute(notebook, values)
        _raise_unless_finished(finished, source)
        paths.write_text(output, ipynb.dumps(ipynb.executed(finished)))
    finally:
        _log_usage(f"{source.stem[3:]}{suffix}", *started)
    return output


def _execute(notebook: Any, values: dict[str, Any]) -> Any:
    import papermill
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError

    class ShowingEngine(NBClientEngine):
        """Prints each section's heading when the run reaches it."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            start = nb_man.cell_start

            def cell_start(cell: Any, cell_index: int | None = None, **rest: Any) -> None:
                if cell.cell_type == "markdown":
                    for heading in re.findall(r"^#+ (.*)", cell.source, re.MULTILINE):
                        print(f"— {heading}", file=sys.stderr, flush=True)
                start(cell, cell_index, **rest)

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register("showing", ShowingEngine)
    try:
        with kernel_environment():
            return papermill.execute_notebook(
                notebook,
                None,
                parameters=values,
                engine_name="showing",
                kernel_name="python3",
                cwd=paths.ROOT,
                progress_bar=False,
                stdout_file=sys.stdout,
                stderr_file=sys.stderr,
                extra_arguments=["--log-level=40"],  # errors only
            )
    except PapermillExecutionError as error:
        raise NotebookError(f"{error}\ncell [{error.exec_count}] failed: {error.ename}: {error.evalue}") from None


def _raise_unless_finished(notebook: Any, source: Path) -> None:
    """Raise NotebookError for a cell that exited or never ran; papermill takes sys.exit() for success."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        exited = any(output.output_type == "error" for output in cell.outputs)
        if exited or cell.execution_count is None:
            why = "called sys.exit()" if exited else "never ran"
            raise NotebookError(f"{paths.relative(source)}: a cell {why}:\n{cell.source}")


def _children() -> tuple[float, float]:
    """Return CPU seconds and peak memory (MB, largest single process) of finished child processes."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0, 0.0
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


def _log_usage(stage: str, started: float, cpu_before: float) -> None:
    """Append the stage's time and memory to .stage_times.jsonl, which performance/stage_times.py prints."""
    cpu_seconds, peak = _children()
    line = {
        "stage": stage,
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(cpu_seconds - cpu_before, 1),
        "peak_rss_mb": round(peak),
    }
    with open(STAGE_TIMES, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _override(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: write key=value")
    return key, yaml.safe_load(value)


def bring_to_canonical(files: list[Path], check_only: bool) -> list[Path]:
    """Rewrite (or only list) and return the notebooks that are not canonical."""
    changed = []
    for path in files:
        text = ipynb.dumps(ipynb.canonical(ipynb.read(path)))
        if path.read_bytes() != text.encode():
            changed.append(path)
            if not check_only:
                paths.write_text(path, text)
    return changed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m robotr1.notebook", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stage", nargs="?", help="for example extract_demos or 01_extract_demos")
    parser.add_argument("--set", dest="overrides", type=_override, action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--output", type=Path, help="path of the executed copy (default: in reports/notebooks/)")
    parser.add_argument("--canonical", type=Path, nargs="+", metavar="FILE", help="rewrite in canonical form")
    parser.add_argument("--check-canonical", type=Path, nargs="+", metavar="FILE", help="exit 1 unless canonical")
    options = parser.parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a letter of a notebook is no failure
    try:
        if options.canonical or options.check_canonical:
            files = options.canonical or options.check_canonical
            changed = bring_to_canonical(files, check_only=not options.canonical)
            for path in changed:
                print(f"{path}: {'rewritten' if options.canonical else 'not canonical; run --canonical on it'}")
            return int(bool(options.check_canonical and changed))
        if not options.stage:
            parser.error("name a stage, or use --canonical")
        output = run(options.stage, dict(options.overrides), options.output)
        print(f"executed copy: {paths.relative(output)}", file=sys.stderr)
        return 0
    except (NotebookError, KernelError, settings.SettingsError, OSError) as error:
        print(f"\n{options.stage or 'notebook'}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{options.stage}: interrupted; no executed copy was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
