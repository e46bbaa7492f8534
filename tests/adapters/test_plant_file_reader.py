"""What a plant file means: values of the model, plants that survive their faults, files that are no plant."""

import os
import random
import re
from datetime import UTC, date, datetime, time
from fractions import Fraction
from pathlib import Path

import pytest

from celadon.adapters.plant_file import plant_summary, read_plant, read_plant_text, source_files
from celadon.adapters.plant_file.nodes import MAX_BYTES
from celadon.core.findings import Place
from celadon.core.model import Flow, Plant, PointKind, Share, Stamp, TimeBand
from celadon.core.text import Text
from tests.adapters.plant_file_tools import HEAD, SAMPLES, read, sound, told

ALL_DAYS = ("workday", "weekend", "holiday")


@pytest.fixture(scope="module")
def works() -> Plant:
    plant, findings = read_plant(SAMPLES / "steelworks.yaml")
    assert [(item.code, item.where.subject) for item in findings] == [
        ("plant.stamp-assumed", "meter:E04"),
    ]
    assert plant is not None
    return plant


def test_enterprise_sites_products_carriers(works):
    assert (works.enterprise, works.name, works.industry) == (
        "luhe",
        Text("Luhe Special Steel", "鹭河特钢"),
        "3120",
    )
    assert (works.zone, works.grid_seconds, works.store) == ("Asia/Shanghai", 900, "data/store")
    mill, port = works.sites
    assert (mill.region, mill.equity_share, mill.zone) == ("CN-SD", 0.6, "Asia/Shanghai")
    assert (port.name, port.zone, port.equity_share) == (Text("port", "port"), "Europe/Berlin", 1.0)
    eaf, rolling = mill.processes
    assert (eaf.site, eaf.products, eaf.area_m2) == ("mill", ("billet",), 1200.0)
    assert (rolling.name, rolling.products, rolling.area_m2) == (
        Text("rolling", "rolling"),
        ("billet",),
        5000.0,
    )
    assert works.products[0].name == Text("方坯", "方坯")
    [gas] = works.carriers
    assert (gas.id, gas.kind, str(gas.unit), gas.aliases, gas.biogenic) == (
        "top_gas",
        "gas",
        "m3",
        ("TG",),
        False,
    )


def test_a_meter_with_everything(works):
    meter = works.meter("E01")
    assert meter.name == Text("Arc furnace", "Arc furnace")
    assert (meter.kind, meter.carrier, meter.flow) == (PointKind.REGISTER, "electricity", Flow.USED)
    assert (meter.site, meter.process, meter.parent, meter.cost_centre) == ("mill", "eaf", "E00", "0010")
    assert (meter.unit, meter.digits, meter.decimals, meter.multiplier) == ("kWh", 8, 2, Fraction(4000))
    assert (meter.max_rate, meter.max_gap_seconds) == (20000.0, 1800)
    assert (meter.tolerance, meter.uncertainty) == (0.005, 0.005)
    assert (meter.tariff, meter.contract) == ("grid-tou", "green-2024")
    assert (meter.installed_at, meter.installed_register) == (datetime(2023, 12, 31, 16, tzinfo=UTC), 0.0)
    # 24:00 of the first of January is the start of the second, 16:00 UTC on the first
    assert (meter.removed_at, meter.removed_register) == (datetime(2025, 1, 1, 16, tzinfo=UTC), 8123.4)
    assert works.meter("E00").multiplier == Fraction(8000)  # 80 × 100
    assert meter.where == Place(file=works.file, line=32, subject="meter:E01")


def test_changes(works):
    swap, ratio, reset, unit = works.meter("E01").changes
    assert (swap.at, swap.kind) == (datetime(2024, 5, 2, 2, tzinfo=UTC), "swap")
    assert (swap.removed_register, swap.installed_register) == (8123.45, 0.0)
    assert (swap.digits, swap.decimals, swap.multiplier, swap.unit) == (7, None, Fraction(6000), None)
    assert (ratio.at, ratio.multiplier) == (datetime(2024, 5, 31, 16, tzinfo=UTC), Fraction(160))
    assert (reset.at, reset.removed_register, reset.installed_register) == (
        datetime(2024, 7, 1, tzinfo=UTC),
        500.2,
        0.0,
    )
    assert (unit.kind, unit.unit, unit.where.line) == ("unit", "MWh", 39)


