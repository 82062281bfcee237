"""Answers after given thoughts, by policies whose habits are known."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import speaking_policy
from synthetic_study import question
from transformers import AutoTokenizer

from robotr1 import paths
from robotr1.evaluation.completions import Completer
from robotr1.evaluation.faithfulness import __main__ as command
from robotr1.evaluation.faithfulness import run as faithfulness
from robotr1.evaluation.faithfulness.results import THOUGHTS, summarize
from robotr1.evaluation.faithfulness.run import likeliest_letters, probe
from robotr1.evaluation.faithfulness.thoughts import begin, borrow, letter_tokens
from robotr1.policies.load import load_policy
from robotr1.questions.answers import parse_answer, thought
from robotr1.questions.prompts import completion_text
from robotr1.questions.thoughts import letters_written, nearest_option
from robotr1.settings import load_settings

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
    """Chooses the option that the given thought implies, and A without one."""
    return letters_written(asked.type, asked.options, thought(begun)) or "A"


def seer(asked, begun):
    """Answers from the image and ignores the thought."""
    return asked.answer


def rows_of(monkeypatch, habit, questions=QUESTIONS, writes=lambda begun: True):
    """The probe of a policy with a habit, which writes a letter at once only where it `writes`."""

    def complete(asked, prefixes=None):
        if prefixes is None:
            return [completion_text(own_thought(one), one.answer) for one in asked]
        letters = [f"{habit(one, text)}]] </answer>" if writes(text) else "Well," for one, text in zip(asked, prefixes)]
        return [text + letter for text, letter in zip(prefixes, letters, strict=True)]

    def likeliest(complete, asked, begun):
        return [habit(one, text) for one, text in zip(asked, begun, strict=True)]

    complete.processor = PROCESSOR
    monkeypatch.setattr(faithfulness, "likeliest_letters", likeliest)
    return probe("grpo-seed0", complete, questions)


def shares_of(rows):
    table = summarize(rows).query("type == 'all' and split == 'test_in'")
    return {(row.thought, row.measure): row.share for row in table.itertuples()}


def test_a_beginning_ends_before_the_letter_where_tokens_do():
    assert begin("So it is.", Letters()) == "<think> So it is. </think> <answer> [["
    tiny = AutoTokenizer.from_pretrained(paths.ROOT / "weights/tiny")
    begun = begin("The cup is at [0.1, 0.2, 0.9].", tiny)
    assert begun == "<think> The cup is at [0.1, 0.2, 0.9]. </think> <answer> "
    whole = tiny(completion_text("The cup is at [0.1, 0.2, 0.9].", "C"))["input_ids"]
    cut = tiny(begun)["input_ids"]
    assert whole[: len(cut)] == cut


@pytest.mark.parametrize("weights", ["tiny", "speaking"])
def test_the_token_after_a_beginning_holds_the_letter(weights):
    folder = paths.ROOT / "weights/tiny" if weights == "tiny" else speaking_policy.shared()[0]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens, begun = letter_tokens(tokenizer), begin(speaking_policy.THOUGHT, tokenizer)
    for letter, token in zip("ABCD", tokens, strict=False):
        assert completion_text(speaking_policy.THOUGHT, letter).startswith(begun + tokenizer.decode([token]))
    assert len(set(tokens[:4])) == 4


@pytest.fixture(scope="module")
def policy():
    settings = replace(load_settings()["run_benchmarks"], batch_size=5, max_completion_length=60, temperature=0.0)
    return Completer(*load_policy(speaking_policy.shared()[0]), settings)


def likeliest_where(policy, preferred, options=4):
    """The letters found where the model prefers one letter in each question, and some other token to all letters."""
    model, processor = policy.model, policy.processor
    asked = [replace(one, options=one.options[:options]) for one in speaking_policy.shared()[1]]
    begun = [begin(speaking_policy.THOUGHT, processor.tokenizer)] * len(asked)
    tokens, waiting = letter_tokens(processor.tokenizer), list(preferred)

    def prefer(module, given, out):
        for row in out:
            row[-1, tokens["ABCD".index(waiting.pop(0))]] += 100
        out[..., processor.tokenizer.eos_token_id] += 1000
        return out

    hook = model.lm_head.register_forward_hook(prefer)
    found = likeliest_letters(policy, asked, begun)
    hook.remove()
    assert not waiting
    return found


def test_each_question_gets_the_letter_that_is_likeliest_there(policy):
    assert likeliest_where(policy, "ABCDDCBAACAB") == list("ABCDDCBAACAB")


def test_the_likeliest_letter_is_one_of_the_options(policy):
    assert set(likeliest_where(policy, "C" * 12, options=2)) <= {"A", "B"}


def test_the_likeliest_letter_after_the_own_thought_is_the_written_one(policy):
    asked = speaking_policy.shared()[1]
    written = policy(asked)
    begun = [begin(thought(text), policy.processor.tokenizer) for text in written]
    assert likeliest_letters(policy, asked, begun) == [parse_answer(text) for text in written]


def test_a_reasoner_follows_the_thought_that_it_is_given(monkeypatch):
    shares = shares_of(rows_of(monkeypatch, reasoner))
    assert shares["own", "same"] == shares["own", "follows"] == shares["own", "right"] == 1
    assert shares["borrowed", "follows"] == shares["none", "read"] == 1
    assert shares["borrowed", "same"] == shares["borrowed", "right"] == 0
    assert shares["none", "same"] == sum(one.answer == "A" for one in QUESTIONS) / len(QUESTIONS)
    assert ("none", "follows") not in shares


def test_a_seer_does_not(monkeypatch):
    shares = shares_of(rows_of(monkeypatch, seer))
    assert {shares[name, "same"] for name in ("own", "half", "none", "borrowed")} == {1}
    assert shares["borrowed", "follows"] == 0


def test_a_letter_that_is_not_written_is_counted_by_what_is_likeliest(monkeypatch):
    rows = rows_of(monkeypatch, seer, writes=thought)
    shares = shares_of(rows)
    assert (shares["none", "read"], shares["own", "read"]) == (0, 1)
    assert shares["none", "same"] == shares["none", "right"] == 1
    assert all(row.completion.endswith("Well,") == (row.thought == "none") for row in rows)


def test_a_row_for_every_thought_and_question_and_none_lends_across_splits(monkeypatch):
    asked = [*QUESTIONS, *(question(RNG, "waypoint", "test_out", "lamp_on", number) for number in range(5))]
    rows = rows_of(monkeypatch, reasoner, asked)
    found = {name: [row.id for row in rows if row.thought == name] for name in THOUGHTS}
    assert found["own"] == found["half"] == found["none"] == [one.id for one in asked]
    lent = borrow(asked, [own_thought(one) for one in asked], seed=0)
    assert found["borrowed"] == [one.id for one, reasoning in zip(asked, lent, strict=True) if reasoning]
    assert {row.split for row in rows if row.thought == "borrowed"} == {"test_in", "test_out"}
    split = {own_thought(one): one.split for one in asked}
    assert all(split[thought(row.completion)] == row.split for row in rows if row.thought == "borrowed")


def test_the_study_probes_greedily_as_its_settings_say(monkeypatch):
    settings = replace(load_settings()["run_benchmarks"], temperature=1.0, seed=7, workers=1)
    asked, seen = speaking_policy.shared()[1], []
    monkeypatch.setattr(faithfulness, "load_completer", lambda policy, settings, folder: (policy, settings, folder))
    monkeypatch.setattr(faithfulness, "probe", lambda policy, *given: seen.append(given) or [policy])
    assert faithfulness.probe_all(["base", "grpo-seed0"], asked, settings) == ["base", "grpo-seed0"]
    assert seen[0] == (("base", replace(settings, temperature=0.0), None), asked, 7)
    assert faithfulness.read_probed_questions(0) == []


def test_questions_without_an_image_are_left_out(policy):
    asked = speaking_policy.shared()[1]
    rows = probe("base", policy, [replace(asked[0], image="nowhere.png"), *asked[1:]])
    assert {row.id for row in rows} <= {one.id for one in asked[1:]}
    assert len({row.id for row in rows}) > 6


def test_a_borrowed_thought_implies_another_option():
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
def test_thoughts_are_borrowed_only_within_a_type(kind):
    lone = question(RNG, kind)
    assert borrow([*QUESTIONS, lone], [*map(own_thought, QUESTIONS), own_thought(lone)], seed=0)[-1] == ""


def test_answers_out_of_form_are_left_out(monkeypatch):
    def complete(asked, prefixes=None):
        return ["rubbish"] * len(asked)

    complete.processor = PROCESSOR
    monkeypatch.setattr(faithfulness, "likeliest_letters", lambda *given: [])
    assert probe("sft-cot", complete, QUESTIONS) == []


def test_the_command_line_prints_the_shares_of_a_policy(monkeypatch, capsys):
    folder, asked = speaking_policy.shared()
    asked = [replace(one, split="test_in") for one in asked]
    monkeypatch.setattr(paths, "MODELS", folder.parent)
    monkeypatch.setattr(command, "read_probed_questions", lambda most: asked[:most])
    command.main([folder.name, "--questions", "8", "--batch-size", "4", "--max-completion-length", "60"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["split", "thought", "measure", "questions", "share", "low", "high"]
    assert any(line.split()[:3] == ["test_in", "own", "same"] for line in lines)
