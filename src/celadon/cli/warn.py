"""`celadon warn REGION --year Y`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import engine_option, option, region_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.region.warning import Warnings


@make_command(
    "warn",
    en="Early warning of REGION: yearly quotas at risk, with a forecast to the year's end, its band and every step of it.",
    zh="REGION 的预警：有超年度配额风险的企业，附全年预测、区间及逐步计算。",
)
@region_argument
@option(
    "--year", "-y", type=click.IntRange(1900, 2999), required=True, en="Year of the quotas.", zh="配额年份。"
)
@option(
    "--month",
    "-m",
    type=click.IntRange(1, 12),
    en="Last month that counts; the last loaded one by default.",
    zh="截至月份；缺省为最后已载入月份。",
)
@option(
    "--most",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    en="How many warnings to tell.",
    zh="列出的预警数。",
)
@engine_option
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, region: str, year: int, month: int | None, most: int, engine: str | None, as_of: str | None,
            as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Warnings as findings, the most pressing first."""
    from celadon.region.facade import open_region

    session = Session(context, as_json, lang, quiet)
    bar = "预警" if session.lang == "zh" else "warning"
    with open_region(region) as opened, session.progress(bar) as progress:
        found = opened.warn(year, month, most=most, as_of=as_of, engine=engine, progress=progress)
    session.finish(
        "region-warn/1",
        found.to_json(),
        lambda out: print_warnings(out, found, session),
        found.findings,
        brief=False,
    )


def print_warnings(console: Console, found: Warnings, session: Session) -> None:
    """How many enterprises at each level."""
    from rich.markup import escape

    from celadon.cli.show import table

    zh = session.lang == "zh"
    title = f"{found.month}：{found.quotas:,} 个配额" if zh else f"{found.month}: {found.quotas:,} quotas"
    made = table(
        title,
        [
            ("级别" if zh else "level", False),
            ("预计达配额" if zh else "forecast of quota", True),
            ("企业" if zh else "enterprises", True),
        ],
    )
    for level in reversed(found.levels):
        made.add_row(
            escape(level.name.say(session.lang)), f"≥ {level.share:.0%}", f"{found.counts[level.id]:,}"
        )
    console.print(made)
