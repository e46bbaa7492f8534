"""The plant all benchmarks measure: sites with a purchase meter above leaf meters of five areas, by formula, not at random.

Registers of six digits roll over, every fifth meter is read seven minutes past the quarter, and each is silent a few
times a year for hours to a day and a half. The same arguments give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from celadon.adapters.plant_file import plant_to_json
from celadon.plant.opened import Opened, open_file
from celadon.store import Store
from celadon.store.scratch import connect

REGIONS = ("CN-SD", "CN-JS", "CN-HE", "CN-GD", "CN-ZJ", "CN-HA", "CN-SC", "CN-LN")
AREAS = ("melting", "rolling", "finishing", "utilities", "offices")
STEP = 900
"""Seconds between readings."""
MEAN = 2500
"""What a leaf counts in a step, on average, in hundredths of a kWh."""
ZONE = "Asia/Shanghai"
_ZONE_HOURS = 8


@dataclass(frozen=True)
class Works:
    """Sites, leaf meters per site, and the local time covered: `months` months up to the end of 2023."""

    sites: int = 5
    leaves: int = 50
    months: int = 12
    tariff: bool = True

    @property
    def points(self) -> int:
        return self.sites * (self.leaves + 1)

    @property
    def start(self) -> datetime:
        """First instant, UTC."""
        back = 12 - self.months
        local = datetime(2023 + back // 12, 1 + back % 12, 1, tzinfo=UTC)
        return local - timedelta(hours=_ZONE_HOURS)

    @property
    def end(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC) - timedelta(hours=_ZONE_HOURS)

    @property
    def steps(self) -> int:
        return int((self.end - self.start).total_seconds()) // STEP

    @property
    def name(self) -> str:
        return f"{self.points} meters, {self.months} months of quarter-hours"

    def site(self, number: int) -> str:
        return f"site{number:02d}"

    def meters(self) -> list[tuple[str, int, int]]:
        """(meter id, site number, leaf number; leaf 0 is the purchase meter) in the order of their points."""
        return [
            (f"M{site:02d}-{leaf:04d}", site, leaf)
            for site in range(self.sites)
            for leaf in range(self.leaves + 1)
        ]

    def area(self, leaf: int) -> str:
        return AREAS[leaf % len(AREAS)]

    def yaml(self, files: str = "readings/*.csv") -> str:
        """The plant file."""
        lines = [
            "celadon: 1",
            "enterprise: {id: works, name: {zh: 基准工厂, en: The works}}",
            f"zone: {ZONE}",
            "grid: 1h",
            "sites:",
        ]
        for number in range(self.sites):
            processes = ", ".join(f"{{id: {area}-{number}, name: {area}}}" for area in AREAS)
            region = REGIONS[number % len(REGIONS)]
            lines += [
                f"  - id: {self.site(number)}",
                f"    name: {self.site(number)}",
                f"    region: {region}",
                f"    processes: [{processes}]",
            ]
        lines.append("meters:")
        lines += [self._meter(*one) for one in self.meters()]
        lines += [
            "tariffs:",
            "  - id: tou",
            "    carrier: electricity",
            "    unit: CNY/kWh",
            "    periods:",
            '      - {period: peak, hours: "10:00-12:00, 16:00-22:00"}',
            '      - {period: flat, hours: "08:00-10:00, 12:00-16:00, 22:00-24:00"}',
            '      - {period: valley, hours: "00:00-08:00"}',
            "    prices:",
            "      - {period: peak, price: 0.98, since: 2010-01-01}",
            "      - {period: flat, price: 0.65, since: 2010-01-01}",
            "      - {period: valley, price: 0.31, since: 2010-01-01}",
        ]
        lines += [
            "factors:",
            "  - {factor: contract_emission_factor, value: 0.02, unit: tCO2e/MWh, keys: {contract: green}, source: contract}",
            "sources:",
            "  - id: meters",
            "    role: readings",
            f"    files: [{files}]",
            "    time: {column: time, zone: UTC}",
            "    long: {meter: meter, value: value}",
        ]
        return "\n".join(lines) + "\n"

    def _meter(self, name: str, site: int, leaf: int) -> str:
        common = f"id: {name}, site: {self.site(site)}, carrier: electricity, unit: kWh, decimals: 2"
        if leaf == 0:
            contract = ", contract: green" if site == 0 else ""
            tariff = ", tariff: tou" if self.tariff else ""
            rate = 400 * self.leaves
            return f"  - {{{common}, digits: 8, flow: purchased, max_rate: {rate} kW{tariff}{contract}}}"
        process = f"{self.area(leaf)}-{site}"
        return f"  - {{{common}, digits: 6, max_rate: 400 kW, parent: M{site:02d}-0000, process: {process}}}"

    def readings_sql(self, file: int = 1, first: int = -1, last: int | None = None) -> str:
        """A query for the readings (columns of the store but for batch), steps `first` to `last` after the start.

        Points count from 1 in the order of `meters()`; the first and last instant of the period are covered.
        """
        upto = self.steps + 1 if last is None else last
        return f"""
            WITH meter AS (
                SELECT p + 1 AS point, p % {self.leaves + 1} AS leaf, CASE WHEN p % 5 = 3 THEN 420 ELSE 0 END AS late
                FROM range({self.points}) AS r(p)),
            counted AS (
                SELECT point, late, i, CASE WHEN leaf = 0 THEN 10000000000 ELSE 100000000 END AS modulus,
                    -- a phase, a mean per step and a bounded wave: the cumulative count in closed form, in hundredths
                    (point * 7368787) % 100000000 + (i + 2) * (CASE WHEN leaf = 0 THEN {MEAN * self.leaves * 23 // 20}
                        ELSE {MEAN} - 400 + (point * 37) % 800 END) + (i * i * 7919 + i * point * 104729) % 997 AS total
                FROM meter, range({first}, {upto}) AS s(i))
            SELECT point::INTEGER AS point, TIMESTAMP '{self.start:%Y-%m-%d %H:%M:%S}' + to_seconds(i * {STEP} + late) AS t,
                0::INTEGER AS span, ((total % modulus) / 100.0)::DOUBLE AS value, {file}::INTEGER AS file,
                ((i + 2) * {self.points} + point)::INTEGER AS line
            FROM counted
            WHERE NOT ((point * 31 + (i // 512) * 17) % 16 = 0 AND i % 512 BETWEEN 200 AND 200 + 12 + (point * 13) % 130)"""


def make_store(folder: Path, works: Works) -> Opened:
    """Write the plant file and a store with its readings, but no ledger yet, into `folder`; returns the opened plant."""
    folder.mkdir(parents=True)
    (folder / "plant.yaml").write_text(works.yaml(), encoding="utf-8")
    opened = open_file(folder)
    opened.sound()
    with Store.create(opened.store_path) as store, connect() as con:
        points = store.ensure_points(meter.id for meter in opened.model.meters)
        assert list(points.values()) == list(range(1, works.points + 1))
        with store.begin("load", "readings") as pending:
            pending.set_plant(plant_to_json(opened.model))
            pending.add_file("readings/all.csv", "0" * 64, 1, "meters", "-")
            con.execute(f"CREATE TEMP TABLE readings AS {works.readings_sql()}")
            pending.add_readings(con, "readings", reach=2)
            pending.commit()
    return opened


def segments(opened: Opened) -> list[Path]:
    """The Parquet files of the readings at rest: what every contender reads."""
    return sorted(opened.store_path.glob("segments/readings/*/*.parquet"))


def count_readings(con: duckdb.DuckDBPyConnection, files: list[Path]) -> int:
    found = con.execute("SELECT count(*) FROM read_parquet(?)", [[str(path) for path in files]]).fetchone()
    return int(found[0]) if found else 0
