"""What a query reads: calendars, facts in their declared unit, and the chosen values of factors, a step each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.model import Plant
from celadon.core.periods import Grain, Period, floor, zone
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit, recorded_factor
from celadon.engine.lookup import Lookup, LookupContext, Month, declared_unit, look_up, months_of
from celadon.engine.pieces import number, text
from celadon.engine.request import Request
from celadon.engine.steps import (
    PLACES,
    Step,
    Summary,
    calendar,
    fact_means,
    fact_sums,
    factor_sql,
    facts_of,
    group,
    item_key,
    moves,
    seconds,
    stamp,
    with_sql,
)
from celadon.rules.expr import Expr
from celadon.rules.rule import Rule
from celadon.rules.rulebook import FactSpec, Rulebook

FACT_ABSENT = FindingKind(
    "fact.absent",
    Severity.ERROR,
    Text(en="A needed fact is missing", zh="缺少所需事实"),
    Text(
        en="{book} needs {label} ({name}) and the plant has none for {period}: it stays absent, it is not zero.",
        zh="{book} 需要{label}（{name}），但 {period} 没有数据：按缺失处理，不作零。",
    ),
    Text(
        en="Add the meter or record; or, if there is no such flow, check the plant file.",
        zh="请补充计量或台账；如确无此项，请检查工厂文件。",
    ),
)
FACT_NOT_APPLICABLE = FindingKind(
    "fact.not-applicable",
    Severity.NOTICE,
    Text(en="Taken as not applicable", zh="视为不适用"),
    Text(
        en="The plant declares no {label} ({name}): the term is left out.",
        zh="工厂未申报{label}（{name}）：该项不计。",
    ),
    Text(
        en="Nothing to do if there is no such flow; else add its meter or record.",
        zh="若确无此项则无需处理；否则请补充计量或台账。",
    ),
)
FACT_UNIT = FindingKind(
    "fact.unit",
    Severity.ERROR,
    Text(en="Fact in another kind of unit", zh="事实单位量纲不符"),
    Text(
        en="{name} of “{item}” is in {unit}; {book} needs {expected}: these rows are not used.",
        zh="“{item}”的 {name} 单位为 {unit}，{book} 需要 {expected}：这些行未使用。",
    ),
    Text(
        en="Correct the unit of the record, or the carrier it is booked under.",
        zh="请更正记录的单位或所属能源品种。",
    ),
)
EDITION_OVER = FindingKind(
    "rulebook.not-in-force",
    Severity.WARNING,
    Text(en="Edition in force not available", zh="现行版本不可用"),
    Text(
        en="{document} ended on {until}; the edition in force in {period} is not available, so this is computed under the earlier one.",
        zh="{document} 已于 {until} 废止；{period} 的现行版本尚不可用，按此前版本计算。",
    ),
    Text(
        en="Do not file this result as made under the edition in force.", zh="不得以现行版本名义申报该结果。"
    ),
)
EDITION_EARLY = FindingKind(
    "rulebook.before-in-force",
    Severity.NOTICE,
    Text(en="Period before the standard", zh="期间早于标准实施"),
    Text(
        en="{document} is in force since {since}; {period} begins earlier.",
        zh="{document} 自 {since} 实施；{period} 早于实施日。",
    ),
    Text(
        en="Say in the report that the later standard was applied to an earlier period.",
        zh="请在报告中说明对较早期间采用了后来的标准。",
    ),
)


def _units(period: Period, time: Grain | None) -> list[Period]:
    return [period] if time is None else list(period.split(time))


class Inputs:
    """The steps that read; each is made once."""

    def __init__(
        self,
        book: Rulebook,
        plant: Plant,
        request: Request,
        summary: Summary,
        facts: str,
        lookups: dict[str, Lookup],
    ) -> None:
        self.book, self.plant, self.request, self.summary, self.facts = book, plant, request, summary, facts
        self.steps: dict[str, Step] = {}
        self.lookups = lookups
        self.findings = Findings()
        self.not_applicable: dict[str, None] = {}
        self.made: dict[tuple[object, ...], Step | None] = {}
        self.variants: dict[str, tuple[tuple[Rule, Expr], ...]] = {}
        self.months = months_of(plant, request.period)
        items: dict[str, dict[str, None]] = {}
        for name, spec in book.facts.items():
            for item, purpose, _ in summary.of(name):
                if key := item_key(spec):
                    items.setdefault(key, {})[item] = None
                if "purpose" in spec.grain.keys:
                    items.setdefault("purpose", {})[purpose] = None
        self.context = LookupContext(
            book,
            plant,
            self.months,
            request.options,
            {k: tuple(v) for k, v in items.items()},
            request.factors_as_of,
        )
        self.named: dict[str, None] = {}
        """Names given to parts of formulas, each once in a query."""
        self._calendars()

    # -- calendars -------------------------------------------------------------------------------------------------

    def _calendars(self) -> None:
        months = [(month.site, month.start, month.end) for month in self.months]
        self.add(Step("months", calendar(months), "months", "calendar"))
        if self.request.time is None or self.request.time < Grain.MONTH:
            self.add(Step("buckets", calendar(self.buckets()), "buckets", "calendar"))

    def site_months(self) -> Step:
        """Every month of every site as rows of what describes them."""
        columns = (
            f"{text(self.plant.enterprise)} AS enterprise, site, time_start, time_end, time_start AS month"
        )
        sql = f"SELECT {columns}, {seconds('')} AS seconds FROM months"
        return self.add(Step("site_months", sql, "site_months", "calendar"))

    def buckets(self) -> list[tuple[str, datetime, datetime]]:
        """(site, start, end) of every asked span coarser than a month."""
        return self._spans(self.request.time)

    def units(self, time: Grain) -> str:
        """The calendar step of the months or days of every site, into which what is finer is added up."""
        name = f"units_{time.word}"
        return self.add(Step(name, calendar(self._spans(time)), name, "calendar")).name

    def _spans(self, time: Grain | None) -> list[tuple[str, datetime, datetime]]:
        return [
            (site.id, part.start, part.end)
            for site in self.plant.sites
            for part in _units(self.request.period.moved(site.zone), time)
        ]

    def moves(self, time: Grain | None, whole_months: bool = False) -> str | None:
        """The calendar step that puts the units of sites in other zones beside the enterprise's own; None where all agree.

        The enterprise's March is every site's own March, wherever the sites are. Hours are instants and stay as they are.
        """
        period = self.request.period
        if whole_months:  # as the calendar `months` has them, which a period may begin inside of
            time = Grain.MONTH
            period = Period(floor(period.start, time, period.zone), period.end, period.zone)
        others = [site for site in self.plant.sites if site.zone != period.zone]
        if not others or time is Grain.HOUR:
            return None
        rows = [
            (site.id, there.start, there.end, here.start, here.end)
            for site in others
            for here, there in zip(_units(period, time), _units(period.moved(site.zone), time), strict=True)
        ]
        name = "moves_whole_months" if whole_months else f"moves_{time.word if time else 'period'}"
        return self.add(Step(name, moves(rows), name, "calendar")).name

    def add(self, step: Step) -> Step:
        self.steps[step.name] = step
        return step

    def edition_findings(self) -> None:
        """Say when the standard was not in force in the asked period."""
        document, period = self.book.document, self.request.period
        where = Place(subject=self.book.id, period=period.label)
        later = [item for item in self.book.documents[1:] if item.since <= document.since]
        here = zone(period.zone)
        first, last = (
            period.start.astimezone(here).date(),
            (period.end - timedelta(seconds=1)).astimezone(here).date(),
        )
        if document.until and last > document.until:
            self.findings.add(
                EDITION_OVER.at(where, document=document.cited, until=document.until, period=period.label)
            )
        earliest = min([document.since, *(item.since for item in later)])
        if first < earliest:
            self.findings.add(
                EDITION_EARLY.at(where, document=document.cited, since=earliest, period=period.label)
            )

    # -- facts -----------------------------------------------------------------------------------------------------

    def may_lack(self, spec: FactSpec) -> bool:
        """Whether a plant may be without this fact: its clause says so, or the fact it goes with is not there."""
        if spec.on_missing == "not_applicable" or not spec.due_with:
            return spec.on_missing == "not_applicable"
        given = self.summary.of(spec.due_with)
        return not (any(purpose in spec.due_for for _, purpose, _ in given) if spec.due_for else given)

    def fact(self, spec: FactSpec, space: Space, time: Grain) -> Step | None:
        found = self.summary.of(spec.name)
        if not found:
            self._missing(spec)
            if self.may_lack(spec):
                return None
        if not spec.adds:
            space, time = Space.SITE, Grain.MONTH
        step = Step(
            f"f_{spec.name}_{space.word}_{time.word}",
            "",
            spec.name,
            "fact",
            space,
            time,
            spec.grain.keys,
            spec.unit,
            optional=self.may_lack(spec),
            describes=not spec.adds,
            fixed=self.summary.fixed.get(spec.name, {}),
            words=self._words(spec, found),
            empty=not found,
        )
        if step.name in self.steps:
            return self.steps[step.name]
        value, usable = self._converted(spec, found)
        key = item_key(spec)
        columns = [f"f.{place}" for place in PLACES[:space]]
        if spec.adds:
            columns += ["f.time_start", "f.time_end", "m.time_start AS month"]
        else:
            columns += ["m.time_start", "m.time_end", "m.time_start AS month"]
        columns += [f"f.item AS {name}" if name == key else f"f.{name}" for name in spec.grain.keys]
        measures = (fact_sums if spec.adds else fact_means)(value, step.fixed)
        # An amount belongs to the month it begins in; what describes holds in every month of its span.
        within = "f.time_start >= m.time_start"
        within = within if spec.adds else f"({within} OR f.time_end > m.time_start)"
        sql = (
            f"SELECT {', '.join(columns)}, {measures}\n"
            f"FROM ({facts_of(self.facts, spec.name)}) AS f\nJOIN months AS m "
            f"ON f.site = m.site AND f.time_start < m.time_end AND {within}"
            f"{usable}\n{group(len(columns))}"
        )
        return self.add(with_sql(step, sql))

    def _words(self, spec: FactSpec, found: Sequence[tuple[str, str, str]]) -> dict[str, frozenset[str]]:
        """What the keys of a fact can be."""
        words = {key: frozenset(item for item, _, _ in found) for key in [item_key(spec)] if key}
        if "purpose" in spec.grain.keys:
            words["purpose"] = frozenset(purpose for _, purpose, _ in found)
        return words

    def _missing(self, spec: FactSpec) -> None:
        if spec.name in self.not_applicable:
            return
        self.not_applicable[spec.name] = None
        kind = FACT_NOT_APPLICABLE if self.may_lack(spec) else FACT_ABSENT
        where = Place(subject=spec.name, period=self.request.period.label)
        self.findings.add(
            kind.at(
                where,
                clause=spec.clause,
                book=self.book.id,
                name=spec.name,
                label=spec.label,
                period=self.request.period.label,
            )
        )

    def _converted(self, spec: FactSpec, found: Sequence[tuple[str, str, str]]) -> tuple[str, str]:
        """SQL of the value in the declared unit, and a condition that leaves out rows of another kind of unit."""
        key = item_key(spec) or ""
        cases, refused = [], []
        for item, unit in sorted({(item, unit) for item, _, unit in found}):
            test = f"f.item = {text(item)} AND f.unit = {text(unit)}"
            try:
                factor = recorded_factor(
                    parse_unit(unit), declared_unit(spec.unit, self.context, {key: item})
                )
            except UnitError:
                refused.append(test)
                self.findings.add(
                    FACT_UNIT.at(
                        Place(subject=f"{spec.name}:{item}"),
                        name=spec.name,
                        item=item,
                        unit=unit,
                        book=self.book.id,
                        expected=str(spec.unit),
                    )
                )
                continue
            if factor != 1:
                cases.append(f"WHEN {test} THEN {number(factor)}")
        value = f"f.value * CASE {' '.join(cases)} ELSE 1e0 END" if cases else "f.value"
        return value, ("\nWHERE " + " AND ".join(f"NOT ({test})" for test in refused) if refused else "")

    # -- factors ---------------------------------------------------------------------------------------------------

    def factor(self, name: str) -> Step:
        """A small relation of chosen values: keys, and site or month only where they matter."""
        lookup = self.lookups.get(name)
        if lookup is None:
            lookup = self.lookups[name] = look_up(self.book.factors[name], self.context)
        step = Step(
            f"x_{name}",
            "",
            name,
            "factor",
            keys=lookup.keys,
            unit=self.book.factors[name].unit,
            optional=False,
        )
        if step.name not in self.steps:
            self.add(with_sql(step, factor_sql(lookup)))
        return self.steps[step.name]

    def factor_by_span(self, lookup: Lookup, space: Space) -> tuple[str, list[str]] | None:
        """A factor that changes between the asked spans and not within one, as a relation with the columns it is joined on;
        None where there is no one value for a span."""
        if self.request.time is None or (space < Space.SITE and lookup.by_site):
            return None
        zones = {site.id: site.zone for site in self.plant.sites}
        here = self.request.period.zone
        spans = {
            where: _units(self.request.period.moved(where), self.request.time)
            for where in {here, *zones.values()}
        }

        def span(month: Month) -> Period:
            where = zones[month.site]
            inside = (
                number
                for number, one in enumerate(spans[where])
                if one.start < month.end and month.start < one.end
            )
            return spans[where if space >= Space.SITE else here][next(inside)]

        if not lookup.holds_through(span):
            return None
        columns = [*(["site"] if space >= Space.SITE else []), "time_start", "time_end", *lookup.keys]
        rows: dict[tuple[str, ...], str] = {}
        for item in lookup.chosen:
            one = span(item.month)
            cells = [text(item.site)] if space >= Space.SITE else []
            cells += [stamp(one.start), stamp(one.end), *(text(key) for key in item.keys)]
            value = "CAST(NULL AS DOUBLE)" if item.value is None else number(item.value)
            rows.setdefault(tuple(cells), f"({', '.join([*cells, value, str(int(item.level)), '1'])})")
        named = ", ".join([*columns, "value", "level", "found"])
        sql = f"SELECT * FROM (VALUES {', '.join(rows.values())}) AS v({named})"
        name = f"x_{lookup.spec.name}_of_{space.word}_spans"
        return self.add(Step(name, sql, name, "calendar")).name, columns
