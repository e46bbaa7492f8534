"""`read_region`: a region file, checked in one pass; every fault is a finding with its line."""

from __future__ import annotations

from pathlib import Path

from celadon.adapters.plant_file.build_sources import build_choices, build_factors
from celadon.adapters.plant_file.common import name_of, where
from celadon.adapters.plant_file.nodes import FILE_EMPTY, Mapping, Node, Scalar, decode, parse, read_bytes
from celadon.adapters.plant_file.reading import CARRIER_UNKNOWN, Entry, Reading, near
from celadon.core.carriers import CARRIERS, find_carrier
from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.model import Product
from celadon.core.periods import parse_period
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.region.model import (
    BY_PRODUCT,
    LEVELS,
    Disclosure,
    FactSource,
    Quotas,
    RegionFile,
    Registry,
    Screening,
    TableSource,
    ValueColumn,
    WarningLevel,
)
from celadon.region.schema import REGION, VERSION

FILE_NAME = "region.yaml"
VERSION_OTHER = FindingKind(
    "region.version-other",
    Severity.ERROR,
    Text("Version of the region file not known", "区域文件版本未知"),
    Text(
        "The file is written in version {value} of the region file; this Celadon reads version {version}.",
        "文件的格式版本为 {value}，本程序只读版本 {version}。",
    ),
    Text(
        "Use a newer Celadon, or rewrite the file after docs/region.md.",
        "请使用更新的 Celadon，或按 docs/region.md 改写。",
    ),
)
NOWHERE = FindingKind(
    "region.source-nowhere",
    Severity.ERROR,
    Text("Neither files nor a table", "既无文件也无数据表"),
    Text(
        "`{table}` names neither `files` nor both `url` and `table`: there is nothing to read.",
        "`{table}` 未写 `files`，也未同时写 `url` 与 `table`：无从读取。",
    ),
    Text("Give files, or a database's url and table.", "请写 files，或写数据库的 url 与 table。"),
)
VALUE_UNIT = FindingKind(
    "region.value-unit",
    Severity.ERROR,
    Text("Unit of another kind", "单位量纲不符"),
    Text(
        "{quantity} of {item} is kept in {kept}; {unit} does not convert to it.",
        "{item} 的 {quantity} 以 {kept} 保存，{unit} 不能换算。",
    ),
    Text(
        "Correct the unit or the item; a volume and a mass need a density, which is not invented.",
        "请更正单位或品种；体积与质量之间需要密度，不作假定。",
    ),
)
VALUE_COLUMN = FindingKind(
    "region.value-column",
    Severity.ERROR,
    Text("Value without its column", "取值缺少列名"),
    Text(
        "{quantity} names no column, and the source has no `long`: where is its value?",
        "{quantity} 未写 column，且该来源没有 `long`：取值在哪一列？",
    ),
    Text("Name its column, or describe long rows under `long`.", "请写 column，或在 `long` 下说明长表各列。"),
)
VALUE_TWICE = FindingKind(
    "region.value-twice",
    Severity.ERROR,
    Text("One fact in two columns", "同一项对应两列"),
    Text("{name} is given by two columns of {source}.", "{source} 有两列给出 {name}。"),
    Text("Keep one, or tell them apart by item or purpose.", "请保留一列，或以 item、purpose 区分。"),
)
UNUSABLE = FindingKind(
    "region.unusable",
    Severity.ERROR,
    Text("No region in the file", "文件中没有可用的区域"),
    Text(
        "Without a region, a registry and a source of facts nothing can be accounted.",
        "没有区域、名录和数据来源，无法核算。",
    ),
    Text("Give `region`, `registry` and `sources`.", "请写明 `region`、`registry` 与 `sources`。"),
)
CARRIER_QUANTITIES = frozenset(
    {"energy_purchased", "energy_exported", "energy_generated", "energy_consumed", "electricity_billed", "electricity_metered"}
)  # fmt: skip
"""Amounts of a carrier: kept in the carrier's own unit."""
_OWN_CARRIER = {"electricity_billed": "electricity", "electricity_metered": "electricity"}


