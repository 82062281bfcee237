"""Figures and tables as files: complete, wide enough, and the same bytes every time."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic_study import SETTINGS, results, study

from robotr1.report.contents import SECTIONS, write_figures, write_tables
from robotr1.report.results import analyze
from robotr1.report.style.figures import DPI, WIDTH

DRAWINGS = {name for section in SECTIONS for name in section.drawings} - {"attention"}  # needs a policy


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the tables and figures of the invented study."""
    folder = tmp_path_factory.mktemp("report")
    write_tables(results(), folder / "tables")
    write_figures(results(), folder / "figures")
    return folder


def test_no_file_name_is_used_twice():
    for kind in ("drawings", "tables", "frames"):
        names = [name for section in SECTIONS for name in getattr(section, kind)]
        assert len(names) == len(set(names))


def test_every_figure_is_drawn_and_wide_enough(written):
    drawn = sorted((written / "figures").glob("*.png"))
    assert {path.stem for path in drawn} == DRAWINGS
    for path in drawn:
        with Image.open(path) as image:
            assert image.size[0] == pytest.approx(WIDTH * DPI, abs=2)
            assert "Software" not in image.info
            assert np.asarray(image.convert("L")).std() > 1, f"{path.name} is empty"


def test_two_runs_give_the_same_bytes(written, tmp_path):
    again = analyze(SETTINGS, study())
    write_tables(again, tmp_path / "tables")
    write_figures(again, tmp_path / "figures")
    files = sorted(path.relative_to(written) for path in written.rglob("*.*"))
    assert files
    for file in files:
        assert (written / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_figures_without_photographs_have_vector_files(written):
    kinds = {}
    for path in (written / "figures").iterdir():
        kinds.setdefault(path.stem, set()).add(path.suffix)
    assert kinds.pop("examples") == kinds.pop("film") == {".png"}
    assert set(map(frozenset, kinds.values())) == {frozenset({".png", ".svg", ".pdf"})}


def test_vector_files_embed_their_letters_and_hold_no_date(written):
    for path in (written / "figures").glob("*.svg"):
        text = path.read_text()
        assert ElementTree.fromstring(text).get("viewBox")
        assert "<text" not in text, "letters are outlines"
        assert "<dc:date>" not in text
        assert path.stat().st_size < 500_000
    for path in (written / "figures").glob("*.pdf"):
        data = path.read_bytes()
        assert data.startswith(b"%PDF")
        assert b"/FontFile2" in data, "the font is embedded"
        assert b"/CreationDate" not in data
        assert b"/Type3" not in data
        assert path.stat().st_size < 200_000


def test_training_logs_become_one_csv_for_dvc(written):
    table = pd.read_csv(written / "tables/training.csv")
    assert list(table["policy"].unique()) == ["sft-direct", "grpo-seed0"]
    for policy, log in results().study.training.items():
        mine = table[table["policy"] == policy]
        assert mine["step"].tolist() == log["step"].tolist()
        assert mine["reward"].to_numpy() == pytest.approx(log["reward"].to_numpy(), abs=1e-5)


def test_csv_holds_the_computed_shares(written):
    table = pd.read_csv(written / "tables/accuracy.csv")
    wanted = results().accuracy.set_index(["policy", "split", "type"])["accuracy"]
    assert len(table) == len(wanted)
    for row in table.itertuples():
        assert row.accuracy == pytest.approx(wanted[row.policy, row.split, row.type], abs=1e-6)
