"""One filing: its figures as filed beside what they would be now, and what moved them."""

from __future__ import annotations

from pydantic import BaseModel

from celadon.core.findings import FindingError, Severity
from celadon.core.text import Text
from celadon.proof.log import Entry, Filings
from celadon.proof.opening import open_bag
from celadon.proof.reports import paths as report_paths
from celadon.proof.restating import Line, Restated, restated
from celadon.web.access import on_plant
from celadon.web.asked import Asked
from celadon.web.page import Both, Cell, Page, Table, both
from celadon.web.pages.filings.view import Filed, shown

page = Page("/plants/{plant}/filings/{filing}", Text("Filing", "申报"), on_plant())


class Cause(BaseModel):
    """What moved a figure, by how much. `kind`: fact, factor, option or rule."""

    kind: str
    name: str
    label: Both
    difference: float
    detail: str


class FiledFigure(BaseModel):
    """A figure as filed and as it would be now; traces lead to either."""

    quantity: str
    label: Both
    item: str
    purpose: str
    place: str
    period: str
    unit: str
    filed: float | None
    filed_trace: str | None
    now: float | None
    now_trace: str | None
    changed: bool
    causes: list[Cause]


class Said(BaseModel):
    """A finding about the filing."""

    code: str
    severity: str
    says: Both
    fix: Both


class ReportFile(BaseModel):
    """A report that was filed with it."""

    file: str
    sha256: str


class FilingPage(BaseModel):
    """What the page shows; `holds`: digests, signature and sums were checked just now, and nothing is wrong with them."""

    plant: str
    name: Both
    filing: Filed
    holds: bool
    changed: int
    figures: list[FiledFigure]
    findings: list[Said]
    reports: list[ReportFile]


def view(asked: Asked, filing: str) -> FilingPage:
    """A filing by its id (or the first eight letters of it or more), restated."""
    desk = asked.plant
    with desk.watched() as plant:
        filings = Filings(plant.opened.store_path)
    entry = filings.find(filing, desk.model.enterprise)
    words = ("restated", entry.id, _present_digest(asked, entry))
    found = desk.answer(words, lambda plant: restated(plant.opened, [entry])[0])
    return FilingPage(
        plant=desk.key, name=both(desk.model.name), filing=shown(entry), changed=sum(line.changed for line in found.lines),
        holds=not any(item.severity is Severity.ERROR for item in found.findings),
        figures=[_figure(asked, entry, line) for line in found.lines], findings=_said(found),
        reports=desk.answer(("filed reports", entry.id), lambda _: _reports(filings, entry)),
    )  # fmt: skip


def _reports(filings: Filings, entry: Entry) -> list[ReportFile]:
    bag = open_bag(filings.package(entry))
    return [ReportFile(file=path.rpartition("/")[2], sha256=bag.sha256(path)) for path in report_paths(bag)]


def table(model: FilingPage) -> Table:
    """The figures."""
    names = ("quantity", "item", "purpose", "place", "period", "filed", "now", "unit")
    rows: list[list[Cell]] = [[getattr(figure, name) for name in names] for figure in model.figures]
    return Table(names, rows)


def _present_digest(asked: Asked, entry: Entry) -> str:
    """The digest of the rulebook as it is now: another one is another answer."""
    try:
        return asked.workspace.library.book(str(entry.body["rulebook"])).digest
    except FindingError:
        return ""


def _figure(asked: Asked, entry: Entry, line: Line) -> FiledFigure:
    row, told = line.row, entry.body
    where = {"site": row.site, "process": row.process, "meter": row.meter, **_keys(asked, entry, line)}
    trace = asked.trace(row.quantity, str(told["rulebook"]), row.label, **where)
    before = asked.trace(
        row.quantity, str(told["rulebook"]), row.label, **where, as_of=str(told["as_of"] or "")
    )
    return FiledFigure(
        quantity=row.quantity, label=both(line.label), item=row.item, purpose=row.purpose, place=row.place, period=row.label,
        unit=row.unit, filed=row.value, filed_trace=before, now=line.now, now_trace=trace, changed=line.changed,
        causes=[
            Cause(kind=kind, name=name, label=_label(asked, entry, name), difference=change, detail=detail)
            for kind, name, change, detail in line.causes
        ],
    )  # fmt: skip


def _label(asked: Asked, entry: Entry, name: str) -> Both:
    """What a fact, factor or rule is called, as the rulebook of that name says now."""
    try:
        return both(asked.workspace.library.book(str(entry.body["rulebook"])).label(name))
    except FindingError:
        return Both(zh=name, en=name)


def _keys(asked: Asked, entry: Entry, line: Line) -> dict[str, str]:
    """The keys that name the figure, by the rulebook's words for them (carrier, product, purpose …)."""
    try:
        rules = asked.workspace.library.book(str(entry.body["rulebook"])).rules.get(line.row.quantity, ())
    except FindingError:
        return {}
    named: dict[str, str] = {}
    for key in rules[0].grain.keys if rules else ():
        named[key] = line.row.purpose if key == "purpose" else line.row.item
    return named


def _said(found: Restated) -> list[Said]:
    return [
        Said(
            code=item.code, severity=str(item.severity), says=Both(zh=item.says("zh"), en=item.says("en")),
            fix=Both(zh=item.fix("zh"), en=item.fix("en")),
        )
        for item in found.findings
    ]  # fmt: skip
