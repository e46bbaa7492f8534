"""`celadon quarantine PLANT [list | export FILE | replay FILE]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.quarantine import Kept

_SHOWN = 200


@make_command(
    "quarantine",
    en="Rows of PLANT's files that were kept out.\n\nlist: show them. export FILE: write them as CSV; correct the column `corrected`. "
    "replay FILE: count the corrected rows.",
    zh="PLANT 文件中被隔离的行。\n\nlist：查看。export FILE：导出为 CSV，在 `corrected` 列更正。replay FILE：重放更正后的行。",
)
@plant_argument
@click.argument("action", type=click.Choice(["list", "export", "replay"]), default="list")
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@option("--all", "every", is_flag=True, en="Show settled rows too.", zh="同时显示已处理的行。")
def command(context: click.Context, plant: str, action: str, file: str | None, every: bool, as_json: bool, lang: str | None,
            quiet: bool) -> None:  # fmt: skip
    """Lists, exports or replays."""
    from celadon.cli.region_load import export_rejected, quarantine_region
    from celadon.plant.facade import open_plant
    from celadon.region.reader import is_region

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    if action != "list" and file is None:
        raise click.MissingParameter(param_hint="FILE", param_type="argument", ctx=context)
    if is_region(plant):
        if action == "replay":
            said = (
                "区域的行须在数据来源更正后重新载入"
                if zh
                else "a region's rows are corrected at their source and loaded again"
            )
            raise click.UsageError(said, context)
        if file is not None:
            export_rejected(plant, file, session)
        else:
            quarantine_region(plant, session)
        return
    with open_plant(plant) as opened:
        if action == "export" and file is not None:
            count = opened.export_quarantine(file)
            said = f"已将 {count} 行写入 {file}" if zh else f"{count} rows written to {file}"
            session.finish(
                "quarantine-export/1",
                {"rows": count, "file": file},
                lambda out: out.print(said, markup=False),
            )
        elif action == "replay" and file is not None:
            done = opened.replay(file)
            said = (
                f"重放 {len(done.replayed)} 行，放弃 {len(done.dismissed)} 行，仍有误 {len(done.still_bad)} 行"
                if zh
                else f"{len(done.replayed)} rows replayed, {len(done.dismissed)} dismissed, {len(done.still_bad)} still wrong"
            )
            session.finish(
                "replay/1", done.to_json(), lambda out: out.print(said, markup=False), done.findings
            )
        else:
            rows = opened.quarantine(None if every else "open")
            body = {"rows": [kept.to_json() for kept in rows]}
            session.finish("quarantine/1", body, lambda out: _print(out, rows, session))


def _print(console: Console, rows: list[Kept], session: Session) -> None:
    from rich.markup import escape

    from celadon.cli.show import table
    from celadon.plant.quarantine import describe

    zh = session.lang == "zh"
    if not rows:
        console.print("隔离区为空。" if zh else "Nothing waits in quarantine.", style="green")
        return
    headings = ("编号", "位置", "原因", "内容", "状态") if zh else ("id", "place", "why", "cells", "status")
    made = table(
        "隔离区" if zh else "Quarantine", [(name, number == 0) for number, name in enumerate(headings)]
    )
    for kept in rows[:_SHOWN]:
        made.add_row(
            str(kept.row.id),
            escape(str(kept.row.finding.where)),
            kept.kept_out.code,
            escape(describe(kept, session.lang)),
            kept.row.status,
        )
    console.print(made)
    if len(rows) > _SHOWN:
        console.print(f"… {len(rows) - _SHOWN:,}")
