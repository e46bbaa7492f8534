"""One file guessed: format, header, times, layout, numbers; put together as the source block it would need."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from celadon.adapters.guess.choices import Choices, Guess, Other
from celadon.adapters.guess.clocks import Clock, find_clock, settle_midnight, settle_stamp, settle_zone
from celadon.adapters.guess.columns import FORMS, MISSING, POINT, Column, Look, look, share
from celadon.adapters.guess.readings import guess_readings, header_matches, kinds_of, meter_column
from celadon.adapters.guess.records import guess_records, records_score
from celadon.adapters.tables.numbers import NumberForm, parse_number
from celadon.adapters.tables.sniff import Sniffed, sniff
from celadon.adapters.tables.text import open_bytes
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import Plant, Source
from celadon.core.text import Text

NO_TIME = FindingKind(
    "guess.no-time",
    Severity.ERROR,
    Text(en="No time column", zh="没有时间列"),
    Text(
        en="No column of {file} holds times: it has {columns}.", zh="{file} 没有时间列；其列为：{columns}。"
    ),
    Text(
        en="Name the time column or the header's row; facts without a time cannot be taken in.",
        zh="请指明时间列或表头所在行；没有时间的数据无法载入。",
    ),
)
NOTHING_MAPPED = FindingKind(
    "guess.nothing-mapped",
    Severity.ERROR,
    Text(en="Nothing to read", zh="没有可读取的内容"),
    Text(
        en="No column of {file} is taken for a meter's values or a record's amounts: {columns}.",
        zh="{file} 没有对应到表计读数或台账数值的列：{columns}。",
    ),
    Text(
        en="Say which column is which, or declare the meters in the plant file first.",
        zh="请指明各列的含义，或先在工厂文件中声明表计。",
    ),
)
_CELLS = 5_000
_ABSENT = re.compile(
    r"n/?[ad]|nan|null|none|nil|missing|error|bad|offline|#n/a|[-—–.*]+|无|缺|缺失|空|停|故障|离线",
    re.IGNORECASE,
)


def guess_source(
    plant: Plant, path: Path, name: str | None = None, answers: Mapping[str, str] | None = None
) -> Guess:
    """Guess how a file reads. `name`: what it will be called in the plant's folder; `answers`: settings a person has given.

    Never raises for bad files: then the guess has no block, and findings.
    """
    shown = name or path.name
    choices = Choices(answers or {})
    try:
        seen = sniff(
            path, sheet=choices.answers.get("sheet"), encoding=choices.answers.get("encoding") or "auto"
        )
        settings = _file_settings(path, seen, choices)
        table = look(path, shown, _source(settings))
    except FindingError as error:
        return Guess(shown, choices=tuple(choices.made), findings=tuple(error.findings))
    header = choices.choose(
        "header_row",
        "" if table.table.parquet else str(table.header.line),
        Text("names stand in this row and rows of the same width below", "该行为列名，其下各行列数一致"),
    )
    if header and int(header) != 1:
        settings["header_row"] = int(header)
    names = tuple(column.name for column in table.columns)
    sample = tuple(tuple(column.cells[n] for column in table.columns) for n in range(min(5, table.rows)))
    clock = find_clock(table, choices)
    found = list(table.table.findings)

    def ended(role: str, block: Mapping[str, Any] | None, *more: Any) -> Guess:
        return Guess(shown, role, tuple(choices.made), block, names, sample, (*found, *more))

    if clock is None:
        return ended("", None, NO_TIME.at(Place(shown), file=shown, columns=_list(names)))
    role = _role(table, clock, plant, choices)
    block: dict[str, Any] = {"id": _id(plant, shown, choices), "role": role, "files": [shown], **settings}
    if role == "records":
        nothing = NOTHING_MAPPED.at(Place(shown), file=shown, columns=_list(names))
        body = guess_records(table, clock, plant, choices, shown)
        if "value" not in body["fields"]:
            return ended(role, None, nothing)
        if clock.form.format:
            body = {"time": {"format": clock.form.format}, **body}
        values = [table.column(body["fields"].get(name, "")) for name in ("value", "weight")]
    else:
        body = guess_readings(table, clock, plant, choices)
        if body.get("wide") == {} or not all(body.get("long", {"": "-"}).values()):
            return ended(role, None, NOTHING_MAPPED.at(Place(shown), file=shown, columns=_list(names)))
        body = {"time": _time(clock, choices, plant, kinds_of(body, plant)), **body}
        heads = [body["long"]["value"]] if "long" in body else list(body["wide"])
        values = [table.column(head) for head in heads]
    block.update(_numbers([column for column in values if column], choices))
    return ended(role, {**block, **body})


def _file_settings(path: Path, seen: Sniffed, choices: Choices) -> dict[str, Any]:
    """Format, encoding, delimiter, sheet: what the block must say because it is not the usual."""
    if seen.format == "unknown":
        raise FindingError(seen.findings)
    settings: dict[str, Any] = {}
    choices.choose("format", seen.format, Text("by its content", "按内容判断"))
    if seen.encoding is not None:
        guessed = any(item.code == "table.encoding-guessed" for item in seen.findings)
        best = seen.encoding
        if best == "utf-8" and not _all_decodes(path, "utf-8") and _all_decodes(path, "gb18030"):
            best, guessed = "gbk", True  # in a short file most lines may be valid in both
        known = ("utf-8", "gbk", "utf-16", "latin-1")
        others = [Other(word, Text(word, word)) for word in known if word != best]
        why = (
            Text("its bytes are valid in it, which proves little", "字节可按此解码，但不足以证明")
            if guessed
            else Text("its bytes prove it", "字节可以证明")
        )
        encoding = choices.choose("encoding", best, why, others, sure=not guessed)
        if encoding not in ("utf-8", "ascii", "utf-8-sig"):
            settings["encoding"] = encoding
    if seen.delimiter is not None:
        shown = "tab" if seen.delimiter == "\t" else seen.delimiter
        others = [Other(word, Text(word, word)) for word in (",", ";", "tab", "|") if word != shown]
        delimiter = choices.choose(
            "delimiter",
            shown,
            Text("it cuts most rows into the same number of cells", "按此分隔各行列数最一致"),
            others,
        )
        if delimiter != ",":
            settings["delimiter"] = delimiter
    if seen.sheets:
        others = [
            Other(sheet, Text("another sheet", "另一工作表")) for sheet in seen.sheets if sheet != seen.sheet
        ]
        sheet = choices.choose(
            "sheet",
            seen.sheet or "",
            Text("the first with a table", "首个有表格的工作表"),
            others,
            sure=not others,
        )
        if others:
            settings["sheet"] = sheet
    if header := choices.answers.get("header_row"):
        settings["header_row"] = int(header)
    return settings


def _all_decodes(path: Path, encoding: str) -> bool:
    """Whether the top of the file (whole lines) is valid in an encoding."""
    with open_bytes(path) as stream:
        top = stream.read(1 << 18)
    try:
        top[: top.rfind(b"\n") + 1].decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _source(settings: Mapping[str, Any]) -> Source:
    """The settings as a source, to open the file with."""
    kept = {
        name: settings[name] for name in ("encoding", "delimiter", "sheet", "header_row") if name in settings
    }
    return Source("guess", "readings", (), (), **kept)


def _role(table: Look, clock: Clock, plant: Plant, choices: Choices) -> str:
    records = records_score(table, plant)
    matched = header_matches(table, plant)
    meters = meter_column(table, plant) is not None
    is_records = (records >= 0.8 and not (matched or meters)) or (
        records >= 1.3 and clock.daily and not matched
    )
    why = (
        Text(
            "its words are carriers, products, units or kinds of records", "内容为品种、产品、单位或台账类别"
        )
        if is_records
        else Text(f"{matched} headers are called as meters", f"{matched} 个表头与表计同名")
        if matched
        else Text("a column names meters", "有一列为表计")
        if meters
        else Text("columns of numbers over time", "随时间变化的数字列")
    )
    other = Other(
        *(
            ("readings", Text("values of meters", "表计读数"))
            if is_records
            else ("records", Text("purchases, stocks, output, laboratory", "采购、库存、产量、化验"))
        )
    )
    return choices.choose(
        "role",
        "records" if is_records else "readings",
        why,
        [other],
        sure=bool(is_records or matched or meters),
    )


def _id(plant: Plant, name: str, choices: Choices) -> str:
    """An id for the source that is free: after the file's name."""
    taken = {source.id for source in plant.sources}
    stem = re.sub(r"\W+", "_", Path(name).name.partition(".")[0].casefold()).strip("_")[:40] or "files"
    stem = stem if re.match(r"[a-z_]", stem) and stem.isascii() else f"source_{len(taken) + 1}"
    free = next(word for word in (stem, *(f"{stem}_{n}" for n in range(2, 1000))) if word not in taken)
    return choices.choose("id", free, Text("after the file's name", "取自文件名"))


