"""Does the answer hang on the written thought? `python -m robotr1.evaluation.faithfulness grpo-seed0`

`consistency` asks whether thought and letter agree; they may both come from the image and agree without one causing
the other. Here the policy answers anew behind a thought that is given to it: its own (a control), the first half of it,
none, and the one that it wrote about another question of the same type. A policy that reasons loses its way without
the thought, and behind a borrowed one it takes what that thought speaks for. The paper does not ask.
"""

import argparse
from collections.abc import Sequence
from os.path import commonprefix

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedTokenizerBase, ProcessorMixin

from robotr1 import paths
from robotr1.evaluation.benchmark import read_questions
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.questions.answers import parse_answer, thought
from robotr1.questions.prompts import completion_text
from robotr1.questions.thoughts import letters_written
from robotr1.records import Question
from robotr1.statistics import accuracy_interval

THOUGHTS = ("own", "half", "none", "borrowed")
MEASURES = ("read", "same", "right", "follows")


def begin(reasoning: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """A completion with this thought, up to the token that holds its letter.

    The cut must lie between tokens as the policy writes them: some tokenizers have one token for "<answer> " or " [[".
    """
    rows = [tokenizer(completion_text(reasoning, letter))["input_ids"] for letter in "AB"]
    return tokenizer.decode(commonprefix(rows))


def borrow(questions: Sequence[Question], thoughts: Sequence[str], seed: int) -> list[str]:
    """For each question the thought about another one of its type that speaks for another option than its own thought.

    Empty where there is none. Drawn by `seed`.
    """
    rng = np.random.default_rng(seed)
    borrowed = []
    for asked, own in zip(questions, thoughts, strict=True):
        meant = letters_written(asked.type, asked.options, own)
        found = ""
        for other in rng.permutation([i for i, question in enumerate(questions) if question.type == asked.type]):
            speaks = letters_written(asked.type, asked.options, thoughts[other])
            if speaks and not set(speaks) & set(meant or ""):
                found = thoughts[other]
                break
        borrowed.append(found)
    return borrowed


def probe(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    questions: Sequence[Question],
    *,
    batch_size: int,
    max_completion_length: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Answers behind four thoughts, one row a question and thought.

    Measured are: whether a letter can be `read` (behind a broken thought a policy may begin to think again), whether it
    is the `same` as when the policy thought itself, whether it is `right`, and whether it `follows` the given thought:
    is one that it speaks for (missing where it speaks for none).
    Questions whose first answer cannot be read are left out, and for a borrowed thought those that nobody can lend to.
    """
    ask = {"batch_size": batch_size, "max_completion_length": max_completion_length}
    first = complete(model, processor, questions, **ask)
    readable = [i for i, text in enumerate(first) if parse_answer(text) and thought(text)]
    asked, letters = [questions[i] for i in readable], [parse_answer(first[i]) for i in readable]
    own = [thought(first[i]) for i in readable]
    half = [" ".join(words[: len(words) // 2]) for words in map(str.split, own)]
    given = {"own": own, "half": half, "none": [""] * len(own), "borrowed": borrow(asked, own, seed)}
    rows = []
    for name, thoughts in given.items():
        texts = complete(model, processor, asked, **ask, begun=[begin(one, processor.tokenizer) for one in thoughts])
        for question, letter, reasoning, text in zip(asked, letters, thoughts, texts, strict=True):
            if name == "borrowed" and not reasoning:
                continue
            answer, speaks = parse_answer(text), letters_written(question.type, question.options, reasoning)
            follows = bool(answer) and answer in speaks if speaks else None
            found = {
                "read": answer is not None,
                "same": answer == letter,
                "right": answer == question.answer,
                "follows": follows,
            }
            rows.append({"thought": name, "id": question.id, "type": question.type, **found})
    return pd.DataFrame(rows, columns=["thought", "id", "type", *MEASURES])


def summarize(probed: pd.DataFrame) -> pd.DataFrame:
    """Shares with Wilson's 95 % intervals, a row for each thought and measure, types pooled."""
    rows = []
    for name in THOUGHTS:
        for measure in MEASURES:
            values = probed.loc[probed["thought"] == name, measure].dropna().astype(bool).tolist()
            if values:
                numbers = dict(zip(("share", "low", "high"), accuracy_interval(values), strict=True))
                rows.append({"thought": name, "measure": measure, "questions": len(values), **numbers})
    return pd.DataFrame(rows, columns=["thought", "measure", "questions", "share", "low", "high"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policy", help="a folder of models/")
    parser.add_argument("--questions", type=int, default=300, help="drawn evenly from test_in")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-completion-length", type=int, default=96)
    arguments = parser.parse_args()
    questions = read_questions(splits=["test_in"], most=arguments.questions)
    probed = probe(
        *load_policy(paths.MODELS / arguments.policy),
        questions,
        batch_size=arguments.batch_size,
        max_completion_length=arguments.max_completion_length,
    )
    print(summarize(probed).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
