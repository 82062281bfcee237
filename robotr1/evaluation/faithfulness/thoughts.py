"""Thoughts that a policy is given instead of its own, and the beginning of a completion that holds one."""

from collections.abc import Sequence
from os.path import commonprefix
from typing import Any

import numpy as np

from robotr1.questions.prompts import LETTERS, completion_text
from robotr1.questions.thoughts import letters_written
from robotr1.records import Question


def begin(reasoning: str, tokenizer: Any) -> str:
    """A completion with this thought, up to the token that holds its letter.

    The cut must be between tokens as the policy generates them: some tokenizers have one token for "<answer> " or
    " [[".
    """
    return tokenizer.decode(commonprefix(_completions(reasoning, tokenizer)[:2]))


def letter_tokens(tokenizer: Any) -> list[int]:
    """For each of LETTERS the token that follows a text from `begin`."""
    rows = _completions("", tokenizer)
    place = len(commonprefix(rows[:2]))
    return [row[place] for row in rows]


def _completions(reasoning: str, tokenizer: Any) -> list[list[int]]:
    return [tokenizer(completion_text(reasoning, letter))["input_ids"] for letter in LETTERS]


def half(thought: str) -> str:
    """The first half of a thought's words."""
    words = thought.split()
    return " ".join(words[: len(words) // 2])


def borrow(questions: Sequence[Question], thoughts: Sequence[str], seed: int) -> list[str]:
    """For each question a thought about another question of the same split and type that implies another option.

    `thoughts` holds the policy's thought about each question; `seed` draws among them. Empty where there is none.
    """
    rng = np.random.default_rng(seed)
    borrowed = []
    for question, own in zip(questions, thoughts, strict=True):
        meant = letters_written(question.type, question.options, own)
        alike = [i for i, other in enumerate(questions) if (other.split, other.type) == (question.split, question.type)]
        found = ""
        for other in rng.permutation(alike):
            implied = letters_written(question.type, question.options, thoughts[other])
            if implied and not set(implied) & set(meant or ""):
                found = thoughts[other]
                break
        borrowed.append(found)
    return borrowed
