"""The text of a completion as TRL passes it to a reward."""

from typing import Any

Completion = str | list[dict[str, Any]]


def text(completion: Completion) -> str:
    """The text of a completion: a string as it is, or the last message's content of a message list."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
