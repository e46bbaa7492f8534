"""A plant as canonical JSON, exact in both directions, and its digest.

The text is stored with every batch, so that the plant of an earlier day can be read again. Fields that
hold their default are left out: a field added later leaves the texts and digests of earlier plants as
they were.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime, time
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from celadon.core.findings import Place
from celadon.core.model import Meter, Plant, VirtualMeter
from celadon.core.same import Same
from celadon.core.units import Unit, parse_unit

SHAPE = "plant/1"


def plant_to_json(plant: Plant) -> str:
    """The plant as one line of JSON: keys sorted, Fractions, dates and units as texts, defaults left out."""
    return _plant_text(
        plant, False, ("catalogue", "segments")
    )  # digests of facts must not depend on where they are kept


def plant_from_json(text: str) -> Plant:
    """The plant that `plant_to_json` wrote, equal to it but for where facts are kept (ValueError when the text is something else)."""
    try:
        data = json.loads(text)
        if data["shape"] != SHAPE:
            raise ValueError(f"a plant of shape {data['shape']!r}, this Celadon reads {SHAPE!r}")
        plant = _decoder(Plant)(data["plant"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a plant: {error!r}") from error
    if not isinstance(plant, Plant):
        raise ValueError("not a plant")
    return plant


def plant_digest(plant: Plant) -> str:
    """SHA-256 (hex) of what the plant means: where it stands in which file and where its store and
    catalogue are do not count."""
    text = _plant_text(plant, True, ("file", "store", "catalogue", "segments"))
    return hashlib.sha256(text.encode()).hexdigest()


def meters_digest(meters: Iterable[Meter | VirtualMeter]) -> str:
    """SHA-256 (hex) of what these meters mean, in their order."""
    texts = []
    for meter in meters:
        kind: Any = type(meter)
        texts.append(_item_text(kind, Same(meter), True))
    return hashlib.sha256(f"[{','.join(texts)}]".encode()).hexdigest()


def _plant_text(plant: Plant, meaning: bool, without: Collection[str]) -> str:
    """The plant's text, put together from those of its parts: what did not change since an earlier plant is not encoded again."""
    hints, parts = _hints(Plant), {}
    for item in fields(Plant):
        found = getattr(plant, item.name)
        if item.name not in without and found != _default(item):
            parts[item.name] = _part_text(hints[item.name], found, meaning)
    body = ",".join(f'"{name}":{parts[name]}' for name in sorted(parts))
    return f'{{"plant":{{{body}}},"shape":"{SHAPE}"}}'


def _part_text(kind: Any, value: Any, meaning: bool) -> str:
    args = get_args(kind)
    if get_origin(kind) is tuple and is_dataclass(args[0]):
        each: Any = args[0]
        return "[" + ",".join([_item_text(each, Same(item), meaning) for item in value]) + "]"
    return _text(_encoder(kind)(value, meaning))


@lru_cache(maxsize=20_000)
def _item_text(kind: Any, item: Same[Any], meaning: bool) -> str:
    return _text(_encoder(kind)(item.item, meaning))


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


_Encoder = Callable[[Any, bool], Any]
_Decoder = Callable[[Any], Any]


@cache
def _encoder(kind: Any) -> _Encoder:
    """What encodes a declared type: the types are looked at once, not once for each meter."""
    if get_origin(kind) in (Union, UnionType):
        inner = _encoder(_inner(kind))
        return lambda value, meaning: None if value is None else inner(value, meaning)
    if get_origin(kind) is tuple:
        return _tuple_encoder(kind)
    if kind in _ENCODERS:
        plain = _ENCODERS[kind]
        return lambda value, _: plain(value)
    if issubclass(kind, StrEnum):
        return lambda value, _: str(value)
    return _class_encoder(kind)


def _tuple_encoder(kind: Any) -> _Encoder:
    args = get_args(kind)
    if len(args) == 2 and args[1] is ...:
        each = _encoder(args[0])
        return lambda value, meaning: [each(item, meaning) for item in value]
    inner = [_encoder(arg) for arg in args]
    return lambda value, meaning: [one(item, meaning) for one, item in zip(inner, value, strict=True)]


def _class_encoder(kind: Any) -> _Encoder:
    hints = _hints(kind)
    parts = [(item.name, _default(item), hints[item.name]) for item in fields(kind)]

    def encode(value: Any, meaning: bool) -> dict[str, Any]:
        data = {}
        for name, default, hint in parts:
            found = getattr(value, name)
            if found is not default and found != default and not (meaning and hint is Place):
                data[name] = _encoder(hint)(found, meaning)
        return data

    return encode


@cache
def _decoder(kind: Any) -> _Decoder:
    """What reads back a declared type as `_encoder` wrote it."""
    if get_origin(kind) in (Union, UnionType):
        inner = _decoder(_inner(kind))
        return lambda data: None if data is None else inner(data)
    if get_origin(kind) is tuple:
        args = get_args(kind)
        if len(args) == 2 and args[1] is ...:
            each = _decoder(args[0])
            return lambda data: tuple(each(item) for item in data)
        parts = [_decoder(arg) for arg in args]
        return lambda data: tuple(one(item) for one, item in zip(parts, data, strict=True))
    if kind in _DECODERS:
        return _DECODERS[kind]
    if issubclass(kind, StrEnum):
        return cast("_Decoder", kind)
    hints = _hints(kind)
    return lambda data: kind(**{name: _decoder(hints[name])(found) for name, found in data.items()})


def _inner(kind: Any) -> Any:
    """The type beside None."""
    return next(arg for arg in get_args(kind) if arg is not NoneType)
