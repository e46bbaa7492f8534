"""Meters, their changes and shares, and virtual meters, from the tables that were read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from celadon.adapters.plant_file.build_shares import build_shares
from celadon.adapters.plant_file.common import (
    amount,
    instant,
    mismatch,
    name_of,
    where,
    written,
)
from celadon.adapters.plant_file.reading import REFERENCE_UNKNOWN, Entry, Reading, near
from celadon.adapters.plant_file.values import (
    BAD_FORMULA,
    UNTIL_NEXT,
    read_formula,
)
from celadon.core.carriers import Carrier
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingKind, Severity
from celadon.core.model import (
    Flow,
    Meter,
    MeterChange,
    PointKind,
    Process,
    Product,
    Site,
    Stamp,
    VirtualMeter,
)
from celadon.core.text import Text
from celadon.core.units import Unit, parse_unit

SITE_NEEDED = FindingKind(
    "plant.site-needed",
    Severity.ERROR,
    Text("Site not said", "未说明站点"),
    Text(
        "There are several sites, and {subject} does not say which it is at.",
        "有多个站点，而 {subject} 未说明所在站点。",
    ),
    Text("Add `site:`.", "请补充 `site:`。"),
)
PROCESS_ELSEWHERE = FindingKind(
    "plant.process-elsewhere",
    Severity.ERROR,
    Text("Process at another site", "工序属于其他站点"),
    Text(
        "The process {process} is at the site {at}, not at {site}.",
        "工序 {process} 属于站点 {at}，不属于 {site}。",
    ),
    Text("Correct `process` or `site`.", "请更正 `process` 或 `site`。"),
)
MEASURES_NOTHING = FindingKind(
    "plant.measures-nothing",
    Severity.ERROR,
    Text("Meter without carrier or quantity", "表计未说明计量内容"),
    Text(
        "The meter says neither which `carrier` nor which other `quantity` it measures.",
        "该表计既未写 `carrier` 也未写 `quantity`。",
    ),
    Text(
        "Add `carrier: electricity` (or another), or `quantity:`.",
        "请补充 `carrier: electricity`（或其他），或 `quantity:`。",
    ),
)
MEASURES_TWO = FindingKind(
    "plant.measures-two",
    Severity.ERROR,
    Text("Meter with carrier and quantity", "表计同时写了品种和量"),
    Text(
        "The meter names a `carrier` and a `quantity`; only the carrier was read.",
        "该表计同时写了 `carrier` 和 `quantity`，只读取 carrier。",
    ),
    Text("Keep one of the two.", "请保留其中一个。"),
)
PRODUCT_NEEDED = FindingKind(
    "plant.product-needed",
    Severity.ERROR,
    Text("Output without its product", "产量未说明产品"),
    Text(
        "A meter of product_output has to say of which `product`.",
        "计量 product_output 的表计须写明 `product`。",
    ),
    Text("Add `product:` with an id from `products`.", "请补充 `product:`（`products` 中的编号）。"),
)
UNIT_NEEDED = FindingKind(
    "plant.unit-needed",
    Severity.ERROR,
    Text("Unit not said", "未说明单位"),
    Text("The unit has no default here.", "此处单位没有默认值。"),
    Text("Add `unit:` with the unit on the display.", "请补充 `unit:`（表面单位）。"),
)
INTERVAL_NEEDED = FindingKind(
    "plant.interval-needed",
    Severity.ERROR,
    Text("Length of the intervals not said", "未说明时段长度"),
    Text(
        "A meter of kind interval has to say how long its intervals are.",
        "interval 类表计须写明时段长度。",
    ),
    Text(
        "Add `interval: 15min`, or `interval: until-next`.",
        "请补充 `interval: 15min` 或 `interval: until-next`。",
    ),
)
STAMP_UNFIT = FindingKind(
    "plant.stamp-unfit",
    Severity.ERROR,
    Text("An interval has no instant", "时段没有单一时刻"),
    Text(
        "A meter of kind interval cannot be stamped with an instant; it was read as `end`.",
        "interval 类表计的时间戳不能为 instant，按 `end` 读取。",
    ),
    Text("Write `stamp: end` or `stamp: start`.", "请写 `stamp: end` 或 `stamp: start`。"),
)
KEY_UNFIT = FindingKind(
    "plant.key-unfit",
    Severity.WARNING,
    Text("Key has no meaning for this kind of meter", "此类表计不用该键"),
    Text("`{key}` says nothing for a meter of kind {kind}.", "{kind} 类表计不用 `{key}`。"),
    Text("Remove it, or correct `kind`.", "请删除，或更正 `kind`。"),
)
REGISTER_WITHOUT_DIGITS = FindingKind(
    "plant.register-without-digits",
    Severity.NOTICE,
    Text("Registers without digits", "表底未写位数"),
    Text(
        "{count} registers do not say how many digits they have ({meters}): a roll-over will look like a "
        "register that ran backwards.",
        "{count} 个累计表未写整数位数（{meters}）：归零时会显示为表底倒走。",
    ),
    Text("Add `digits:`, the number of integer digits of the display.", "请补充 `digits:`（表面整数位数）。"),
)
REGISTER_TOO_BIG = FindingKind(
    "plant.register-too-big",
    Severity.ERROR,
    Text("Display cannot show this", "表底超出位数"),
    Text(
        "`{key}: {value}` does not fit on a display of {digits} digits.",
        "`{key}: {value}` 超出 {digits} 位表面能显示的范围。",
    ),
    Text("Correct the register or `digits`.", "请更正表底或 `digits`。"),
)
CHANGES_ORDER = FindingKind(
    "plant.changes-out-of-order",
    Severity.ERROR,
    Text("Changes out of order", "变更顺序错误"),
    Text(
        "The change at {at} stands after a later or equal one on line {first}; they were put in order.",
        "{at} 的变更写在第 {first} 行更晚或同时的变更之后，已重新排序。",
    ),
    Text(
        "Write changes from the earliest to the latest, each with its own time.",
        "请按时间从早到晚书写，时间各不相同。",
    ),
)
CHANGE_OUTSIDE = FindingKind(
    "plant.change-outside-life",
    Severity.ERROR,
    Text("Change outside the meter's life", "变更超出使用期"),
    Text(
        "The change at {at} is before the meter was installed or after it was removed.",
        "{at} 的变更早于装表或晚于拆表。",
    ),
    Text("Correct the change, `installed` or `removed`.", "请更正变更、`installed` 或 `removed`。"),
)
CHANGE_INCOMPLETE = FindingKind(
    "plant.change-incomplete",
    Severity.ERROR,
    Text("Change says too little", "变更信息不全"),
    Text(
        "A change of kind {kind} has to give `{key}`; this one was not read.",
        "{kind} 类变更须给出 `{key}`，此项未读取。",
    ),
    Text("Add `{key}:`.", "请补充 `{key}:`。"),
)
CHANGE_UNUSED = FindingKind(
    "plant.change-unused-key",
    Severity.ERROR,
    Text("Key has no meaning for this change", "此类变更不用该键"),
    Text(
        "`{key}` says nothing in a change of kind {kind}; it was not read.",
        "{kind} 类变更不用 `{key}`，未读取。",
    ),
    Text("Remove it, or correct `kind`.", "请删除，或更正 `kind`。"),
)
REMOVED_EARLY = FindingKind(
    "plant.removed-before-installed",
    Severity.ERROR,
    Text("Removed before installed", "拆表早于装表"),
    Text(
        "The meter is removed at {removed}, before it is installed at {installed}.",
        "拆表时间 {removed} 早于装表时间 {installed}。",
    ),
    Text("Correct one of the two.", "请更正其中一个。"),
)

_HOUR = parse_unit("h")
_NEEDED = {
    "swap": ("removed_register", "installed_register"),
    "multiplier": ("multiplier",),
    "reset": ("installed_register",),
    "unit": ("unit",),
}
_USED = {
    "swap": {"removed_register", "installed_register", "multiplier", "digits", "decimals", "unit"},
    "multiplier": {"multiplier"},
    "reset": {"removed_register", "installed_register"},
    "unit": {"unit"},
}

_FITS = {
    "digits": (PointKind.REGISTER,),
    # rates, levels and counts are means or sums over an interval where they are stamped start or end
    "interval": (PointKind.INTERVAL, PointKind.RATE, PointKind.LEVEL, PointKind.COUNT),
    "states": (PointKind.STATE,),
}

Change = tuple[MeterChange, Entry]


@dataclass(frozen=True, slots=True)
class Around:
    """What meters refer to."""

    sites: Mapping[str, Site]
    processes: Mapping[str, Process]
    products: Mapping[str, Product]
    carriers: Mapping[str, Carrier]


def build_meters(reading: Reading, entries: list[Entry], around: Around) -> list[Meter]:
    """The sound meters in the order written, and one notice for all registers without digits."""
    meters = [_MeterBuilder(reading, entry, around).build() for entry in entries]
    built = [meter for meter in meters if meter is not None]
    open_ended = [meter.id for meter in built if meter.kind is PointKind.REGISTER and meter.digits is None]
    if open_ended:
        first = next(entry for entry in entries if entry["id"] == open_ended[0])
        shown = ", ".join(open_ended[:8]) + (" …" if len(open_ended) > 8 else "")
        reading.add(REGISTER_WITHOUT_DIGITS, first.node, first.subject, count=len(open_ended), meters=shown)
    return built


def _there(name: str | None, known: Mapping[str, object]) -> str | None:
    """The id, unless what it names could not be built (which was told where it is declared)."""
    return name if name in known else None


def site_of(reading: Reading, entry: Entry, around: Around) -> str | None:
    """The site as written, else that of the process, else the only one; None with a finding where it is
    open."""
    process = around.processes.get(entry["process"])
    if site := entry["site"]:
        if process is not None and process.site != site:
            reading.add(
                PROCESS_ELSEWHERE,
                entry.at("process"),
                entry.subject,
                process=process.id,
                at=process.site,
                site=site,
            )
        return str(site) if site in around.sites else None
    if process is not None:
        return process.site
    if len(around.sites) == 1:
        return next(iter(around.sites))
    if not entry.given("site"):
        reading.add(SITE_NEEDED, entry.node, entry.subject, subject=entry.subject)
    return None


def unit_of(reading: Reading, entry: Entry, carrier: Carrier | None, rate: bool = False) -> str | None:
    """The unit as written where it measures the carrier; kWh (kW for a rate) for electricity."""
    text: str | None = entry["unit"]
    if text is None:
        if carrier is not None and carrier.kind == "electricity":
            return "kW" if rate else "kWh"
        if not entry.given("unit") and (carrier is not None or not entry.given("carrier")):
            reading.add(UNIT_NEEDED, entry.node, entry.subject)
        return None
    unit = parse_unit(text)
    if carrier is not None:
        counted = unit * _HOUR if rate else unit
        if not carrier.counted(counted).same_kind(carrier.unit):
            expected = f"{carrier.unit}/h ({carrier.id})" if rate else f"{carrier.unit} ({carrier.id})"
            mismatch(reading, entry, "unit", unit, expected)
    return text


class _MeterBuilder:
    """One meter."""

    def __init__(self, reading: Reading, entry: Entry, around: Around) -> None:
        self.reading, self.entry, self.around = reading, entry, around
        self.kind = PointKind(entry["kind"])
        self.carrier = around.carriers.get(entry["carrier"])

    def add(self, kind: FindingKind, key: str = "", /, **values: Any) -> None:
        node = self.entry.at(key) if key else self.entry.node
        self.reading.add(kind, node, self.entry.subject, **values)

    def build(self) -> Meter | None:
        entry = self.entry
        if not entry.complete:
            return None
        self._measures()
        self._fitting()
        site, unit = site_of(self.reading, entry, self.around), self._unit()
        if site is None:
            return None
        zone = self.around.sites[site].zone
        installed, removed = entry["installed"], entry["removed"]
        installed_at = instant(self.reading, installed, "at", zone) if installed else None
        removed_at = instant(self.reading, removed, "at", zone) if removed else None
        if installed_at and removed_at and removed_at <= installed_at:
            self.add(
                REMOVED_EARLY, "removed", removed=removed_at.isoformat(), installed=installed_at.isoformat()
            )
            removed_at = removed = None
        changes = self._changes(zone, parse_unit(unit))
        self._outside(changes, installed_at, removed_at)
        self._registers(installed, changes, removed)
        over = _HOUR if self.kind in (PointKind.REGISTER, PointKind.INTERVAL, PointKind.COUNT) else None
        return Meter(
            id=entry["id"],
            name=name_of(entry),
            kind=self.kind,
            site=site,
            carrier=self.carrier.id if self.carrier else None,
            quantity=None if self.carrier else entry["quantity"],
            product=_there(entry["product"], self.around.products),
            flow=Flow(entry["flow"]),
            unit=unit,
            process=_there(entry["process"], self.around.processes),
            parent=entry["parent"],
            cost_centre=entry["cost_centre"],
            digits=entry["digits"],
            decimals=entry["decimals"],
            multiplier=entry["multiplier"],
            stamp=self._stamp(),
            interval_seconds=self._interval(),
            max_rate=amount(self.reading, entry, "max_rate", parse_unit(unit), over),
            max_gap_seconds=entry["max_gap"],
            installed_at=installed_at,
            installed_register=installed["register"] if installed else None,
            removed_at=removed_at,
            removed_register=removed["register"] if removed else None,
            changes=tuple(change for change, _ in changes),
            shares=build_shares(self.reading, entry, self.around.processes),
            tolerance=entry["tolerance"],
            uncertainty=entry["uncertainty"],
            tariff=entry["tariff"],
            contract=entry["contract"],
            states=tuple(entry.values("states")),
            where=where(self.reading, entry),
        )

    def _measures(self) -> None:
        """Exactly one of carrier and quantity; a state needs neither."""
        carrier, quantity = self.entry.given("carrier"), self.entry.given("quantity")
        if carrier and quantity:
            self.add(MEASURES_TWO, "quantity")
        elif not carrier and not quantity and self.kind is not PointKind.STATE:
            self.add(MEASURES_NOTHING)
        if self.entry["quantity"] == "product_output" and not self.entry.given("product"):
            self.add(PRODUCT_NEEDED)

    def _fitting(self) -> None:
        """What only some kinds of point have is not written for another."""
        for key, kinds in _FITS.items():
            if self.kind not in kinds and self.entry.given(key):
                self.add(KEY_UNFIT, key, key=key, kind=str(self.kind))

    def _unit(self) -> str:
        if self.kind is PointKind.STATE and not self.entry.given("unit"):
            return "1"
        unit = unit_of(self.reading, self.entry, self.carrier, rate=self.kind is PointKind.RATE)
        product = self.around.products.get(self.entry["product"])
        if unit and product and self.entry["quantity"] == "product_output":
            counted = parse_unit(unit) * _HOUR if self.kind is PointKind.RATE else parse_unit(unit)
            if not counted.same_kind(parse_unit(product.unit)):
                mismatch(self.reading, self.entry, "unit", parse_unit(unit), f"{product.unit} ({product.id})")
        return unit or "1"

    def _stamp(self) -> Stamp:
        written_stamp = self.entry["stamp"]
        if self.kind is not PointKind.INTERVAL:
            return Stamp(written_stamp or Stamp.INSTANT)
        if written_stamp == Stamp.INSTANT:
            self.add(STAMP_UNFIT, "stamp")
            return Stamp.END
        return Stamp(written_stamp or Stamp.END)

    def _interval(self) -> int | None:
        if self.kind is PointKind.INTERVAL and not self.entry.given("interval"):
            self.add(INTERVAL_NEEDED)
        value = self.entry["interval"]
        return None if value in (None, UNTIL_NEXT) else int(value)

    # -- registers and changes -----------------------------------------------------------------------------

    def _registers(self, installed: Entry | None, changes: list[Change], removed: Entry | None) -> None:
        """Every declared register fits on the display of its time."""
        digits: int | None = self.entry["digits"]
        if installed:
            self._fits(installed, "register", digits)
        for change, entry in changes:
            self._fits(entry, "removed_register", digits)
            digits = change.digits or digits
            self._fits(entry, "installed_register", digits)
        if removed:
            self._fits(removed, "register", digits)

    def _fits(self, entry: Entry, key: str, digits: int | None) -> None:
        value: float | None = entry[key]
        if value is not None and digits is not None and abs(value) >= 10**digits:
            node = entry.at(key)
            self.reading.add(
                REGISTER_TOO_BIG, node, self.entry.subject, key=key, value=written(node), digits=digits
            )

    def _changes(self, zone: str, unit: Unit) -> list[Change]:
        """The sound changes with their tables, by time; each time once."""
        changes: list[Change] = []
        for entry in self.entry.entries("changes"):
            change = self._change(entry, zone, unit)
            if change is None:
                continue
            later = next((other for other, _ in changes if other.at >= change.at), None)
            if later is not None:
                node = entry.at("at")
                first = later.where.line
                self.reading.add(CHANGES_ORDER, node, self.entry.subject, at=written(node), first=first)
            if later is None or later.at != change.at:
                changes.append((change, entry))
        return sorted(changes, key=lambda pair: pair[0].at)

    def _change(self, entry: Entry, zone: str, unit: Unit) -> MeterChange | None:
        if not entry.complete:
            return None
        kind, subject = entry["kind"], self.entry.subject
        at = instant(self.reading, entry, "at", zone)
        missing = [key for key in _NEEDED[kind] if not entry.given(key)]
        for key in missing:
            self.reading.add(CHANGE_INCOMPLETE, entry.node, subject, kind=kind, key=key)
        for key in [key for key in entry.got if key not in _USED[kind] | {"at", "kind"}]:
            self.reading.add(CHANGE_UNUSED, entry.at(key), subject, kind=kind, key=key)
        if at is None or any(entry[key] is None for key in _NEEDED[kind]):
            return None
        if entry["unit"] and not parse_unit(entry["unit"]).same_kind(unit):
            mismatch(self.reading, entry, "unit", parse_unit(entry["unit"]), str(unit))
            return None
        fields = {key: entry[key] for key in _USED[kind]}
        return MeterChange(at=at, kind=kind, where=where(self.reading, entry), **fields)

    def _outside(
        self, changes: list[Change], installed_at: datetime | None, removed_at: datetime | None
    ) -> None:
        for change, entry in changes:
            early = installed_at is not None and change.at < installed_at
            if early or (removed_at is not None and change.at > removed_at):
                node = entry.at("at")
                self.reading.add(CHANGE_OUTSIDE, node, self.entry.subject, at=written(node))


def build_virtual_meters(reading: Reading, entries: list[Entry], around: Around) -> list[VirtualMeter]:
    """The virtual meters whose formula can be read and whose terms all exist."""
    built = [_virtual(reading, entry, around) for entry in entries]
    return [meter for meter in built if meter is not None]


def _virtual(reading: Reading, entry: Entry, around: Around) -> VirtualMeter | None:
    if not entry.complete:
        return None
    site, carrier, terms = (
        site_of(reading, entry, around),
        around.carriers.get(entry["carrier"]),
        _terms(reading, entry),
    )
    unit = unit_of(reading, entry, carrier)
    if site is None or carrier is None or unit is None or not terms:
        return None
    return VirtualMeter(
        id=entry["id"],
        name=name_of(entry),
        site=site,
        carrier=carrier.id,
        unit=unit,
        terms=terms,
        flow=Flow(entry["flow"]),
        process=_there(entry["process"], around.processes),
        parent=entry["parent"],
        cost_centre=entry["cost_centre"],
        where=where(reading, entry),
    )


def _terms(reading: Reading, entry: Entry) -> tuple[tuple[str, Fraction], ...]:
    known, text, node = reading.known(("meters", "virtual_meters")), entry["formula"], entry.at("formula")
    try:
        terms = read_formula(text, known)
    except ValueError as error:
        reading.add(BAD_FORMULA, node, entry.subject, value=text, rest=str(error))
        return ()
    unknown = [name for name, _ in terms if name not in known]
    for name in unknown:
        values = {"key": "formula", "value": name, "section": "meters` / `virtual_meters"}
        reading.add(REFERENCE_UNKNOWN, node, entry.subject, hint=near(name, known), **values)
    return () if unknown else terms
