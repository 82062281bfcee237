"""Asking goes on where it was stopped: nothing is asked twice, nothing is lost, nothing half-written counts."""

import json
from collections import Counter
from dataclasses import replace

import pytest
import speaking_policy
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from killed_exam import sit

from robotr1 import paths
from robotr1.evaluation import completions as asking
from robotr1.evaluation.completions import Transcript, asker, fingerprint, forget, has_image
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.open_questions.items import read_items
from robotr1.evaluation.open_questions.results import summarize
from robotr1.evaluation.open_questions.scoring import score
from robotr1.settings import load_settings

SETTINGS = replace(
    load_settings()["run_benchmarks"], batch_size=4, max_completion_length=12, threads=1, quantization="none"
)


@pytest.fixture(scope="module")
def policy():
    """The folder of models, with one called base, and twelve questions: three batches of four."""
    folder, asked = speaking_policy.shared()
    return folder.parent, asked


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_exam_killed_again_and_again_ends_as_if_nothing_had_happened(policy, tmp_path, temperature):
    settings, kept, log = replace(SETTINGS, temperature=temperature), tmp_path / "kept", tmp_path / "log"
    assert sit(*(policy[0], kept, settings, policy[1], log), ("asking", 2)) is None
    assert sit(*(policy[0], kept, settings, policy[1], log), ("writing", 4)) is None
    resumed = sit(policy[0], kept, settings, policy[1], log)
    whole = sit(policy[0], tmp_path / "other", settings, policy[1], tmp_path / "whole.log")
    assert resumed == whole
    assert all(all(completions) for completions in whole)
    asked, once = (Counter(path.read_text().splitlines()) for path in (log, tmp_path / "whole.log"))
    assert set(asked) == set(once)
    assert set(once.values()) == {1}
    assert sum(asked.values()) == len(once) + 1, "only the batch that was cut off while it was written"


def question(number, image, prompt="?"):
    return replace(speaking_policy.shared()[1][0], id=str(number), image=str(image), prompt=prompt)


@pytest.fixture
def image(tmp_path):
    (tmp_path / "image.png").write_bytes(b"pixels")
    return tmp_path / "image.png"


def test_another_prompt_picture_or_fingerprint_is_another_question(tmp_path, image):
    file, batch = tmp_path / "kept/base.jsonl", [question(0, image), question(1, image)]
    Transcript(file, "mark").put(batch, "real", ["a", "b\n\u2028"])
    assert Transcript(file, "mark").get(batch, "real") == ["a", "b\n\u2028"]
    assert Transcript(file, "mark").get(batch, "blank") is None
    assert Transcript(file, "mark").get([batch[0], question(1, image, "!")], "real") is None
    image.write_bytes(b"other pixels")
    assert Transcript(file, "mark").get(batch, "real") is None
    assert Transcript(file, "other").known == {}
    assert Transcript(file, "mark").known == {}, "a file of another run is replaced"


@examples(max_examples=30)
@given(cut=st.integers(0, 400), rubbish=st.binary(max_size=20))
def test_a_damaged_file_loses_no_whole_line_before_the_damage(tmp_path_factory, cut, rubbish):
    folder = tmp_path_factory.mktemp("kept")
    (folder / "image.png").write_bytes(b"pixels")
    batches = [[question(number, folder / "image.png", prompt=f"{number}?")] for number in range(4)]
    transcript = Transcript(folder / "p.jsonl", "mark")
    for number, batch in enumerate(batches):
        transcript.put(batch, "real", [f"answer {number}"])
    content = transcript.file.read_bytes()
    transcript.file.write_bytes(content[:cut] + rubbish)
    again = Transcript(transcript.file, "mark")
    whole = content[: min(cut, len(content))].count(b"\n")
    for number, batch in enumerate(batches):
        known = again.get(batch, "real")
        assert known in (None, [f"answer {number}"])
        assert known or number + 1 >= whole
    again.put(batches[0], "blank", ["new"])
    assert Transcript(transcript.file, "mark").known == again.known


def test_the_fingerprint_holds_weights_and_settings(policy, tmp_path):
    base = policy[0] / "base"
    marks = {fingerprint(base, SETTINGS), fingerprint(base, replace(SETTINGS, closed_loop_episodes=1))}
    assert len(marks) == 1, "what does not change a completion does not matter"
    marks |= {fingerprint(base, replace(SETTINGS, **change)) for change in ({"seed": 1}, {"max_completion_length": 9})}
    other = tmp_path / "base"
    other.mkdir()
    for file in base.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    assert len(marks | {fingerprint(other, SETTINGS)}) == 4


def test_what_was_kept_is_forgotten_at_the_end(tmp_path, image):
    Transcript(tmp_path / "kept/base.jsonl", "mark").put([question(0, image)], "real", ["a"])
    forget(tmp_path / "kept")
    forget(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_missing_and_broken_images_are_counted_and_stop_nothing(monkeypatch, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    seen = []

    def complete(model, processor, questions, **settings):
        seen.extend(questions)
        return [f"<answer> {question.reference} </answer>" for question in questions]

    monkeypatch.setattr("robotr1.policies.generate.complete", complete)
    monkeypatch.setattr("robotr1.policies.load.load_policy", lambda folder, quantization: (None, None))
    monkeypatch.setattr(asking, "fingerprint", lambda policy, settings: "mark")
    items = read_items()[:4]
    items = [items[0], replace(items[1], image="nowhere.png"), replace(items[2], image=str(broken)), items[3]]
    completions = asker("p", SETTINGS, tmp_path)(items)
    assert [completion is None for completion in completions] == [False, True, True, False]
    assert [item.id for item in seen] == [items[0].id, items[3].id]
    rows = score({"p": completions}, items, ReferenceJudge())
    assert [row.judgement.score for row in rows] == [3, 0, 0, 3]
    assert summarize(rows).query("distribution == 'all'")["no_answer"].sum() == 2


def test_every_image_of_the_committed_set_can_be_shown():
    assert all(has_image(item.image) for item in read_items())
    assert all(not item.image.startswith("/") for item in read_items())
    assert json.dumps(paths.relative(asking.FOLDER)) == '"checkpoints/run_benchmarks"'
