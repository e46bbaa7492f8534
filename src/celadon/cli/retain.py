"""`celadon retain PLANT`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session


@make_command(
    "retain",
    en="Show which replaced readings of PLANT could go, or drop them with --apply; without --keep-history everything is kept.",
    zh="显示 PLANT 中可删除的被替换读数，加 --apply 则删除；不加 --keep-history 时全部保留。",
)
@plant_argument
@option(
    "--keep-history",
    "keep",
    metavar="5y|18mo|90d",
    en="Keep every answer as of this long ago or later exact; readings replaced before may go.",
    zh="在此时长之内的任意时点的结果保持不变；此前被替换的读数可删除。",
)
@option(
    "--apply", is_flag=True, en="Drop them. Answers as of earlier are refused from then on.", zh="执行删除。此后更早时点的结果将被拒绝。"
)  # fmt: skip
def command(
    context: click.Context, plant: str, keep: str | None, apply: bool, as_json: bool, lang: str | None, quiet: bool
) -> None:  # fmt: skip
    """Changes nothing unless asked to."""
    from celadon.plant.opened import open_file
    from celadon.plant.retain import retain

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("保留策略" if zh else "retention") as progress:
        done = retain(open_file(plant), keep, progress, apply=apply)
    lines = [f"  {month}  {count:,}" for month, count in done.months]
    if not done.months:
        lines.append("没有可删除的读数" if zh else "no reading can go")
    elif zh:
        lines.append(
            f"{done.readings:,} 条被替换的读数{'已删除' if apply else '可删除（加 --apply 执行）'}；{done.since} 之前时点的结果{'不再' if apply else '将不再'}可用"
        )
    else:
        lines.append(
            f"{done.readings:,} replaced readings {'are gone' if apply else 'would go (--apply drops them)'}; "
            f"answers as of before {done.since} {'cannot' if apply else 'could not'} be told any more"
        )
    if done.held_back:
        lines.append(
            f"{done.held_back:,} 条因影响台账而保留" if zh else f"{done.held_back:,} stay, as the ledger needs them"
        )  # fmt: skip
    session.finish("retain/1", done.to_json(), lambda out: out.print("\n".join(lines)), ())
