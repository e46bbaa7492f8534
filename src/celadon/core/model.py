"""What facts are about and how it nests: enterprise, sites, processes, products, meters, tariffs, sources.

These are the plant file's contents after reading: plain, immutable values. A plant's canonical JSON is stored with
every batch, so that a topology of an earlier day can be read again.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime, time
from enum import StrEnum
from fractions import Fraction

from celadon.core.carriers import Carrier
from celadon.core.dataclass import dataclass
from celadon.core.findings import Place
from celadon.core.text import Text


class PointKind(StrEnum):
    """What a point's values are."""

    REGISTER = "register"  # cumulative count; deltas matter
    INTERVAL = "interval"  # amount per interval
    RATE = "rate"  # amount per hour at an instant (kW, m3/h); integrated
    LEVEL = "level"  # state of a thing (temperature, tank level); averaged, never summed
    COUNT = "count"  # pieces at an instant; summed
    STATE = "state"  # a category that holds until the next reading; durations


class Stamp(StrEnum):
    """What a time stamp says."""

    START = "start"
    END = "end"
    INSTANT = "instant"


class Flow(StrEnum):
    """Which way energy goes at a meter, seen from the site."""

    PURCHASED = "purchased"  # bought, at the boundary
    EXPORTED = "exported"  # sold or passed on, at the boundary
    GENERATED = "generated"  # made on site from a source inside the boundary
    USED = "used"  # a sub-meter inside the boundary


@dataclass(frozen=True, slots=True)
class Process:
    id: str
    name: Text
    site: str
    products: tuple[str, ...] = ()
    area_m2: float | None = None


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: Text
    region: str | None = None
    """Grid region as in the factor tables, e.g. CN-SD."""
    zone: str = "Asia/Shanghai"
    processes: tuple[Process, ...] = ()
    equity_share: float = 1.0

    @property
    def country(self) -> str:
        """The country part of the region: CN of CN-SD; '' where no region is given. National factors are keyed by it."""
        return (self.region or "").split("-")[0]


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: Text
    unit: str


@dataclass(frozen=True, slots=True)
class MeterChange:
    """Something that happened to a register: a swap, a CT change, a reset or a declared roll-over.

    `kind`: swap (another device: removed/installed registers), multiplier (CT/PT change, same device), reset
    (same device set to `installed_register`), unit (the export changed unit to `unit`).
    """

    at: datetime
    kind: str
    removed_register: float | None = None
    installed_register: float | None = None
    multiplier: Fraction | None = None
    digits: int | None = None
    decimals: int | None = None
    unit: str | None = None
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Share:
    """Allocation of a shared meter to processes, dated: fixed weights, or weights by a declared key.

    `by`: `fixed` (weights given, adding to 1), `production` (of the processes' products), `area`, or `meters`
    (what one other meter per process measured). For `production` and `area` each weight is 1 and only names the
    process."""

    by: str
    weights: tuple[tuple[str, float], ...] = ()  # process -> weight
    meters: tuple[tuple[str, str], ...] = ()  # by `meters`: process -> meter
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """A point. `unit` is what the display counts, before `multiplier`; `digits` integer digits give the modulus."""

    id: str
    name: Text
    kind: PointKind
    site: str
    carrier: str | None = None
    """None for points that are no energy: temperature, reactive energy, counts, states."""
    quantity: str | None = None
    """For points that are no carrier: what they measure (reactive_energy, production …)."""
    product: str | None = None
    flow: Flow = Flow.USED
    unit: str = "kWh"
    process: str | None = None
    parent: str | None = None
    cost_centre: str | None = None
    digits: int | None = None
    decimals: int = 3
    multiplier: Fraction = Fraction(1)
    stamp: Stamp = Stamp.INSTANT
    interval_seconds: int | None = None
    """Length of an `interval` point's intervals; None = until the next stamp."""
    max_rate: float | None = None
    """Largest plausible amount per hour, after multiplier, in `unit`."""
    max_gap_seconds: int = 7200
    """A delta over a longer span is kept exactly but its hours are estimated."""
    installed_at: datetime | None = None
    installed_register: float | None = None
    removed_at: datetime | None = None
    removed_register: float | None = None
    changes: tuple[MeterChange, ...] = ()
    shares: tuple[Share, ...] = ()
    tolerance: float = 0.02
    """Allowed (sum of children − meter) / meter before a Finding."""
    uncertainty: float | None = None
    """Half-width at 95 % as a share of the amount."""
    tariff: str | None = None
    contract: str | None = None
    """Energy attribute evidence for market-based accounting (id of a contract)."""
    states: tuple[str, ...] = ()
    """Of a `state` point: its words in the order of their codes 0, 1, 2 …; empty = the usual words for off and on."""
    left_out: tuple[tuple[datetime, datetime], ...] = ()
    """Spans (both ends included) whose readings do not count; out of `Plant.excluded`."""
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class VirtualMeter:
    """A meter computed from others: Σ weight × meter; dated where the topology changes."""

    id: str
    name: Text
    site: str
    carrier: str
    unit: str
    terms: tuple[tuple[str, Fraction], ...]
    flow: Flow = Flow.USED
    process: str | None = None
    parent: str | None = None
    cost_centre: str | None = None
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class TimeBand:
    """Clock hours of one tariff period: from..to local (to 24:00 as 00:00 of the next day), months and day types it holds in."""

    period: str
    start: time
    end: time  # time(0, 0) = 24:00
    months: tuple[int, ...] = tuple(range(1, 13))
    day_types: tuple[str, ...] = ("workday", "weekend", "holiday")


