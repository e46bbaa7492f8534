"""Change: from the total of one period to that of another, part by part; the parts add up to the change exactly."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Literal

from pydantic import BaseModel

from celadon.charts.waterfall import Step, Waterfall, joined
from celadon.core.carriers import PURPOSES
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.periods import Grain, Period, parse_period, zone
from celadon.core.text import Text
from celadon.engine.run import Row
from celadon.rules.rulebook import Rulebook, shipped_ids
from celadon.web.access import on_plant
from celadon.web.asked import Asked
from celadon.web.names import Names, keys_of
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.parts import parts_of
from celadon.web.units import InUnits

page = Page("/plants/{plant}/change", Text("Change", "变化"), on_plant(), order=26)
NOT_A_SUM = FindingKind(
    "change.not-a-sum",
    Severity.ERROR,
    Text("Not a sum of parts", "不是各部分之和"),
    Text(
        "{quantity} of {rulebook} does not add up over places, so that its change has no parts.",
        "{rulebook} 的 {quantity} 不可按地点相加，其变化无法分解。",
    ),
    Text("Choose a total, for example {total}.", "请选择总量，例如 {total}。"),
)
Split = Literal["item", "site", "process", "meter"]


class ChangedPart(BaseModel):
    """A part in both periods; null is absent, and counts nothing in the sum."""

    label: Both
    before: float | None
    after: float | None
    difference: float
    before_trace: str | None
    after_trace: str | None


class Changed(BaseModel):
    """Two totals and the parts of their difference."""

    in_units: ClassVar[InUnits] = {
        "unit": ("before", "after", "difference", "parts.before", "parts.after", "parts.difference")
    }

    rulebook: str
    quantity: str
    label: Both
    unit: str
    before_period: str
    period: str
    split: Split
    before: float
    after: float
    difference: float
    parts: list[ChangedPart]
    totals: dict[str, Both]
    rulebooks: list[str]


def view(
    asked: Asked,
    period: str | None = None,
    before: str | None = None,
    rulebook: str = "cn_gbt_2589_2020",
    quantity: str | None = None,
    split: Split = "item",
) -> Changed:
    """A total in two periods (default: the last whole month with readings and the one before), split by item or place."""
    desk = asked.plant
    book, model = desk.library.book(rulebook), desk.model
    name = quantity or book.totals[0]
    rules = book.rules.get(name)
    if rules and not rules[0].adds:
        where = Place(subject=name)
        raise FindingError(NOT_A_SUM.at(where, quantity=name, rulebook=book.id, total=book.totals[0]))
    after = parse_period(period or _last_month(asked), model.zone)
    earlier = parse_period(before, model.zone) if before else _previous(after)
    sides = [_side(asked, book, name, span, split) for span in (earlier, after)]
    names, keys = Names(model), list(dict.fromkeys([*sides[1], *sides[0]]))
    shared = Counter(item for _, item in {(key[1], key[3]) for key in keys})
    parts = [
        _part(asked, book, names, key, (sides[0].get(key), sides[1].get(key)), split, shared[key[3]] > 1)
        for key in keys
    ]
    parts.sort(key=lambda part: -abs(part.difference))
    sums = [_total(asked, book, name, span) for span in (earlier, after)]
    parts += _rest(parts, sums)
    return Changed(
        rulebook=book.id, quantity=name, label=both(book.label(name)), unit=str(rules[0].unit) if rules else "",
        before_period=earlier.label, period=after.label, split=split, before=sums[0], after=sums[1], difference=sums[1] - sums[0], parts=parts,
        totals={each: both(book.label(each)) for each in book.totals if each in book.rules and book.rules[each][0].adds},
        rulebooks=shipped_ids(),
    )  # fmt: skip


def table(model: Changed) -> Table:
    """A row for each part."""
    rows: list[list[Cell]] = [
        [part.label.en, part.before, part.after, part.difference, model.unit] for part in model.parts
    ]
    return Table(("part", model.before_period, model.period, "difference", "unit"), rows)


def picture(model: Changed) -> Waterfall:
    """From one period to the other."""
    steps = [
        Step(Text(part.label.en, part.label.zh), part.difference) for part in model.parts if part.difference
    ]
    return Waterfall(
        title=Text(f"{model.label.en}: {model.before_period} to {model.period}", f"{model.label.zh}：{model.before_period} 至 {model.period}"),
        unit=model.unit, before=(Text(model.before_period, model.before_period), model.before),
        after=(Text(model.period, model.period), model.after), steps=joined(steps),
    )  # fmt: skip


Key = tuple[int, str, str, str, str]
"""Sign, quantity, place, item, purpose."""


def _side(
    asked: Asked, book: Rulebook, name: str, span: Period, split: Split
) -> dict[Key, tuple[float | None, Row]]:
    """The parts of a total in a period: by item the terms of its formula, else the total itself by place."""
    desk = asked.plant
    day = span.start.astimezone(zone(span.zone)).date()
    terms = parts_of(book, name, day) if split == "item" else [(1, name)]
    by = "enterprise" if split == "item" else split
    found: dict[Key, tuple[float | None, Row]] = {}
    rows = desk.account(
        book.id, span.label, by=by, quantities=tuple(dict.fromkeys(term for _, term in terms))
    ).rows
    signs = {term: sign for sign, term in terms}
    for row in rows:
        sign = signs[row.quantity]
        place = (
            "" if split == "item" else {"site": row.site, "process": row.process, "meter": row.meter}[split]
        )
        key = (sign, row.quantity, place, row.item, row.purpose)
        value = None if row.value is None else sign * row.value
        earlier = found[key][0] if key in found else None
        found[key] = (value if earlier is None else earlier + (value or 0.0), row)
    return found


def _total(asked: Asked, book: Rulebook, name: str, span: Period) -> float:
    """The total itself; absent counts nothing here, and the table shows that it is."""
    rows = asked.plant.account(book.id, span.label, by="enterprise", quantities=(name,)).rows
    return sum(row.value for row in rows if row.value is not None)


def _rest(parts: list[ChangedPart], sums: list[float]) -> list[ChangedPart]:
    """What the parts leave over: nothing, unless a rulebook's total is no plain sum of them."""
    before = sums[0] - sum(part.before or 0.0 for part in parts)
    after = sums[1] - sum(part.after or 0.0 for part in parts)
    size = 1e-9 * max(abs(sums[0]), abs(sums[1]), 1e-9)
    if abs(before) <= size and abs(after) <= size:
        return []
    label = Both(zh="不属于以上任一部分", en="in none of the parts")
    return [
        ChangedPart(
            label=label,
            before=before,
            after=after,
            difference=after - before,
            before_trace=None,
            after_trace=None,
        )
    ]