def test_kinds_stamps_intervals_and_units(works):
    kinds = {
        meter.id: (str(meter.kind), str(meter.stamp), meter.interval_seconds, meter.unit)
        for meter in works.meters
    }
    assert kinds == {
        "E00": ("register", "instant", None, "kWh"),
        "E01": ("register", "instant", None, "kWh"),
        "E02": ("interval", "start", 900, "kWh"),
        "E03": ("rate", "instant", None, "kW"),
        "E04": ("interval", "end", None, "kWh"),
        "G01": ("register", "instant", None, "10^3 m3"),
        "Q01": ("register", "instant", None, "kvarh"),
        "T01": ("level", "instant", None, "degC"),
        "S01": ("state", "instant", None, "1"),
        "P01": ("count", "instant", None, "kg"),
    }
    assert works.meter("E03").max_rate == 2000.0
    assert works.meter("S01").states == ("off", "运行")
    assert (works.meter("E03").site, works.meter("E03").process) == ("mill", "rolling")  # by its process
    assert works.meter("G01").carrier == "top_gas"
    assert (works.meter("P01").carrier, works.meter("P01").quantity, works.meter("P01").product) == (
        None,
        "product_output",
        "billet",
    )
    # midnight in Berlin, in summer
    assert works.meter("E04").installed_at == datetime(2024, 6, 30, 22, tzinfo=UTC)


def test_shares(works):
    weights = (("eaf", 1.0), ("rolling", 1.0))
    assert works.meter("E02").shares == (
        Share("fixed", weights=(("eaf", 0.6), ("rolling", 0.4)), until=date(2024, 1, 31)),
        Share("production", weights=weights, since=date(2024, 2, 1), until=date(2024, 2, 29)),
        Share("area", weights=weights, since=date(2024, 3, 1), until=date(2024, 3, 31)),
        Share("meters", meters=(("eaf", "E01"), ("rolling", "V1")), since=date(2024, 4, 1)),
    )


def test_virtual_meter(works):
    [bus] = works.virtual_meters
    assert bus.terms == (("E00", Fraction(1)), ("E01", Fraction(-1, 2)), ("E03", Fraction(1, 3)))
    assert (bus.unit, bus.site, bus.process, bus.cost_centre) == ("kWh", "mill", "rolling", "CC2")


def test_tariff(works):
    tariff, gas = works.tariffs
    assert [(band.period, band.start, band.end, band.day_types) for band in tariff.bands] == [
        ("peak", time(10), time(12), ALL_DAYS),
        ("peak", time(16), time(22), ALL_DAYS),
        ("flat", time(12), time(16), ("workday", "weekend")),
        ("flat", time(12), time(16), ("holiday",)),
        ("valley", time(22), time(0), ALL_DAYS),
        ("valley", time(0), time(10), ALL_DAYS),
    ]
    assert [(price.period, price.price, price.since, price.until) for price in tariff.prices] == [
        ("peak", 0.98, date(2024, 1, 1), date(2024, 6, 30)),
        ("flat", 0.6, date(2024, 1, 1), None),
        ("valley", 0.3, date(2024, 1, 1), None),
        ("peak", 0.99, date(2024, 7, 1), None),
    ]
    assert [price.price for price in tariff.fund_prices] == [0.027635, 0.001]
    assert (tariff.holidays, tariff.workdays) == ((date(2024, 1, 1),), (date(2024, 2, 4),))
    assert tariff.day_list == ((date(2024, 12, 31), "weekend"),)
    assert (tariff.basic, tariff.contract_demand, tariff.capacity) == ("demand", 4000.0, None)
    assert (tariff.basic_prices[0].price, tariff.demand_excess_over, tariff.demand_excess_factor) == (
        38.0,
        1.1,
        3.0,
    )
    assert (tariff.power_factor_standard, tariff.reactive_meters) == ("0.90", ("Q01",))
    assert (tariff.source, tariff.clause, tariff.confidence) == ("示例文件", "表 1", "verified1")
    # one price for all hours needs no bands
    assert gas.bands == (TimeBand("flat", time(0), time(0)),)
    assert (gas.basic, gas.capacity, gas.contract_demand) == ("capacity", 5000.0, None)


