"""What a report needs of a plant: accounts, the figures in them with their traces, the factors and findings behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError
from celadon.core.items import item_name
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Period, parse_period, zone
from celadon.core.text import Lang, Text
from celadon.engine.run import Row
from celadon.engine.trace import Trace, TraceNode
from celadon.plant.account import Account
from celadon.plant.facade import Plant
from celadon.reports.model import Figure, Question
from celadon.reports.terms import purpose_name
from celadon.rules.rulebook import Rulebook

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Asked:
    """What report is wanted: of which period, under which rulebooks, with which choices, as known when.

    `address`: where the console shows traces of this plant; '' to give commands only."""

    period: str
    rulebooks: tuple[str | Path, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    as_of: str | None = None
    address: str = ""


@dataclass(frozen=True)
class Gathered:
    """The figures of one rulebook."""

    account: Account
    figures: tuple[Figure, ...]

    @property
    def book(self) -> Rulebook:
        return self.account.result.book

    def of(self, quantity: str) -> list[Figure]:
        """The figures of one quantity."""
        return [figure for figure in self.figures if figure.question.quantity == quantity]


def gather(
    plant: Plant,
    asked: Asked,
    rulebook: str | Path,
    *,
    by: str = "enterprise",
    quantities: Sequence[str] = (),
    lang: Lang = "en",
    compared: bool = False,
    traced: bool = True,
    to_lines: bool = True,
    progress: Progress | None = None,
) -> Gathered:
    """Account for the period, trace every figure that has a value (`to_lines`: down to the lines of files), and (`compared`) find its
    value of the period before.

    Raises:
        FindingError: unknown rulebook, period, option or quantity; nothing loaded.
    """
    account = plant.account(
        rulebook, asked.period, by=by, quantities=quantities, options=asked.options, as_of=asked.as_of
    )
    model, book = account.model, account.result.book
    earlier = _before(plant, asked, rulebook, by, quantities, model.zone) if compared else {}
    figures = []
    rows = [row for row in account.rows if row.value is not None or not row.item]
    for index, row in enumerate(rows):
        if progress is not None:
            progress(index / len(rows), book.label(row.quantity).say(lang))
        where = _where(row, book)
        question = Question(
            book.id, row.quantity, account.result.request.period.label, where, dict(asked.options)
        )
        figures.append(
            Figure(
                book.label(row.quantity),
                _place(row, model),
                row.value,
                row.unit,
                row.quality,
                row.coverage,
                question,
                _trace(plant, asked, rulebook, question, lang, to_lines)
                if traced and row.value is not None
                else None,
                earlier.get((row.quantity, row.item, row.purpose, row.site, row.process)),
            )
        )
    return Gathered(account, tuple(figures))


def _trace(
    plant: Plant, asked: Asked, rulebook: str | Path, question: Question, lang: Lang, to_lines: bool
) -> Trace | None:
    """The trace; None where several cells that cannot be added make the number (each is a figure of its own then)."""
    try:
        return plant.explain(
            question.quantity,
            rulebook,
            asked.period,
            where=question.where,
            options=asked.options,
            as_of=asked.as_of,
            lang=lang,
            to_lines=to_lines,
        )
    except FindingError:
        return None


def _where(row: Row, book: Rulebook) -> dict[str, str]:
    """The place and keys that name a row's cell. A ratio of the whole enterprise is said to be that: without a place it would be that of
    the only site which has one; a sum without a place is the sum over all."""
    rules = book.rules.get(row.quantity)
    keys = rules[0].grain.keys if rules else book.facts[row.quantity].grain.keys
    adds = rules[0].adds if rules else book.facts[row.quantity].adds
    whole = {} if adds or row.site else {"enterprise": row.enterprise}
    where = {**whole, "site": row.site, "process": row.process, "meter": row.meter}
    item = next((key for key in keys if key != "purpose"), None)
    if item is not None:
        where[item] = row.item
    if "purpose" in keys:
        where["purpose"] = row.purpose
    return {name: word for name, word in where.items() if word}


def _place(row: Row, model: PlantModel) -> Text:
    parts = [next((site.name for site in model.sites if site.id == row.site), None)] if row.site else []
    parts += [item_name(row.item, model)] if row.item else []
    parts += [purpose_name(row.purpose)] if row.purpose else []
    known = [part for part in parts if part is not None]
    return Text(", ".join(part.en for part in known), "，".join(part.zh for part in known))


def _before(
    plant: Plant, asked: Asked, rulebook: str | Path, by: str, quantities: Sequence[str], zone_name: str
) -> dict[tuple[str, str, str, str, str], float | None]:
    """Values of the period before; none where it cannot be accounted."""
    period = period_before(parse_period(asked.period, zone_name))
    if period is None:
        return {}
    try:
        found = plant.account(
            rulebook, period.label, by=by, quantities=quantities, options=asked.options, as_of=asked.as_of
        )
    except FindingError:
        return {}
    return {(row.quantity, row.item, row.purpose, row.site, row.process): row.value for row in found.rows}


def period_before(period: Period) -> Period | None:
    """As many whole months just before; the year before a year; None where the period is not made of whole months."""
    local = zone(period.zone)
    first, end = period.start.astimezone(local), period.end.astimezone(local)
    if (first.day, first.hour, first.minute, end.day, end.hour, end.minute) != (1, 0, 0, 1, 0, 0):
        return None
    months = (end.year - first.year) * 12 + end.month - first.month
    start = first.year * 12 + first.month - 1 - months
    last = first - timedelta(days=1)
    return parse_period(f"{start // 12}-{start % 12 + 1:02d}..{last:%Y-%m}", period.zone)


@dataclass(frozen=True, slots=True)
class FactorUse:
    """A factor as it was used, and in how many places of the traces."""

    node: TraceNode
    rulebook: str
    uses: int

    @property
    def unchecked(self) -> bool:
        return str(self.node.detail.get("confidence", "")) == "recalled"


def factors_of(figures: Iterable[Figure]) -> list[FactorUse]:
    """Every factor in the traces once, in the order in which they are met."""
    found: dict[tuple[str, str, tuple[tuple[str, str], ...], float | None, str], FactorUse] = {}
    for figure in figures:
        for node in figure.trace.root.walk() if figure.trace is not None else ():
            if node.kind != "factor":
                continue
            # A factor of every month with the same row is one.
            where = tuple(sorted((key, word) for key, word in node.where.items() if key != "period"))
            source = (
                f"{node.detail.get('table') or node.detail.get('file') or ''}:{node.detail.get('line', '')}"
            )
            mark = (figure.question.rulebook, node.quantity, where, node.value, source)
            known = found.get(mark)
            found[mark] = (
                replace(known, uses=known.uses + 1) if known else FactorUse(node, figure.question.rulebook, 1)
            )
    return list(found.values())


def findings_of(gathered: Iterable[Gathered], more: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """All findings once, errors first."""
    order = {"error": 0, "warning": 1, "notice": 2}
    found: dict[tuple[str, str, str], Finding] = {}
    for item in [*(one for part in gathered for one in part.account.findings), *more]:
        found.setdefault((item.code, str(item.where), item.says()), item)
    return tuple(sorted(found.values(), key=lambda item: order[str(item.severity)]))
