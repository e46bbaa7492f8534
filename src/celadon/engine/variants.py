"""Exactly one rule per row: where editions or conditions leave a row to two rules, or to none, say so."""

from __future__ import annotations

import duckdb

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.engine.steps import Query, Step

RULES_TWO = FindingKind(
    "rule.two-apply",
    Severity.ERROR,
    Text(en="Two rules for one row", zh="一行适用两条规则"),
    Text(
        en="{name}: {count} rows fall under more than one of {clauses}.",
        zh="{name}：有 {count} 行同时适用 {clauses}。",
    ),
    Text(
        en="Make the conditions exclude each other, or mark one exception_to the other.",
        zh="请使条件互斥，或用 exception_to 标明例外。",
    ),
)
RULES_NONE = FindingKind(
    "rule.none-applies",
    Severity.ERROR,
    Text(en="No rule for a row", zh="一行没有适用的规则"),
    Text(
        en="{name}: {count} rows fall under none of {clauses}.",
        zh="{name}：有 {count} 行不适用 {clauses} 中任何一条。",
    ),
    Text(
        en="Add the missing case, or a general rule with exceptions.",
        zh="请补充缺失情形，或设一般规则加例外。",
    ),
)


def check_variants(con: duckdb.DuckDBPyConnection, query: Query) -> list[Finding]:
    """Count rows that two rules of a name claim, and rows of their inputs that none does."""
    findings = []
    for step in query.steps:
        if step.kind != "union":
            continue
        parts = [query.step(name) for name in step.parts]
        clauses = " / ".join(str(part.rule.clause) for part in parts if part.rule)
        rules = [part.rule for part in parts if part.rule]
        keys = ", ".join(step.columns)
        twice = _count(
            con,
            query,
            step,
            f"SELECT count(*) FROM (SELECT {keys} FROM {step.name} GROUP BY ALL HAVING count(*) > 1) AS d",
        )
        if twice:
            findings.append(RULES_TWO.at(rules[0].place, name=step.quantity, count=twice, clauses=clauses))
        spines = dict.fromkeys(name for part in parts for name in _full_inputs(query, part))
        for spine in spines:
            sql = f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {spine}) AS i ANTI JOIN {step.name} AS u USING ({keys})"
            if none := _count(con, query, step, sql):
                findings.append(
                    RULES_NONE.at(
                        Place(subject=step.quantity), name=step.quantity, count=none, clauses=clauses
                    )
                )
                break
    return findings


def _full_inputs(query: Query, part: Step) -> list[str]:
    found = []
    for name in part.own_inputs.values():
        other = query.step(name)
        if other.kind != "factor" and other.columns == part.columns:
            found.append(name)
    return found


def _count(con: duckdb.DuckDBPyConnection, query: Query, step: Step, select: str) -> int:
    found = con.execute(f"{query.chain(step)} {select}").fetchone()
    return int(found[0]) if found else 0
