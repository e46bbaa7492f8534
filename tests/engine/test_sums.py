"""Sums put together from other sums, of rows written with less work, against plain sums; and how many are added up at all."""

from __future__ import annotations

import random

import duckdb
import pytest

from celadon.engine.cells import sum_there
from celadon.engine.layers import Layers
from celadon.engine.lean import Lean
from celadon.engine.linear import Linear
from celadon.engine.pieces import number, times
from celadon.engine.sums import Sums

FACTS = ("f.a", "f.b", "f.c", "f.d")
SAME = "r.x0"
"""A column with one value per group."""


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    """Seven groups of 40 rows; of group 0 `a` and `b` are never there, of group 1 nothing is; `x0` lacks in group 2."""
    rng = random.Random(5)
    con = duckdb.connect()
    con.execute("CREATE TABLE f (g INTEGER, a DOUBLE, b DOUBLE, c DOUBLE, d DOUBLE)")
    rows = []
    for place in range(280):
        group = place % 7
        given = [rng.choice([None, 0.0, rng.uniform(-50, 900)]) for _ in FACTS]
        never = {0: (0, 1), 1: (0, 1, 2, 3)}.get(group, ())
        rows.append([group, *(None if at in never else value for at, value in enumerate(given))])
    con.executemany("INSERT INTO f VALUES (?, ?, ?, ?, ?)", rows)
    con.execute(
        "CREATE TABLE r AS SELECT g, CASE WHEN g <> 2 THEN g * 0.3 + 1 END AS x0 FROM range(7) AS v(g)"
    )
    return con


def same(name: str) -> bool:
    """`rows` makes the column for SAME first."""
    return name == "c0"


def rows() -> tuple[Layers, list[str]]:
    fine = Layers("c")
    fine.source(SAME)
    return fine, [fine.source(name) for name in FACTS]


def added_up(
    con: duckdb.DuckDBPyConnection, fine: Layers, names: list[str]
) -> tuple[str, list[tuple[float | None, ...]]]:
    """The statement that puts sums together, and its rows; each column beside its plain sum."""
    asked = [f"sum({name})" for name in names]
    linear = Linear(fine, same)
    sums, lean = Sums(linear, asked), Lean(linear)
    columns = [sums.column(sql) for sql in asked]
    needed = {name: lean.sql(sql) for name, sql in sums.layers.needs(" ".join(columns)).items()}
    source = "FROM f JOIN r ON f.g = r.g"
    plain = fine.select(source, names, first="f.g AS g")
    inner = lean.layers.select(source, needed.values(), first="f.g AS g")
    text = sums.layers.select(f"FROM ({inner}) AS fine", columns, "g", " GROUP BY g", needed)
    pairs = ", ".join(f"x.{column} AS v{at}, y.p{at}" for at, column in enumerate(columns))
    summed = ", ".join(f"{sql} AS p{at}" for at, sql in enumerate(asked))
    found = con.execute(
        f"SELECT {pairs} FROM ({text}) AS x JOIN (SELECT g, {summed} FROM ({plain}) GROUP BY g) AS y USING (g) ORDER BY g"
    ).fetchall()
    assert len(found) == 7
    return text, found


