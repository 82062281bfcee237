"""Ask policies all questions and write what they answered: the loop behind the notebook `07_run_benchmarks`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from scipy.stats import binomtest

from robotr1 import paths
from robotr1.evaluation.mcqa import BLANK, OPEN_TYPES, SPLITS, chance, evaluate, evaluate_own_form
from robotr1.metadata import Metadata, read_metadata
from robotr1.policies.reference import TextOnly, oracle, random_choice
from robotr1.questions.prompts import sft_prompt
from robotr1.records import Prediction, Question, read_records
from robotr1.settings import BuildQuestions, RunBenchmarks

UNLIKELY = 1e-6  # a random guesser further from chance than this happens by an error, not by luck


class BenchmarkError(ValueError):
    """A control came out wrong, so no score of this run can be trusted."""


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
    questions: Sequence[Question], settings: BuildQuestions, scenes: Mapping[str, Metadata] | None = None
) -> list[Question]:
    """Waypoint and state questions with the open prompt of the supervised data in place of the multiple-choice one.

    `settings` are those the questions were built with, `scenes` the tasks' metadata, which full prompts describe.
    """
    return [
        replace(
            question,
            prompt=sft_prompt(
                question.type,
                question.instruction,
                question.state if settings.show_state else None,
                form=settings.prompt,
                decimals=settings.decimals,
                metadata=(scenes or {}).get(question.task),
                kind=settings.state,
            ),
        )
        for question in questions
        if question.type in OPEN_TYPES
    ]


def controls(questions: Sequence[Question], training: Sequence[Question], seed: int) -> list[Prediction]:
    """Predictions of the policies that need no model: oracle, random and, with training questions, text_only."""
    predictions = evaluate("oracle", questions, oracle(questions))
    predictions += evaluate("random", questions, random_choice(questions, seed))
    if training:
        known = {question.type for question in training}
        asked = [question for question in questions if question.type in known]
        predictions += evaluate("text_only", asked, TextOnly().fit(training).complete(asked))
    return predictions


def benchmark(
    policy: str, questions: Sequence[Question], settings: RunBenchmarks, prompts: BuildQuestions
) -> list[Prediction]:
    """Load the policy in `models/<policy>` and let it answer `questions` in every way that is asked of its kind.

    All policies answer in the multiple-choice form. Supervised ones ("sft-…") also answer the open question they were
    trained on, as `<policy>-own-form`; base and reinforced ones also see blank images, as `<policy>-blank`, on the test
    splits. With temperature 0 the result depends on the policy alone. Raises PolicyError for a folder without a policy.
    """
    import torch

    from robotr1.policies.generate import complete
    from robotr1.policies.load import load_policy

    torch.set_num_threads(settings.threads)
    model, processor = load_policy(paths.MODELS / policy, quantization=settings.quantization)

    def answers(asked: Sequence[Question], images: str = "real") -> list[str]:
        return complete(
            model,
            processor,
            asked,
            batch_size=settings.batch_size,
            max_completion_length=settings.max_completion_length,
            temperature=settings.temperature,
            seed=settings.seed,
            images=images,
        )

    predictions = evaluate(policy, questions, answers(questions))
    if policy.startswith("sft-"):
        asked = own_form_questions(questions, prompts, read_scenes(questions))
        predictions += evaluate_own_form(policy, asked, answers(asked))
    else:
        asked = [question for question in questions if question.split != "validation"]
        predictions += evaluate(policy + BLANK, asked, answers(asked, images="blank"))
    return predictions


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
