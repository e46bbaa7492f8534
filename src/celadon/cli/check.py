"""`celadon check PLANT`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import plant_argument
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.checking import Check


@make_command(
    "check",
    en="Read PLANT's file and everything it names, change nothing, and list what is wrong and what to do.",
    zh="读取 PLANT 工厂文件及其所列的全部文件，不作任何更改，列出问题与处理办法。",
)
@plant_argument
def command(context: click.Context, plant: str, as_json: bool, lang: str | None, quiet: bool) -> None:
    """Lists findings; exits 1 where one is an error."""
    from celadon.plant.facade import open_plant

    session = Session(context, as_json, lang, quiet)
    with (
        open_plant(plant) as opened,
        session.progress("检查" if session.lang == "zh" else "checking") as progress,
    ):
        found = opened.check(progress)
    session.finish(
        "check/1", found.to_json(), lambda out: _print(out, found, session), found.findings, brief=False
    )


def _print(console: Console, found: Check, session: Session) -> None:
    from celadon.cli.load import print_files
    from celadon.cli.words import word

    counts, zh = found.summary, session.lang == "zh"
    words = {
        "sites": "场所", "processes": "工序", "meters": "计量点", "virtual_meters": "虚拟计量点", "tariffs": "电价",
        "sources": "数据源", "factors": "自有因子",
    }  # fmt: skip
    parts = [
        f"{label if zh else name.replace('_', ' ')} {counts.get(name, 0)}" for name, label in words.items()
    ]
    console.print(("、" if zh else ", ").join(parts) + (f"; {found.period}" if found.period else ""))
    print_files(
        console,
        [replace(item, status="readable") if item.status == "loaded" else item for item in found.files],
        session.lang,
    )
    if not found.findings:
        console.print(word("no_findings", session.lang), style="green")
