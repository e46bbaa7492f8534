"""`celadon compare PLANT`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, pairs, plant_argument
from celadon.cli.session import Session
from celadon.core.text import Lang

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.compare import Difference

_KIND = {
    "fact": {"en": "facts", "zh": "数据"},
    "factor": {"en": "factor", "zh": "因子"},
    "option": {"en": "option", "zh": "选项"},
    "rule": {"en": "rules", "zh": "规则"},
}
_SHOWN = 200
_DATE = click.DateTime(["%Y-%m-%d"])


@make_command(
    "compare",
    en="Two answers of PLANT to one question: what changed, by how much, and which fact, factor, option or rule moved it.\n\n"
    "Say what differs with --before-… and --after-…; --pending compares with the files that are not loaded yet, committing nothing.",
    zh="比较 PLANT 对同一问题的两个答案：变化了什么、多少，由哪项数据、因子、选项或规则引起。\n\n"
    "用 --before-… 与 --after-… 说明差异；--pending 与尚未载入的文件比较，不作提交。",
)
@plant_argument
@option("--rulebook", "-r", en="Rulebook of both sides.", zh="双方的规则册。")
@option("--period", "-p", required=True, en="2018, 2018-03 …", zh="2018、2018-03 等。")
@option("--before-as-of", en="First side: what was known then.", zh="前者：该时刻已知的数据。")
@option("--after-as-of", en="Second side: what was known then.", zh="后者：该时刻已知的数据。")
@option("--before-rulebook", en="First side's rulebook.", zh="前者的规则册。")
@option("--after-rulebook", en="Second side's rulebook.", zh="后者的规则册。")
@option(
    "--before-option",
    multiple=True,
    callback=pairs,
    en="First side's choice, name=value.",
    zh="前者的选项 名称=取值。",
)
@option(
    "--after-option",
    multiple=True,
    callback=pairs,
    en="Second side's choice, name=value.",
    zh="后者的选项 名称=取值。",
)
@option(
    "--before-factors-as-of",
    type=_DATE,
    en="First side: factor rows published by then.",
    zh="前者：截至该日发布的因子。",
)
@option(
    "--after-factors-as-of",
    type=_DATE,
    en="Second side: factor rows published by then.",
    zh="后者：截至该日发布的因子。",
)
@option(
    "--pending",
    is_flag=True,
    en="Second side: with the files that are not loaded yet.",
    zh="后者：包含尚未载入的文件。",
)
@option(
    "--by",
    type=click.Choice(["enterprise", "site", "process", "meter"]),
    default="site",
    show_default=True,
    en="How fine in place.",
    zh="空间粒度。",
)
@option("--per", type=click.Choice(["hour", "day", "month", "year"]), en="How fine in time.", zh="时间粒度。")
@option(
    "--quantity",
    "-q",
    "quantities",
    multiple=True,
    en="A quantity, instead of the totals; repeatable.",
    zh="指定指标；可重复。",
)
@option(
    "--option",
    "-o",
    "options",
    multiple=True,
    callback=pairs,
    en="A choice of both sides, name=value.",
    zh="双方的选项 名称=取值。",
)
def command(context: click.Context, plant: str, rulebook: str | None, period: str, pending: bool, by: str, per: str | None,
            quantities: tuple[str, ...], options: dict[str, str], as_json: bool, lang: str | None, quiet: bool,
            **sides: Any) -> None:  # fmt: skip
    """Compares."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    before, after = _side(sides, "before"), _side(sides, "after")
    first = rulebook or before.get("rulebook") or after.get("rulebook")
    if first is None:
        raise click.MissingParameter(param_hint="--rulebook", param_type="option", ctx=context)
    if before == after and not pending:
        said = (
            "双方相同：请用 --before-…、--after-… 或 --pending 说明差异"
            if session.lang == "zh"
            else "both sides are the same: say what differs with --before-…, --after-… or --pending"
        )
        raise click.UsageError(said, context)
    with open_plant(plant) as opened:
        found = opened.compare(
            first,
            period,
            before=before,
            after=after,
            pending_files=pending,
            by=by,
            per=per,
            quantities=quantities,
            options=options,
        )
    session.finish(
        "comparison/1", found.to_json(), lambda out: print_difference(out, found, session.lang), found.new
    )


def _side(given: dict[str, Any], name: str) -> dict[str, Any]:
    published = given[f"{name}_factors_as_of"]
    side = {
        "as_of": given[f"{name}_as_of"],
        "rulebook": given[f"{name}_rulebook"],
        "options": given[f"{name}_option"],
        "factors_as_of": published.date() if isinstance(published, datetime) else None,
    }
    return {key: value for key, value in side.items() if value}


def print_difference(console: Console, found: Difference, lang: Lang) -> None:
    """A row per cell that changed, its causes below."""
    from rich.markup import escape

    from celadon.cli.show import number, table

    zh, lines = lang == "zh", found.comparison.lines
    book = found.comparison.after.book
    if not lines:
        console.print(
            f"没有变化（{found.comparison.unchanged} 个数值相同）"
            if zh
            else f"Nothing changed ({found.comparison.unchanged} values are the same)",
            style="green",
        )
        return
    headings = (("指标", "位置", "期间", "之前", "之后", "变化", "单位") if zh
                else ("quantity", "place", "period", "before", "after", "change", "unit"))  # fmt: skip
    made = table(
        "变化" if zh else "What changed",
        [(name, number_ in (3, 4, 5)) for number_, name in enumerate(headings)],
    )
    for line in lines[:_SHOWN]:
        name = book.label(line.quantity).say(lang) + (f" [{line.item}]" if line.item else "")
        place = line.meter or line.process or line.site
        change = f"[bold]{line.difference:+,.6g}[/bold]"
        made.add_row(
            escape(name), place, line.period, number(line.before), number(line.after), change, line.unit
        )
        for cause in line.causes:
            label = f"  └ {_KIND.get(cause.kind, {}).get(lang, cause.kind)} {cause.name}"
            made.add_row(escape(label), "", "", "", "", f"{cause.difference:+,.6g}", "", style="dim")
    console.print(made)
    details = {
        (cause.kind, cause.name): cause.detail for line in lines for cause in line.causes if cause.detail
    }
    for (kind, name), detail in details.items():
        console.print(
            f"  {_KIND.get(kind, {}).get(lang, kind)} {name}: {detail}", markup=False, soft_wrap=True
        )
    if len(lines) > _SHOWN:
        console.print(f"… {len(lines) - _SHOWN:,}")
    if found.comparison.unchanged:
        console.print(
            f"{found.comparison.unchanged} 个数值未变"
            if zh
            else f"{found.comparison.unchanged} values unchanged",
            style="dim",
        )
