"""Units: what people choose to be shown figures in. A model says which of its numbers are in which of its units; they are
converted here, after the view and before the template, the table or the JSON, so that a page, its charts and its
downloads show the same figure.

    class Figure(BaseModel):
        in_units: ClassVar[InUnits] = {"unit": ("value", "months.value")}

A path goes through lists and dicts by itself; what is absent stays absent. Nothing is converted between dimensions: standard
coal is no energy here, since what a kilowatt-hour is in coal is a rulebook's business.

Chosen: a person's own, before the place's, before those of all places (table `unit_choice`), before the rulebook's. A program
(a token, or an address in .json) gets the rulebook's units unless it asks: `?units=energy:GJ,emission:kt`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import lru_cache, partial
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Field

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.web.access import CONSOLE, Identity, Place
from celadon.web.page import Both, both
from celadon.web.state import State

UNIT_NOT_OFFERED = FindingKind(
    "units.not-offered",
    Severity.ERROR,
    Text("Unit not offered", "不提供该单位"),
    Text("“{asked}” is no unit to show {kind} in.", "“{asked}”不能作为{kind}的显示单位。"),
    Text("Use one of: {offered}.", "请使用：{offered}。"),
)
KIND_UNKNOWN = FindingKind(
    "units.kind-unknown",
    Severity.ERROR,
    Text("Kind of unit unknown", "未知的单位类别"),
    Text(
        "“{asked}” does not say of what kind of quantity to choose the unit.",
        "“{asked}”未说明要选择哪类量的单位。",
    ),
    Text(
        "Write KIND:UNIT, separated by commas; kinds: {kinds}.",
        "请写作 类别:单位，以逗号分隔；类别：{kinds}。",
    ),
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS unit_choice (
    chooser TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (chooser, kind)
) STRICT;
"""
InUnits = Mapping[str, tuple[str, ...]]
"""Path of a unit in a model -> paths of the numbers that are in it."""
AUTOMATIC, RULEBOOK = "automatic", "rulebook"


@dataclass(frozen=True)
class Kind:
    """A kind of quantity whose unit can be chosen: its dimensions, and the units offered."""

    label: Text
    dimensions: tuple[str, ...]
    units: tuple[str, ...]
    ladders: tuple[tuple[str, ...], ...]
    """Units that `automatic` goes up and down, each within the system of units that the figure is in."""


KINDS: Mapping[str, Kind] = {
    "energy": Kind(
        Text("Energy", "能量"), ("energy",), ("kWh", "MWh", "GWh", "10^4 kWh", "MJ", "GJ", "TJ"),
        (("kWh", "MWh", "GWh"), ("kJ", "MJ", "GJ", "TJ"), ("10^4 kWh", "10^8 kWh")),
    ),
    "standard_coal": Kind(
        Text("Standard coal", "标准煤"), ("standard_coal",), ("kgce", "tce", "10^4 tce"), (("kgce", "tce", "10^4 tce"),)
    ),
    "emission": Kind(
        Text("Emission (mass of CO2, CO2e, CH4, N2O)", "排放量（CO2、CO2e、CH4、N2O 质量）"),
        ("CO2_mass", "CO2e_mass", "CH4_mass", "N2O_mass"), ("kg", "t", "kt", "10^4 t"), (("kg", "t", "kt"), ("10^4 t",)),
    ),
    "power": Kind(Text("Power", "功率"), ("energy·time^-1",), ("kW", "MW", "GJ/h"), (("kW", "MW"), ("GJ/h",))),
    "volume": Kind(Text("Volume", "体积"), ("volume",), ("m3", "10^4 m3"), (("m3", "10^4 m3"),)),
}  # fmt: skip
"""By the word that addresses and settings use."""
_ENOUGH = 10.0
"""`automatic` takes the largest unit in which the largest figure is at least this."""