def test_sources(works):
    wide, long, fuel = works.sources
    assert wide.files == ("data/meters_*.csv", "data/more/**/*.csv")
    assert (wide.format, wide.encoding, wide.delimiter, wide.decimal, wide.thousands, wide.header_row) == (
        "csv",
        "gb18030",
        "\t",
        ",",
        ".",
        3,
    )
    assert (wide.time_column, wide.time_format, wide.stamp) == ("时间", "%d/%m/%Y %H:%M", Stamp.END)
    assert (wide.zone, wide.midnight, wide.fold) == ("Asia/Seoul", "closes", "second")
    assert wide.columns == (("Usage_kWh", "E00"), ("Reactive kvarh", "Q01"))
    assert wide.units == (("Reactive kvarh", "Mvarh"),)
    assert wide.missing == ("", "n/a", "-9999")
    assert (long.files, long.columns) == (("log.parquet",), ())
    assert (long.meter_column, long.value_column, long.unit_column) == ("point", "v", "u")
    assert long.maps == (("meter", (("0815", "E01"),)),)
    assert long.missing == ("", "NA", "N/A", "null", "NULL", "-", "--")
    assert (fuel.role, fuel.sheet, fuel.quantity) == ("records", "2024", "fuel_purchased")
    assert dict(fuel.columns) == {
        "date": "日期",
        "start": "起",
        "end": "止",
        "item": "品种",
        "quantity": "类别",
        "value": "数量",
        "unit": "单位",
        "site": "=mill",
        "process": "工序",
        "purpose": "=combustion",
        "weight": "质量",
        "weight_unit": "=t",
        "note": "单号",
    }
    assert dict(fuel.maps)["quantity"] == (("购入", "fuel_purchased"), ("期初", "fuel_opening_stock"))
    assert fuel.where.line == 102
    # class 1: limits of ±1 %, rectangular, at two standard uncertainties 2 × 1 % / √3
    assert fuel.uncertainty == pytest.approx(0.011547005, abs=1e-9)
    assert wide.uncertainty is None


def test_factors_and_options(works):
    [factor] = works.factors
    assert (factor.factor, factor.value, factor.unit) == ("grid_emission_factor", 0.4585, "kgCO2/kWh")
    assert (factor.keys, factor.since, factor.until) == (
        (("site", "mill"),),
        date(2018, 1, 1),
        date(2018, 12, 31),
    )
    assert (factor.rulebook, factor.published) == ("cn_gbt_32150_2015", date(2018, 6, 1))
    assert factor.uncertainty == 0.03
    assert works.options == (
        ("cn_gbt_32150_2015", (("default_set", "sector"), ("grid_factor", "provincial"))),
    )


def test_summary(works):
    assert plant_summary(works) == {
        "sites": 2,
        "processes": 2,
        "products": 1,
        "carriers": 1,
        "meters": 10,
        "virtual_meters": 1,
        "roots": 9,
        "tariffs": 2,
        "sources": 3,
        "factors": 1,
        "meters_by_kind": {"count": 1, "interval": 2, "level": 1, "rate": 1, "register": 4, "state": 1},
        "meters_by_carrier": {
            "electricity": 5,
            "product_output": 1,
            "reactive_energy": 1,
            "state": 1,
            "temperature": 1,
            "top_gas": 1,
        },
    }


# -- what survives -------------------------------------------------------------------------------------------


def test_many_faults_in_one_pass_and_the_rest_survives():
    plant, findings = read(
        "zone: Mars/Olympus\n"  # 4
        "meters:\n"
        "  - {id: A, carrier: electricity, digits: seven, tariff: none}\n"  # 6
        "  - {id: B, carrier: electricity, parent: A, digits: 7, max_gap: 2, colour: red}\n"  # 7
        "  - {id: C, carrier: steam, unit: GJ, parent: B}\n"  # 8
        "virtual_meters:\n"
        "  - {id: V, carrier: electricity, formula: A + Z}\n"  # 10
        "  - {id: W, carrier: electricity, formula: A - V}\n"
        "sources:\n"
        "  - {id: s, role: readings, files: a.csv, wide: {a: A, b: B, z: Z}}\n"  # 13
    )
    codes = [(item.code, item.where.line) for item in told(findings)]
    assert sorted(codes) == sorted(
        [
            ("period.zone-unknown", 4),
            ("plant.bad-integer", 6),
            ("plant.reference-unknown", 6),
            ("plant.bad-duration", 7),
            ("plant.key-unknown", 7),
            ("plant.carrier-unknown", 8),
            ("plant.meter-without-source", 8),
            ("plant.parent-carrier", 8),
            ("plant.reference-unknown", 10),
            ("plant.reference-unknown", 13),
        ]
    )
    assert plant is not None
    assert plant.zone == "Asia/Shanghai"
    assert [(meter.id, meter.parent, meter.digits, meter.max_gap_seconds) for meter in plant.meters] == [
        ("A", None, None, 7200),
        ("B", "A", 7, 7200),
        ("C", None, None, 7200),
    ]
    assert plant.virtual_meters == ()  # V refers to nothing, W needs V
    assert plant.sources[0].columns == (("a", "A"), ("b", "B"))


