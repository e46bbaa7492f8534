"""`celadon backup PLANT FOLDER`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import plant_argument
from celadon.cli.session import Session


@make_command(
    "backup",
    en="Bring the backup of PLANT and its store in FOLDER up to date; loads may go on meanwhile.",
    zh="将 PLANT 及其存储备份到 FOLDER（增量）；期间可继续加载。",
)
@plant_argument
@click.argument("folder", type=click.Path())
def command(
    context: click.Context, plant: str, folder: str, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Exits 1 where a damaged segment could not be copied."""
    from celadon.plant.backup import back_up
    from celadon.plant.opened import open_file

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("备份" if zh else "backing up") as progress:
        done = back_up(open_file(plant), folder, progress)
    copied = done.copied
    said = (
        f"{copied.files:,} 个文件，{copied.bytes:,} 字节；新增 {copied.new_files:,} 个文件，{copied.new_bytes:,} 字节；至批次 {copied.batch}"
        if zh
        else f"{copied.files:,} files, {copied.bytes:,} bytes; new: {copied.new_files:,} files, {copied.new_bytes:,} bytes; "
        f"up to batch {copied.batch}"
    )
    session.finish("backup/1", done.to_json(), lambda out: out.print(said), done.findings, brief=False)
