"""Draw a part of a benchmark's items."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def draw_evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many items at even distances, in their order; all of them with 0."""
    count = min(most or len(items), len(items))
    return [items[index * len(items) // count] for index in range(count)]