def region_path(path: str | Path) -> Path:
    """The region file itself: `path`, or `region.yaml` in it where it is a folder."""
    path = Path(path)
    return path / FILE_NAME if path.is_dir() else path


def is_region(path: str | Path) -> bool:
    """Whether a path is a region's (its folder, or its file): what tells it from a plant's."""
    path = Path(path)
    if path.is_dir():
        return (path / FILE_NAME).is_file()
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        return any(line.startswith("celadon-region:") for line in stream)


def read_region(path: str | Path) -> tuple[RegionFile | None, Findings]:
    """Read the region file (or the folder that holds region.yaml) and say everything that is wrong with it.

    None where nothing can be built. Findings come in the order of the file."""
    file = region_path(path)
    findings = Findings()
    try:
        text = decode(read_bytes(file, file.as_posix()), file.as_posix(), findings)
    except FindingError as error:
        findings.extend(error.findings)
        return None, findings
    return read_region_text(text, file.as_posix(), findings)


def read_region_text(
    text: str, file: str = FILE_NAME, findings: Findings | None = None
) -> tuple[RegionFile | None, Findings]:
    """Like `read_region`, for a text that is said to stand in `file`."""
    reading = Reading(file)
    reading.findings.extend(findings or ())
    try:
        root = parse(text, file, reading.findings)
    except FindingError as error:
        reading.findings.extend(error.findings)
        return None, reading.findings
    made = _region(reading, root)
    return made, Findings(sorted(reading.findings, key=_order))


def _order(finding: Finding) -> tuple[int, int]:
    return finding.where.line or 0, int(finding.where.column or 0)


def _region(reading: Reading, root: Node | None) -> RegionFile | None:
    if root is None or (isinstance(root, Scalar) and root.is_null):
        reading.findings.add(FILE_EMPTY.at(Place(file=reading.file)))
        return None
    if isinstance(root, Mapping):
        node = root.get("celadon-region")
        if isinstance(node, Scalar) and node.text.isdigit() and int(node.text) != VERSION:
            reading.add(VERSION_OTHER, node, value=node.text, version=VERSION)
    reading.collect(root, REGION, lambda section: section)
    got = reading.read("region file", root, REGION)
    if got is None:
        return None
    entry: Entry = got.value
    region, registry = entry["region"], entry["registry"]
    sources = [made for item in entry.entries("sources") if item.complete and (made := _facts(reading, item))]
    if region is None or not region.complete or registry is None or not registry.complete or not sources:
        reading.add(UNUSABLE, root)
        return None
    source = _source(reading, registry)
    _units_agree(reading, sources)
    return RegionFile(
        id=region["id"],
        name=name_of(region),
        zone=entry["zone"],
        store=entry["store"],
        registry=Registry(source, _headers(registry["columns"])),
        sources=tuple(sources),
        products=tuple(
            Product(item["id"], name_of(item), item["unit"])
            for item in entry.entries("products")
            if item.complete
        ),
        quotas=_quotas(reading, entry["quotas"]),
        months=_months(reading, entry),
        disclosure=_disclosure(entry["disclosure"]),
        screening=_screening(entry["screening"]),
        levels=_levels(entry["warnings"]),
        band=entry["warnings"]["band"] if entry["warnings"] else 0.8,
        factors=tuple(build_factors(reading, entry.entries("factors"))),
        options=build_choices(entry.pairs("accounts"), "options"),
        exclusions=build_choices(entry.pairs("accounts"), "exclusions"),
        file=reading.file,
    )


def _source(reading: Reading, entry: Entry) -> TableSource:
    files, url, table = tuple(entry.values("files")), entry["url"], entry["table"]
    if not files and not (url and table):
        reading.add(NOWHERE, entry.node, entry.subject, table=entry.table.name)
    return TableSource(files, url, table, where(reading, entry))


