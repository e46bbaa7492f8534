"""`celadon bill PLANT`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session
from celadon.core.text import Lang

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.metering.bills import Bill
    from celadon.plant.bill import Bills

_KINDS = {
    "energy": {"en": "energy", "zh": "电度电费"},
    "basic": {"en": "basic charge", "zh": "基本电费"},
    "excess": {"en": "excess demand", "zh": "超需量"},
    "power_factor": {"en": "power-factor adjustment", "zh": "力调电费"},
}


@make_command(
    "bill",
    en="The monthly bills of PLANT under its tariffs: energy by period, basic charge, power-factor adjustment.",
    zh="按 PLANT 的电价计算月度账单：分时电度、基本电费、力调电费。",
)
@plant_argument
@option("--period", "-p", en="2018, 2018-03 …; all there is by default.", zh="2018、2018-03 等；缺省为全部。")
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, plant: str, period: str | None, as_of: str | None, as_json: bool, lang: str | None,
            quiet: bool) -> None:  # fmt: skip
    """Prints a line per month, and the lines of the bill where there is one."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    with open_plant(plant) as opened:
        found = opened.bill(period, as_of=as_of)
    session.finish("bill/1", found.to_json(), lambda out: _print(out, found, session.lang), found.findings)


def _print(console: Console, found: Bills, lang: Lang) -> None:
    by_tariff: dict[str, list[Bill]] = {}
    for one in found.bills:
        by_tariff.setdefault(one.tariff, []).append(one)
    for tariff, bills in by_tariff.items():
        (_months if len(bills) > 1 else _lines)(console, tariff, bills, lang)


def _months(console: Console, tariff: str, bills: list[Bill], lang: Lang) -> None:
    from celadon.cli.show import spark, table

    zh = lang == "zh"
    unit = next((line.unit for one in bills for line in one.lines if line.kind == "energy"), "")
    headings = (("月份", f"用量 {unit}", "电度电费", "基本电费", "功率因数", "力调电费", "合计") if zh
                else ("month", f"used {unit}", "energy", "basic", "power factor", "adjustment", "total"))  # fmt: skip
    made = table(
        f"{tariff} ({bills[0].currency})", [(name, number > 0) for number, name in enumerate(headings)]
    )
    for one in bills:
        amount = sum((line.quantity or Decimal(0) for line in one.lines if line.kind == "energy"), Decimal(0))
        sums = [_sum(one, kinds) for kinds in (("energy",), ("basic", "excess"), ("power_factor",))]
        factor = str(one.power_factor) if one.power_factor is not None else ""
        cells = (f"{amount:,.0f}", sums[0], sums[1], factor, sums[2])
        made.add_row(f"{one.month:%Y-%m}", *cells, f"[bold]{_money(one.total)}[/bold]")
    console.print(made)
    console.print("  " + spark([float(one.total) if one.total is not None else None for one in bills]))


def _lines(console: Console, tariff: str, bills: list[Bill], lang: Lang) -> None:
    from celadon.cli.show import table

    one, zh = bills[0], lang == "zh"
    headings = (
        ("项目", "时段", "数量", "单位", "单价", "金额")
        if zh
        else ("line", "period", "quantity", "unit", "price", "money")
    )
    made = table(
        f"{tariff} {one.month:%Y-%m} ({one.currency})",
        [(name, number in (2, 4, 5)) for number, name in enumerate(headings)],
    )
    for line in one.lines:
        quantity = "—" if line.quantity is None else f"{line.quantity:,.2f}"
        price = "" if line.price is None else f"{line.price}"
        made.add_row(
            _KINDS.get(line.kind, {}).get(lang, line.kind),
            line.period,
            quantity,
            line.unit,
            price,
            _money(line.money),
        )
    made.add_row(
        "[bold]合计[/bold]" if zh else "[bold]total[/bold]",
        "",
        "",
        "",
        "",
        f"[bold]{_money(one.total)}[/bold]",
    )
    console.print(made)


def _sum(one: Bill, kinds: tuple[str, ...]) -> str:
    parts = [line.money for line in one.lines if line.kind in kinds]
    if not parts:
        return ""
    return _money(None if None in parts else sum((part for part in parts if part is not None), Decimal(0)))


def _money(value: Decimal | None) -> str:
    return "—" if value is None else f"{value:,.2f}"
