"""Probe whether a policy's answer depends on its written thought, by replacing the thought.

`multiple_choice.consistency` checks that thought and letter agree, but both may come from the image without one causing
the other. Here the policy answers again after a given thought: its own (a control), the first half of it, none, and one
that it wrote about another question of the same type. A policy that reasons loses its answer without the thought, and
follows a borrowed one. The paper does not measure this; truncating a thought and reading the likeliest answer follows
Lanham et al., "Measuring faithfulness in chain-of-thought reasoning" (2023).
"""

from collections.abc import Sequence
from dataclasses import replace

import joblib
import torch

from robotr1.evaluation.completions import Completer, load_completer
from robotr1.evaluation.faithfulness.results import Probed, Thought
from robotr1.evaluation.faithfulness.thoughts import begin, borrow, half, letter_tokens
from robotr1.evaluation.multiple_choice.items import read_questions
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.policies.generate import generation_config
from robotr1.policies.inputs.image_cache import encode_images_once, prepare_images_once
from robotr1.policies.inputs.prompts import batch_inputs
from robotr1.questions.answers import thought
from robotr1.questions.prompts import LETTERS
from robotr1.questions.thoughts import letters_written
from robotr1.records import Prediction, Question
from robotr1.settings import RunBenchmarks

SPLITS = ("test_in", "test_out")


def read_probed_questions(most: int) -> list[Question]:
    """`most` questions of each test split, drawn evenly; none with 0. Raises RecordError for a broken file."""
    return read_questions(splits=SPLITS, most=most) if most else []


def likeliest_letters(complete: Completer, questions: Sequence[Question], begun: Sequence[str]) -> list[str]:
    """The likeliest of each question's letters as the next token after a beginning from `begin`.

    Other tokens do not count: after a broken thought a policy may begin to think again.
    """
    model, processor, size = complete.model, complete.processor, complete.settings.batch_size
    tokens, letters = letter_tokens(processor.tokenizer), []
    config = generation_config(model, processor, 1, temperature=0.0)
    config.return_dict_in_generate = config.output_logits = True
    with torch.inference_mode(), encode_images_once(model), prepare_images_once(processor):
        for start in range(0, len(questions), size):
            rows = slice(start, start + size)
            inputs = batch_inputs(processor, questions[rows], begun[rows]).to(model.device)
            out = model.generate(**inputs, generation_config=config).logits[0]
            for question, scores in zip(questions[rows], out[:, tokens], strict=True):
                letters.append(LETTERS[int(scores[: len(question.options)].argmax())])
    return letters


def probe(policy: str, complete: Completer, questions: Sequence[Question], seed: int = 0) -> list[Probed]:
    """Answers after four thoughts, one row for each thought and question; `seed` draws the borrowed thoughts.

    Questions without a readable image, or whose first answer has no thought or no letter, are left out. So are
    borrowed thoughts where no other thought fits.
    """
    answers = [(question, text) for question, text in zip(questions, complete(questions)) if text is not None]
    first = evaluate(policy, *map(list, zip(*answers))) if answers else []
    thinking = [i for i, answer in enumerate(first) if answer.letter and thought(answer.completion)]
    asked, own = [answers[i][0] for i in thinking], [first[i] for i in thinking]
    thoughts = [thought(answer.completion) for answer in own]
    given: dict[Thought, list[str]] = {
        "own": thoughts,
        "half": [half(one) for one in thoughts],
        "none": [""] * len(thoughts),
        "borrowed": borrow(asked, thoughts, seed),
    }
    rows = []
    for name, reasonings in given.items():
        cases = [case for case in zip(asked, own, reasonings, strict=True) if case[2] or name != "borrowed"]
        rows += _answer_again(policy, complete, name, cases)
    return rows


def _answer_again(
    policy: str, complete: Completer, name: Thought, cases: Sequence[tuple[Question, Prediction, str]]
) -> list[Probed]:
    questions = [question for question, _, _ in cases]
    begun = [begin(reasoning, complete.processor.tokenizer) for _, _, reasoning in cases]
    written = evaluate(policy, questions, complete(questions, prefixes=begun))
    likeliest = likeliest_letters(complete, questions, begun)
    return [
        Probed(
            id=answer.id,
            policy=policy,
            split=answer.split,
            type=answer.type,
            thought=name,
            completion=answer.completion,
            read=answer.letter is not None,
            letter=letter,
            own=own.letter,
            speaks=letters_written(question.type, question.options, reasoning),
            answer=answer.answer,
        )
        for (question, own, reasoning), answer, letter in zip(cases, written, likeliest, strict=True)
    ]


def probe_policy(policy: str, questions: Sequence[Question], settings: RunBenchmarks) -> list[Probed]:
    """`probe` of the policy in `models/<policy>`, with greedy decoding.

    It takes less than a minute, so its completions are not cached: a resumed run probes again.
    Raises PolicyError for a folder without a policy.
    """
    return probe(policy, load_completer(policy, replace(settings, temperature=0.0), None), questions, settings.seed)


def probe_all(policies: Sequence[str], questions: Sequence[Question], settings: RunBenchmarks) -> list[Probed]:
    """`probe_policy` of each policy, `settings.workers` of them at a time in processes of their own."""
    job = joblib.delayed(probe_policy)
    each = joblib.Parallel(n_jobs=settings.workers)(job(policy, questions, settings) for policy in policies)
    return [row for rows in each for row in rows]
