"""Answers behind given thoughts, by policies whose habits are known."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic_study import question
from transformers import AutoTokenizer

from robotr1 import paths
from robotr1.evaluation import faithfulness
from robotr1.evaluation.faithfulness import begin, borrow, probe, summarize
from robotr1.questions.answers import thought
from robotr1.questions.prompts import completion_text
from robotr1.questions.thoughts import letters_written, nearest_option

RNG = np.random.default_rng(5)
QUESTIONS = [question(RNG, "waypoint", episode=number) for number in range(12)]


class Letters:
    """A tokenizer with a token for each character."""

    def __call__(self, text):
        return {"input_ids": [ord(letter) for letter in text]}

    def decode(self, tokens):
        return "".join(map(chr, tokens))


PROCESSOR = SimpleNamespace(tokenizer=Letters())


def own_thought(asked):
    return f"The cup is at {asked.options['ABCD'.index(asked.answer)]}."


def reasoner(asked, begun):
    """Takes the option that the given thought speaks for, and A without one."""
    return letters_written(asked.type, asked.options, thought(begun)) or "A"


def seer(asked, begun):
    """Answers from the image, whatever was written before."""
    return asked.answer


def probed_with(monkeypatch, habit, questions=QUESTIONS):
    def complete(model, processor, asked, *, begun=None, **options):
        if begun is None:
            return [completion_text(own_thought(one), one.answer) for one in asked]
        return [text + f"{habit(one, text)}]] </answer>" for one, text in zip(asked, begun, strict=True)]

    monkeypatch.setattr(faithfulness, "complete", complete)
    table = summarize(probe(None, PROCESSOR, questions, batch_size=4, max_completion_length=8))
    return {(row.thought, row.measure): row.share for row in table.itertuples()}


def test_a_beginning_ends_before_the_letter_where_tokens_do():
    assert begin("So it is.", Letters()) == "<think> So it is. </think> <answer> [["
    tiny = AutoTokenizer.from_pretrained(paths.ROOT / "weights/tiny")
    begun = begin("The cup is at [0.1, 0.2, 0.9].", tiny)
    assert begun == "<think> The cup is at [0.1, 0.2, 0.9]. </think> <answer> "
    whole = tiny(completion_text("The cup is at [0.1, 0.2, 0.9].", "C"))["input_ids"]
    cut = tiny(begun)["input_ids"]
    assert whole[: len(cut)] == cut


def test_a_reasoner_follows_the_thought_that_it_is_given(monkeypatch):
    shares = probed_with(monkeypatch, reasoner)
    assert shares["own", "same"] == shares["own", "follows"] == shares["own", "right"] == 1
    assert shares["borrowed", "follows"] == shares["none", "read"] == 1
    assert shares["borrowed", "same"] == shares["borrowed", "right"] == 0
    assert shares["none", "same"] == sum(one.answer == "A" for one in QUESTIONS) / len(QUESTIONS)
    assert ("none", "follows") not in shares


def test_a_seer_does_not(monkeypatch):
    shares = probed_with(monkeypatch, seer)
    assert {shares[name, "same"] for name in ("own", "half", "none", "borrowed")} == {1}
    assert shares["borrowed", "follows"] == 0


def test_what_is_borrowed_speaks_for_another_option():
    thoughts = [own_thought(one) for one in QUESTIONS]
    lent = borrow(QUESTIONS, thoughts, seed=0)
    assert lent == borrow(QUESTIONS, thoughts, seed=0)
    assert lent != borrow(QUESTIONS, thoughts, seed=1)
    for asked, own, other in zip(QUESTIONS, thoughts, lent, strict=True):
        assert other in thoughts
        assert other != own
        place = [float(number) for number in re.findall(r"-?\d+\.?\d*", other)]
        assert nearest_option(asked.options, place) != asked.answer


@pytest.mark.parametrize("kind", ["state", "movement"])
def test_nobody_lends_across_types(kind):
    lone = question(RNG, kind)
    assert borrow([*QUESTIONS, lone], [*map(own_thought, QUESTIONS), own_thought(lone)], seed=0)[-1] == ""


def test_answers_out_of_form_are_left_out(monkeypatch):
    monkeypatch.setattr(faithfulness, "complete", lambda model, processor, asked, **options: ["rubbish"] * len(asked))
    assert summarize(probe(None, PROCESSOR, QUESTIONS, batch_size=4, max_completion_length=8)).empty
