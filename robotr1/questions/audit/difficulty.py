"""Difficulty of a question: the distance from the truth to its nearest distractor."""

from math import dist

from robotr1.questions.answers import parse_position
from robotr1.questions.movement import parse_movement, word_differences
from robotr1.questions.prompts import LETTERS
from robotr1.records import Question

UNITS = {"waypoint": "m", "state": "m", "movement": "words"}


def nearest_distractor(question: Question) -> float:
    """Distance from the truth to the nearest distractor.

    Metres between positions, number of axes with another word between movements; nan for other options.
    """
    truth, *distractors = sorted(
        question.options, key=lambda text: text != question.options[LETTERS.index(question.answer)]
    )
    if question.type == "movement":
        return float(min(word_differences(parse_movement(truth), parse_movement(text)) for text in distractors))
    if question.type in UNITS:
        return min(dist(parse_position(truth), parse_position(text)) for text in distractors)
    return float("nan")
