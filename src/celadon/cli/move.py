"""`celadon move PLANT|REGION --catalogue URL|folder`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import either_argument, option
from celadon.cli.session import Session


@make_command(
    "move",
    en="Move the catalogue of a plant's or region's store to a PostgreSQL server, back into the folder, or to another server; "
    "every row is compared before it counts.",
    zh="将工厂或区域存储的目录库迁移到 PostgreSQL 服务器、迁回目录或迁到另一服务器；逐行核对后才生效。",
)
@either_argument
@option(
    "--catalogue",
    required=True,
    metavar="URL|folder",
    en="Where to: postgresql://user@host/database?schema=name, or the word folder.",
    zh="目标：postgresql://用户@主机/数据库?schema=名称，或 folder（存储目录内）。",
)
def command(
    context: click.Context, path: str, catalogue: str, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Waits for the writer that is at work."""
    from celadon.region.upkeep import move

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("迁移" if zh else "moving") as progress:
        found = move(path, catalogue, progress)
    done = found.done
    if not done.moved:
        said = f"目录库已在 {done.now}" if zh else f"the catalogue is in {done.now} already"
    elif zh:
        said = f"目录库由 {done.before} 迁移到 {done.now}：{done.rows:,} 行，逐行一致，至批次 {done.batch}"
    else:
        said = f"catalogue moved from {done.before} to {done.now}: {done.rows:,} rows, each compared, up to batch {done.batch}"
    session.finish("move/1", found.to_json(), lambda out: out.print(said, markup=False), found.findings)
