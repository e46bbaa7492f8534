"""What is planted: each anomaly with the months it lasts, the columns it touches, and how a month's row changes.

An anomaly belongs to one enterprise; which, when and how strong follows from the enterprise's own draws, so the truth is
a query, not a list that has to be kept while rows stream by.
"""

from __future__ import annotations

from celadon.core.dataclass import dataclass

_RATE, _KIND, _START, _STRENGTH = 90, 91, 92, 93
_FUEL = "CASE WHEN {0}cleaned_coal IS NOT NULL THEN 'cleaned_coal' WHEN {0}natural_gas IS NOT NULL THEN 'natural_gas' ELSE 'diesel' END"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to spoil a report: how many months it lasts (0 = to the end), its columns, and what it does."""

    name: str
    months: int
    columns: tuple[str, ...]
    says: str


KINDS: tuple[Kind, ...] = (
    Kind("unit_slip", 1, ("electricity_purchased", "electricity_consumed"), "kWh written as MWh: × 1000"),
    Kind("value_slip", 1, ("output_value",), "× 10 (a decimal point) or × 10 000 (yuan as 10^4 yuan)"),
    Kind("fuel_jump", 1, ("cleaned_coal", "natural_gas", "diesel"), "the main fuel × 3 to 6"),
    Kind("copied_month", 3, ("*",), "the whole report of the month before, again"),
    Kind("copied_year", 3, ("*",), "the whole report of the same month last year, again"),
    Kind("below_bill", 0, ("electricity_purchased", "electricity_consumed"), "× 0.5 to 0.8 of what was billed"),
    Kind("output_short", 0, ("product_output",), "× 0.25 to 0.45 of what was made"),
    Kind("rounded", 0, ("*",), "everything to two significant digits"),
    Kind("favoured_digits", 0, ("*",), "every last digit a 6 or an 8"),
)  # fmt: skip


def anomaly_columns(rate: float, months: int, years: int) -> str:
    """Select list over a firm row (`seed_of_firm`, `product`): kind (index or null), start (month index), strength.

    Anomalies lie in the last twelve of `months`; a country of one year has no last year to copy.
    """
    kind = f"floor(uniform(seed_of_firm, {_KIND}) * {len(KINDS)})::INTEGER"
    names = [item.name for item in KINDS]
    year, month = names.index("copied_year"), names.index("copied_month")
    short, bill = names.index("output_short"), names.index("below_bill")
    settled = f"CASE WHEN {kind} = {short} AND product IS NULL THEN {bill} ELSE {kind} END"
    if years < 2:
        settled = f"CASE WHEN {kind} = {year} THEN {month} ELSE {settled} END"
    latest = {name: 9 if KINDS[names.index(name)].months == 3 else 11 for name in names}
    latest |= {"below_bill": 6, "output_short": 6, "rounded": 0, "favoured_digits": 0}
    spread = " ".join(
        f"WHEN {number} THEN floor(uniform(seed_of_firm, {_START}) * {latest[name] + 1})::INTEGER"
        for number, name in enumerate(names)
    )
    room = " ".join(f"WHEN {number} THEN {item.months or 1}" for number, item in enumerate(KINDS))
    return (
        f"CASE WHEN uniform(seed_of_firm, {_RATE}) < {rate!r} THEN {settled} END AS kind, "
        f"least(greatest({months} - 12, 1) + CASE {settled} {spread} END, {months} - CASE {settled} {room} END) AS start, "
        f"uniform(seed_of_firm, {_STRENGTH}) AS strength"
    )


def within(month: str) -> str:
    """Condition: the firm's anomaly holds in `month` (a month index)."""
    lasting = " ".join(f"WHEN {number} THEN {item.months or 1200}" for number, item in enumerate(KINDS))
    return f"coalesce({month} >= start AND {month} < start + CASE kind {lasting} END, false)"


def source_month(month: str) -> str:
    """The month whose circumstances a row shows: another one where the report is a copy (`is_spoiled` is a column)."""
    names = [item.name for item in KINDS]
    return (
        f"CASE WHEN NOT is_spoiled THEN {month} WHEN kind = {names.index('copied_month')} THEN start - 1 "
        f"WHEN kind = {names.index('copied_year')} THEN {month} - 12 ELSE {month} END"
    )


def spoiled(column: str) -> str:
    """The reported value of `column`, from the true one of the same name, where the row `is_spoiled`."""
    names = [item.name for item in KINDS]

    def when(name: str, value: str, condition: str = "") -> str:
        return f"WHEN kind = {names.index(name)}{condition} THEN {value}"

    cases = []
    if column in ("electricity_purchased", "electricity_consumed"):
        cases.append(when("unit_slip", f"{column} * 1000"))
        cases.append(when("below_bill", f"round({column} * (0.5e0 + 0.3e0 * strength), 3)"))
    if column == "output_value":
        cases.append(when("value_slip", f"{column} * CASE WHEN strength < 0.5e0 THEN 10 ELSE 10000 END"))
    if column == "product_output":
        cases.append(when("output_short", f"round({column} * (0.25e0 + 0.2e0 * strength), 2)"))
    if column in ("cleaned_coal", "natural_gas", "diesel"):
        fuel = _FUEL.format("")
        cases.append(
            when("fuel_jump", f"round({column} * (3 + 3 * strength), 3)", f" AND {fuel} = '{column}'")
        )
    cases.append(when("rounded", f"significant({column}, 2)"))
    last = f"CASE WHEN (floor({column} * 1000)::BIGINT % 2) = 0 THEN 6 ELSE 8 END"
    scale = SCALE[column]
    cases.append(
        when("favoured_digits", f"(floor({column} * {scale} / 10)::BIGINT * 10 + {last}) / {float(scale)!r}")
    )
    return f"CASE WHEN NOT is_spoiled THEN {column} {' '.join(cases)} ELSE {column} END AS {column}"


# Column -> 10 ** decimals it is reported with.
SCALE = {
    "output_value": 100, "industrial_added_value": 100, "product_output": 100, "electricity_purchased": 1000,
    "electricity_generated": 1000, "electricity_consumed": 1000, "electricity_cost": 100, "heat_purchased": 10,
    "heat_exported": 10, "cleaned_coal": 1000, "coke": 1000, "natural_gas": 1000, "diesel": 1000, "gasoline": 1000,
    "fuel_oil": 1000, "lpg": 1000, "fresh_water": 10, "employees": 1,
}  # fmt: skip


def truth_sql(firms: str) -> str:
    """The planted anomalies: enterprise, kind, first and last month index (last null = to the end), column ('*' = all)."""
    rows = []
    for number, item in enumerate(KINDS):
        columns = _FUEL.format("uses_") if item.name == "fuel_jump" else f"'{item.columns[0]}'"
        last = f"start + {item.months - 1}" if item.months else "NULL"
        rows.append(
            f"SELECT id AS enterprise, '{item.name}' AS kind, start AS first_month, {last} AS last_month, "
            f"{columns} AS quantity, strength FROM {firms} WHERE kind = {number}"
        )
    return f"SELECT * FROM ({' UNION ALL '.join(rows)}) ORDER BY enterprise"
