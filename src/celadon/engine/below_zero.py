"""What its clause says cannot be below zero, and came out so: an input was forgotten, or too much is subtracted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.periods import Grain
from celadon.core.text import Text
from celadon.engine.pieces import QUALITIES, ZERO, text
from celadon.engine.request import Request
from celadon.engine.steps import PLACES, Query, Step
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook

BELOW_ZERO = FindingKind(
    "result.below-zero",
    Severity.ERROR,
    Text(en="A result below zero that cannot be", zh="结果为负，而按条款不可能为负"),
    Text(
        en="{label} ({name}) of {site} comes out at {value} {unit} for {period}: by its clause it cannot be below zero, "
        "so an input is missing or too much is subtracted.",
        zh="{site} 的{label}（{name}）在 {period} 为 {value} {unit}：按条款不可能为负，可能漏录投入，或扣减过多。",
    ),
    Text(
        en="Look for a raw material, fuel or stock that was left out, a product, recovery or stock entered too high, or a "
        "default content that does not fit; `celadon explain` of {name} shows every term.",
        zh="请检查是否漏录原料、燃料或库存，产品、回收量或期末库存是否偏大，缺省含量是否不符；`celadon explain` {name} 可逐项查看。",
    ),
)
_TOLERANCE = "1e-9"
"""What rounding may leave of a balance that comes to nothing."""


class BelowZeroQuestions:
    """Finds rows below zero of rules declared `not_negative`; asked in the same statement as the rows themselves."""

    MARK = "below zero "
    """How the `item` of an answer begins; the step's place follows, then the row's own keys."""

    def __init__(self, query: Query, book: Rulebook, request: Request) -> None:
        rules = {
            name: some[0] for name, some in book.rules.items() if any(rule.not_negative for rule in some)
        }
        live = query.live()
        chosen: dict[str, tuple[Rule, Step]] = {}
        for step in query.steps:  # what adds up comes after what it adds up: the coarsest is the last
            if step.quantity in rules and step.name in live and not step.empty:
                chosen[step.quantity] = (rules[step.quantity], step)
        self._chosen = list(chosen.values())
        self._coarse = request.time is None or request.time < Grain.MONTH

    def selects(self) -> list[str]:
        """SELECTs in the shape of the query's output with an empty quantity: each row that is below zero; where a span longer
        than a month was asked, months are added up first, for a month's stock may be below zero where a year's cannot."""
        found = []
        for number, (rule, step) in enumerate(self._chosen):
            keys = "".join(f" || ' ' || s.{key}" for key in step.keys)
            by = [*PLACES[: step.space], *step.keys]
            places = ", ".join(f"s.{name}" if name in by else "''" for name in PLACES)
            head = f"SELECT '', {text(f'{self.MARK}{number}')}{keys}, '', {places}"
            shares = ", ".join([ZERO] * (len(QUALITIES) + 1))
            if self._coarse and step.time is not None and rule.adds:
                columns = f"min(s.time_start), max(s.time_end), sum(s.value), {shares}"
                grouped = ", ".join(f"s.{name}" for name in by)
                tail = f"GROUP BY {grouped} HAVING sum(s.value) < -{_TOLERANCE}"
            else:
                columns = f"s.time_start, s.time_end, s.value, {shares}"
                tail = f"WHERE s.value < -{_TOLERANCE}"
            found.append(f"{head}, {columns} FROM {step.name} AS s {tail}")
        return found

    def findings(
        self, answers: Iterable[Sequence[Any]], span: Callable[[datetime, datetime, str], str]
    ) -> list[Finding]:
        """What the answers of `selects` say; `span` names a row's time at its site."""
        found = []
        for row in sorted(answers, key=lambda row: (row[1], row[4], row[7])):
            number, *keys = row[1].removeprefix(self.MARK).split(" ")
            rule, step = self._chosen[int(number)]
            period = span(row[7], row[8], row[4])
            where = Place(subject=":".join([rule.name, *keys]), period=period)
            found.append(
                BELOW_ZERO.at(
                    where,
                    clause=rule.clause.cited,
                    name=rule.name,
                    label=rule.label,
                    site=row[4] or row[3],
                    value=f"{row[9]:.6g}",
                    unit=str(step.unit),
                    period=period,
                )
            )
        return found
