"""Anomalous reports of a region: each alarm with the evidence it rests on, the strongest first."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from celadon.core.carriers import CARRIERS
from celadon.core.findings import Finding
from celadon.core.text import Text
from celadon.region.anomalies import KINDS
from celadon.region.anomalies import Alarm as Found
from celadon.region.model import ValueColumn
from celadon.rules.names import fact_names
from celadon.web import region_figures as figures
from celadon.web.access import Action, on_region
from celadon.web.asked import Asked
from celadon.web.names import worded
from celadon.web.page import Both, Cell, Page, Table, both

page = Page("/regions/{region}/screening", Text("Screening", "异常报表"), on_region(Action.OVERSEE), order=40)
_MOST = 200


class Alarm(BaseModel):
    """One alarm: which rule, about whom, how strong, and in words with its figures."""

    rule: str
    title: Both
    enterprise: str
    industry: str
    industry_name: Both
    region: str
    column: str
    column_name: Both
    """What the column holds; '' where the alarm is about the whole report."""
    months: list[str]
    score: float
    says: Both
    fix: Both


class Screening(BaseModel):
    """What was found; `counts` by rule are of all alarms, `rows` the strongest."""

    period: str
    enterprises: int
    flagged: int
    counts: dict[str, int]
    rules: dict[str, Both]
    """What the rules are called."""
    rows: list[Alarm]


def view(asked: Asked, period: str | None = None) -> Screening:
    """Reports that repeat, jump, mistake a unit, or do not fit what else is known; a question to the enterprise, not a verdict."""
    shown = figures.period_of(asked, period)
    found = asked.region.answer(("screen", shown, _MOST), lambda region: region.screen(shown, most=_MOST))
    columns = {value.name: _column(value) for value in asked.region.model.columns}
    named = [(item, _named(item, columns)) for item in found.alarms]
    rows = [
        Alarm(
            rule=item.rule, title=both(item.finding.kind.title), enterprise=item.enterprise, industry=item.industry, industry_name=figures.industry_name(item.industry), region=item.region,
            column=item.column, column_name=columns.get(item.column, Both(zh="", en="")), months=list(item.months), score=item.score,
            says=Both(zh=said.says("zh"), en=said.says("en")), fix=Both(zh=said.fix("zh"), en=said.fix("en")),
        )
        for item, said in named
    ]  # fmt: skip
    return Screening(
        period=found.period.label,
        enterprises=found.enterprises,
        flagged=found.flagged,
        counts=dict(found.counts),
        rules={name: both(KINDS[name].title) for name in found.counts},
        rows=rows,
    )


def _named(item: Found, columns: Mapping[str, Both]) -> Finding:
    """The alarm in words, its column by what it holds."""
    name = columns.get(item.column)
    if name is None or "column" not in item.finding.values:
        return item.finding
    return worded(item.finding, column=Text(name.en, name.zh))


def _column(value: ValueColumn) -> Both:
    """What a column of the reports holds, by the names of its quantity and item."""
    quantity = fact_names().get(value.quantity, Text(value.column or value.name, value.column or value.name))
    carrier = CARRIERS.get(value.item)
    if carrier is None:
        return both(quantity)
    return Both(zh=f"{carrier.label.zh}：{quantity.zh}", en=f"{carrier.label.en}: {quantity.en}")


def table(model: Screening) -> Table:
    """The alarms."""
    rows: list[list[Cell]] = [
        [
            row.rule,
            row.enterprise,
            row.industry,
            row.region,
            row.column,
            " ".join(row.months),
            row.score,
            row.says.en,
        ]
        for row in model.rows
    ]
    return Table(("rule", "enterprise", "industry", "region", "column", "months", "score", "says"), rows)
