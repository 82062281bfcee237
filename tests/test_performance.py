"""The committed measurements: their markdown says what their JSON holds."""

import importlib
import json

import pytest

from robotr1 import paths

FOLDER = paths.ROOT / "performance"


@pytest.mark.parametrize("name", ["demos", "exam_speed", "questions", "stage_times"])
def test_the_page_is_made_from_the_json(name, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    result = json.loads((FOLDER / f"results/{name}.json").read_text())
    assert importlib.import_module(name).page(result) == (FOLDER / f"results/{name}.md").read_text()
