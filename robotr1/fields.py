"""Check plain values (from YAML, JSON or a notebook) against the annotated fields of a dataclass.

`settings` and `records` both use this module: they know the file and the line, it knows types.
"""

import dataclasses
import math
import reprlib
import types
import typing
from functools import cache
from typing import Any, Literal

from robotr1.special_tokens import refusal, special_token


class FieldError(ValueError):
    """A value that does not fit its field. `field` names it; the message says what was expected."""

    def __init__(self, field: str, message: str):
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


def at_least(minimum: float, maximum: float = float("inf")) -> Any:
    """A dataclass field for a number (or a list of them) in [minimum, maximum]."""
    return dataclasses.field(metadata={"minimum": minimum, "maximum": maximum})


def prompt_text() -> Any:
    """A dataclass field for text (or lists of it) that goes into prompts: special tokens of tokenizers are refused."""
    return dataclasses.field(metadata={"prompt_text": True})


def not_stored() -> Any:
    """A dataclass field that files leave out, such as an image; `build` sets it to None."""
    return dataclasses.field(metadata={"stored": False})


def optional() -> Any:
    """A dataclass field that files leave out where it is None, so that files without it stay valid."""
    return dataclasses.field(default=None, metadata={"optional": True})


def build(kind: type, mapping: dict[str, Any]) -> Any:
    """Make a `kind` (a dataclass) from `mapping`, which must hold exactly its stored fields.

    A field may be a dataclass itself, or a list of them. An integer is accepted for a float (YAML writes 1 for 1.0);
    nothing else is converted.
    Raises FieldError on an unknown or missing name, a wrong type, or a value outside the field's range.
    """
    fields = _fields(kind)
    stored = [name for name, (_, metadata) in fields.items() if metadata.get("stored", True)]
    for name in mapping:
        if name not in stored:
            raise FieldError(str(name)[:100], f"unknown; the fields are {', '.join(stored)}")
    values = dict.fromkeys(fields)
    for name in stored:
        annotation, metadata = fields[name]
        if name not in mapping:
            if metadata.get("optional"):
                continue
            raise FieldError(name, "missing")
        values[name] = check(name, mapping[name], annotation)
        _check_bounds(name, values[name], metadata)
        if "prompt_text" in metadata:
            _check_text(name, values[name])
    return kind(**values)


def to_mapping(record: Any) -> dict[str, Any]:
    """The stored fields of a dataclass as plain values: the inverse of `build`."""
    fields = [field for field in dataclasses.fields(record) if field.metadata.get("stored", True)]
    values = {field.name: getattr(record, field.name) for field in fields}
    left_out = {field.name for field in fields if field.metadata.get("optional") and values[field.name] is None}
    return {name: _plain(value) for name, value in values.items() if name not in left_out}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_mapping(value)
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@cache
def _fields(kind: type) -> dict[str, tuple[Any, Any]]:
    annotations = typing.get_type_hints(kind)
    return {field.name: (annotations[field.name], field.metadata) for field in dataclasses.fields(kind)}


def check(name: str, value: Any, annotation: Any) -> Any:
    """Return `value` as `annotation` wants it, or raise FieldError."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        if not any(value == choice and type(value) is type(choice) for choice in arguments):
            raise FieldError(name, f"got {shown_value(value)}, expected one of {', '.join(map(str, arguments))}")
        return value
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        return check(name, value, arguments[0])
    if origin is list:
        _check_type(name, value, list, annotation)
        return [check(f"{name}[{i}]", item, arguments[0]) for i, item in enumerate(value)]
    if dataclasses.is_dataclass(annotation):
        _check_type(name, value, dict, annotation)
        try:
            return build(annotation, value)
        except FieldError as error:
            raise FieldError(f"{name}.{error.field}", error.message) from None
    if annotation is float and type(value) is int and abs(value) < 2**1000:  # the largest float is below 2**1024
        return float(value)
    _check_type(name, value, annotation, annotation)
    if annotation is float and not math.isfinite(value):
        raise FieldError(name, f"got {value}, expected a finite number")
    return value


def _check_type(name: str, value: Any, kind: type, annotation: Any) -> None:
    if type(value) is not kind:
        wanted = getattr(annotation, "__name__", str(annotation)) if kind is not list else str(annotation)
        raise FieldError(name, f"got {shown_value(value)} ({type(value).__name__}), expected {wanted}")


def shown_value(value: Any) -> str:
    """A value for a message, shortened: data may be of any size."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = 200
    return short.repr(value)


def _check_text(name: str, value: Any) -> None:
    if isinstance(value, list):
        for i, item in enumerate(value):
            _check_text(f"{name}[{i}]", item)
    elif token := special_token(value):
        raise FieldError(name, refusal(token))


def _check_bounds(name: str, value: Any, bounds: Any) -> None:
    if "minimum" not in bounds:
        return
    for number in value if isinstance(value, list) else [value]:
        if not bounds["minimum"] <= number <= bounds["maximum"]:
            limit = f"at least {bounds['minimum']}"
            if bounds["maximum"] != float("inf"):
                limit = f"between {bounds['minimum']} and {bounds['maximum']}"
            raise FieldError(name, f"got {number}, expected {limit}")