@dataclass(frozen=True)
class Units:
    """Units chosen by kind; a kind that is not there stays as it is."""

    chosen: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As in an address: energy:GJ,emission:kt."""
        return ",".join(f"{kind}:{unit}" for kind, unit in self.chosen.items())

    def of(self, unit: str, largest: float | None = None) -> str:
        """The unit to show figures in `unit` in, of which the largest is `largest`."""
        kind = _kind_of(unit)
        wanted = self.chosen.get(kind or "", RULEBOOK)
        if kind is None or wanted == RULEBOOK:
            return unit
        return _automatic(kind, unit, largest) if wanted == AUTOMATIC else _named(wanted, unit)


AS_GIVEN = Units()
"""Everything as the rulebook gives it."""


def asked_for(text: str) -> Units:
    """What `?units=` says: energy:GJ,emission:kt.

    Raises:
        FindingError: a kind or a unit that is not offered.
    """
    chosen: dict[str, str] = {}
    for part in filter(None, (item.strip() for item in text.split(","))):
        kind, mark, unit = part.partition(":")
        if kind.strip() not in KINDS or not mark:
            raise FindingError(KIND_UNKNOWN.at(Where(subject="units"), asked=part, kinds=", ".join(KINDS)))
        chosen[kind.strip()] = _offered(kind.strip(), unit.strip())
    return Units(chosen)


def settled(state: State, who: Identity | None, place: Place | None) -> Units:
    """The units that somebody's pages of a place show figures in."""
    choosers = [str(CONSOLE), *([str(place)] if place else []), *([chooser_of(who)] if who else [])]
    marks = ", ".join("?" * len(choosers))
    rows = state.rows(f"SELECT chooser, kind, unit FROM unit_choice WHERE chooser IN ({marks})", *choosers)
    ranked = sorted(rows, key=lambda row: choosers.index(row["chooser"]))
    found = {str(row["kind"]): str(row["unit"]) for row in ranked}
    return Units({kind: found[kind] for kind in KINDS if found.get(kind, RULEBOOK) != RULEBOOK})


def chooser_of(who: Identity) -> str:
    """A person as one who chooses."""
    return f"person:{who.person}"


def chosen_by(state: State, chooser: str) -> dict[str, str]:
    """What a person or place has chosen itself, by kind."""
    rows = state.rows("SELECT kind, unit FROM unit_choice WHERE chooser = ?", chooser)
    return {str(row["kind"]): str(row["unit"]) for row in rows}


class KindLine(BaseModel):
    """A kind of quantity and what a person or place chose for it: a unit, `automatic`, `rulebook`, or "" for nothing of its own."""

    kind: str
    label: Both
    units: list[str]
    chosen: str


class Chosen(BaseModel):
    """Units by kind: one that is offered, `automatic`, `rulebook`, or "" for nothing of one's own."""

    energy: str = Field("", max_length=20)
    standard_coal: str = Field("", max_length=20)
    emission: str = Field("", max_length=20)
    power: str = Field("", max_length=20)
    volume: str = Field("", max_length=20)


def lines(state: State, chooser: str) -> list[KindLine]:
    """Every kind with what a person or place chose."""
    chosen = chosen_by(state, chooser)
    return [
        KindLine(kind=word, label=both(kind.label), units=list(kind.units), chosen=chosen.get(word, ""))
        for word, kind in KINDS.items()
    ]


def choose(con: sqlite3.Connection, chooser: str, chosen: Mapping[str, str]) -> None:
    """Keep what a person or place chooses: for each kind a unit, `automatic`, `rulebook`, or "" for nothing of its own.

    Raises:
        FindingError: a unit that is not offered.
    """
    for kind, unit in chosen.items():
        if unit:
            con.execute(
                "INSERT OR REPLACE INTO unit_choice VALUES (?, ?, ?)", (chooser, kind, _offered(kind, unit))
            )
        else:
            con.execute("DELETE FROM unit_choice WHERE chooser = ? AND kind = ?", (chooser, kind))


def converted(value: float, unit: str, into: str) -> float:
    """A figure in another unit of its dimension: by the exact factor, rounded as seldom as can be."""
    if unit == into:
        return value
    factor = parse_unit(unit).factor_to(parse_unit(into))
    return value * factor.numerator / factor.denominator


def _offered(kind: str, unit: str) -> str:
    offered = (*KINDS[kind].units, AUTOMATIC, RULEBOOK)
    if unit not in offered:
        label = KINDS[kind].label
        raise FindingError(
            UNIT_NOT_OFFERED.at(Where(subject="units"), asked=unit, kind=label, offered=", ".join(offered))
        )
    return unit


