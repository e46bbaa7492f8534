"""`celadon load PLANT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option, plant_argument
from celadon.cli.session import Session
from celadon.core.text import Lang

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.loading import LoadedFile, Loading

_STATUS = {
    "loaded": {"en": "loaded", "zh": "已载入"},
    "known": {"en": "was loaded", "zh": "此前已载入"},
    "failed": {"en": "not readable", "zh": "无法读取"},
    "readable": {"en": "readable", "zh": "可读取"},
    "new": {"en": "would load", "zh": "将载入"},
}


@make_command(
    "load",
    en="Load the files that PLANT's file names into the plant's store: each once, resuming where a killed load stopped.",
    zh="将 PLANT 工厂文件所列的文件载入存储：每个文件只载入一次；中断后可继续。",
)
@plant_argument
@option(
    "--preview", is_flag=True, en="Say what would be loaded; commit nothing.", zh="只说明将载入什么，不提交。"
)
@option(
    "--catalogue",
    metavar="URL",
    en="PostgreSQL database that lists what is stored, when several hosts write: postgresql://user@host/database; "
    "the store remembers it.",
    zh="多台主机写入时，登记存储内容的 PostgreSQL 数据库：postgresql://用户@主机/数据库；数据仓会记住该地址。",
)
@option(
    "--segments",
    metavar="URL",
    en="Object store that keeps what is loaded: s3://bucket/plant; the store remembers it.",
    zh="保存已载入数据的对象存储：s3://桶/工厂；数据仓会记住该地址。",
)
def command(
    context: click.Context,
    plant: str,
    preview: bool,
    catalogue: str | None,
    segments: str | None,
    as_json: bool,
    lang: str | None,
    quiet: bool,
) -> None:
    """Loads, or says what would be loaded."""
    from celadon.cli.region_load import load_region
    from celadon.plant.facade import open_plant
    from celadon.region.reader import is_region

    session = Session(context, as_json, lang, quiet)
    if is_region(plant):
        load_region(plant, session, catalogue, segments)
        return
    with (
        open_plant(plant, catalogue=catalogue, segments=segments) as opened,
        session.progress("载入" if session.lang == "zh" else "loading") as progress,
    ):
        done = opened.preview(progress) if preview else opened.load(progress)
    session.finish(
        "load/1",
        {"preview": preview, **done.to_json()},
        lambda out: _print(out, done, session),
        done.findings,
        brief=False,
    )


def _print(console: Console, done: Loading, session: Session) -> None:
    zh = session.lang == "zh"
    print_files(console, [item for item in done.files if item.status != "known"], session.lang)
    known = sum(1 for item in done.files if item.status == "known")
    if known:
        console.print(
            f"{known} 个文件此前已载入，未重复"
            if zh
            else f"{known} files were loaded before: nothing is stored twice"
        )
    if done.changed:
        console.print(
            f"共载入读数 {done.readings:,}、台账记录 {done.records:,}；存储：{done.store}"
            if zh
            else f"{done.readings:,} readings and {done.records:,} records in {done.store}"
        )


def print_files(console: Console, files: list[LoadedFile], lang: Lang) -> None:
    """A row per file, or per source where there are many."""
    from celadon.cli.show import table

    if not files:
        return
    headings = (
        ("数据源", "文件", "", "读数", "记录", "隔离")
        if lang == "zh"
        else ("source", "file", "", "readings", "records", "kept out")
    )
    made = table(
        "文件" if lang == "zh" else "Files", [(name, number > 2) for number, name in enumerate(headings)]
    )
    by_source: dict[tuple[str, str], list[LoadedFile]] = {}
    for item in files:
        by_source.setdefault((item.source, item.status), []).append(item)
    for (source, status), group in by_source.items():
        names = [item.name for item in group]
        shown = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})"
        sums = (sum(getattr(item, name) for item in group) for name in ("readings", "records", "quarantined"))
        made.add_row(source, shown, _STATUS[status][lang], *(f"{total:,}" if total else "" for total in sums))
    console.print(made)
