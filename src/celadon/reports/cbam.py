"""CBAM communication to a customer: embedded emissions of each good, per tonne, with what the importer has to declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from celadon.charts.bars import Bars, Group
from celadon.core.text import Lang, Text
from celadon.core.units import parse_unit
from celadon.plant.facade import Plant
from celadon.reports import parts
from celadon.reports.gather import Asked, Gathered, Progress, findings_of, gather
from celadon.reports.model import Block, Cell, Figure, Figures, Grid, Note, Report, Section

TITLE = Text("Communication of embedded emissions (CBAM)", "隐含排放信息告知书（欧盟碳边境调节机制）")
RULEBOOKS = ("eu_cbam",)
_AMOUNTS = (
    "good_produced", "attributed_direct_emission", "attributed_indirect_emission", "precursor_direct_emission",
    "precursor_indirect_emission", "own_precursor_direct_emission", "own_precursor_indirect_emission", "electricity_used",
    "carbon_price_paid",
)  # fmt: skip
_SPECIFIC = ("specific_direct_emission", "specific_indirect_emission")


def build(plant: Plant, asked: Asked, lang: Lang, version: str, progress: Progress | None = None) -> Report:
    """Per good: production, attributed and precursor emissions, specific embedded emissions, electricity; a calculator for
    the customer's tonnes; what the plant file does not hold and the operator writes in."""
    book = asked.rulebooks[0]
    found = [
        gather(plant, asked, book, by="site", quantities=_SPECIFIC, lang=lang, progress=progress),
        gather(plant, asked, book, by="site", quantities=_AMOUNTS, traced=False),
        gather(plant, asked, book, by="site", lang=lang, progress=progress),
    ]
    goods, amounts, totals = found
    told = {mark for mark, figures in _by_good((goods,)).items() if figures}
    by_good = {mark: figures for mark, figures in _by_good((goods, amounts)).items() if mark in told}
    model = goods.account.model
    every = findings_of(found)
    figures = [*goods.figures, *(figure for figure in totals.figures if figure.value is not None)]
    sections = [
        Section(
            Text("Specific embedded emissions", "单位产品隐含排放"),
            Text("Goods", "货物"),
            tuple(_goods(goods, by_good)),
        ),
        _calculator(by_good),
        _operator(goods),
        *_declarant(totals),
        parts.factors(figures, model),
        parts.findings(every),
        parts.all_findings(every),
        parts.not_modelled(found[:1]),
    ]
    period = goods.account.result.request.period.label
    return Report(
        "cbam", TITLE, model.name, period, parts.head(asked, found[:1], version), tuple(sections),
        tuple(figures), every, plant.file.parent.name, asked.address,
    )  # fmt: skip


_Goods = Mapping[tuple[str, str], Mapping[str, list[Figure]]]
"""Of each site and good its figures by quantity."""


def _by_good(gathered: Iterable[Gathered]) -> _Goods:
    found: dict[tuple[str, str], dict[str, list[Figure]]] = {}
    for figure in (one for part in gathered for one in part.figures):
        good = figure.question.where.get("good")
        if good is not None and figure.value is not None:
            mark = (figure.question.where.get("site", ""), good)
            found.setdefault(mark, {}).setdefault(figure.question.quantity, []).append(figure)
    return found


def _amount(figures: Mapping[str, list[Figure]], name: str, unit: str) -> float | None:
    """A quantity summed over its purposes, in `unit`; None where there is none."""
    known = [(figure.value, figure.unit) for figure in figures.get(name, ()) if figure.value is not None]
    if not known:
        return None
    return sum(value * float(parse_unit(of).factor_to(parse_unit(unit))) for value, of in known)


_COLUMNS: tuple[tuple[Text, str, tuple[str, ...]], ...] = (
    (Text("Produced", "产量"), "t", ("good_produced",)),
    (Text("Direct, own process", "直接排放（本工序）"), "tCO2e", ("attributed_direct_emission",)),
    (
        Text("Direct, precursors", "直接排放（前体）"),
        "tCO2e",
        ("precursor_direct_emission", "own_precursor_direct_emission"),
    ),
    (Text("Indirect, own process", "间接排放（本工序）"), "tCO2e", ("attributed_indirect_emission",)),
    (
        Text("Indirect, precursors", "间接排放（前体）"),
        "tCO2e",
        ("precursor_indirect_emission", "own_precursor_indirect_emission"),
    ),
    (Text("Electricity used", "耗电量"), "MWh", ("electricity_used",)),
)


def _goods(gathered: Gathered, goods: _Goods) -> list[Block]:
    """One row for each good; emissions per tonne are live quotients."""
    if not goods:
        return [
            Note(
                Text(
                    "No good was produced in this period under this rulebook: there is nothing to communicate. See the findings.",
                    "本期按该规则册没有货物产量，无可告知的内容；原因见“数据问题”。",
                ),
                warning=True,
            )
        ]
    rows: list[tuple[Cell, ...]] = []
    formulas: dict[tuple[int, int], str] = {}
    for number, ((_, good), figures) in enumerate(goods.items()):
        amounts: list[float | None] = []
        for _, unit, names in _COLUMNS:
            known = [amount for name in names if (amount := _amount(figures, name, unit)) is not None]
            amounts.append(sum(known) if known else None)
        direct = _amount(figures, "specific_direct_emission", "tCO2e/t")
        indirect = _amount(figures, "specific_indirect_emission", "tCO2e/t")
        power = amounts[5] / amounts[0] if amounts[5] is not None and amounts[0] else None
        rows.append((good, *amounts, direct, indirect, power))
        quotients = (
            ("H", 7, "(C{r}+D{r})/B{r}", direct),
            ("I", 8, "(E{r}+F{r})/B{r}", indirect),
            ("J", 9, "G{r}/B{r}", power),
        )
        for _, place, formula, value in quotients:
            if value is not None and amounts[0]:
                formulas[number, place] = f"={formula}"
    header = (
        Text("CN code and route", "CN 编码与工艺路线"),
        *(Text(f"{label.en}, {unit}", f"{label.zh}，{unit}") for label, unit, _ in _COLUMNS),
        Text("SPECIFIC DIRECT, tCO2e/t", "直接单位隐含排放，tCO2e/t"),
        Text("SPECIFIC INDIRECT, tCO2e/t", "间接单位隐含排放，tCO2e/t"),
        Text("Electricity, MWh/t", "单位耗电，MWh/t"),
    )
    figures_ = tuple(
        figure
        for figure in gathered.figures
        if figure.question.quantity in _SPECIFIC and figure.value is not None
    )
    return [Grid(header, tuple(rows), formulas), _picture(figures_), Figures(figures_)]


