"""The words of records: which carrier or product an item is, and the exact factor to the unit its facts are kept in.

Each distinct (quantity, item, unit) is read once; what cannot be read is a Finding at the first record that has it.
"""

from __future__ import annotations

from fractions import Fraction

import duckdb

from celadon.core.carriers import Carrier, find_carrier
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Plant
from celadon.core.text import Text
from celadon.core.units import UNIT_UNKNOWN, Unit, UnitError, did_you_mean, parse_unit, recorded_factor
from celadon.metering.amounts import load_rows

ITEM_UNKNOWN = FindingKind(
    "records.item-unknown",
    Severity.ERROR,
    Text(en="Unknown item in a record", zh="台账品种未知"),
    Text(
        en="“{item}” is not a {what} ({quantity}, {count} records){hint}.",
        zh="“{item}”不是已知{what}（{quantity}，{count} 条）{hint}。",
    ),
    Text(
        en="Correct it, map it to an id under map: item:, or define it in the plant file.",
        zh="请更正，或在 map: item: 中映射到已知编号，或在工厂文件中定义。",
    ),
)
DENSITY_NEEDED = FindingKind(
    "records.density-needed",
    Severity.ERROR,
    Text(en="A density is needed", zh="需要密度"),
    Text(
        en="{quantity} of {item} is in {unit} ({count} records), but {item} is kept in "
        "{expected}: without a density it stays absent.",
        zh="{item} 的 {quantity} 以 {unit} 计（{count} 条），而该品种以 {expected} 计：缺少密度，"
        "按缺失处理。",
    ),
    Text(
        en="Convert to {expected} with the density on the delivery note, or write the unit with "
        "it, for example “0.84 kg/L·L”.",
        zh="请用交货单密度换算为 {expected}，或在单位中写明密度，例如“0.84 kg/L·L”。",
    ),
)
UNIT_OTHER_KIND = FindingKind(
    "records.unit-mismatch",
    Severity.ERROR,
    Text(en="Unit of another kind in a record", zh="台账单位量纲不符"),
    Text(
        en="{quantity} of {item} is in {unit} ({count} records), which does not convert to "
        "{expected}: it stays absent.",
        zh="{item} 的 {quantity} 以 {unit} 计（{count} 条），无法换算为 {expected}：按缺失处理。",
    ),
    Text(
        en="Correct the unit, or the item it belongs to; a fuel bought by its heat is written with its calorific value: “GJ/(38.93 MJ/m3)”.",
        zh="请更正单位或对应的品种；按热量购入的燃料请在单位中写明热值：“GJ/(38.93 MJ/m3)”。",
    ),
)
WEIGHT_UNIT = FindingKind(
    "records.weight-unit",
    Severity.WARNING,
    Text(en="A batch in a unit that does not convert", zh="批次质量的单位无法换算"),
    Text(
        en="The batches of {quantity} of {item} are weighed in {unit} ({count} records), which does not convert to {expected}: their "
        "values count as if they had not been weighed.",
        zh="{item} 的 {quantity} 的批次质量以 {unit} 计（{count} 条），无法换算为 {expected}：其数值按没有批次质量处理。",
    ),
    Text(
        en="Record the batches in {expected}, the unit the item is kept in.",
        zh="请以该品种的计量单位 {expected} 记录批次质量。",
    ),
)
SITE_UNKNOWN = FindingKind(
    "records.site-unknown",
    Severity.ERROR,
    Text(en="Unknown site in a record", zh="台账场所未知"),
    Text(
        en="“{site}” is not a site of the plant ({count} records); they are left out.",
        zh="“{site}”不是本企业的场所（{count} 条），未采用。",
    ),
    Text(
        en="Write the site's id, or map it under map: site:. It may be blank only where there is one site.",
        zh="请填写场所编号，或在 map: site: 中映射；仅单一场所时可留空。",
    ),
)