@dataclass(frozen=True, slots=True)
class Price:
    """An energy price by tariff period, money per unit of the carrier, valid from..to (both days included)."""

    period: str
    price: float
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """A dated tariff: energy by time of use, demand or capacity charge, power-factor adjustment."""

    id: str
    name: Text
    carrier: str
    unit: str  # of prices: CNY/kWh
    bands: tuple[TimeBand, ...]
    prices: tuple[Price, ...]
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()
    """Weekend days worked in exchange."""
    day_list: tuple[tuple[date, str], ...] = ()
    """Explicit day types, winning over the calendar."""
    basic: str | None = None  # 'capacity' | 'demand' | None
    capacity: float | None = None  # kVA
    contract_demand: float | None = None  # kW
    basic_prices: tuple[Price, ...] = ()  # period 'capacity' or 'demand', money per kVA or kW and month
    demand_excess_over: float = 1.05
    demand_excess_factor: float = 2.0
    power_factor_standard: str | None = None  # '0.90' | '0.85' | '0.80'
    reactive_meters: tuple[str, ...] = ()
    fund_prices: tuple[
        Price, ...
    ] = ()  # government funds inside the price, outside the power-factor adjustment
    source: str = ""
    clause: str = ""
    confidence: str = "declared"


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one shape and how their columns read. `role`: readings or records.

    Wide readings: `columns` maps a header to a meter. Long readings: `meter_column`, `value_column`.
    Records: `columns` maps a record field (date, item, site, quantity, value, unit, weight, batch) to a header or
    to a constant written `=text`.
    """

    id: str
    role: str
    files: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    format: str = "auto"  # csv | xlsx | parquet | auto
    sheet: str | None = None
    header_row: int | None = None
    encoding: str = "auto"
    delimiter: str = "auto"
    decimal: str = "."
    thousands: str = ""
    time_column: str = "time"
    time_format: str | None = None  # strptime; None = ISO 8601
    midnight: str = "opens"  # closes: 0:00 printed with the day it ends
    fold: str = "order"  # order | first | second: which of a repeated local hour
    stamp: Stamp | None = None  # None = the meter's own
    zone: str | None = None
    meter_column: str | None = None
    value_column: str | None = None
    unit_column: str | None = None
    units: tuple[tuple[str, str], ...] = ()  # header -> unit, where it differs from the meter's
    missing: tuple[str, ...] = ("", "NA", "N/A", "null", "NULL", "-", "--")
    quantity: str | None = None  # records: what `value` is, unless a column says
    maps: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Field (item, quantity, unit, site, process, purpose; meter in long readings) -> the file's word -> ours."""
    uncertainty: float | None = None
    """Of records: half-width at 95 % as a share of the value."""
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class FactorEntry:
    """A plant's own factor (supplier rate, contract, measured) that goes before the rulebook's table."""

    factor: str
    value: float
    unit: str
    keys: tuple[tuple[str, str], ...] = ()
    since: date | None = None
    until: date | None = None
    rulebook: str | None = None
    source: str = ""
    clause: str = ""
    confidence: str = "declared"
    published: date | None = None
    uncertainty: float | None = None
    """Half-width at 95 % as a share of the value."""
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Derived:
    """A fact that another rulebook calculates from this plant's own facts.

    `of` of `rulebook` (its rows with the `keys` named, at the site or process named, else at each site) is `quantity`
    with `item` and `purpose` as its keys."""

    quantity: str
    rulebook: str
    of: str
    item: str = ""
    purpose: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    site: str | None = None
    process: str | None = None
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Excluded:
    """Readings of a meter, or records, that were judged not to count, with the reason. They stay in the store.

    Of readings: `meter`, and those stamped from `start` to `end`, both included. Of records: `quantity`, `start`, and of
    the other words those that are given; `value` tells rows with the same words apart."""

    reason: str
    start: datetime
    end: datetime | None = None
    """None: one instant of a meter; of a record any end."""
    meter: str | None = None
    quantity: str | None = None
    item: str | None = None
    purpose: str | None = None
    site: str | None = None
    process: str | None = None
    note: str | None = None
    value: float | None = None
    by: str = ""
    at: str = ""
    """When it was decided, as written."""
    where: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Plant:
    """Everything the plant file says."""

    enterprise: str
    name: Text
    zone: str
    grid_seconds: int
    sites: tuple[Site, ...]
    products: tuple[Product, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    meters: tuple[Meter, ...] = ()
    virtual_meters: tuple[VirtualMeter, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    sources: tuple[Source, ...] = ()
    factors: tuple[FactorEntry, ...] = ()
    options: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Rulebook id -> option -> choice."""
    exclusions: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Rulebook -> the quantities the firm leaves out, each with its reason."""
    derived: tuple[Derived, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    """Readings and records that do not count."""
    industry: str | None = None
    store: str = "celadon-store"
    """Folder of the store, from the plant file's folder."""
    catalogue: str = ""
    """Address of the store's catalogue on a server; '' = in the store's folder."""
    segments: str = ""
    """Address of the object store that keeps the store's segments; '' = in the store's folder."""
    file: str = ""

    def site(self, site_id: str) -> Site:
        return next(site for site in self.sites if site.id == site_id)

    def meter(self, meter_id: str) -> Meter:
        return next(meter for meter in self.meters if meter.id == meter_id)