@lru_cache(maxsize=1024)
def _kind_of(unit: str) -> str | None:
    """The kind of a unit, None where nothing is to be chosen."""
    try:
        dimension = parse_unit(unit).kind_text
    except UnitError:  # money, a bare number, a text
        return None
    return next((word for word, kind in KINDS.items() if dimension in kind.dimensions), None)


def _named(plain: str, unit: str) -> str:
    """A unit offered, of the gas that the figure is of: kt for tCO2 is ktCO2."""
    dimension = parse_unit(unit).kind_text
    return plain + dimension.removesuffix("_mass") if dimension.endswith("_mass") else plain


def _automatic(kind: str, unit: str, largest: float | None) -> str:
    """The largest unit of the figure's own system in which the largest figure is not small."""
    size, own = abs(largest or 0.0), parse_unit(unit)
    for ladder in KINDS[kind].ladders:
        steps = [_named(step, unit) for step in ladder]
        if not any(parse_unit(step).ratio == own.ratio for step in steps):
            continue
        fitting = [step for step in steps if converted(size, unit, step) >= _ENOUGH]
        return fitting[-1] if fitting else (steps[0] if size else unit)
    return unit


# -- models ----------------------------------------------------------------------------------------------------------------

Model = TypeVar("Model", bound=BaseModel)


def shown(model: Model, units: Units) -> Model:
    """A model with its figures in these units; figures of one unit share one, so that parts still add up to their total."""
    if not units.chosen:
        return model
    largest: dict[str, float] = {}

    def see(value: float, unit: str) -> float:
        largest[unit] = max(largest.get(unit, 0.0), abs(value))
        return value

    def convert(value: float, unit: str) -> float:
        return converted(value, unit, units.of(unit, largest.get(unit)))

    _walked(model, see, lambda unit: unit)
    return _walked(model, convert, lambda unit: units.of(unit, largest.get(unit)))


def has_units(model: type[BaseModel]) -> bool:
    """Whether a model, or one inside it, has figures in units."""
    return _has_units(model, set())


def _has_units(hint: Any, seen: set[Any]) -> bool:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        if hint in seen:
            return False
        seen.add(hint)
        own = bool(getattr(hint, "in_units", {}))
        return own or any(_has_units(item.annotation, seen) for item in hint.model_fields.values())
    return any(_has_units(part, seen) for part in get_args(hint))


Change = Callable[[float, str], float]


def _walked(model: Model, change: Change, rename: Callable[[str], str]) -> Model:
    """The model with `change(number, unit)` for its numbers and `rename(unit)` for their units."""
    changes: dict[str, Any] = {}
    for name in type(model).model_fields:
        before = getattr(model, name)
        after = _inside(before, lambda part: _walked(part, change, rename))
        if after is not before:
            changes[name] = after
    for unit_path, paths in getattr(type(model), "in_units", {}).items():
        unit = _text_at(model, unit_path)
        if not unit:
            continue
        for path in paths:
            _put(model, changes, path, partial(_numbers, change=change, unit=unit))
        _put(model, changes, unit_path, rename)
    return model.model_copy(update=changes) if changes else model


def _inside(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with `change` done to the models in it."""
    if isinstance(value, BaseModel):
        return change(value)
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        return [change(part) for part in value]
    return value


def _put(model: BaseModel, changes: dict[str, Any], path: str, change: Callable[[Any], Any]) -> None:
    name, _, rest = path.partition(".")
    before = changes[name] if name in changes else getattr(model, name)
    changes[name] = _at(before, rest, change)


def _at(value: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """A value with what lies at a path changed; lists are gone through."""
    if value is None:
        return None
    if not path:
        return change(value)
    if isinstance(value, list):
        return [_at(part, path, change) for part in value]
    name, _, rest = path.partition(".")
    if isinstance(value, dict):
        return {**value, name: _at(value[name], rest, change)}
    return value.model_copy(update={name: _at(getattr(value, name), rest, change)})


def _text_at(model: BaseModel, path: str) -> str:
    name, _, rest = path.partition(".")
    found = getattr(model, name)
    return str(found[rest] if rest else found)


def _numbers(value: Any, change: Change, unit: str) -> Any:
    if isinstance(value, list):
        return [_numbers(part, change, unit) for part in value]
    if isinstance(value, dict):
        return {name: _numbers(part, change, unit) for name, part in value.items()}
    return None if value is None else change(value, unit)
