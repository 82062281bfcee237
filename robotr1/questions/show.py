"""Figures of questions: options in the image, letters, difficulty, blind guesses."""

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from robotr1.demos.episode import Episode
from robotr1.questions.answers import parse_position
from robotr1.questions.audit.blind import BlindGuess
from robotr1.questions.audit.difficulty import UNITS, nearest_distractor
from robotr1.questions.audit.strategies import StrategyGuess, best_guesses
from robotr1.questions.movement import parse_movement
from robotr1.questions.prompts import LETTERS
from robotr1.records import Question

TRUTH, OTHER, STATE = "#0072b2", "#d55e00", "white"  # blue and orange: distinguishable with every kind of colour vision
TRUTH_SHAPE, OTHER_SHAPE = "square", "circle"
BARS = {"#0072b2": "", "#e69f00": "//", "#56b4e9": "..", "#d55e00": "xx", "#999999": "--"}  # colour and hatch
ARROW = 0.12  # metres, length of a full movement word in the picture


def draw_question(axes: Axes, question: Question, episode: Episode) -> None:
    """Draw a question's options into its image: the truth as a blue square, distractors as orange circles.

    Positions are marked by their letters, movements by arrows from the gripper. Waypoint and movement questions also
    show the gripper's tip as a white cross. Raises EpisodeError when the recording lacks the image or the camera.
    """
    image = episode.image(question.frame)
    axes.imshow(image)
    start = np.asarray(question.state[:3])
    if question.type != "state":
        for color, width in (("black", 4), (STATE, 2)):
            axes.plot(*_pixel(start, question, episode), "+", color=color, markersize=12, markeredgewidth=width)
    for place, (letter, option) in enumerate(zip(LETTERS, question.options, strict=False)):
        color, shape = (TRUTH, TRUTH_SHAPE) if letter == question.answer else (OTHER, OTHER_SHAPE)
        if question.type == "movement":
            end = start + np.array(parse_movement(option)) * ARROW / 2
            axes.annotate(
                "",
                _pixel(end, question, episode),
                _pixel(start, question, episode),
                arrowprops={"color": color, "width": 1.2, "headwidth": 6, "headlength": 6},
            )
            end = start + (end - start) * (1.15 + 0.3 * place)  # letters of like arrows stay apart
        else:
            end = np.asarray(parse_position(option))
        axes.text(
            *_pixel(end, question, episode),
            letter,
            color="white",
            weight="bold",
            size=9,
            ha="center",
            va="center",
            bbox={"boxstyle": f"{shape},pad=0.25", "facecolor": color, "edgecolor": "white", "alpha": 0.9},
            clip_on=True,
        )
    axes.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0), xticks=[], yticks=[], title=question.type)


def _pixel(point: np.ndarray, question: Question, episode: Episode) -> np.ndarray:
    return episode.project(np.asarray(point)[None], frame=question.frame)[0]


def plot_letters(axes: Axes, questions: Sequence[Question], title: str) -> None:
    """Bars of how often each letter is right, with the count at chance."""
    axes.set(title=title, ylabel="questions")
    if not questions:
        return
    counts = Counter(question.answer for question in questions)
    letters = LETTERS[: len(questions[0].options)]
    axes.bar(list(letters), [counts[letter] for letter in letters], color="#7a9cc6")
    axes.axhline(len(questions) / len(letters), color="black", linestyle=":", linewidth=1)


def plot_blind(axes: Axes, rows: Sequence[BlindGuess], split: str, chance: float) -> None:
    """Accuracy of every blind policy on one split, one group of bars per question type, with intervals."""
    chosen = [row for row in rows if row.split == split]
    types = list(dict.fromkeys(row.type for row in chosen))
    policies = list(dict.fromkeys(row.policy for row in chosen))
    width = 0.8 / len(policies)
    for place, (policy, (color, hatch)) in enumerate(zip(policies, itertools.cycle(BARS.items()), strict=False)):
        bars = [row for row in chosen if row.policy == policy]
        x = [types.index(row.type) + (place - (len(policies) - 1) / 2) * width for row in bars]
        errors = np.array([[row.accuracy - row.low, row.high - row.accuracy] for row in bars]).T
        style = {"color": color, "hatch": hatch, "edgecolor": "white", "error_kw": {"linewidth": 1}}
        axes.bar(x, [row.accuracy for row in bars], width, yerr=errors, label=policy, **style)
    axes.axhline(chance, color="black", linestyle=":", linewidth=1, label="chance")
    axes.set(xticks=range(len(types)), xticklabels=types, ylim=(0, 1), ylabel="accuracy", title=split)


def plot_strategies(axes: Axes, rows: Sequence[StrategyGuess], type: str, chance: float) -> None:
    """The best blind guess at one type of question in test_in for every strategy, with intervals.

    Squares where the prompt states the gripper's position, dots where it does not.
    """
    chosen = [row for row in best_guesses(rows) if row.split == "test_in" and row.type == type]
    strategies = list(dict.fromkeys(row.strategy for row in chosen))
    for stated, marker, color, label in ((False, "o", TRUTH, "gripper not stated"), (True, "s", OTHER, "stated")):
        points = [row for row in chosen if row.stated == stated]
        if not points:
            continue
        errors = np.array([[row.accuracy - row.low, row.high - row.accuracy] for row in points]).T
        places = [strategies.index(row.strategy) + (0.15 if stated else -0.15) for row in points]
        accuracy = [row.accuracy for row in points]
        axes.errorbar(accuracy, places, xerr=errors, fmt=marker, color=color, capsize=2, label=label)
    axes.axvline(chance, color="black", linestyle=":", linewidth=1, label="chance")
    axes.set(yticks=range(len(strategies)), yticklabels=strategies, xlim=(0, 1), xlabel="best blind guess", title=type)
    axes.invert_yaxis()


def plot_difficulty(axes: Axes, questions: Sequence[Question], type: str) -> None:
    """Histogram of the distance from the truth to the nearest distractor; a note where the type has no distance."""
    if type not in UNITS:
        axes.set(title=type, xticks=[], yticks=[])
        axes.text(0.5, 0.5, "no distance between\nsuch answers", ha="center", va="center", transform=axes.transAxes)
        return
    distances = [nearest_distractor(question) for question in questions if question.type == type]
    bins = [0.5, 1.5, 2.5, 3.5] if type == "movement" else 24
    axes.hist(distances, bins=bins, color="#7a9cc6", rwidth=0.9)
    axes.set(title=type, xlabel=f"nearest wrong option ({UNITS[type]})", ylabel="questions")