def _picture(figures: tuple[Figure, ...]) -> Bars:
    goods = tuple(dict.fromkeys(figure.question.where["good"] for figure in figures))
    groups = []
    for name, label in zip(_SPECIFIC, (Text("direct", "直接"), Text("indirect", "间接")), strict=True):
        known = {
            figure.question.where["good"]: figure.value
            for figure in figures
            if figure.question.quantity == name
        }
        groups.append(Group(label, tuple(known.get(good) for good in goods)))
    return Bars(
        title=Text("Embedded emissions per tonne", "每吨产品隐含排放"),
        unit="tCO2e/t",
        periods=goods,
        groups=tuple(groups),
    )


def _calculator(goods: _Goods) -> Section:
    """The customer writes tonnes, the workbook multiplies."""
    rows: list[tuple[Cell, ...]] = []
    formulas: dict[tuple[int, int], str] = {}
    inputs: set[tuple[int, int]] = set()
    for (_, good), figures in goods.items():
        direct = _amount(figures, "specific_direct_emission", "tCO2e/t")
        indirect = _amount(figures, "specific_indirect_emission", "tCO2e/t")
        number = len(rows)
        rows.append(
            (good, 1000.0, direct, indirect, *(None if x is None else x * 1000 for x in (direct, indirect)))
        )
        inputs.add((number, 1))
        formulas |= {(number, 4): "=B{r}*C{r}"} if direct is not None else {}
        formulas |= {(number, 5): "=B{r}*D{r}"} if indirect is not None else {}
    header = (
        Text("Good", "货物"), Text("Tonnes delivered (write here)", "交付吨数（请填写）"), Text("Direct, tCO2e/t", "直接，tCO2e/t"),
        Text("Indirect, tCO2e/t", "间接，tCO2e/t"), Text("Direct embedded, tCO2e", "直接隐含排放，tCO2e"),
        Text("Indirect embedded, tCO2e", "间接隐含排放，tCO2e"),
    )  # fmt: skip
    said = Text(
        "For 1000 t as an example; in the workbook, write the tonnes of your delivery into the yellow cell.",
        "以 1000 吨为例；在工作簿的黄色单元格内填写实际交付吨数即可。",
    )
    grid = Grid(header, tuple(rows), formulas, inputs=frozenset(inputs))
    return Section(
        Text("Your delivery", "贵方采购量换算"), Text("Your delivery", "交付换算"), (Note(said), grid)
    )


def _operator(gathered: Gathered) -> Section:
    """What a declarant also needs and the plant file does not hold: to be written in."""
    model = gathered.account.model
    blank = Text(
        "not kept in the plant file: to be written in by the operator", "工厂文件未保存：请运营者填写"
    )
    rows: list[tuple[Cell, ...]] = [
        (Text("Operator", "运营者"), model.name),
        *((Text("Installation", "装置"), Text(f"{site.name.en} ({site.region or '—'})", f"{site.name.zh}（{site.region or '—'}）")) for site in model.sites),
        (Text("Address, coordinates, UN/LOCODE", "地址、经纬度、UN/LOCODE"), blank),
        (Text("Accredited verifier and verification report", "经认可的核查机构与核查报告"), blank),
        (Text("Authorised representative, signature", "授权代表与签字"), blank),
    ]  # fmt: skip
    header = (Text("Item", "项目"), Text("Entry", "内容"))
    inputs = frozenset((number, 1) for number, row in enumerate(rows) if row[1] is blank)
    note = Note(
        Text(
            "Actual values count for a declaration only when they are verified by an accredited verifier. This communication is not a verification.",
            "实际值须经经认可的核查机构核查后方可用于申报；本告知书不构成核查。",
        ),
        warning=True,
    )
    return Section(
        Text("Operator and installation", "运营者与装置"),
        Text("Operator", "运营者"),
        (Grid(header, tuple(rows), wide=(1,), inputs=inputs), note),
    )


def _declarant(totals: Gathered) -> list[Section]:
    """Certificates for the imports that the plant's records hold; left out where there are none."""
    known = tuple(figure for figure in totals.figures if figure.value is not None)
    if not known:
        return []
    said = Text(
        "For the imports recorded in the plant's books in this period. The duty is the authorised declarant's, not the operator's.",
        "针对企业台账所记录的本期出口量；清缴义务属于授权申报人，而非装置运营者。",
    )
    return [
        Section(
            Text("Certificates for recorded imports", "已记录出口的证书测算"),
            Text("Certificates", "证书"),
            (Note(said), Figures(known)),
        )
    ]
