"""Make text from outside safe to store: no half characters, and no secrets of the environment."""

import os
import re

SECRET_NAMES = re.compile(r"key|token|secret|passw|credential|auth", re.IGNORECASE)
SHORTEST = 6  # characters; a shorter value, such as "none", is no secret
PLACE = "[secret]"


def valid_unicode(text: str) -> str:
    """The text with lone surrogates (half an emoji) replaced, so that it can be encoded as UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def secrets(*names: str) -> list[str]:
    """The environment's secret values: those of `names`, of names such as HF_TOKEN, and the passwords of proxies."""
    values = [part for name in names for part in os.environ.get(name, "").split()]
    for name, value in os.environ.items():
        if name in names or SECRET_NAMES.search(name):
            values.append(value.strip())
        elif name.lower().endswith("_proxy"):
            values += [part for login in re.findall(r"//([^/@\s]+)@", value) for part in (login, *login.split(":"))]
    return sorted({value for value in values if len(value) >= SHORTEST}, key=len, reverse=True)


def without_secrets(text: str, values: list[str]) -> str:
    """The text with every secret value replaced."""
    for value in values:
        text = text.replace(value, PLACE)
    return text
