"""Self-assessment against quotas: energy per product against its mandatory levels, and allowances of national trading."""

from __future__ import annotations

from dataclasses import replace

from celadon.charts.bars import Bars, Group
from celadon.core.text import Lang, Text
from celadon.core.units import UnitError, parse_unit
from celadon.engine.trace import TraceNode
from celadon.plant.facade import Plant
from celadon.reports import parts
from celadon.reports.gather import Asked, Gathered, Progress, findings_of, gather
from celadon.reports.model import Block, Cell, Figure, Figures, Grid, Note, Report, Section

TITLE = Text("Quota self-assessment", "限额与配额自评报告")
RULEBOOKS = ("cn_product_energy_quota", "cn_national_ets")
_GRADES = {
    1: Text("1: advanced", "1 级（先进值）"),
    2: Text("2: meets the level for new capacity", "2 级（准入值）"),
    3: Text("3: within the limit", "3 级（限定值以内）"),
    4: Text("BEYOND THE LIMIT", "超限额"),
}
_POSITIONS = {
    1: Text("at or better than the benchmark", "达到标杆水平"),
    2: Text("between benchmark and baseline", "介于标杆与基准之间"),
    3: Text("WORSE THAN THE BASELINE", "低于基准水平"),
}
_FAMILIES = ("coal_equivalent", "electricity", "oil_equivalent", "coke")


def build(plant: Plant, asked: Asked, lang: Lang, version: str, progress: Progress | None = None) -> Report:
    """What each quota rulebook says of the plant; a rulebook that has nothing to say of it is named, not left out in silence."""
    found = []
    for rulebook in asked.rulebooks:
        part = gather(plant, asked, rulebook, by="site", traced=False)
        quantities = _wanted(part)
        found.append(
            gather(plant, asked, rulebook, by="site", quantities=quantities, lang=lang, progress=progress)
            if quantities
            else part
        )
    model = found[0].account.model
    every = findings_of(found)
    figures = [figure for part in found for figure in part.figures if figure.value is not None]
    sections = [section for part in found for section in _sections(part)]
    sections += [
        parts.factors(figures, model),
        parts.findings(every),
        parts.all_findings(every),
        parts.not_modelled(found),
    ]
    period = found[0].account.result.request.period.label
    return Report(
        "quota", TITLE, model.name, period, parts.head(asked, found, version), tuple(sections),
        tuple(figures), every, plant.file.parent.name, asked.address,
    )  # fmt: skip


def _wanted(part: Gathered) -> tuple[str, ...]:
    """Besides the totals the intensities behind grades, and what could be saved; () where nothing has a value."""
    have = {figure.question.quantity for figure in part.figures if figure.value is not None}
    if not have:
        return ()
    more = [
        name
        for name in ("oil_equivalent_intensity", "coke_intensity", "energy_above_benchmark")
        if name in part.book.rules
    ]
    return (*part.book.totals, *more)


def _sections(part: Gathered) -> list[Section]:
    title = part.book.document.title
    known = tuple(figure for figure in part.figures if figure.value is not None)
    sheet = Text(part.book.id[:28], part.book.id[:28])
    if not known:
        said = Text(
            f"The plant has no facts that “{title.en}” asks for in this period; it is not assessed here.",
            f"本期没有《{title.zh}》所需的数据，未作评估。",
        )
        return [Section(title, sheet, (Note(said, warning=True),))]
    blocks: list[Block] = []
    levels = _levels(part)
    if levels is not None:
        blocks += [levels, *_pictures(part)]
    position = _allowances(part)
    if position is not None:
        blocks += position
    blocks.append(Figures(tuple(replace(figure) for figure in known)))
    if any(figure.unchecked for figure in known):
        blocks.append(parts.UNCHECKED_NOTE)
    return [Section(title, sheet, tuple(blocks))]


def _nodes(figure: Figure) -> dict[str, TraceNode]:
    """What a figure's trace holds by name; the first of each."""
    found: dict[str, TraceNode] = {}
    for node in figure.trace.root.walk() if figure.trace is not None else ():
        if node.value is not None:
            found.setdefault(node.quantity, node)
    return found


def _in(node: TraceNode | None, unit: str) -> float | None:
    if node is None or node.value is None:
        return None
    try:
        return node.value * float(parse_unit(node.unit).factor_to(parse_unit(unit)))
    except UnitError:
        return None


