"""Give hostile texts to every parser of untrusted text: a result or the documented refusal, and never an exception.

    python performance/fuzz_texts.py --texts 100000 [--seed 0]

Texts are random sequences of the marks that the parsers look for, of numbers of every size, and of all of Unicode with
lone surrogates. A text that takes longer than 10 seconds counts as a failure.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from robotr1.evaluation.eb_manipulation.actions import Unreadable, parse_plan
from robotr1.evaluation.judging import lengths
from robotr1.evaluation.judging.endpoint import parse_reply
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.judging.rubric import Case, answer_text
from robotr1.evaluation.spatialrgpt.items import read_items
from robotr1.evaluation.spatialrgpt.scoring import is_correct
from robotr1.questions import answers
from robotr1.questions.forms.plans import plan_format, plan_order
from robotr1.questions.movement import parse_movement
from robotr1.questions.thoughts import letters_written

SECONDS = 10.0  # that one text may take

PIECES = [
    *(
        "<think>",
        "</think>",
        "<answer>",
        "</answer>",
        "[[A]]",
        "[[",
        "]]",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        ",",
        ":",
        ".",
        "-",
    ),
    *(
        '"',
        "'",
        "\\",
        "\n",
        "\r",
        "\u2028",
        "\u2029",
        "\x85",
        "\x00",
        "\ud800",
        "\ufeff",
        "\u0661",
        "½",
        "：",
        "…",
        "  ",
    ),
    *("9" * 400, "1e400", "0,75", "1-2", "3/10", "NaN", "-Infinity", "null", "true", "{{[1, 2]}}", "1.5 meters"),
    *(
        "Score:",
        "3",
        "move up",
        "slightly",
        "left",
        "3 o'clock",
        "feet",
        "cm",
        "Answer:",
        "action_id",
        "executable_plan",
    ),
    *(
        '{"executable_plan": ',
        "[1, 2, 3, 4, 5, 6, 1]",
        "1. Move above the cup, 2. grasp it",
        "is [1, 2, 3]:",
        "yes",
        "no",
    ),
]
POSITIONS, MOVEMENTS = ["[0.1, 0.2, 0.9]", "[0.2, 0.2, 0.9]"], ["move up", "move down"]
JUDGED = [("planning", "1. grasp the cup"), ("movement", "move up"), ("spatial", "The cup is 0.3 meters away.")]
SPATIAL = list({item.column: item for item in read_items()}.values())  # one item of each sub-column
PARSERS: dict[str, Callable[[str], object]] = {
    "letter": answers.parse_answer,
    "answer form": answers.is_formatted,
    "open answer form": answers.is_open_formatted,
    "state": answers.parse_state,
    "position": answers.parse_position,
    "thought's option": lambda text: letters_written("waypoint", POSITIONS, text),
    "thought's movement": lambda text: letters_written("movement", MOVEMENTS, text),
    "movement": parse_movement,
    "plan form": lambda text: plan_format(text, ["grasp", "lift"]),
    "plan order": lambda text: plan_order(text, [0, 1], ["grasp", "lift"]),
    "discrete plan": parse_plan,
    "answer text": answer_text,
    "judge's reply": parse_reply,
    "length": lengths.the_length,
    "SpatialRGPT answer": lambda text: [is_correct(item, text) for item in SPATIAL],
    "reference judge": lambda text: ReferenceJudge().judge([Case(kind, "?", truth, text) for kind, truth in JUDGED]),
}


def hostile(draw: random.Random) -> str:
    """A random text: pieces, characters of all of Unicode with lone surrogates, or one piece many times."""
    kind = draw.random()
    if kind < 0.02:
        return draw.choice(PIECES) * draw.randrange(1, 2000)
    if kind < 0.2:
        return "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randrange(60)))
    return "".join(draw.choice(PIECES) for _ in range(draw.randrange(1, 40)))


@dataclass(frozen=True)
class Outcome:
    """What one parser did with all texts."""

    parser: str
    texts: int
    survived: int  # a result or the documented refusal, in time
    slowest: float  # seconds
    error: str  # the first exception


def parse_all(count: int, draw: random.Random) -> list[Outcome]:
    """Give `count` texts to every parser."""
    texts = [hostile(draw) for _ in range(count)]
    outcomes = []
    for name, parse in PARSERS.items():
        survived, slowest, first = 0, 0.0, ""
        for text in texts:
            started = time.perf_counter()
            try:
                found = parse(text)
                assert not isinstance(found, Unreadable) or found.reason
            except Exception as error:
                first = first or f"{type(error).__name__} for {text[:60]!r}"
                continue
            seconds = time.perf_counter() - started
            slowest, survived = max(slowest, seconds), survived + (seconds < SECONDS)
        outcomes.append(Outcome(name, count, survived, slowest, first))
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=100_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    outcomes = parse_all(options.texts, random.Random(options.seed))
    for one in outcomes:
        print(f"{one.parser:20} {one.survived} of {one.texts}, slowest {1000 * one.slowest:.0f} ms {one.error}")
    return int(any(one.survived < one.texts for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
