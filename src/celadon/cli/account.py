"""`celadon account PLANT --rulebook ID --period P`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import engine_option, option, plant_argument, question_options
from celadon.cli.session import Session
from celadon.core.text import Lang
from celadon.engine.quality import DATA, FACTORS, LABELS, Quality

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.engine.run import Row
    from celadon.engine.uncertainty import Uncertainty
    from celadon.plant.account import Account

_BY = click.Choice(["enterprise", "site", "process", "meter"])
_PER = click.Choice(["hour", "day", "month", "year"])
_ROWS_SHOWN = 400
_SHOWN_ABOVE = 5e-5
_ORIGINS_SHOWN = 8


@make_command(
    "account",
    en="Quantities of PLANT under a rulebook, with units, coverage and what they rest on.",
    zh="按规则册核算 PLANT 的各项指标，给出单位、覆盖率与数据质量。",
)
@plant_argument
@question_options
@option(
    "--by",
    default=None,
    en="How fine in place: enterprise, site (default), process, meter. Of a region: words with commas of enterprise, industry, "
    "industry_group, division, region, prefecture, province, product, size.",
    zh="空间粒度：enterprise、site（缺省）、process、meter。区域：以逗号分隔的 enterprise、industry、industry_group、division、"
    "region、prefecture、province、product、size。",
)
@option(
    "--output",
    type=click.Path(dir_okay=False),
    en="Of a region: write every row to this Parquet or CSV file.",
    zh="区域：将全部行写入该 Parquet 或 CSV 文件。",
)
@option(
    "--per",
    type=_PER,
    en="How fine in time; else the whole period is one row.",
    zh="时间粒度；缺省为整个期间一行。",
)
@option(
    "--factors-as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    en="Leave out factor rows published later.",
    zh="不使用此后发布的因子。",
)
@option(
    "--uncertainty",
    is_flag=True,
    en="How wide each value is (95 %), and what that comes from.",
    zh="给出各数值的不确定度（95%）及其来源。",
)
@engine_option
@option("--csv", "as_csv", is_flag=True, en="Print CSV.", zh="输出 CSV。")
def command(context: click.Context, plant: str, rulebook: str, period: str, by: str | None, output: str | None,
            per: str | None, quantities: tuple[str, ...], options: dict[str, str], as_of: str | None, factors_as_of: object, uncertainty: bool, engine: str | None, as_csv: bool, as_json: bool, lang: str | None,
            quiet: bool) -> None:  # fmt: skip
    """Answers one question under one rulebook."""
    from datetime import datetime

    from celadon.cli.region_account import account_region
    from celadon.plant.facade import open_plant
    from celadon.region.reader import is_region

    session = Session(context, as_json, lang, quiet)
    published = factors_as_of.date() if isinstance(factors_as_of, datetime) else None
    if is_region(plant):
        account_region(
            session,
            plant,
            rulebook,
            period,
            by or "",
            per,
            quantities,
            options,
            as_of,
            published,
            output,
            as_csv,
            engine,
        )
        return
    space = _BY.convert(
        by or "site", next(item for item in context.command.params if item.name == "by"), context
    )
    bar = "核算" if session.lang == "zh" else "accounting"
    with open_plant(plant) as opened, session.progress(bar) as progress:
        found = opened.account(
            rulebook,
            period,
            by=space,
            per=per,
            quantities=quantities,
            options=options,
            as_of=as_of,
            factors_as_of=published,
            uncertainty=uncertainty,
            engine=engine,
            progress=progress,
        )
    if as_csv and not as_json:
        click.echo(found.to_csv(), nl=False)
        session.end(found.findings)
        return
    session.finish(
        "account/1", found.to_json(), lambda out: print_account(out, found, session.lang), found.findings
    )


def print_account(console: Console, found: Account, lang: Lang) -> None:
    """One table; with several periods a line of bars under each quantity."""
    from rich.markup import escape

    from celadon.cli.show import number, share, table
    from celadon.cli.words import word

    result = found.result
    request, book = result.request, result.book
    options = ", ".join(f"{name}={choice}" for name, choice in request.options.items())
    console.print(
        f"[bold]{escape(book.document.cited.say(lang))}[/bold] {escape(book.document.title.say(lang))}  {request.period.label}"
        + (f"  [dim]{escape(options)}[/dim]" if options else "")
    )
    rows = result.rows
    used = _used(rows)
    columns = [(word("quantity", lang), False)]
    columns += [(word(name, lang), False) for name in ("site", "process", "meter") if name in used]
    columns += [(word("period", lang), False)] if request.time else []
    widths = found.uncertainties
    columns += [(word("value", lang), True)]
    columns += [("± 95 %", True)] if widths is not None else []
    columns += [(word("unit", lang), False), (word("coverage", lang), True)]
    columns += [(word(name, lang), False) for name in ("data", "factors") if name in used]
    made, before = table("", columns), ""
    for number_, row in enumerate(rows[:_ROWS_SHOWN]):
        name = _name(row, found, lang)
        cells = [escape(name if name != before else "")]
        cells += [
            escape(place(row, column, found, lang))
            for column in ("site", "process", "meter")
            if column in used
        ]
        cells += [row.label] if request.time else []
        value = (
            f"[bold]{number(row.value)}[/bold]"
            if row.value is not None
            else f"[red]{word('absent', lang)}[/red]"
        )
        cells += [value, *([_width(widths[number_])] if widths is not None else [])]
        cells += [row.unit, share(row.coverage)]
        cells += [mix(row.quality, names, lang) for column, names in _MIXES if column in used]
        made.add_row(*cells)
        before = name
    console.print(made)
    if len(rows) > _ROWS_SHOWN:
        console.print(
            f"… {len(rows) - _ROWS_SHOWN:,} {'行未显示，用 --csv 或 --json' if lang == 'zh' else 'more rows: --csv or --json'}"
        )
    _print_shapes(console, found, lang)
    _print_origins(console, found, lang)
    if "recalled" in used:
        console.print(
            "未核实：因子凭记忆录入，尚未对照原文核实"
            if lang == "zh"
            else "unchecked factor: the share that rests on factors recalled from memory, not yet checked against their source",
            style="yellow",
        )


def _width(one: Uncertainty | None) -> str:
    """The half-width as a share of the value; as an amount where that is 0."""
    from celadon.cli.show import number

    if one is None:
        return ""
    return f"{one.relative:.2%}" if one.relative is not None else number(one.half_width)


def _print_origins(console: Console, found: Account, lang: Lang) -> None:
    """What the width of each quantity comes from, at its largest row."""
    from rich.markup import escape

    largest: dict[str, tuple[str, Uncertainty]] = {}
    for row, one in zip(found.rows, found.uncertainties or (), strict=False):
        if one is not None and (row.quantity not in largest or one.value > largest[row.quantity][1].value):
            largest[row.quantity] = (_name(row, found, lang), one)
    for name, one in list(largest.values())[:_ORIGINS_SHOWN]:
        console.print(f"  {escape(name)}")
        for line in one.lines(lang, 3):
            console.print(f"    {escape(line)}", style="dim")


def _used(rows: tuple[Row, ...]) -> set[str]:
    used = {name for name in ("process", "meter", "recalled") if any(getattr(row, name) for row in rows)}
    used |= {"data"} if any(row.value is not None for row in rows) else set()
    used |= {"factors"} if any(row.quality.factorless < 1 for row in rows if row.value is not None) else set()
    return used | ({"site"} if any(row.site for row in rows) else set())


_MIXES = (("data", DATA), ("factors", FACTORS))


def mix(quality: Quality, names: Sequence[str], lang: Lang) -> str:
    """`83 % measured, 17 % estimated`: the shares there are, the largest first; blank where nothing is to be said."""
    from celadon.cli.show import share

    shares = sorted(((getattr(quality, name), name) for name in names), key=lambda pair: -pair[0])
    said = [(size, name) for size, name in shares if size > _SHOWN_ABOVE]
    if [name for _, name in said] == ["factorless"]:
        return ""
    return ", ".join(f"{share(size)} {LABELS[name].say(lang)}" for size, name in said)


def _name(row: Row, found: Account, lang: Lang) -> str:
    label = found.result.book.label(row.quantity).say(lang)
    keys = [item_name(key, found, lang) for key in (row.item, row.purpose) if key]
    return f"{label} [{', '.join(keys)}]" if keys else label


def item_name(word: str, found: Account, lang: Lang) -> str:
    """A carrier's, product's, material's, gas's or purpose's name."""
    from celadon.core.carriers import PURPOSES
    from celadon.core.items import item_name as name_of

    return (PURPOSES.get(word) or name_of(word, found.model)).say(lang)


