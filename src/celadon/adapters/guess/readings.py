"""Readings in an unknown table: a column per meter, or a row per reading; and which meter each is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from celadon.adapters.guess.choices import Choices, Other
from celadon.adapters.guess.clocks import Clock
from celadon.adapters.guess.columns import Column, Look
from celadon.core.model import Meter, Plant, PointKind
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit

_METER_NAME = re.compile(
    r"meter|point|tag|device|sensor|channel|表计|表号|计量点|测点|仪表|设备|编号", re.IGNORECASE
)
_VALUE_NAME = re.compile(r"value|reading|amount|wert|读数|数值|表底|示数|值", re.IGNORECASE)
_UNIT_NAME = re.compile(r"unit|单位|einheit", re.IGNORECASE)
_NEAR = 0.75


def plain(text: str) -> str:
    """A name for comparison: letters and digits only, case and width ignored, unit in brackets gone."""
    text = re.sub(r"[\(（\[【][^()（）\[\]【】]*[\)）\]】]", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"[\W_]+", "", text).casefold()


def names_of(meter: Meter) -> list[str]:
    """What a meter is called."""
    return [meter.id, meter.name.zh, meter.name.en]


def likeness(word: str, meter: Meter) -> float:
    """1 for the same name, 0.9 where one holds the other, less by how far the letters differ."""
    best, mine = 0.0, plain(word)
    for name in names_of(meter):
        theirs = plain(name)
        if not mine or not theirs:
            continue
        if mine == theirs:
            return 1.0
        if len(theirs) > 1 and (theirs in mine or (len(mine) > 1 and mine in theirs)):
            best = max(best, 0.8 + 0.1 * min(len(mine), len(theirs)) / max(len(mine), len(theirs)))
        best = max(best, 0.8 * SequenceMatcher(None, mine, theirs).ratio())
    return best


def best_meter(word: str, meters: Iterable[Meter]) -> tuple[Meter | None, float]:
    """The meter that is called most like a word, and how much."""
    ranked = sorted(
        ((likeness(word, meter), meter.id, meter) for meter in meters), reverse=True, key=lambda x: x[0]
    )
    return (ranked[0][2], ranked[0][0]) if ranked else (None, 0.0)


def meter_column(look: Look, plant: Plant) -> Column | None:
    """The column whose words are meters of the plant, or whose header says so."""
    best: tuple[float, Column] | None = None
    for column in look.columns:
        words = [word for word, _ in column.words.most_common(200)]
        if not words or len(words) > max(1000, len(plant.meters) * 5) or column.timed:
            continue
        known = sum(1 for word in words if any(likeness(word, meter) == 1.0 for meter in plant.meters))
        named = bool(_METER_NAME.search(column.name)) and len(words) * 3 <= len(column.given)
        score = known / len(words) + (0.4 if named else 0.0)
        if score >= 0.4 and (best is None or score > best[0]):
            best = (score, column)
    return best[1] if best else None


def header_matches(look: Look, plant: Plant) -> int:
    """How many headers are called as a meter is."""
    return sum(1 for c in look.columns if c.number_share > 0.5 and best_meter(c.name, plant.meters)[1] >= 0.8)


def guess_readings(look: Look, clock: Clock, plant: Plant, choices: Choices) -> dict[str, Any]:
    """The part of the source block that says where the readings are."""
    long = meter_column(look, plant)
    layout = choices.choose(
        "layout",
        "long" if long else "wide",
        Text(f"“{long.name}” names meters: one row per reading", f"“{long.name}”列为表计：每行一个读数")
        if long
        else Text("no column names meters: one column per meter", "没有表计列：每表一列"),
        [
            Other("wide", Text("one column per meter", "每表一列"))
            if long
            else Other("long", Text("one row per reading", "每行一个读数"))
        ],
        sure=True,
    )
    if layout == "long":
        return _long(look, clock, plant, choices, long)
    return _wide(look, clock, plant, choices)


def _long(look: Look, clock: Clock, plant: Plant, choices: Choices, found: Column | None) -> dict[str, Any]:
    free = [c for c in look.columns if c not in clock.columns]
    others = [
        Other(c.name, Text("another column of words", "另一文字列"))
        for c in free
        if c is not found and c.number_share < 0.5
    ]
    meter = choices.choose(
        "long.meter",
        found.name if found else "",
        Text("its words are meters", "其内容为表计"),
        others,
        sure=found is not None,
    )
    numbers = [c for c in free if c.name != meter and c.number_share > 0.6]
    ranked = sorted(numbers, key=lambda c: (not _VALUE_NAME.search(c.name), c.index))
    value = choices.choose(
        "long.value",
        ranked[0].name if ranked else "",
        Text("a column of numbers", "数字列"),
        [Other(c.name, Text("another column of numbers", "另一数字列")) for c in ranked[1:]],
        sure=len(ranked) == 1 or bool(ranked and _VALUE_NAME.search(ranked[0].name)),
    )
    units = [
        c
        for c in free
        if c.name not in (meter, value) and c.given and all(_is_unit(word) for word in list(c.words)[:20])
    ]
    block: dict[str, Any] = {"long": {"meter": meter, "value": value}}
    if units:
        why = Text("its words are units", "其内容为单位")
        block["long"]["unit"] = choices.choose("long.unit", units[0].name, why)
    column = look.column(meter)
    words = _meter_words(column, plant, choices) if column else {}
    if words:
        block["map"] = {"meter": words}
    return block


def _meter_words(column: Column, plant: Plant, choices: Choices) -> dict[str, str]:
    """Words of the file that are no meter's id, and the meter each is taken for."""
    ids, words = {meter.id for meter in plant.meters}, {}
    for word in list(column.words)[:2000]:
        if word in ids:
            continue
        meter, found = best_meter(word, plant.meters)
        words[word] = _settle(f"map.meter.{word}", word, meter, found, plant.meters, choices)
    return {word: meter for word, meter in words.items() if meter}


