import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_study import question

from robotr1.questions.answers import parse_state
from robotr1.questions.prompts import format_state
from robotr1.questions.thoughts import letters_written, nearest_option

RNG = np.random.default_rng(3)
WAYPOINT, MOVEMENT = (question(RNG, kind) for kind in ("waypoint", "movement"))
POSITION = st.tuples(*[st.floats(-2, 2, allow_nan=False)] * 3)


@given(POSITION)
def test_no_option_is_nearer_than_the_one_chosen(position):
    letter = nearest_option(WAYPOINT.options, position)
    distances = {name: math.dist(parse_state(text), position) for name, text in zip("ABCD", WAYPOINT.options)}
    assert distances[letter] == min(distances.values())
    written = format_state(position, 6)
    assert letters_written("waypoint", WAYPOINT.options, f"I saw [9, 9, 9] and then the cup at {written}.") == (
        nearest_option(WAYPOINT.options, parse_state(written))
    )


def test_movements_have_no_nearest_option():
    with pytest.raises(ValueError, match="not positions"):
        nearest_option(["move up", "move down"], [0, 0, 0])


def test_a_movement_fits_every_equally_near_option():
    truth = MOVEMENT.options["ABCD".index(MOVEMENT.answer)]
    assert letters_written("movement", MOVEMENT.options, f"From here to there: {truth}.") == MOVEMENT.answer
    assert letters_written("movement", MOVEMENT.options, "From here to there: somewhere.") is None
    options = ["move up", "move down", "move left", "move right"]
    assert letters_written("movement", options, "Now: move forward and move up.") == "A"
    assert letters_written("movement", options, "Now: stay in place") == "ABCD"


@pytest.mark.parametrize("thought", ["", "It is there.", "[0.1, 0.2]", "From A to B is [0.1, 0.2, 0.3]: move up."])
def test_no_position_no_letter(thought):
    assert letters_written("waypoint", WAYPOINT.options, thought) is None


@pytest.mark.parametrize("piece", ["is [", "is [1, 1, 1]:", "is [1", "[1,", ":", "move up and ", "slightly "])
@pytest.mark.parametrize("asked", [WAYPOINT, MOVEMENT], ids=["waypoint", "movement"])
def test_a_megabyte_is_read_in_linear_time(asked, piece):
    """Quadratic time would take hours here."""
    before = time.process_time()
    letters_written(asked.type, asked.options, piece * (1_000_000 // len(piece)))
    assert time.process_time() - before < 5
