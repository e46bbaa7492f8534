"""`celadon reconcile PLANT --rulebooks A,B --period P`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session
from celadon.core.text import Lang

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.reconcile import Reconciled

_KIND = {
    "boundary": {"en": "boundary: one counts it", "zh": "边界：仅一方计入"},
    "factor": {"en": "factor", "zh": "因子"},
    "biogenic": {"en": "biogenic", "zh": "生物源"},
    "interaction": {"en": "belongs to no single fact", "zh": "不属于单一事实"},
}


def _two(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = tuple(word.strip() for word in (value or "").split(",") if word.strip())
    if value is not None and len(names) != 2:
        raise click.BadParameter("A,B", ctx=context, param=parameter)
    return names


@make_command(
    "reconcile",
    en="Why two rulebooks give different totals for the facts of PLANT, line by line; the lines sum to the difference.",
    zh="逐项解释两个规则册对 PLANT 同一数据得出不同总量的原因；各项之和等于差额。",
)
@plant_argument
@option("--rulebooks", "-r", required=True, callback=_two, en="Two rulebooks, A,B.", zh="两个规则册，A,B。")
@option("--period", "-p", required=True, en="2018, 2018-03 …", zh="2018、2018-03 等。")
@option(
    "--quantities",
    "-q",
    callback=_two,
    en="The totals to compare, one of each; else each rulebook's first.",
    zh="要比较的总量，各取其一；缺省为各自的首要总量。",
)
@option("--as-of", en="What was known then.", zh="以该时刻已知的数据为准。")
def command(context: click.Context, plant: str, rulebooks: tuple[str, str], period: str, quantities: tuple[str, ...],
            as_of: str | None, as_json: bool, lang: str | None, quiet: bool) -> None:  # fmt: skip
    """Prints a line per reason, the largest first."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    with open_plant(plant) as opened:
        found = opened.reconcile(rulebooks, period, quantities=quantities, as_of=as_of)
    session.finish(
        "reconciliation/1", found.to_json(), lambda out: _print(out, found, session.lang), found.findings
    )


def _print(console: Console, found: Reconciled, lang: Lang) -> None:
    from rich.markup import escape

    from celadon.cli.show import number, table

    lines, zh = found.reconciliation, lang == "zh"
    sides = [
        f"{side.book.id} {side.book.label(side.quantity).say(lang)}" for side in (lines.before, lines.after)
    ]
    headings = (
        ("原因", "事实", "地点", "前者", "后者", "差额")
        if zh
        else ("why", "fact", "place", "first", "second", "difference")
    )
    made = table(
        f"{escape(sides[0])} → {escape(sides[1])} ({lines.unit})",
        [(name, at > 2) for at, name in enumerate(headings)],
    )
    for line in lines.lines:
        fact = " ".join(word for word in (line.item or line.fact, line.purpose) if word)
        made.add_row(
            _KIND[line.kind][lang],
            escape(fact),
            escape(line.site),
            number(line.before),
            number(line.after),
            number(line.difference),
        )
        for mark, factors in (("①", line.before_factors), ("②", line.after_factors)):
            for words in factors[:3] if line.kind == "factor" else ():
                made.add_row("", f"[dim]{mark} {escape(words)}[/dim]", "", "", "", "")
    total = "合计" if zh else "total"
    made.add_row(
        f"[bold]{total}[/bold]",
        "",
        "",
        number(lines.before_total),
        number(lines.after_total),
        f"[bold]{number(lines.difference)}[/bold]",
    )
    console.print(made)
