"""`read_plant`: a plant file, checked in one pass, as the model that everything else works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from celadon.adapters.plant_file.build_excluded import build_excluded, left_out
from celadon.adapters.plant_file.build_meters import Around, build_meters, build_virtual_meters
from celadon.adapters.plant_file.build_sources import (
    build_choices,
    build_derived,
    build_factors,
    build_sources,
)
from celadon.adapters.plant_file.build_tariffs import build_tariffs
from celadon.adapters.plant_file.checks import Tree, check_sources, check_tariffs
from celadon.adapters.plant_file.common import amount, name_of, written
from celadon.adapters.plant_file.nodes import FILE_EMPTY, Mapping, Node, Scalar, decode, parse, read_bytes
from celadon.adapters.plant_file.reading import Entry, Reading
from celadon.adapters.plant_file.schema import PLANT, SAME_SPACE, VERSION
from celadon.core.carriers import CARRIERS, Carrier
from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.model import Plant, Process, Product, Site
from celadon.core.text import Text
from celadon.core.units import parse_unit
from celadon.store.objects import check_address
from celadon.store.postgresql import check_url

VERSION_MISSING = FindingKind(
    "plant.version-missing",
    Severity.ERROR,
    Text("Version of the format missing", "缺少格式版本"),
    Text(
        "The file does not say which version of the plant file it is written in; it was read as version "
        "{version}.",
        "文件未说明工厂文件的格式版本，按版本 {version} 读取。",
    ),
    Text("Write `celadon: {version}` as the first line.", "请在首行写 `celadon: {version}`。"),
)
VERSION_OTHER = FindingKind(
    "plant.version-other",
    Severity.ERROR,
    Text("Version of the format not known", "格式版本未知"),
    Text(
        "The file is written in version {value} of the plant file; this Celadon reads version {version}.",
        "文件的格式版本为 {value}，本程序只读版本 {version}。",
    ),
    Text(
        "Use a newer Celadon, or rewrite the file after docs/plant-file.md.",
        "请使用更新的 Celadon，或按 docs/plant-file.md 改写。",
    ),
)
NOTHING_USABLE = FindingKind(
    "plant.unusable",
    Severity.ERROR,
    Text("No plant in the file", "文件中没有可用的企业"),
    Text(
        "Without an enterprise and at least one site nothing can be accounted.",
        "没有企业和至少一个站点，无法核算。",
    ),
    Text(
        "Give `enterprise` with its id, and `sites` with at least one.",
        "请写明 `enterprise` 及其编号，并在 `sites` 下至少写一个站点。",
    ),
)
GRID_BAD = FindingKind(
    "plant.grid",
    Severity.ERROR,
    Text("Ledger cells of another length", "台账时格长度不符"),
    Text(
        "`grid: {value}`: the ledger has cells of 15min, 30min or 1h; it was read as 1h.",
        "`grid: {value}`：台账时格只能为 15min、30min 或 1h，按 1h 读取。",
    ),
    Text("Write 15min, 30min or 1h.", "请写 15min、30min 或 1h。"),
)

FILE_NAME = "plant.yaml"
_GRIDS = (900, 1800, 3600)
_M2 = parse_unit("m2")


def plant_path(path: str | Path) -> Path:
    """The plant file itself: `path`, or `plant.yaml` in it where it is a folder."""
    path = Path(path)
    return path / FILE_NAME if path.is_dir() else path


def read_plant(path: str | Path) -> tuple[Plant | None, Findings]:
    """Reads the plant file (or the folder that holds `plant.yaml`), whole, and says everything that is
    wrong with it.

    The plant holds what is sound: it refers to nothing that is not in it. It is None where nothing can
    be built: no file, no YAML, no enterprise or no site. Findings come in the order of the file.
    Nothing is written."""
    file = plant_path(path)
    shown = file.as_posix()
    findings = Findings()
    try:
        text = decode(read_bytes(file, shown), shown, findings)
    except FindingError as error:
        findings.extend(error.findings)
        return None, findings
    return read_plant_text(text, shown, findings)


def read_plant_text(
    text: str, file: str = FILE_NAME, findings: Findings | None = None
) -> tuple[Plant | None, Findings]:
    """Like `read_plant`, for a text that is said to stand in `file`."""
    reading = Reading(file)
    reading.findings.extend(findings or ())
    try:
        root = parse(text, file, reading.findings)
    except FindingError as error:
        reading.findings.extend(error.findings)
        return None, reading.findings
    plant = _plant(reading, root)
    ordered = sorted(reading.findings, key=_order)
    return plant, Findings(ordered)


def _order(finding: Finding) -> tuple[int, int]:
    return finding.where.line or 0, int(finding.where.column or 0)


def _plant(reading: Reading, root: Node | None) -> Plant | None:
    if root is None or (isinstance(root, Scalar) and root.is_null):
        reading.findings.add(FILE_EMPTY.at(Place(file=reading.file)))
        return None
    if isinstance(root, Mapping):
        _version(reading, root)
    reading.collect(root, PLANT, lambda section: SAME_SPACE.get(section, section))
    got = reading.read("plant", root, PLANT)
    if got is None:
        return None
    return _Assembly(reading, got.value).plant()


def _version(reading: Reading, root: Mapping) -> None:
    """The version is told first, and a missing one is not told again as a missing key."""
    node = root.get("celadon")
    if node is None or not written(node):
        reading.add(VERSION_MISSING, root, version=VERSION)
    elif written(node).isdigit() and int(written(node)) != VERSION:
        reading.add(VERSION_OTHER, node, value=written(node), version=VERSION)


class _Assembly:
    """The plant's parts in the order in which they need each other."""

    def __init__(self, reading: Reading, root: Entry) -> None:
        self.reading, self.root = reading, root
        self.zone: str = root["zone"]

    def plant(self) -> Plant | None:
        reading, root = self.reading, self.root
        carriers = [_carrier(entry) for entry in root.entries("carriers") if entry.complete]
        products = [
            Product(entry["id"], name_of(entry), entry["unit"])
            for entry in root.entries("products")
            if entry.complete
        ]
        made = {product.id for product in products}
        sites = [self._site(entry, made) for entry in root.entries("sites") if entry.complete]
        around = Around(
            sites={site.id: site for site in sites},
            processes={process.id: process for site in sites for process in site.processes},
            products={product.id: product for product in products},
            carriers=CARRIERS | {carrier.id: carrier for carrier in carriers},
        )
        meter_entries, virtual_entries = root.entries("meters"), root.entries("virtual_meters")
        by_id = {entry["id"]: entry for entry in [*meter_entries, *virtual_entries]}
        tree = Tree(
            reading,
            build_meters(reading, meter_entries, around),
            build_virtual_meters(reading, virtual_entries, around),
            by_id,
        )
        tree.check()
        tariff_entries, source_entries = root.entries("tariffs"), root.entries("sources")
        tariffs = build_tariffs(reading, tariff_entries, around.carriers)
        tariffs = check_tariffs(tree, tariffs, {entry["id"]: entry for entry in tariff_entries})
        sources = build_sources(reading, source_entries)
        sources = check_sources(tree, sources, {entry["id"]: entry for entry in source_entries})
        factors = build_factors(reading, root.entries("factors"))
        excluded = build_excluded(reading, root.entries("excluded"), tree.meters, around.sites, self.zone)
        enterprise, grid = root["enterprise"], self._grid()
        if enterprise is None or not enterprise.complete or not sites:
            reading.add(NOTHING_USABLE, root.node)
            return None
        return Plant(
            enterprise=enterprise["id"],
            name=name_of(enterprise),
            zone=self.zone,
            grid_seconds=grid,
            sites=tuple(sites),
            products=tuple(products),
            carriers=tuple(carriers),
            meters=tuple(left_out(meter, excluded) for meter in tree.meters.values()),
            virtual_meters=tuple(tree.virtual.values()),
            tariffs=tuple(tariffs),
            sources=tuple(sources),
            factors=tuple(factors),
            options=build_choices(root.pairs("accounts"), "options"),
            exclusions=build_choices(root.pairs("accounts"), "exclusions"),
            derived=build_derived(reading, root.entries("derived")),
            excluded=excluded,
            industry=enterprise["industry"],
            store=root["store"],
            catalogue=self._address("catalogue", check_url),
            segments=self._address("segments", check_address),
            file=reading.file,
        )

    def _grid(self) -> int:
        seconds: int = self.root["grid"]
        if seconds in _GRIDS:
            return seconds
        node = self.root.at("grid")
        self.reading.add(GRID_BAD, node, value=written(node))
        return 3600

    def _address(self, name: str, check: Callable[[str], None]) -> str:
        """An address outside the plant's folder; '' where it is not written, or not usable."""
        found: str | None = self.root[name]
        if found is None:
            return ""
        try:
            check(found)
        except FindingError as error:
            where = self.reading.place(self.root.at(name))
            self.reading.findings.extend(replace(item, where=where) for item in error.findings)
            return ""
        return found

    def _site(self, entry: Entry, made: set[str]) -> Site:
        processes = [process for process in entry.entries("processes") if process.complete]
        return Site(
            id=entry["id"],
            name=name_of(entry),
            region=entry["region"],
            zone=entry["zone"] or self.zone,
            processes=tuple(self._process(process, entry["id"], made) for process in processes),
            equity_share=entry["equity_share"],
        )

    def _process(self, entry: Entry, site: str, made: set[str]) -> Process:
        area = amount(self.reading, entry, "area", _M2)
        products = tuple(product for product in entry.values("products") if product in made)
        return Process(entry["id"], name_of(entry), site, products, area)


def _carrier(entry: Entry) -> Carrier:
    return Carrier(
        id=entry["id"],
        label=name_of(entry),
        kind=entry["kind"],
        unit=parse_unit(entry["unit"]),
        aliases=tuple(entry.values("aliases")),
        biogenic=entry["biogenic"],
    )
