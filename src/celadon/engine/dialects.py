"""A statement of the embedded engine in another engine's words, from one syntax tree.

Nothing about rulebooks is here: what the two engines would compute differently is written so that they agree.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Files = Callable[[list[str]], str]
"""Gives the relation that stands for a list of Parquet files."""


def in_spark(sql: str, files: Files | None = None) -> str:
    """The statement for Spark; `files` names the relations to read in place of `read_parquet([…])`."""
    sqlglot = importlib.import_module("sqlglot")  # 0.1 s, and only where another engine is asked for
    exp = sqlglot.exp

    tree = sqlglot.parse_one(sql, read="duckdb")
    # from the inside out: what is replaced may hold what is to be replaced
    for node in reversed(list(tree.find_all(exp.Round, exp.EQ, exp.Table))):
        if isinstance(node, exp.Round) and node.args.get("decimals") is not None:
            node.replace(_rounded(exp, node))
        elif isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
            # how the embedded engine keeps the IN of a view
            node.replace(exp.In(this=node.this, query=node.expression.this))
        elif files is not None and isinstance(node, exp.Table) and isinstance(node.this, exp.ReadParquet):
            named = exp.to_table(files(_paths(exp, node.this)))
            node.replace(exp.alias_(named, node.alias, table=True) if node.alias else named)
    return str(tree.sql(dialect="spark", pretty=True))


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
