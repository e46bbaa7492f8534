"""`load` and `quarantine` of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.region.loading import Loading
    from celadon.region.rejected import Rejected

_STATUS = {
    "loaded": {"en": "loaded", "zh": "已载入"},
    "known": {"en": "was loaded", "zh": "此前已载入"},
    "failed": {"en": "not readable", "zh": "无法读取"},
}
_ROWS_SHOWN = 50


def load_region(path: str, session: Session, catalogue: str | None, segments: str | None) -> None:
    """Load what is not loaded yet."""
    from celadon.region.facade import open_region

    with (
        open_region(path, catalogue, segments) as region,
        session.progress("载入" if session.lang == "zh" else "loading") as progress,
    ):
        done = region.load(progress)
    session.finish(
        "region-load/1",
        done.to_json(),
        lambda out: print_load(out, done, session),
        done.findings,
        brief=False,
    )


def print_load(console: Console, done: Loading, session: Session) -> None:
    """A row per sender and what became of its files."""
    from celadon.cli.show import table

    zh = session.lang == "zh"
    headings = ("数据源", "文件", "", "行", "未载入") if zh else ("source", "files", "", "rows", "kept out")
    made = table(
        "文件" if zh else "Files",
        [(name, number != 0 and number != 2) for number, name in enumerate(headings)],
    )
    groups: dict[tuple[str, str], list[int]] = {}
    for item in done.files:
        sums = groups.setdefault((item.source, item.status), [0, 0, 0])
        for place, count in enumerate((1, item.rows, item.rejected)):
            sums[place] += count
    for (source, status), (files, rows, rejected) in groups.items():
        counts = (f"{rows:,}" if rows else "", f"{rejected:,}" if rejected else "")
        made.add_row(source, str(files), _STATUS[status][session.lang], *counts)
    console.print(made)
    console.print(
        f"共载入 {done.rows:,} 行；存储：{done.store}"
        if zh
        else f"{done.rows:,} rows loaded into {done.store}",
        markup=False,
    )


def quarantine_region(path: str, session: Session) -> None:
    """List the rows that loads kept out."""
    from celadon.region.facade import open_region

    with open_region(path) as region:
        found = region.rejected()
    session.finish("region-quarantine/1", found.to_json(), lambda out: _print_rejected(out, found, session))


def export_rejected(path: str, file: str, session: Session) -> None:
    """Write all rows that loads kept out to a CSV."""
    from pathlib import Path

    from celadon.region.facade import open_region

    with open_region(path) as region:
        found = region.rejected(10_000_000)
    Path(file).write_text(found.to_csv(), encoding="utf-8")
    said = f"{file}：{found.count} 行" if session.lang == "zh" else f"{file}: {found.count} rows"
    session.finish(
        "region-quarantine/1", {"count": found.count, "rows": []}, lambda out: out.print(said, markup=False)
    )


def _print_rejected(console: Console, found: Rejected, session: Session) -> None:
    from rich.markup import escape

    from celadon.cli.show import table

    zh = session.lang == "zh"
    if not found.rows:
        console.print("没有未载入的行" if zh else "no rows are kept out")
        return
    headings = (
        ("文件", "行", "企业", "月份", "原因", "列", "内容")
        if zh
        else ("file", "line", "enterprise", "month", "why", "column", "text")
    )
    made = table(f"{found.count:,}", [(name, number == 1) for number, name in enumerate(headings)])
    for row in found.rows[:_ROWS_SHOWN]:
        made.add_row(*(escape(click.unstyle(str(cell))) if cell is not None else "" for cell in row[:7]))
    console.print(made)
