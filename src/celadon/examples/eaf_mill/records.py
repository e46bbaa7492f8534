"""Records: fuel ledger with stocks, laboratory, production by heat, rolling, refrigerants, materials, certificates.

Masses are integers: fuel in 10 kg, steel in kg. Every writer returns what the file truly says, for the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.examples.eaf_mill import xlsx
from celadon.examples.eaf_mill.calendar import QUARTERS_PER_DAY, Calendar
from celadon.examples.eaf_mill.process import Year
from celadon.examples.eaf_mill.truth import Fault

FUEL = "data/fuel/fuel-{year}.csv"
LATE_FUEL = "late/fuel-correction-{year}.csv"
PRODUCTION = "data/production/production-{year}.xlsx"
LABORATORY = "data/laboratory/laboratory-{year}.xlsx"
_FUEL_HEADING = ("日期", "单据", "品种", "用途", "数量", "单位", "单号", "往来单位")


@dataclass(frozen=True, slots=True)
class Fuel:
    """A fuel in the ledger; masses in 10 kg. `per_heat` or `per_day` is what is used, `load` a delivery."""

    carrier: str
    name: str
    purpose: str
    supplier: str
    per_heat: int
    per_day: int
    load: int
    stock: int


FUELS = (
    Fuel("anthracite", "无烟煤", "炼钢", "晋城煤业", 54, 0, 3200, 21_450),
    Fuel("coke", "焦炭", "炼钢", "潍坊焦化", 23, 0, 3000, 9_830),
    Fuel("diesel", "柴油", "运输", "中石化鲁河油库", 0, 62, 1000, 2_115),
    Fuel("gasoline", "汽油", "运输", "中石化鲁河油库", 0, 4, 150, 160),
    Fuel("lpg", "液化石油气", "切割", "鲁河燃气", 0, 9, 200, 240),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the fuel ledger, mass in 10 kg."""

    day: date
    kind: str
    fuel: Fuel
    mass: int
    note: str

    def cells(self, mass: str | None = None, unit: str = "t") -> list[str]:
        supplier = self.fuel.supplier if self.kind == "购入" else ""
        amount = mass or f"{self.mass / 100:.2f}"
        return [
            str(self.day),
            self.kind,
            self.fuel.name,
            self.fuel.purpose,
            amount,
            unit,
            self.note,
            supplier,
        ]


