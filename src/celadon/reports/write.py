"""`write`: a report of a plant as bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Lang, Text
from celadon.plant.facade import Plant
from celadon.reports import cbam, energy_carbon, evidence, quota
from celadon.reports.gather import Asked, Progress
from celadon.reports.model import Report
from celadon.reports.pdf import to_pdf
from celadon.reports.xlsx import to_xlsx

Form = Literal["xlsx", "pdf"]
FORMS: tuple[Form, ...] = ("xlsx", "pdf")
MEDIA: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_Builder = Callable[[Plant, Asked, Lang, str, Progress | None], Report]
KINDS: Mapping[str, tuple[Text, tuple[str, ...], _Builder]] = {
    "energy-carbon": (energy_carbon.TITLE, (), energy_carbon.build),
    "evidence": (evidence.TITLE, (), evidence.build),
    "cbam": (cbam.TITLE, cbam.RULEBOOKS, cbam.build),
    "quota": (quota.TITLE, quota.RULEBOOKS, quota.build),
}
"""Of each kind its title, the rulebooks it takes unless others are named, and what builds it."""

NO_RULEBOOK = FindingKind(
    "report.no-rulebook",
    Severity.ERROR,
    Text("No rulebook for the report", "报告未指定规则册"),
    Text("A report “{kind}” needs at least one rulebook.", "“{kind}”报告至少需要一个规则册。"),
    Text(
        "Give --rulebook ID, as often as needed; `celadon rulebooks` lists them.",
        "请用 --rulebook 指定（可重复）；celadon rulebooks 列出可用规则册。",
    ),
)
KIND_UNKNOWN = FindingKind(
    "report.kind",
    Severity.ERROR,
    Text("No such report", "没有此类报告"),
    Text("There is no report “{kind}”; there are: {known}.", "没有“{kind}”报告；可用：{known}。"),
    Text("Ask for one of them.", "请选择其中之一。"),
)


def make(
    plant: Plant, kind: str, asked: Asked, lang: Lang, version: str, progress: Progress | None = None
) -> Report:
    """Gather a report of that kind.

    Raises:
        FindingError: no such kind; no rulebook named where the kind has none of its own; whatever accounting refuses.
    """
    if kind not in KINDS:
        raise FindingError(KIND_UNKNOWN.at(Place(subject=kind), kind=kind, known=", ".join(KINDS)))
    _, usual, build = KINDS[kind]
    rulebooks = asked.rulebooks or usual
    if not rulebooks:
        raise FindingError(NO_RULEBOOK.at(Place(subject=kind), kind=kind))
    settled = Asked(asked.period, rulebooks, asked.options, asked.as_of, asked.address)
    return build(plant, settled, lang, version, progress)


def write(report: Report, form: Form, lang: Lang) -> bytes:
    """The report as a file of that form; the same report gives the same bytes."""
    return to_xlsx(report, lang) if form == "xlsx" else to_pdf(report, lang)
