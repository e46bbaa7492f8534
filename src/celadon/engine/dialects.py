"""A statement of the embedded engine in another engine's words: Spark's from a syntax tree, SQLite's word by word.

Nothing about rulebooks is here: what the engines would compute differently is written so that they agree.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any

Files = Callable[[list[str]], str]
"""Gives the relation that stands for a list of Parquet files."""


def in_spark(sql: str, files: Files | None = None) -> str:
    """The statement for Spark; `files` names the relations to read in place of `read_parquet([…])`."""
    sqlglot = importlib.import_module("sqlglot")  # 0.1 s, and only where another engine is asked for
    exp = sqlglot.exp

    tree = sqlglot.parse_one(sql, read="duckdb")
    # from the inside out: what is replaced may hold what is to be replaced
    kinds = (exp.Round, exp.EQ, exp.Table, exp.PercentileCont, exp.Anonymous)
    for node in reversed(list(tree.find_all(*kinds))):
        if isinstance(node, exp.Round) and node.args.get("decimals") is not None:
            node.replace(_rounded(exp, node))
        elif isinstance(node, exp.PercentileCont):
            node.replace(exp.Anonymous(this="PERCENTILE", expressions=[node.this, node.expression]))
        elif isinstance(node, exp.Anonymous) and node.name.lower() in _OF_LISTS:
            shape = sqlglot.parse_one(_OF_LISTS[node.name.lower()], read="spark")
            node.replace(exp.replace_placeholders(shape, list=node.expressions[0]))
        elif isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
            # how the embedded engine keeps the IN of a view
            node.replace(exp.In(this=node.this, query=node.expression.this))
        elif files is not None and isinstance(node, exp.Table) and isinstance(node.this, exp.ReadParquet):
            named = exp.to_table(files(_paths(exp, node.this)))
            node.replace(exp.alias_(named, node.alias, table=True) if node.alias else named)
    return str(tree.sql(dialect="spark", pretty=True))


_THERE = "FILTER(:list, x -> x IS NOT NULL)"
_OF_LISTS = {
    "list_count": f"SIZE({_THERE})",
    "list_median": f"TRANSFORM(ARRAY(ARRAY_SORT({_THERE})), "
    "s -> (GET(s, (SIZE(s) - 1) DIV 2) + GET(s, SIZE(s) DIV 2)) / 2)[0]",
}
"""What the embedded engine has functions for, of what is there in a list."""


def reads_only_parquet(sql: str) -> bool:
    """Whether a query reads Parquet files and nothing else."""
    sqlglot = importlib.import_module("sqlglot")
    tables = list(sqlglot.parse_one(sql, read="duckdb").find_all(sqlglot.exp.Table))
    return bool(tables) and all(isinstance(table.this, sqlglot.exp.ReadParquet) for table in tables)


def _rounded(exp: Any, node: Any) -> Any:
    """round(x, n) with the embedded engine's arithmetic: Spark's own rounds the decimal that x prints as (2.675 to 2.68,
    where the number is 2.67499…)."""
    digits = int(node.args["decimals"].name) if not isinstance(node.args["decimals"], exp.Neg) else None
    if digits is None:
        digits = -int(node.args["decimals"].this.name)
    if digits == 0:
        return exp.Round(this=node.this, decimals=exp.Literal.number(0))
    scale = exp.cast(exp.Literal.number(f"1e{abs(digits)}"), "DOUBLE")
    larger, smaller = (exp.Mul, exp.Div) if digits > 0 else (exp.Div, exp.Mul)
    inner = exp.Round(
        this=larger(this=exp.paren(node.this), expression=scale), decimals=exp.Literal.number(0)
    )
    return exp.paren(smaller(this=inner, expression=scale.copy()))


def _paths(exp: Any, call: Any) -> list[str]:
    """The files a read_parquet call names; `[*]` there is a star that is a character."""
    names = [item.name for array in call.find_all(exp.Array) for item in array.expressions]
    for sign in "*?[":
        names = [name.replace(f"[{sign}]", sign) for name in names]
    return names


def in_sqlite(sql: str) -> str:
    """A SELECT of the chain for SQLite: times are text there, and a number is REAL."""
    return _WORDS.sub(_word, sql)


def table_in_sqlite(name: str, sql: str, named: Mapping[str, str]) -> str:
    """`CREATE TABLE` of a step's SELECT for SQLite. It names the columns of VALUES before them; knows no name of a column
    within the SELECT that makes it, so that the parts in `named` (name -> SQL) stand where they are used; and has no index
    for a FULL JOIN."""
    if sql.startswith(_VALUES):
        rows, _, columns = sql.removeprefix(_VALUES).rpartition(") AS v")
        sql = f"WITH v{columns} AS (VALUES {rows}) SELECT * FROM v"
    parts: dict[str, str] = {}

    def spelled(text: str) -> str:
        return _NAMED.sub(lambda found: parts.get(found[0], found[0]), text)

    for word, part in named.items():
        sql = sql.replace(f"{part} AS {word}, ", "", 1)
        parts[word] = f"({spelled(part)})"
    return f"CREATE TABLE {name} AS {in_sqlite(_FULL.sub(_left_joins, spelled(sql)))}"


_VALUES = "SELECT * FROM (VALUES "
_NAMED = re.compile(r"'(?:[^']|'')*'|(?<![\w.])w\d+\b")
_FULL = re.compile(r"FROM \w+ AS \w+(?:\nFULL JOIN \w+ AS \w+ USING \([^)]*\))+")
_SIDE = re.compile(r"(?:FROM|FULL JOIN) (\w+) AS (\w+)(?: USING \(([^)]*)\))?")
_WORDS = re.compile(
    r"CAST\(date_diff\('second', (?P<start>[\w.]+), (?P<end>[\w.]+)\) AS DOUBLE\)"
    r"|(?P<text>(?:TIMESTAMP )?'(?:[^']|'')*')|(?P<null>CAST\(NULL AS \w+\))| AS DOUBLE\)"
)
"""What SQLite words otherwise; a text is found whole, so that nothing inside it is."""


def _left_joins(found: re.Match[str]) -> str:
    """Every row's keys, and each side joined to them: what a FULL JOIN gives."""
    sides = _SIDE.findall(found[0])
    keys = sides[-1][2]
    rows = " UNION ".join(f"SELECT {keys} FROM {name}" for name, _, _ in sides)
    joins = [f"\nLEFT JOIN {name} AS {alias} USING ({keys})" for name, alias, _ in sides]
    return f"FROM ({rows}) AS rows_of_all" + "".join(joins)


def _word(found: re.Match[str]) -> str:
    if found["start"]:
        return f"(1e0 * strftime('%s', {found['end']}) - strftime('%s', {found['start']}))"
    if found["text"]:
        return found["text"].removeprefix("TIMESTAMP ")
    return "NULL" if found["null"] else " AS REAL)"
