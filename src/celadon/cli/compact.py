"""`celadon compact PLANT|REGION`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import either_argument
from celadon.cli.session import Session


@make_command(
    "compact",
    en="Merge the small segments of a plant's or region's store; every earlier answer stays as it was.",
    zh="合并工厂或区域存储中的小数据段；以前的结果保持不变。",
)
@either_argument
def command(context: click.Context, path: str, as_json: bool, lang: str | None, quiet: bool) -> None:
    """Says what was saved."""
    from celadon.region.upkeep import compact

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("压缩" if zh else "compacting") as progress:
        done = compact(path, progress)
    segments = f"{done.segments_before:,} → {done.segments_after:,}"
    size = f"{done.bytes_before:,} → {done.bytes_after:,}"
    said = (
        f"数据段 {segments}，字节 {size}（被替换的文件稍后删除）"
        if zh
        else f"segments {segments}, bytes {size} (replaced files go later)"
    )
    session.finish("compact/1", done.to_json(), lambda out: out.print(said), done.findings)