def test_damaged_plants_never_crash_and_never_dangle():
    """Lines and values knocked about at random: whatever is built refers only to what is there."""
    lines = (SAMPLES / "steelworks.yaml").read_text("utf-8").splitlines()
    words = [
        "~",
        "[]",
        "{}",
        "[1]",
        "''",
        "-1",
        "0",
        "2024-02-30",
        "*electric",
        "<<",
        "=x",
        "..",
        "E00",
        "V1",
        "eaf",
        "t",
    ]
    chance = random.Random(20240229)
    for _ in range(60):
        damaged = list(lines)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(damaged))
            spans = list(re.finditer(r"[^\s,{}\[\]:]+", damaged[at]))
            if not spans or chance.random() < 0.2:
                del damaged[at]
                continue
            span = chance.choice(spans)
            damaged[at] = damaged[at][: span.start()] + chance.choice(words) + damaged[at][span.end() :]
        plant, findings = read_plant_text("\n".join(damaged), "plant.yaml")
        assert all(item.where.line and item.says("zh") and item.fix("en") for item in findings)
        if plant is not None:
            dangling(plant)


def dangling(plant: Plant) -> None:
    points = {point.id for point in (*plant.meters, *plant.virtual_meters)}
    processes = {process.id for site in plant.sites for process in site.processes}
    products, tariffs = {product.id for product in plant.products}, {tariff.id for tariff in plant.tariffs}
    for point in (*plant.meters, *plant.virtual_meters):
        assert point.site in {site.id for site in plant.sites}
        assert {point.parent} <= points | {None}
        assert {point.process} <= processes | {None}
    for meter in plant.meters:
        assert {meter.product} <= products | {None}
        assert {meter.tariff} <= tariffs | {None}
        for share in meter.shares:
            assert {name for name, _ in (*share.weights, *share.meters)} <= processes
            assert {name for _, name in share.meters} <= points
    assert {name for virtual in plant.virtual_meters for name, _ in virtual.terms} <= points
    assert {m for source in plant.sources if source.role == "readings" for _, m in source.columns} <= points


def test_cycles_are_cut_and_the_meters_kept():
    plant, _ = read(
        "meters:\n  - {id: A, carrier: electricity, parent: B}\n  - {id: B, carrier: electricity, parent: A}\n"
        "  - {id: C, carrier: electricity, parent: B}\n"
    )
    assert plant is not None
    assert [(meter.id, meter.parent) for meter in plant.meters] == [("A", None), ("B", None), ("C", "B")]


def test_a_chain_of_thousands_of_meters_is_no_crash():
    lines = ["  - {id: M0, carrier: electricity}"]
    lines += [f"  - {{id: M{n}, carrier: electricity, parent: M{n - 1}}}" for n in range(1, 1500)]
    assert len(sound("meters:\n" + "\n".join(lines) + "\n").meters) == 1500


def test_changes_are_put_in_order():
    plant, _ = read(
        "meters:\n  - {id: A, carrier: electricity, changes: [{at: 2024-06-01, kind: multiplier, multiplier: 2},\n"
        "      {at: 2024-05-01, kind: multiplier, multiplier: 3}, {at: 2024-06-01, kind: multiplier, multiplier: 4}]}\n"
    )
    assert plant is not None
    assert [change.multiplier for change in plant.meters[0].changes] == [3, 2]


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("E-1-E2", {"E-1": 1, "E2": -1}),
        ("-E2 + 2*E-1", {"E2": -1, "E-1": 2}),
        ("E2×25% + 1/3*E2", {"E2": Fraction(7, 12)}),
        ("总表 − E2", {"总表": 1, "E2": -1}),
    ],
)
def test_formulas(formula, terms):
    meters = "".join(f"  - {{id: {name}, carrier: electricity}}\n" for name in ("E", "E-1", "E2", "总表"))
    plant = sound(f"meters:\n{meters}virtual_meters: [{{id: V, carrier: electricity, formula: {formula}}}]\n")
    assert dict(plant.virtual_meters[0].terms) == terms


def test_values_are_taken_as_written():
    plant = sound("meters: [{id: 010, name: no, carrier: electricity, cost_centre: 1e3, digits: 08}]\n")
    [meter] = plant.meters
    assert (meter.id, meter.name.en, meter.cost_centre, meter.digits) == ("010", "no", "1e3", 8)


# -- files ---------------------------------------------------------------------------------------------------


def only(path: Path | str):
    plant, findings = read_plant(path)
    assert plant is None
    [finding] = findings
    return finding


def test_no_file(tmp_path):
    finding = only(tmp_path / "none.yaml")
    assert (finding.code, finding.values["file"]) == (
        "plant.file-missing",
        f"{tmp_path.as_posix()}/none.yaml",
    )
    assert only(tmp_path).where.file == f"{tmp_path.as_posix()}/plant.yaml"  # a folder: plant.yaml in it


