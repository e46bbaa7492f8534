"""Quoting for SQL text: everything that comes from a file or a plant file goes through here or is a parameter."""

from __future__ import annotations

from collections.abc import Iterable


def literal(value: str | int | float | None) -> str:
    """A SQL literal; strings are quoted with every quote doubled (DuckDB knows no other escape)."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def name(identifier: str) -> str:
    """A quoted identifier; dots separate catalogue, schema and table."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in identifier.split("."))


def text_list(values: Iterable[str]) -> str:
    """`('a', 'b')` for IN; never empty."""
    return "(" + ", ".join(literal(value) for value in dict.fromkeys([*values, ""])) + ")"


def case(branches: Iterable[tuple[str, str]], otherwise: str = "NULL") -> str:
    """CASE WHEN … of (condition, result) pairs; the first that holds."""
    text = " ".join(f"WHEN {condition} THEN {result}" for condition, result in branches)
    return f"(CASE {text} ELSE {otherwise} END)" if text else otherwise
