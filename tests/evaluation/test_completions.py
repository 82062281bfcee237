"""A stopped benchmark resumes: no batch is sampled twice, none is lost, and no half-written line counts."""

from collections import Counter
from dataclasses import replace

import pytest
import speaking_policy
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from killed_benchmark import run

from robotr1 import paths
from robotr1.evaluation.completions import FOLDER, Completer, CompletionCache, fingerprint
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.open_questions.items import read_items
from robotr1.evaluation.open_questions.results import summarize
from robotr1.evaluation.open_questions.scoring import score
from robotr1.policies.inputs.images import is_readable
from robotr1.policies.load import load_policy
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
def test_a_benchmark_that_is_killed_twice_ends_with_the_same_completions(policy, tmp_path, temperature):
    settings, cache, log = replace(SETTINGS, temperature=temperature), tmp_path / "cache", tmp_path / "log"
    assert run(policy[0], cache, settings, policy[1], log, ("sampling", 2)) is None
    assert run(policy[0], cache, settings, policy[1], log, ("writing", 4)) is None
    resumed = run(policy[0], cache, settings, policy[1], log)
    whole = run(policy[0], tmp_path / "other", settings, policy[1], tmp_path / "whole.log")
    assert resumed == whole
    assert all(all(completions) for completions in whole)
    asked, once = (Counter(path.read_text().splitlines()) for path in (log, tmp_path / "whole.log"))
    assert set(asked) == set(once)
    assert set(once.values()) == {1}
    assert sum(asked.values()) == len(once) + 1, "only the batch that was half-written"


def question(number, image, prompt="?"):
    return replace(speaking_policy.shared()[1][0], id=str(number), image=str(image), prompt=prompt)


@pytest.fixture
def image(tmp_path):
    (tmp_path / "image.png").write_bytes(b"pixels")
    return tmp_path / "image.png"


def test_another_prompt_image_or_fingerprint_is_another_batch(tmp_path, image):
    file, batch = tmp_path / "cache/base.jsonl", [question(0, image), question(1, image)]
    CompletionCache(file, "mark").put(batch, "real", ["a", "b\n\u2028"])
    assert CompletionCache(file, "mark").get(batch, "real") == ["a", "b\n\u2028"]
    assert CompletionCache(file, "mark").get(batch, "blank") is None
    assert CompletionCache(file, "mark").get([batch[0], question(1, image, "!")], "real") is None
    image.write_bytes(b"other pixels")
    assert CompletionCache(file, "mark").get(batch, "real") is None
    assert CompletionCache(file, "other").batches == {}
    assert CompletionCache(file, "mark").batches == {}, "the file of another policy is replaced"


@examples(max_examples=30)
@given(cut=st.integers(0, 400), rubbish=st.binary(max_size=20))
def test_a_damaged_file_loses_no_whole_line_before_the_damage(tmp_path_factory, cut, rubbish):
    folder = tmp_path_factory.mktemp("cache")
    (folder / "image.png").write_bytes(b"pixels")
    batches = [[question(number, folder / "image.png", prompt=f"{number}?")] for number in range(4)]
    cache = CompletionCache(folder / "p.jsonl", "mark")
    for number, batch in enumerate(batches):
        cache.put(batch, "real", [f"answer {number}"])
    content = cache.file.read_bytes()
    cache.file.write_bytes(content[:cut] + rubbish)
    again = CompletionCache(cache.file, "mark")
    whole = content[: min(cut, len(content))].count(b"\n")
    for number, batch in enumerate(batches):
        known = again.get(batch, "real")
        assert known in (None, [f"answer {number}"])
        assert known or number + 1 >= whole
    again.put(batches[0], "blank", ["new"])
    assert CompletionCache(cache.file, "mark").batches == again.batches


@pytest.mark.parametrize("damaged", ['"abc"', "[1]", "null", "[]", '["a", "b"]', '{"a": "b"}', "[[]]"])
def test_a_line_of_another_form_does_not_count(tmp_path, image, damaged):
    batch = [question(0, image)]
    cache = CompletionCache(tmp_path / "p.jsonl", "mark")
    cache.put(batch, "real", ["a"])
    cache.file.write_text(cache.file.read_text().replace('["a"]', damaged))
    assert CompletionCache(cache.file, "mark").get(batch, "real") is None


def test_any_text_comes_back_from_the_cache(tmp_path, image):
    texts = ["a\u2028b\u2029c\x85d\ud800e\x00\r\n", None, ""]
    batch = [question(number, image, prompt=f"{number}\ud800\u2028") for number in range(3)]
    CompletionCache(tmp_path / "p.jsonl", "mark").put(batch, "real", texts)
    assert CompletionCache(tmp_path / "p.jsonl", "mark").get(batch, "real") == texts


def test_the_fingerprint_holds_weights_and_settings(policy, tmp_path):
    base = policy[0] / "base"
    marks = {fingerprint(base, SETTINGS), fingerprint(base, replace(SETTINGS, closed_loop_episodes=1))}
    assert len(marks) == 1, "a setting that changes no completion"
    marks |= {fingerprint(base, replace(SETTINGS, **change)) for change in ({"seed": 1}, {"max_completion_length": 9})}
    other = tmp_path / "base"
    other.mkdir()
    for file in base.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    assert len(marks | {fingerprint(other, SETTINGS)}) == 4


def test_the_cache_is_cleared_at_the_end(tmp_path, image):
    CompletionCache(tmp_path / "cache/base.jsonl", "mark").put([question(0, image)], "real", ["a"])
    CompletionCache.clear(tmp_path / "cache")
    CompletionCache.clear(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_missing_and_unreadable_images_have_no_completion_and_stop_nothing(policy, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    asked = list(policy[1])
    asked[1], asked[6] = replace(asked[1], image="nowhere.png"), replace(asked[6], image=str(broken))
    cache = CompletionCache(tmp_path / "base.jsonl", "mark")
    complete = Completer(*load_policy(policy[0] / "base"), SETTINGS, cache)
    for images in ("real", "blank"):
        completions = complete(asked, images)
        assert [number for number, text in enumerate(completions) if text is None] == [1, 6]
        assert complete(asked, images) == completions, "they come from the cache"
    assert complete([asked[1]]) == [None]
    asked[1] = policy[1][1]
    assert complete(asked)[1] is not None, "the image is there now"


def test_items_without_an_image_score_nothing():
    items = read_items()[:4]
    completions = [f"<answer> {item.reference} </answer>" for item in items]
    rows = score({"p": [completions[0], None, None, completions[3]]}, items, ReferenceJudge())
    assert [row.judgement.score for row in rows] == [3, 0, 0, 3]
    assert summarize(rows).query("distribution == 'all'")["no_answer"].sum() == 2


def test_every_image_of_the_committed_set_is_readable():
    assert all(is_readable(item.image) for item in read_items())
    assert all(not item.image.startswith("/") for item in read_items())
    assert paths.relative(FOLDER) == "checkpoints/run_benchmarks"
