"""Read relations between regions from free text: yes or no, or the chosen region.

SpatialRGPT-Bench's own sentences begin with yes, indeed, correct, that is true, or with no, incorrect, that is false.
Some denials only state the opposite: "In fact, Region [0] may be shorter …", "Actually, Region [0] is either below …".
So a sentence without such a beginning is read by its relation, and by the order in which it names the regions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 4000  # characters; the rest of an answer is not read
PHRASES = {  # of each category's word
    "left": r"left(?:wards?|most)?",
    "right": r"right(?:wards?|most)?",
    "above": r"above|over|on top|atop|higher|upper",
    "below": r"below|under|underneath|beneath|lower",
    "behind": r"behind|further|farther|backwards?|more distant|at the (?:back|rear)",
    "front": r"in front|closer|nearer|forwards?|less distant|at the front",
    "big": r"big|bigger|biggest|large|larger|largest|(?:more|greater) (?:in )?(?:space|size|volume)",
    "small": r"small|smaller|smallest|tiny|tinier|(?:less|lesser) (?:in )?(?:space|size|volume)",
    "tall": r"tall|taller|tallest|higher|(?:more|greater|larger) (?:in )?height",
    "short": r"short|shorter|shortest|lower|(?:less|lesser|smaller) (?:in )?height",
    "wide": r"wide|wider|widest|broad|broader|(?:more|greater|larger) (?:in )?width",
    "thin": r"thin|thinner|thinnest|narrow|narrower|slimmer|(?:less|lesser|smaller) (?:in )?width",
}
_PAIRS = (
    ("left", "right"),
    ("above", "below"),
    ("behind", "front"),
    ("big", "small"),
    ("tall", "short"),
    ("wide", "thin"),
)
OPPOSITE = dict(_PAIRS) | {other: one for one, other in _PAIRS}
_RELATION = {
    word: re.compile(rf"\b(?:(?P<opposite>{PHRASES[OPPOSITE[word]]})|{own})\b") for word, own in PHRASES.items()
}
_REGION = re.compile(r"\bregions?[\s\[(#]{0,4}(\d{1,2})\b|\[\s?(\d{1,2})\s?\]")
_YES = r"yes|yeah|yep|yup|correct|indeed|certainly|absolutely|definitely|of course|true"
_NO = r"no|nope|incorrect|false|untrue|not at all|not really"
_ENDED = r"(?=\s*(?:[,.;:!]|$))"  # these words are only answers where a clause ends
_INTRODUCTION = r"the answer is|answer|well|it is|that is|it's|that's|this is|i think|i believe|i would say"
_OPENING = re.compile(
    rf"\W{{0,9}}(?:(?:{_INTRODUCTION})\W{{1,9}}){{0,3}}(?:(?P<not>not)\s+)?"
    rf"(?:(?P<yes>(?:{_YES})\b|(?:right|exactly|sure|the case|so){_ENDED})|(?P<no>(?:{_NO})\b|wrong{_ENDED}))"
)
_SHORT = re.compile(r"\b(?:it|this|that|region[\s\[]{0,3}\d{1,2}\]?) (?:is|does|has|can)(?P<not> not)?\W{0,3}$")
_NOT = re.compile(r"\b(?:not|never|neither|nor|no|cannot|without|hardly|rather than|instead of)\b(?! only)")
_SAME = re.compile(r"\b(?:same|equal|equally|aligned|identical|level|similar|as \w+ as)\b")
_OR_SAME = re.compile(r"\bor\b[^.;!?]{0,30}\b(?:same|equal|aligned|identical|level|similar)\b")


@dataclass(frozen=True)
class _Claim:
    """One relation phrase in a text: of which region (None: not named), and how."""

    subject: int | None
    object: int | None
    is_own: bool  # the category's relation, else the opposite
    denied: bool


def affirms(text: str, word: str = "", pair: tuple[int, int] = (0, 1)) -> bool | None:
    """Whether a text answers yes to "is the first region of `pair` `word` compared with the second"; None: unreadable.

    `word` is that of a category, such as "left" or "tall"; without it only yes and no are read.
    """
    text = _plain(text)
    if opening := _OPENING.match(text):
        yes = bool(opening["yes"]) != bool(opening["not"])
        return None if re.search(rf"\b{'no' if yes else 'yes'}\b", text[opening.end() :]) else yes
    if short := _SHORT.search(text):
        return not short["not"]
    found = {_truth(claim, pair) for claim in _claims(text, word)} - {None} if word else set()
    if True in found and _OR_SAME.search(text):
        return None
    if not found and word and _SAME.search(text) and not _NOT.search(text):
        return False
    return found.pop() if len(found) == 1 else None


def chosen_region(text: str, word: str, pair: tuple[int, int] = (0, 1)) -> int | None:
    """The region of `pair` that a text names as the one that is `word`; None where that cannot be read."""
    text = _plain(text)
    claims = list(_claims(text, word))
    if not claims:
        named = set(regions(text))
        return named.pop() if len(named) == 1 and not _NOT.search(text) else None
    chosen = set()
    for claim in claims:
        subject = claim.subject
        if subject is None and claim.object in pair:
            subject = _other(claim.object, pair)
        if subject is None:
            named = set(regions(text))
            subject = named.pop() if len(named) == 1 else None
        if not claim.denied:
            chosen.add(subject if claim.is_own or subject is None else _other(subject, pair))
    return chosen.pop() if len(chosen) == 1 else None


def regions(text: str) -> list[int]:
    """The numbers of all regions in a text, in order."""
    return [int(one or other) for one, other in _REGION.findall(text.lower())]


def _plain(text: str) -> str:
    text = re.sub(r"[*_`\"“”]", " ", text[:LONGEST].lower().replace("’", "'"))
    text = re.sub(r"\bcan't\b", "cannot", text).replace("n't", " not")
    text = re.sub(
        r"\b(?:right|straight|directly|just) (?=above|below|over|under|behind|in front|on top|beneath)", "", text
    )
    text = re.sub(r"\b(?:further|farther) (?=in front|forward|to the |left|right|above|below)", "", text)
    return " ".join(text.split())


def _claims(text: str, word: str) -> Iterator[_Claim]:
    for clause in re.split(r"[.,;:!?](?!\d)|\bbut\b|\bwhile\b|\bwhereas\b|\band it\b", text):
        named = [(match.start(), match.end(), int(match[1] or match[2])) for match in _REGION.finditer(clause)]
        for match in _RELATION[word].finditer(clause):
            before = [region for region in named if region[1] <= match.start()]
            after = [region for region in named if region[0] >= match.end()]
            lead, tail = clause[max(0, match.start() - 80) : match.start()], clause[match.end() :]
            is_own = not match["opposite"]
            sides = _sides(clause, before, after, match.end())
            if sides is None:
                continue
            if re.search(r"\bas $", lead) and re.match(r" (?:\w+ )?as\b", tail):  # as tall as, not as tall as
                if not _NOT.search(lead):
                    continue
                yield _Claim(*sides, not is_own, False)
            else:
                is_own = is_own != bool(re.search(r"\bless $", lead))
                yield _Claim(*sides, is_own, bool(_NOT.search(lead)))


def _sides(clause: str, before: list, after: list, end: int) -> tuple[int | None, int | None] | None:
    """(subject, object) of a phrase: "[0] is left of [1]", "left of [1] is [0]"; None for "[0] and [1] are left"."""
    inverted = [
        region for region in after if re.search(r"\b(?:is|are|stands|lies)\W*(?:the )?$", clause[end : region[0]])
    ]
    if inverted:
        others = [region[2] for region in after if region[0] < inverted[0][0]]
        return inverted[0][2], others[0] if others else None
    if len(before) > 1 and re.fullmatch(r"[\s\])]*(?:and|or)\s*", clause[before[-2][1] : before[-1][0]]):
        return None
    return before[-1][2] if before else None, after[0][2] if after else None


def _truth(claim: _Claim, pair: tuple[int, int]) -> bool | None:
    """What a claim says about the first region of the pair. "Not shorter" says nothing: it may be as tall."""
    if not {claim.subject, claim.object} <= {*pair, None} or (
        claim.subject is not None and claim.subject == claim.object
    ):
        return None
    swapped = claim.subject == pair[1] or (claim.subject is None and claim.object == pair[0])
    is_own = claim.is_own != swapped
    return (False if is_own else None) if claim.denied else is_own


def _other(region: int, pair: Sequence[int]) -> int | None:
    return {pair[0]: pair[1], pair[1]: pair[0]}.get(region)
