"""Asking a real policy, made small, the open questions."""

from dataclasses import replace

import pytest

from robotr1 import paths
from robotr1.evaluation import open_exam
from robotr1.evaluation.judge import ReferenceJudge
from robotr1.evaluation.reasoning import read_items, score, summarize
from robotr1.settings import RunBenchmarks

SETTINGS = RunBenchmarks(
    **{"quantization": "none", "batch_size": 4, "max_completion_length": 8, "temperature": 0.0}
    | {"questions_per_split": 0, "reasoning": ["planning"], "closed_loop_episodes": 0, "threads": 1, "seed": 0}
)


@pytest.fixture
def asked(monkeypatch):
    """The policy's place is taken by one that repeats the question; what it is asked is kept."""
    seen = []

    def complete(model, processor, questions, **settings):
        seen.extend(questions)
        return [f"<answer> {question.reference} </answer>" for question in questions]

    monkeypatch.setattr("robotr1.policies.generate.complete", complete)
    monkeypatch.setattr("robotr1.policies.load.load_policy", lambda folder, quantization: (None, None))
    return seen


def test_missing_and_broken_images_are_counted_and_stop_nothing(asked, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    items = read_items()[:4]
    items = [items[0], replace(items[1], image="nowhere.png"), replace(items[2], image=str(broken)), items[3]]
    completions = open_exam.ask("p", items, SETTINGS)
    assert [completion is None for completion in completions] == [False, True, True, False]
    assert [item.id for item in asked] == [items[0].id, items[3].id]
    rows = score("p", items, completions, ReferenceJudge())
    assert [row.judgement.score for row in rows] == [3, 0, 0, 3]
    assert summarize(rows).query("distribution == 'all'")["no_answer"].sum() == 2


def test_every_image_of_the_committed_set_can_be_shown():
    assert all(open_exam._has_image(item) for item in read_items())
    assert all(not item.image.startswith("/") for item in read_items())
    assert paths.ROOT.is_dir()
