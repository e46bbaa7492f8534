"""Rules and a request -> one query: a chain of named steps, each one SELECT, in dependency order.

A step holds one quantity at one grain. An additive quantity is computed at the finer of its rule's grain and the asked
one, then added up; a ratio is computed anew at the asked grain. The same chain run step by step explains a cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.model import Plant
from celadon.core.periods import Grain, parse_instant
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.engine.active import ActiveRules
from celadon.engine.coverage import tell_coverage
from celadon.engine.lookup import Lookup, unknown_entries
from celadon.engine.request import Request
from celadon.engine.sql import (
    ZERO,
    Piece,
    Scope,
    compile_condition,
    compile_expr,
    text,
)
from celadon.engine.steps import (
    MEASURES,
    PLACES,
    Query,
    Step,
    Summary,
    added,
    factor_match,
    factor_shares,
    fixed_in_all,
    group,
    seconds,
    stamp,
    step_shares,
    with_sql,
)
from celadon.rules.check import infer
from celadon.rules.expr import AtKey, Condition, Expr, Node, Ref, Total, refs
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook

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


def compile_query(
    book: Rulebook,
    plant: Plant,
    request: Request,
    summary: Summary,
    *,
    facts: str = "facts",
    lookups: Mapping[str, Lookup] | None = None,
) -> Query:
    """Compile a checked request against what the table `facts` holds. No fact value is read. `lookups` puts other
    factor values in place of the tables' own (comparisons do)."""
    planner = _Planner(book, plant, request, summary, facts, dict(lookups or {}))
    outputs = []
    for name in request.wanted:
        step = planner.at(name, request.space, request.time)
        if step is not None:
            outputs.append((name, step.name))
    planner.edition_findings()
    told = tell_coverage(planner)
    planner.findings.extend(unknown_entries(book, plant))
    for name, lookup in planner.lookups.items():
        if f"x_{name}" in planner.steps:
            planner.findings.extend(lookup.findings)
    units = {step.quantity: step.unit for step in planner.steps.values()}
    return Query(
        tuple(planner.steps.values()),
        tuple(outputs),
        planner.lookups,
        tuple(planner.findings),
        tuple(planner.not_applicable),
        units,
        told,
    )