def _levels(part: Gathered) -> Grid | None:
    """Per product and indicator: intensity, levels, grade, and the distance to the limit as a live difference."""
    rows: list[tuple[Cell, ...]] = []
    formulas: dict[tuple[int, int], str] = {}
    for family in _FAMILIES:
        grades = {str(sorted(figure.question.where.items())): figure for figure in part.of(f"{family}_grade")}
        positions = {
            str(sorted(figure.question.where.items())): figure for figure in part.of(f"{family}_position")
        }
        for figure in part.of(f"{family}_intensity"):
            if figure.value is None:
                continue
            mark = str(sorted(figure.question.where.items()))
            grade, position = grades.get(mark), positions.get(mark)
            nodes = {**(_nodes(position) if position else {}), **(_nodes(grade) if grade else {})}
            levels = [_in(nodes.get(f"{family}_level_{level}"), figure.unit) for level in (1, 2, 3)]
            room = levels[2] - figure.value if levels[2] is not None else None
            if room is not None:
                formulas[len(rows), 7] = "=G{r}-D{r}"
            rows.append(
                (
                    figure.place,
                    figure.label,
                    figure.unit,
                    figure.value,
                    *levels,
                    room,
                    _word(grade, _GRADES),
                    _word(position, _POSITIONS),
                )
            )
    if not rows:
        return None
    header = (
        Text("Product, indicator", "产品与指标"), Text("Intensity", "单位产品能耗"), Text("Unit", "单位"), Text("Value", "数值"),
        Text("Level 1", "1 级"), Text("Level 2", "2 级"), Text("Level 3 (limit)", "3 级（限定值）"), Text("Room to the limit", "距限定值余量"),
        Text("Grade", "等级"), Text("Against benchmark and baseline", "标杆与基准水平"),
    )  # fmt: skip
    return Grid(header, tuple(rows), formulas)


def _word(figure: Figure | None, words_: dict[int, Text]) -> Cell:
    return words_.get(round(figure.value)) if figure is not None and figure.value is not None else None


def _pictures(part: Gathered) -> list[Block]:
    """Intensities beside their levels, one picture for each unit."""
    pictures: list[Block] = []
    for family in _FAMILIES:
        known = [figure for figure in part.of(f"{family}_intensity") if figure.value is not None]
        grades = {str(sorted(figure.question.where.items())): figure for figure in part.of(f"{family}_grade")}
        for unit in dict.fromkeys(figure.unit for figure in known):
            shown = [figure for figure in known if figure.unit == unit]
            groups = [Group(Text("this plant", "本企业"), tuple(figure.value for figure in shown))]
            for level in (1, 3):
                values = []
                for figure in shown:
                    grade = grades.get(str(sorted(figure.question.where.items())))
                    values.append(_in(_nodes(grade).get(f"{family}_level_{level}"), unit) if grade else None)
                groups.append(Group(Text(f"level {level}", f"{level} 级"), tuple(values)))
            names = tuple(figure.place for figure in shown)
            title = Text(f"{shown[0].label.en} and its levels", f"{shown[0].label.zh}与限额等级")
            pictures.append(Bars(title=title, unit=unit, periods=names, groups=tuple(groups), stacked=False))
    return pictures


def _allowances(part: Gathered) -> list[Block] | None:
    """Allocation less obligation, as a live difference, and the picture."""
    names = ("total_allocation", "surrender_obligation", "allowance_position")
    found = {
        name: next((figure for figure in part.of(name) if figure.value is not None), None) for name in names
    }
    allocation, obligation, position = (found[name] for name in names)
    if allocation is None or obligation is None or position is None:
        return None
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.label, one.value, one.unit) for one in (allocation, obligation, position)
    )
    grid = Grid(
        (Text("Item", "项目"), Text("Value", "数值"), Text("Unit", "单位")),
        rows,
        {(2, 1): "=B{first}-B{before}"},
        total=True,
    )
    chart = Bars(
        title=Text("Allocation and obligation", "配额与清缴义务"), unit=allocation.unit, stacked=False,
        periods=(part.account.result.request.period.label,),
        groups=(Group(allocation.label, (allocation.value,)), Group(obligation.label, (obligation.value,))),
    )  # fmt: skip
    short = position.value is not None and position.value < 0
    said = (
        Text("A shortfall: allowances have to be bought or carried over.", "配额不足：须购买或结转配额。")
        if short
        else Text("A surplus.", "配额有盈余。")
    )
    return [Note(said, warning=short), grid, chart]
