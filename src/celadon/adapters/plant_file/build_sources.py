"""Sources, own factors and rulebook options from the tables that were read; and which files a source has."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from celadon.adapters.plant_file.common import where, without_overlap
from celadon.adapters.plant_file.reading import REFERENCE_UNKNOWN, Entry, Got, Reading, near
from celadon.adapters.plant_file.schema_files import RECORD_FIELDS
from celadon.adapters.plant_file.values import BAD_TIME_FORMAT, fixes_day
from celadon.core.carriers import find_carrier
from celadon.core.findings import FindingKind, Findings, Severity
from celadon.core.model import Derived, FactorEntry, Plant, Source, Stamp
from celadon.core.text import Text

SOURCE_COLUMNS = FindingKind(
    "plant.source-columns",
    Severity.ERROR,
    Text("Source does not say how it reads", "数据源未说明列"),
    Text("A source of {role} needs {columns}.", "{role} 类数据源需要{columns}。"),
    Text(
        "Readings: `wide: {{header: meter}}` or `long: {{meter: header, value: header}}`. Records: "
        "`fields: {{date: header, value: header}}`.",
        "读数：`wide: {{表头: 表计}}` 或 `long: {{meter: 表头, value: 表头}}`；台账：`fields: {{date: 表"
        "头, value: 表头}}`。",
    ),
)
SOURCE_KEY_UNUSED = FindingKind(
    "plant.source-key-unused",
    Severity.ERROR,
    Text("Key has no meaning for this source", "此类数据源不用该键"),
    Text("`{key}` says nothing in a source of {role}.", "{role} 类数据源不用 `{key}`。"),
    Text("Remove it, or correct `role`.", "请删除，或更正 `role`。"),
)
FIELD_NEEDED = FindingKind(
    "plant.field-needed",
    Severity.ERROR,
    Text("Field of the records missing", "台账缺少字段"),
    Text("`fields` does not say where the {field} stands.", "`fields` 未说明{field}所在的列。"),
    Text(
        "Add {key} under `fields`, as a header or as =constant.",
        "请在 `fields` 下补充 {key}（表头或 =常量）。",
    ),
)
SAME_MARK = FindingKind(
    "plant.same-mark",
    Severity.ERROR,
    Text("One mark for two things", "同一符号两用"),
    Text(
        "`{mark}` cannot be both `{first}` and `{second}`.",
        "`{mark}` 不能同时作 `{first}` 和 `{second}`。",
    ),
    Text("Correct one of the two.", "请更正其中一个。"),
)
METER_TWICE = FindingKind(
    "plant.meter-twice-in-source",
    Severity.ERROR,
    Text("Meter in two columns", "表计对应两列"),
    Text(
        "The meter {meter} is read from “{first}” and from “{second}”.",
        "表计 {meter} 同时取自“{first}”和“{second}”。",
    ),
    Text("Keep one column for each meter.", "每个表计只保留一列。"),
)
QUANTITY_UNKNOWN = FindingKind(
    "plant.quantity-unknown",
    Severity.ERROR,
    Text("Unknown kind of record", "未知台账类别"),
    Text("“{value}” is no kind of fuel record{hint}.", "“{value}”不是燃料台账类别{hint}。"),
    Text("Write one of: {known}.", "请从中选择：{known}。"),
)
NO_FILES = FindingKind(
    "plant.no-files",
    Severity.ERROR,
    Text("No files found", "未找到文件"),
    Text("No file matches `{pattern}` in {folder}.", "{folder} 中没有与 `{pattern}` 匹配的文件。"),
    Text("Put the files there, or correct `files`.", "请放入文件，或更正 `files`。"),
)

STOCK_KINDS = ("fuel_purchased", "fuel_opening_stock", "fuel_closing_stock", "fuel_resold", "fuel_consumed")
_COLUMNS_NEEDED = {
    "readings": Text("`wide` or `long`, one of the two", " `wide` 或 `long` 之一"),
    "records": Text("`fields`", " `fields`"),
}
_UNUSED = {"readings": ("fields", "quantity", "uncertainty"), "records": ("wide", "long")}
_SECTION_OF = {
    "site": ("sites",),
    "process": ("processes",),
    "meter": ("meters", "virtual_meters"),
    "product": ("products",),
    "tariff": ("tariffs",),
}


def build_sources(reading: Reading, entries: list[Entry]) -> list[Source]:
    """The sources that say what they hold and where, in the order written."""
    return [_source(reading, entry) for entry in entries if entry.complete]


def _source(reading: Reading, entry: Entry) -> Source:
    role, time, long = entry["role"], entry["time"], entry["long"]
    for key in _UNUSED[role]:
        if entry.given(key):
            reading.add(SOURCE_KEY_UNUSED, entry.at(key), entry.subject, key=key, role=role)
    if entry["thousands"] == entry["decimal"]:
        values = {"mark": entry["decimal"], "first": "decimal", "second": "thousands"}
        reading.add(SAME_MARK, entry.at("thousands"), entry.subject, **values)
    if role == "readings" and time and time["format"] and not fixes_day(time["format"]):
        reading.add(BAD_TIME_FORMAT, time.at("format"), entry.subject, key="format", value=time["format"])
    wide, units = _wide(reading, entry)
    columns = wide if role == "readings" else _fields(reading, entry)
    if (role == "readings" and (entry.given("wide") == entry.given("long"))) or not (columns or long):
        need = _COLUMNS_NEEDED[role]
        if role == "records" or not entry.given("wide") or entry.given("long"):
            reading.add(SOURCE_COLUMNS, entry.node, entry.subject, role=role, columns=need)
    optional = {"missing": tuple(entry.values("missing"))} if entry["missing"] is not None else {}
    return Source(
        id=entry["id"],
        role=role,
        files=tuple(entry.values("files")),
        columns=columns,
        format=entry["format"],
        sheet=entry["sheet"],
        header_row=entry["header_row"],
        encoding=entry["encoding"],
        delimiter=entry["delimiter"],
        decimal=entry["decimal"],
        thousands=entry["thousands"],
        time_column=time["column"] if time else "time",
        time_format=time["format"] if time else None,
        midnight=time["midnight"] if time else "opens",
        fold=time["fold"] if time else "order",
        stamp=Stamp(time["stamp"]) if time and time["stamp"] else None,
        zone=time["zone"] if time else None,
        meter_column=long["meter"] if long and role == "readings" else None,
        value_column=long["value"] if long and role == "readings" else None,
        unit_column=long["unit"] if long and role == "readings" else None,
        units=units if role == "readings" else (),
        quantity=_quantity(reading, entry),
        maps=_maps(reading, entry),
        uncertainty=entry["uncertainty"] if role == "records" else None,
        where=where(reading, entry),
        **optional,
    )


def _wide(reading: Reading, entry: Entry) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """(header, meter) and (header, unit) of the columns, each meter once."""
    columns: dict[str, str] = {}
    units: list[tuple[str, str]] = []
    for header, got in entry.pairs("wide"):
        column: Entry | None = got.value if isinstance(got.value, Entry) else None
        meter = column["meter"] if column else got.value
        if meter is None:
            continue
        if meter in columns.values():
            first = next(head for head, other in columns.items() if other == meter)
            values = {"meter": meter, "first": first, "second": header.value}
            reading.add(METER_TWICE, header.node, entry.subject, **values)
            continue
        columns[header.value] = meter
        if column and column["unit"]:
            units.append((header.value, column["unit"]))
    return tuple(columns.items()), tuple(units)


# -- records -------------------------------------------------------------------------------------------------


def _fields(reading: Reading, entry: Entry) -> tuple[tuple[str, str], ...]:
    """(field, header or =constant), after checking that a record can be made of them."""
    fields: Entry | None = entry["fields"]
    if fields is None:
        return ()
    needed = ["value"]
    if not fields.given("date") and not (fields.given("start") and fields.given("end")):
        needed.append("date")
    if not entry.given("quantity"):
        needed.append("quantity")
    words = dict(RECORD_FIELDS)
    for key in needed:
        if not fields.given(key):
            reading.add(FIELD_NEEDED, fields.node, entry.subject, key=key, field=words[key])
    columns = tuple((name, fields[name]) for name, _ in RECORD_FIELDS if fields[name] is not None)
    for name, header in columns:
        if header.startswith("="):
            _target(reading, entry, name, header[1:], Got(header, fields.at(name)))
    return columns


def _quantity(reading: Reading, entry: Entry) -> str | None:
    got = entry.got.get("quantity")
    if got is None or entry["role"] != "records":
        return None
    _target(reading, entry, "quantity", got.value, got)
    return str(got.value)


def _maps(reading: Reading, entry: Entry) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Per field the file's words and ours."""
    table: Entry | None = entry["map"]
    maps: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for key in table.table.keys if table else ():
        pairs = table.pairs(key.name) if table else []
        for _, target in pairs:
            _target(reading, entry, key.name, target.value, target)
        if pairs:
            maps.append((key.name, tuple((word.value, target.value) for word, target in pairs)))
    return tuple(maps)


