"""Overview: energy, carbon, cost and intensity of a period; against a year before and against a target; what they rest
on, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel, Field

from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.periods import Period, parse_period, zone
from celadon.core.text import Text
from celadon.engine.run import Row
from celadon.plant.triage import judged
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.names import Names, keys_of, worded
from celadon.web.page import Both, Cell, Done, Page, Table, both, write
from celadon.web.units import InUnits

page = Page("/plants/{plant}/overview", Text("Overview", "总览"), on_plant(), order=10)
SCHEMA = """
CREATE TABLE IF NOT EXISTS target (
    plant TEXT NOT NULL, rulebook TEXT NOT NULL, quantity TEXT NOT NULL, period TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL,
    PRIMARY KEY (plant, rulebook, quantity, period)
) STRICT;
"""
ENERGY = "cn_gbt_2589_2020"
CARBON = "cn_gbt_32150_2015"
NO_TARGET = FindingKind(
    "overview.no-such-target",
    Severity.ERROR,
    Text("No target for this", "不能为此设定目标"),
    Text(
        "{quantity} is no total of {rulebook} that adds up over a year.",
        "{quantity} 不是 {rulebook} 中可按年累计的总量。",
    ),
    Text("Set a target for one of the figures shown on the overview.", "请为总览中显示的指标设定目标。"),
)
_ATTENTION = 8


class Month(BaseModel):
    """A month's value, and where it is explained."""

    period: str
    value: float | None
    trace: str | None


class Figure(BaseModel):
    """A total of the period. `before` is the same span a year earlier; shares and coverage run from 0 to 1."""

    in_units: ClassVar[InUnits] = {"unit": ("value", "before", "target", "months.value")}

    rulebook: str
    quantity: str
    label: Both
    value: float | None
    unit: str
    own_unit: str
    """The rulebook's, which a target is set in."""
    trace: str | None
    before: float | None
    change: float | None
    target: float | None
    of_target: float | None
    coverage: float
    measured: float
    estimated: float
    defaulted: float
    recalled: float
    months: list[Month]


class Intensity(BaseModel):
    """Energy or emission per product or value."""

    quantity: str
    label: Both
    item: str
    value: float | None
    unit: str
    trace: str | None


class Attention(BaseModel):
    """Findings of one kind."""

    code: str
    severity: str
    title: Both
    count: int
    says: Both
    fix: Both


class Overview(BaseModel):
    """What the page shows."""

    plant: str
    name: Both
    period: str
    before_period: str | None
    as_of: datetime | None
    figures: list[Figure]
    intensities: list[Intensity]
    cost: float | None
    cost_currency: str
    findings: dict[str, int]
    """How many of each severity are open in what this page shows: its figures and bills."""
    attention: list[Attention]


class Target(BaseModel):
    """A yearly (or other) target for a total."""

    rulebook: str = Field(max_length=100)
    quantity: str = Field(max_length=100)
    period: str = Field(max_length=40)
    value: float = Field(gt=0, le=1e15)


def view(
    asked: Asked, period: str | None = None, energy: str = ENERGY, carbon: str | None = None
) -> Overview:
    """Totals of a period (default: the last whole year) under one rulebook for energy and one for carbon."""
    desk = asked.plant
    shown = parse_period(asked.period(period), desk.model.zone)
    books = (energy, carbon or _carbon_book(asked))
    found: list[Finding] = []
    figures = [_figure(asked, book, shown, found) for book in books]
    cost, currency = _cost(asked, shown.label, found)
    before = _year_before(shown)
    with desk.watched() as plant:
        seen = plant.view()
        # What was accepted waits for nobody; the page of findings still shows it.
        waiting = [one.finding for one in judged(seen, found) if not one.accepted]
    ranked = _unique(worded(item) for item in waiting)
    return Overview(
        plant=desk.key, name=both(desk.model.name), period=shown.label, before_period=before.label if before else None,
        as_of=seen.snapshot.recorded_at, figures=figures, intensities=[item for book in books for item in _intensities(asked, book, shown.label)],
        cost=cost, cost_currency=currency, findings=_counts(ranked), attention=_attention(ranked),
    )  # fmt: skip


def table(model: Overview) -> Table:
    """The figures month by month."""
    rows: list[list[Cell]] = [
        [figure.rulebook, figure.quantity, month.period, month.value, figure.unit]
        for figure in model.figures
        for month in figure.months
    ]
    return Table(("rulebook", "quantity", "period", "value", "unit"), rows)


@write(page, "target", need=on_plant(Action.CHANGE))
def set_target(asked: Asked, given: Target) -> Done:
    """Set the target of a total for a period, in the total's own unit."""
    book = asked.workspace.library.book(given.rulebook)
    rules = book.rules.get(given.quantity)
    if not rules or given.quantity not in book.totals or not rules[0].adds:
        where = Place(subject=given.quantity)
        raise FindingError(NO_TARGET.at(where, quantity=given.quantity, rulebook=given.rulebook))
    span = parse_period(given.period, asked.plant.model.zone)
    unit = str(rules[0].unit)
    said = {**given.model_dump(), "period": span.label, "unit": unit}
    with asked.recording("target.set", said) as con:
        con.execute(
            "INSERT OR REPLACE INTO target VALUES (?, ?, ?, ?, ?, ?)",
            (asked.plant.key, book.id, given.quantity, span.label, given.value, unit),
        )
    return Done(goto=asked.at("overview", period=span.label), zh="目标已设定。", en="The target is set.")


# -- figures --------------------------------------------------------------------------------------------------------------


