"""Numbers and completions as text: percentages with intervals, p-values, lists, printable characters."""

from collections.abc import Sequence


def interval(value: float, low: float, high: float) -> str:
    """Percent with an interval: "71.6 [68.8, 74.2]"."""
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def whole_percent(value: float, low: float, high: float) -> str:
    """Percent without decimals, for sentences: "72% [69%, 74%]"."""
    return f"{value:.0%} [{low:.0%}, {high:.0%}]"


def points(difference: float, low: float, high: float) -> str:
    """A difference in percentage points: "+12.2 [+9.3, +15.2]"."""
    return f"{100 * difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def p_text(p_value: float) -> str:
    """A p-value as papers print it: "p = 0.032", "p < 0.001"."""
    return f"p = {p_value:.2g}" if p_value >= 0.001 else "p < 0.001"


def p_cell(p_value: float) -> str:
    """A p-value for a table's cell: "0.032", "< 0.001"."""
    return p_text(p_value).removeprefix("p ").removeprefix("= ")


def listed(parts: Sequence[str]) -> str:
    """Words as an enumeration: "a, b and c"."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def printable(text: str, limit: int | None = None) -> str:
    """A completion that is safe to show: control characters become "�", and it has at most `limit` characters."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"
