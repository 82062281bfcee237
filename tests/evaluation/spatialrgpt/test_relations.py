"""Relations are read with their polarity and the order of the regions, or not at all."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.spatialrgpt.relations import OPPOSITE, PHRASES, affirms, chosen_region, regions

PIECES = [
    "region [0]",
    "Region 1",
    " is ",
    "not ",
    "left",
    "taller",
    " than ",
    "same",
    "no",
    "yes",
    ", ",
    ". ",
    "as ",
    "of ",
]


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("left", "Yes, Region [0] is to the left of Region [1].", True),
        ("left", "Indeed, Region [0] is positioned on the left side of Region [1].", True),
        ("left", "Correct, you'll find Region [0] to the left of Region [1].", True),
        ("left", "No, Region [0] is not to the left of Region [1].", False),
        ("left", "In fact, Region [0] is to the right of Region [1].", False),
        ("left", "In fact, Region [0] is either to the right of or directly aligned with Region [1].", False),
        ("left", "Incorrect, Region [0] is not on the left side of Region [1].", False),
        ("right", "In fact, Region [0] is to the left of Region [1].", False),
        ("right", "Correct, you'll find Region [0] to the right of Region [1].", True),
        ("above", "Actually, Region [0] is below Region [1].", False),
        ("above", "Actually, Region [0] is either below or at the same elevation as Region [1].", False),
        ("above", "Indeed, Region [0] is positioned over Region [1].", True),
        ("below", "Actually, Region [0] is above Region [1].", False),
        ("below", "Incorrect, Region [0] is not positioned below Region [1].", False),
        ("wide", "Correct, the width of Region [0] exceeds that of Region [1].", True),
        ("wide", "In fact, Region [0] might be narrower than Region [1].", False),
        ("wide", "In fact, Region [0] might be narrower or the same width as Region [1].", False),
        ("wide", "Incorrect, Region [0]'s width does not surpass Region [1]'s.", False),
        ("big", "Actually, Region [0] might be smaller than Region [1].", False),
        ("big", "Actually, Region [0] might be smaller or the same size as Region [1].", False),
        ("tall", "In fact, Region [0] may be shorter than Region [1].", False),
        ("tall", "In fact, Region [0] may be shorter or the same height as Region [1].", False),
        ("tall", "Correct, Region [0] is much taller as Region [1].", True),
        ("tall", "Incorrect, Region [0]'s height is not larger of Region [1]'s.", False),
        ("short", "Correct, Region [0] is not as tall as Region [1].", True),
        ("short", "In fact, Region [0] may be taller than Region [1].", False),
        ("short", "Incorrect, Region [0]'s height does not fall short of Region [1]'s.", False),
        ("thin", "In fact, Region [0] might be wider than Region [1].", False),
        ("thin", "Correct, Region [0]'s width is less than Region [1]'s.", True),
        ("small", "Actually, Region [0] might be larger than Region [1].", False),
        ("small", "Correct, Region [0] occupies less space than Region [1].", True),
        ("behind", "That is True.", True),
        ("behind", "That is False.", False),
        ("behind", "No, Region [1] is in front of Region [0].", False),
        ("behind", "Yes, Region [0] is further from the viewer.", True),
        ("front", "No, Region [0] is further to the viewer.", False),
        ("front", "That's false.", False),
        ("behind", "Region [0] is in front of Region [1].", False),
        ("behind", "Region [1] is in front of Region [0].", True),
        ("behind", "Region [0] is behind", True),
        ("tall", "Region [0] is taller", True),
        ("tall", "Region [1] is taller than Region [0]", False),
        ("tall", "Region [0] is not taller.", False),
        ("tall", "Region [0] is not shorter than Region [1].", None),
        ("tall", "In fact, Region [0] is taller.", True),
        ("tall", "Region [0] isn't as tall as Region [1]", False),
        ("tall", "They are the same height.", False),
        ("tall", "Region [0] is taller or the same height.", None),
        ("small", "Region [0] isn't smaller than Region [1]", False),
        ("left", "That's not the case", False),
        ("left", "yes or no", None),
        ("left", "hm", None),
        ("left", "", None),
        ("left", "Not at all.", False),
        ("left", "It is not.", False),
        ("left", "It is.", True),
        ("left", "It isn't true.", False),
        ("left", "The answer is yes.", True),
        ("left", "Answer: No", False),
        ("left", "Right, it is on the left.", True),
        ("left", "Region [0] is right of Region [1]", False),
        ("above", "Region [0] is right above Region [1]", True),
        ("left", "Region [0] is to the right, not to the left of Region [1]", False),
        ("left", "Region [0] is to the left of Region [1], not to the right.", True),
        ("left", "To the left of Region [0] is Region [1].", False),
        ("left", "To the left of Region [1] is Region [0].", True),
        ("tall", "Region [0] is less tall than Region [1].", False),
        ("tall", "Region [0] and Region [1] are tall.", None),
        ("left", "Region [7] is left of Region [8].", None),
        ("behind", "It's closer to the viewer.", False),
        ("wide", "Region [0] is as wide as Region [1].", False),
        ("wide", "no way", False),
        ("tall", "False: it is shorter", False),
        ("left", "Definitely!", True),
        ("left", "Yep", True),
        ("left", "Nope, right side", False),
    ],
)
def test_yes_and_no(word, text, expected):
    assert affirms(text, word) is expected


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("left", "Region [1] is more to the left.", 1),
        ("left", "From the viewer's perspective, Region [1] appears more on the left side.", 1),
        ("left", "Positioned to the left is Region [1].", 1),
        ("above", "Positioned higher is Region [0].", 0),
        ("tall", "With more height is Region [0].", 0),
        ("tall", "Standing taller between the two is Region [1].", 1),
        ("tall", "Region [1] is shorter than Region [0].", 0),
        ("tall", "Between Region [0] and Region [1], Region [1] is taller.", 1),
        ("tall", "Of Region [0] and Region [1] the taller is Region [1].", 1),
        ("tall", "[1]", 1),
        ("tall", "region 1 is", 1),
        ("tall", "Region [0] and Region [1] are both tall.", None),
        ("tall", "Region [0], Region [1]", None),
        ("tall", "?", None),
        ("tall", "Not Region [0].", None),
        ("left", "Region [0] is left of Region [1]", 0),
        ("left", "Region [0] is right of Region [1]", 1),
        ("left", "It is on the left.", None),
        ("big", "Region [0].", 0),
        ("behind", "Region [0] is in front of Region [1]", 1),
        ("below", "Region [0] is lower down.", 0),
        ("front", "Region [1] is more forward.", 1),
    ],
)
def test_choices(word, text, expected):
    assert chosen_region(text, word) == expected


@pytest.mark.parametrize("word", PHRASES)
def test_opposites_and_swapped_regions_turn_a_claim_around(word):
    phrase = {
        "left": "left of",
        "right": "right of",
        "above": "above",
        "below": "below",
        "behind": "behind",
        "front": "in front of",
    }
    phrase |= {"big": "bigger than", "small": "smaller than", "tall": "taller than", "short": "shorter than"}
    phrase |= {"wide": "wider than", "thin": "thinner than"}
    own, opposite = phrase[word], phrase[OPPOSITE[word]]
    assert OPPOSITE[OPPOSITE[word]] == word
    for lead in ("", "In fact, ", "Actually, ", "I think ", "**", "Well, ", "Looking at the image, "):
        for one, other, swapped in (("Region [0]", "Region [1]", False), ("Region [1]", "Region [0]", True)):
            assert affirms(f"{lead}{one} is {own} {other}.", word) is not swapped
            assert affirms(f"{lead}{one} is {opposite} {other}.", word) is swapped
            assert chosen_region(f"{lead}{one} is {own} {other}.", word) == int(swapped)
            assert chosen_region(f"{lead}{one} is {opposite} {other}.", word) == int(not swapped)
    assert affirms(f"Region [0] is not {own} Region [1].", word) is False
    assert affirms(f"Region [0] isn't {own} Region [1].", word) is False
    assert affirms(f"Region [0] is not {opposite} Region [1].", word) is None
    assert affirms(f"Region [4] is {own} Region [2].", word, (4, 2)) is True
    assert affirms(f"Region [2] is {own} Region [4].", word, (4, 2)) is False


def test_regions_are_read_in_their_spellings():
    assert regions("Region [0], region 1, [2], Region[3], regions (4") == [0, 1, 2, 3, 4]
    assert regions("regional 5, 6") == []


@given(
    st.sampled_from(sorted(PHRASES)),
    st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
)
def test_any_text_can_be_read(word, text):
    assert affirms(text, word) in (True, False, None)
    assert chosen_region(text, word) in (0, 1, None)


@pytest.mark.parametrize("piece", ["left ", "region [0] ", "not ", "as tall ", ", ", "yes ", "[", "in fact "])
def test_a_very_long_text_takes_no_time(piece):
    start = time.monotonic()
    affirms(piece * 100_000, "left")
    chosen_region(piece * 100_000, "tall")
    assert time.monotonic() - start < 5
