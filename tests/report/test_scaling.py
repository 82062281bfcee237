"""Costs from measurements: the arithmetic, and "not measured" for missing ones."""

import json
import re

import pytest

from robotr1.report import scaling

PAPER = {
    "prompts_per_step": 128,
    "num_generations": 5,
    "max_completion_length": 2048,
    "steps": 290,
    "prompt_budget": 2048,
}
SETS = [
    {"questions": 7_500, "cpu_seconds": 2.3, "peak_rss_mb": 100, "file_mb": 12},
    {"questions": 1_000_000, "cpu_seconds": 360.0, "peak_rss_mb": 199, "file_mb": 1000},
]


def value(text, name):
    return re.search(rf"^\| {re.escape(name)} \| ([^|]*) \|", text, re.MULTILINE)[1]


@pytest.fixture
def known(tmp_path):
    results, demos = tmp_path / "results", tmp_path / "demos"
    results.mkdir()
    steps = {"ours": [{"seconds": 1.0}, {"seconds": 3.0}, {"seconds": 2.0}]}
    files = {
        "demos": {"demonstrations": 50, "cpu_seconds": 30},
        "questions": {"sets": SETS},
        "grpo_step": {"steps": steps},
    }
    for name, content in files.items():
        (results / f"{name}.json").write_text(json.dumps(content))
    for episode in range(2):
        folder = demos / f"push_button/variation0/episodes/episode{episode}"
        folder.mkdir(parents=True)
        for name in "ab":
            (folder / name).write_bytes(b"x" * 500)
    return scaling.measured(results, demos)


def test_demonstrations(known):
    text = scaling.scaling(known, PAPER)
    assert value(text, "CPU hours for 1,000,000") == "167"  # 10^6 / 100 a minute
    assert value(text, "disk") == "1 GB"
    assert value(text, "files") == "2,000,000"


def test_questions_are_linear_and_memory_is_a_line(known):
    text = scaling.scaling(known, PAPER)
    assert known["question_seconds"] == pytest.approx(360e-6)
    assert value(text, "CPU hours for 100,000,000") == "10.0 hours"
    start, each = known["question_memory"]
    assert start + each * 1_000_000 == pytest.approx(199 * 2**20)
    assert each == pytest.approx(100 * 2**20 / 1e6, rel=0.01)


def test_a_large_policy(known):
    text = scaling.scaling(known, PAPER)
    assert value(text, "one GRPO step of the tiny policy, ours") == "2.00 s"
    assert value(text, "weights in bfloat16") == "144 GB"
    operations = 6 * 72e9 * 640 * 4096
    assert value(text, "operations of a step") == f"{operations:.1e}"
    hours = 290 * operations / (8 * 989e12 * 0.3) / 3600
    assert value(text, "290 steps on 8 H100") == f"{hours:.1f} hours"


def test_what_was_not_measured_is_said(tmp_path):
    text = scaling.scaling(scaling.measured(tmp_path, tmp_path / "none"), PAPER)
    for name in ("demonstrations per CPU minute", "disk", "CPU seconds a question", "peak memory"):
        assert value(text, name) == "not measured"
    assert "Stage times: not measured" in text
    assert "measured |" not in text.replace("not measured |", "")


def test_the_committed_report_has_the_committed_measurements(committed):
    text = (committed / "reports/scaling.md").read_text()
    known = scaling.measured(committed / "performance/results", committed / "data/demos")
    for name, seconds in known["step_seconds"].items():
        assert value(text, f"one GRPO step of the tiny policy, {name}") == f"{seconds:.2f} s"
    assert value(text, "CPU seconds a question") == f"{known['question_seconds']:.3g}"
    assert value(text, "290 steps on 8 H100") == value(
        scaling.scaling(known, scaling.paper_profile()), "290 steps on 8 H100"
    )