@dataclass(slots=True)
class Records:
    """The records' truth so far, and their faults."""

    truth: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def text(rows: Iterable[Sequence[str]], delimiter: str = ",") -> str:
    """The rows as delimited text."""
    out = StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def write(
    directory: Path, year: Year, gas: Mapping[str, int], random: Random, faults: bool, first_fault: int
) -> Records:
    """Write every file of records. `gas`: m3 of natural gas by month; `first_fault` numbers the faults on."""
    records = Records()
    ledger = _ledger(year, random)
    _write_fuel(directory, year.calendar, ledger, records, faults, first_fault)
    _write_laboratory(directory, year.calendar, ledger, gas, random, records)
    _write_production(directory, year, records)
    _write_others(directory, year, records, random, faults, first_fault + 2)
    return records


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _ledger(year: Year, random: Random) -> list[Entry]:
    """Day by day: use, deliveries when the store runs low, stock-taking at the ends of the month, some diesel resold."""
    cal = year.calendar
    heats = [0] * cal.days
    for heat in year.heats:
        heats[heat.tapped // 1440] += 1
    entries: list[Entry] = []
    for fuel in FUELS:
        stock, number = fuel.stock, 0
        low = fuel.load * 2 if fuel.per_heat else fuel.load // 2
        for n in range(cal.days):
            day = cal.day(n)
            if day.day == 1:
                entries.append(Entry(day, "期初", fuel, stock, ""))
            while stock < low:
                number += 1
                mass = fuel.load - 60 + int(random.random() * 121) if fuel.load > 500 else fuel.load
                entries.append(
                    Entry(day, "购入", fuel, mass, f"{fuel.carrier[:2].upper()}{cal.year % 100}{number:04d}")
                )
                stock += mass
            stock -= heats[n] * fuel.per_heat + fuel.per_day * (800 + int(random.random() * 400)) // 1000
            if fuel.carrier == "diesel" and day.day == 20 and day.month % 3 == 0:
                entries.append(Entry(day, "外售", fuel, 120, f"XS{day:%y%m}"))
                stock -= 120
            if (day + timedelta(days=1)).day == 1:
                entries.append(Entry(day, "期末", fuel, stock, ""))
    order = {"期初": 0, "购入": 1, "外售": 2, "期末": 3}
    return sorted(entries, key=lambda entry: (entry.day, order[entry.kind], FUELS.index(entry.fuel)))


_COLUMN = {"期初": "opening", "购入": "purchased", "期末": "closing", "外售": "resold"}


def consumption(ledger: Iterable[Entry]) -> dict[str, dict[str, dict[str, float]]]:
    """Carrier → month → opening, purchased, closing, resold and consumed, in t."""
    sums: dict[str, dict[str, dict[str, int]]] = {}
    for entry in ledger:
        empty = dict.fromkeys(("opening", "purchased", "closing", "resold"), 0)
        month = sums.setdefault(entry.fuel.carrier, {}).setdefault(_month(entry.day), empty)
        month[_COLUMN[entry.kind]] += entry.mass
    for months in sums.values():
        for month in months.values():
            month["consumed"] = month["opening"] + month["purchased"] - month["closing"] - month["resold"]
    return {
        carrier: {name: {key: value / 100 for key, value in month.items()} for name, month in months.items()}
        for carrier, months in sums.items()
    }


def _write_fuel(
    directory: Path, cal: Calendar, ledger: list[Entry], records: Records, faults: bool, first_fault: int
) -> None:
    """The ledger in GBK; a transposed figure and a delivery in litres are corrected by a later file."""
    rows = [list(_FUEL_HEADING), *(entry.cells() for entry in ledger)]
    records.truth["fuel"] = consumption(ledger)
    records.truth["fuel_reported_before_late"] = {}
    if faults:
        transposed = next(
            n
            for n, e in enumerate(ledger)
            if e.kind == "购入" and e.fuel.carrier == "anthracite" and e.day.month == 9
        )
        litres = next(
            n
            for n, e in enumerate(ledger)
            if e.kind == "购入" and e.fuel.carrier == "diesel" and e.day.month == 11
        )
        before = list(ledger)
        entry = ledger[transposed]
        before[transposed] = Entry(entry.day, entry.kind, entry.fuel, entry.mass + 900, entry.note)
        rows[transposed + 1] = before[transposed].cells()
        rows[litres + 1] = ledger[litres].cells(str(ledger[litres].mass * 1000 // 84), "升")
        late = [list(_FUEL_HEADING), ledger[transposed].cells(), ledger[litres].cells()]
        _save(directory, LATE_FUEL.format(year=cal.year), text(late), "gbk")
        _fuel_faults(cal, ledger, (transposed, litres), records, first_fault)
        wrong = consumption(before)
        month = _month(entry.day)
        records.truth["fuel_reported_before_late"] = {
            "anthracite": {month: wrong["anthracite"][month]["consumed"]},
            "diesel": {
                _month(ledger[litres].day): None
            },  # absent: a delivery that cannot be converted is not zero
        }
    _save(directory, FUEL.format(year=cal.year), text(rows), "gbk")


def _fuel_faults(
    cal: Calendar, ledger: list[Entry], positions: tuple[int, int], records: Records, first_fault: int
) -> None:
    texts = (
        ("record-corrected-later",
         "过磅数误录多 9.00 t：late/ 中同一单号的更正替换原记录，此前的结果仍可按 as-of 查看。",
         "A weighing entered 9.00 t too high: the correction in late/ with the same note replaces it; the earlier answer stays readable."),
        ("record-unit-wrong",
         "柴油以升入账、账本以吨计，没有密度不能换算：11 月柴油消费为缺失（不是零）；late/ 中的更正补上。",
         "Diesel entered in litres where tonnes are kept; without a density it cannot be converted: November is absent (not zero); late/ brings it in tonnes."),
    )  # fmt: skip
    for n, (position, (kind, zh, en)) in enumerate(zip(positions, texts, strict=True)):
        entry, line = ledger[position], position + 2
        records.faults.append(
            Fault(
                f"F{first_fault + n:02d}", kind, (), FUEL.format(year=cal.year), (line, line),
                str(entry.day), str(entry.day), zh, en,
            )
        )  # fmt: skip


def _save(directory: Path, name: str, content: str, encoding: str) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding))


def _write_laboratory(
    directory: Path,
    cal: Calendar,
    ledger: list[Entry],
    gas: Mapping[str, int],
    random: Random,
    records: Records,
) -> None:
    """One sample for about three deliveries. Nothing for anthracite in March and August, for coke after June."""
    rows: list[Sequence[xlsx.Cell]] = [
        [f"{cal.year} 年入厂煤焦化验台账"],
        ["批次", None, None, None, "发热量", None, "元素碳", None],
        ["化验日期", "批号", "品种", "批量", "收到基低位发热量", "热值单位", "收到基碳含量", "碳单位"],
    ]
    results: dict[str, dict[str, list[tuple[int, int, int]]]] = {}
    for carrier, heat, carbon in (("anthracite", 27_200, 7600), ("coke", 28_100, 8250)):
        bought = [e for e in ledger if e.fuel.carrier == carrier and e.kind == "购入"]
        for n in range(0, len(bought) - 2, 3):
            day, mass = bought[n + 2].day, sum(entry.mass for entry in bought[n : n + 3])
            if day.month in (3, 8) if carrier == "anthracite" else day.month > 6:
                continue
            ncv, share = heat + int(random.random() * 1400), carbon + int(random.random() * 380)
            batch = f"{carrier[0].upper()}{day:%m%d}-{n // 3 + 1:02d}"
            value: list[xlsx.Cell] = [ncv / 1000, "MJ/kg"]
            if len(rows) == 8:  # the stand-in chemist writes kilocalories: 1 kcal/kg is 0.0041868 MJ/kg
                kilocalories = ncv * 10_000 // 41_868
                ncv, value = kilocalories * 41_868, [kilocalories, "kcal/kg"]
            else:
                ncv *= 10_000
            rows.append([day, batch, bought[0].fuel.name, mass / 100, *value, share / 10_000, "tC/t"])
            results.setdefault(carrier, {}).setdefault(_month(day), []).append((mass, ncv, share))
    book = directory / LABORATORY.format(year=cal.year)
    book.parent.mkdir(parents=True, exist_ok=True)
    reports, heats = _gas_reports(gas, random)
    sheets = [xlsx.Sheet("化验", rows, ("A1:H1", "A2:D2", "E2:F2", "G2:H2")), xlsx.Sheet("天然气", reports)]
    xlsx.write(book, sheets)
    records.truth["laboratory"] = {
        carrier: {month: _means(samples) for month, samples in months.items()}
        for carrier, months in results.items()
    }
    records.truth["laboratory"]["natural_gas"] = heats


def _gas_reports(
    gas: Mapping[str, int], random: Random
) -> tuple[list[Sequence[xlsx.Cell]], dict[str, dict[str, float]]]:
    """The gas supplier's monthly quality report: net calorific value per m3, and the volume it stands for."""
    rows: list[Sequence[xlsx.Cell]] = [["开始", "结束", "低位发热量 MJ/m3", "气量 m3", "报告号"]]
    heats: dict[str, dict[str, float]] = {}
    for month, volume in gas.items():
        first = date.fromisoformat(f"{month}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        heat = 35_300 + int(random.random() * 700)
        rows.append([first, last, heat / 1000, volume, f"RQ{first:%Y%m}"])
        heats[month] = {"mass": volume, "net_calorific_value": heat / 1_000_000}
    return rows, heats


def _means(samples: list[tuple[int, int, int]]) -> dict[str, float]:
    """Mass-weighted: GJ/t and tC/t."""
    mass = sum(sample[0] for sample in samples)
    return {
        "mass": mass / 100,
        "net_calorific_value": sum(m * ncv for m, ncv, _ in samples) / mass / 10_000_000,
        "carbon_content_by_mass": sum(m * share for m, _, share in samples) / mass / 10_000,
    }


def _write_production(directory: Path, year: Year, records: Records) -> None:
    """The melt shop's heats and the rolling shifts, as the production department keeps them."""
    cal = year.calendar
    heats: list[Sequence[xlsx.Cell]] = [
        [f"{cal.year} 年炼钢炉次台账"],
        ["炉次", None, None, None, "产量", None, None],
        ["日期", "炉号", "钢种", "出钢时刻", "废钢 t", "合格坯 t", "收得率 %"],
    ]
    billet: dict[str, int] = {}
    for heat in year.heats:
        day = cal.day(heat.tapped // 1440)
        clock = f"{heat.tapped % 1440 // 60:02d}:{heat.tapped % 60:02d}"
        number = f"{cal.year % 100}A{heat.number:05d}"
        row = len(heats) + 1
        metallic = xlsx.Formula(f"F{row}/E{row}*100", round(heat.billet * 100 / heat.scrap, 2))
        heats.append([day, number, heat.grade, clock, heat.scrap / 1000, heat.billet / 1000, metallic])
        billet[_month(day)] = billet.get(_month(day), 0) + heat.billet
    last, total = len(heats), sum(billet.values()) / 1000
    heats.append(["合计", None, None, None, None, xlsx.Formula(f"SUM(F4:F{last})", total), None])
    shifts, bars = _rolling(year)
    book = directory / PRODUCTION.format(year=cal.year)
    book.parent.mkdir(parents=True, exist_ok=True)
    xlsx.write(
        book,
        [xlsx.Sheet("炼钢", heats, ("A1:G1", "A2:D2", "E2:G2")), xlsx.Sheet("轧钢", shifts, ("A1:E1",))],
    )
    records.truth["production"] = {
        "billet": {month: mass / 1000 for month, mass in billet.items()},
        "bar": {month: mass / 1000 for month, mass in bars.items()},
    }
    records.truth["heats"] = len(year.heats)


def _rolling(year: Year) -> tuple[list[Sequence[xlsx.Cell]], dict[str, int]]:
    cal, roll = year.calendar, year.drivers["roll"]
    rows: list[Sequence[xlsx.Cell]] = [
        [f"{cal.year} 年轧钢日报"],
        ["日期", "班次", "坯料 t", "成品棒材 t", "成材率 %"],
    ]
    months: dict[str, int] = {}
    for n in range(cal.days):
        for number, shift in enumerate(("夜", "白", "中")):
            first = n * QUARTERS_PER_DAY + number * 32
            charged = sum(roll[first : first + 32])
            if not charged:
                continue
            bars = charged * 965 // 1000
            line = len(rows) + 1
            share = xlsx.Formula(f"D{line}/C{line}*100", round(bars * 100 / charged, 2))
            rows.append([cal.day(n), shift, charged / 1000, bars / 1000, share])
            months[_month(cal.day(n))] = months.get(_month(cal.day(n)), 0) + bars
    return rows, months


TOPPED_UP = (
    ("03-26", "HFC-134a", "8.5", "冷水机组 1#", "WX-0326"),
    ("06-18", "HFC-32", "3.2", "操作室空调", "WX-0618"),
    ("07-09", "HFC-134a", "12.0", "冷水机组 2#", "WX-0709"),
    ("10-23", "SF6", "1.6", "110 kV GIS", "WX-1023"),
)
"""Day, gas, kg, device and work order of what was filled up."""
SLIPPED = "WX-0709"
"""The work order whose decimal point was lost on the way into the file."""


def _write_refrigerants(directory: Path, cal: Calendar, records: Records, faults: bool, number: int) -> None:
    """Refrigerants and SF6 filled up; one entered tenfold."""
    file = f"data/refrigerant/refrigerant-{cal.year}.csv"
    rows = [("日期", "气体", "补充量", "单位", "设备", "工单")]
    gases: dict[str, dict[str, float]] = {}
    for line, (day, gas, mass, device, order) in enumerate(TOPPED_UP, 2):
        gases.setdefault(gas, {})[f"{cal.year}-{day[:2]}"] = float(mass)
        date_ = f"{cal.year}-{day}"
        if faults and order == SLIPPED:
            mass = f"{float(mass) * 10:.1f}"
            records.faults.append(
                Fault(
                    f"F{number:02d}", "record-decimal-slip", (), file, (line, line), date_, date_,
                    "工单 WX-0709 写的是 12.0 kg，录入时丢了小数点，成了 120.0 kg：更正后恰有三个指标变化"
                    "（范围一与 GHG Protocol 的两个总量，各少 165.24 tCO2e）。",
                    "Work order WX-0709 says 12.0 kg; the decimal point was lost and 120.0 kg entered: corrected, exactly three figures "
                    "change (scope 1 and the two totals of the GHG Protocol, each by 165.24 tCO2e).",
                )
            )  # fmt: skip
        rows.append((date_, gas, mass, "kg", device, order))
    _save(directory, file, text(rows), "utf-8")
    records.truth["refrigerant"] = gases


def _write_others(
    directory: Path, year: Year, records: Records, random: Random, faults: bool, number: int
) -> None:
    """Refrigerants and SF6 topped up, green-power certificates, furnace materials."""
    cal = year.calendar
    _write_refrigerants(directory, cal, records, faults, number)
    months = [
        (date(cal.year, m, 1), date(cal.year + m // 12, m % 12 + 1, 1) - timedelta(days=1))
        for m in range(1, 13)
    ]
    green = [(a, b, 2500 + int(random.random() * 40) * 25) for a, b in months if a.month >= 4]
    rows_green = [("开始", "结束", "合同", "电量", "单位", "证书"), *(
        (str(a), str(b), "green-power", str(amount), "MWh", f"GEC{a:%Y%m}") for a, b, amount in green
    )]  # fmt: skip
    _save(directory, f"data/green-power/certificates-{cal.year}.csv", text(rows_green), "utf-8")
    records.truth["green_power"] = {_month(a): amount for a, _, amount in green}
    _write_materials(directory, year, months, records)
    _write_output_value(directory, cal, months, records)


def _write_materials(
    directory: Path, year: Year, months: Sequence[tuple[date, date]], records: Records
) -> None:
    """Electrodes, lime and carburiser by month: `Unicode text` as a spreadsheet program saves it (UTF-16, tabs)."""
    made = records.truth["production"]["billet"]
    rows = [("开始", "结束", "物料", "消耗量", "单位")]
    used: dict[str, dict[str, float]] = {}
    for name, label, share in (
        ("graphite_electrode", "石墨电极", 14),
        ("lime", "石灰", 420),
        ("dolomite", "白云石", 110),
    ):
        for first, last in months:
            amount = f"{int(made[_month(first)]) * share / 10_000:.1f}"
            rows.append((str(first), str(last), label, amount, "t"))
            used.setdefault(name, {})[_month(first)] = float(amount)
    cal = year.calendar
    content = "\ufeff" + text(rows, "\t")
    _save(directory, f"data/materials/materials-{cal.year}.txt", content, "utf-16-le")
    records.truth["materials"] = used


def _write_output_value(
    directory: Path, cal: Calendar, months: Sequence[tuple[date, date]], records: Records
) -> None:
    """What the bars rolled in a month were worth, in 10 000 CNY."""
    rows = [("开始", "结束", "产值", "单位")]
    worth: dict[str, float] = {}
    for first, last in months:
        value = int(records.truth["production"]["bar"][_month(first)] * 43) / 100
        rows.append((str(first), str(last), f"{value:.2f}", "万元"))
        worth[_month(first)] = round(value * 10_000)
    _save(directory, f"data/finance/output-value-{cal.year}.csv", text(rows), "utf-8")
    records.truth["output_value"] = worth
