"""`celadon balance PLANT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session
from celadon.core.text import Lang

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.core.model import Plant as PlantModel
    from celadon.metering.balance import BalanceRow
    from celadon.metering.proof import Proof
    from celadon.plant.balance import Balance

_TICKS = 10**6
_ROWS_SHOWN = 400


@make_command(
    "balance",
    en="The conservation proof of PLANT: last − first + roll-overs = attributed + named gaps, for every meter; "
    "and each meter, process and site against what lies below it.",
    zh="PLANT 的守恒证明：末读数 − 首读数 + 翻转 = 已归属 + 已列缺口（逐计量点），以及计量点、工序、场所的上下平衡。",
)
@plant_argument
@option("--period", "-p", en="2018, 2018-03 …; all there is by default.", zh="2018、2018-03 等；缺省为全部。")
@option(
    "--by",
    type=click.Choice(["meter", "process", "site"]),
    default="meter",
    show_default=True,
    en="What is balanced.",
    zh="平衡对象。",
)
@option(
    "--per",
    type=click.Choice(["day", "month", "year"]),
    en="How fine in time; the coarsest that fits by default.",
    zh="时间粒度；缺省为最粗的整单位。",
)
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, plant: str, period: str | None, by: str, per: str | None, as_of: str | None, as_json: bool,
            lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Exits 1 where something is not conserved."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    with open_plant(plant) as opened:
        found = opened.balance(period, per=per, as_of=as_of)
    model = opened.opened.model
    session.finish(
        "balance/1",
        {"by": by, **found.to_json()},
        lambda out: print_balance(out, found, model, by, session.lang),
        found.findings,
    )


def print_balance(console: Console, found: Balance, model: PlantModel, by: str, lang: Lang) -> None:
    """The table for `by`, then the proof in one line."""
    if by == "meter":
        _meters(console, found, model, lang)
    elif by == "process":
        _processes(console, found, model, lang)
    else:
        _sites(console, found, model, lang)
    _verdict(console, found, lang)


def _verdict(console: Console, found: Balance, lang: Lang) -> None:
    from celadon.cli.show import number

    zh, proofs = lang == "zh", found.proofs
    off = [item for item in proofs if item.difference]
    gaps = sum(len(item.gaps) for item in proofs)
    if off:
        said = f"{len(off)} 个计量点不守恒" if zh else f"{len(off)} points are not conserved"
        console.print(said, style="bold red")
        return
    by_unit: dict[str, int] = {}
    for item in proofs:
        by_unit[item.unit] = by_unit.get(item.unit, 0) + item.attributed
    amounts = ", ".join(f"{number(total / _TICKS)} {unit}" for unit, total in by_unit.items())
    console.print(
        f"✓ {found.period.label}：{len(proofs)} 个计量点逐一守恒，差额 0；已列缺口 {gaps} 处；全部计量点（含分表）合计 {amounts}"
        if zh
        else f"✓ {found.period.label}: {len(proofs)} points conserved, difference 0 to the last digit; {gaps} named gaps; all points, sub-meters too: {amounts}",
        style="green",
    )


def _meters(console: Console, found: Balance, model: PlantModel, lang: Lang) -> None:
    """The tree: each meter with the sum below it, the remainder, and its proof."""
    from rich.markup import escape

    from celadon.cli.show import number, share, table
    from celadon.core.periods import Period

    zh = lang == "zh"
    proofs = {item.meter: item for item in found.proofs}
    several = len({(row.start, row.end) for row in found.meters}) > 1
    headings = [("计量点" if zh else "meter", False)]
    headings += [("期间" if zh else "period", False)] if several else []
    headings += [(name, True) for name in (("电表量", "下级合计", "余量", "余量占比", "覆盖率", "估算") if zh
                                           else ("own", "below", "remainder", "share", "coverage", "estimated"))]  # fmt: skip
    headings += [("单位" if zh else "unit", False)]
    headings += [] if several else [("缺口" if zh else "gaps", True), ("守恒" if zh else "proof", False)]
    made = table(found.period.label, headings)
    depths, names = _depths(model), {meter.id: meter.name.say(lang) for meter in model.meters}
    names |= {meter.id: meter.name.say(lang) for meter in model.virtual_meters}
    for row in found.meters[:_ROWS_SHOWN]:
        label = (
            "  " * depths.get(row.node, 0)
            + row.node
            + (f" {names[row.node]}" if names.get(row.node, row.node) != row.node else "")
        )
        cells = [escape(label)]
        cells += [Period(row.start, row.end, found.period.zone).label] if several else []
        cells += [_ticks(row.own, lang), number(_units(row.children)) if row.children is not None else ""]
        cells += [
            number(_units(row.remainder)) if row.remainder is not None else "",
            share(row.share) if row.share is not None else "",
        ]
        cells += [
            share(row.coverage, blank_at=1.0),
            share(row.estimated / row.own, blank_at=0.0) if row.own else "",
            row.unit,
        ]
        cells += [] if several else _proof_cells(proofs.get(row.node), row)
        made.add_row(*cells)
    console.print(made)
    if len(found.meters) > _ROWS_SHOWN:
        console.print(f"… {len(found.meters) - _ROWS_SHOWN:,}")


def _proof_cells(item: Proof | None, row: BalanceRow) -> list[str]:
    if item is None:
        return ["", "·"]
    mark = (
        "[green]✓[/green]" if item.difference == 0 else f"[bold red]✗ {item.difference / _TICKS:g}[/bold red]"
    )
    return [str(len(item.gaps)) if item.gaps else "", mark if row.own is not None or item.expected else "—"]


def _depths(model: PlantModel) -> dict[str, int]:
    parents = {meter.id: meter.parent for meter in model.meters} | {
        meter.id: meter.parent for meter in model.virtual_meters
    }
    depths: dict[str, int] = {}
    for name in parents:
        depth, above, met = 0, parents[name], {name}
        while above in parents and above not in met:
            met.add(above)
            depth, above = depth + 1, parents[above]
        depths[name] = depth
    return depths


def _sites(console: Console, found: Balance, model: PlantModel, lang: Lang) -> None:
    from celadon.cli.show import number, share, table
    from celadon.core.periods import Period

    zh = lang == "zh"
    headings = (("场所", "能源品种", "期间", "边界量", "末端合计", "差额", "占比", "覆盖率", "单位") if zh
                else ("site", "carrier", "period", "boundary", "leaves", "remainder", "share", "coverage", "unit"))  # fmt: skip
    made = table(found.period.label, [(name, 3 <= number_ <= 7) for number_, name in enumerate(headings)])
    names = {site.id: site.name.say(lang) for site in model.sites}
    for row in found.sites[:_ROWS_SHOWN]:
        made.add_row(
            names.get(row.site, row.site), carrier_name(row.carrier, model, lang), Period(row.start, row.end, found.period.zone).label,
            _ticks(row.own, lang), number(_units(row.children)), number(_units(row.remainder)), share(row.share),
            share(row.coverage, blank_at=1.0), row.unit,
        )  # fmt: skip
    console.print(made)


def _processes(console: Console, found: Balance, model: PlantModel, lang: Lang) -> None:
    from celadon.cli.show import bar, number, share, table
    from celadon.cli.words import word

    zh = lang == "zh"
    headings = (("场所", "能源品种", "工序", "用量", "单位", "占比", "") if zh
                else ("site", "carrier", "process", "used", "unit", "share", ""))  # fmt: skip
    made = table(found.period.label, [(name, number_ in (3, 5)) for number_, name in enumerate(headings)])
    sites = {site.id: site.name.say(lang) for site in model.sites}
    names = {item.id: item.name.say(lang) for site in model.sites for item in site.processes}
    before = ("", "")
    for item in found.processes:
        place = (sites.get(item.site, item.site), carrier_name(item.carrier, model, lang))
        process = names.get(item.process, item.process) or word("unattributed", lang)
        shown = ("", "") if place == before else place
        value = number(item.value) if item.value is not None else f"[red]{word('absent', lang)}[/red]"
        made.add_row(*shown, process, value, item.unit, share(item.share), bar(item.share or 0.0))
        before = place
    console.print(made)


def carrier_name(ident: str, model: PlantModel, lang: Lang) -> str:
    """A carrier's label."""
    from celadon.core.carriers import CARRIERS

    carrier = next((item for item in model.carriers if item.id == ident), CARRIERS.get(ident))
    return carrier.label.say(lang) if carrier else ident


def _units(ticks: int | None) -> float | None:
    return None if ticks is None else ticks / _TICKS


def _ticks(value: int | None, lang: Lang) -> str:
    from celadon.cli.show import number
    from celadon.cli.words import word

    return number(_units(value)) if value is not None else f"[red]{word('absent', lang)}[/red]"
