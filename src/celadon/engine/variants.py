"""Exactly one rule per row: where editions or conditions leave a row to two rules, or to none, say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.engine.steps import Query, Step, answer_select
from celadon.rules.rule import Rule

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


class VariantQuestions:
    """Counts rows that two rules of a name claim, and rows of their inputs that none does; asked in the same statement as the
    rows themselves."""

    MARK = "rule "
    """How the `item` of an answer begins; what follows are the places of the step and of the input."""

    def __init__(self, query: Query) -> None:
        self._query = query
        live = query.live()
        self._unions = [step for step in query.steps if step.kind == "union" and step.name in live]

    def selects(self) -> list[str]:
        """SELECTs in the shape of the query's output with an empty quantity, the count as the value."""
        found = []
        for number, step in enumerate(self._unions):
            keys = ", ".join(step.columns)
            twice = f"SELECT {keys} FROM {step.name} GROUP BY {keys} HAVING count(*) > 1"
            found.append(answer_select(f"{self.MARK}{number} 0", f"FROM ({twice}) AS d", _COUNT))
            parts = [self._query.step(name) for name in step.parts]
            spines = dict.fromkeys(name for part in parts for name in _full_inputs(self._query, part))
            for place, spine in enumerate(spines, start=1):
                given = f"(SELECT DISTINCT {keys}, 1 AS given FROM {step.name}) AS u"
                rows = f"(SELECT DISTINCT {keys} FROM {spine}) AS i LEFT JOIN {given} USING ({keys}) WHERE u.given IS NULL"
                found.append(answer_select(f"{self.MARK}{number} {place}", f"FROM {rows}", _COUNT))
        return found

    def findings(self, answers: Iterable[Sequence[Any]]) -> list[Finding]:
        """What the answers of `selects` say."""
        counts: dict[int, dict[int, int]] = {}
        for row in answers:
            number, place = map(int, row[1].removeprefix(self.MARK).split())
            counts.setdefault(number, {})[place] = int(row[9])
        findings = []
        for number, step in enumerate(self._unions):
            rules = [part.rule for part in (self._query.step(name) for name in step.parts) if part.rule]
            clauses = cited_all(rules)
            twice, *lacking = (count for _, count in sorted(counts[number].items()))
            if twice:
                findings.append(
                    RULES_TWO.at(rules[0].place, name=step.quantity, count=twice, clauses=clauses)
                )
            if none := next((count for count in lacking if count), 0):
                where = Place(subject=step.quantity)
                findings.append(RULES_NONE.at(where, name=step.quantity, count=none, clauses=clauses))
        return findings


def cited_all(rules: Iterable[Rule]) -> Text:
    """The clauses of several rules, each once, in both languages."""
    cited = list(dict.fromkeys(rule.clause.cited for rule in rules))
    return Text(" / ".join(item.en for item in cited), " / ".join(item.zh for item in cited))


_COUNT = "CAST(count(*) AS DOUBLE)"


def _full_inputs(query: Query, part: Step) -> list[str]:
    found = []
    for name in part.own_inputs.values():
        other = query.step(name)
        if other.kind != "factor" and other.columns == part.columns:
            found.append(name)
    return found
