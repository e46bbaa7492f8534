"""`explain` of a region: one number of an enterprise down to its reports' file lines; of a group down to its enterprises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.engine.explain import Explainer
from celadon.engine.leaves import FactLeaf
from celadon.engine.region_model import Output
from celadon.engine.region_plant import region_plant
from celadon.engine.trace import Trace, TraceNode
from celadon.region.account import RegionQuestion, answer, due_months
from celadon.region.model import ValueColumn
from celadon.region.reports import source_sql
from celadon.region.tables import GROUPS, REGISTRY, Prepared, prepare
from celadon.region.tables_in import identifier
from celadon.region.view import View, month_number
from celadon.rules.rulebook import Rulebook

CELL_ABSENT = FindingKind(
    "region.cell-absent",
    Severity.ERROR,
    Text("No such number", "没有该数值"),
    Text("There is no {quantity} of {cell} in {period}.", "{period} 没有 {cell} 的 {quantity}。"),
    Text("`celadon account REGION` lists what there is.", "用 `celadon account REGION` 查看已有数值。"),
)
SHOWN = 20
"""Enterprises of a group that are told one by one; the others as one line."""


def explain(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    question: RegionQuestion,
    where: Mapping[str, str],
) -> Trace:
    """The trace of the one quantity a question asks, where `where` names an enterprise, or a group by its words and codes.

    Raises:
        FindingError: no such quantity, enterprise or group.
    """
    keys = {name: word for name, word in where.items() if name not in GROUPS}
    if "enterprise" in where:
        return _of_enterprise(con, seen, book, question, where["enterprise"], keys)
    return _of_group(
        con, seen, book, question, {name: word for name, word in where.items() if name in GROUPS}, keys
    )


def _of_enterprise(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    question: RegionQuestion,
    enterprise: str,
    keys: Mapping[str, str],
) -> Trace:
    months, _ = due_months(seen, question.period)
    prepared = prepare(con, seen, months, book)
    found = con.execute(f"SELECT enterprise FROM {REGISTRY} WHERE id = ?", [enterprise]).fetchone()
    if found is None:
        raise _absent(question, {"enterprise": enterprise})
    plant = region_plant(con, book, prepared.tables, found[0], question.period, into="region_plant_facts")
    # the engine knows numbers; people know ids
    con.execute("UPDATE region_plant_facts SET enterprise = $1, site = $1", [enterprise])
    plant = replace(plant, enterprise=enterprise, sites=(replace(plant.sites[0], id=enterprise),))
    request = question.request(book, seen)
    explainer = Explainer(con, book, plant, request, request.wanted[0], "region_plant_facts")
    trace = explainer.trace(
        {**keys, "site": enterprise}, _Reports(con, seen, prepared, found[0]), facts_digest=seen.snapshot.digest(),
        as_of=seen.snapshot.recorded_at,
    )  # fmt: skip
    con.execute("DROP TABLE region_plant_facts")
    return trace


class _Reports:
    """Below a fact: the report's row, with file and line."""

    def __init__(self, con: duckdb.DuckDBPyConnection, seen: View, prepared: Prepared, number: int) -> None:
        self.con, self.seen, self.columns, self.number = con, seen, prepared.columns, number
        self.files = {item.id: item.name for item in seen.snapshot.files()}

    def __call__(self, leaves: Sequence[FactLeaf]) -> list[list[dict[str, Any] | TraceNode]]:
        return [self._below(leaf) for leaf in leaves]

    def _below(self, leaf: FactLeaf) -> list[dict[str, Any] | TraceNode]:
        value = self.columns.get(leaf.source.removeprefix("region:"))
        return [] if value is None else self._rows(leaf, value)

    def _rows(self, leaf: FactLeaf, value: ValueColumn) -> list[dict[str, Any] | TraceNode]:
        # a month of the region begins in its zone: the middle of the span is safely inside it
        middle = leaf.start + (leaf.end - leaf.start) / 2
        for source in self.seen.region.sources:
            own = next((item for item in source.values if item.name == value.name), None)
            if own is None:
                continue
            sql = source_sql(self.seen.snapshot, source, {month_number(middle.date())})
            if sql is None:
                continue
            rows = self.con.execute(
                f"SELECT {identifier(value.name)}, month, file, line FROM ({sql}) WHERE enterprise = ? AND {identifier(value.name)} "
                "IS NOT NULL",
                [self.number],
            ).fetchall()
            if rows:  # else the next sender's counts
                return [
                    {
                        "kind": "record", "value": cell, "unit": own.kept_unit, "date": f"{month:%Y-%m}", "record": own.column,
                        "file": self.files.get(file, "?"), "line": line,
                    }
                    for cell, month, file, line in rows
                ]  # fmt: skip
        return []


