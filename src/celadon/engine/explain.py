"""Result cell -> Trace: the same chain of steps, run on the cell's slice with every column kept.

A trace is a tree: every node has quantity, value, unit and clause; leaves are factor rows (source and confidence) and facts,
below which the caller hangs the evidence (meter, file and line). Nothing is recorded until somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import Plant
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.engine.chain_rows import ChainRows, utc
from celadon.engine.compile import compile_query
from celadon.engine.leaves import LEAF, FactLeaf, leaf_of
from celadon.engine.lookup import Chosen
from celadon.engine.pieces import QUALITIES
from celadon.engine.quality import NO_QUALITY, Quality, quality_of
from celadon.engine.request import Request
from celadon.engine.run import summarise, unit_text
from celadon.engine.steps import PLACES, Query, Step
from celadon.engine.trace import Trace, TraceNode
from celadon.engine.uncertainty import Origins, Propagation, Uncertainty, factor_origin
from celadon.engine.used import UsedFormula
from celadon.rules.rulebook import Rulebook
from celadon.rules.titles import titled

EXPLAIN_NONE = FindingKind(
    "explain.no-such-cell",
    Severity.ERROR,
    Text(en="Nothing to explain there", zh="该处没有可解释的数值"),
    Text(
        en="{quantity} has no value at {cell} in {period}.",
        zh="{quantity} 在 {period} 的 {cell} 没有数值。",
    ),
    Text(
        en="`celadon account` with the same --by and --per lists the cells there are.",
        zh="请先用相同 --by 与 --per 的 `celadon account` 查看可用单元。",
    ),
)
EXPLAIN_MANY = FindingKind(
    "explain.which",
    Severity.ERROR,
    Text(en="Several cells fit", zh="有多个单元符合"),
    Text(
        en="{quantity} has {count} cells there that cannot be added ({cells}): name one.",
        zh="{quantity} 有 {count} 个不可相加的单元（{cells}）：请指定其一。",
    ),
    Text(
        en="Name the site, process, meter, carrier or month.", zh="请指定场址、工序、计量点、能源品种或月份。"
    ),
)

ROWS_SHOWN = 40
FACTS_HELD = 5_000


Evidence = Callable[[Sequence[FactLeaf]], Sequence[Sequence[Mapping[str, Any] | TraceNode]]]
"""For each fact row the nodes below it; asked for all rows of one fact at once."""


def explain(
    con: duckdb.DuckDBPyConnection,
    book: Rulebook,
    plant: Plant,
    request: Request,
    quantity: str,
    where: Mapping[str, str],
    evidence: Evidence | None = None,
    *,
    facts: str = "facts",
    facts_digest: str = "",
    as_of: datetime | None = None,
) -> Trace:
    """Explain one cell of `quantity`: where it stands in place, keys (`carrier`, `product` …) and the request's period.

    Raises FindingError when no cell, or several that cannot be added, fit."""
    explainer = Explainer(con, book, plant, request, quantity, facts)
    return explainer.trace(where, evidence, facts_digest=facts_digest, as_of=as_of)


class Explainer:
    """Explains cells of one quantity over one period: the chain is run once, whatever the number of cells."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        book: Rulebook,
        plant: Plant,
        request: Request,
        quantity: str,
        facts: str = "facts",
    ) -> None:
        self.quantity = quantity
        self.request = replace(request, wanted=(quantity,)).checked(book)
        query = compile_query(book, plant, self.request, summarise(con, facts), facts=facts)
        self._teller = _Teller(
            con, book, plant, query, facts, None, self.request.options, ChainRows(con, query, plant)
        )

    def trace(
        self,
        where: Mapping[str, str],
        evidence: Evidence | None = None,
        origins: Origins | None = None,
        *,
        facts_digest: str = "",
        as_of: datetime | None = None,
    ) -> Trace:
        """The trace of one cell; see `explain`. With `origins`, how wide each of its values is."""
        teller, book = self._teller, self._teller.book
        teller.evidence = evidence
        teller.widths = None
        if origins is not None:
            teller.widths = Propagation(teller.chain, book, teller.options, origins, teller.facts)
        root, width = teller.root(self.quantity, where, self.request)
        options, period = dict(self.request.options), self.request.period.label
        said = tuple(teller.widths.findings()) if teller.widths is not None else ()
        return Trace(
            root, book.id, book.edition, book.digest, facts_digest, as_of, options, period, width, said
        )


