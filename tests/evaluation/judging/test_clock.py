"""A clock direction is a whole hour from 1 to 12, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.clock import HOUR_WORDS, the_hour


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("10 o'clock", 10),
        ("10 o’clock", 10),
        ("ten o'clock", 10),
        ("10 oclock", 10),
        ("10 O'Clock", 10),
        ("3-o'clock", 3),
        ("3:00 o'clock", 3),
        ("10-11 o'clock", None),
        ("10 or 11 o'clock", None),
        ("10 to 11 o'clock", None),
        ("ten or eleven o'clock", None),
        ("13 o'clock", None),
        ("0 o'clock", None),
        ("-3 o'clock", None),
        ("3.5 o'clock", None),
        ("3,5 o'clock", None),
        ("half past 3 o'clock", None),
        ("quarter to 3 o'clock", None),
        ("twenty-one o'clock", None),
        ("twenty one o'clock", None),
        ("1½ o'clock", None),
        ("２ o'clock", 2),
        ("3 o'clock, not 9 o'clock", None),
        ("3 o'clock and 3 o'clock", 3),
        ("3:30 o'clock", None),
        ("[1] 12 o'clock", 12),
        ("around the 12 o'clock direction", 12),
        ("o'clock", None),
        ("10–11 o'clock", None),
        ("between 2 and 3 o'clock", None),
        ("~3 o'clock", 3),
        ("(3 o'clock)", 3),
        ("Region [1] is roughly at 4 o'clock from Region [0].", 4),
        ("10/11 o'clock", None),
        ("12 o`clock", 12),
        ("٣ o'clock", 3),
        ("x3 o'clock", None),
        ("not 3 o'clock", None),
        ("thirteen o'clock", None),
        ("3 o'clock to 4 o'clock", None),
        ("3 o' clock", 3),
    ],
)
def test_hours(text, hour):
    assert the_hour(text) == hour


@given(st.integers(-100, 100), st.sampled_from(["o'clock", "o’clock", "O'CLOCK", "oclock"]))
def test_only_hours_of_a_clock_are_read(number, clock):
    assert the_hour(f"around the {number} {clock} direction") == (number if 1 <= number <= 12 else None)


@pytest.mark.parametrize(("hour", "word"), list(enumerate(HOUR_WORDS, start=1)))
def test_hours_in_words(hour, word):
    assert the_hour(f"{word.title()} o'clock") == hour
    assert the_hour(f"twenty-{word} o'clock") is None


@given(st.text(max_size=100))
def test_any_text_can_be_read(text):
    assert the_hour(text) is None or 1 <= the_hour(text) <= 12
    assert the_hour(text + " o'clock") is None or 1 <= the_hour(text + " o'clock") <= 12
