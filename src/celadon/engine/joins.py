"""Where a formula's rows come from: the FROM of its SELECT, and its inputs as pieces of SQL.

Parsing and binding a statement costs more than running it on a plant's few rows, so that what needs no join has none, and
a join names its columns once (USING).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from math import prod

from celadon.core.dataclass import dataclass
from celadon.engine.lookup import Chosen, Lookup
from celadon.engine.pieces import (
    FACTORS,
    FULL,
    NO,
    NULL,
    ZERO,
    Piece,
    Shares,
    number,
    text,
)
from celadon.engine.steps import MEASURES, Step, seconds, step_shares

ROW = "s."
"""Before a column of the row itself, where the rows are those of one relation called s."""


@dataclass(frozen=True)
class Source:
    """`text` is FROM; `row` stands before a column of the row itself; `driver` is the input that s is."""

    text: str
    row: str = ROW
    driver: str | None = None
    seconds: str = f"{ROW}seconds"
    joins: Mapping[str, str] = field(default_factory=dict)
    """Alias -> its LEFT JOIN, which finds one row or none."""

    def joined(self, shown: str) -> str:
        """FROM with the joins that the SQL `shown` reads."""
        return self.text + "".join(join for alias, join in self.joins.items() if f"{alias}." in shown)


def holds_everywhere(lookup: Lookup) -> bool:
    """Whether a factor without keys has a row for every site and month."""
    return bool(lookup.chosen) and not lookup.gaps and not lookup.keys


def factor_piece(
    step: Step, lookup: Lookup, alias: str, keys: Mapping[str, str], words: Mapping[str, frozenset[str]]
) -> Piece:
    """A factor as an input: a number where it is one, a choice of a few by the row's `keys` (key -> SQL) where it does not
    depend on site or month, else the column of its relation. `words` says what the keys can be."""
    limits = [(place, words[key]) for place, key in enumerate(lookup.keys) if key in words]
    fitting = [item for item in lookup.chosen if all(item.keys[place] in known for place, known in limits)]
    if not fitting:
        return Piece(NULL, step.unit, exists=NO, optional=False)
    cells = {item.keys: (item.value, int(item.level)) for item in fitting}
    varies = any(cells[item.keys] != (item.value, int(item.level)) for item in fitting)
    lacks = {gap for _, _, gap in lookup.gaps} & set(cells)
    if varies or lacks or len(cells) > _FEW:
        shares = _shares(fitting, lambda level: f"{alias}.level >= {level}")
        return Piece(f"{alias}.value", step.unit, shares, exists=f"{alias}.found = 1", optional=False)
    told = [(place, key) for place, key in enumerate(lookup.keys) if len(words.get(key, ())) != 1]
    tests = {one: " AND ".join(f"{keys[key]} = {text(one[place])}" for place, key in told) for one in cells}
    every = not told or (
        all(key in words for _, key in told) and len(cells) == prod(len(words[key]) for _, key in told)
    )

    def at_least(least: int) -> str:
        return " OR ".join(f"({tests[one]})" for one, (_, level) in cells.items() if level >= least)

    values = [(tests[one], NULL if value is None else number(value)) for one, (value, _) in cells.items()]
    value = values[0][1]
    if not every or len({value for _, value in values}) > 1:
        value = f"CASE {' '.join(f'WHEN {test} THEN {value}' for test, value in values)} END"
    exists = None if every else " OR ".join(f"({test})" for test in tests.values())
    sure = all(value != NULL for _, value in values)
    return Piece(value, step.unit, _shares(fitting, at_least), exists=exists, optional=False, sure=sure)


_FEW = 12
"""Keys of a factor up to which its value is chosen where it is used."""


def _shares(chosen: Sequence[Chosen], at_least: Callable[[int], str]) -> Shares:
    """Shares of a factor: all of it rests on a row of its level; `at_least` is SQL of the test for a level or a worse one."""
    levels = {int(item.level) for item in chosen if item.value is not None}
    found = {}
    for level, name in enumerate(FACTORS, start=1):
        if levels and min(levels) >= level:
            found[name] = FULL
        elif levels and max(levels) >= level:
            found[name] = f"CASE WHEN {at_least(level)} THEN 1e0 ELSE 0e0 END"
    return Shares(**found)


def own_piece(step: Step) -> Piece:
    """The input whose rows are the formula's own."""
    coverage = None if step.describes else f"{ROW}coverage"
    return Piece(
        f"{ROW}value", step.unit, step_shares(step, "s", joined=False), coverage, optional=step.optional
    )


