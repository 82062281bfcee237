"""The page: escaped, self-contained, and made from whatever results there are."""

import dataclasses
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from synthetic_study import SETTINGS, UNTRUSTED, completions, questions, results, results_of

from robotr1 import paths
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.evaluation.published import published_tables
from robotr1.report import page
from robotr1.report.contents import SECTIONS, write_figures, write_tables
from robotr1.report.headline import headline

NO_EXAMPLES = dataclasses.replace(SETTINGS, examples=0)


def tiny(splits, policies=("base",), text=None, settings=SETTINGS):
    """Results of a very small study, which must be drawn without an error."""
    asked = questions(episodes=1, frames=1, splits=splits)
    rng = np.random.default_rng(0)
    found = [p for name in policies for p in evaluate(name, asked, [text or c for c in completions(asked, 0.3, rng)])]
    return results_of(found, asked, settings)


SMALL = {
    "one recorded task, no test_in": lambda: tiny({"test_out": ["reach_target"]}, ["oracle", "random"]),
    "validation only": lambda: tiny({"validation": ["push_button"]}, ["base", "grpo-seed0"]),
    "always unparsable": lambda: tiny({"test_in": ["push_button"]}, ["base", "grpo-seed0", "base-blank"], text="no"),
    "no examples and no training log": lambda: tiny(
        {"test_in": ["push_button"], "test_out": ["lamp_on"]}, ["base", "sft-cot"], settings=NO_EXAMPLES
    ),
}


def write_everything(found, folder):
    write_tables(found, folder / "tables")
    page.write_report(found, write_figures(found, folder / "figures"), folder / "report.html")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The page of the invented study with its figures."""
    folder = tmp_path_factory.mktemp("report")
    write_everything(results(), folder)
    return (folder / "report.html").read_text()


@pytest.mark.parametrize("name", SMALL)
def test_small_studies_are_drawn_without_an_error(name, tmp_path):
    found = SMALL[name]()
    write_everything(found, tmp_path)
    assert headline(found) in (tmp_path / "report.html").read_text()
    assert pd.read_csv(tmp_path / "tables/accuracy.csv")["high"].between(0, 1).all()


def test_two_pages_have_the_same_bytes(text, tmp_path):
    write_everything(results(), tmp_path)
    assert (tmp_path / "report.html").read_text() == text


class _Page(HTMLParser):
    """Collects tags, links, ids and text; complains about tags that do not close in order."""

    VOID = ("meta", "img", "br", "link", "wbr")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.sources, self.ids, self.text = [], [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        self.ids += [value for name, value in attrs if name == "id"]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_page_is_self_contained_and_has_no_script(text):
    parsed = _Page(text)
    assert "script" not in parsed.tags
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in parsed.sources)
    assert str(paths.ROOT) not in text


def test_every_figure_is_on_the_page_once(text):
    drawings = {d.caption for section in SECTIONS for d in section.drawings.values()}
    shown = {caption for caption in drawings if caption.replace('"', "&#34;").replace("'", "&#39;") in text}
    assert len(drawings - shown) == 2, "attention needs a policy, and the examples are text"
    assert _Page(text).tags.count("img") == len(shown)


def test_tables_name_their_rows_and_columns(text):
    for body in text.split("<tbody>")[1:]:
        rows = body.split("</tbody>")[0].split("<tr>")[1:]
        assert rows and all(row.startswith('<th scope="row">') for row in rows)
    assert text.count('<th scope="col">') > 100
    assert text.count("<main>") == text.count("</main>") == 1
    assert 'alt=""' not in text


def test_every_link_of_the_navigation_has_its_heading(text):
    parsed = _Page(text)
    links = [source[1:] for source in parsed.sources if source.startswith("#")]
    assert len(links) > 10
    assert sorted(links) == sorted(parsed.ids)


def test_the_headline_comes_first_and_the_limits_last(text):
    shown = _Page(text).text
    order = ["what this run shows", headline(results()), "Whole tasks", "Demonstrations come", "dvc repro"]
    assert [shown.index(part) for part in order] == sorted(shown.index(part) for part in order)


def test_completions_are_shown_as_text(tmp_path):
    found = tiny({"test_in": ["push_button"]}, ["base", "grpo-seed0"], text=UNTRUSTED)
    text = page.render(found, {})
    assert "<script>" not in text
    assert "<b>bold" not in text
    assert "\x00" not in text
    assert '<script>alert("x")</script>' in _Page(text).text
    write_figures(found, tmp_path)  # nor does matplotlib take it for a formula


def test_every_published_table_is_shown_once_and_apart_from_ours(text):
    shown = _Page(text).text
    for table in published_tables().values():
        assert shown.count(f"{table.table}: {table.title} ({table.scale})") == 1
    tables = [table.make(results()) for section in SECTIONS for table in section.tables.values()]
    assert not any(
        made.astype(str).apply(lambda column: column.str.contains("GPT-4o")).to_numpy().any() for made in tables
    )


def test_report_imports_neither_torch_nor_a_simulator():
    modules = ("page", "reproduction", "readme", "scaling", "summary")
    code = f"import sys, {', '.join(f'robotr1.report.{name}' for name in modules)}\n"
    code += "print([name for name in ('torch', 'mujoco', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_sections_without_results_are_left_out(text):
    everything = {section.name for section in SECTIONS} - {"attention", "question-audit"}
    assert everything <= set(_Page(text).ids)
    small = _Page(page.render(tiny({"test_in": ["push_button"]}), {})).ids
    for name in ("closed-loop", "open-questions", "spatialrgpt", "eb-manipulation", "faithfulness"):
        assert name not in small


def test_sections_say_what_their_numbers_show(text):
    shown = _Page(text).text
    for words in ("Tasks done: random guess", "SpatialRGPT-Bench about regions", "No policy of this run was tested"):
        assert words in shown
    assert "the judge invented and the judge another give the same score in" in shown
    assert "The policies of this run score about 0" not in shown, "one of them answered"