def _figure(asked: Asked, rulebook: str, period: Period, found: list[Finding]) -> Figure:
    """The first total of a rulebook: whole, by month, a year before."""
    desk = asked.plant
    book = desk.library.book(rulebook)
    quantity = book.totals[0]
    enterprise = desk.model.enterprise
    whole = desk.account(rulebook, period.label, by="enterprise", quantities=(quantity,))
    found += whole.findings
    row = next(iter(whole.rows), None)
    months = desk.account(rulebook, period.label, by="enterprise", per="month", quantities=(quantity,)).rows
    before = _before_value(asked, rulebook, quantity, period)
    target = _target(asked, book.id, quantity, period.label)
    value = row.value if row else None
    return Figure(
        rulebook=book.id, quantity=quantity, label=both(book.label(quantity)), value=value, unit=row.unit if row else "", own_unit=row.unit if row else "",
        trace=asked.trace(quantity, rulebook, period.label, enterprise=enterprise),
        before=before, change=value / before - 1 if value is not None and before else None,
        target=target, of_target=value / target if value is not None and target else None,
        months=[
            Month(period=item.label, value=item.value, trace=asked.trace(quantity, rulebook, item.label, enterprise=enterprise))
            for item in months
        ],
        **_shares(row),
    )  # fmt: skip


def _shares(row: Row | None) -> Mapping[str, float]:
    names = ("measured", "estimated", "defaulted", "recalled")
    if row is None:
        return dict.fromkeys((*names, "coverage"), 0.0)
    shares = row.quality.shares()
    return {**{name: shares[name] for name in names}, "coverage": row.coverage}


def _before_value(asked: Asked, rulebook: str, quantity: str, period: Period) -> float | None:
    before = _year_before(period)
    if before is None:
        return None
    with asked.plant.watched() as plant:
        span = plant.view().snapshot.span()
    if span is None or before.end <= span[0]:
        return None
    rows = asked.plant.account(rulebook, before.label, by="enterprise", quantities=(quantity,)).rows
    return rows[0].value if rows else None


def _year_before(period: Period) -> Period | None:
    """The same dates a year earlier; 29 February is 28 February there."""
    tz = zone(period.zone)
    first, last = period.start.astimezone(tz), (period.end - timedelta(microseconds=1)).astimezone(tz)
    if first.year <= 1:
        return None
    days = [
        moment.date().replace(
            year=moment.year - 1, day=min(moment.day, 28) if moment.month == 2 else moment.day
        )
        for moment in (first, last)
    ]
    if last.month == 2 and (last + timedelta(days=1)).month == 3:
        days[1] = (datetime(last.year - 1, 3, 1, tzinfo=UTC) - timedelta(days=1)).date()
    return parse_period(f"{days[0]}..{days[1]}", period.zone)


def _intensities(asked: Asked, rulebook: str, period: str) -> list[Intensity]:
    """The rulebook's totals that are ratios."""
    desk = asked.plant
    book = desk.library.book(rulebook)
    ratios = tuple(name for name in book.totals if name in book.rules and not book.rules[name][0].adds)
    if not ratios:
        return []
    rows = desk.account(rulebook, period, by="enterprise", quantities=ratios).rows
    names = Names(desk.model)
    enterprise = desk.model.enterprise
    return [
        Intensity(
            quantity=row.quantity, label=both(book.label(row.quantity)), item=asked.say(names.item(row.item)),
            value=row.value, unit=row.unit, trace=asked.trace(row.quantity, rulebook, period, enterprise=enterprise, **keys_of(book, row)),
        )
        for row in rows
    ]  # fmt: skip


def _cost(asked: Asked, period: str, found: list[Finding]) -> tuple[float | None, str]:
    """What the tariffs' bills of the period come to; None without a tariff, or where a bill cannot be told."""
    bills = asked.plant.bill(period)
    if not bills.bills:
        return None, ""
    found += bills.findings
    totals = [item.total for item in bills.bills]
    known = [item for item in totals if item is not None]
    whole = float(sum(known, Decimal(0))) if len(known) == len(totals) else None
    return whole, bills.bills[0].currency


def _target(asked: Asked, rulebook: str, quantity: str, period: str) -> float | None:
    sql = "SELECT value FROM target WHERE plant = ? AND rulebook = ? AND quantity = ? AND period = ?"
    row = asked.state.row(sql, asked.plant.key, rulebook, quantity, period)
    return None if row is None else float(row["value"])


def _carbon_book(asked: Asked) -> str:
    """The first rulebook in the plant file's accounts whose first total is carbon, else the national guideline."""
    for rulebook, _ in asked.plant.model.options:
        book = asked.workspace.library.book(rulebook)
        rules = book.rules.get(book.totals[0]) if book.totals else None
        if rules and "CO2" in str(rules[0].unit):
            return rulebook
    return CARBON


# -- attention ------------------------------------------------------------------------------------------------------------


def _unique(found: Iterable[Finding]) -> list[Finding]:
    seen = {(item.code, str(item.where), item.says()): item for item in found}
    return Findings(list(seen.values())).ranked()


def _counts(found: Iterable[Finding]) -> dict[str, int]:
    counts = {str(severity): 0 for severity in Severity}
    for item in found:
        counts[str(item.severity)] += 1
    return counts


def _attention(found: Iterable[Finding]) -> list[Attention]:
    """The kinds that matter most: errors, then warnings."""
    kinds: dict[str, list[Finding]] = {}
    for item in found:
        if item.severity is not Severity.NOTICE:
            kinds.setdefault(item.code, []).append(item)
    return [
        Attention(
            code=code, severity=str(items[0].severity), title=both(items[0].kind.title), count=len(items),
            says=Both(zh=items[0].says("zh"), en=items[0].says("en")), fix=Both(zh=items[0].fix("zh"), en=items[0].fix("en")),
        )
        for code, items in list(kinds.items())[:_ATTENTION]
    ]  # fmt: skip
