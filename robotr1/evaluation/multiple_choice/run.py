"""Ask policies all questions and write what they answered: the loop behind the notebook `07_run_benchmarks`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import joblib
from scipy.stats import binomtest

from robotr1 import paths
from robotr1.evaluation.completions import asker, has_image
from robotr1.evaluation.controls import UNLIKELY, BenchmarkError
from robotr1.evaluation.multiple_choice.scoring import BLANK, OPEN_TYPES, SPLITS, chance, evaluate, evaluate_own_form
from robotr1.metadata import Metadata, read_metadata
from robotr1.policies.reference import TextOnly, majority, oracle, random_choice
from robotr1.questions.prompts import open_prompt_of
from robotr1.records import Prediction, Question, read_records
from robotr1.settings import BuildQuestions, RunBenchmarks


def read_questions(folder: Path = paths.QUESTIONS, splits: Sequence[str] = SPLITS, most: int = 0) -> list[Question]:
    """The questions of `splits` in their order; with `most`, no more than so many of each split, drawn evenly.

    Raises RecordError where a file is missing or broken.
    """
    chosen = []
    for split in splits:
        questions = read_records(folder / f"{split}.jsonl", Question)
        count = min(most or len(questions), len(questions))
        chosen += [questions[index * len(questions) // count] for index in range(count)]
    return chosen


def read_scenes(questions: Iterable[Question], folder: Path = paths.METADATA) -> dict[str, Metadata]:
    """The metadata of the questions' tasks. Raises MetadataError where a file is missing or broken."""
    return {task: read_metadata(folder / f"{task}.json") for task in sorted({question.task for question in questions})}


def own_form_questions(
    questions: Sequence[Question],
    settings: BuildQuestions,
    scenes: Mapping[str, Metadata] | None = None,
    think: bool = False,
) -> list[Question]:
    """Waypoint and state questions with the open prompt of the training data in place of the multiple-choice one.

    `settings` are those the questions were built with, `scenes` the tasks' metadata, which full prompts describe.
    Reinforcement asks for a thought before the state, supervised data do not: `think`.
    """
    return [
        replace(question, prompt=open_prompt_of(question, settings, (scenes or {}).get(question.task), think))
        for question in questions
        if question.type in OPEN_TYPES
    ]


def controls(questions: Sequence[Question], training: Sequence[Question], seed: int) -> list[Prediction]:
    """Predictions of the policies that need no model: oracle, random and, with training questions, majority and
    text_only."""
    predictions = evaluate("oracle", questions, oracle(questions))
    predictions += evaluate("random", questions, random_choice(questions, seed))
    if training:
        known = {question.type for question in training}
        asked = [question for question in questions if question.type in known]
        predictions += evaluate("majority", asked, majority(asked, training))
        predictions += evaluate("text_only", asked, TextOnly().fit(training).complete(asked))
    return predictions


def answer_form(policy: str) -> Literal["mcqa", "open", "planning"]:
    """What the policy in `models/<policy>` was trained to answer, as its settings.json tells; mcqa where it has none.

    Supervised forms: direct and cot write states, cold_start chooses, planning lists actions (training.sft).
    """
    file = paths.MODELS / policy / "settings.json"
    form = json.loads(file.read_text(encoding="utf-8"))["form"] if file.is_file() else "mcqa"
    return {"direct": "open", "cot": "open", "cold_start": "mcqa"}.get(form, form)


def benchmark(
    policy: str, questions: Sequence[Question], settings: RunBenchmarks, prompts: BuildQuestions
) -> list[Prediction]:
    """Load the policy in `models/<policy>` and let it answer `questions` in every way that is asked of its kind.

    All policies answer in the multiple-choice form. Those trained on open questions answer these as well, as
    `<policy>-own-form`; those that choose also see blank images, as `<policy>-blank`, on the test splits. Questions
    whose image is missing are left out, with a line that says how many. With temperature 0 the result depends on the
    policy alone. Raises PolicyError for a folder without a policy.
    """
    if unseen := [question for question in questions if not has_image(question.image)]:
        print(f"{policy}: {len(unseen)} questions cannot be asked; the first lacks its image {unseen[0].image}")
        questions = [question for question in questions if has_image(question.image)]
    ask, form = asker(policy, settings), answer_form(policy)
    predictions = evaluate(policy, questions, ask(questions))
    if form == "open":
        think = not policy.startswith("sft-")
        asked = own_form_questions(questions, prompts, read_scenes(questions), think)
        predictions += evaluate_own_form(policy, asked, ask(asked))
    if form == "mcqa":
        asked = [question for question in questions if question.split != "validation"]
        predictions += evaluate(policy + BLANK, asked, ask(asked, "blank"))
    return predictions


def benchmark_all(
    policies: Sequence[str], questions: Sequence[Question], settings: RunBenchmarks, prompts: BuildQuestions
) -> list[Prediction]:
    """`benchmark` of each policy in turn, `settings.workers` of them at a time in processes of their own."""
    job = joblib.delayed(benchmark)
    each = joblib.Parallel(n_jobs=settings.workers)(job(policy, questions, settings, prompts) for policy in policies)
    return [prediction for predictions in each for prediction in predictions]


def check_controls(questions: Sequence[Question], predictions: Sequence[Prediction]) -> None:
    """The oracle must be right everywhere, and the random policy no further from chance than luck allows.

    Raises:
        BenchmarkError: a control came out wrong; the message says which and where to look.
    """
    oracle = [prediction for prediction in predictions if prediction.policy == "oracle"]
    if wrong := [prediction.id for prediction in oracle if not prediction.correct]:
        raise BenchmarkError(
            f"the oracle is wrong on {len(wrong)} of {len(oracle)} questions, first {wrong[0]}: "
            "questions and answer parsing do not fit together"
        )
    guesses = [prediction.correct for prediction in predictions if prediction.policy == "random"]
    if guesses and binomtest(sum(guesses), len(guesses), chance(questions)).pvalue < UNLIKELY:
        raise BenchmarkError(
            f"the random policy is right in {sum(guesses)} of {len(guesses)} questions, where chance is "
            f"{chance(questions):.3f}: the true letters are not spread evenly over the options"
        )
