"""Machine and time of a run: the newest entry of each of its stages, and nothing if one is missing."""

import json

import pytest

from robotr1.report.reproduction import provenance
from robotr1.report.reproduction.provenance import where_and_how_long

STAGES = ("extract_demos", "finetune_sft-cot", "train_grpo-grpo-seed0", "run_benchmarks")


@pytest.fixture
def run(tmp_path):
    """A log in which every stage took two minutes, after a longer try, and the executed notebooks of these stages."""
    entries = [{"stage": stage, "seconds": seconds} for seconds in (9999, 120) for stage in STAGES]
    (tmp_path / "times.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    for number, stage in enumerate((*STAGES, "analyze_results"), start=4):
        (tmp_path / f"{number:02d}_{stage}.ipynb").touch()
    return tmp_path


def told(run):
    return where_and_how_long(run / "times.jsonl", run)


def test_newest_times_are_summed_without_the_page_itself(run):
    assert told(run).startswith("The run took 8 minutes, 2.0 of them for reinforcement learning, on ")
    assert told(run).endswith(f"on {provenance.processors()}.")


def test_stages_of_other_runs_do_not_count(run):
    with open(run / "times.jsonl", "a") as file:
        file.write(json.dumps({"stage": "train_grpo-rloo-seed0", "seconds": 6000}) + "\n")
    assert "took 8 minutes" in told(run)


@pytest.mark.parametrize(
    "change", [lambda run: (run / "times.jsonl").unlink(), lambda run: (run / "02_x.ipynb").touch()]
)
def test_a_run_with_a_stage_from_elsewhere_is_given_no_place(run, change):
    change(run)
    assert "machine and time are unknown" in told(run)


def test_a_graphics_card_is_named_by_its_driver(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "GPUS", tmp_path)
    assert provenance.processors().endswith("no GPU")
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0/information").write_text("Model: \t\t NVIDIA A100-SXM4-40GB\nIRQ:  42\n")
    assert provenance.processors().endswith(", NVIDIA A100-SXM4-40GB")
