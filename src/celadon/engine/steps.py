"""Steps and queries: the chain of SELECTs that a request compiles to, and the SQL they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from celadon.core.facts import Status
from celadon.core.findings import Finding
from celadon.core.periods import Grain
from celadon.core.quantities import SPACES, Space
from celadon.core.units import ONE, Unit
from celadon.engine.dialects import in_spark
from celadon.engine.lookup import Lookup
from celadon.engine.sql import DATA, FACTORS, FULL, NEXT_TO_NOTHING, QUALITIES, ZERO, Shares, number, text
from celadon.rules.expr import Expr
from celadon.rules.rule import Rule
from celadon.rules.rulebook import FactSpec

MEASURES = ("value", *QUALITIES, "coverage", "seconds")
PLACES = tuple(SPACES)


@dataclass(frozen=True)
class Step:
    """One SELECT of the chain. `time` None = one row per asked period."""

    name: str
    sql: str
    quantity: str
    kind: str  # fact | rule | total | sum | factor | spine | calendar
    space: Space = Space.SITE
    time: Grain | None = Grain.MONTH
    keys: tuple[str, ...] = ()
    unit: Unit = ONE
    rule: Rule | None = None
    formula: Expr | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Input name (or `total:<n>`, `at:<n>`) -> step that gives it."""
    optional: bool = True
    describes: bool = False
    """Whether it describes (a calorific value, a factor) rather than counts; then site and month are its rows."""
    parts: tuple[str, ...] = ()
    """Steps this one unites or adds up."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Shares (QUALITIES) that are none or all on every row: a literal is read in place of the column."""
    at: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Input read on another row (`at:<n>`) -> its keys, by the keys of this row they are found with."""

    @property
    def own_inputs(self) -> dict[str, str]:
        """The inputs read on this row."""
        return {name: step for name, step in self.inputs.items() if name not in self.at}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell its rows apart."""
        time = ("time_start", "time_end") if self.time is None else ("time_start", "time_end", "month")
        return (*PLACES[: self.space], *time, *self.keys)


@dataclass(frozen=True)
class Told:
    """Of the rulebook's `coverage` names that were asked for: what became of each."""

    computed: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    """(name, reason)."""
    uncovered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """The whole chain, ready to run; touches no data until it is run."""

    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, str], ...]
    """(quantity, step)."""
    lookups: Mapping[str, Lookup]
    findings: tuple[Finding, ...]
    not_applicable: tuple[str, ...]
    unit_factors: Mapping[str, Unit] = field(default_factory=dict)
    told: Told = Told()

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def chain(self, step: Step) -> str:
        """`WITH …` of every step up to and with `step`."""
        names = [one.name for one in self.steps]
        parts = [f"{one.name} AS (\n{one.sql}\n)" for one in self.steps[: names.index(step.name) + 1]]
        return "WITH " + ",\n".join(parts)

    def select(self) -> str:
        """The last SELECT: all asked quantities in one long form."""
        parts = [_output(quantity, self.step(name)) for quantity, name in self.outputs]
        return "\nUNION ALL\n".join(parts) if parts else _EMPTY

    def sql(self, dialect: Literal["duckdb", "spark"] = "duckdb", also: Sequence[str] = ()) -> str:
        """The query's text in the embedded engine's dialect, or in Spark's, from the same chain.

        `also`: more SELECTs over its steps, in the shape of its output.
        """
        last = "\nUNION ALL\n".join([self.select(), *also])
        whole = f"{self.chain(self.steps[-1])}\n{last}" if self.steps else last
        if dialect == "duckdb":
            return whole
        return in_spark(whole)


_EMPTY = (
    "SELECT '' AS quantity, '' AS item, '' AS purpose, '' AS enterprise, '' AS site, '' AS process, '' AS meter, "
    "CAST(NULL AS TIMESTAMP) AS time_start, CAST(NULL AS TIMESTAMP) AS time_end, 0e0 AS value, "
    f"{Shares().columns}, 0e0 AS coverage WHERE 1 = 0"
)


def _output(quantity: str, step: Step) -> str:
    item_keys = [key for key in step.keys if key != "purpose"]
    item = " || ' / ' || ".join(item_keys) if item_keys else "''"
    purpose = "purpose" if "purpose" in step.keys else "''"
    places = ", ".join(name if name in step.columns else f"'' AS {name}" for name in PLACES)
    return (
        f"SELECT {text(quantity)} AS quantity, {item} AS item, {purpose} AS purpose, {places}, time_start, time_end, value, "
        f"{', '.join(QUALITIES)}, coverage FROM {step.name}"
    )