def test_a_folder_is_read_by_its_plant_yaml(tmp_path):
    (tmp_path / "plant.yaml").write_text(HEAD)
    plant, findings = read_plant(tmp_path)
    assert plant is not None
    assert (plant.enterprise, plant.file, len(findings)) == ("luhe", f"{tmp_path.as_posix()}/plant.yaml", 0)


def test_a_file_that_cannot_be_opened(tmp_path):
    (tmp_path / "plant.yaml").mkdir()
    finding = only(tmp_path / "plant.yaml" / "..")
    assert (finding.code, str(finding.values["reason"])) == ("plant.file-unreadable", os.strerror(21))


def test_a_file_that_is_too_big(tmp_path):
    path = tmp_path / "plant.yaml"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    finding = only(path)
    assert finding.code == "plant.file-too-big"
    assert finding.values == {"size": 2_000_000_000, "limit": MAX_BYTES}


def test_a_device_that_never_ends_is_too_big():
    plant, findings = read_plant("/dev/zero")
    assert plant is None
    assert [(item.code, item.values["size"]) for item in findings] == [("plant.file-too-big", 4_000_001)]


def test_an_empty_file(tmp_path):
    (tmp_path / "plant.yaml").write_bytes(b"")
    assert only(tmp_path).code == "plant.file-empty"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (HEAD + "meters:\n\t- id: E\n", 5, "that cannot start any token"),
        (HEAD + "meters: [{id: E}\nzone: UTC\n", 5, "expected ',' or ']'"),
        (HEAD + "zone: U\x01TC\n", 4, "character U+0001"),
    ],
)
def test_what_is_no_yaml(text, line, problem):
    plant, findings = read(text, head="")
    assert plant is None
    [finding] = findings
    assert (finding.code, finding.where.line) == ("plant.yaml-syntax", line)
    assert problem in str(finding.values["problem"])  # libyaml and its Python twin word the rest differently


def test_an_alias_bomb_and_a_deep_nest():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text, line in ((bomb, 5), ("a: " + "[" * 5000, 1)):
        plant, findings = read(text, head="")
        assert plant is None
        assert [(item.code, item.where.line) for item in findings] == [("plant.limit", line)]


@pytest.mark.parametrize(
    ("encoding", "byte", "line", "name"),
    [("gbk", 31, 2, "鹭河"), ("utf-16", 1, 1, "鹭河"), ("latin-1", 31, 2, "\N{REPLACEMENT CHARACTER} ")],
)
def test_other_encodings_are_told_and_read(tmp_path, encoding, byte, line, name):
    text = "celadon: 1\nenterprise: {name: 鹭河, id: a}\nsites: [{id: s}]\n"
    data = text.replace("鹭河", "ä ").encode(encoding) if encoding == "latin-1" else text.encode(encoding)
    (tmp_path / "plant.yaml").write_bytes(data)
    plant, findings = read_plant(tmp_path)
    assert plant is not None
    [finding] = findings
    assert (finding.code, finding.where.line, finding.values["byte"]) == ("plant.file-encoding", line, byte)
    assert plant.name.zh == name.strip()


def test_a_byte_order_mark_is_fine(tmp_path):
    (tmp_path / "plant.yaml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    plant, findings = read_plant(tmp_path)
    assert (plant is not None, len(findings)) == (True, 0)


def test_source_files(tmp_path):
    (tmp_path / "data" / "deep").mkdir(parents=True)
    for name in ("data/b.csv", "data/a.csv", "data/deep/c.csv", "data/x[1].csv", "data/note.txt"):
        (tmp_path / name).write_text("")
    source = "sources:\n  - {id: s, role: records, quantity: q, fields: {date: d, value: v}, files: "
    (tmp_path / "plant.yaml").write_text(
        HEAD + source + "['data/*.csv', 'data/x[1].csv', 'data/**/*.csv', data, '*.xlsx']}\n"
    )
    plant, findings = read_plant(tmp_path)
    assert plant is not None
    assert len(findings) == 0
    files, missing = source_files(plant, plant.sources[0])
    assert [path.relative_to(tmp_path).as_posix() for path in files] == [
        "data/a.csv",
        "data/b.csv",
        "data/x[1].csv",
        "data/deep/c.csv",
    ]
    assert [(item.code, item.values["pattern"], item.where.line) for item in missing] == [
        ("plant.no-files", "data", 5),
        ("plant.no-files", "*.xlsx", 5),
    ]
