"""Section "examples": questions drawn at random, with the image, the true option and what policies wrote."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.questions.prompts import LETTERS
from robotr1.records import Prediction, Question
from robotr1.report.results import Results
from robotr1.report.section import Drawing, Section
from robotr1.report.style.figures import read_image
from robotr1.report.style.names import label
from robotr1.report.style.text import printable

CHARACTERS = 68  # a line of text beside an image
LONGEST = 400  # characters of one completion on the sheet


@dataclass(frozen=True)
class Example:
    """One question with the predictions of the policies shown, by policy."""

    question: Question
    predictions: dict[str, Prediction]

    @property
    def image(self) -> Path:
        return paths.ROOT / self.question.image

    @property
    def options(self) -> list[tuple[str, str]]:
        return list(zip(LETTERS, self.question.options))


def examples(results: Results) -> list[Example]:
    """The drawn questions, answered by the base and the trained policy."""
    shown = [name for name in ("base", results.headline_policy) if name in results.policies] or results.policies[:1]
    by_id = {(p.policy, p.id): p for p in results.study.predictions}
    return [
        Example(question, {name: by_id[name, question.id] for name in shown if (name, question.id) in by_id})
        for question in draw_questions(results)
    ]


def draw_questions(results: Results) -> list[Question]:
    """Draw `settings.examples` test questions at random, types in turn, held-out tasks included."""
    questions = results.study.questions
    rng = np.random.default_rng(results.settings.seed)
    answered = sorted({p.id for p in results.study.predictions if p.split != "validation"}) or sorted(questions)
    pools = [list(rng.permutation([name for name in answered if questions[name].type == kind])) for kind in TYPES]
    chosen: list[Question] = []
    while len(chosen) < results.settings.examples and any(pools):
        chosen += [questions[str(pool.pop())] for pool in pools if pool]
    return chosen[: results.settings.examples]


def verdict(prediction: Prediction) -> str:
    """Whether an answer was right, in words."""
    return "right" if prediction.correct else "wrong" if prediction.letter else "no readable answer"


def example_sheet(results: Results) -> Figure | None:
    """A figure with one row per example: the image on the left, the words on the right."""
    rows = examples(results)
    if not rows:
        return None
    texts = [_words(example) for example in rows]
    heights = [max(1.9, 0.145 * text.count("\n") + 0.35) for text in texts]
    figure, axes = plt.subplots(
        len(rows), 2, figsize=(6.4, sum(heights)), width_ratios=(1, 2.35), height_ratios=heights, squeeze=False
    )
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - 0.05 / sum(heights), bottom=0.01, hspace=0.06, wspace=0.03)
    for (picture, words), example, text in zip(axes, rows, texts):
        picture.imshow(read_image(example.image))
        picture.set_anchor("NW")
        picture.axis("off")
        words.text(0, 1, text, va="top", family="DejaVu Sans Mono", fontsize=7.2, parse_math=False, linespacing=1.25)
        words.axis("off")
    return figure


def _words(example: Example) -> str:
    question = example.question
    lines = [f"{question.instruction} · {question.type} · frame {question.frame}"]
    lines += [f"{'▶' if letter == question.answer else ' '} [[{letter}]] {text}" for letter, text in example.options]
    for policy, prediction in example.predictions.items():
        lines += ["", f"{label(policy)}: {verdict(prediction)}", printable(prediction.completion, LONGEST)]
    return "\n".join(_wrapped(line) for line in lines)


def _wrapped(text: str) -> str:
    return "\n".join(
        piece for line in text.split("\n") for piece in textwrap.wrap(line, CHARACTERS, subsequent_indent="  ") or [""]
    )


SECTION = Section(
    name="examples",
    title="Examples",
    drawings={
        "examples": Drawing(
            "Examples",
            "Questions drawn at random; the true option is marked; below it what each policy wrote.",
            example_sheet,
        )
    },
)
