"""`celadon retain PLANT|REGION`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import either_argument, option
from celadon.cli.session import Session


@make_command(
    "retain",
    en="Show which replaced readings or reports of a plant or region could go, or drop them with --apply; without --keep-history everything is kept.",
    zh="显示工厂或区域中可删除的被替换数据，加 --apply 则删除；不加 --keep-history 时全部保留。",
)
@either_argument
@option(
    "--keep-history",
    "keep",
    metavar="5y|18mo|90d",
    en="Keep every answer as of this long ago or later exact; what was replaced before may go.",
    zh="在此时长之内的任意时点的结果保持不变；此前被替换的数据可删除。",
)
@option(
    "--apply", is_flag=True, en="Drop them. Answers as of earlier are refused from then on.", zh="执行删除。此后更早时点的结果将被拒绝。"
)  # fmt: skip
def command(
    context: click.Context, path: str, keep: str | None, apply: bool, as_json: bool, lang: str | None, quiet: bool
) -> None:  # fmt: skip
    """Changes nothing unless asked to."""
    from celadon.region.upkeep import retain

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("保留策略" if zh else "retention") as progress:
        done = retain(path, keep, progress, apply=apply)
    lines = [f"  {month}  {count:,}" for month, count in done.months]
    if not done.months:
        lines.append("没有可删除的数据" if zh else "nothing can go")
    elif zh:
        lines.append(
            f"{done.readings:,} 条被替换的数据{'已删除' if apply else '可删除（加 --apply 执行）'}；{done.since} 之前时点的结果{'不再' if apply else '将不再'}可用"
        )
    else:
        lines.append(
            f"{done.readings:,} replaced readings or reports {'are gone' if apply else 'would go (--apply drops them)'}; "
            f"answers as of before {done.since} {'cannot' if apply else 'could not'} be told any more"
        )
    if done.held_back:
        lines.append(
            f"{done.held_back:,} 条因影响台账而保留" if zh else f"{done.held_back:,} stay, as the ledger needs them"
        )  # fmt: skip
    session.finish("retain/1", done.to_json(), lambda out: out.print("\n".join(lines)), ())
