"""`celadon verify PLANT|REGION`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import either_argument
from celadon.cli.session import Session


@make_command(
    "verify",
    en="Compare every stored segment of a plant or region with its digest and check the catalogue.",
    zh="将工厂或区域存储的每个数据段与其摘要核对，并检查目录库。",
)
@either_argument
def command(context: click.Context, path: str, as_json: bool, lang: str | None, quiet: bool) -> None:
    """Exits 1 where something is damaged."""
    from celadon.region.upkeep import verify

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("核验" if zh else "verifying") as progress:
        done = verify(path, progress)
    count, size = f"{done.segments_after:,}", f"{done.bytes_after:,}"
    said = (
        f"数据段 {count}，字节 {size}，批次 {done.batches}"
        if zh
        else f"{count} segments, {size} bytes, {done.batches} batches"
    )
    good = ("全部与写入时一致" if zh else "all as they were written") if not done.findings else ""
    session.finish(
        "verify/1",
        done.to_json(),
        lambda out: out.print(f"{said}  [green]{good}[/green]"),
        done.findings,
        brief=False,
    )
