"""The control of the benchmark's sentences passes, and detects a reader that takes denials for a yes."""

import pytest

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.spatialrgpt import controls, sentences
from robotr1.evaluation.spatialrgpt.items import QUALITATIVE, read_items


def test_every_kind_has_sentences_of_both_polarities():
    words = {word for pair in QUALITATIVE.values() for word in pair}
    told = list(sentences.predicate_sentences())
    assert {(word, truth) for word, _, truth in told} == {(word, truth) for word in words for truth in (True, False)}
    stated = {word for word, text, truth in told if text.startswith("In fact,") and not truth}
    assert stated == words, "the opposite alone denies"
    sentences.check_sentences()


def test_a_reader_that_misses_denials_is_detected(monkeypatch):
    def naive(text, word="", pair=(0, 1)):
        return "not" not in text.lower() and "incorrect" not in text.lower()

    monkeypatch.setattr(sentences, "affirms", naive)
    with pytest.raises(BenchmarkError, match="left: 'In fact, Region|left: 'No"):
        controls.check_controls(read_items())


def test_a_reader_of_choices_that_takes_the_first_region_of_two_is_detected(monkeypatch):
    monkeypatch.setattr(sentences, "chosen_region", lambda text, word: 0)
    with pytest.raises(BenchmarkError, match=r"left: 'Region \[1\] is more"):
        sentences.check_sentences()