def _target(reading: Reading, entry: Entry, field: str, value: str, got: Got) -> None:
    """What a constant or a mapped word stands for exists, as far as the plant file can know."""
    if field == "quantity" and value.startswith("fuel_") and value not in STOCK_KINDS:
        known = ", ".join(STOCK_KINDS)
        hint = near(value, STOCK_KINDS)
        reading.add(QUANTITY_UNKNOWN, got.node, entry.subject, value=value, hint=hint, known=known)
    sections = _SECTION_OF.get(field)
    if sections and value not in (known_ids := reading.known(sections)):
        _unknown(reading, entry, field, value, got, sections, known_ids)
    elif field == "item" and (quantity := entry["quantity"]):
        _item(reading, entry, quantity, value, got)


def _item(reading: Reading, entry: Entry, quantity: str, value: str, got: Got) -> None:
    """A fuel record is of a carrier, an output of a product; other quantities have items of their own."""
    if quantity in STOCK_KINDS:
        if value.lower() not in reading.carrier_words and find_carrier(value) is None:
            known = reading.carrier_words.values()
            _unknown(reading, entry, "item", value, got, ("carriers",), known)
    elif quantity == "product_output" and value not in (products := reading.known(("products",))):
        _unknown(reading, entry, "item", value, got, ("products",), products)


