"""Anomalous reports of a region: each alarm with the evidence it rests on, the strongest first."""

from __future__ import annotations

from pydantic import BaseModel

from celadon.core.text import Text
from celadon.web import region_figures as figures
from celadon.web.access import Action, on_region
from celadon.web.asked import Asked
from celadon.web.page import Both, Cell, Page, Table, both

page = Page("/regions/{region}/screening", Text("Screening", "异常报表"), on_region(Action.OVERSEE), order=40)
_MOST = 200


class Alarm(BaseModel):
    """One alarm: which rule, about whom, how strong, and in words with its figures."""

    rule: str
    title: Both
    enterprise: str
    industry: str
    region: str
    column: str
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
    rows: list[Alarm]


def view(asked: Asked, period: str | None = None) -> Screening:
    """Reports that repeat, jump, mistake a unit, or do not fit what else is known; a question to the enterprise, not a verdict."""
    shown = figures.period_of(asked, period)
    found = asked.region.answer(("screen", shown, _MOST), lambda region: region.screen(shown, most=_MOST))
    rows = [
        Alarm(
            rule=item.rule, title=both(item.finding.kind.title), enterprise=item.enterprise, industry=item.industry, region=item.region,
            column=item.column, months=list(item.months), score=item.score,
            says=Both(zh=item.finding.says("zh"), en=item.finding.says("en")), fix=Both(zh=item.finding.fix("zh"), en=item.finding.fix("en")),
        )
        for item in found.alarms
    ]  # fmt: skip
    return Screening(
        period=found.period.label,
        enterprises=found.enterprises,
        flagged=found.flagged,
        counts=dict(found.counts),
        rows=rows,
    )


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
