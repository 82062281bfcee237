"""JupyterLab as `make notebooks` starts it, and Chromium in which its notebooks run as under a student's hands."""

import json
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
import yaml

from robotr1 import ipynb, paths, profiles
from robotr1.kernel import environment

NOTEBOOKS = sorted(path.name for path in paths.NOTEBOOKS.glob("*.ipynb"))
MADE_BY_RUNNING = ("data", "models", "checkpoints", ".*", "__pycache__")
LONGEST = 600  # seconds for one notebook; on the ci profile none should need a tenth of it

ON_SAVE = "--ContentsManager.pre_save_hook=robotr1.ipynb.canonical_on_save"  # as the Makefile has it
NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}  # nor a question about them
ADDRESS = re.compile(r"http://(?:localhost|127\.0\.0\.1):\d+/lab\?token=\w+")

NOTEBOOK_IS_OPEN = "() => window.jupyterapp?.shell.currentWidget?.sessionContext !== undefined"
# The promise of the command behind Run > Run All Cells ends with the last cell. One kernel at a time.
RUN_ALL_CELLS = """async longest => {
    const app = window.jupyterapp;
    const { context, sessionContext } = app.shell.currentWidget;
    const run = async () => {
        await Promise.all([app.restored, context.ready, sessionContext.ready]);
        await app.commands.execute("notebook:run-all-cells");
        await app.commands.execute("docmanager:save");
        return JSON.stringify(context.model);
    };
    const late = new Promise((_, reject) => setTimeout(reject, 1000 * longest, Error(`not done in ${longest} s`)));
    try { return await Promise.race([run(), late]); } finally { await sessionContext.shutdown(); }
}"""
TO_THE_TOP = """async () => {
    const { shell } = window.jupyterapp;
    shell.collapseLeft();
    await shell.currentWidget.content.scrollToItem(0);
    return document.querySelector(".jp-NotebookPanel .jp-WindowedPanel-outer").scrollHeight;
}"""
FIGURES_ARE_DRAWN = """wanted => {
    const figures = [...document.querySelectorAll(".jp-NotebookPanel .jp-OutputArea-output img")];
    return figures.length === wanted && figures.every(figure => figure.complete && figure.naturalWidth > 0);
}"""


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium or another one on the PATH, or that of `playwright install chromium`."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: run `make test-browser`")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as session:
        if not (found or Path(session.chromium.executable_path).exists()):
            pytest.skip("no Chromium: `apt-get install chromium` or `playwright install chromium`")
        with session.chromium.launch(executable_path=found) as chromium:
            yield chromium


@pytest.fixture(scope="session")
def copy(chromium, tmp_path_factory):
    """A copy of the repository without what stages made, set to the ci profile and one supervised policy."""
    root = tmp_path_factory.mktemp("student") / "robotr1"
    shutil.copytree(paths.ROOT, root, ignore=shutil.ignore_patterns(*MADE_BY_RUNNING))
    if paths.PANDA.is_dir():
        shutil.copytree(paths.PANDA, root / "data/panda")
    profiles.compose("ci", root / "params.yaml", ["policies.forms=[direct]"])
    params = yaml.safe_load((root / "params.yaml").read_text())
    for name in NOTEBOOKS:
        notebook = ipynb.read(root / "notebooks" / name)
        for cell in notebook.cells:
            if "parameters" in cell.metadata.get("tags", []):
                values = params[Path(name).stem[3:]]
                cell.source = "\n".join(f"{key} = {value!r}" for key, value in values.items())
        (root / "notebooks" / name).write_text(ipynb.dumps(notebook))
    return root


@pytest.fixture(scope="session")
def run_notebook(chromium, copy, tmp_path_factory, pytestconfig):
    """Call it with a notebook's name: runs it, and before it those on which it builds, and returns what it became."""
    screenshots, finished = pytestconfig.cache.mkdir("notebooks"), {}
    with jupyterlab(copy, tmp_path_factory.mktemp("jupyter")) as address:

        def run(name):
            for needed in NOTEBOOKS[: NOTEBOOKS.index(name) + 1]:
                if needed not in finished:
                    finished[needed] = run_alone(needed)
            return finished[name]

        def run_alone(name):
            with chromium.new_page(viewport={"width": 1280, "height": 900}) as page:
                page.set_default_timeout(1000 * LONGEST)
                page.goto(address.replace("/lab?", f"/lab/tree/{name}?reset&"))
                page.wait_for_function(NOTEBOOK_IS_OPEN)
                notebook = nbformat.reads(page.evaluate(RUN_ALL_CELLS, LONGEST), as_version=4)
                screenshot(page, notebook, screenshots / f"{Path(name).stem}.png")
            return notebook

        yield run


def screenshot(page, notebook, path):
    """One picture of the whole notebook, once every figure in it is drawn."""
    shown = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    page.set_viewport_size({"width": 1280, "height": min(page.evaluate(TO_THE_TOP) + 150, 16_000)})
    page.wait_for_function(FIGURES_ARE_DRAWN, arg=len(shown))
    page.screenshot(path=path)


@contextmanager
def jupyterlab(root, home):
    """JupyterLab in `root`/notebooks with the package of `root` and nobody's own settings; yields its address."""
    folders = {f"JUPYTER_{kind.upper()}_DIR": str(home / kind) for kind in ("config", "data", "runtime")}
    overrides = home / "config/labconfig/default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(NO_NEWS))
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--port=0"]
    server = subprocess.Popen(
        [*command, ON_SAVE, "--LabApp.expose_app_in_browser=True"],
        cwd=root / "notebooks",
        env=environment() | folders | {"ROBOTR1_ROOT": str(root), "PYTHONPATH": str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield said_address(server, home / "jupyterlab.log")
    finally:
        server.terminate()  # it takes its kernels along
        server.wait()


def said_address(server, log):
    """The address that the server prints once it listens; what it prints later goes into the file `log`."""
    said = ""
    for line in server.stderr:
        said += line
        if address := ADDRESS.search(line):
            threading.Thread(target=lambda: log.write_text(server.stderr.read()), daemon=True).start()
            return address[0]
    raise RuntimeError(f"JupyterLab did not start:\n{said}")
