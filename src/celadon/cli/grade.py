"""`celadon grade REGION --period P`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import engine_option, option, pairs, region_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.region.grades import Grades


@make_command(
    "grade",
    en="Carbon-efficiency grades of every enterprise of REGION: level L by its intensity, efficiency K against its sector, and its "
    "rank in its industry.",
    zh="REGION 各企业的碳效等级：按强度评 L 级，按与同行业均值之比评 K 级，并给出行业内排名。",
)
@region_argument
@option("--period", "-p", required=True, en="A year, or other whole months.", zh="年份或其他整月期间。")
@option(
    "--rulebook",
    "-r",
    default="cn_gbt_32150_2015",
    show_default=True,
    en="Rulebook that gives the emission.",
    zh="给出排放量的规则册。",
)
@option(
    "--quantity", "-q", en="Its quantity; the first total by default.", zh="所用的量；缺省为其首个主要指标。"
)
@option(
    "--option",
    "-o",
    "options",
    multiple=True,
    callback=pairs,
    en="A choice of the grading code, name=value.",
    zh="评级规则的选项，名称=取值。",
)
@option(
    "--most",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    en="How many enterprises to tell.",
    zh="列出的企业数。",
)
@option(
    "--output",
    type=click.Path(dir_okay=False),
    en="Write every enterprise to this Parquet or CSV file.",
    zh="将全部企业写入该 Parquet 或 CSV 文件。",
)
@engine_option
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, region: str, period: str, rulebook: str, quantity: str | None, options: dict[str, str],
            most: int, output: str | None, engine: str | None, as_of: str | None, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Grades; the enterprises most above their sector first."""
    from celadon.region.facade import open_region

    session = Session(context, as_json, lang, quiet)
    bar = "评级" if session.lang == "zh" else "grading"
    with open_region(region) as opened, session.progress(bar) as progress:
        found = opened.grade(
            period, rulebook=rulebook, quantity=quantity, options=options, most=most, as_of=as_of, file=output,
            engine=engine, progress=progress,
        )  # fmt: skip
    session.finish(
        "region-grade/1", found.to_json(), lambda out: print_grades(out, found, session), found.findings
    )


def print_grades(console: Console, found: Grades, session: Session, most: int = 20) -> None:
    """How many of each grade, and the first enterprises."""
    from rich.markup import escape

    from celadon.cli.show import number, table

    zh = session.lang == "zh"
    efficiencies = sorted({efficiency for _, efficiency in found.counts})
    title = (
        f"{found.period.label}：{found.enterprises:,} 家企业"
        if zh
        else f"{found.period.label}: {found.enterprises:,} enterprises"
    )
    made = table(title, [("L \\ K", False), *((f"K{item}" if item else "—", True) for item in efficiencies)])
    for level in sorted({level for level, _ in found.counts}):
        counts = (found.counts.get((level, efficiency), 0) for efficiency in efficiencies)
        made.add_row(f"L{level}" if level else "—", *(f"{count:,}" if count else "" for count in counts))
    console.print(made)
    heads = ("企业", "行业", "排放", "强度", "L", "与均值之比", "K", "排名") if zh else (
        "enterprise", "industry", "emission", "intensity", "L", "over mean", "K", "rank")  # fmt: skip
    listed = table("", [(name, place > 1) for place, name in enumerate(heads)])
    for row in found.rows[:most]:
        rank = f"{row.rank}/{row.peers}" if row.rank else "—"
        grades = (str(row.level or "—"), number(row.over_mean), str(row.efficiency or "—"))
        listed.add_row(
            escape(f"{row.enterprise} {row.name}"),
            row.industry,
            number(row.emission),
            number(row.intensity),
            *grades,
            rank,
        )
    console.print(listed)
