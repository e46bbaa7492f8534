"""`celadon verify PLANT`."""

from __future__ import annotations

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import plant_argument
from celadon.cli.session import Session


@make_command(
    "verify",
    en="Compare every stored segment of PLANT with its digest and check the catalogue.",
    zh="将 PLANT 存储的每个数据段与其摘要核对，并检查目录库。",
)
@plant_argument
def command(context: click.Context, plant: str, as_json: bool, lang: str | None, quiet: bool) -> None:
    """Exits 1 where something is damaged."""
    from celadon.plant.opened import open_file
    from celadon.plant.upkeep import verify

    session = Session(context, as_json, lang, quiet)
    zh = session.lang == "zh"
    with session.progress("核验" if zh else "verifying") as progress:
        done = verify(open_file(plant), progress)
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