@dataclass(slots=True)
class _Teller:
    """Runs the chain step by step on the slice and walks it from the cell down."""

    con: duckdb.DuckDBPyConnection
    book: Rulebook
    plant: Plant
    query: Query
    facts: str
    evidence: Evidence | None
    options: Mapping[str, str]
    chain: ChainRows
    widths: Propagation | None = None
    facts_of: dict[str, list[FactLeaf] | None] = field(default_factory=dict)

    def root(
        self, quantity: str, where: Mapping[str, str], request: Request
    ) -> tuple[TraceNode, Uncertainty | None]:
        """The tree of one cell, and the width of its value where that was asked."""
        if not self.query.outputs:
            raise FindingError(
                [
                    EXPLAIN_NONE.at(
                        Place(subject=quantity),
                        quantity=quantity,
                        cell=_words(where),
                        period=request.period.label,
                    ),
                    *self.query.findings,
                ]
            )
        step = self.query.step(self.query.outputs[0][1])
        rows = [row for row in self.chain.rows(step) if _fits(row, step, where)]
        if not rows:
            raise FindingError(
                EXPLAIN_NONE.at(
                    Place(subject=quantity),
                    quantity=quantity,
                    cell=_words(where),
                    period=request.period.label,
                )
            )
        if len(rows) == 1 or self._adds(quantity):
            node = self.node(step, rows[0]) if len(rows) == 1 else self._several(quantity, step, rows)
            width = self.widths.of(step, rows, node.unit) if self.widths is not None else None
            return replace(node, uncertainty=width.relative if width is not None else None), width
        cells = "; ".join(
            " ".join(str(row[column]) for column in step.columns if column in (*PLACES[1:], *step.keys))
            for row in rows[:6]
        )
        raise FindingError(
            EXPLAIN_MANY.at(Place(subject=quantity), quantity=quantity, count=len(rows), cells=cells)
        )

    def _adds(self, quantity: str) -> bool:
        rules = self.book.rules.get(quantity)
        return rules[0].adds if rules else self.book.facts[quantity].adds

    # -- nodes -----------------------------------------------------------------------------------------------------

    def node(self, step: Step, row: dict[str, Any]) -> TraceNode:
        """The node of one row of one step."""
        if step.kind == "union":
            for part, found in self.chain.parts(step, row):
                return self.node(part, found)
        if step.kind in ("sum", "total"):
            return self._sum(step, row)
        if step.kind == "fact":
            return self._fact(step, row)
        return self._rule(step, row)

    def _base(self, kind: str, step: Step, row: dict[str, Any], children: Sequence[TraceNode]) -> TraceNode:
        item = next((str(row[key]) for key in step.keys if key in ("carrier", "product")), "")
        quantity = step.quantity.split(":")[0]
        return TraceNode(
            kind=kind,
            quantity=quantity,
            label=self.book.label(quantity),
            value=row["value"],
            unit=unit_text(str(step.unit), item, self.plant),
            where=self._where(step, row),
            quality=quality_of([row[name] for name in QUALITIES]) if row["value"] is not None else NO_QUALITY,
            coverage=row["coverage"],
            uncertainty=self.widths.relative(step, row) if self.widths is not None else None,
            children=tuple(children),
        )

    def _where(self, step: Step, row: dict[str, Any]) -> dict[str, str]:
        where = {
            column: str(row[column])
            for column in (*PLACES[1:], *step.keys)
            if column in step.columns and row[column]
        }
        zone_name = next(
            (site.zone for site in self.plant.sites if site.id == row.get("site")), self.plant.zone
        )
        return {**where, "period": Period(utc(row["time_start"]), utc(row["time_end"]), zone_name).label}

    def _several(self, quantity: str, step: Step, rows: list[dict[str, Any]]) -> TraceNode:
        parts = list(self._children(step, rows))
        first = parts[0]
        values = [row["value"] for row in rows if row["value"] is not None]
        return replace(
            first,
            kind="sum",
            quantity=quantity,
            value=sum(values) if values else None,
            children=tuple(parts),
            formula="",
            clause=None,
            clause_text=None,
            where={"rows": str(len(rows)), "period": first.where.get("period", "")},
        )

    def _sum(self, step: Step, row: dict[str, Any]) -> TraceNode:
        parts = self.chain.parts(step, row)
        if len(parts) == 1:
            return self.node(*parts[0])
        inner = self.query.step(step.parts[0])
        return self._base("sum", step, row, list(self._children(inner, [found for _, found in parts])))

    def _children(self, step: Step, rows: list[dict[str, Any]]) -> Iterator[TraceNode]:
        """Rows by time, or the largest first when there are too many to show; the rest as one line."""
        ordered = sorted(rows, key=lambda row: tuple(str(row[column]) for column in step.columns))
        if len(rows) > ROWS_SHOWN:
            ordered = sorted(rows, key=lambda row: -abs(row["value"] or 0.0))
        for row in ordered[:ROWS_SHOWN]:
            yield self.node(step, row)
        rest = [row["value"] for row in ordered[ROWS_SHOWN:] if row["value"] is not None]
        if rest:
            yield TraceNode(
                "rest",
                step.quantity.split(":")[0],
                self.book.label(step.quantity),
                sum(rest),
                str(step.unit),
                {"rows": str(len(rest))},
            )

    def _rule(self, step: Step, row: dict[str, Any]) -> TraceNode:
        children = list(self._inputs(step, row))
        node = self._base("rule" if step.kind == "rule" else "term", step, row, children)
        if step.rule is None or step.kind != "rule":
            return node
        rule = step.rule
        return replace(
            node,
            formula=rule.formula_text,
            effective=self._used(step, row).text(),
            doc=rule.doc,
            clause=rule.clause.cited,
            clause_text=rule.clause.text,
            chapter=f"{'/'.join(Path(rule.place.file or '').parts[-2:])}:{rule.place.line}",
        )

    def _inputs(self, step: Step, row: dict[str, Any]) -> Iterator[TraceNode]:
        """What a formula used, in the order it names them."""
        told: set[str] = set()
        for name in self._used(step, row).inputs():
            if name in told:
                continue
            told.add(name)
            if name not in step.inputs:
                yield self._not_applicable(name)
                continue
            other = self.query.step(step.inputs[name])
            if other.kind == "factor":
                yield self._factor(other, row)
                continue
            found = self.chain.input_row(step, name, row)
            if found is not None:
                yield self.node(other, found)

    def _used(self, step: Step, row: dict[str, Any]) -> UsedFormula:
        return UsedFormula(step, row, self.options, lambda name: self._has_value(name, step, row))

    def _has_value(self, name: str, step: Step, row: dict[str, Any]) -> bool:
        if name not in step.inputs:
            return False
        other = self.query.step(step.inputs[name])
        if other.kind == "factor":
            return self._factor(other, row).value is not None
        found = self.chain.input_row(step, name, row)
        return found is not None and found["value"] is not None

    def _not_applicable(self, name: str) -> TraceNode:
        clause = self.book.facts[name].clause if name in self.book.facts else None
        return TraceNode("not_applicable", name, self.book.label(name), None, "", {}, clause=clause)

    def _factor(self, step: Step, row: dict[str, Any]) -> TraceNode:
        lookup = self.query.lookups[step.quantity]
        keys = tuple(str(row.get(key, "")) for key in lookup.keys)
        chosen = self.chain.chosen(step, row)
        if chosen is None:
            spec = self.book.factors[step.quantity]
            words = dict(zip(lookup.keys, keys, strict=True))
            return TraceNode("missing", step.quantity, spec.label, None, "", words, clause=spec.clause)
        spec = self.book.factors[step.quantity]
        item = next(
            (word for key, word in zip(lookup.keys, keys, strict=True) if key in ("carrier", "product")), ""
        )
        where = dict(zip(lookup.keys, keys, strict=True))
        detail: dict[str, Any] = {}
        if chosen.row is not None:
            cells = chosen.row
            detail = {
                "source": cells.source,
                "confidence": cells.confidence,
                "table": self.book.table_file(spec.table),
                "line": cells.line,
                "published_value": cells.cells.get(spec.column, ""),
                "published_unit": cells.unit(spec.column),
                "valid": str(cells.validity),
                "note": cells.note,
                "carried_forward": chosen.carried,
            }
        elif chosen.entry is not None:
            entry = chosen.entry
            detail = {
                "source": entry.source,
                "confidence": entry.confidence,
                "file": entry.where.file,
                "line": entry.where.line,
                "published_value": entry.value,
                "published_unit": entry.unit,
                "own": True,
            }
        printed = chosen.row.clause if chosen.row else chosen.entry.clause if chosen.entry else ""
        clause = titled(printed) if printed else spec.clause
        return TraceNode(
            "factor",
            step.quantity,
            spec.label,
            chosen.value,
            unit_text(str(step.unit), item, self.plant),
            where,
            quality=Quality(**{chosen.level.name.lower(): 1.0}),
            clause=clause,
            uncertainty=self._width_of(step, chosen),
            detail={k: v for k, v in detail.items() if v not in (None, "")},
        )

    def _width_of(self, step: Step, chosen: Chosen) -> float | None:
        """The stated width of a factor, where widths were asked."""
        origin = factor_origin(self.book, step.quantity, chosen) if self.widths is not None else None
        return origin.uncertainty if origin is not None else None

    def _fact(self, step: Step, row: dict[str, Any]) -> TraceNode:
        found = self._leaves(step, row)
        leaves, others = found[:ROWS_SHOWN], found[ROWS_SHOWN:]
        children: list[TraceNode] = []
        known = self.evidence(leaves) if self.evidence else [()] * len(leaves)
        for leaf, lines in zip(leaves, known, strict=True):
            below = tuple(
                line if isinstance(line, TraceNode) else _evidence_node(leaf, line) for line in lines
            )
            if len(leaves) == 1:
                children.extend(below)
                continue
            where = {
                name: word for name in ("site", "process", "meter", "item") if (word := getattr(leaf, name))
            }
            children.append(
                TraceNode(
                    _LEAF_KINDS.get(leaf.source.split(":")[0], "ledger"),
                    leaf.quantity,
                    Text("", ""),
                    leaf.value,
                    leaf.unit,
                    where,
                    detail={"source": leaf.source},
                    children=below,
                )
            )
        spec = self.book.facts[step.quantity]
        if others:
            rest = [leaf.value for leaf in others if leaf.value is not None]
            total = sum(rest) if spec.adds and {leaf.unit for leaf in found} == {leaves[0].unit} else None
            rows = {"rows": str(len(others))}
            children.append(TraceNode("rest", step.quantity, Text("", ""), total, leaves[0].unit, rows))
        return replace(
            self._base("fact", step, row, children),
            clause=spec.clause,
            detail={"source": leaves[0].source} if len(leaves) == 1 else {},
        )

    def _leaves(self, step: Step, row: dict[str, Any]) -> list[FactLeaf]:
        """The fact rows below one row of a fact step, the largest first."""
        if step.quantity not in self.facts_of:
            self.facts_of[step.quantity] = self._all_facts(step.quantity)
        known = self.facts_of[step.quantity]
        leaves = (
            self._asked_facts(step, row)
            if known is None
            else [leaf for leaf in known if _below(leaf, step, row)]
        )
        return sorted(leaves, key=lambda leaf: -abs(leaf.value or 0.0))

    def _all_facts(self, quantity: str) -> list[FactLeaf] | None:
        """Every fact row of a quantity in one query, or None when there are too many to hold."""
        found = self.con.execute(
            f"SELECT {LEAF} FROM {self.facts} WHERE quantity = ? LIMIT {FACTS_HELD + 1}", [quantity]
        ).fetchall()
        return None if len(found) > FACTS_HELD else [leaf_of(cells) for cells in found]

    def _asked_facts(self, step: Step, row: dict[str, Any]) -> list[FactLeaf]:
        tests = ["quantity = ?", "time_start >= ?", "time_end <= ?"]
        values = [step.quantity, row["time_start"], row["time_end"]]
        for column, word in [(place, row[place]) for place in PLACES[: step.space]]:
            tests.append(f"{column} = ?")
            values.append(word)
        found = self.con.execute(
            f"SELECT {LEAF} FROM {self.facts} WHERE {' AND '.join(tests)}", values
        ).fetchall()
        return [leaf for cells in found if _below(leaf := leaf_of(cells), step, row)]