def _unknown(
    reading: Reading,
    entry: Entry,
    key: str,
    value: str,
    got: Got,
    sections: tuple[str, ...],
    known: Iterable[str],
) -> None:
    values = {"key": key, "value": value, "section": "` / `".join(sections), "hint": near(value, known)}
    reading.add(REFERENCE_UNKNOWN, got.node, entry.subject, **values)


# -- factors and options -------------------------------------------------------------------------------------


def build_factors(reading: Reading, entries: list[Entry]) -> list[FactorEntry]:
    """The plant's own factors by their first day; of two for the same at one time the first written stays."""
    rows = []
    for entry in entries:
        if not entry.complete:
            continue
        keys = tuple(sorted((key.value, got.value) for key, got in entry.pairs("keys")))
        for key, got in entry.pairs("keys"):
            sections = _SECTION_OF.get(key.value)
            if sections and got.value not in (known := reading.known(sections)):
                _unknown(reading, entry, key.value, got.value, got, sections, known)
        what = Text(f"factor {entry['factor']}", f"因子 {entry['factor']}")
        rows.append(((entry["factor"], keys, entry["rulebook"]), what, entry))
    return [_factor(reading, entry) for entry in without_overlap(reading, rows)]


def _factor(reading: Reading, entry: Entry) -> FactorEntry:
    return FactorEntry(
        factor=entry["factor"],
        value=entry["value"],
        unit=entry["unit"],
        keys=tuple(sorted((key.value, got.value) for key, got in entry.pairs("keys"))),
        since=entry["since"],
        until=entry["until"],
        rulebook=entry["rulebook"],
        source=entry["source"] or "",
        clause=entry["clause"] or "",
        confidence=entry["confidence"],
        published=entry["published"],
        uncertainty=entry["uncertainty"],
        where=where(reading, entry),
    )


def build_derived(reading: Reading, entries: list[Entry]) -> tuple[Derived, ...]:
    """The facts that another rulebook calculates, in the order written; the rulebooks' names are theirs to say."""
    return tuple(
        Derived(
            quantity=entry["quantity"],
            rulebook=entry["rulebook"],
            of=entry["of"],
            item=entry["item"] or "",
            purpose=entry["purpose"] or "",
            keys=tuple(sorted((key.value, got.value) for key, got in entry.pairs("where"))),
            site=entry["site"],
            process=entry["process"],
            where=where(reading, entry),
        )
        for entry in entries
        if entry.complete
    )


def build_choices(
    pairs: Iterable[tuple[Got, Got]], name: str
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Rulebook id → its options, or its exclusions, sorted; whether they exist is the rulebook's to say."""
    found = {
        rulebook.value: tuple(sorted((key.value, choice.value) for key, choice in account.value.pairs(name)))
        for rulebook, account in pairs
    }
    return tuple(sorted((rulebook, chosen) for rulebook, chosen in found.items() if chosen))


# -- files ---------------------------------------------------------------------------------------------------


def source_files(plant: Plant, source: Source) -> tuple[tuple[Path, ...], Findings]:
    """The files a source has now, each once, in the order of its patterns and then by name.

    Patterns are taken from the plant file's folder; one that matches nothing is a finding. A link to what is not there is
    a file that cannot be read."""
    folder = Path(plant.file).parent
    found: dict[Path, None] = {}
    findings = Findings()
    for pattern in source.files:
        exact = folder / pattern
        names = [pattern] if exact.is_file() else sorted(glob.glob(pattern, root_dir=folder, recursive=True))
        paths = [path for path in map(folder.joinpath, names) if path.is_file() or _leads_nowhere(path)]
        if not paths:
            findings.add(NO_FILES.at(source.where, pattern=pattern, folder=str(folder)))
        found |= dict.fromkeys(paths)
    return tuple(found), findings


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()
