"""`celadon demo --region`: a small invented country, loaded, accounted, graded, benchmarked, screened and warned."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.region.facade import Region

FIRMS = 3000
YEAR = 2024
BOOK = "cn_gbt_32150_2015"


def tell(session: Session, folder: Path, kept: bool) -> None:
    """Every step with the command that does the same; with --json only what came out."""
    from celadon.region.facade import open_region

    story = _Story(session, folder)
    story.make()
    with open_region(folder) as region:
        for step in (story.load, story.account, story.grade, story.peers, story.screen, story.warn):
            step(region)
    story.body["seconds"] = round(time.monotonic() - story.began, 1)
    session.finish("demo-region/1", story.body, lambda out: story.close(out, kept))


class _Story:
    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder, self.zh = session, folder, session.lang == "zh"
        self.began = time.monotonic()
        self.body: dict[str, Any] = {"folder": str(folder)}
        self.console: Console | None = None if session.as_json else session.console()

    def _say(self, en: str, zh: str, line: str) -> None:
        if self.console is not None:
            self.console.print(f"\n[bold cyan]{zh if self.zh else en}[/bold cyan]")
            self.console.print(f"   $ celadon {line}", style="dim", markup=False)

    def _show(self, draw: Callable[[Console], None]) -> None:
        if self.console is not None:
            draw(self.console)

    def make(self) -> None:
        from celadon.examples.country import generate

        if self.console is not None:
            title = f"虚构国：{FIRMS:,} 家企业两年的月报与账单，含预埋异常" if self.zh else (
                f"An invented country: two years of reports and bills of {FIRMS:,} enterprises, anomalies planted")  # fmt: skip
            self.console.print(f"[bold]{title}[/bold]")
        with self.session.progress("生成文件" if self.zh else "making the files") as progress:
            made = generate(
                self.folder, FIRMS,
                progress=(lambda done, total, what: progress(done / total, what)) if progress else None,
            )  # fmt: skip
        self.body |= {"enterprises": made.enterprises, "planted": made.planted}

    def load(self, region: Region) -> None:
        from celadon.cli.region_load import print_load

        self._say("Load: registry, quotas and monthly facts", "载入：名录、配额与月度数据", "load COUNTRY")
        with self.session.progress("载入" if self.zh else "loading") as progress:
            done = region.load(progress)
        self.body["load"] = {"rows": done.rows, "rejected": done.rejected}
        self._show(lambda out: print_load(out, done, self.session))

    def account(self, region: Region) -> None:
        from celadon.cli.region_account import print_account

        line = f"account COUNTRY --rulebook {BOOK} --by division --period {YEAR}"
        self._say("Account: one rulebook over every enterprise", "核算：一个规则册，全部企业", line)
        found = region.account(BOOK, str(YEAR), by="division", quantities=["total_emission"])
        whole = region.account(BOOK, str(YEAR), quantities=["total_emission"])
        self.body["account"] = {
            "divisions": len(found.rows), "sum": sum(row.value or 0.0 for row in found.rows),
            "total": whole.value("total_emission"),
        }  # fmt: skip
        self._show(lambda out: print_account(out, found, self.session))

    def grade(self, region: Region) -> None:
        from celadon.cli.grade import print_grades

        self._say(
            "Grade: level and efficiency of each, and rank",
            "评级：水平、碳效与排名",
            f"grade COUNTRY --period {YEAR}",
        )
        found = region.grade(str(YEAR), rulebook=BOOK)
        self.body["grades"] = {
            f"L{level}K{efficiency}": count for (level, efficiency), count in sorted(found.counts.items())
        }
        self._show(lambda out: print_grades(out, found, self.session, most=5))

    def peers(self, region: Region) -> None:
        from celadon.cli.peers import print_peers

        line = f"peers COUNTRY --period {YEAR} --by industry_group"
        self._say("Peers: benchmarks that show nobody", "对标：不暴露任何一家", line)
        found = region.peers(str(YEAR), by="industry_group")
        self.body["peers"] = {
            "groups": len(found.groups), "suppressed": sum(1 for item in found.groups if item.suppressed)
        }  # fmt: skip
        self._show(lambda out: print_peers(out, found, self.session, most=10))

    def screen(self, region: Region) -> None:
        from celadon.cli.screen import print_screened

        self._say(
            "Screen: reports that cannot be right", "筛查：不合理的报表", f"screen COUNTRY --period {YEAR}"
        )
        with self.session.progress("筛查" if self.zh else "screening") as progress:
            found = region.screen(str(YEAR), most=1_000_000, progress=progress)
        with (self.folder / "truth.csv").open(encoding="utf-8") as stream:
            planted = {row["enterprise"] for row in csv.DictReader(stream)}
        flagged = {item.enterprise for item in found.alarms}
        hit = len(flagged & planted)
        self.body["screen"] = {
            "flagged": found.flagged, "planted": len(planted), "found": hit, "counts": found.counts
        }  # fmt: skip
        self._show(lambda out: print_screened(out, found, self.session))
        if self.console is not None:
            self.session.show_findings(self.console, [item.finding for item in found.alarms], brief=True)
            self.console.print(
                f"   预埋 {len(planted)} 家，查出 {hit} 家；被提示而并未预埋 {len(flagged) - hit} 家"
                if self.zh
                else f"   {hit} of the {len(planted)} spoiled enterprises were found; {len(flagged) - hit} honest ones were asked"
            )

    def warn(self, region: Region) -> None:
        from celadon.cli.warn import print_warnings

        line = f"warn COUNTRY --year {YEAR} --month 8"
        self._say("Warn: quotas at risk, forecast from August", "预警：自 8 月预测全年配额风险", line)
        found = region.warn(YEAR, 8)
        self.body["warn"] = {"quotas": found.quotas, "counts": dict(found.counts)}
        self._show(lambda out: print_warnings(out, found, self.session))

    def close(self, console: Console, kept: bool) -> None:
        """The last words."""
        seconds = self.body["seconds"]
        console.print(
            f"\n[bold green]{f'完成，用时 {seconds} 秒。' if self.zh else f'Done in {seconds} s.'}[/bold green]"
        )
        if kept:
            console.print(
                f"文件在 {self.folder}" if self.zh else f"The files are in {self.folder}", markup=False
            )
