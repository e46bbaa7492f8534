"""`celadon peers REGION --period P`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import engine_option, option, region_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.region.peers import Peers


@make_command(
    "peers",
    en="Peer benchmarks of REGION: totals, means and percentiles per value or product within an industry, without numbers that "
    "would show one enterprise.",
    zh="REGION 的同行对标：行业内单位产值或产品的总量、均值与分位数，不含可推断单个企业的数字。",
)
@region_argument
@option("--period", "-p", required=True, en="A year, or other whole months.", zh="年份或其他整月期间。")
@option(
    "--rulebook",
    "-r",
    default="cn_gbt_2589_2020",
    show_default=True,
    en="Rulebook that gives the quantity.",
    zh="给出该量的规则册。",
)
@option(
    "--quantity", "-q", en="Its quantity; the first total by default.", zh="所用的量；缺省为其首个主要指标。"
)
@option(
    "--over",
    default="output_value",
    show_default=True,
    en="Reported fact to divide by.",
    zh="作分母的填报项。",
)
@option(
    "--by",
    default="industry",
    show_default=True,
    en="Groups: industry, industry_group, division, region, prefecture, province, product, size.",
    zh="分组：industry、industry_group、division、region、prefecture、province、product、size。",
)
@option("--enterprise", en="Tell where this enterprise stands.", zh="给出该企业所处位置。")
@option(
    "--publish",
    is_flag=True,
    en="Keep what is shown as published: later groupings of the same numbers take account of it.",
    zh="将所示内容登记为已公布：以后对相同数据的其他分组会将其考虑在内。",
)
@engine_option
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, region: str, period: str, rulebook: str, quantity: str | None, over: str, by: str,
            enterprise: str | None, publish: bool, engine: str | None, as_of: str | None, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Benchmarks, suppressed where they would show one enterprise."""
    from celadon.region.facade import open_region

    session = Session(context, as_json, lang, quiet)
    bar = "对标" if session.lang == "zh" else "peers"
    with open_region(region) as opened, session.progress(bar) as progress:
        found = opened.peers(
            period,
            rulebook=rulebook,
            quantity=quantity,
            over=over,
            by=by,
            enterprise=enterprise,
            as_of=as_of,
            publish=publish,
            engine=engine,
            progress=progress,
        )
    session.finish(
        "region-peers/1", found.to_json(), lambda out: print_peers(out, found, session), found.findings
    )


def print_peers(console: Console, found: Peers, session: Session, most: int = 100) -> None:
    """A row per group; a suppressed one says so."""
    from rich.markup import escape

    from celadon.cli.show import number, table
    from celadon.region.peers import SHARES

    zh, lang = session.lang == "zh", session.lang
    title = f"{found.book.label(found.quantity).say(lang)} / {found.over} ({found.units['ratio']})  {found.period.label}"
    heads = ("企业数", "总量", "均值") if zh else ("enterprises", "total", "mean")
    made = table(
        title,
        [
            *((name, False) for name in found.by),
            *((name, True) for name in heads),
            *((f"p{share * 100:.0f}", True) for share in SHARES),
        ],
    )
    hidden = "不公布" if zh else "not published"
    for item in found.groups[:most]:
        names = [
            escape(f"{code} {name.say(lang)}") for code, name in zip(item.group, item.names, strict=True)
        ]
        if item.suppressed:
            made.add_row(*names, hidden, *("" for _ in range(2 + len(SHARES))))
            continue
        numbers = (
            number(value) for value in (item.total, item.mean, *(item.percentiles[share] for share in SHARES))
        )
        made.add_row(*names, f"{item.enterprises:,}", *numbers)
    console.print(made)
    if len(found.groups) > most:
        console.print(f"… +{len(found.groups) - most}", style="dim")
    if found.standing is not None:
        at = found.standing
        console.print(
            f"{at.enterprise}：{number(at.ratio)}，{at.peers} 家中排第 {at.rank}（1 为最低）"
            if zh
            else f"{at.enterprise}: {number(at.ratio)}, rank {at.rank} of {at.peers} (1 needs least)",
            markup=False,
        )