def _of_group(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    question: RegionQuestion,
    where: Mapping[str, str],
    keys: Mapping[str, str],
) -> Trace:
    asked = RegionQuestion(
        question.period, ("enterprise",), None, question.quantities, question.options, question.factors_as_of
    )
    result, _ = answer(con, seen, book, asked, "explained", shares=False)
    fitting = _fitting(keys)
    output = next((item for item in result.columns if fitting(item)), None)
    if output is None:
        raise _absent(question, where)
    conditions = " AND ".join(f"r.{GROUPS[name]} = ?" for name in where) or "true"
    rows = con.execute(
        f"SELECT r.id, r.name, a.{output.value} FROM explained AS a JOIN {REGISTRY} AS r ON r.enterprise = a.enterprise "
        f"WHERE a.{output.coverage} IS NOT NULL AND {conditions} ORDER BY abs(a.{output.value}) DESC NULLS LAST, r.id",
        list(where.values()),
    ).fetchall()
    con.execute("DROP TABLE explained")
    if not rows:
        raise _absent(question, where)
    return _sum(book, result.request.options, question, seen, output, rows, where)


def _fitting(keys: Mapping[str, str]) -> Callable[[Output], bool]:
    words = set(keys.values())
    return lambda item: set(item.item.split(" / ") if item.item else ()) | ({item.purpose} - {""}) == words


def _sum(
    book: Rulebook, options: Mapping[str, str], question: RegionQuestion, seen: View, output: Output,
    rows: Sequence[tuple[str, str, float | None]], where: Mapping[str, str],
) -> Trace:  # fmt: skip
    """The enterprises that make the group's sum, the largest one by one; a ratio is made anew from its inputs, not added."""
    label = book.label(output.quantity)
    adds = all(rule.adds for rule in book.rules.get(output.quantity, ()))
    children = [
        TraceNode("term", output.quantity, Text(name, name), value, output.unit, {"enterprise": ident})
        for ident, name, value in rows[:SHOWN]
    ]
    rest = [value for _, _, value in rows[SHOWN:] if value is not None]
    if len(rows) > SHOWN:
        children.append(
            TraceNode(
                "rest",
                output.quantity,
                Text("", ""),
                sum(rest) if adds else None,
                output.unit,
                {},
                detail={"enterprises": len(rows) - SHOWN},
            )
        )
    present = [value for _, _, value in rows if value is not None]
    total = sum(present) if adds and present else None
    rules = book.rules.get(output.quantity, ())
    root = TraceNode(
        "sum", output.quantity, label, total, output.unit, dict(where), clause=rules[0].clause.cited if rules else None,
        detail={"enterprises": len(rows)}, children=tuple(children),
    )  # fmt: skip
    snapshot = seen.snapshot
    return Trace(
        root,
        book.id,
        book.edition,
        book.digest,
        snapshot.digest(),
        snapshot.recorded_at,
        dict(options),
        question.period.label,
    )


def _absent(question: RegionQuestion, where: Mapping[str, str]) -> FindingError:
    shown = ", ".join(f"{name}={word}" for name, word in where.items()) or "—"
    quantity = ", ".join(question.quantities) or "—"
    place = Place(subject=shown, period=question.period.label)
    return FindingError(CELL_ABSENT.at(place, quantity=quantity, cell=shown, period=question.period.label))