def _headers(entry: Entry | None) -> tuple[tuple[str, str], ...]:
    if entry is None:
        return ()
    return tuple((key.name, entry[key.name]) for key in entry.table.keys if entry[key.name])


def _facts(reading: Reading, entry: Entry) -> FactSource | None:
    long = _headers(entry["long"])
    values: dict[str, ValueColumn] = {}
    for item in entry.entries("values"):
        made = _value(reading, item, bool(long)) if item.complete else None
        if made is not None and made.name in values:
            reading.add(VALUE_TWICE, item.node, entry.subject, name=made.name, source=entry["id"])
        elif made is not None:
            values[made.name] = made
    return FactSource(
        entry["id"],
        _source(reading, entry),
        entry["enterprise"],
        entry["month"],
        tuple(values.values()),
        long,
    )


def _units_agree(reading: Reading, sources: list[FactSource]) -> None:
    """What several senders give is kept in the first one's unit: the others' must convert to it."""
    kept: dict[str, ValueColumn] = {}
    for value in (value for source in sources for value in source.values):
        first = kept.setdefault(value.name, value)
        try:
            value.scale_to(first)
        except UnitError:
            said = VALUE_UNIT.at(
                value.where, quantity=value.quantity, item=value.item or value.quantity, kept=first.kept_unit, unit=value.unit
            )  # fmt: skip
            reading.findings.add(said)


def _value(reading: Reading, entry: Entry, long: bool) -> ValueColumn | None:
    quantity, item, unit, column = entry["quantity"], entry["item"] or "", entry["unit"], entry["column"]
    if not column and not long:
        reading.add(VALUE_COLUMN, entry.node, quantity=quantity)
        return None
    kept, carrier = unit, None
    if quantity in CARRIER_QUANTITIES:
        word = item or _OWN_CARRIER.get(quantity, "")
        carrier = find_carrier(word)
        if carrier is None:
            names = [*CARRIERS, *(one.label.zh for one in CARRIERS.values())]
            reading.add(CARRIER_UNKNOWN, entry.at("item"), key="item", value=word, hint=near(word, names))
            return None
        item = carrier.id if quantity not in _OWN_CARRIER else ""
        kept = str(carrier.unit)
    elif quantity == "product_output" and not item:
        item = BY_PRODUCT
    try:
        given = parse_unit(unit) if carrier is None else carrier.counted(parse_unit(unit))
        factor = float(given.factor_to(parse_unit(kept)))
    except UnitError:
        reading.add(
            VALUE_UNIT, entry.at("unit"), quantity=quantity, item=item or quantity, kept=kept, unit=unit
        )
        return None
    purpose = entry["purpose"] or ("combustion" if quantity == "energy_consumed" else "")
    return ValueColumn(quantity, item, purpose, unit, kept, factor, column or "", where(reading, entry))


def _quotas(reading: Reading, entry: Entry | None) -> Quotas | None:
    if entry is None or not entry.complete:
        return None
    return Quotas(_source(reading, entry), _headers(entry["columns"]), entry["rulebook"])


def _months(reading: Reading, entry: Entry) -> str | None:
    text: str | None = entry["months"]
    if text:
        try:
            parse_period(text, entry["zone"])
        except FindingError as error:
            place = reading.place(entry.at("months"))
            reading.findings.extend(Finding(item.kind, place, item.values) for item in error.findings)
            return None
    return text


def _disclosure(entry: Entry | None) -> Disclosure:
    return Disclosure(entry["minimum"], entry["largest"], entry["share"]) if entry else Disclosure()


def _screening(entry: Entry | None) -> Screening:
    if entry is None:
        return Screening()
    return Screening(entry["cross_check"], entry["band"], entry["jump"], entry["false_discovery"])


def _levels(entry: Entry | None) -> tuple[WarningLevel, ...]:
    given = [item for item in entry.entries("levels") if item.complete] if entry else []
    made = [WarningLevel(item["id"], name_of(item), item["share"]) for item in given]
    return tuple(sorted(made, key=lambda level: level.share)) or LEVELS
