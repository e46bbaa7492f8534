"""Rules and a request -> one fused statement over a region's wide facts: a row per enterprise and month, a column per
quantity and key, no join between steps.

The same formulas as the step-by-step plan (`compile.py`), through the same `compile_expr`; only where rows come from differs:
each quantity is written out for every word of its keys that the facts hold. Additive quantities are computed on the facts' own
rows and added up once; ratios are computed anew on what was added up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind
from celadon.core.model import Plant
from celadon.core.periods import Grain
from celadon.engine.body import ROWS_APART
from celadon.engine.cells import Cells, Level, Words, longest, settle, summed, total
from celadon.engine.factor_columns import FactorColumns
from celadon.engine.pieces import (
    NO,
    NULL,
    QUALITIES,
    WHOLE,
    YES,
    ZERO,
    Piece,
    Scope,
    Shares,
    joined,
)
from celadon.engine.region_findings import lacking
from celadon.engine.region_model import Region
from celadon.engine.request import Request
from celadon.engine.sql import compile_condition, compile_expr
from celadon.engine.steps import Step
from celadon.engine.tracks import ALWAYS, NEVER, UNKNOWN, Track, tracked
from celadon.engine.variants import RULES_NONE, RULES_TWO
from celadon.rules.check import infer
from celadon.rules.expr import AtKey, Choose, Condition, Expr, Node, Ref, Total, refs
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook


@dataclass(frozen=True)
class Claim:
    """Rows of one name that two of its rules claim, or none of them (`kind`): SQL that is true for such a row."""

    kind: FindingKind
    name: str
    rules: tuple[Rule, ...]
    test: str
    level: Level


class FusedPlanner(FactorColumns):
    """Writes out the quantities of one request, each once."""

    def __init__(
        self, book: Rulebook, plant: Plant, request: Request, region: Region, by: tuple[str, ...]
    ) -> None:
        super().__init__(book, plant, request, region, by)
        self.written: dict[tuple[str, Level, int], Cells | None] = {}
        self.claims: list[Claim] = []
        self.told_rows: dict[str, dict[Words, bool]] = {}
        """Step -> its rows, and whether a factor may lack there."""

    # -- quantities ------------------------------------------------------------------------------------------------

    def at(self, name: str, level: Level) -> Cells | None:
        """A quantity on the rows of a level; None where it is not applicable in the whole region."""
        if self.one_level or self.is_property(name):
            level = Level.FINE
        mark = (name, level, self.level(name))
        if mark not in self.written:
            self.written[mark] = self._write(name, level)
        return self.written[mark]

    def on_another_row(self, node: AtKey, rule: Rule, level: Level) -> Cells | None:
        """An input read on another row; where the rule so needs itself, one level further down its chain."""
        loop = self.chains.loop(rule.name)
        if node.expr.name not in loop:
            return self.at(node.expr.name, level)
        down = self.levels.get(loop, 0)
        if down == 0:
            self.open_ends(loop, rule)
        if down >= self.chains.depth(loop):
            return None
        self.levels[loop] = down + 1
        cells = self.at(node.expr.name, level)
        self.levels[loop] = down
        return cells

    def _write(self, name: str, level: Level) -> Cells | None:
        if name not in self.book.facts:
            rules = self.rules_of(name)
            if not rules or not rules[0][0].adds:
                return self._rule(name, level) if rules else None
        if level is Level.ASKED:
            base = self.at(name, Level.FINE)
            return None if base is None else summed(self.fine, self.asked, base, self.month_seconds)
        return self.reported(self.book.facts[name]) if name in self.book.facts else self._rule(name, level)

    def _rule(self, name: str, level: Level) -> Cells | None:
        variants = self.rules_of(name)
        parts: list[tuple[Body, Cells]] = []
        for number, (rule, formula) in enumerate(variants, start=1):
            exceptions = [other for other, _ in variants if other.exception_to and other is not rule]
            tests = [(rule.when, True)] if rule.when is not None else []
            if not rule.exception_to:
                tests += [(other.when, False) for other in exceptions if other.when is not None]
            step = f"r_{name}_{level.value}" if len(variants) == 1 else f"r_{name}_{number}_{level.value}"
            step += f"_down_{down}" if (down := self.level(name)) else ""
            body = Body(self, step, name, formula, rule, level, rule.grain.keys)
            if (cells := body.cells(tests)) is not None:
                parts.append((body, cells))
        if len(parts) <= 1:
            return parts[0][1] if parts else None
        suffix = f"_down_{self.level(name)}" if self.level(name) else ""
        return self._united(f"r_{name}_{level.value}{suffix}", name, parts, level)

    def _united(self, step: str, name: str, parts: Sequence[tuple[Body, Cells]], level: Level) -> Cells:
        """Rows of several rules of one name, of which one holds for each row."""
        layers, first = self.layers(level), parts[0][1]
        rows: dict[Words, Piece] = {}
        seconds: dict[Words, Callable[[], str]] = {}
        for words in dict.fromkeys(words for body, part in parts for words in (*part.rows, *body.due)):
            pieces = [part.rows[words] for _, part in parts if words in part.rows]
            due = dict.fromkeys(body.due[words] for body, _ in parts if words in body.due)
            if pieces:
                whole = pieces[0] if len(pieces) == 1 else settle(layers, _one_of(pieces))
                rows[words] = whole
                lengths = [part.seconds[words] for _, part in parts if words in part.seconds]
                seconds |= {words: partial(longest, layers, lengths)} if lengths else {}
            self._claim(name, [body.rule for body, _ in parts], pieces, list(due), level)
        self.add(
            Step(
                step, "", name, "union", keys=first.keys, unit=first.unit, optional=first.optional,
                describes=first.describes, parts=tuple(part.step for _, part in parts),
            )
        )  # fmt: skip
        sure = frozenset(
            words for words in rows if all(words in part.sure or words not in part.rows for _, part in parts)
        )
        gaps = frozenset[Words]().union(*(part.gaps for _, part in parts))
        return replace(first, step=step, rows=rows, sure=sure, gaps=gaps, seconds=seconds)

    def _claim(
        self, name: str, rules: Sequence[Rule], pieces: Sequence[Piece], due: Sequence[str], level: Level
    ) -> None:
        """Exactly one rule is to hold for each row that an input has; what SQL must say is asked of the rows."""
        tests = [piece.exists or YES for piece in pieces]
        if len(tests) > 1:
            held = " + ".join(f"CASE WHEN {test} THEN 1 ELSE 0 END" for test in tests)
            self.claims.append(Claim(RULES_TWO, name, tuple(rules), f"{held} > 1", level))
        if not due or YES in tests or set(due) <= set(tests):
            return
        none = " AND ".join(f"NOT coalesce({test}, FALSE)" for test in tests) or YES
        asked = f"({joined('OR', due, (YES,), ())}) AND {none}"
        self.claims.append(Claim(RULES_NONE, name, tuple(rules), asked, level))


def _one_of(pieces: Sequence[Piece]) -> Piece:
    def pick(parts: Sequence[str]) -> str:
        if len(set(parts)) == 1:
            return parts[0]
        tests = [piece.exists or YES for piece in pieces]
        whens = " ".join(f"WHEN {test} THEN {part}" for test, part in zip(tests, parts, strict=True))
        return f"CASE {whens} ELSE {ZERO} END"

    return Piece(
        f"coalesce({', '.join(piece.value for piece in pieces)})",
        pieces[0].unit,
        Shares(*(pick([getattr(piece.shares, name) for piece in pieces]) for name in QUALITIES)),
        pick([piece.coverage or WHOLE for piece in pieces]),
        joined("OR", [piece.exists or YES for piece in pieces], (YES,), ()),
    )


Tests = Sequence[tuple[Condition, bool]]
"""Conditions for a row, and the outcome each must have."""


class Body:
    """One formula of one rule on the rows of one level."""

    def __init__(
        self,
        planner: FusedPlanner,
        step: str,
        quantity: str,
        formula: Expr,
        rule: Rule,
        level: Level,
        keys: tuple[str, ...],
    ) -> None:
        self.planner, self.step, self.quantity, self.formula = planner, step, quantity, formula
        self.rule, self.keys = rule, keys
        self.whole = quantity == rule.name
        self.describes = all(planner.is_property(name) for name in refs(formula)) and (
            not self.whole or not rule.adds
        )
        fine = self.describes or planner.one_level
        self.level: Level = Level.FINE if fine else level
        self.inputs: dict[str, Cells | None] = {}
        """Input name, or the id of a total or at_key(), -> its cells."""
        self.moved: dict[str, dict[str, str]] = {}
        """Inputs read on another row: its keys, by the keys of this row."""
        self.unit = rule.unit
        self.due: dict[Words, str] = {}
        """Where an input that is no factor has a row, whichever rule then holds for it."""

    # -- inputs ----------------------------------------------------------------------------------------------------

    def _gather(self, node: Node) -> None:
        if isinstance(node, Ref):
            if node.name not in self.inputs:
                self.inputs[node.name] = self._input(node.name)
        elif isinstance(node, Total):
            self.inputs[str(id(node))] = self._total(node)
        elif isinstance(node, AtKey):
            cells = self.planner.on_another_row(node, self.rule, self.level)
            self.inputs[str(id(node))] = self._here(cells, node.expr.name)
            self.moved[str(id(node))] = dict(node.keys)
        else:
            for child in node.children():
                self._gather(child)

    def _input(self, name: str) -> Cells | None:
        if name in self.planner.book.factors:
            return self.planner.factor_cells(name, self.level, self.rule)
        return self._here(self.planner.at(name, self.level), name)

    def _here(self, cells: Cells | None, name: str) -> Cells | None:
        """What describes a place in a month has no one value for several of them."""
        if cells is None or not cells.describes or self.level is Level.FINE:
            return cells
        self.planner.varies(self.rule, name, finer=self.planner.request.time is not Grain.MONTH)
        return replace(cells, rows={}, sure=frozenset(), gaps=frozenset())

    def _total(self, node: Total) -> Cells | None:
        planner = self.planner
        number_ = sum(name.isdigit() for name in self.inputs)
        keys = tuple(sorted(infer(planner.book, node.expr)[1]))
        if not planner.any_row(node):
            return None
        kept = tuple(key for key in keys if key not in node.over)
        if isinstance(node.expr, Ref) and node.expr.name not in planner.book.factors:
            inner = self._input(node.expr.name)
        else:
            term = f"{self.step}_t{number_}"
            body = Body(planner, term, f"{self.quantity}:term", node.expr, self.rule, self.level, keys)
            inner = self._here(body.cells(()), self.quantity)
        if inner is None:
            return None
        if node.when is not None:
            inner = inner.only(node.when, planner.request.options)
        name = f"{self.step}_s{number_}"
        planner.add(
            Step(
                name, "", f"{self.quantity}:total", "total", keys=kept, unit=inner.unit, formula=node,
                inputs={"": inner.step}, optional=inner.optional, describes=inner.describes, parts=(inner.step,),
            )
        )  # fmt: skip
        return total(planner.layers(self.level), inner, kept, name)

    # -- rows ------------------------------------------------------------------------------------------------------

    def cells(self, tests: Tests) -> Cells | None:
        """The formula for every word of its keys; None where it is not applicable in the whole region."""
        self._gather(self.formula)
        given = {name: cells for name, cells in self.inputs.items() if cells is not None}
        example = self._scope(dict.fromkeys(self.keys, ""), None, keyed=False)
        if not given or (whole := compile_expr(self.formula, example)) is None:
            return None
        self.unit = self.rule.unit if self.whole else whole.unit
        if not self.describes and all(cells.describes or cells.is_factor for cells in given.values()):
            return None  # only factors and properties are left: there is nothing they apply to
        domain, driver, full = self._domain(given)
        rows: dict[Words, Piece] = {}
        sure: set[Words] = set()
        gaps: set[Words] = set()
        for words, exists in domain.items():
            row = dict(zip(self.keys, words, strict=True))
            piece, certain = self._row(row, exists, driver, full, tests)
            if piece is not None:
                rows[words] = piece
                sure |= {words} if certain else set()
                if lacking(self.formula, row, self.inputs, self.planner.request.options):
                    gaps.add(words)
        gaps |= self._nowhere(given, domain)
        layers = self.planner.layers(self.level)
        seconds = {words: partial(longest, layers, self._lengths(words, full, given)) for words in rows}
        optional = self.planner.optional(self.rule.name)
        self.planner.told_rows[self.step] = {words: words in gaps for words in (*rows, *gaps)}
        self.planner.add(
            Step(
                self.step, "", self.quantity, "rule" if self.whole else "term", keys=self.keys, unit=self.unit,
                rule=self.rule, formula=self.formula, inputs=self._input_steps(given), optional=optional,
                describes=self.describes, at={self._mark(name): keys for name, keys in self.moved.items()},
            )
        )  # fmt: skip
        return Cells(
            self.step, self.keys, self.unit, rows, optional, self.describes, False, frozenset(sure),
            frozenset(gaps), seconds if self.level is Level.ASKED else {},
        )  # fmt: skip

    def _nowhere(self, given: Mapping[str, Cells], domain: Mapping[Words, str]) -> set[Words]:
        """Words of a property that has no value in the whole region, because a factor of its keys has none."""
        words = {
            gap
            for cells in given.values()
            if self.describes and cells.is_factor and cells.keys == self.keys
            for gap in cells.gaps - domain.keys()
        }
        return {
            one
            for one in words
            if lacking(
                self.formula,
                dict(zip(self.keys, one, strict=True)),
                self.inputs,
                self.planner.request.options,
            )
        }

    def _input_steps(self, given: Mapping[str, Cells]) -> dict[str, str]:
        return {self._mark(name): cells.step for name, cells in given.items()}

    def _mark(self, name: str) -> str:
        return f"at:{name}" if name in self.moved else f"total:{name}" if name.isdigit() else name

    def _lengths(
        self, words: Words, full: Sequence[str], given: Mapping[str, Cells]
    ) -> list[Callable[[], str]]:
        row = dict(zip(self.keys, words, strict=True))
        inputs = [given[name] for name in full]
        return [cells.seconds[mark] for cells in inputs if (mark := cells.words(row)) in cells.seconds]

    def _domain(self, given: Mapping[str, Cells]) -> tuple[dict[Words, str], str | None, list[str]]:
        """What rows there are, and when; the input whose rows they are, if it is one; and all that give rows."""
        rows = {
            name: cells for name, cells in given.items() if not cells.is_factor and name not in self.moved
        }
        factors = {name: cells for name, cells in given.items() if cells.is_factor}
        counted = {name: cells for name, cells in rows.items() if self.describes or not cells.describes}
        full = [name for name, cells in counted.items() if set(cells.keys) == set(self.keys)]
        self.due = self._joint(full, given)
        alone = len(full) == 1 and not (self.describes and factors)
        if self.describes:
            full += [name for name, cells in factors.items() if set(cells.keys) == set(self.keys)]
        if full:
            return self._joint(full, given), full[0] if alone else None, full
        widest, domain = self._widened(counted, factors)
        return domain, None, [widest]

    def _joint(self, names: Sequence[str], given: Mapping[str, Cells]) -> dict[Words, str]:
        """Where at least one of these inputs has a row."""
        tests: dict[Words, list[str]] = {}
        for name in names:
            for words, piece in given[name].rows.items():
                row = given[name].row(words)
                tests.setdefault(tuple(row[key] for key in self.keys), []).append(piece.exists or YES)
        return {words: joined("OR", list(dict.fromkeys(of)), (YES,), (NO,)) for words, of in tests.items()}

    def _widened(
        self, counted: Mapping[str, Cells], factors: Mapping[str, Cells]
    ) -> tuple[str, dict[Words, str]]:
        """Rows of the input with most keys, a factor adding keys of its own (the gases of a blend)."""
        widest = max(counted, key=lambda name: len(counted[name].keys), default=None)
        tests: dict[Words, list[str]] = {}
        found = False
        for factor in factors.values():
            if widest is None or set(self.keys) != {*factor.keys, *counted[widest].keys}:
                continue
            found = True
            for words, piece in counted[widest].rows.items():
                for other, value in factor.rows.items():
                    row, more = counted[widest].row(words), factor.row(other)
                    if all(more.get(key, word) == word for key, word in row.items()):
                        both = joined("AND", [piece.exists or YES, value.exists or YES], (NO,), (YES,))
                        mark = tuple({**row, **more}[key] for key in self.keys)
                        tests.setdefault(mark, []).append(both)
        if not found or widest is None:
            raise FindingError(
                ROWS_APART.at(
                    self.rule.place,
                    clause=self.rule.clause.cited,
                    rule=self.rule.name,
                    keys=", ".join(self.keys),
                )
            )
        return widest, {words: joined("OR", of, (YES,), (NO,)) for words, of in tests.items()}

    # -- one row ---------------------------------------------------------------------------------------------------

    def _words(self, name: str, cells: Cells, row: Mapping[str, str]) -> Words:
        """Where an input stands for a row."""
        there = self.moved.get(name, {})
        return tuple(row[there.get(key, key)] for key in cells.keys)

    def _scope(self, row: Mapping[str, str], driver: str | None, *, keyed: bool = True) -> Scope:
        guarded = any(isinstance(node, Choose) for node in self.formula.walk())
        pieces: dict[str, Piece | None] = {}
        for name, cells in self.inputs.items():
            if cells is None:
                pieces[name] = None
                continue
            guard = name != driver and (guarded or not cells.optional)
            piece = cells.piece(self._words(name, cells, row), guard=guard)
            pieces[name] = replace(piece, exists=None) if name == driver else piece
        totals = {int(name): piece for name, piece in pieces.items() if name.isdigit()}
        return Scope(
            pieces,
            totals,
            dict.fromkeys(self.keys, ""),
            self.planner.request.options,
            self.rule.unit,
            row if keyed else None,
        )

    def _row(
        self, row: Mapping[str, str], exists: str, driver: str | None, full: Sequence[str], tests: Tests
    ) -> tuple[Piece | None, bool]:
        """The piece of one row, and whether it has a value wherever it is there; None where no rule holds for it."""
        scope = self._scope(row, driver)
        found = [(compile_condition(condition, scope), wanted) for condition, wanted in tests]
        where = [*self.planner.bounds(self.rule, self.level)]
        for test, wanted in found:
            if test in (YES, NO, "TRUE", "FALSE"):
                if (test in (YES, "TRUE")) != wanted:
                    return None, False
            else:
                where.append(test if wanted else f"NOT ({test})")
        if exists == NO or "FALSE" in where:
            return None, False
        layers = self.planner.layers(self.level)
        piece = compile_expr(self.formula, scope) or Piece(NULL, self.rule.unit)
        track = self._track(scope, row, full)
        certain = track.exact and (track.inputs is None or track.inputs >= set(full))
        value = piece.in_unit(self.unit)
        strict = exists == YES or track.inputs is not None
        if where:
            exists = layers.column(" AND ".join(f"({test})" for test in (exists, *where) if test != YES))
        if value != NULL and (where or not strict):
            value = f"CASE WHEN {exists} THEN {value} END"
        value = layers.column(value)
        coverage = piece.coverage or WHOLE
        if not certain and coverage != ZERO:
            coverage = ZERO if value == NULL else f"CASE WHEN {value} IS NULL THEN {ZERO} ELSE {coverage} END"
        settled = Piece(value, self.unit, piece.shares, coverage, exists)
        return settle(layers, settled), certain

    def _track(self, scope: Scope, row: Mapping[str, str], full: Sequence[str]) -> Track:
        known: dict[str, Track] = {}
        for name, cells in self.inputs.items():
            if cells is None:
                continue
            words = self._words(name, cells, row)
            piece = cells.rows.get(words)
            if piece is None:
                known[name] = NEVER
            elif name in full:
                whole = piece.exists in (None, YES)
                sure = words in cells.sure
                known[name] = (ALWAYS if sure else UNKNOWN) if whole else Track(frozenset({name}), sure)
            else:
                known[name] = ALWAYS if piece.exists in (None, YES) and words in cells.sure else UNKNOWN
        return tracked(self.formula, known, scope, lambda expr: compile_expr(expr, scope))
