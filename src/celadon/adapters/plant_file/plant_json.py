"""A plant as canonical JSON, exact in both directions, and its digest.

The text is stored with every batch, so that the plant of an earlier day can be read again. Fields that
hold their default are left out: a field added later leaves the texts and digests of earlier plants as
they were.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from datetime import date, datetime, time
from enum import StrEnum
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from celadon.core.findings import Place
from celadon.core.model import Plant
from celadon.core.units import Unit, parse_unit

SHAPE = "plant/1"


def plant_to_json(plant: Plant) -> str:
    """The plant as one line of JSON: keys sorted, Fractions, dates and units as texts, defaults left out."""
    return _text({"shape": SHAPE, "plant": _encode(plant, Plant)})


def plant_from_json(text: str) -> Plant:
    """The plant that `plant_to_json` wrote, equal to it (ValueError when the text is something else)."""
    try:
        data = json.loads(text)
        if data["shape"] != SHAPE:
            raise ValueError(f"a plant of shape {data['shape']!r}, this Celadon reads {SHAPE!r}")
        plant = _decode(data["plant"], Plant)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a plant: {error!r}") from error
    if not isinstance(plant, Plant):
        raise ValueError("not a plant")
    return plant


def plant_digest(plant: Plant) -> str:
    """SHA-256 (hex) of what the plant means: where it stands in which file and where its store is do
    not count."""
    data = _encode(plant, Plant, meaning=True)
    data.pop("file", None)
    data.pop("store", None)
    return hashlib.sha256(_text({"shape": SHAPE, "plant": data}).encode()).hexdigest()


def _text(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _default(item: Field[Any]) -> Any:
    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else MISSING


_ENCODERS: dict[Any, Callable[[Any], Any]] = {
    Fraction: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    Unit: lambda unit: unit.text,
    float: float,
    int: int,
    str: str,
    bool: bool,
}
_DECODERS: dict[Any, Callable[[Any], Any]] = {
    Fraction: Fraction,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Unit: parse_unit,
    float: float,
    int: int,
    str: str,
    bool: bool,
}


def _encode(value: Any, kind: Any, meaning: bool = False) -> Any:
    """`value` of the declared type `kind` as JSON data; with `meaning`, without places."""
    if get_origin(kind) in (Union, UnionType):
        return None if value is None else _encode(value, _inner(kind), meaning)
    if get_origin(kind) is tuple:
        kinds = _items(kind, len(value))
        return [_encode(item, inner, meaning) for item, inner in zip(value, kinds, strict=True)]
    if kind in _ENCODERS:
        return _ENCODERS[kind](value)
    if issubclass(kind, StrEnum):
        return str(value)
    hints = _hints(kind)
    data: dict[str, Any] = {}
    for item in fields(kind):
        found, hint = getattr(value, item.name), hints[item.name]
        if found != _default(item) and not (meaning and hint is Place):
            data[item.name] = _encode(found, hint, meaning)
    return data


def _decode(data: Any, kind: Any) -> Any:
    """What `_encode` made `data` of."""
    if get_origin(kind) in (Union, UnionType):
        return None if data is None else _decode(data, _inner(kind))
    if get_origin(kind) is tuple:
        kinds = _items(kind, len(data))
        return tuple(_decode(item, inner) for item, inner in zip(data, kinds, strict=True))
    if kind in _DECODERS:
        return _DECODERS[kind](data)
    if issubclass(kind, StrEnum):
        return kind(data)
    hints = _hints(kind)
    return kind(**{name: _decode(found, hints[name]) for name, found in data.items()})


def _inner(kind: Any) -> Any:
    """The type beside None."""
    return next(arg for arg in get_args(kind) if arg is not NoneType)


def _items(kind: Any, length: int) -> list[Any]:
    """The declared types of a tuple's items."""
    args = get_args(kind)
    return [args[0]] * length if len(args) == 2 and args[1] is ... else list(args)
