"""Split free text into numbers, words and signs, in whatever way Unicode writes them, and read the numbers."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_FRACTION_SIGN = re.compile(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e\u2189])")  # 1½ is 1 1/2, not 11/2
_RAISED = str.maketrans({raised: f"^{plain}" for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")})
_SAME = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-")  # dashes and the minus sign
    | dict.fromkeys("\u2044\u2215", "/")
    | dict.fromkeys("×✕✖⨯", "x")
    | dict.fromkeys("‘’′ʹʼ`´", "'")
    | dict.fromkeys("“”″ʺ〃", '"')
    | dict.fromkeys("∼〜≈≃≅", "~")
    | dict.fromkeys("·⋅٫。｡", ".")
    | {"٬": "'"}
)
# Whole numbers with or without groups of three, decimal points or commas, and exponents; `number` reads them.
_TOKEN = re.compile(r"(?P<number>\.?\d+(?:[.,_]\d+|'\d{3}(?![\d\"]))*(?:e[+-]?\d+)?)|(?P<word>[^\W\d_]+)|(?P<sign>\S)")
_READ = (  # form of a number, and the characters to drop; a comma that is left is the decimal one
    (re.compile(r"\d{1,12}(?:\.\d{1,12})?|\.\d{1,12}"), ""),
    (re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d{1,12})?"), ","),
    (re.compile(r"\d{1,12},\d{1,12}"), ""),
    (re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+,\d{1,12}|[1-9]\d{0,2}(?:\.\d{3}){2,}"), "."),
    (re.compile(r"[1-9]\d{0,2}(?:'\d{3})+(?:[.,]\d{1,12})?"), "'"),
    (re.compile(r"[1-9]\d{0,2}(?:_\d{3})+(?:[.,]\d{1,12})?"), "_"),
)
NUMBER_WORDS = {
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
}
NUMBER_WORDS |= {"thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty"}
NUMBER_WORDS |= {"forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million", "dozen"}
NUMBER_WORDS |= {"half", "quarter", "quarters", "third", "thirds", "point"}


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a word in lower case or a sign."""

    kind: str  # number, word, sign, or end: what comes before the first token and after the last one
    text: str = ""
    spaced: bool = True  # whether white space comes before it
    starts_line: bool = False


END = Token("end")


def tokens(text: str) -> list[Token]:
    """The tokens of a text in order. Equal signs become one: every dash is "-", every prime "'", and so on.

    Takes linear time and raises nothing, whatever the text.
    """
    text = _FRACTION_SIGN.sub(" ", text).translate(_SAME).translate(_RAISED)
    text = unicodedata.normalize("NFKC", text).translate(_SAME).replace("''", '"').lower()
    text = "".join(" " if unicodedata.category(char) == "Cf" else char for char in text)  # zero-width characters
    text = re.sub(r"\d", lambda digit: str(unicodedata.decimal(digit[0])), text).replace("**", " ").replace("__", " ")
    found, end = [], 0
    for match in _TOKEN.finditer(text):
        gap = text[end : match.start()]
        found.append(Token(match.lastgroup, match[0], bool(gap), not found or "\n" in gap))
        end = match.end()
    return found


def number(text: str) -> float | None:
    """The value of a number's text; None where it could be two different numbers or is none.

    "1,500" is fifteen hundred as in English, "0,75" and "1,5" have a decimal comma, "1.500,25" both.
    """
    mantissa, _, exponent = text.partition("e")
    if len(exponent.lstrip("+-")) > 2:
        return None
    for form, dropped in _READ:
        if form.fullmatch(mantissa):
            plain = mantissa.replace(dropped, "") if dropped else mantissa
            return float(plain.replace(",", ".")) * 10.0 ** int(exponent or 0)
    return None


def token_at(parts: Sequence[Token], index: int) -> Token:
    """The token at an index, END outside."""
    return parts[index] if 0 <= index < len(parts) else END
