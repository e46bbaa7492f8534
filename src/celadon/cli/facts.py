"""`celadon facts PLANT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.monthly import MonthlyFacts

_SHOWN = 400


@make_command(
    "facts",
    en="The monthly facts of PLANT that rulebooks ask for, before any formula: from meters and records, added up by enterprise or "
    "site. A region takes the file as it is: what is measured once is accounted there as here.",
    zh="PLANT 中规则册所需的月度事实（未经公式计算）：来自表计与台账，按企业或场所汇总。区域平台可直接采用该文件：一次计量，两处同算。",
)
@plant_argument
@option(
    "--rulebook", "-r", "rulebooks", multiple=True, required=True, en="Rulebook whose facts are wanted; may be repeated.",
    zh="所需事实的规则册；可重复。",
)  # fmt: skip
@option(
    "--period",
    "-p",
    required=True,
    en="2018, 2018-03, 2018-01..2018-06 …",
    zh="2018、2018-03、2018-01..2018-06 等。",
)
@option(
    "--each",
    type=click.Choice(["enterprise", "site"]),
    default="enterprise",
    show_default=True,
    en="Whose facts: of the enterprise, or of each site as a firm of its own.",
    zh="汇总对象：整个企业，或把每个场所作为一家企业。",
)
@option(
    "--partial",
    is_flag=True,
    en="Also values that rest on a part of their month; they are blank otherwise.",
    zh="同时给出仅覆盖部分月份的数值；缺省留空。",
)
@option(
    "--output",
    "-o",
    en="Write all of them to this file: .parquet, or else CSV.",
    zh="写入该文件：.parquet 或 CSV。",
)
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, plant: str, rulebooks: tuple[str, ...], period: str, each: str, partial: bool,
            output: str | None, as_of: str | None, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Lists the facts, or writes them."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    with open_plant(plant) as opened:
        found = opened.monthly_facts(rulebooks, period, each=each, partial=partial, as_of=as_of)
        if output is not None:
            opened.write_facts(found, output)
    shape = found.to_json() | {"file": output}
    if output is not None:
        shape["rows"] = []
    session.finish("facts/1", shape, lambda out: _print(out, found, output, session), found.findings)


def _print(console: Console, found: MonthlyFacts, output: str | None, session: Session) -> None:
    from rich.markup import escape

    from celadon.cli.show import number, share, table
    from celadon.cli.words import word

    zh = session.lang == "zh"
    if output is not None:
        said = f"{output}：{len(found.rows):,} 行" if zh else f"{output}: {len(found.rows):,} rows"
        console.print(said, markup=False)
        return
    heads = ("企业", "月份", "事实", "数值", "单位", "覆盖率", "估算") if zh else (
        "enterprise", "month", "fact", "value", "unit", "coverage", "estimated")  # fmt: skip
    made = table(found.period.label, [(name, at in (3, 5, 6)) for at, name in enumerate(heads)])
    for row in found.rows[:_SHOWN]:
        value = number(row.value) if row.value is not None else f"[red]{word('absent', session.lang)}[/red]"
        what = " ".join(part for part in (row.quantity, row.item, row.purpose) if part)
        made.add_row(
            escape(row.enterprise), row.month, escape(what), value, row.unit, share(row.coverage, blank_at=1.0),
            share(row.estimated, blank_at=0.0),
        )  # fmt: skip
    console.print(made)
    if len(found.rows) > _SHOWN:
        console.print(f"… {len(found.rows) - _SHOWN:,}")
