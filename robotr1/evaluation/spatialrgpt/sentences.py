"""The sentences of SpatialRGPT-Bench's references, with their truth: a control of what reads them.

The oracle repeats the references, so it cannot show that one is misread: a "no" that is taken for a yes agrees with
itself. These sentences have their truth beside them. They are those of the benchmark's published templates.
"""

import re

from robotr1.evaluation.controls import check_oracle
from robotr1.evaluation.spatialrgpt.relations import affirms, chosen_region

ONE, OTHER = "Region [0]", "Region [1]"
# The category's word: what affirms, and what denies, that A is so compared with B.
PREDICATES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "left": (
        (
            "Yes, A is to the left of B.",
            "Indeed, A is positioned on the left side of B.",
            "Correct, you'll find A to the left of B.",
        ),
        (
            "No, A is not to the left of B.",
            "In fact, A is to the right of B.",
            "In fact, A is either to the right of or directly aligned with B.",
            "Incorrect, A is not on the left side of B.",
        ),
    ),
    "right": (
        (
            "Yes, A is to the right of B.",
            "Indeed, A is positioned on the right side of B.",
            "Correct, you'll find A to the right of B.",
        ),
        (
            "No, A is not to the right of B.",
            "In fact, A is to the left of B.",
            "In fact, A is either to the left of or directly aligned with B.",
            "Incorrect, A is not on the right side of B.",
        ),
    ),
    "above": (
        ("Yes, A is above B.", "Indeed, A is positioned over B.", "Correct, A is located above B."),
        (
            "No, A is not above B.",
            "Actually, A is below B.",
            "Actually, A is either below or at the same elevation as B.",
            "Incorrect, A is not positioned above B.",
        ),
    ),
    "below": (
        ("Yes, A is below B.", "Indeed, A is positioned under B.", "Correct, A is located below B."),
        (
            "No, A is not below B.",
            "Actually, A is above B.",
            "Actually, A is either above or at the same elevation as B.",
            "Incorrect, A is not positioned below B.",
        ),
    ),
    "behind": (
        (
            "Yes.",
            "Yes, it is.",
            "Yes, it is behind B.",
            "That is True.",
            "Yes, A is further from the viewer.",
            "Yes, A is behind B.",
        ),
        (
            "No.",
            "No, it is not.",
            "No, it is in front of B.",
            "That is False.",
            "No, A is closer to the viewer.",
            "No, B is in front of A.",
        ),
    ),
    "front": (
        (
            "Yes.",
            "Yes, it is.",
            "Yes, it is in front of B.",
            "That is True.",
            "Yes, A is closer to the viewer.",
            "Yes, A is in front of B.",
        ),
        (
            "No.",
            "No, it is not.",
            "No, it is behind B.",
            "That is False.",
            "No, A is further to the viewer.",
            "No, B is behind A.",
            "No, A is behind B.",
        ),
    ),
    "big": (
        (
            "Yes, A is bigger than B.",
            "Indeed, A has a larger size compared to B.",
            "Correct, A is larger in size than B.",
        ),
        (
            "No, A is not bigger than B.",
            "Actually, A might be smaller than B.",
            "Actually, A might be smaller or the same size as B.",
            "Incorrect, A is not larger than B.",
        ),
    ),
    "small": (
        (
            "Yes, A is smaller than B.",
            "Indeed, A has a smaller size compared to B.",
            "Correct, A occupies less space than B.",
        ),
        (
            "No, A is not smaller than B.",
            "Actually, A might be larger than B.",
            "Actually, A might be larger or the same size as B.",
            "Incorrect, A is not smaller in size than B.",
        ),
    ),
    "tall": (
        (
            "Yes, A is taller than B.",
            "Indeed, A has a greater height compared to B.",
            "Correct, A is much taller as B.",
        ),
        (
            "No, A is not taller than B.",
            "In fact, A may be shorter than B.",
            "In fact, A may be shorter or the same height as B.",
            "Incorrect, A's height is not larger of B's.",
        ),
    ),
    "short": (
        (
            "Yes, A is shorter than B.",
            "Indeed, A has a lesser height compared to B.",
            "Correct, A is not as tall as B.",
        ),
        (
            "No, A is not shorter than B.",
            "In fact, A may be taller than B.",
            "In fact, A may be taller or the same height as B.",
            "Incorrect, A's height does not fall short of B's.",
        ),
    ),
    "wide": (
        (
            "Yes, A is wider than B.",
            "Indeed, A has a greater width compared to B.",
            "Correct, the width of A exceeds that of B.",
        ),
        (
            "No, A is not wider than B.",
            "In fact, A might be narrower than B.",
            "In fact, A might be narrower or the same width as B.",
            "Incorrect, A's width does not surpass B's.",
        ),
    ),
    "thin": (
        (
            "Yes, A is thinner than B.",
            "Indeed, A has a lesser width compared to B.",
            "Correct, A's width is less than B's.",
        ),
        (
            "No, A is not thinner than B.",
            "In fact, A might be wider than B.",
            "In fact, A might be wider or the same width as B.",
            "Incorrect, A's width is not less than B's.",
        ),
    ),
}
# The category's word: sentences whose X is the chosen region.
CHOICES = {
    "left": (
        "X is more to the left.",
        "From the viewer's perspective, X appears more on the left side.",
        "Positioned to the left is X.",
    ),
    "right": (
        "X is more to the right.",
        "From the viewer's perspective, X appears more on the right side.",
        "Positioned to the right is X.",
    ),
    "above": ("X is above.", "Positioned higher is X.", "X is higher up."),
    "below": ("X is below.", "Positioned lower is X.", "X is lower down."),
    "front": ("X is in front.", "Positioned in front is X.", "X is more forward."),
    "behind": ("X is behind.", "Positioned behind is X.", "X is more backward."),
    "tall": ("X is taller.", "With more height is X.", "Standing taller between the two is X."),
    "short": ("X is shorter.", "With less height is X.", "Standing shorter between the two is X."),
}


def check_sentences() -> None:
    """Check that every sentence is read as its truth. Raises BenchmarkError, which names the first that is not."""
    scores = {}
    for word, polarities in PREDICATES.items():
        for truth, sentences in zip((True, False), polarities):
            for sentence in sentences:
                text = re.sub(r"\b[AB]\b", lambda letter: {"A": ONE, "B": OTHER}[letter[0]], sentence)
                scores[f"{word}: {text!r}"] = float(affirms(text, word) is truth)
    for word, sentences in CHOICES.items():
        for region, name in enumerate((ONE, OTHER)):
            for sentence in sentences:
                text = re.sub(r"\bX\b", name, sentence)
                scores[f"{word}: {text!r}"] = float(chosen_region(text, word) == region)
    check_oracle("SpatialRGPT-Bench's sentences", scores, "it is read as something else; correct `relations`")
