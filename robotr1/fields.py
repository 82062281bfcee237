"""Check plain values (from YAML, JSON or a notebook) against the annotated fields of a dataclass.

`settings` and `records` both use this module: they know the file and the line, it knows types.
"""

import dataclasses
import types
import typing
from functools import cache
from typing import Any, Literal


class FieldError(ValueError):
    """A value that does not fit its field. `field` names it; the message says what was expected."""

    def __init__(self, field: str, message: str):
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


def at_least(minimum: float, maximum: float = float("inf")) -> Any:
    """A dataclass field for a number (or a list of them) in [minimum, maximum]."""
    return dataclasses.field(metadata={"minimum": minimum, "maximum": maximum})


def not_stored() -> Any:
    """A dataclass field that files leave out, such as an image; `build` sets it to None."""
    return dataclasses.field(metadata={"stored": False})


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
            raise FieldError(str(name), f"unknown; the fields are {', '.join(stored)}")
    values = dict.fromkeys(fields)
    for name in stored:
        annotation, metadata = fields[name]
        if name not in mapping:
            raise FieldError(name, "missing")
        values[name] = check(name, mapping[name], annotation)
        _check_bounds(name, values[name], metadata)
    return kind(**values)


def to_mapping(record: Any) -> dict[str, Any]:
    """The stored fields of a dataclass as plain values: the inverse of `build`."""
    fields = [field for field in dataclasses.fields(record) if field.metadata.get("stored", True)]
    return {field.name: _plain(getattr(record, field.name)) for field in fields}


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
            raise FieldError(name, f"got {value!r}, expected one of {', '.join(map(str, arguments))}")
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
    if annotation is float and type(value) is int:
        return float(value)
    _check_type(name, value, annotation, annotation)
    return value


def _check_type(name: str, value: Any, kind: type, annotation: Any) -> None:
    if type(value) is not kind:
        wanted = getattr(annotation, "__name__", str(annotation)) if kind is not list else str(annotation)
        raise FieldError(name, f"got {value!r} ({type(value).__name__}), expected {wanted}")


def _check_bounds(name: str, value: Any, bounds: Any) -> None:
    if "minimum" not in bounds:
        return
    for number in value if isinstance(value, list) else [value]:
        if not bounds["minimum"] <= number <= bounds["maximum"]:
            limit = f"at least {bounds['minimum']}"
            if bounds["maximum"] != float("inf"):
                limit = f"between {bounds['minimum']} and {bounds['maximum']}"
            raise FieldError(name, f"got {number}, expected {limit}")
