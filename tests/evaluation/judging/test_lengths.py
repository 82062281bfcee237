"""A length is the right number of metres or unreadable."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.lengths import METRES, lengths, the_length

PIECES = [
    "1",
    "2,5",
    ".5",
    "1/2",
    "½",
    " ",
    "-",
    "–",
    "m",
    " cm",
    "'",
    '"',
    " in",
    "to",
    "and",
    "x",
    "±",
    "^",
    "e3",
    "\n",
    "،",
]


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


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("0,75 meters", 0.75),
        ("1-2 meters", None),
        ("1.5 m", 1.5),
        ("1,500 mm", 1.5),
        ("1.500,25 mm", 1.50025),
        ("1 500 mm", 1.5),
        ("1'500 mm", 1.5),
        ("1_500 mm", 1.5),
        ("1/2 m", 0.5),
        ("1 1/2 m", 1.5),
        ("1½ m", 1.5),
        ("½ m", 0.5),
        ("2-1/2 inches", 0.0635),
        ("1 and 1/2 ft", 0.4572),
        ("3⁄4 inch", 0.01905),
        ("-3 cm", None),
        ("−3 cm", None),
        ("–3 cm", None),
        ("minus 3 cm", None),
        ("negative 3 cm", None),
        ("1–2 m", None),
        ("1 to 2 m", None),
        ("1 or 2 m", None),
        ("1 m to 2 m", None),
        ("between 1 and 2 m", None),
        ("between 1.9 m and 2 m", None),
        ("1.95 m - 2 m", None),
        ("1..2 m", None),
        ("1…2 m", None),
        ("1~2 m", None),
        ("2±0.1 m", None),
        ("2 m ± 10 cm", None),
        ("2 m +/- 10 cm", None),
        ("2 x 3 m", None),
        ("2m×2m", None),
        ("2 m by 2 m", None),
        ("2 m²", None),
        ("2 m^2", None),
        ("2 square meters", None),
        ("2 m/s", None),
        ("2 meters per second", None),
        ("2 m2", None),
        ("2 ㎡", None),
        ("48㎝", 0.48),
        ("４８ cm", 0.48),
        ("5'3\"", 1.6002),
        ("5′ 3″", 1.6002),
        ("5’3”", 1.6002),
        ("5'3", None),
        ("5' 3", None),
        ("5 ft. 3 in.", 1.6002),
        ("5 ft 3 1/2 in", 1.6129),
        ("1 m 80 cm", 1.8),
        ("1m80cm", 1.8),
        ("1 m 80", None),
        ("1m80", None),
        ("1 m and 95 cm", None),
        ("12 in wide", 0.3048),
        ("3 in front", None),
        ("3 in the", None),
        ("2-in-1", None),
        ('the height is "3"', None),
        ('"3 m"', 3),
        ('"3 m', 3),
        ("'3'", None),
        ("6 ft / 1.83 m", 1.8288),
        ("6 ft (1.83 m)", 1.8288),
        ("5e-2 m", 0.05),
        ("5×10^-2 m", None),
        ("5×10⁻² m", None),
        ("10² m", None),
        ("1e400 m", None),
        ("1/0 m", None),
        ("two and 1/2 m", None),
        ("2 and a half meters", None),
        ("2 m and a half", None),
        ("2 point 5 meters", None),
        ("twenty 5 cm", None),
        ("٣ m", 3),
        ("1·5 m", 1.5),
        ("1٫5 m", 1.5),
        ("Region [0] is 2.31 meters away from Region [1].", 2.31),
        ("Region 1, 3 m away", 3),
        ("Region 1: 3 m", 3),
        ("1. 5 m", 5),
        ("0. 75 m", None),
        ("0, 75 m", None),
        ("1,2,3 m", None),
        ("1.2.3 m", None),
        ("1,23 m", 1.23),
        ("12,3456 m", 12.3456),
        ("1,234,567 mm", 1234.567),
        ("**1.5** m", 1.5),
        ("**1.5 m**", 1.5),
        ("2**3 m", None),
        ("1\u200b5 m", None),
        ("1.5 km", 1500),
        ("3 dm", 0.3),
        ("5 μm", 5e-06),
        ("5 µm", 5e-06),
        ("1 mile", 1609.344),
        ("3 ms", None),
        ("$3 m", None),
        ("1:2 m", None),
        ("x2 m", None),
        ("~2 m", 2),
        ("≈2 m", 2),
        ("about 2 m", 2),
        ("2-meter-long", 2),
        ("2 m - 3", None),
        ("2 m to 3", None),
        ("6 feet, 2 inches", 1.8796),
        ("1 yard 2 feet", 1.524),
        ("0 m", 0.0),
        ("1 m, that is 100 cm", 1),
        ("1 m (100 cm)", 1),
        ("Region 1 500 mm", None),
        ("1 2 m", None),
        ("not 2 m", None),
        ("2。5 m", 2.5),
        ("2.0.5 m", None),
        ("12 inches by 3 feet", None),
        ("1.75 m (5'9\")", 1.75),
        ("5ft3in", 1.6002),
        ("5ft3", None),
        ("2 m-3", None),
        ("H2 m", None),
        ("1 00 m", None),
        ("½ to 1 m", None),
        ("a 1/2-inch gap", 0.0127),
        ('1/2"', 0.0127),
        ('3.5"', 0.0889),
        ("1 000 000 mm", 1000),
    ],
)
def test_one_length_or_none(text, metres):
    assert the_length(text) == (None if metres is None else pytest.approx(metres))


@given(
    st.floats(0.01, 1000),
    st.sampled_from(sorted(set(METRES) - {"in", "'", '"'})),
    st.sampled_from(["", " ", "-", "\u00a0"]),
)
def test_every_spelling_of_a_unit_is_read(number, unit, gap):
    assert the_length(f"It is {number:.3f}{gap}{unit}.") == pytest.approx(round(number, 3) * METRES[unit])
    assert the_length(f"It is {number:.3f}{gap}{unit.upper()}.") == pytest.approx(round(number, 3) * METRES[unit])


@given(st.integers(1, 999_999_999))
def test_groups_of_three_are_thousands(number):
    for group in (",", " ", "'", "\u2009", "_"):
        assert the_length(f"{number:,} mm".replace(",", group)) == pytest.approx(number / 1000)


@given(st.decimals(0, 9999, places=2))
def test_a_decimal_comma_is_no_group(number):
    assert the_length(f"{number} m".replace(".", ",")) == pytest.approx(float(number))


@given(st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_can_be_read(text):
    for value in [*lengths(text), the_length(text)]:
        assert value is None or 0 <= value < float("inf")


@given(
    st.integers(1, 99),
    st.integers(1, 99),
    st.sampled_from(["-", " - ", "–", " to ", " or ", "~", "..", "…", "/", " x ", "×", "±", ":"]),
)
def test_two_numbers_before_a_unit_are_never_the_second(one, other, link):
    found = the_length(f"about {one}{link}{other} m wide")
    assert found is None or (link == "/" and found == pytest.approx(one / other))


@pytest.mark.parametrize("piece", ["1 m ", '1"', "'", "111 ", "1,", "1/", "½", "m", "- ", "1 ft 1 in "])
def test_a_very_long_text_takes_no_time(piece):
    start = time.monotonic()
    the_length(piece * 50_000)
    assert time.monotonic() - start < 5