def _settle(
    key: str,
    word: str,
    meter: Meter | None,
    found: float,
    meters: Sequence[Meter],
    choices: Choices,
    unit: str | None = None,
) -> str:
    """Which meter a word or header is; '' where none is like it."""
    near = sorted(meters, key=lambda one: -likeness(word, one))[:4]
    if meter is not None and found >= _NEAR:
        said = Text(
            f"called like {meter.id} “{meter.name.en}” ({found:.0%})",
            f"名称与 {meter.id}“{meter.name.zh}”相近（{found:.0%}）",
        )
        others = [Other(one.id, Text(one.name.en, one.name.zh)) for one in near if one.id != meter.id]
        return choices.choose(
            key, meter.id, said, [*others, Other("", Text("leave it out", "不读取"))], sure=found == 1.0
        )
    fitting = [one for one in near if unit is None or _same_kind(unit, one)]
    others = [Other(one.id, Text(one.name.en, one.name.zh)) for one in fitting]
    return choices.choose(
        key,
        "",
        Text("no meter is called like it: left out", "没有名称相近的表计：不读取"),
        others,
        sure=False,
    )


def _wide(look: Look, clock: Clock, plant: Plant, choices: Choices) -> dict[str, Any]:
    states = {meter.id for meter in plant.meters if meter.kind is PointKind.STATE}
    taken: set[str] = set()
    wide: dict[str, Any] = {}
    columns = [c for c in look.columns if c not in clock.columns and c.given]
    ranked = sorted(
        columns, key=lambda c: -best_meter(c.name, plant.meters)[1]
    )  # the surest take their meters first
    for column in ranked:
        meter, found = best_meter(column.name, [m for m in plant.meters if m.id not in taken])
        if column.number_share < 0.5 and not (meter and meter.id in states and found >= _NEAR):
            continue
        free = [m for m in plant.meters if m.id not in taken]
        if meter is not None and column.unit and not _same_kind(column.unit, meter) and found < 1.0:
            meter, found = None, 0.0
        chosen = _settle(f"wide.{column.name}", column.name, meter, found, free, choices, column.unit)
        if not chosen:
            continue
        taken.add(chosen)
        wide[column.name] = chosen
    order = {column.name: column.index for column in columns}
    return {"wide": dict(sorted(wide.items(), key=lambda item: order.get(item[0], 0)))}


def kinds_of(block: Mapping[str, Any], plant: Plant) -> set[str]:
    """Kinds of the meters that a block reads (all of the plant's where a column names them)."""
    wanted = set(block["wide"].values()) if "wide" in block else {meter.id for meter in plant.meters}
    return {meter.kind.value for meter in plant.meters if meter.id in wanted}


def _is_unit(text: str) -> bool:
    try:
        parse_unit(text)
    except UnitError:
        return False
    return True


def _same_kind(unit: str, meter: Meter) -> bool:
    try:
        theirs = parse_unit(meter.unit)
        mine = parse_unit(unit)
    except UnitError:
        return True
    return mine.same_kind(theirs)
