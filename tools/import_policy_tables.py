"""Tables of the rulebooks on trading, quotas, border adjustment and equipment, from the reference tables row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

Row = dict[str, str]
CITED = ("source", "clause", "confidence", "note")
DATED = ("valid_from", "valid_to", "published", *CITED)


class Made(NamedTuple):
    """What `import_tables.Table` is made of."""

    rulebook: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


# Reference rows that no table takes, and why: (file, topic) -> reason.
POLICY_LEFT_OUT: dict[tuple[str, str], str] = {
    ("ets", "power_benchmark_draft"): "a consultation draft is not law",
    ("ets", "power_correction_draft"): "a consultation draft is not law",
    ("ets", "power_correction"): "formulas: written in the chapter, cited there",
    ("efficiency_levels", "(added fields)"): "eleven fields without values",
    ("ets", "coverage"): "no value; the dates stand in about.yaml",
}


def policy_tables(read: Callable[[str], list[Row]]) -> Iterator[Made]:
    """Every table of these rulebooks; `read` gives the rows of one reference table by name."""
    yield from trading_tables(read("ets"))
    yield from quota_tables(read("efficiency_levels"))


def cited(row: Row, **more: str) -> Row:
    return {name: row[name] for name in CITED} | more


def dated(row: Row, **more: str) -> Row:
    return cited(row, valid_from=row["valid_from"], valid_to=row.get("valid_to", "")) | more


# --- national emissions trading ----------------------------------------------------------------------------------

SEGMENTS = {
    "conventional coal >300 MW class": "coal_above_300",
    "conventional coal <=300 MW class": "coal_up_to_300",
    "unconventional coal (CFB, waste coal)": "coal_unconventional",
    "gas": "gas",
    "coal": "coal",
}
RULES = {
    ("power_rule", "shortfall cap"): "shortfall_cap",
    ("threshold", "annual direct emissions"): "coverage_threshold",
    ("offset", "CCER cap"): "offset_cap",
    ("allocation_industry", "alpha_mid"): "adjustment_slope",
    ("allocation_industry", "alpha_cap_hi"): "adjustment_high",
    ("allocation_industry", "alpha_cap_lo"): "adjustment_low",
}
# The trading data of 2024 stand in the note of its closing price.
TRADED_2024 = {
    "traded_value": ("18113576584.23", "18 113 576 584.23 CNY"),
    "traded_volume": ("188646053", "188 646 053 t"),
}
PRICES = {
    "close": ("close", "CNY/tCO2e"),
    "volume": ("traded_volume", "tCO2e"),
    "value": ("traded_value", "CNY"),
}


def trading_tables(ets: list[Row]) -> Iterator[Made]:
    """Benchmarks and balance values, rules that are numbers, prices; sector balance values have no public source."""
    book = "cn_national_ets"
    kinds = {"power_benchmark": "benchmark", "power_balance": "balance"}
    benchmarks = tuple(
        dated(
            row,
            kind=kinds[row["topic"]],
            energy={"el": "electricity", "heat": "heat"}[row["key"]],
            segment=SEGMENTS[row["segment"]],
            value=row["value"],
            unit=row["unit"],
            basis=row["basis"],
        )
        for row in ets
        if row["topic"] in kinds
    )
    columns = ("kind", "energy", "segment", "value", "unit", "basis", *DATED)
    yield Made(book, "power_benchmarks", columns, (*benchmarks, *_no_balance(benchmarks)))
    rules = tuple(
        dated(row, rule=RULES[row["topic"], row["key"]], value=row["value"], unit=_rule_unit(row))
        for row in ets
        if (row["topic"], row["key"]) in RULES
    )
    yield Made(book, "trading_rules", ("rule", "value", "unit", *DATED), rules)
    yield Made(book, "sector_balance_values", ("sector", "value", "unit", *DATED), ())
    yield Made(book, "prices", ("price", "value", "unit", *DATED), tuple(_prices(ets)))


def _no_balance(rows: Iterable[Row]) -> Iterator[Row]:
    """2022 has no balance values: said by a blank, so that nobody takes those of 2021."""
    for row in rows:
        if row["kind"] == "balance" and row["valid_from"] == "2021-01-01":
            dates = {"valid_from": "2022-01-01", "valid_to": "2022-12-31"}
            yield row | dates | {"value": "", "note": "no 2022 balance value was published"}


def _rule_unit(row: Row) -> str:
    return "tCO2e" if row["unit"] == "tCO2e/year" else "1"


def _prices(ets: Iterable[Row]) -> Iterator[Row]:
    for row in ets:
        if row["topic"] != "price" or row["key"] not in PRICES:
            continue
        year = {"valid_from": f"{row['year']}-01-01", "valid_to": f"{row['year']}-12-31"}
        name, unit = PRICES[row["key"]]
        yield cited(row, price=name, value=row["value"], unit=unit, **year)
        if (row["key"], row["year"]) == ("close", "2024"):
            for other, (value, printed) in TRADED_2024.items():
                assert printed in row["note"]
                yield cited(
                    row, price=other, value=value, unit={"traded_value": "CNY"}.get(other, "tCO2e"), **year
                )


# --- product energy quotas ---------------------------------------------------------------------------------------

QUOTA = "GB quota"
# Names of the benchmark list -> those of the quota standards, where both mean one product.
SAME_PRODUCT = {
    "methanol, bituminous": ("methanol, bituminous coal",),
    "HC FeCr": ("high-carbon FeCr",),
    "liquid aluminium": ("aluminium liquid",),
    "float 500-800 t/d": ("float glass 500-800 t/d",),
    "float > 800 t/d": ("float glass > 800 t/d",),
    "EAF 30-50 t": ("EAF < 50 t",),
    "EAF >= 50 t": ("EAF 50-70 t", "EAF >= 70 t"),
}
PREFIXED = {"ammonia": "ammonia", "soda": "soda", "coking": "coke", "power": "power"}
IN_FORCE = {"GB 21256-2025": "2026-07-01"}
FAMILIES = {"ce": "coal_equivalent", "Wh": "electricity", "oe": "oil_equivalent", "kg": "coke"}


def quota_tables(levels: list[Row]) -> Iterator[Made]:
    """Levels 1 to 3 of the quota standards, benchmark and baseline levels, and the two adjustments that are complete."""
    book = "cn_product_energy_quota"
    columns = (
        "product",
        "indicator",
        "family",
        "sector",
        "process",
        "level1",
        "level2",
        "level3",
        "unit",
        "edition",
        *DATED,
    )
    quotas = tuple(_quota(row) for row in levels if row["scheme"] == QUOTA)
    yield Made(book, "quota_levels", columns, quotas)
    columns = (
        "product", "indicator", "family", "sector", "process", "benchmark", "baseline", "unit", "edition", "deadline", *DATED,
    )  # fmt: skip
    marks = (row for row in levels if row["scheme"] != QUOTA and row["benchmark"])
    yield Made(book, "benchmark_levels", columns, tuple(item for row in marks for item in _benchmarks(row)))
    adjusted = next(row for row in levels if row["process"] == "cement" and row["scheme"] == QUOTA)
    assert adjusted["adjustment"].startswith(
        "at 75 % clinker share; +/-1.10, 1.15, 1.20 kgce/t per percentage point"
    )
    slopes = _quota(adjusted) | {"level1": "1.10", "level2": "1.15", "level3": "1.20", "reference": "75"}
    columns = ("product", "level1", "level2", "level3", "unit", "reference", "reference_unit", *DATED)
    yield Made(book, "clinker_share", columns, (slopes | {"reference_unit": "1"},))
    yield Made(book, "site_conditions", ("condition", "value", "unit", *DATED), ())


def _slug(text: str) -> str:
    words = (
        text.lower()
        .replace("<=", " up to ")
        .replace(">=", " from ")
        .replace("<", " below ")
        .replace(">", " above ")
    )
    return "_".join("".join(letter if letter.isalnum() else " " for letter in words).split())


def _product(row: Row, process: str) -> str:
    prefix = PREFIXED.get(row["sector"], "")
    slug = _slug(process)
    return f"{prefix}_{slug}" if prefix else slug


def _indicator(row: Row) -> str:
    return _slug("comprehensive energy" if row["indicator"] == "comprehensive" else row["indicator"])


def _measure(row: Row) -> Row:
    """The unit as the program reads it; the family says what energy is counted in."""
    top, _, bottom = row["unit"].partition("/")
    family = next(name for end, name in FAMILIES.items() if top.endswith(end))
    unit = {"weight case": "piece", "(t·factor)": "t"}.get(bottom, bottom)
    return {"unit": f"{top}/{unit}", "family": family}


def _noted(row: Row, *more: str) -> str:
    return "; ".join(part for part in (*more, row["note"]) if part)


def _quota(row: Row) -> Row:
    number = " ".join(row["source"].split()[:2])
    since = IN_FORCE.get(number, f"{row['edition']}-01-01")
    return cited(
        row, product=_product(row, row["process"]), indicator=_indicator(row), sector=row["sector"], process=row["process"],
        level1=row["level1"], level2=row["level2"], level3=row["level3"], edition=row["edition"], valid_from=since,
        published=row["edition"], note=_noted(row, row["adjustment"] and f"adjustment: {row['adjustment']}"),
    ) | _measure(row)  # fmt: skip


def _benchmarks(row: Row) -> Iterator[Row]:
    for process in SAME_PRODUCT.get(row["process"], (row["process"],)):
        renamed = f"listed as {row['process']}" if process != row["process"] else ""
        yield cited(
            row, product=_product(row, process), indicator=_indicator(row), sector=row["sector"], process=row["process"],
            benchmark=row["benchmark"], baseline=row["baseline"], edition=row["edition"], deadline=row["deadline"],
            note=_noted(row, renamed),
        ) | _measure(row)  # fmt: skip