def equal(found: list[tuple[float | None, ...]]) -> None:
    for row in found:
        for mine, plain in zip(row[::2], row[1::2], strict=True):
            assert (mine is None) == (plain is None), row
            assert mine is None or mine == pytest.approx(plain, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_any_columns_that_formulas_make_add_up_alike(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Columns scaled, times what a group has in common, times one another, added where there, compared: on random ones."""
    rng = random.Random(seed)
    fine, known = rows()
    for _ in range(14):
        several = rng.sample(known, rng.randint(2, min(4, len(known))))
        one = rng.choice(known)
        exists = " OR ".join(f"({name} IS NOT NULL)" for name in several)
        made = [
            times(one, number(rng.uniform(-2, 2))),
            f"({one} * c0)",
            f"({one} / 4.0e0)",
            f"({one} * {several[0]})",
            sum_there(several),
            sum_there(several, exists),
            sum_there([*several[:-1], f"(-1.0e0 * {several[-1]})"], fine.column(exists)),
            sum_there(several[:-1], exists),
            sum_there(several, "1 = 1"),
            f"CASE WHEN {one} > {several[0]} THEN 1.0e0 ELSE 0.0e0 END",
            f"({one} + {several[0]})",
        ]  # fmt: skip
        known.append(fine.column(rng.choice(made)))
    names = [name for name in known[len(FACTS) :] if rng.random() < 0.6] or known[-1:]
    equal(added_up(con, fine, list(dict.fromkeys(names)))[1])


def test_scaled_and_added_columns_cost_one_sum_for_each_fact(con: duckdb.DuckDBPyConnection) -> None:
    fine, (a, b, c, d) = rows()
    heat = [fine.column(times(name, number(factor))) for name, factor in ((a, 20.9), (b, 26.3))]
    emission = [fine.column(times(name, number(0.09))) for name in heat]
    bought = fine.column(f"({c} * c0)")
    exists = f"({emission[0]} IS NOT NULL) OR ({emission[1]} IS NOT NULL)"
    direct = fine.column(sum_there(emission, fine.column(exists)))
    whole = fine.column(sum_there([direct, bought]))
    text, found = added_up(con, fine, [*heat, *emission, bought, direct, whole, d])
    # a, b, c and d, and the one value that c is multiplied with: 8 columns of 4 sums and a maximum
    assert (text.count("sum("), text.count("max(")) == (4, 1)
    equal(found)


def test_a_sum_alone_is_added_up_row_by_row(con: duckdb.DuckDBPyConnection) -> None:
    """Where nobody asks for its parts, one sum is less work than four."""
    fine, facts = rows()
    whole = fine.column(sum_there(facts))
    text, found = added_up(con, fine, [whole])
    assert text.count("sum(") == 1
    equal(found)


def test_what_is_not_linear_is_never_put_together(con: duckdb.DuckDBPyConnection) -> None:
    """A product of two facts, a sum that lacks where one lacks, one that is there where another is: each as it stands."""
    fine, (a, b, c, _) = rows()
    names = [
        fine.column(f"({a} * {b})"), fine.column(f"({a} + {b})"), fine.column(sum_there([a, b], f"({c} IS NOT NULL)")),
        fine.column(f"greatest({a}, {b})"), fine.column(f"({number(3.0)} / {c})"),
    ]  # fmt: skip
    text, found = added_up(con, fine, [*names, a, b, c])
    assert text.count("sum(") == len(names) + 3
    equal(found)


def test_rows_are_written_with_less_work(con: duckdb.DuckDBPyConnection) -> None:
    """A factor of a factor is one number; a part that two columns share is a column; a sum within a sum is not tested."""
    fine, (a, b, c, d) = rows()
    heat = fine.column(times(a, number(20.0)))
    emission = fine.column(times(heat, number(0.5)))
    direct = fine.column(sum_there([emission, b], f"({emission} IS NOT NULL) OR ({b} IS NOT NULL)"))
    whole = fine.column(sum_there([direct, c], "1 = 1"))
    over = fine.column(f"greatest(({whole} - ({d} * {number(2.0)})), 0e0)")
    high = fine.column(f"CASE WHEN ({whole} - ({d} * {number(2.0)})) > 5e0 THEN 1e0 ELSE 0e0 END")
    linear = Linear(fine, same)
    lean = Lean(linear)
    names = [lean.sql(name) for name in (over, high)]
    text = lean.layers.select("FROM f JOIN r ON f.g = r.g", names)
    assert text.count("* 10.0e0") == 1  # 20 × 0.5
    assert "20.0e0" not in text
    assert text.count("* 2.0e0") == 1
    assert "OR" not in text
    equal(added_up(con, fine, [over, high])[1])
