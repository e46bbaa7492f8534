"""Steps and queries: the chain of SELECTs that a request compiles to, and the SQL they share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from celadon.core.dataclass import dataclass
from celadon.core.facts import Status
from celadon.core.findings import Finding
from celadon.core.periods import Grain
from celadon.core.quantities import SPACES, Space
from celadon.core.units import ONE, Unit
from celadon.engine.dialects import in_spark
from celadon.engine.lookup import Lookup
from celadon.engine.pieces import (
    DATA,
    FACTORS,
    FULL,
    NEXT_TO_NOTHING,
    QUALITIES,
    ZERO,
    Shares,
    number,
    text,
)
from celadon.engine.settled import settled
from celadon.rules.expr import Condition, Expr
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
    named: Mapping[str, str] = field(default_factory=dict)
    """Parts of its SELECT that are written once: name -> SQL, each before it is used."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Shares (QUALITIES) that are none or all on every row: a literal is read, and there is no column."""
    at: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Input read on another row (`at:<n>`) -> its keys, by the keys of this row they are found with."""

    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The only words that some of its keys can have, as far as the facts and the rules' conditions say."""
    empty: bool = False
    """Whether it is known to have no rows; then nobody need read it."""

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
    size: int = 0
    """How many facts it is asked of; 0 where nobody counted."""
    facts: str = "facts"
    """The table they are in."""

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def over(self, facts: str) -> Query:
        """The same query of another table of facts."""
        if facts == self.facts:
            return self
        own, other = _in_table(self.facts), _in_table(facts)
        steps = (
            replace(step, sql=step.sql.replace(own, other)) if own in step.sql else step
            for step in self.steps
        )
        return replace(self, steps=tuple(steps), facts=facts)

    def live(self) -> set[str]:
        """The steps that what was asked rests on."""
        by_name = {step.name: step for step in self.steps}
        found: set[str] = set()
        waiting = [name for _, name in self.outputs]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [*by_name[name].inputs.values(), *by_name[name].parts]
        return found

    def needed(self, last: str) -> list[Step]:
        """The steps that the SELECTs `last` read, directly or through others, each after those it reads."""
        by_name = {step.name: step for step in self.steps}
        found: set[str] = set()
        waiting = _READ.findall(last)
        while waiting:
            name = waiting.pop()
            if name in by_name and name not in found:
                found.add(name)
                waiting += _READ.findall(by_name[name].sql)
        return [step for step in self.steps if step.name in found]

    def chain(self, last: str) -> str:
        """`WITH …` of the steps that the SELECTs `last` need; then `last`."""
        parts = [f"{step.name} AS (\n{step.sql}\n)" for step in self.needed(last)]
        return "WITH " + ",\n".join(parts) + f"\n{last}" if parts else last

    def select(self, also: Sequence[str] = ()) -> str:
        """The last SELECT: all asked quantities in one long form. `also`: more SELECTs over its steps, in the same shape."""
        found = [(quantity, self.step(name)) for quantity, name in self.outputs]
        parts = [_output(quantity, step) for quantity, step in found if not step.empty]
        return "\nUNION ALL\n".join([*(parts or [_EMPTY]), *also])

    def sql(self, dialect: Literal["duckdb", "spark"] = "duckdb", also: Sequence[str] = ()) -> str:
        """The query's text in the embedded engine's dialect, or in Spark's, from the same chain."""
        whole = self.chain(self.select(also))
        return in_spark(whole) if dialect == "spark" else whole


_READ = re.compile(r"\b(?:FROM|JOIN) (\w+)")
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
        f"{', '.join(measures(step)[1:-1])} FROM {step.name}"
    )


def answer_select(
    item: str, source: str, value: str, purpose: str = "''", shares: Sequence[str] = (ZERO,) * len(QUALITIES)
) -> str:
    """A SELECT in the shape of the query's output that answers a question of the engine's own: its quantity is empty."""
    blank, times = ", ".join(["''"] * len(PLACES)), ", ".join(["CAST(NULL AS TIMESTAMP)"] * 2)
    return f"SELECT DISTINCT '', {text(item)}, {purpose}, {blank}, {times}, {value}, {', '.join(shares)}, {ZERO} {source}"


