"""Tables, figures and the page: escaped, readable, the same every time, and made from whatever there is."""

import dataclasses
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from synthetic_study import SETTINGS, UNTRUSTED, completions, fresh_study, questions, study

from robotr1 import paths
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.report import figures, html, other_tables, tables
from robotr1.report.results import analyze, headline

NO_EXAMPLES = dataclasses.replace(SETTINGS, examples=0)


def tiny(splits, policies=("base",), text=None, settings=SETTINGS):
    """Results of a very small study, to be drawn without an error."""
    asked = questions(episodes=1, frames=1, splits=splits)
    rng = np.random.default_rng(0)
    found = [p for name in policies for p in evaluate(name, asked, [text or c for c in completions(asked, 0.3, rng)])]
    return analyze(settings, found, {one.id: one for one in asked}, {})


SMALL = {
    "one recorded task, no test_in": lambda: tiny({"test_out": ["reach_target"]}, ["oracle", "random"]),
    "validation only": lambda: tiny({"validation": ["push_button"]}, ["base", "grpo-seed0"]),
    "always unparsable": lambda: tiny({"test_in": ["push_button"]}, ["base", "grpo-seed0", "base-blank"], text="no"),
    "no examples and no training log": lambda: tiny(
        {"test_in": ["push_button"], "test_out": ["lamp_on"]}, ["base", "sft-cot"], settings=NO_EXAMPLES
    ),
}