@dataclass(frozen=True)
class Summary:
    """What the facts hold: every (quantity, item, purpose, unit) that occurs, and how good each quantity's data are."""

    rows: tuple[tuple[str, str, str, str], ...]
    fixed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Quantity -> shares that are none or all in every fact of it."""

    def of(self, quantity: str) -> list[tuple[str, str, str]]:
        return [row[1:] for row in self.rows if row[0] == quantity]


def fixed_shares(
    best: int | None, worst: int | None, estimated: bool, defaulted: bool, factored: bool = False
) -> dict[str, str]:
    """What no fact can contradict, from the best and worst `basis` of a quantity's facts (None: all are absent)."""
    fixed = {} if factored else dict.fromkeys(FACTORS, ZERO)
    if best is None or worst is None:
        return {**fixed, **dict.fromkeys(DATA, ZERO)}
    for level, name in enumerate(DATA, start=1):
        if best >= level and not (estimated and level > Status.ESTIMATED):
            fixed[name] = FULL
        elif worst < level and not defaulted and not (estimated and level <= Status.ESTIMATED):
            fixed[name] = ZERO
    return fixed


SUMMARY = (
    "quantity, item, purpose, unit, min(basis) AS best, max(basis) AS worst, "
    "coalesce(max(estimated), 0) > 0 AS estimated, coalesce(max(defaulted), 0) > 0 AS defaulted, "
    "coalesce(max(factored), 0) > 0 AS factored"
)
"""Columns of a grouped SELECT over the facts; `summary_of` reads its rows."""


def summary_of(found: Sequence[Sequence[Any]]) -> Summary:
    """The summary that rows of SUMMARY make."""
    levels: dict[str, list[Sequence[Any]]] = {}
    for row in found:
        levels.setdefault(str(row[0]), []).append(row[4:])
    fixed = {}
    for quantity, rows in levels.items():
        known = [row for row in rows if row[0] is not None]
        best, worst = (
            min((row[0] for row in known), default=None),
            max((row[1] for row in known), default=None),
        )
        marks = (any(row[place] for row in known) for place in (2, 3, 4))
        fixed[quantity] = fixed_shares(best, worst, *marks)
    rows_ = tuple((str(q), str(i), str(p), str(u)) for q, i, p, u, *_ in found)
    return Summary(rows_, fixed)


def item_key(spec: FactSpec) -> str | None:
    """The key that a fact's `item` column stands for."""
    names = [name for name in spec.grain.keys if name != "purpose"]
    if len(names) > 1:
        raise ValueError(f"{spec.name}: a fact has one key besides purpose, not {names}")
    return names[0] if names else None


def with_sql(step: Step, sql: str) -> Step:
    return replace(step, sql=sql)


def group(columns: int) -> str:
    return "GROUP BY " + ", ".join(str(number_ + 1) for number_ in range(columns))


def seconds(prefix: str) -> str:
    return f"CAST(date_diff('second', {prefix}time_start, {prefix}time_end) AS DOUBLE)"


def added(prefix: str, fixed: Mapping[str, str]) -> str:
    """Sums: value adds; shares are weighted by size (zeros alike); coverage by time."""
    size = f"(abs({prefix}value) + {NEXT_TO_NOTHING})"
    shares = ", ".join(
        f"{fixed[name]} AS {name}"
        if name in fixed
        else f"coalesce(sum({size} * {prefix}{name}) / sum({size}), {ZERO}) AS {name}"
        for name in QUALITIES
    )
    coverage = f"sum({prefix}coverage * {prefix}seconds) / nullif(sum({prefix}seconds), {ZERO}) AS coverage"
    return f"sum({prefix}value) AS value, {shares}, {coverage}, max({prefix}seconds) AS seconds"


FACT_SECONDS = seconds("f.")


def fact_sums(value: str, fixed: Mapping[str, str]) -> str:
    """Facts that add: `value` is the SQL of one row's value in the declared unit."""
    return (
        f"sum({value}) AS value, {_fact_shares(fixed)}, sum(f.coverage * {FACT_SECONDS}) / nullif(sum({FACT_SECONDS}), 0e0) "
        f"AS coverage, max({FACT_SECONDS}) AS seconds"
    )


def fact_means(value: str, fixed: Mapping[str, str]) -> str:
    """Facts that do not add: the mean by weight."""
    return (
        f"sum({value} * coalesce(f.weight, 1e0)) / nullif(sum(CASE WHEN f.value IS NULL THEN 0e0 ELSE coalesce(f.weight, 1e0) "
        f"END), 0e0) AS value, {_fact_shares(fixed)}, avg(f.coverage) AS coverage, max({FACT_SECONDS}) AS seconds"
    )


