"""Read the score from a judge's reply: one whole number from 0 to 3, or nothing.

A wrong reading would become a result, so ranges, other scales, fractions and several scores are no score.
"""

import re
import unicodedata

LONGEST = 20_000  # characters; only the end of a longer reply is read
_THOUGHTS = r"think(?:ing)?|thoughts?|reasoning|reflection|analysis"
_END_OF_THOUGHT = re.compile(rf"[<\[◁]/(?:{_THOUGHTS})[>\]▷]", re.IGNORECASE)
_OPEN_THOUGHT = re.compile(rf"[<\[◁](?:{_THOUGHTS})[>\]▷]", re.IGNORECASE)
_TAG = re.compile(r"</?([a-z]{1,20})\s{0,3}/?>", re.IGNORECASE)
_OWN_SCALE = r"(?:on |in |using )?(?:a |the )?(?:scale|range)?\s{0,3}(?:of |from )?0\s{0,3}(?:-|to|\.\.)\s{0,3}3"
_LABEL_SCALE = re.compile(rf"(\bscore\s{{0,3}})\(\s{{0,3}}{_OWN_SCALE}\s{{0,3}}\)", re.IGNORECASE)  # Score (0-3): 2
_OTHER_SCALE = re.compile(
    r"\b(?:scale|range|out of|max(?:imum)?)\b[^.;\n\d]{0,20}(?:\d{1,3}\s?(?:-|to)\s?)?(\d+)", re.I
)
_OTHER_UNIT = re.compile(r"\bpercent|\b(?:four|five|six|seven|ten|hundred|[4-9]|\d{2,3})[- ]points?\b", re.IGNORECASE)
_MARKUP = str.maketrans(dict.fromkeys("*_`\"'“”‘’「」『』【】《》〈〉()[]{}|#\\", " "))
_SAME = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")
    | dict.fromkeys("\u2014\u2015", " - ")
    | dict.fromkeys("∶꞉ː→", ":")
    | {"\u2044": "/"}
)
_MENTION = re.compile(
    r"(?P<no>\b(?:no|not|never|cannot|without)\s+(?:\w+\s+){0,2})?\bscore\s{0,9}(?:[:=]|[-=]>)?\s{0,9}"
    r"(?=(?P<value>[<>+~\-±≈≤≥$]?\s?\d.{0,300}))",
    re.IGNORECASE,
)
_VALUE = re.compile(r"(?:<\s{0,3}(?P<inner>[0-3])(?:\.0{1,3})?\s{0,3}>|(?P<plain>[0-3])(?:\.0{1,3})?)(?P<after>.*)")
_OF_THREE = re.compile(r"\s{0,3}(?:/|out of|of)\s{0,3}(?:3|three)\b(?!\s?[./,]\s?\d)(?: points?)?")
_CLAUSE = re.compile(r"(.*?)(?:\breason\b|[.;!?](?:\s|$)|$)", re.IGNORECASE)
_OTHER_WORDS = (  # directly after the score they make it another
    "percent|half|halves|quarters?|thirds?|tenths?|stars?|hundred|thousand|million|out|of|or|to|and a|in|from|over|per|"
    "through|until|versus|vs|plus|minus|would|could|should|might|may|if|unless|maybe|perhaps|possibly|almost|nearly"
)
_UNSURE = re.compile(rf".*\d|[\s,]*(?:[%‰°±~/]|(?:{_OTHER_WORDS})\b)", re.IGNORECASE)  # also another number
_JOINED = re.compile(r"\w|[+%-]|[.,]\d|\s?\+|\s?-\s?\d|\s?\.\.+\s?\d")  # directly after the digit


def parse_reply(reply: str) -> int | None:
    """The one score of a reply, 0 to 3; None where it states none, several, or something else than a whole score.

    Only the text after the reply's thoughts counts. Markup and Unicode forms do not matter: "**Score**：<2>" is 2.
    Takes linear time and raises nothing, whatever the text.
    """
    text = unicodedata.normalize("NFKC", reply[-LONGEST:]).translate(_SAME)
    text = _END_OF_THOUGHT.split(text)[-1]
    if _OPEN_THOUGHT.search(text):
        return None  # the reply ends within its thoughts
    text = _TAG.sub(lambda tag: " score: " if tag[0].lower() == "<score>" else " ", text)
    before_reason = re.split(r"\breason\b", text, maxsplit=1, flags=re.IGNORECASE)[0]
    if _OTHER_UNIT.search(before_reason) or any(int(top[:9]) > 3 for top in _OTHER_SCALE.findall(before_reason)):
        return None
    text = _LABEL_SCALE.sub(r"\1", text).translate(_MARKUP)
    scores = {None if mention["no"] else _score(mention["value"]) for mention in _MENTION.finditer(text)}
    return scores.pop() if len(scores) == 1 else None


def _score(text: str) -> int | None:
    """The score at the beginning of a text, None where what follows makes it something else."""
    if not (value := _VALUE.match(text)):
        return None
    after = value["after"]
    if of_three := _OF_THREE.match(after):
        after = after[of_three.end() :]
    is_other = _JOINED.match(after) or _UNSURE.match(_CLAUSE.match(after)[1])
    return None if is_other else int(value["inner"] or value["plain"])
