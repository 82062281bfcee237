"""Sentences with their truth: a control of the code that reads relations.

The oracle repeats the references, so it cannot show that one is misread: a "no" that is taken for a yes agrees with
itself. These sentences are made from patterns, and their truth follows from the pattern. They cover the ways in which
the benchmark's references affirm and deny: with yes or no, with a judgement, or by stating the opposite alone.
"""

from collections.abc import Iterator

from robotr1.evaluation.controls import check_oracle
from robotr1.evaluation.spatialrgpt.relations import OPPOSITE, affirms, chosen_region

ONE, OTHER = "Region [0]", "Region [1]"
COMPARED = {  # a category's word: how a sentence says that one region is so, compared with another
    "left": ("to the left of", "on the left side of"),
    "right": ("to the right of", "on the right side of"),
    "above": ("above", "higher up than"),
    "below": ("below", "lower down than"),
    "behind": ("behind", "further from the camera than"),
    "front": ("in front of", "closer to the camera than"),
    "big": ("bigger than", "larger in size than"),
    "small": ("smaller than", "smaller in size than"),
    "tall": ("taller than",),
    "short": ("shorter than",),
    "wide": ("wider than", "broader than"),
    "thin": ("thinner than", "narrower than"),
}
SUPERLATIVE = {  # a category's word: how a sentence says that one region is more so than the other
    "left": "more to the left",
    "right": "more to the right",
    "above": "higher up",
    "below": "lower down",
    "behind": "further back",
    "front": "further in front",
    "tall": "taller",
    "short": "shorter",
}
AFFIRM = ("Yes, {one} is {same} {other}.", "Indeed, {one} is {same} {other}.", "Correct: {one} is {same} {other}.")
DENY = (
    "No, {one} is not {same} {other}.",
    "Incorrect, {one} is not {same} {other}.",
    "In fact, {one} is {opposite} {other}.",
    "Actually, {one} may be {opposite} {other}.",
    "In fact, {other} is {same} {one}.",
)
BARE = (("Yes.", True), ("That is true.", True), ("It is.", True), ("No.", False), ("That is false.", False))
CHOOSE = ("{chosen} is {more}.", "Of the two, {chosen} is {more}.")


def predicate_sentences() -> Iterator[tuple[str, str, bool]]:
    """Yield (category's word, sentence, whether it affirms that region 0 is so compared with region 1)."""
    for word, phrases in COMPARED.items():
        for patterns, truth in ((AFFIRM, True), (DENY, False)):
            for pattern in patterns:
                for same, opposite in zip(phrases, COMPARED[OPPOSITE[word]]):
                    yield word, pattern.format(one=ONE, other=OTHER, same=same, opposite=opposite), truth
        for sentence, truth in BARE:
            yield word, sentence, truth


def choice_sentences() -> Iterator[tuple[str, str, int]]:
    """Yield (category's word, sentence, number of the region that it chooses)."""
    for word, more in SUPERLATIVE.items():
        for pattern in CHOOSE:
            for number, region in enumerate((ONE, OTHER)):
                yield word, pattern.format(chosen=region, more=more), number


def check_sentences() -> None:
    """Check that every sentence is read as its truth. Raises BenchmarkError, which names the first that is not."""
    scores = {f"{word}: {text!r}": float(affirms(text, word) is truth) for word, text, truth in predicate_sentences()}
    scores |= {f"{word}: {text!r}": float(chosen_region(text, word) == n) for word, text, n in choice_sentences()}
    check_oracle("SpatialRGPT-Bench's sentences", scores, "it is read as something else; correct `relations`")