class _Planner(ActiveRules):
    """Builds the steps of one query, each once."""

    # -- quantities at a grain -------------------------------------------------------------------------------------

    def at(self, name: str, space: Space, time: Grain | None) -> Step | None:
        """The step that gives `name` at this grain; None where it is not applicable."""
        if time is not None and time < Grain.MONTH:
            time = None  # coarser than a month: one row per asked span
        if self.is_property(name):
            space, time = Space.SITE, Grain.MONTH
        if name in self.excluded and name in self.book.coverage.names:
            return None
        mark = (name, space, time, self.level(name))
        if mark not in self.made:
            self.made[mark] = self._make(name, space, time)
        return self.made[mark]

    def on_another_row(self, node: AtKey, rule: Rule, space: Space, time: Grain | None) -> Step | None:
        """The step of an input read on another row; where the rule so needs itself, one level further down its chain."""
        loop = self.chains.loop(rule.name)
        if node.expr.name not in loop:
            return self.at(node.expr.name, space, time)
        level = self.levels.get(loop, 0)
        if level == 0:
            self.open_ends(loop, rule)
        if level >= self.chains.depth(loop):
            return None
        self.levels[loop] = level + 1
        step = self.at(node.expr.name, space, time)
        self.levels[loop] = level
        return step

    def _make(self, name: str, space: Space, time: Grain | None) -> Step | None:
        if name in self.book.facts:
            spec = self.book.facts[name]
            base_time = time if time is not None and time >= Grain.MONTH else Grain.MONTH
            base = self.fact(spec, max(space, Space.SITE), base_time)
            return self._roll_up(base, space, time)
        rules = self.rules_of(name)
        if not rules:
            return None
        first = rules[0][0]
        if not first.adds:
            return self._rule(name, space, time)
        base = self._once(
            name,
            max(space, first.grain.space, Space.SITE),
            max(time or Grain.MONTH, first.grain.time, Grain.MONTH),
        )
        return self._roll_up(base, space, time)

    def _once(self, name: str, space: Space, time: Grain) -> Step | None:
        mark = ("rule", name, space, time, self.level(name))
        if mark not in self.made:
            self.made[mark] = self._rule(name, space, time)
        return self.made[mark]

    def _roll_up(self, base: Step | None, space: Space, time: Grain | None) -> Step | None:
        if base is None or (base.space == space and base.time == time):
            return base
        coarse = time is None or time < Grain.MONTH
        name = f"{base.name}_up_{space.word}_{time.word if time else 'period'}"
        target = Step(
            name,
            "",
            base.quantity,
            "sum",
            space,
            None if coarse else base.time,
            base.keys,
            base.unit,
            optional=base.optional,
            describes=base.describes,
            parts=(base.name,),
            fixed=base.fixed,
        )
        places = [f"b.{place}" for place in PLACES[:space]]
        start, end, month, join = "b.time_start", "b.time_end", "b.month", ""
        if coarse:
            start, end = f"coalesce(k.time_start, {start})", f"coalesce(k.time_end, {end})"
            join = "\nLEFT JOIN buckets AS k ON b.site = k.site AND b.time_start >= k.time_start AND b.time_end <= k.time_end"
        if space < Space.SITE <= base.space:
            start, end, month, join = self._moved(start, end, month, join, None if coarse else base.time)
        times = [f"{start} AS time_start", f"{end} AS time_end", *([] if coarse else [f"{month} AS month"])]
        columns = [*places, *times, *(f"b.{key}" for key in base.keys)]
        sql = f"SELECT {', '.join(columns)}, {added('b.', base.fixed)}\nFROM {base.name} AS b{join}\n{group(len(columns))}"
        return self.add(with_sql(target, sql))

    def _moved(
        self, start: str, end: str, month: str, join: str, time: Grain | None
    ) -> tuple[str, str, str, str]:
        """Units of sites in other zones take the enterprise's own start and end, so that they add up in one row."""
        grain = self.request.time if time is None else time
        name = self.moves(grain)
        if name is None:
            return start, end, month, join
        join += (
            f"\nLEFT JOIN {name} AS e ON b.site = e.site AND e.time_start = {start} AND e.time_end = {end}"
        )
        if time is not None:
            own = self.moves(Grain.MONTH, whole_months=True)
            join += f"\nLEFT JOIN {own} AS n ON b.site = n.site AND n.time_start = {month}"
            month = f"coalesce(n.to_start, {month})"
        return f"coalesce(e.to_start, {start})", f"coalesce(e.to_end, {end})", month, join

    # -- rules -----------------------------------------------------------------------------------------------------

    def _rule(self, name: str, space: Space, time: Grain | None) -> Step | None:
        variants = self.rules_of(name)
        suffix = f"{space.word}_{time.word if time else 'period'}"
        suffix += f"_down_{level}" if (level := self.level(name)) else ""
        parts = []
        for number_, (rule, formula) in enumerate(variants):
            part_name = f"r_{name}_{suffix}" if len(variants) == 1 else f"r_{name}_{number_ + 1}_{suffix}"
            exceptions = [other for other, _ in variants if other.exception_to and other is not rule]
            part = self._variant(part_name, name, rule, formula, space, time, exceptions)
            if part is not None:
                parts.append(part)
        if len(parts) <= 1:
            return parts[0] if parts else None
        union = "\nUNION ALL\n".join(
            f"SELECT {', '.join((*part.columns, *MEASURES))} FROM {part.name}" for part in parts
        )
        first = parts[0]
        return self.add(
            Step(
                f"r_{name}_{suffix}",
                union,
                name,
                "union",
                first.space,
                first.time,
                first.keys,
                first.unit,
                optional=first.optional,
                describes=first.describes,
                parts=tuple(part.name for part in parts),
                fixed=fixed_in_all(parts),
            )
        )

    def _variant(
        self,
        step_name: str,
        name: str,
        rule: Rule,
        formula: Expr,
        space: Space,
        time: Grain | None,
        exceptions: list[Rule],
    ) -> Step | None:
        where = [rule.when] if rule.when is not None else []
        keys = rule.grain.keys
        tests = [(condition, True) for condition in where]
        tests += [
            (other.when, False) for other in exceptions if other.when is not None and not rule.exception_to
        ]
        return self.body(step_name, name, formula, rule, (space, time), keys, tests)

    def bounds(self, rule: Rule, space: Space) -> list[str]:
        """Conditions for the rows on which an edition holds, where the period crosses its dates."""
        tests = []
        start, end = self.request.period.start.date(), self.request.period.end.date()
        if rule.validity.since and rule.validity.since > start:
            tests.append(f"s.time_start >= {self._edge(rule.validity.since, space)}")
        if rule.validity.until and rule.validity.until < end:
            tests.append(f"s.time_start < {self._edge(rule.validity.until + timedelta(days=1), space)}")
        return tests

    def _edge(self, day: date, space: Space) -> str:
        """The day's first moment, in the row's own site's zone."""
        own = stamp(parse_instant(day.isoformat(), self.plant.zone))
        if space < Space.SITE:
            return own
        cases = [
            f"WHEN {text(site.id)} THEN {stamp(parse_instant(day.isoformat(), site.zone))}"
            for site in self.plant.sites
            if site.zone != self.plant.zone
        ]
        return f"CASE s.site {' '.join(cases)} ELSE {own} END" if cases else own

    # -- one formula -----------------------------------------------------------------------------------------------

    def body(
        self,
        name: str,
        quantity: str,
        formula: Expr,
        rule: Rule,
        grain: tuple[Space, Grain | None],
        keys: tuple[str, ...],
        tests: Sequence[tuple[Condition, bool]] = (),
    ) -> Step | None:
        """The step that computes one formula, row by row, for rows that pass `tests` (condition, wanted outcome)."""
        return _Body(self, name, quantity, formula, rule, grain, keys).step(tests)