FUEL_KINDS = ("fuel_purchased", "fuel_opening_stock", "fuel_closing_stock", "fuel_resold", "fuel_consumed")
FLOWS = ("energy_purchased", "energy_exported", "energy_generated", "energy_consumed")
LABORATORY = {
    "net_calorific_value": "GJ/carrier_unit",
    "carbon_content": "tC/GJ",
    "carbon_content_by_mass": "tC/carrier_unit",
}
_OWN_UNIT = {"refrigerant_leaked": "kg", "contract_electricity": "MWh", "product_output": "product_unit"}
_WORD_COLUMNS = {
    "quantity": "VARCHAR", "item": "VARCHAR", "unit": "VARCHAR", "weight_unit": "VARCHAR", "key": "VARCHAR", "kind": "VARCHAR",
    "out_unit": "VARCHAR", "num": "DOUBLE", "den": "DOUBLE", "weight_factor": "DOUBLE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    quantity: str
    item: str
    unit: str
    weight_unit: str
    count: int
    source: str


def write_words(con: duckdb.DuckDBPyConnection, plant: Plant, table: str) -> list[Finding]:
    """Table `m_word` for every distinct wording in `table`: key '' where unknown, num null where it cannot convert."""
    seen = con.execute(
        f"""SELECT quantity, item, unit, weight_unit, count(*), arg_min(source, (batch, file, line)) FROM {table}
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    findings: list[Finding] = []
    told: set[tuple[str, ...]] = set()
    rows = []
    for word in (_Seen(*row) for row in seen):
        key, carrier, expected = _key(word, plant, told, findings)
        num, den = (None, None)
        if key is not None and expected is not None:
            factor = _factor(word, key, expected, carrier, told, findings)
            num, den = (
                (None, None) if factor is None else (float(factor.numerator), float(factor.denominator))
            )
        elif key is not None:
            num, den = 1.0, 1.0
        weight = _weight(word, carrier, told, findings)
        out = word.unit if expected is None else str(expected)
        kind = carrier.kind if carrier else ""
        rows.append((word.quantity, word.item, word.unit, word.weight_unit, key, kind, out, num, den, weight))
    load_rows(con, "m_word", _WORD_COLUMNS, rows)
    return findings


def _key(
    word: _Seen, plant: Plant, told: set[tuple[str, ...]], findings: list[Finding]
) -> tuple[str | None, Carrier | None, Unit | None]:
    """The item's id, its carrier where it is one, and the unit to keep (None: as recorded)."""
    carrier = find_carrier(word.item, plant.carriers) if word.item else None
    if word.quantity in (*FUEL_KINDS, *FLOWS, *LABORATORY):
        if carrier is None:
            known = [item.id for item in plant.carriers]
            _unknown(word, Text("carrier", "能源品种"), known, told, findings)
            return None, None, None
        if word.quantity in LABORATORY:
            text = LABORATORY[word.quantity].replace("carrier_unit", f"({carrier.unit})")
            return carrier.id, carrier, _plain(parse_unit(text), LABORATORY[word.quantity], carrier)
        return carrier.id, carrier, carrier.unit
    if word.quantity == "product_output":
        product = next(
            (item for item in plant.products if word.item in (item.id, item.name.en, item.name.zh)), None
        )
        if product is None:
            _unknown(word, Text("product", "产品"), [item.id for item in plant.products], told, findings)
            return None, None, None
        return product.id, None, parse_unit(product.unit)
    if word.quantity in _OWN_UNIT:
        return word.item, None, parse_unit(_OWN_UNIT[word.quantity])
    return (carrier.id if carrier else word.item), carrier, None


def _plain(unit: Unit, template: str, carrier: Carrier) -> Unit:
    """The unit under its usual spelling: GJ/t, not GJ/(t)."""
    simple = str(carrier.unit)
    return (
        Unit(template.replace("carrier_unit", simple), unit.ratio, unit.dimension)
        if " " not in simple
        else unit
    )


def _unknown(
    word: _Seen,
    what: Text,
    known: list[str],
    told: set[tuple[str, ...]],
    findings: list[Finding],
) -> None:
    if (what.en, word.item) in told:
        return
    told.add((what.en, word.item))
    hint = did_you_mean(word.item, known)
    values = {"item": word.item, "quantity": word.quantity, "count": str(word.count)}
    findings.append(ITEM_UNKNOWN.at(Place(subject=word.source), **values, what=what, hint=hint))


def _factor(
    word: _Seen,
    key: str,
    expected: Unit,
    carrier: Carrier | None,
    told: set[tuple[str, ...]],
    findings: list[Finding],
) -> Fraction | None:
    where = Place(subject=word.source)
    try:
        unit = parse_unit(word.unit)
    except UnitError:
        if ("unit", word.unit) not in told:
            told.add(("unit", word.unit))
            findings.append(UNIT_UNKNOWN.at(where, unit=word.unit, hint=""))
        return None
    if carrier is not None:
        unit = carrier.counted(unit)
    try:
        return recorded_factor(unit, expected)
    except UnitError:
        _other_kind(word, key, unit, expected, carrier, told, findings)
        return None


def _other_kind(
    word: _Seen,
    key: str,
    unit: Unit,
    expected: Unit,
    carrier: Carrier | None,
    told: set[tuple[str, ...]],
    findings: list[Finding],
) -> None:
    mark = ("kind", word.quantity, key, word.unit)
    if mark not in told:
        told.add(mark)
        values = {
            "quantity": word.quantity,
            "item": key,
            "unit": word.unit,
            "expected": str(expected),
            "count": str(word.count),
        }
        dims = {_names(unit), _names(expected)}
        kind = DENSITY_NEEDED if carrier is not None and dims == {"volume", "mass"} else UNIT_OTHER_KIND
        findings.append(kind.at(Place(subject=word.source), **values))


def _names(unit: Unit) -> str:
    return unit.kind_text


def _weight(
    word: _Seen, carrier: Carrier | None, told: set[tuple[str, ...]], findings: list[Finding]
) -> float | None:
    """Factor from the batch's mass to the carrier's unit; None where there is none to read."""
    if not word.weight_unit:
        return None if carrier is not None else 1.0
    expected = carrier.unit if carrier is not None else None
    if expected is None:
        return 1.0
    try:
        unit = parse_unit(word.weight_unit)
    except UnitError:
        probe = _Seen(word.quantity, word.item, word.weight_unit, "", word.count, word.source)
        _factor(probe, word.item, expected, carrier, told, findings)
        return None
    try:
        return float(recorded_factor(carrier.counted(unit) if carrier else unit, expected))
    except UnitError:
        mark = ("weight", word.quantity, word.item, word.weight_unit)
        if mark not in told:
            told.add(mark)
            findings.append(
                WEIGHT_UNIT.at(
                    Place(subject=word.source), quantity=word.quantity, item=word.item, unit=word.weight_unit,
                    count=word.count, expected=str(expected),
                )
            )  # fmt: skip
        return None


def resolve_sites(con: duckdb.DuckDBPyConnection, plant: Plant, table: str) -> list[Finding]:
    """Fill blank sites where there is one only; drop records of unknown sites from `table`."""
    known = [site.id for site in plant.sites]
    if len(known) == 1:
        con.execute(f"UPDATE {table} SET site = ? WHERE site = ''", known)
    wrong = con.execute(
        f"""SELECT site, count(*), arg_min(source, (batch, file, line)) FROM {table}
        WHERE NOT list_contains(?::VARCHAR[], site) GROUP BY site ORDER BY site""",
        [known],
    ).fetchall()
    con.execute(f"DELETE FROM {table} WHERE NOT list_contains(?::VARCHAR[], site)", [known])
    return [SITE_UNKNOWN.at(Place(subject=source), site=site, count=count) for site, count, source in wrong]