def _part(
    asked: Asked,
    book: Rulebook,
    names: Names,
    key: Key,
    values: tuple[tuple[float | None, Row] | None, ...],
    split: Split,
    shared: bool,
) -> ChangedPart:
    """`shared`: other quantities have parts of the same item, so that its name alone would not tell which."""
    _, quantity, place, item, purpose = key
    before, after = ((value[0] if value else None) for value in values)
    label = book.label(quantity)
    if split == "item" and item:
        thing = names.item(item)
        if purpose in PURPOSES and purpose != "combustion":
            what = PURPOSES[purpose]
            thing = Text(f"{thing.en} ({what.en})", f"{thing.zh}（{what.zh}）")
        label = Text(f"{label.en}: {thing.en}", f"{label.zh}：{thing.zh}") if shared else thing
    elif split != "item":
        label = names.place(place)
    links = [_trace(asked, book, value[1], split) if value else None for value in values]
    return ChangedPart(
        label=both(label),
        before=before,
        after=after,
        difference=(after or 0.0) - (before or 0.0),
        before_trace=links[0],
        after_trace=links[1],
    )


def _trace(asked: Asked, book: Rulebook, row: Row, split: Split) -> str | None:
    where = (
        {"enterprise": asked.plant.model.enterprise}
        if split == "item"
        else {"site": row.site, "process": row.process, "meter": row.meter}
    )
    return asked.trace(row.quantity, book.id, row.label, **where, **keys_of(book, row))


def _last_month(asked: Asked) -> str:
    """The last whole month of the period that a page shows by default."""
    whole = parse_period(asked.period(), asked.plant.model.zone)
    return list(whole.split(Grain.MONTH))[-1].label


def _previous(span: Period) -> Period:
    """The calendar unit before, of the same kind (FindingError `period.unreadable` when there is none)."""
    tz = zone(span.zone)
    first = span.start.astimezone(tz)
    months = len(list(span.split(Grain.MONTH)))
    number = first.year * 12 + first.month - 1
    if first.day == 1 and first.hour == 0 and span.end.astimezone(tz).day == 1:
        start, end = number - months, number - 1
        label = f"{start // 12:04d}-{start % 12 + 1:02d}..{end // 12:04d}-{end % 12 + 1:02d}"
        return parse_period(label, span.zone)
    return Period(span.start - (span.end - span.start), span.start, span.zone)