class _Body:
    """One formula's SELECT: its inputs joined on their common columns, and its value with what it rests on."""

    def __init__(
        self,
        planner: _Planner,
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
        self.moved: dict[int, tuple[str, Step | None, Mapping[str, str]]] = {}
        """Inputs read on another row: alias, step, and its keys by the keys of this row."""

    def step(self, tests: Sequence[tuple[Condition, bool]]) -> Step | None:
        self._gather(self.formula)
        given = self._aliased()
        away = {alias: step for alias, step, _ in self.moved.values() if step is not None}
        rows = {alias: step for alias, step in given.items() if step.kind != "factor" and alias not in away}
        factors = {alias: step for alias, step in given.items() if step.kind == "factor"}
        if not given or compile_expr(self.formula, self._scope(None)) is None:
            return None
        if not self.describes and all(step.describes or step.kind == "factor" for step in given.values()):
            return None  # only factors and properties are left: there is nothing they apply to
        spine = self._spine(rows, factors)
        driver = next((alias for alias, step in rows.items() if step.name == spine), None)
        scope = self._scope(driver)
        piece = compile_expr(self.formula, scope) or Piece("NULL", self.rule.unit)
        joined = {**rows, **factors, **away}
        joins = [self._join(alias, step) for alias, step in joined.items() if alias != driver]
        where = [self._test(condition, wanted, scope) for condition, wanted in tests]
        where = [test for test in (*where, *self.planner.bounds(self.rule, self.space)) if test]
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
        )
        columns = ", ".join(f"s.{column}" for column in target.columns)
        sql = (
            f"SELECT {columns}, {piece.in_unit(target.unit)} AS value, {piece.shares.columns}, "
            f"CASE WHEN {piece.value} IS NULL THEN {ZERO} ELSE {piece.coverage or '1e0'} END AS coverage, "
            f"s.seconds\nFROM {spine} AS s" + "".join(joins)
        )
        if where:
            sql += "\nWHERE " + " AND ".join(f"({test})" for test in where)
        return self.planner.add(with_sql(target, sql))

    def _scope(self, driver: str | None) -> Scope:
        """Names to columns; the driving input's columns are the spine's own."""
        inputs = {
            name: self._piece(f"i{number_}", step, driver)
            for number_, (name, step) in enumerate(self.inputs.items())
        }
        totals = {mark: self._piece(alias, step, driver) for mark, (alias, step) in self.totals.items()}
        totals |= {mark: self._piece(alias, step, driver) for mark, (alias, step, _) in self.moved.items()}
        return Scope(
            inputs,
            totals,
            {key: f"s.{key}" for key in self.keys},
            self.planner.request.options,
            self.rule.unit,
        )

    def _test(self, condition: Condition, wanted: bool, scope: Scope) -> str:
        test = compile_condition(condition, scope)
        if test in ("TRUE", "FALSE"):
            return "" if (test == "TRUE") == wanted else "1 = 0"
        return test if wanted else f"NOT ({test})"

    def _gather(self, node: Node) -> None:
        """Find the inputs of this scope; each total becomes a step of its own, and so does what is read on another row."""
        if isinstance(node, Ref):
            if node.name not in self.inputs:
                self.inputs[node.name] = self._input(node.name)
        elif isinstance(node, Total):
            self.totals[id(node)] = (f"t{len(self.totals)}", self._total(node, len(self.totals)))
        elif isinstance(node, AtKey):
            if id(node) not in self.moved:
                step = self.planner.on_another_row(node, self.rule, self.space, self.time)
                self.moved[id(node)] = (f"a{len(self.moved)}", step, dict(node.keys))
        else:
            for child in node.children():
                self._gather(child)

    def _input(self, name: str) -> Step | None:
        if name in self.planner.book.factors:
            return self.planner.factor(name)
        return self.planner.at(name, self.space, self.time)

    def _total(self, node: Total, number_: int) -> Step | None:
        planner = self.planner
        keys = tuple(sorted({*infer(planner.book, node.expr)[1]}))
        if node.when is not None and not planner.any_row(node):
            return None
        kept = tuple(key for key in keys if key not in node.over)
        if isinstance(node.expr, Ref) and node.expr.name not in planner.book.factors:
            inner = planner.at(node.expr.name, self.space, self.time)
        else:
            inner = planner.body(
                f"{self.name}_t{number_}",
                f"{self.quantity}:term",
                node.expr,
                self.rule,
                (self.space, self.time),
                keys,
            )
        if inner is None:
            return None
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
        )
        columns = [f"b.{column}" for column in target.columns]
        where = ""
        if node.when is not None:
            scope = Scope({}, {}, {key: f"b.{key}" for key in keys}, planner.request.options, inner.unit)
            where = f"WHERE {compile_condition(node.when, scope)}\n"
        sql = (
            f"SELECT {', '.join(columns)}, {added('b.', inner.fixed)}\nFROM {inner.name} AS b\n"
            f"{where}{group(len(columns))}"
        )
        return planner.add(with_sql(target, sql))

    def _aliased(self) -> dict[str, Step]:
        found = {f"i{number_}": step for number_, step in enumerate(self.inputs.values()) if step is not None}
        found.update({alias: step for alias, step in self.totals.values() if step is not None})
        found.update({alias: step for alias, step, _ in self.moved.values() if step is not None})
        return found

    def _piece(self, alias: str, step: Step | None, driver: str | None) -> Piece | None:
        if step is None:
            return None
        if alias == driver:
            return Piece(
                "s.value",
                step.unit,
                step_shares(step, "s", joined=False),
                None if step.describes else "s.coverage",
                optional=step.optional,
            )
        if step.kind == "factor":
            return Piece(
                f"{alias}.value",
                step.unit,
                factor_shares(self.planner.lookups[step.quantity], alias),
                exists=f"{alias}.found = 1",
                optional=False,
            )
        shares = step_shares(step, alias, joined=True)
        coverage = None if step.describes else f"coalesce({alias}.coverage, {ZERO})"
        return Piece(
            f"{alias}.value", step.unit, shares, coverage, f"{alias}.seconds IS NOT NULL", step.optional
        )

    def _spine(self, rows: Mapping[str, Step], factors: Mapping[str, Step]) -> str:
        """What rows there are: those of the inputs that hold all keys; a factor may add keys of its own (gases of a blend)."""
        counted = {alias: step for alias, step in rows.items() if self.describes or not step.describes}
        full = [step for step in counted.values() if set(step.keys) == set(self.keys)]
        if full and len({step.name for step in full}) == 1 and not (self.describes and factors):
            return full[0].name
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
                selects.append(self._factor_rows(step))
            elif (
                not full
                and set(self.keys) == {*step.keys, *(widest.keys if widest else ())}
                and widest is not None
            ):
                selects.append(self._expanded(target.columns, widest, step))
        if not selects:
            raise FindingError(
                ROWS_APART.at(
                    self.rule.place,
                    clause=str(self.rule.clause),
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

    def _factor_rows(self, step: Step) -> str:
        columns = [
            f"{text(self.planner.plant.enterprise)} AS enterprise",
            "m.site",
            "m.time_start",
            "m.time_end",
            "m.time_start AS month",
        ]
        columns += [f"x.{key}" for key in self.keys]
        match = (
            " AND ".join(factor_match(self.planner.lookups[step.quantity], "x", "m.site", "m.time_start"))
            or "1 = 1"
        )
        return f"SELECT {', '.join(columns)}, {seconds('m.')} AS seconds FROM months AS m JOIN {step.name} AS x ON {match}"

    def _expanded(self, columns: Sequence[str], widest: Step, step: Step) -> str:
        shared = set(widest.keys) & set(step.keys)
        cells = [f"w.{column}" if column in widest.columns else f"x.{column}" for column in columns]
        match = [f"w.{key} = x.{key}" for key in sorted(shared)]
        match += factor_match(self.planner.lookups[step.quantity], "x", "w.site", "w.month")
        return f"SELECT {', '.join(cells)}, w.seconds FROM {widest.name} AS w JOIN {step.name} AS x ON {' AND '.join(match) or '1 = 1'}"

    def _join(self, alias: str, step: Step) -> str:
        here = next((keys for other, _, keys in self.moved.values() if other == alias), {})
        if step.kind == "factor":
            lookup = self.planner.lookups[step.quantity]
            if lookup.by_month and self.time is None:
                self.planner.needs_finer(self.rule, step.quantity)
            match = [f"{alias}.{key} = s.{key}" for key in step.keys]
            match += factor_match(lookup, alias, "s.site", "s.month" if self.time is not None else None)
            match += ["1 = 0"] if lookup.by_month and self.time is None else []
        elif step.describes and not self.describes:
            if self.time is None:
                self.planner.needs_finer(self.rule, step.quantity)
            month = f"{alias}.month = s.month" if self.time is not None else "1 = 0"
            keys = (f"{alias}.{key} = s.{here.get(key, key)}" for key in step.keys)
            match = [f"{alias}.site = s.site", month, *keys]
        else:
            columns = (column for column in step.columns if column != "month")
            match = [f"{alias}.{column} = s.{here.get(column, column)}" for column in columns]
        return f"\nLEFT JOIN {step.name} AS {alias} ON {' AND '.join(match) or '1 = 1'}"
