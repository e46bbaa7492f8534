"""One formula as a step of the chain: its inputs joined on their common columns, and its value with what it rests on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.periods import Grain
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.engine.active import ActiveRules
from celadon.engine.joins import (
    Source,
    empty_piece,
    expanded,
    factor_columns,
    factor_piece,
    factor_rows,
    holds_everywhere,
    joined_piece,
    left_join,
    no_row,
    own_piece,
    side_by_side,
)
from celadon.engine.pieces import (
    NO,
    YES,
    ZERO,
    Names,
    Piece,
    Scope,
)
from celadon.engine.sql import compile_condition, compile_expr
from celadon.engine.steps import (
    Step,
    added,
    as_it_is,
    group,
    narrowed,
    weighed,
    with_sql,
    words_of_any,
)
from celadon.rules.check import infer
from celadon.rules.expr import AtKey, Condition, Expr, Node, Ref, Total, refs
from celadon.rules.rule import Rule

ROWS_APART = FindingKind(
    "rule.rows-apart",
    Severity.ERROR,
    Text(en="No input has all the rule's keys", zh="没有输入包含规则的全部键"),
    Text(
        en="{rule} is per {keys}, but none of its inputs has rows per all of them.",
        zh="{rule} 的粒度为 {keys}，但没有输入同时具有这些键。",
    ),
    Text(
        en="Let one input carry the keys, or sum them first with total().",
        zh="请让某一输入带有这些键，或先用 total() 汇总。",
    ),
)


class Planning(ActiveRules):
    """What a formula asks of the planner that it is compiled for."""

    @abstractmethod
    def at(self, name: str, space: Space, time: Grain | None) -> Step | None:
        """The step that gives `name` at this grain; None where it is not applicable."""

    @abstractmethod
    def on_another_row(self, node: AtKey, rule: Rule, space: Space, time: Grain | None) -> Step | None:
        """The step of an input read on another row; where the rule so needs itself, one level further down its chain."""

    @abstractmethod
    def bounds(self, rule: Rule, space: Space, row: str) -> list[str]:
        """Conditions for the rows on which an edition holds, where the period crosses its dates; `row` stands before a
        column of the row."""


class Body:
    """One formula's SELECT: its inputs joined on their common columns, and its value with what it rests on."""

    def __init__(
        self,
        planner: Planning,
        name: str,
        quantity: str,
        formula: Expr,
        rule: Rule,
        grain: tuple[Space, Grain | None],
        keys: tuple[str, ...],
    ) -> None:
        self.planner, self.name, self.quantity, self.formula, self.rule, self.keys = (
            planner,
            name,
            quantity,
            formula,
            rule,
            keys,
        )
        self.describes = all(planner.is_property(name) for name in refs(formula)) and (
            quantity != rule.name or not rule.adds
        )
        self.space, self.time = (Space.SITE, Grain.MONTH) if self.describes else grain
        self.inputs: dict[str, Step | None] = {}
        self.totals: dict[int, tuple[str, Step | None]] = {}
        self.words: Mapping[str, frozenset[str]] = {}
        """What the keys of the rows can be, as far as it is known."""
        self.moved: dict[int, tuple[str, Step | None, Mapping[str, str]]] = {}
        """Inputs read on another row: alias, step, and its keys by the keys of this row."""

    def step(self, tests: Sequence[tuple[Condition, bool]]) -> Step | None:
        self._gather(self.formula)
        if not self.describes and all(step.describes for step in self._aliased().values()):
            return None  # only factors and properties are left: there is nothing they apply to
        for name in self.inputs:
            if name in self.planner.book.factors:
                self.inputs[name] = self.planner.factor(name)
        given = self._aliased()
        away = {alias: step for alias, step, _ in self.moved.values() if step is not None}
        rows = {alias: step for alias, step in given.items() if step.kind != "factor" and alias not in away}
        factors = {alias: step for alias, step in given.items() if step.kind == "factor"}
        before = self._words(rows, factors)
        self.words = narrowed(before, tests, self.planner.request.options)
        empty = frozenset() in self.words.values() or self._rowless(rows, factors)
        if not given or compile_expr(self.formula, self._scope(Source(""))) is None:
            return None
        source = self._source(rows, factors, away)
        scope = self._scope(source)
        plain = replace(scope, names=None, words=before)
        piece = compile_expr(self.formula, scope) or Piece("NULL", self.rule.unit)
        where = [self._test(condition, wanted, plain) for condition, wanted in tests]
        where = [test for test in (*where, *self.planner.bounds(self.rule, self.space, source.row)) if test]
        whole = self.quantity == self.rule.name
        inputs = {name: step.name for name, step in self.inputs.items() if step}
        inputs.update({f"total:{mark}": step.name for mark, (_, step) in self.totals.items() if step})
        inputs.update({f"at:{mark}": step.name for mark, (_, step, _) in self.moved.items() if step})
        target = Step(
            self.name,
            "",
            self.quantity,
            "rule" if whole else "term",
            self.space,
            self.time,
            self.keys,
            self.rule.unit if whole else piece.unit,
            self.rule,
            self.formula,
            inputs,
            optional=self.planner.optional(self.rule.name),
            describes=self.describes,
            fixed=piece.shares.fixed,
            at={f"at:{mark}": keys for mark, (_, step, keys) in self.moved.items() if step},
            words=self.words,
            empty=empty,
        )
        value = piece.in_unit(target.unit)
        if len(value) > _LONG and scope.names is not None:
            value = scope.names.of(value)
        shown = [
            *(f"{source.row}{column}" for column in target.columns),
            *(scope.names.columns() if scope.names is not None else ()),
            f"{value} AS value",
            *piece.shares.varying(),
            f"CASE WHEN {value} IS NULL THEN {ZERO} ELSE {piece.coverage or '1e0'} END AS coverage",
            f"{source.seconds} AS seconds",
        ]
        if scope.names is not None:
            target = replace(target, named=scope.names.parts)
        select = f"SELECT {', '.join(shown)}"
        last = "\nWHERE " + " AND ".join(f"({test})" for test in where) if where else ""
        return self.planner.add(with_sql(target, f"{select}\n{source.joined(select + last)}{last}"))

    def _words(self, rows: Mapping[str, Step], factors: Mapping[str, Step]) -> dict[str, frozenset[str]]:
        """What the keys of the inputs' rows can be."""
        full = list(self._full(rows).values())
        return words_of_any(full) if full and not (self.describes and factors) else {}

    def _rowless(self, rows: Mapping[str, Step], factors: Mapping[str, Step]) -> bool:
        """Whether no input that the rows come from has any."""
        full = self._full(rows).values()
        return bool(full) and not (self.describes and factors) and all(step.empty for step in full)

    def _scope(self, source: Source) -> Scope:
        """Names to columns; the driving input's columns are the spine's own."""
        inputs = {
            name: self._piece(f"i{number_}", step, source)
            for number_, (name, step) in enumerate(self.inputs.items())
        }
        totals = {mark: self._piece(alias, step, source) for mark, (alias, step) in self.totals.items()}
        totals |= {mark: self._piece(alias, step, source) for mark, (alias, step, _) in self.moved.items()}
        return Scope(
            inputs,
            totals,
            {key: f"{source.row}{key}" for key in self.keys},
            self.planner.request.options,
            self.rule.unit,
            words=self.words,
            names=Names(self.planner.named),
        )

    def _test(self, condition: Condition, wanted: bool, scope: Scope) -> str:
        test = compile_condition(condition, scope)
        if test in ("TRUE", YES, "FALSE", NO):
            return "" if (test in ("TRUE", YES)) == wanted else NO
        return test if wanted else f"NOT ({test})"

    def _gather(self, node: Node) -> None:
        """Find the inputs of this scope; each total becomes a step of its own, and so does what is read on another row."""
        if isinstance(node, Ref):
            if node.name not in self.inputs:
                self.inputs[node.name] = self._input(node.name)
        elif isinstance(node, Total):
            self.totals[id(node)] = self._same_total(node) or (
                f"t{len(self.totals)}",
                self._total(node, len(self.totals)),
            )
        elif isinstance(node, AtKey):
            if id(node) not in self.moved:
                step = self.planner.on_another_row(node, self.rule, self.space, self.time)
                self.moved[id(node)] = (f"a{len(self.moved)}", step, dict(node.keys))
        else:
            for child in node.children():
                self._gather(child)

    def _input(self, name: str) -> Step | None:
        if name in self.planner.book.factors:
            return None  # chosen when it is known that there is something it applies to
        return self.planner.at(name, self.space, self.time)

    def _same_total(self, node: Total) -> tuple[str, Step | None] | None:
        """The total of the same name over the same keys, where the formula has it already."""
        if not isinstance(node.expr, Ref) or node.when is not None:
            return None
        for alias, step in self.totals.values():
            other = step.formula if step is not None else None
            if not isinstance(other, Total) or not isinstance(other.expr, Ref) or other.when is not None:
                continue
            if (other.expr.name, other.over) == (node.expr.name, node.over):
                return alias, step
        return None

    def _total(self, node: Total, number_: int) -> Step | None:
        planner = self.planner
        keys = tuple(sorted({*infer(planner.book, node.expr)[1]}))
        if node.when is not None and not planner.any_row(node):
            return None
        kept = tuple(key for key in keys if key not in node.over)
        if isinstance(node.expr, Ref) and node.expr.name not in planner.book.factors:
            inner = planner.at(node.expr.name, self.space, self.time)
        else:
            term, grain = f"{self.name}_t{number_}", (self.space, self.time)
            inner = Body(planner, term, f"{self.quantity}:term", node.expr, self.rule, grain, keys).step(())
        if inner is None:
            return None
        where = ""
        if node.when is not None:
            scope = Scope({}, {}, {key: f"b.{key}" for key in keys}, planner.request.options, inner.unit)
            where = f"\nWHERE {compile_condition(node.when, scope)}"
        tests = [(node.when, True)] if node.when is not None else []
        words = narrowed(inner.words, tests, planner.request.options)
        target = Step(
            f"{self.name}_s{number_}",
            "",
            f"{self.quantity}:total",
            "total",
            inner.space,
            inner.time,
            kept,
            inner.unit,
            formula=node,
            inputs={"": inner.name},
            optional=inner.optional,
            describes=inner.describes,
            parts=(inner.name,),
            fixed=inner.fixed,
            words={key: known for key, known in words.items() if key in kept},
            empty=inner.empty or frozenset() in words.values(),
        )
        columns = [f"b.{column}" for column in target.columns]
        if all(
            len(words.get(key, ())) == 1 for key in keys if key not in kept
        ):  # there is nothing to add it to
            sql = f"SELECT {', '.join(columns)}, {as_it_is(inner.fixed)}\nFROM {inner.name} AS b{where}"
        else:
            measures = f"{added(inner.fixed)}\nFROM {weighed(inner)} AS b{where}"
            sql = f"SELECT {', '.join(columns)}, {measures}\n{group(len(columns))}"
        return planner.add(with_sql(target, sql))

    def _aliased(self) -> dict[str, Step]:
        found = {f"i{number_}": step for number_, step in enumerate(self.inputs.values()) if step is not None}
        found.update({alias: step for alias, step in self.totals.values() if step is not None})
        found.update({alias: step for alias, step, _ in self.moved.values() if step is not None})
        return found

    def _piece(self, alias: str, step: Step | None, source: Source) -> Piece | None:
        if step is None:
            return None
        if alias == source.driver:
            return own_piece(step)
        if step.empty:
            return empty_piece(step)
        if step.kind == "factor":
            lookup, keys = (
                self.planner.lookups[step.quantity],
                {key: f"{source.row}{key}" for key in self.keys},
            )
            return factor_piece(step, lookup, alias, keys, self.words)
        return joined_piece(step, alias)

    def _source(
        self, rows: Mapping[str, Step], factors: Mapping[str, Step], away: Mapping[str, Step]
    ) -> Source:
        """The rows of the formula, with its inputs joined to them."""
        live = {alias: step for alias, step in rows.items() if not step.empty}
        full = self._full(live)
        if not full:
            live, full = dict(rows), self._full(rows)
        counted = {alias for alias, step in live.items() if self.describes or not step.describes}
        several = len({step.name for step in full.values()}) > 1 and full.keys() == counted
        if several and not away and not (self.describes and factors):
            source = side_by_side(full, next(iter(full.values())).columns)
            others = {alias: step for alias, step in {**live, **factors}.items() if alias not in full}
            return replace(source, joins=self._joins(others))
        spine = self._spine(live, factors)
        driver = next((alias for alias, step in live.items() if step.name == spine), None)
        others = {alias: step for alias, step in {**live, **factors, **away}.items() if alias != driver}
        return Source(f"FROM {spine} AS s", driver=driver, joins=self._joins(others))

    def _joins(self, others: Mapping[str, Step]) -> dict[str, str]:
        return {alias: self._join(alias, step) for alias, step in others.items() if not step.empty}

    def _full(self, rows: Mapping[str, Step]) -> dict[str, Step]:
        """The inputs that hold all keys, so that their rows are the formula's."""
        return {
            alias: step
            for alias, step in rows.items()
            if (self.describes or not step.describes) and set(step.keys) == set(self.keys)
        }

    def _spine(self, rows: Mapping[str, Step], factors: Mapping[str, Step]) -> str:
        """What rows there are: those of the inputs that hold all keys; a factor may add keys of its own (gases of a blend)."""
        counted = {alias: step for alias, step in rows.items() if self.describes or not step.describes}
        full = list(self._full(rows).values())
        if full and len({step.name for step in full}) == 1 and not (self.describes and factors):
            return full[0].name
        lookups = self.planner.lookups
        everywhere = any(holds_everywhere(lookups[step.quantity]) for step in factors.values())
        if self.describes and not self.keys and everywhere:
            return self.planner.site_months().name
        target = Step(
            f"{self.name}_rows", "", f"{self.quantity}:rows", "spine", self.space, self.time, self.keys
        )
        selects = [
            f"SELECT {', '.join(target.columns)}, seconds FROM {step.name}"
            for step in {step.name: step for step in full}.values()
        ]
        widest = max(counted.values(), key=lambda step: len(step.keys), default=None)
        for step in factors.values():
            if self.describes and set(step.keys) == set(self.keys):
                selects.append(factor_rows(step, lookups[step.quantity], self.planner.plant.enterprise))
            elif (
                not full
                and set(self.keys) == {*step.keys, *(widest.keys if widest else ())}
                and widest is not None
            ):
                selects.append(expanded(target.columns, widest, step, lookups[step.quantity]))
        if not selects:
            raise FindingError(
                ROWS_APART.at(
                    self.rule.place,
                    clause=self.rule.clause.cited,
                    rule=self.rule.name,
                    keys=", ".join(self.keys),
                )
            )
        listed = ", ".join(target.columns)
        sql = (
            f"SELECT {listed}, max(seconds) AS seconds FROM (\n"
            + "\nUNION ALL\n".join(selects)
            + f"\n) AS u\n{group(len(target.columns))}"
        )
        return self.planner.add(with_sql(target, sql)).name

    def _join(self, alias: str, step: Step) -> str:
        here = next((keys for other, _, keys in self.moved.values() if other == alias), {})
        if step.kind == "factor":
            lookup = self.planner.lookups[step.quantity]
            if lookup.by_month and self.time is None:
                found = self.planner.factor_by_span(lookup, self.space)
                if found is None:
                    self.planner.needs_finer(self.rule, step.quantity)
                    return no_row(step, alias)
                relation, columns = found
                return f"\nLEFT JOIN {relation} AS {alias} USING ({', '.join(columns)})"
            return left_join(step, alias, factor_columns(lookup, by_month=True), {})
        if step.describes and not self.describes:
            if self.time is None:
                self.planner.needs_finer(self.rule, step.quantity)
                return no_row(step, alias)
            return left_join(step, alias, ["site", "month", *step.keys], here)
        return left_join(step, alias, step.columns, here)


_LONG = 40
"""Characters of a value's SQL from which it is written once and named."""