def measures(step: Step, but: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """A step's MEASURES as columns of a SELECT: those that are fixed as literals, or not at all where `but` has them."""
    return [
        f"{step.fixed[name]} AS {name}" if name in step.fixed else name
        for name in MEASURES
        if name not in but
    ]


@dataclass(frozen=True)
class Summary:
    """What the facts hold: every (quantity, item, purpose, unit) that occurs, and how good each quantity's data are."""

    rows: tuple[tuple[str, str, str, str], ...]
    fixed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Quantity -> shares that are none or all in every fact of it."""
    size: int = 0
    """How many facts there are; 0 where nobody counted."""
    long: bool = True
    """Whether any is longer than a month; so it may be where nobody looked."""

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


LONGER = "INTERVAL 31 DAY"
"""What is longer than any month."""
SUMMARY = (
    "quantity, item, purpose, unit, min(basis) AS best, max(basis) AS worst, "
    "coalesce(max(estimated), 0) > 0 AS estimated, coalesce(max(defaulted), 0) > 0 AS defaulted, "
    "coalesce(max(factored), 0) > 0 AS factored, "
    f"coalesce(bool_or(value IS NOT NULL AND time_end > time_start + {LONGER}), false) AS long, count(*) AS size"
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
    return Summary(rows_, fixed, sum(row[-1] for row in found), any(row[-2] for row in found))


def item_key(spec: FactSpec) -> str | None:
    """The key that a fact's `item` column stands for."""
    names = [name for name in spec.grain.keys if name != "purpose"]
    if len(names) > 1:
        raise ValueError(f"{spec.name}: a fact has one key besides purpose, not {names}")
    return names[0] if names else None


def narrowed(
    words: Mapping[str, frozenset[str]], tests: Iterable[tuple[Condition, bool]], options: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """The words of the keys that can pass `tests` (condition, wanted outcome)."""
    listed = list(tests)
    return {
        key: frozenset(
            word
            for word in known
            if all(settled(test, options, {key: word}) in (None, wanted) for test, wanted in listed)
        )
        for key, known in words.items()
    }


def words_of_any(steps: Sequence[Step]) -> dict[str, frozenset[str]]:
    """The words of the keys of rows that are in any of these steps."""
    known = [step.words for step in steps if not step.empty]
    keys = set.intersection(*(set(words) for words in known)) if known else set()
    return {key: frozenset[str]().union(*(words[key] for words in known)) for key in keys}


def with_sql(step: Step, sql: str) -> Step:
    return replace(step, sql=sql)


def group(columns: int) -> str:
    return "GROUP BY " + ", ".join(str(number_ + 1) for number_ in range(columns))


def seconds(prefix: str) -> str:
    return f"CAST(date_diff('second', {prefix}time_start, {prefix}time_end) AS DOUBLE)"


def weighed(base: Step) -> str:
    """The rows of a step with the `size` that shares are weighted by, where any share is a column."""
    if len(base.fixed) == len(QUALITIES):
        return base.name
    return f"(SELECT *, abs(value) + {NEXT_TO_NOTHING} AS size FROM {base.name})"


def as_it_is(fixed: Mapping[str, str]) -> str:
    """The measures of one row `b`, where there is nothing to add it to."""
    return ", ".join(f"b.{name}" for name in MEASURES if name not in fixed)


def added(fixed: Mapping[str, str]) -> str:
    """Sums over rows `b`: value adds; shares are weighted by size (zeros alike); coverage by time."""
    shares = [
        f"coalesce(sum(b.size * b.{name}) / sum(b.size), {ZERO}) AS {name}"
        for name in QUALITIES
        if name not in fixed
    ]
    coverage = f"sum(b.coverage * b.seconds) / nullif(sum(b.seconds), {ZERO}) AS coverage"
    return ", ".join(["sum(b.value) AS value", *shares, coverage, "max(b.seconds) AS seconds"])


def facts_of(facts: str, quantity: str) -> str:
    """The facts of one quantity, each with the `size` its shares are weighted by and its length."""
    size = f"abs(value) + {NEXT_TO_NOTHING} AS size"
    return f"SELECT *, {size}, {seconds('')} AS seconds{_in_table(facts)}{text(quantity)}"


def _in_table(facts: str) -> str:
    """How a step names the table of facts; nothing else in a query does."""
    return f" FROM {facts} WHERE quantity = "


_FACT_COVERAGE = f"sum(f.coverage * f.seconds) / nullif(sum(f.seconds), {ZERO}) AS coverage"


def fact_sums(value: str, fixed: Mapping[str, str]) -> str:
    """Facts that add: `value` is the SQL of one row's value in the declared unit."""
    shares = _fact_shares(fixed)
    return ", ".join([f"sum({value}) AS value", *shares, _FACT_COVERAGE, "max(f.seconds) AS seconds"])


def fact_means(value: str, fixed: Mapping[str, str]) -> str:
    """Facts that do not add: the mean by weight."""
    weights = "sum(CASE WHEN f.value IS NULL THEN 0e0 ELSE coalesce(f.weight, 1e0) END)"
    mean = f"sum({value} * coalesce(f.weight, 1e0)) / nullif({weights}, 0e0) AS value"
    return ", ".join([mean, *_fact_shares(fixed), "avg(f.coverage) AS coverage", "max(f.seconds) AS seconds"])


def _fact_shares(fixed: Mapping[str, str]) -> list[str]:
    """A fact's `basis` is what its value rests on but for the parts that are estimated and defaulted."""
    shares = []
    for level, name in enumerate(DATA, start=1):
        parts = "f.defaulted + f.estimated" if level <= Status.ESTIMATED else "f.defaulted"
        # `least` in the words that every engine has: in SQLite that is one of ours, called for each row
        least = f"WHEN {parts} > abs(f.value) THEN abs(f.value) ELSE {parts}"
        part = f"sum(CASE WHEN f.basis >= {level} THEN f.size {least} END)"
        if name not in fixed:
            shares.append(f"coalesce({part} / sum(f.size), {ZERO}) AS {name}")
    weight = f"nullif(sum(abs(f.value)), {ZERO})"
    shares += [
        f"coalesce(sum(f.{name}) / {weight}, {ZERO}) AS {name}" for name in FACTORS if name not in fixed
    ]
    return shares


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
