"""How hard a question is: how near its nearest wrong option lies."""

from math import dist

from robotr1.questions.answers import parse_position
from robotr1.questions.movement import parse_movement, word_differences
from robotr1.questions.prompts import LETTERS
from robotr1.records import Question

UNITS = {"waypoint": "m", "state": "m", "movement": "words"}


def nearest_wrong(question: Question) -> float:
    """Distance from the truth to the nearest wrong option.

    Metres between positions, axes with another word between movements; nan for options that are neither.
    """
    truth, *wrong = sorted(question.options, key=lambda text: text != question.options[LETTERS.index(question.answer)])
    if question.type == "movement":
        return float(min(word_differences(parse_movement(truth), parse_movement(text)) for text in wrong))
    if question.type in UNITS:
        return min(dist(parse_position(truth), parse_position(text)) for text in wrong)
    return float("nan")