_LEAF_KINDS = {"records": "record", "derived": "derived"}


def _evidence_node(leaf: FactLeaf, line: Mapping[str, Any]) -> TraceNode:
    detail = {name: word for name, word in line.items() if name not in ("kind", "value", "unit")}
    kind, unit = str(line.get("kind", "reading")), str(line.get("unit", ""))
    return TraceNode(kind, leaf.quantity, Text("", ""), line.get("value"), unit, {}, detail=detail)


def _below(leaf: FactLeaf, step: Step, row: Mapping[str, Any]) -> bool:
    """Whether a fact row went into this row of its step."""
    if any(getattr(leaf, place) != row[place] for place in PLACES[: step.space]):
        return False
    if any((leaf.purpose if key == "purpose" else leaf.item) != row[key] for key in step.keys):
        return False
    start, end = utc(row["time_start"]), utc(row["time_end"])
    if step.describes:
        return leaf.start < end and (start <= leaf.start or leaf.end > start)
    return (start, end) == (leaf.start, leaf.end)


def _fits(row: Mapping[str, Any], step: Step, where: Mapping[str, str]) -> bool:
    return all(str(row[name]) == word for name, word in where.items() if name in step.columns) and all(
        name in step.columns for name in where
    )


def _words(where: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={word}" for name, word in where.items()) or "—"
