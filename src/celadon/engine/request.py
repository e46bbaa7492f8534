"""Request: what is asked of a rulebook, and how fine the facts must be to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, timedelta

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.periods import Grain, Period, zone
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.core.units import did_you_mean
from celadon.rules.check import option_choices
from celadon.rules.rulebook import Rulebook

OPTION_UNKNOWN = FindingKind(
    "account.option",
    Severity.ERROR,
    Text(en="Unknown option or choice", zh="未知选项或取值"),
    Text(
        en="{book} has no {what} “{name}”{hint}; there are: {known}.",
        zh="{book} 没有{what}“{name}”{hint}；可用：{known}。",
    ),
    Text(
        en="`celadon rulebooks {book}` lists the options and their choices.",
        zh="用 `celadon rulebooks {book}` 查看选项及取值。",
    ),
)
QUANTITY_UNKNOWN = FindingKind(
    "account.quantity",
    Severity.ERROR,
    Text(en="Unknown quantity", zh="未知数量"),
    Text(en="{book} gives no quantity “{name}”{hint}.", zh="{book} 没有数量“{name}”{hint}。"),
    Text(
        en="`celadon rulebooks {book}` lists its quantities.", zh="用 `celadon rulebooks {book}` 查看其数量。"
    ),
)


@dataclass(frozen=True)
class Request:
    """What is asked: which quantities, over which period, how fine in place and time, under which options.

    `time` None asks for the whole period as one row; `wanted` () asks for the rulebook's totals;
    `factors_as_of` hides factor rows published later.
    """

    period: Period
    space: Space = Space.SITE
    time: Grain | None = None
    wanted: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    factors_as_of: date | None = None

    @property
    def days(self) -> tuple[date, date]:
        """First and last day of the period, in its own zone."""
        clock = zone(self.period.zone)
        last = self.period.end - timedelta(microseconds=1)
        return self.period.start.astimezone(clock).date(), last.astimezone(clock).date()

    def checked(self, book: Rulebook) -> Request:
        """This request with every option settled and every name known to `book` (FindingError otherwise)."""
        for name, choice in self.options.items():
            if name not in book.options:
                raise FindingError(_option(book, Text("option", "选项"), name, list(book.options)))
            if choice not in book.options[name].choices:
                what = Text(f"choice of {name}", f" {name} 的取值")
                raise FindingError(_option(book, what, choice, list(book.options[name].choices)))
        wanted = self.wanted or book.totals or tuple(book.rules)
        for name in wanted:
            if name not in book.rules and name not in book.facts:
                hint = did_you_mean(name, book.known_names())
                raise FindingError(
                    QUANTITY_UNKNOWN.at(Place(subject=book.id), book=book.id, name=name, hint=hint)
                )
        return Request(
            self.period, self.space, self.time, wanted, option_choices(book, self.options), self.factors_as_of
        )


def _option(book: Rulebook, what: Text, name: str, known: list[str]) -> Finding:
    return OPTION_UNKNOWN.at(
        Place(subject=book.id),
        book=book.id,
        what=what,
        name=name,
        known=", ".join(known),
        hint=did_you_mean(name, known),
    )


def fact_grain(book: Rulebook, request: Request) -> tuple[Space, Grain]:
    """How fine the facts must be: the finest place and time any needed rule or the answer itself is at."""
    rules = [rule for name in names_needed(book, request) for rule in book.rules.get(name, ())]
    space = max([request.space, Space.SITE, *(rule.grain.space for rule in rules)])
    time = max([request.time or Grain.MONTH, Grain.MONTH, *(rule.grain.time for rule in rules)])
    return space, time


def names_needed(book: Rulebook, request: Request) -> set[str]:
    """What the answer is, and every name of the rulebook that it may rest on."""
    found: set[str] = set()
    waiting = list(request.wanted or book.totals or book.rules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [need for rule in book.rules.get(name, ()) for need in rule.needs]
    return found
