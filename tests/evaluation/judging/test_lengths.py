import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.lengths import clock_hours, lengths, the_length


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("1.5 m", [1.5]),
        ("150cm and 1,500 mm", [1.5, 1.5]),
        ("6.91 feet", [2.106168]),
        ("5 feet 3 inches", [1.6002]),
        ("3' 2\"", [0.9652]),
        ("2 yards", [1.8288]),
        (".5 metres", [0.5]),
        ("-3 cm", []),
        ("10", []),
        ("10 minutes, 5 men", []),
        ("Region [0] is 3 in front", []),
        ("", []),
    ],
)
def test_lengths(text, metres):
    assert lengths(text) == pytest.approx(metres)


@given(st.floats(0.01, 1000), st.sampled_from(["m", " cm", " feet", " inches", " meters", "-millimetre"]))
def test_what_is_written_is_read(number, unit):
    assert len(lengths(f"It is {number:.3f}{unit}.")) == 1


@given(st.text(max_size=200))
def test_any_text_can_be_read(text):
    lengths(text), clock_hours(text), the_length(text)


def test_one_length_or_none():
    assert the_length("1 m, that is 100 cm") == 1
    assert the_length("between 1 m and 2 m") is None


def test_clock():
    assert clock_hours("at 10 o'clock, or Two o’clock") == [10, 2]
    assert clock_hours("13 o'clock, 0 o'clock") == []
