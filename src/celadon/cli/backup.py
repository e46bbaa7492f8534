"""`celadon backup PLANT|REGION FOLDER`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import either_argument
from celadon.cli.session import Session


@make_command(
    "backup",
    en="Bring the backup of a plant or region and its store in FOLDER up to date; loads may go on meanwhile.",
    zh="将工厂或区域及其存储备份到 FOLDER（增量）；期间可继续加载。",
)
@either_argument
@click.argument("folder", type=click.Path())
def command(
    context: click.Context, path: str, folder: str, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Exits 1 where a damaged segment could not be copied."""
    from celadon.region.upkeep import back_up

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("备份" if zh else "backing up") as progress:
        done = back_up(path, folder, progress)
    copied = done.copied
    said = (
        f"{copied.files:,} 个文件，{copied.bytes:,} 字节；新增 {copied.new_files:,} 个文件，{copied.new_bytes:,} 字节；至批次 {copied.batch}"
        if zh
        else f"{copied.files:,} files, {copied.bytes:,} bytes; new: {copied.new_files:,} files, {copied.new_bytes:,} bytes; "
        f"up to batch {copied.batch}"
    )
    session.finish("backup/1", done.to_json(), lambda out: out.print(said), done.findings, brief=False)
