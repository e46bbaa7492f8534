"""The verifier's evidence pack: every figure down to file lines, the conservation proof, the files with their digests."""

from __future__ import annotations

from celadon.core.text import Lang, Text
from celadon.metering.points import TICKS
from celadon.plant.balance import Balance
from celadon.plant.facade import Plant
from celadon.plant.quarantine import describe, why_of
from celadon.reports import parts, words
from celadon.reports.gather import Asked, Progress, findings_of, gather
from celadon.reports.model import Block, Cell, Grid, Note, Report, Section

TITLE = Text("Verifier's evidence pack", "核查证据包")


def build(plant: Plant, asked: Asked, lang: Lang, version: str, progress: Progress | None = None) -> Report:
    """Figures, the calculation with live formulas down to readings, the proof, the files, factors, findings, limits."""
    found = []
    for index, book in enumerate(asked.rulebooks):
        step = index / len(asked.rulebooks) * 0.6
        if progress is not None:
            progress(step, str(book))
        found.append(gather(plant, asked, book, lang=lang))
    if progress is not None:
        progress(0.6, Text("the conservation proof", "守恒证明").say(lang))
    balance = plant.balance(asked.period, as_of=asked.as_of)
    model = found[0].account.model
    every = findings_of(found, balance.findings)
    figures = [figure for part in found for figure in part.figures]
    sections = [
        parts.key_figures(found),
        _how_to_check(plant),
        _proof(balance),
        _files(plant, asked),
        _quarantine(plant),
        parts.factors(figures, model),
        parts.findings(every),
        parts.all_findings(every),
        parts.not_modelled(found),
    ]
    period = found[0].account.result.request.period.label
    return Report(
        "evidence", TITLE, model.name, period, parts.head(asked, found, version), tuple(sections),
        tuple(figures), every, plant.file.parent.name, asked.address,
    )  # fmt: skip


def _how_to_check(plant: Plant) -> Section:
    name = plant.file.parent.name
    said = (
        Text(
            "Every figure has a trace id. The sheet “Calculation” of the workbook holds its formula as live cells down to the "
            "readings and records with file and line; the column “Check” compares each with the value the program gave.",
            "每个指标均有溯源号。工作簿的“计算过程”表以可重算的公式给出其算式，直至读数与台账所在的文件和行；“核对”列逐行与程序结果比较。",
        ),
        Text(
            f"With the plant at hand: `celadon explain {name} …` (the command of each trace is in the sheet “Traces”) prints the same tree, "
            f"`celadon balance {name}` the proof below, `celadon verify {name}` compares every stored byte with its digest.",
            f"如可访问工厂数据：celadon explain {name} …（各溯源号的命令见“溯源”表）给出同一棵树；celadon balance {name} 给出下述守恒证明；"
            f"celadon verify {name} 逐字节核验存储。",
        ),
    )
    return Section(
        Text("How to check", "如何核查"), Text("How to check", "如何核查"), tuple(Note(text) for text in said)
    )


def _proof(balance: Balance) -> Section:
    """For each meter: last − first + roll-overs = attributed + named gaps; the difference is computed live."""
    rows: list[tuple[Cell, ...]] = []
    formulas: dict[tuple[int, int], str] = {}
    for number, item in enumerate(balance.proofs):
        gaps = sum(gap.amount or 0 for gap in item.gaps)
        unknown = sum(1 for gap in item.gaps if gap.amount is None)
        rows.append(
            (
                item.meter,
                item.unit,
                item.expected / TICKS,
                item.attributed / TICKS,
                gaps / TICKS,
                unknown,
                item.difference / TICKS,
            )
        )
        formulas[number, 6] = "=ROUND(C{r}-D{r}-E{r},6)"
    header = (
        Text("Meter", "计量点"), words.UNIT, Text("Readings say", "读数差"), Text("In the ledger", "已入台账"),
        Text("In named gaps", "列明缺口"), Text("Gaps of unknown amount", "数量未知的缺口"), Text("Difference", "差额"),
    )  # fmt: skip
    count = sum(1 for item in balance.proofs if item.difference)
    said = (
        Text(
            f"All {len(rows)} meters conserve to the last digit.",
            f"全部 {len(rows)} 个计量点守恒，分毫不差。",
        )
        if not count
        else Text(
            f"{count} of {len(rows)} meters do not conserve.", f"{len(rows)} 个计量点中有 {count} 个不守恒。"
        )
    )
    blocks: tuple[Block, ...] = (Note(said, warning=bool(count)), Grid(header, tuple(rows), formulas))
    explain = Text(
        "For every meter: last reading − first reading + roll-overs = what the ledger holds + gaps that are named.",
        "对每个计量点：末读数 − 首读数 + 翻转 = 台账量 + 列明的缺口。",
    )
    return Section(Text("Conservation proof", "守恒证明"), Text("Proof", "守恒证明"), blocks, explain)


def _files(plant: Plant, asked: Asked) -> Section:
    """The files the facts came from, each with its SHA-256 and when it was recorded."""
    snapshot = plant.view(asked.as_of).snapshot
    recorded = {batch.id: batch.recorded_at for batch in snapshot.batches()}
    rows: list[tuple[Cell, ...]] = [
        (
            file.name,
            file.source_id,
            file.bytes,
            recorded[file.batch].isoformat(timespec="seconds"),
            file.sha256,
        )
        for file in snapshot.files()
    ]
    header = (
        Text("File", "文件"), Text("Source", "数据源"), Text("Bytes", "字节"), Text("Recorded", "录入时间"), Text("SHA-256", "SHA-256 摘要"),
    )  # fmt: skip
    return Section(Text("Files", "数据文件"), Text("Files", "文件"), (Grid(header, tuple(rows), wide=(0,)),))


def _quarantine(plant: Plant) -> Section:
    """Rows that were kept out and wait."""
    kept = plant.quarantine()
    if not kept:
        said = Text("No row waits in quarantine.", "没有待处理的隔离行。")
        return Section(Text("Rows kept out", "隔离数据"), Text("Quarantine", "隔离"), (Note(said),))
    rows: list[tuple[Cell, ...]] = [
        (
            item.file,
            item.row.line,
            why_of(item),
            Text(describe(item, "en")[:200], describe(item, "zh")[:200]),
            item.kept_out.code,
        )
        for item in kept[:500]
    ]
    header = (
        Text("File", "文件"),
        Text("Line", "行"),
        Text("Why", "原因"),
        Text("As it was written", "原文"),
        Text("Code", "代码"),
    )
    said = Text(f"{len(kept)} rows are not counted.", f"有 {len(kept)} 行未计入。")
    return Section(
        Text("Rows kept out", "隔离数据"),
        Text("Quarantine", "隔离"),
        (Note(said, warning=True), Grid(header, tuple(rows), wide=(3,), unprinted=(4,))),
    )