def place(row: Row, column: str, found: Account, lang: Lang) -> str:
    """A site's, process's or meter's name, the id where it says more."""
    from celadon.cli.words import word

    ident = getattr(row, column)
    model = found.model
    if not ident:
        return word("unattributed", lang) if column == "process" and row.site else ""
    if column == "site":
        return next((site.name.say(lang) for site in model.sites if site.id == ident), ident)
    if column == "process":
        return next(
            (item.name.say(lang) for site in model.sites for item in site.processes if item.id == ident),
            ident,
        )
    plain = ident.removesuffix("~rest")
    names = {meter.id: meter.name for meter in model.meters} | {
        meter.id: meter.name for meter in model.virtual_meters
    }
    name = names[plain].say(lang) if plain in names else plain
    shown = plain if name == plain else f"{plain} {name}"
    return word("rest", lang, meter=shown) if ident != plain else shown


def _print_shapes(console: Console, found: Account, lang: Lang) -> None:
    """A line of bars for each quantity and place that has several periods."""
    from rich.markup import escape

    from celadon.cli.show import number, spark

    series: dict[tuple[str, str], list[float | None]] = {}
    for row in found.result.rows:
        series.setdefault((_name(row, found, lang), row.place), []).append(row.value)
    for (name, _), values in list(series.items())[:12]:
        drawn = spark(values[-120:])
        present = [value for value in values if value is not None]
        if drawn and present:
            console.print(
                f"  {drawn}  {escape(name)}  [dim]{number(min(present))} … {number(max(present))}[/dim]"
            )
