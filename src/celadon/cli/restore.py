"""`celadon restore BACKUP FOLDER`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.session import Session


@make_command(
    "restore",
    en="Make the new FOLDER the plant or region that BACKUP holds, every byte compared with its digest.",
    zh="将 BACKUP 中的工厂或区域恢复到新目录 FOLDER，并逐字节核对摘要。",
)
@click.argument("backup", type=click.Path())
@click.argument("folder", type=click.Path())
def command(
    context: click.Context, backup: str, folder: str, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Overwrites nothing."""
    from celadon.region.upkeep import restore

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("恢复" if zh else "restoring") as progress:
        done = restore(backup, folder, progress)
    copied = done.copied
    said = (
        f"{done.folder}：{copied.files:,} 个文件，{copied.bytes:,} 字节，至批次 {copied.batch}，摘要均一致"
        if zh
        else f"{done.folder}: {copied.files:,} files, {copied.bytes:,} bytes, up to batch {copied.batch}, every digest as it was"
    )
    session.finish("restore/1", done.to_json(), lambda out: out.print(said), done.findings, brief=False)
