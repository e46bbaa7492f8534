"""Exactly one rule per row: where editions or conditions leave a row to two rules, or to none, say so."""

from __future__ import annotations

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.engine.backends import Backend
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


def check_variants(on: Backend, query: Query) -> list[Finding]:
    """Count rows that two rules of a name claim, and rows of their inputs that none does; asked in one statement."""
    unions = [step for step in query.steps if step.kind == "union"]
    if not unions:
        return []
    selects = []
    for number, step in enumerate(unions):
        keys = ", ".join(step.columns)
        twice = f"SELECT {keys} FROM {step.name} GROUP BY {keys} HAVING count(*) > 1"
        selects.append(f"SELECT {number} AS step, 0 AS spine, count(*) AS n FROM ({twice}) AS d")
        parts = [query.step(name) for name in step.parts]
        spines = dict.fromkeys(name for part in parts for name in _full_inputs(query, part))
        for place, spine in enumerate(spines, start=1):
            rows = f"(SELECT DISTINCT {keys} FROM {spine}) AS i ANTI JOIN {step.name} AS u USING ({keys})"
            selects.append(f"SELECT {number} AS step, {place} AS spine, count(*) AS n FROM {rows}")
    counted = on.rows(f"{query.chain(query.steps[-1])}\n" + "\nUNION ALL\n".join(selects))
    findings = []
    for number, step in enumerate(unions):
        rules = [part.rule for part in (query.step(name) for name in step.parts) if part.rule]
        clauses = " / ".join(str(rule.clause) for rule in rules)
        counts = {spine: count for found, spine, count in sorted(counted) if found == number}
        if counts[0]:
            findings.append(
                RULES_TWO.at(rules[0].place, name=step.quantity, count=counts[0], clauses=clauses)
            )
        if none := next((count for spine, count in counts.items() if spine and count), 0):
            findings.append(
                RULES_NONE.at(Place(subject=step.quantity), name=step.quantity, count=none, clauses=clauses)
            )
    return findings


def _full_inputs(query: Query, part: Step) -> list[str]:
    found = []
    for name in part.own_inputs.values():
        other = query.step(name)
        if other.kind != "factor" and other.columns == part.columns:
            found.append(name)
    return found
