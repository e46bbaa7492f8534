"""The reference's worked examples each have a case; each known trap, put into a rulebook, makes its cases fail."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from celadon.core.periods import parse_period
from celadon.rules.rulebook import SHIPPED, Rulebook, load_rulebook, shipped_ids
from celadon.testing import Case, read_cases, run_case
from tests.shared_data import shared

BOOKS = {name: load_rulebook(name) for name in shipped_ids()}
ZONE = "Asia/Shanghai"


@pytest.mark.shared_data
def test_every_worked_example_of_the_reference_has_a_case() -> None:
    text = shared("reference/energy_carbon/worked_examples.md").read_text("utf-8")
    wanted = re.findall(r"^## (W\d+) ", text, flags=re.MULTILINE)
    assert len(wanted) >= 17
    told = " ".join(
        f"{case.name} {case.vouched}" for book in BOOKS.values() for case in read_cases(book.folder)
    )
    assert [name for name in wanted if not re.search(rf"\b{name}\b", told)] == []


TRAPS = {
    "MgO over 44/56": (
        "cn_ndrc_2013_cement",
        "s2_process.py",
        'clinker_noncarbonate_mgo_content) * constant("44/40"',
        'clinker_noncarbonate_mgo_content) * constant("44/56"',
        "MgO goes with 44/40",
    ),
    "the grid factor of another year": (
        "cn_gbt_32150_2015",
        "tables/national_grid_factors.csv",
        "national_statistical,CN,全国 (national),0.5568",
        "national_statistical,CN,全国 (national),0.5366",
        "",
    ),
    "R-410A under AR5 with the values of AR4": (
        "ghg_protocol_corporate",
        "tables/gwp.csv",
        "fluorinated,HFC-125,AR5,3170",
        "fluorinated,HFC-125,AR5,3500",
        "W15, R-410A under AR5",
    ),
    "the equal value taken for the equivalent one": (
        "cn_gbt_2589_2020",
        "s7_comprehensive_energy.py",
        '(option("electricity_basis") == "equal_value", electricity_equal_value)',
        '(option("electricity_basis") == "equivalent", electricity_equal_value)',
        "electricity at its equal value",
    ),
    "refining at the equivalent value of electricity": (
        "cn_gb_30251_2024",
        "tables/oil_coefficients.csv",
        "电(等价值),0.21,",
        "电(等价值),0.086,",  # 3.6 / 41.868
        "a refinery at the equal value",
    ),
    "emissions multiplied by the CBAM factor's rest": (
        "eu_cbam",
        "s2_certificates.py",
        "net = maximum(embedded_emission - free_allocation_adjustment, nothing)",
        "net = maximum(embedded_emission - embedded_emission * cbam_factor, nothing)",
        "W3: hot-rolled coil",
    ),
    "default values without the mark-up": (
        "eu_cbam",
        "s2_certificates.py",
        "return goods_imported * default * (1 + mark_up)",
        "return goods_imported * default * (1 + mark_up * 0)",
        "W4: hydrogen from China in 2026",
    ),
    "C2F6 ten times too high": (
        "cn_gbt_32151_4_2015_aluminium",
        "tables/anode_effect.csv",
        "0.0034",
        "0.034",
        "W6",
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_known_trap_makes_its_cases_fail(trap: str, tmp_path: Path) -> None:
    name, file, right, wrong, case_name = TRAPS[trap]
    folder = tmp_path / name
    shutil.copytree(SHIPPED / name, folder)
    (folder / "published.lock").unlink(missing_ok=True)  # the copy is meant to differ from what was published
    path = folder / file
    text = path.read_text("utf-8")
    assert right in text
    changed = text.replace(right, wrong)
    if "cbam_factor, nothing" in wrong:
        changed = changed.replace(
            "imported_mass, mass_threshold, mass_counts\n",
            "imported_mass, mass_threshold, mass_counts, cbam_factor\n",
        )
    path.write_text(changed, "utf-8")
    for book, fails in ((BOOKS[name], False), (load_rulebook(folder), True)):
        cases = [case for case in read_cases(book.folder) if case.name.startswith(case_name)]
        assert cases
        assert any(run_case(book, case).failures for case in cases) is fails, trap


# --- each side of each date ---------------------------------------------------------------------------------------


def spans(book: Rulebook) -> list[tuple[date, date, set[str]]]:
    """First and last day of every case, and all its expected quantities rest on."""
    found = []
    for case in read_cases(book.folder):
        period = parse_period(str(case.body["period"]), ZONE)
        waiting = [item["quantity"] for item in case.body["expect"] if "quantity" in item] or list(
            book.totals
        )
        names: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in names:
                names.add(name)
                waiting += [need for rule in book.rules.get(name, ()) for need in rule.needs]
        found.append((period.start.date(), period.end.date() - timedelta(days=1), names))
    return found


def changes(book: Rulebook, table: str) -> list[date]:
    """Days on which a row of a key takes the place of an earlier one."""
    columns = sorted(
        {column for spec in book.factors.values() if spec.table == table for column, _ in spec.keys}
    )
    starts: dict[tuple[str, ...], set[date]] = {}
    for row in book.tables[table].rows:
        key = tuple(row.cells.get(column, "") for column in columns)
        starts.setdefault(key, set()).add(row.validity.since or date.min)
    return sorted({day for days in starts.values() for day in days if day > min(days)})


@pytest.mark.parametrize("name", sorted(BOOKS))
def test_a_case_on_each_side_of_each_date(name: str) -> None:
    """Editions of rules and documents have a case before and after their day."""
    book, missing = BOOKS[name], []
    cases = spans(book)
    edges = [
        (rule.name, rule.validity)
        for rules in book.rules.values()
        for rule in rules
        if not book.inherits(rule.name)
    ]
    days = [
        (quantity, day)
        for quantity, span in edges
        for day in (span.since, span.until and span.until + timedelta(days=1))
        if day
    ]
    for quantity, day in days:
        sides = (
            [s for s, _, names in cases if quantity in names and s < day],
            [e for _, e, names in cases if quantity in names and e >= day],
        )
        missing += [(quantity, day)] if not all(sides) else []
    document = book.document
    for day in (document.since, document.until and document.until + timedelta(days=1)):
        if day and not (
            any(first < day for first, _, _ in cases) and any(last >= day for _, last, _ in cases)
        ):
            missing.append((document.number, day))
    assert missing == []


@pytest.mark.parametrize("name", sorted(BOOKS))
def test_a_case_uses_a_row_in_each_span_of_each_table(name: str) -> None:
    """Between any two days on which rows take the place of others, some case rests on a row that holds there."""
    book = BOOKS[name]
    missing: dict[str, set[tuple[date, date]]] = {}
    for table in book.tables:
        cuts = [] if book.inherits(table) else changes(book, table)
        if cuts:
            missing[table] = set(zip((date.min, *cuts), (*cuts, date.max), strict=True))
    for case, (_, _, names) in zip(read_cases(book.folder), spans(book), strict=True):
        asked = {table for table, left in missing.items() if left}
        if not any(spec.table in asked and spec.name in names for spec in book.factors.values()):
            continue
        result = run_case(book, case).result
        live = result.query.live() if result is not None else set()
        for factor, lookup in result.query.lookups.items() if result is not None else ():
            table = book.factors[factor].table
            if table in asked and f"x_{factor}" in live:
                used = {item.month.day for item in lookup.chosen if item.row is not None and not item.carried}
                missing[table] -= {
                    span for span in missing[table] if any(span[0] <= day < span[1] for day in used)
                }
    assert {table: left for table, left in missing.items() if left} == {}


@pytest.mark.parametrize(
    ("name", "last", "quantity"),
    [
        ("cn_gbt_32150_2015", "2026-06-30", "total_emission"),
        ("cn_gbt_32151_4_2015_aluminium", "2026-07-31", "total_emission"),
        ("cn_gbt_32151_5_2015_iron_steel", "2026-09-30", "total_emission"),
    ],
)
def test_the_day_after_the_last_one_says_that_another_edition_is_in_force(
    name: str, last: str, quantity: str
) -> None:
    book = BOOKS[name]
    following = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    for day, told in ((last, False), (following, True), (f"{last}..{following}", True)):
        body = {
            "name": day,
            "vouched": {},
            "period": day,
            "site": {"id": "S", "region": "CN-SD"},
            "facts": [{"quantity": "energy_consumed", "carrier": "diesel", "value": 1, "unit": "t"}],
            "expect": [{"quantity": quantity}],
        }
        result = run_case(book, Case(day, "", {}, body)).result
        assert result is not None
        assert ("rulebook.not-in-force" in {finding.code for finding in result.findings}) is told, day
