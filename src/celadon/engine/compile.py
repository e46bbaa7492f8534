"""Rules and a request -> one query: a chain of named steps, each one SELECT, in dependency order.

A step holds one quantity at one grain. An additive quantity is computed at the finer of its rule's grain and the asked
one, then added up; a ratio is computed anew at the asked grain. The same chain run step by step explains a cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from celadon.core.model import Plant
from celadon.core.periods import Grain, parse_instant
from celadon.core.quantities import Space
from celadon.engine.body import Body, Planning
from celadon.engine.coverage import tell_coverage
from celadon.engine.lookup import Lookup, unknown_entries
from celadon.engine.pieces import text
from celadon.engine.request import Request
from celadon.engine.steps import (
    PLACES,
    Query,
    Step,
    Summary,
    added,
    fixed_in_all,
    group,
    measures,
    stamp,
    weighed,
    with_sql,
    words_of_any,
)
from celadon.rules.expr import AtKey, Condition, Expr
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook


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
        summary.size,
        facts,
    )


class _Planner(Planning):
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
        finer = time is not None and not coarse and base.time is not None and base.time > time
        name = f"{base.name}_up_{space.word}_{time.word if time else 'period'}"
        target = Step(
            name,
            "",
            base.quantity,
            "sum",
            space,
            None if coarse else time if finer else base.time,
            base.keys,
            base.unit,
            optional=base.optional,
            describes=base.describes,
            parts=(base.name,),
            fixed=base.fixed,
            words=base.words,
            empty=base.empty,
        )
        places = [f"b.{place}" for place in PLACES[:space]]
        start, end, month, join = "b.time_start", "b.time_end", "b.month", ""
        spans = {bucket[1:] for bucket in self.buckets()} if coarse else set()
        if len(spans) == 1:
            first, last = map(stamp, next(iter(spans)))
            within = f"b.time_start >= {first} AND b.time_end <= {last}"
            start, end = (
                f"CASE WHEN {within} THEN {edge} ELSE {own} END"
                for edge, own in ((first, start), (last, end))
            )
        elif coarse or finer:
            calendar = self.units(time) if finer and time is not None else "buckets"
            start, end = f"coalesce(k.time_start, {start})", f"coalesce(k.time_end, {end})"
            join = f"\nLEFT JOIN {calendar} AS k ON b.site = k.site AND b.time_start >= k.time_start AND b.time_end <= k.time_end"
        if space < Space.SITE <= base.space:
            start, end, month, join = self._moved(start, end, month, join, target.time)
        times = [f"{start} AS time_start", f"{end} AS time_end", *([] if coarse else [f"{month} AS month"])]
        columns = [*places, *times, *(f"b.{key}" for key in base.keys)]
        sql = f"SELECT {', '.join(columns)}, {added(base.fixed)}\nFROM {weighed(base)} AS b{join}\n{group(len(columns))}"
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
        live = [part for part in parts if not part.empty] or parts
        fixed, first = fixed_in_all(live), parts[0]
        union = "\nUNION ALL\n".join(
            f"SELECT {', '.join((*first.columns, *measures(part, but=fixed)))} FROM {part.name}"
            for part in live
        )
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
                fixed=fixed,
                words=words_of_any(live),
                empty=all(part.empty for part in live),
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

    def bounds(self, rule: Rule, space: Space, row: str) -> list[str]:
        """Conditions for the rows on which an edition holds, where the period crosses its dates; `row` stands before a
        column of the row."""
        tests = []
        start, end = self.request.days
        if rule.validity.since and rule.validity.since > start:
            tests.append(f"{row}time_start >= {self._edge(rule.validity.since, space, row)}")
        if rule.validity.until and rule.validity.until < end:
            over = rule.validity.until + timedelta(days=1)
            tests.append(f"{row}time_start < {self._edge(over, space, row)}")
        return tests

    def _edge(self, day: date, space: Space, row: str) -> str:
        """The day's first moment, in the row's own site's zone."""
        own = stamp(parse_instant(day.isoformat(), self.plant.zone))
        if space < Space.SITE:
            return own
        cases = [
            f"WHEN {text(site.id)} THEN {stamp(parse_instant(day.isoformat(), site.zone))}"
            for site in self.plant.sites
            if site.zone != self.plant.zone
        ]
        return f"CASE {row}site {' '.join(cases)} ELSE {own} END" if cases else own

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
        return Body(self, name, quantity, formula, rule, grain, keys).step(tests)