def _fact_shares(fixed: Mapping[str, str]) -> str:
    """A fact's `basis` is what its value rests on but for the parts that are estimated and defaulted."""
    shares = []
    for level, name in enumerate(DATA, start=1):
        parts = "f.defaulted + f.estimated" if level <= Status.ESTIMATED else "f.defaulted"
        size = f"abs(f.value) + {NEXT_TO_NOTHING}"
        part = f"sum(CASE WHEN f.basis >= {level} THEN {size} ELSE least({parts}, abs(f.value)) END)"
        computed = f"coalesce({part} / sum({size}), 0e0)"
        shares.append(f"{fixed.get(name, computed)} AS {name}")
    for name in FACTORS:
        computed = f"coalesce(sum(f.{name}) / nullif(sum(abs(f.value)), 0e0), 0e0)"
        shares.append(f"{fixed.get(name, computed)} AS {name}")
    return ", ".join(shares)


def stamp(moment: datetime) -> str:
    """A UTC TIMESTAMP literal."""
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}'"


def calendar(rows: Sequence[tuple[str, datetime, datetime]]) -> str:
    values = ", ".join(f"({text(site)}, {stamp(start)}, {stamp(end)})" for site, start, end in rows)
    return f"SELECT * FROM (VALUES {values}) AS v(site, time_start, time_end)"


def moves(rows: Sequence[tuple[str, datetime, datetime, datetime, datetime]]) -> str:
    """(site, a unit there, the same unit as the enterprise's calendar has it)."""
    values = ", ".join(
        f"({text(site)}, {', '.join(stamp(moment) for moment in moments)})" for site, *moments in rows
    )
    return f"SELECT * FROM (VALUES {values}) AS v(site, time_start, time_end, to_start, to_end)"


def factor_shares(lookup: Lookup, alias: str) -> Shares:
    """Shares of a factor: all of it rests on a row of its level."""
    levels = {int(item.level) for item in lookup.chosen if item.value is not None}
    found = {}
    for level, name in enumerate(FACTORS, start=1):
        if levels and min(levels) >= level:
            found[name] = FULL
        elif levels and max(levels) >= level:
            found[name] = f"CASE WHEN {alias}.level >= {level} THEN 1e0 ELSE 0e0 END"
    return Shares(**found)


def fixed_in_all(steps: Sequence[Step]) -> dict[str, str]:
    """Shares that are the same on every row of every one of these steps."""
    first, *others = (step.fixed for step in steps)
    return {name: part for name, part in first.items() if all(one.get(name) == part for one in others)}


def step_shares(step: Step, alias: str, joined: bool) -> Shares:
    """The shares of a step's rows, as columns of `alias`; `joined` where there may be no row."""
    return Shares(
        *(
            step.fixed.get(name, f"coalesce({alias}.{name}, {ZERO})" if joined else f"{alias}.{name}")
            for name in QUALITIES
        )
    )


def factor_match(lookup: Lookup, alias: str, site: str, month: str | None) -> list[str]:
    match = [f"{alias}.site = {site}"] if lookup.by_site else []
    return [*match, f"{alias}.month = {month}"] if lookup.by_month and month else match


def factor_sql(lookup: Lookup) -> str:
    """The chosen values as literals; site and month are columns only where they matter."""
    by_site, by_month = lookup.by_site, lookup.by_month
    names = [
        *(["site"] if by_site else []),
        *(["month"] if by_month else []),
        *lookup.keys,
        "value",
        "level",
        "found",
    ]
    rows: dict[tuple[str, datetime | None, tuple[str, ...]], str] = {}
    for item in lookup.chosen:
        mark = (item.site if by_site else "", item.month.start if by_month else None, item.keys)
        if mark in rows:
            continue
        cells = [text(item.site)] if by_site else []
        cells += [stamp(item.month.start)] if by_month else []
        value = "CAST(NULL AS DOUBLE)" if item.value is None else number(item.value)
        cells += [*(text(key) for key in item.keys), value, str(int(item.level)), "1"]
        rows[mark] = f"({', '.join(cells)})"
    if rows:
        return f"SELECT * FROM (VALUES {', '.join(rows.values())}) AS v({', '.join(names)})"
    empty = [
        f"CAST(NULL AS {'TIMESTAMP' if name == 'month' else 'VARCHAR'}) AS {name}" for name in names[:-3]
    ]
    return (
        "SELECT "
        + ", ".join([*empty, "CAST(NULL AS DOUBLE) AS value", "0 AS level", "0 AS found"])
        + " WHERE 1 = 0"
    )