def _time(clock: Clock, choices: Choices, plant: Plant, kinds: set[str]) -> dict[str, Any]:
    block: dict[str, Any] = {"column": clock.name}
    if clock.form.format:
        block["format"] = clock.form.format
    settled = {
        "stamp": settle_stamp(clock, choices, kinds),
        "zone": settle_zone(clock, choices, plant.zone),
        "midnight": settle_midnight(clock, choices),
    }
    return block | {key: value for key, value in settled.items() if value}


def _numbers(columns: Sequence[Column], choices: Choices) -> dict[str, Any]:
    """Decimal and thousands marks, and words that mean no value."""
    cells = [cell for column in columns if not column.typed for cell in column.given[:_CELLS]]
    if not cells:
        return {}
    scores = [
        (share(cells, lambda cell, form=form: parse_number(cell, form) is not None), -n, form)
        for n, form in enumerate(FORMS)
    ]
    best: NumberForm = max(scores, key=lambda item: item[:2])[2]
    doubtful = [cell for cell in cells if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", cell)]
    sure = not doubtful or any(
        re.search(rf"\d{re.escape(best.decimal)}(?:\d{{1,2}}|\d{{4,}})$", cell) for cell in cells
    )
    said = Text(
        f"{max(scores)[0]:.0%} of the cells are numbers in it", f"{max(scores)[0]:.0%} 的单元格按此为数字"
    )
    other = "," if best.decimal == "." else "."
    block: dict[str, Any] = {}
    decimal = choices.choose(
        "decimal", best.decimal, said, [Other(other, Text("the other mark", "另一种符号"))], sure=sure
    )
    thousands = choices.choose("thousands", best.thousands, said, sure=sure)
    if decimal != POINT.decimal:
        block["decimal"] = decimal
    if thousands:
        block["thousands"] = thousands
    form = NumberForm(decimal, thousands) if thousands != decimal else best
    words = sorted({cell for cell in cells if parse_number(cell, form) is None and _ABSENT.fullmatch(cell)})
    if words:
        why = Text("words that usually mean no value", "通常表示无数值的写法")
        said_words = choices.choose(
            "missing",
            "|".join(words),
            why,
            [Other("", Text("refuse these cells", "拒收这些单元格"))],
            sure=False,
        )
        if said_words:
            block["missing"] = [*MISSING, *(word for word in said_words.split("|") if word not in MISSING)]
    return block


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
