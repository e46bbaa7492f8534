"""The energy and carbon report of a period."""

from __future__ import annotations

from celadon.charts.plant_charts import change_by_part, meter_flows
from celadon.core.text import Lang, Text, same
from celadon.plant.facade import Plant
from celadon.reports import parts
from celadon.reports.gather import Asked, Gathered, Progress, findings_of, gather
from celadon.reports.model import Block, Figure, Figures, Note, Report, Section
from celadon.reports.terms import terms_of

TITLE = Text("Energy and carbon report", "能源与碳排放报告")


def build(plant: Plant, asked: Asked, lang: Lang, version: str, progress: Progress | None = None) -> Report:
    """Key figures against the period before, their parts by month, flows through the meters, factors, findings, limits."""
    found = [
        gather(
            plant,
            asked,
            book,
            lang=lang,
            compared=True,
            to_lines=False,
            progress=_part(progress, index, len(asked.rulebooks)),
        )
        for index, book in enumerate(asked.rulebooks)
    ]
    model = found[0].account.model
    every = findings_of(found)
    figures = [figure for part in found for figure in part.figures]
    sections = [parts.key_figures(found)]
    for part in found:
        sections += _parts_of(plant, asked, part)
    sections += _flows(plant, asked)
    sections += [
        parts.factors(figures, model),
        parts.findings(every),
        parts.all_findings(every),
        parts.not_modelled(found),
    ]
    period = found[0].account.result.request.period.label
    return Report(
        "energy-carbon", TITLE, model.name, period, parts.head(asked, found, version), tuple(sections),
        tuple(figures), every, plant.file.parent.name, asked.address,
    )  # fmt: skip


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    return None if progress is None else lambda share, what: progress((index + share) / count * 0.9, what)


def _parts_of(plant: Plant, asked: Asked, part: Gathered) -> list[Section]:
    """By month and part: the first total of the rulebook that has a value; and all figures by carrier or product."""
    title = part.book.document.title
    blocks: list[Block] = []
    first = next((figure for figure in parts.totals(part) if figure.trace is not None), None)
    if first is not None:
        blocks += parts.month_by_month(first, part)
        blocks += _change(plant, asked, first, part)
    keyed = tuple(figure for figure in part.figures if set(figure.question.where) - {"site"})
    if keyed and keyed != tuple(parts.totals(part)):
        blocks.append(Figures(keyed))
    if not blocks:
        return []
    return [Section(title, Text(part.book.id[:28], part.book.id[:28]), tuple(blocks))]


def _change(plant: Plant, asked: Asked, figure: Figure, part: Gathered) -> list[Block]:
    """What moved the total since the period before, part by part."""
    if figure.before is None or figure.trace is None or figure.value is None:
        return []
    period = part.account.result.request.period
    earlier = _earlier(plant, asked, figure, part)
    if earlier is None:
        return []
    label, before, labels = earlier
    after: dict[str, float] = {}
    for term in terms_of(figure.trace.root, part.account.model):
        after[term.name] = after.get(term.name, 0.0) + (term.value or 0.0)
        labels[term.name] = term.label
    ends = (same(label), same(period.label))
    title = Text(f"{figure.label.en}: what changed since {label}", f"{figure.label.zh}：较 {label} 的变化")
    return [change_by_part(title, figure.unit, ends, before, after, labels)]


def _earlier(
    plant: Plant, asked: Asked, figure: Figure, part: Gathered
) -> tuple[str, dict[str, float], dict[str, Text]] | None:
    from_ = parts.period_before_of(part)
    if from_ is None:
        return None
    question = figure.question
    trace = plant.explain(
        question.quantity,
        part.book,
        from_,
        where=question.where,
        options=asked.options,
        as_of=asked.as_of,
        to_lines=False,
    )
    before: dict[str, float] = {}
    labels: dict[str, Text] = {}
    for term in terms_of(trace.root, part.account.model):
        before[term.name] = before.get(term.name, 0.0) + (term.value or 0.0)
        labels[term.name] = term.label
    return from_, before, labels


def _flows(plant: Plant, asked: Asked) -> list[Section]:
    """Where the energy went: each carrier with a tree of meters, site by site."""
    model = plant.view(asked.as_of).model
    rows = plant.meter_rows(asked.period, as_of=asked.as_of)
    pictures: list[Block] = []
    for site in model.sites:
        carriers = dict.fromkeys(
            meter.carrier for meter in model.meters if meter.site == site.id and meter.carrier
        )
        for carrier in carriers:
            nested = [
                one for one in model.meters if one.carrier == carrier and one.site == site.id and one.parent
            ]
            picture = meter_flows(model, rows, carrier, site.id, columns=4) if len(nested) > 1 else None
            if picture is not None:
                pictures.append(picture)
    if not pictures:
        return []
    note = Note(
        Text(
            "Grey ends are what no meter below counts: losses, small users, and meter error.",
            "灰色末端为下级表未计量部分：损耗、零星用能与计量误差。",
        )
    )
    return [Section(Text("Flows through the meters", "能流图"), Text("Flows", "能流"), (*pictures, note))]