def joined_piece(step: Step, alias: str) -> Piece:
    """An input that may lack a row where the formula has one."""
    coverage = None if step.describes else f"coalesce({alias}.coverage, {ZERO})"
    shares = step_shares(step, alias, joined=True)
    return Piece(f"{alias}.value", step.unit, shares, coverage, f"{alias}.seconds IS NOT NULL", step.optional)


def empty_piece(step: Step) -> Piece:
    """An input that has no row anywhere."""
    return Piece(
        NULL, step.unit, coverage=None if step.describes else ZERO, exists=NO, optional=step.optional
    )


def side_by_side(steps: Mapping[str, Step], columns: Sequence[str]) -> Source:
    """All rows of several relations of the same columns; where one has no row its cells are null."""
    first, *others = steps.items()
    using = ", ".join(columns)
    text = f"FROM {first[1].name} AS {first[0]}" + "".join(
        f"\nFULL JOIN {step.name} AS {alias} USING ({using})" for alias, step in others
    )
    return Source(text, "", None, f"greatest({', '.join(f'{alias}.seconds' for alias in steps)})")


def left_join(step: Step, alias: str, columns: Sequence[str], here: Mapping[str, str]) -> str:
    """The row of `step` that agrees in `columns`; `here` says which of them are found by another column of the row."""
    if any(here.get(column, column) != column for column in columns):
        match = " AND ".join(f"{alias}.{column} = {ROW}{here.get(column, column)}" for column in columns)
        return f"\nLEFT JOIN {step.name} AS {alias} ON {match}"
    source = step.name
    if (
        set(columns) != set(step.columns) and step.kind != "factor"
    ):  # or its other columns would be the row's too
        listed = ", ".join([*columns, *(name for name in MEASURES if name not in step.fixed)])
        source = f"(SELECT {listed} FROM {step.name})"
    matched = f"USING ({', '.join(columns)})" if columns else "ON 1 = 1"
    return f"\nLEFT JOIN {source} AS {alias} {matched}"


def no_row(step: Step, alias: str) -> str:
    """A join that never finds a row: the input has no one value where the formula stands. Its keys would be the row's too."""
    cells = (
        ("value", "level", "found") if step.kind == "factor" else (n for n in MEASURES if n not in step.fixed)
    )
    return f"\nLEFT JOIN (SELECT {', '.join(cells)} FROM {step.name}) AS {alias} ON 1 = 0"


def factor_columns(lookup: Lookup, by_month: bool) -> list[str]:
    """The columns that a factor's relation is joined on."""
    return [
        *(["site"] if lookup.by_site else []),
        *(["month"] if lookup.by_month and by_month else []),
        *lookup.keys,
    ]


def factor_rows(step: Step, lookup: Lookup, enterprise: str) -> str:
    """The months of every site for which a factor has rows, one per key."""
    columns = [
        f"{text(enterprise)} AS enterprise",
        "m.site",
        "m.time_start",
        "m.time_end",
        "m.time_start AS month",
        *(f"x.{key}" for key in step.keys),
    ]
    match = ["x.site = m.site"] if lookup.by_site else []
    match += ["x.month = m.time_start"] if lookup.by_month else []
    joined = f"months AS m JOIN {step.name} AS x ON {' AND '.join(match) or '1 = 1'}"
    return f"SELECT {', '.join(columns)}, {seconds('m.')} AS seconds FROM {joined}"


def expanded(columns: Sequence[str], widest: Step, step: Step, lookup: Lookup) -> str:
    """The rows of a step, each once for every key that only a factor has (the gases of a blend)."""
    shared = [key for key in step.keys if key in widest.keys]
    cells = [f"w.{column}" if column in widest.columns else f"x.{column}" for column in columns]
    by = [*(["site"] if lookup.by_site else []), *(["month"] if lookup.by_month else []), *shared]
    match = " AND ".join(f"w.{name} = x.{name}" for name in by) or "1 = 1"
    return f"SELECT {', '.join(cells)}, w.seconds FROM {widest.name} AS w JOIN {step.name} AS x ON {match}"
