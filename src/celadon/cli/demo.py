"""`celadon demo`: the whole way from a mill's files to an explained, restated account, told step by step."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from celadon.cli.base import command as make_command
from celadon.cli.base import option
from celadon.cli.demo_region import tell
from celadon.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.plant.compare import Difference
    from celadon.plant.facade import Plant

YEAR = 2024
BOOKS = ("cn_gbt_2589_2020", "cn_gbt_32150_2015", "ghg_protocol_corporate")
EXPLAINED = ("purchased_electricity_emission", "cn_gbt_32150_2015", f"{YEAR}-03", {"site": "mill"})
_TREE_DEPTH = 1


@make_command(
    "demo",
    en="A year of a small electric-arc steel mill: make its files, check, load, balance, account under three rulebooks, "
    "explain one number, then let late files arrive and see what they change.",
    zh="一座小型电弧炉钢厂的一年：生成文件、检查、载入、平衡、按三个规则册核算、解释一个数值，再载入迟到的文件并查看其影响。",
)
@option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False),
    en="Work in this (new) folder and keep it.",
    zh="在该（新）文件夹中进行并保留。",
)
@option("--keep", is_flag=True, en="Keep the temporary folder.", zh="保留临时文件夹。")
@option(
    "--region", is_flag=True, en="A small invented country instead of the mill.", zh="以小型虚构国代替钢厂。"
)
def command(
    context: click.Context,
    directory: str | None,
    keep: bool,
    region: bool,
    as_json: bool,
    lang: str | None,
    quiet: bool,
) -> None:
    """Tells the story; with --json only what came out of it."""
    session = Session(context, as_json, lang, quiet)
    with _folder(directory, keep) as folder:
        if region:
            tell(session, folder, directory is not None or keep)
            return
        story = _Story(session, folder, directory is not None or keep)
        body = story.tell()
    session.finish("demo/1", body, lambda out: story.close(out))


@contextmanager
def _folder(directory: str | None, keep: bool) -> Iterator[Path]:
    if directory is not None:
        folder = Path(directory)
        if folder.exists() and any(folder.iterdir()):
            raise click.BadParameter(f"{folder}: not empty", param_hint="--dir")
        yield folder
        return
    folder = Path(tempfile.mkdtemp(prefix="celadon-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


class _Story:
    """The steps in order; every step says which command does the same."""

    def __init__(self, session: Session, folder: Path, kept: bool) -> None:
        self.session, self.folder, self.kept = session, folder, kept
        self.zh = session.lang == "zh"
        self.began = time.monotonic()
        self.body: dict[str, Any] = {"folder": str(folder)}
        self.console: Console | None = None if session.as_json else session.console()

    def tell(self) -> dict[str, Any]:
        """Run every step; what came out, for JSON."""
        from celadon.plant.facade import open_plant

        self._make()
        with open_plant(self.folder) as plant:
            self._check(plant)
            self._load(plant)
            self._balance(plant)
            self._account(plant)
            self._explain(plant)
            self._late(plant)
        self.body["seconds"] = round(time.monotonic() - self.began, 1)
        return self.body

    def close(self, console: Console) -> None:
        """The last words."""
        seconds = self.body["seconds"]
        console.print(
            f"\n[bold green]{f'完成，用时 {seconds} 秒。' if self.zh else f'Done in {seconds} s.'}[/bold green]"
        )
        if self.kept:
            console.print(
                f"文件在 {self.folder}" if self.zh else f"The files are in {self.folder}", markup=False
            )
        console.print(
            "换成自己的数据：celadon new 我的工厂，改工厂文件，再 check、load、account。"
            if self.zh
            else "Your own data: `celadon new my-plant`, edit its plant file, then check, load, account.",
            markup=False,
        )

    # -- steps -------------------------------------------------------------------------------------------------------

    def _say(self, number: int, en: str, zh: str, line: str) -> None:
        if self.console is not None:
            self.console.print(f"\n[bold cyan]{number}. {zh if self.zh else en}[/bold cyan]")
            self.console.print(f"   $ celadon {line}", style="dim", markup=False)

    def _note(self, en: str, zh: str) -> None:
        if self.console is not None:
            self.console.print(f"   {zh if self.zh else en}", markup=False, soft_wrap=True)

    def _make(self) -> None:
        from celadon.examples.eaf_mill import generate

        if self.console is not None:
            title = (
                "鲁河特钢（虚构）：62 块电表及气、热、水表一年的文件，故障俱全"
                if self.zh
                else "Luhe Special Steel (invented): a year of its meter exports and records, faults included"
            )
            self.console.print(f"[bold]{title}[/bold]")
        with self.session.progress("生成文件" if self.zh else "making the files") as progress:
            truth = generate(
                self.folder,
                YEAR,
                progress=(lambda done, total, what: progress(done / total, what)) if progress else None,
            )
        self.body["faults"] = len(truth.faults)

    def _check(self, plant: Plant) -> None:
        self._say(
            1, "Check: everything is read, nothing is changed", "检查：读取全部文件，不作更改", "check luhe"
        )
        with self.session.progress("检查" if self.zh else "checking") as progress:
            found = plant.check(progress)
        counts = {
            name: sum(1 for item in found.findings if item.severity == name)
            for name in ("error", "warning", "notice")
        }
        self.body["check"] = {
            "period": found.period,
            "findings": counts,
            "codes": sorted({item.code for item in found.findings}),
        }
        if self.console is not None:
            from celadon.cli.load import print_files

            print_files(self.console, list(found.files), self.session.lang)
            self.session.show_findings(self.console, found.findings, brief=True)

    def _load(self, plant: Plant) -> None:
        self._say(
            2,
            "Load: each file once; a kill loses nothing, a second load does nothing",
            "载入：每个文件一次；中断不丢，重复不加",
            "load luhe",
        )
        with self.session.progress("载入" if self.zh else "loading") as progress:
            done = plant.load(progress)
        again = plant.load()
        size = sum(path.stat().st_size for path in plant.opened.store_path.rglob("*") if path.is_file())
        self.body["load"] = {
            "readings": done.readings,
            "records": done.records,
            "store_bytes": size,
            "second_load_changed": again.changed,
        }
        per = size / max(done.readings, 1)
        self._note(
            f"{done.readings:,} readings and {done.records:,} records in {size / 1e6:.1f} MB ({per:.1f} bytes a reading, ledger included)",
            f"读数 {done.readings:,}、台账记录 {done.records:,}，共 {size / 1e6:.1f} MB（每个读数 {per:.1f} 字节，含台账）",
        )

    def _balance(self, plant: Plant) -> None:
        self._say(
            3,
            "Balance: not one kilowatt-hour is unaccounted for",
            "平衡：一度电都不缺",
            f"balance luhe --period {YEAR}",
        )
        found = plant.balance(str(YEAR))
        self.body["balance"] = {
            "conserved": found.conserved,
            "points": len(found.proofs),
            "gaps": sum(len(item.gaps) for item in found.proofs),
        }
        if self.console is not None:
            from dataclasses import replace

            from celadon.cli.balance import _depths, print_balance

            model = plant.opened.model
            depths = _depths(model)
            top = replace(
                found, rows=tuple(row for row in found.rows if depths.get(row.node, 0) <= _TREE_DEPTH)
            )
            print_balance(self.console, top, model, "meter", self.session.lang)

    def _account(self, plant: Plant) -> None:
        self._say(
            4,
            "Account: the same facts under three rulebooks",
            "核算：同一份数据，三个规则册",
            f"account luhe --rulebook … --period {YEAR}",
        )
        from celadon.cli.account import print_account

        self.body["accounts"] = {}
        for book in BOOKS:
            found = plant.account(book, str(YEAR))
            rows = [row for row in found.rows if not row.item]
            self.body["accounts"][book] = [
                {
                    "quantity": row.quantity,
                    "site": row.site,
                    "value": row.value,
                    "unit": row.unit,
                    "coverage": row.coverage,
                }
                for row in rows
            ]
            if self.console is not None:
                print_account(self.console, found, self.session.lang)

    def _explain(self, plant: Plant) -> None:
        quantity, book, period, where = EXPLAINED
        line = f"explain luhe {quantity} --rulebook {book} --period {period} --site mill"
        self._say(
            5,
            "Explain: one number down to its factor rows and file lines",
            "解释：一个数值追溯到因子行与文件行",
            line,
        )
        trace = plant.explain(quantity, book, period, where=where, lang=self.session.lang)
        self.body["explained"] = {
            "quantity": quantity,
            "value": trace.root.value,
            "unit": trace.root.unit,
            "nodes": sum(1 for _ in trace.root.walk()),
        }
        if self.console is not None:
            self.console.print(trace.render(self.session.lang), markup=False, soft_wrap=True)

    def _late(self, plant: Plant) -> None:
        self._say(
            6,
            "Late files arrive: what would they change?",
            "迟到的文件到了：会改变什么？",
            f"compare luhe --rulebook {BOOKS[1]} --period {YEAR} --pending",
        )
        before = plant.view().snapshot.recorded_at
        old = plant.account(BOOKS[1], str(YEAR)).value("total_emission", site="mill")
        for path in sorted((self.folder / "late").glob("*.csv")):
            target = self.folder / "data" / path.name.split("-")[0]
            shutil.copy(path, target / path.name)
        preview = plant.compare(BOOKS[1], str(YEAR), pending_files=True)
        self._show(preview)
        self._say(
            7,
            "Load them: earlier answers stay readable",
            "载入：以前的结果仍可查看",
            f"load luhe && celadon compare luhe … --before-as-of {before:%Y-%m-%dT%H:%M}",
        )
        done = plant.load()
        new = plant.account(BOOKS[1], str(YEAR)).value("total_emission", site="mill")
        same = plant.account(BOOKS[1], str(YEAR), as_of=before).value("total_emission", site="mill")
        self.body["late"] = {
            "as_of": before.isoformat() if before else None, "changed": len(preview.comparison.lines), "before": old, "after": new, "as_of_before": same,
            "readings": done.readings, "records": done.records, "ledger_parts": done.ledger_parts,
        }  # fmt: skip
        self._note(
            f"{done.readings} readings, {done.records} records; {done.ledger_parts} parts of the ledger derived again. "
            f"Total emission {old:,.2f} → {new:,.2f} tCO2; as of before the load it is still {same:,.2f}.",
            f"读数 {done.readings}、记录 {done.records}；重新推导台账 {done.ledger_parts} 处。"
            f"温室气体排放总量 {old:,.2f} → {new:,.2f} tCO2；按载入前的时点仍为 {same:,.2f}。",
        )

    def _show(self, found: Difference) -> None:
        if self.console is not None:
            from celadon.cli.compare import print_difference

            print_difference(self.console, found, self.session.lang)