def write_everything(results, folder):
    tables.write_tables(results, folder / "tables")
    html.write_report(results, figures.write_figures(results, folder / "figures"), folder / "report.html")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with tables, figures and page of the invented study."""
    folder = tmp_path_factory.mktemp("report")
    write_everything(study(), folder)
    return folder


@pytest.fixture
def page(written):
    return (written / "report.html").read_text()


@pytest.mark.parametrize("name", SMALL)
def test_small_studies_are_drawn_without_an_error(name, tmp_path):
    results = SMALL[name]()
    write_everything(results, tmp_path)
    assert headline(results) in (tmp_path / "report.html").read_text()
    assert pd.read_csv(tmp_path / "tables/accuracy.csv")["high"].between(0, 1).all()


def test_every_figure_is_drawn_and_wide_enough(written):
    drawn = sorted((written / "figures").glob("*.png"))
    assert {path.stem for path in drawn} == set(figures.FIGURES)
    for path in drawn:
        with Image.open(path) as image:
            assert image.size[0] == pytest.approx(figures.WIDTH * figures.DPI, abs=2)
            assert "Software" not in image.info
            assert np.asarray(image.convert("L")).std() > 1, f"{path.name} is empty"


def test_two_runs_give_the_same_bytes(written, tmp_path):
    write_everything(fresh_study(), tmp_path)
    files = sorted(path.relative_to(written) for path in written.rglob("*.*"))
    assert len(files) > 15
    for file in files:
        assert (written / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_vectors_lie_beside_every_figure_without_photographs(written):
    kinds = {}
    for path in (written / "figures").iterdir():
        kinds.setdefault(path.stem, set()).add(path.suffix)
    assert kinds.pop("examples") == kinds.pop("film") == {".png"}
    assert set(map(frozenset, kinds.values())) == {frozenset({".png", ".svg", ".pdf"})}


def test_vectors_hold_their_letters_and_no_date(written):
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


def test_training_curves_are_a_table_for_dvc(written):
    table = pd.read_csv(written / "tables/training.csv")
    assert list(table["policy"].unique()) == ["sft-direct", "grpo-seed0"]
    for policy, log in study().training.items():
        mine = table[table["policy"] == policy]
        assert mine["step"].tolist() == log["step"].tolist()
        assert mine["reward"].to_numpy() == pytest.approx(log["reward"].to_numpy(), abs=1e-5)


class _Page(HTMLParser):
    """Collects tags, links and text; complains about tags that do not close in order."""

    VOID = ("meta", "img", "br", "link", "wbr")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.sources, self.text = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_page_is_self_contained_and_has_no_script(page):
    parsed = _Page(page)
    assert "script" not in parsed.tags
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in parsed.sources)
    assert parsed.tags.count("img") >= len(figures.FIGURES) - 1
    assert str(paths.ROOT) not in page


def test_summary_comes_first_and_captions_say_what_to_see(page):
    text = _Page(page).text
    order = ["what this run shows", headline(study()), "Figures", "A dot is a step", "Demonstrations come", "dvc repro"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_completions_are_shown_as_text(tmp_path):
    results = tiny({"test_in": ["push_button"]}, ["base", "grpo-seed0"], text=UNTRUSTED)
    page = html.render(results, {})
    assert "<script>" not in page
    assert "<b>bold" not in page
    assert "\x00" not in page
    assert '<script>alert("x")</script>' in _Page(page).text
    figures.write_figures(results, tmp_path)  # nor does matplotlib take it for a formula


def test_markdown_escapes_bars_and_line_ends():
    text = tables.markdown(pd.DataFrame({"a|b": ["x\ny"], "c": [1]}))
    assert text == "| a\\|b | c |\n| --- | --- |\n| x<br>y | 1 |\n"


def test_reading_tables_say_what_was_not_asked_and_not_readable():
    results = study()
    table = tables.accuracy_table(results, "test_in").set_index("policy")
    assert table.loc["direct SFT, open form", "movement"] == "not asked"
    assert table.loc["direct SFT, open form", "all"].endswith("] *")
    assert int(table.loc["base", "unparsable"]) == sum(
        p.letter is None for p in results.predictions if (p.policy, p.split) == ("base", "test_in")
    )
    assert table.loc["best blind guess / chance", "all"].endswith("/ 25.0%")


def test_plain_supervised_policies_are_not_drawn_where_they_were_asked_in_their_own_form():
    results = study()
    assert "sft-direct-own-form" in figures.compared(results.policies)
    assert "sft-direct" not in figures.compared(results.policies)
    (axis,) = figures.gains(results).axes
    shown = " ".join(text.get_text() for text in axis.get_yticklabels())
    assert shown.count("direct SFT") == shown.count("direct SFT, open form") > 0
    assert list(tables.task_table(results))[:3] == ["task", "text only, no image", "base"]


def test_published_numbers_keep_their_own_tables(page):
    assert "Table 3: Low-level reasoning" in page
    assert "judge score 0-3" in page
    assert not any("GPT-4o" in str(table) for table in tables.reading_tables(study()).values())


def test_report_imports_neither_torch_nor_a_simulator():
    modules = ("figures", "html", "reproduction", "results", "sheet", "summary", "tables", "words")
    code = f"import sys, {', '.join(f'robotr1.report.{name}' for name in modules)}\n"
    code += "print([name for name in ('torch', 'mujoco', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_seeds_are_pooled_and_their_range_is_told():
    asked = questions(episodes=2, splits={"test_in": ["push_button"]})
    rng = np.random.default_rng(0)
    skills = {"base": 0.1, "grpo-seed0": 0.9, "grpo-seed1": 0.5}
    found = [p for name, skill in skills.items() for p in evaluate(name, asked, completions(asked, skill, rng))]
    results = analyze(SETTINGS, found, {one.id: one for one in asked}, {})
    row = other_tables.seeds_table(results).iloc[0]
    each = [100 * np.mean([p.correct for p in found if p.policy == f"grpo-seed{seed}"]) for seed in (0, 1)]
    assert (row["algorithm"], row["seeds"]) == ("GRPO", "2")
    assert row["all seeds, over episodes"].startswith(f"{np.mean(each):.1f} [")
    assert row["lowest to highest seed"] == f"{min(each):.1f} to {max(each):.1f}"
    assert row["deviation of seeds"] == f"{np.std(each, ddof=1):.1f}"


def test_acting_and_open_questions_have_sections_of_their_own(page):
    parsed = _Page(page)
    for words in ("Acting: the closed loop", "Open questions", "Tasks done: random guess", "EmbodiedBench EB-Manip"):
        assert words in parsed.text
    for words in ("Lengths and relations", "Discrete actions", "SpatialRGPT-Bench about regions", "not played"):
        assert words in parsed.text
    assert "the judge invented and the judge another give the same score in" in parsed.text
    assert "The policies of this run score about 0" not in parsed.text, "one of them answered"
    assert parsed.text.count("Episodes done (percent)") == 1, "not among the other tables too"
    assert "Acting" not in html.render(tiny({"test_in": ["push_button"]}), {})
