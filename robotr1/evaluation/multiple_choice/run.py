"""Run the multiple-choice benchmark: policies answer all questions, in every form that they were trained for."""

import json
from collections.abc import Sequence
from typing import Literal

import joblib

from robotr1 import paths
from robotr1.evaluation.completions import load_completer
from robotr1.evaluation.multiple_choice.items import open_form_questions, read_scenes
from robotr1.evaluation.multiple_choice.scoring import evaluate, evaluate_open_form
from robotr1.policies.names import BLANK, parse_name
from robotr1.records import Prediction, Question, RecordError
from robotr1.settings import BuildQuestions, RunBenchmarks

# The form that a policy answers, by the form that it was trained on (training.sft and training.grpo).
FORMS = {"mcqa": "mcqa", "cold_start": "mcqa", "open": "open", "direct": "open", "cot": "open", "planning": "planning"}


def answer_form(policy: str) -> Literal["mcqa", "open", "planning"]:
    """The form that the policy in `models/<policy>` was trained to answer, from its settings.json; mcqa without one.

    Raises RecordError where that file is damaged.
    """
    file = paths.MODELS / policy / "settings.json"
    if not file.is_file():
        return "mcqa"
    try:
        return FORMS[json.loads(file.read_text(encoding="utf-8"))["form"]]
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"{paths.relative(file)}: form: {error!r}, expected one of {', '.join(FORMS)}; train this policy again"
        ) from None


def benchmark(
    policy: str, questions: Sequence[Question], settings: RunBenchmarks, prompts: BuildQuestions
) -> list[Prediction]:
    """Load the policy in `models/<policy>` and let it answer `questions` in every form that it was trained for.

    Every policy answers the multiple-choice form. A policy trained on open questions also answers these, as
    `<policy>-own-form`. One that chooses also answers the test splits with blank images, as `<policy>-blank`. Questions
    without a readable image are left out, with a printed line that counts them. With temperature 0 the predictions
    depend on the policy alone. Raises PolicyError for a folder without a policy.
    """
    complete, form = load_completer(policy, settings), answer_form(policy)
    completions = complete(questions)
    if lost := [question for question, text in zip(questions, completions) if text is None]:
        print(f"{policy}: {len(lost)} questions are left out; the first has no readable image: {lost[0].image}")
        questions = [question for question, text in zip(questions, completions) if text is not None]
    predictions = evaluate(policy, questions, [text for text in completions if text is not None])
    if form == "open":
        think = not parse_name(policy).supervised
        asked = open_form_questions(questions, prompts, read_scenes(questions), think)
        predictions += evaluate_open_form(policy, asked, complete(asked))
    if form == "mcqa":
        asked = [question for question in questions if question.split != "validation"]
        predictions += evaluate(policy + BLANK, asked, complete(asked, "blank"))
    return predictions


def benchmark_all(
    policies: Sequence[str], questions: Sequence[Question], settings: RunBenchmarks, prompts: BuildQuestions
) -> list[Prediction]:
    """`benchmark` of each policy, `settings.workers` of them at a time in processes of their own."""
    job = joblib.delayed(benchmark)
    each = joblib.Parallel(n_jobs=settings.workers)(job(policy, questions, settings, prompts) for policy in policies)
    return [prediction for predictions in each for prediction in predictions]
