"""The text of a completion as TRL passes it to a reward."""

from typing import Any

Completion = str | list[dict[str, Any]]


def text(completion: Completion) -> str:
    """The text of a completion: a string as it is, or the last message's content; empty without any text."""
    if isinstance(completion, str):
        return completion
    content = (completion[-1].get("content") if completion else None) or ""
    return content if isinstance(content, str) else "".join(part.get("text") or "" for part in content)
