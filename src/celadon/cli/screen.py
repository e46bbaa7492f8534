"""`celadon screen REGION --period P`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import engine_option, option, region_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.region.anomalies import Screened


@make_command(
    "screen",
    en="Anomalous reports of REGION: units, jumps, copies, bill against meter against report, specific consumption outside "
    "what is feasible, digit patterns; the strongest first, each with its evidence.",
    zh="筛查 REGION 的异常报表：单位错误、突变、照抄、填报与账单和计量不符、单耗超出可行区间、数字规律；按强弱排序并附证据。",
)
@region_argument
@option(
    "--period",
    "-p",
    required=True,
    en="Months to screen: 2024, 2024-Q1, 2024-03 …",
    zh="筛查期间：2024、2024-Q1、2024-03 等。",
)
@option(
    "--most",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    en="How many alarms to tell.",
    zh="列出的警报数。",
)
@engine_option
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, region: str, period: str, most: int, engine: str | None, as_of: str | None, as_json: bool,
            lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Screens; the alarms are findings."""
    from celadon.region.facade import open_region

    session = Session(context, as_json, lang, quiet)
    title = "筛查" if session.lang == "zh" else "screening"
    with open_region(region) as opened, session.progress(title) as progress:
        found = opened.screen(period, most=most, as_of=as_of, engine=engine, progress=progress)
    session.finish(
        "region-screen/1",
        found.to_json(),
        lambda out: print_screened(out, found, session),
        found.findings,
        brief=False,
    )


def print_screened(console: Console, found: Screened, session: Session) -> None:
    """How many of each kind."""
    from celadon.cli.show import table
    from celadon.region.anomalies import FIRST_DIGITS, KINDS

    zh = session.lang == "zh"
    title = (
        f"{found.period.label}：{found.enterprises:,} 家企业中 {found.flagged:,} 家有警报"
        if zh
        else f"{found.period.label}: {found.flagged:,} of {found.enterprises:,} enterprises have alarms"
    )
    made = table(title, [("规则" if zh else "rule", False), ("", False), ("警报" if zh else "alarms", True)])
    for rule, count in sorted(found.counts.items(), key=lambda item: -item[1]):
        made.add_row(rule, KINDS.get(rule, FIRST_DIGITS).title.say(session.lang), f"{count:,}")
    console.print(made)
