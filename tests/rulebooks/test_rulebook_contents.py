"""What cases cannot say: every rule, option and table is used; lists in chapters are in step; what gives no Finding."""

import duckdb
import pytest

from celadon.core.carriers import CARRIERS
from celadon.core.findings import Severity
from celadon.core.quantities import HELD
from celadon.engine.run import Result, run
from celadon.rules.check import check_rulebook
from celadon.rules.expr import KeyIn, Number, OptionIn
from celadon.rules.rulebook import Rulebook, load_rulebook, shipped_ids
from celadon.testing import Case, case_facts, case_plant, case_request, read_cases, run_case

IDS = ("cn_gbt_2589_2020", "cn_gbt_32150_2015", "ghg_protocol_corporate")
ALL = shipped_ids()
BOOKS = {name: load_rulebook(name) for name in ALL}
CASES = [(name, case) for name, book in BOOKS.items() for case in read_cases(book.folder)]


def nodes(book: Rulebook):
    for rules in book.rules.values():
        for rule in rules:
            yield from rule.formula.walk()
            if rule.when is not None:
                yield from rule.when.walk()


def answer(book_id: str, **body) -> Result:
    case = Case(
        "made here",
        "",
        {},
        {"name": "made here", "expect": [], "site": {"id": "S", "region": "CN-SD"}, **body},
    )
    plant, request = case_plant(case), case_request(case)
    with duckdb.connect() as con:
        case_facts(con, case, plant, request)
        return run(con, BOOKS[book_id], plant, request)


def complaints(result: Result) -> list[str]:
    return sorted({finding.code for finding in result.findings if finding.severity is not Severity.NOTICE})


@pytest.mark.parametrize("name", ALL)
def test_checks_clean(name):
    assert [str(finding) for finding in check_rulebook(BOOKS[name])] == []


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}: {case.name}" for name, case in CASES])
def test_case(name, case):
    outcome = run_case(BOOKS[name], case)
    assert outcome.failures == ()
    assert set(case.vouched) == {"by", "source"}


@pytest.mark.parametrize("name", ALL)
def test_every_rule_is_behind_some_case(name):
    book = BOOKS[name]
    waiting = [
        item["quantity"]
        for _, case in CASES
        if _ == name
        for item in case.body["expect"]
        if "quantity" in item
    ]
    reached = set()
    while waiting:
        quantity = waiting.pop()
        if quantity in book.rules and quantity not in reached:
            reached.add(quantity)
            waiting.extend(need for rule in book.rules[quantity] for need in rule.needs)
    assert {name for name in book.rules if not book.inherits(name)} - reached == set()


@pytest.mark.parametrize("name", ALL)
def test_every_choice_of_every_option_is_in_some_case(name):
    book = BOOKS[name]
    tried = {
        (option, str(choice))
        for _, case in CASES
        if _ == name
        for option, choice in (case.body.get("options") or {}).items()
    }
    tried |= {(option, spec.default) for option, spec in book.options.items()}
    own = {option: spec for option, spec in book.options.items() if not book.inherits(option)}
    assert {(option, choice) for option, spec in own.items() for choice in spec.choices} - tried == set()
    by_table = {
        selector[7:]
        for spec in book.factors.values()
        for _, selector in spec.keys
        if selector.startswith("option:")
    }
    in_rules = {node.name for node in nodes(book) if isinstance(node, OptionIn)}
    assert set(book.options) == by_table | in_rules


@pytest.mark.parametrize("name", ALL)
def test_every_fact_factor_and_table_is_used(name):
    book = BOOKS[name]
    needed = {need for rules in book.rules.values() for rule in rules for need in rule.needs}
    assert (set(book.facts) | set(book.factors)) - needed == set()
    files = {path.stem for path in (book.folder / "tables").glob("*.csv")}
    asked = {spec.table for spec in book.factors.values()} - {"@site"}
    assert files == {table for table in asked if not book.inherits(table)}


@pytest.mark.parametrize("name", ALL)
def test_what_describes_is_known_as_such_before_any_rulebook_is_asked(name):
    """Records are cut at a period's edge unless their unit is a share or a ratio, or their name is listed."""
    for spec in BOOKS[name].facts.values():
        powers = [power for _, power in spec.unit.dimension]
        if not spec.adds and powers and min(powers) > 0:
            assert spec.name in HELD, spec.name
        if spec.adds:
            assert spec.name not in HELD


@pytest.mark.parametrize("name", ALL)
def test_both_languages_everywhere(name):
    book = BOOKS[name]
    labels = [rule.label for rules in book.rules.values() for rule in rules]
    labels += [spec.label for spec in (*book.facts.values(), *book.factors.values(), *book.options.values())]
    labels += [label for spec in book.options.values() for label in spec.choices.values()]
    labels += [document.title for document in book.documents]
    labels += (
        [text for item in book.not_modelled for text in (item.what, item.why)]
        + list(book.doubts)
        + [book.scope]
    )
    for label in labels:
        assert any("一" <= letter <= "鿿" for letter in label.zh), label
        assert not any("一" <= letter <= "鿿" for letter in label.en), label
    assert book.not_modelled
    assert book.doubts
    assert all(spec.clause for spec in (*book.facts.values(), *book.factors.values(), *book.options.values()))


# --- lists in the chapters ---------------------------------------------------------------------------------------


def key_lists(book: Rulebook, key: str) -> set[tuple[str, ...]]:
    return {
        node.values
        for node in nodes(book)
        if isinstance(node, KeyIn) and node.name == key and len(node.values) > 1
    }


def test_media_are_those_of_annex_b_and_of_the_carriers():
    media = {carrier.id for carrier in CARRIERS.values() if carrier.kind == "medium"}
    media |= {row.cells["carrier"] for row in BOOKS[IDS[0]].tables["annex_b"].rows}
    (listed,) = key_lists(BOOKS[IDS[0]], "carrier")
    assert set(listed) == media
    for name in set(ALL) - {IDS[0]}:
        fuels = [values for values in key_lists(BOOKS[name], "carrier") if "electricity" in values]
        assert all(set(values) == media | {"electricity", "heat"} for values in fuels), name
        assert fuels or name not in IDS


def test_biomass_fuels_are_those_of_ipcc_and_of_the_carriers():
    known = {carrier.id for carrier in CARRIERS.values() if carrier.biogenic}
    rows = BOOKS[IDS[2]].tables["stationary_factors"].rows
    marked = {row.cells["carrier"] for row in rows if "biogenic CO2" in row.note}
    for name in set(ALL) - {IDS[0]}:
        lists = [values for values in key_lists(BOOKS[name], "carrier") if "biomass" in values]
        assert all(set(listed) == known | marked for listed in lists), name
        assert lists or name not in IDS


def test_blends_are_those_of_the_table():
    (listed,) = key_lists(BOOKS[IDS[2]], "gas")
    assert set(listed) == {row.cells["blend"] for row in BOOKS[IDS[2]].tables["refrigerant_blends"].rows}


def test_the_amounts_of_electricity_and_heat_are_in_their_carriers_units():
    """Formulas say `MWh/carrier_unit` and `GJ/carrier_unit`: they hold as long as the carriers are kept so."""
    used = {
        str(node.unit)
        for book in BOOKS.values()
        for node in nodes(book)
        if isinstance(node, Number) and node.value and "carrier_unit" in str(node.unit)
    }
    assert used == {"MWh/carrier_unit", "GJ/carrier_unit"}
    assert (str(CARRIERS["electricity"].unit), str(CARRIERS["heat"].unit)) == ("MWh", "GJ")


def test_carriers_of_the_tables_are_known_or_named():
    """Carriers a table has beyond the built-in list: a plant that uses one defines it."""
    extra = {
        row.cells["carrier"]
        for book in BOOKS.values()
        for item in book.tables.values()
        for row in item.rows
        if "carrier" in row.cells
    }
    assert extra - set(CARRIERS) == {
        "aviation_gasoline", "bitumen", "biodiesel", "biogasoline", "blast_air", "brown_coal_briquettes", "charcoal",
        "coking_coal", "ethane", "gas_coke", "gasworks_gas", "industrial_waste", "jet_kerosene", "landfill_gas", "lubricant",
        "msw_biogenic", "msw_fossil", "ngl", "oil_shale", "orimulsion", "other_liquid_biofuel", "other_petroleum",
        "other_solid_biomass", "paraffin", "patent_fuel", "peat", "refinery_feedstock", "shale_oil", "sludge_gas", "sub_bituminous",
        "waste_oil", "white_spirit",
    }  # fmt: skip


# --- what gives no complaint -------------------------------------------------------------------------------------


def energy(
    carrier: str, value: float, unit: str, quantity: str = "energy_consumed", **more
) -> dict[str, object]:
    return {"quantity": quantity, "carrier": carrier, "value": value, "unit": unit, **more}


def test_a_measured_gas_raises_no_gap():
    heat = energy("natural_gas", 36.0, "MJ/m3", "net_calorific_value")
    result = answer(IDS[0], period="2024-01", facts=[energy("natural_gas", 1000, "m3"), heat])
    assert complaints(result) == []


def test_a_gap_says_which_key_and_what_to_do():
    result = answer(IDS[0], period="2024-01", facts=[energy("natural_gas", 1000, "m3")])
    texts = [finding.says() for finding in result.findings if finding.code == "factor.gap"]
    assert any("natural gas" in text and "2024-01" in text for text in texts)


def test_the_national_series_asks_for_no_region():
    result = answer(
        IDS[1],
        period="2023-01",
        facts=[energy("electricity", 1000, "MWh", "energy_purchased"), energy("diesel", 1, "t")],
    )
    assert complaints(result) == []
    assert result.value("total_emission") == pytest.approx(530.6 + 3.14512249333333)


def test_a_plain_chinese_site_under_the_protocol():
    facts = [
        energy("electricity", 1000, "MWh", "energy_purchased"),
        energy("electricity", 1000, "MWh"),
        energy("diesel", 1, "t"),
    ]
    result = answer(IDS[2], period="2023", facts=facts)
    assert complaints(result) == []
    assert result.value("scope_2_market_based") == pytest.approx(609.6)


def test_a_notice_names_what_was_taken_as_not_applicable():
    result = answer(IDS[1], period="2023-01", facts=[energy("diesel", 1, "t")])
    notices = {finding.where.subject for finding in result.findings if finding.code == "fact.not-applicable"}
    assert {"energy_purchased", "energy_exported"} <= notices


def test_the_gwp_sets_differ_only_where_the_reports_do():
    facts = [{"quantity": "refrigerant_leaked", "gas": "R-410A", "value": 10, "unit": "kg"}]
    values = {
        s: answer(IDS[2], period="2023", facts=facts, options={"gwp_set": s}).value("scope_1")
        for s in ("AR4", "AR5", "AR6")
    }
    assert values == pytest.approx({"AR4": 20.875, "AR5": 19.235, "AR6": 22.555})


def test_one_vague_contract_does_not_spoil_a_good_one():
    facts = [energy("electricity", 1000, "MWh", "energy_purchased")]
    facts += [
        {"quantity": "contract_electricity", "contract": name, "value": 300, "unit": "MWh"}
        for name in ("good", "vague")
    ]
    own = [{"factor": "contract_emission_factor", "contract": "good", "value": 0, "unit": "tCO2e/MWh"}]
    result = answer(IDS[2], period="2023", facts=facts, factors=own)
    assert result.value("scope_2_market_based") == pytest.approx(700 * 0.6096)
    assert "factor.gap" in complaints(result)


def test_months_sum_to_the_year_where_certificates_cover_less_than_is_bought():
    facts = [
        energy("electricity", 100, "MWh", "energy_purchased", period=f"2023-{month:02}")
        for month in range(1, 13)
    ]
    facts.append(
        {
            "quantity": "contract_electricity",
            "contract": "gec",
            "value": 50,
            "unit": "MWh",
            "period": "2023-03",
        }
    )
    own = [{"factor": "contract_emission_factor", "contract": "gec", "value": 0, "unit": "tCO2e/MWh"}]
    wanted = [{"quantity": "scope_2_market_based"}]
    year = answer(IDS[2], period="2023", facts=facts, factors=own, expect=wanted).value(
        "scope_2_market_based"
    )
    months = answer(IDS[2], period="2023", per="month", facts=facts, factors=own, expect=wanted).rows_of(
        "scope_2_market_based"
    )
    assert year == pytest.approx(1150 * 0.6096)
    assert sum(row.value or 0.0 for row in months) == pytest.approx(year)


def test_a_gap_is_told_for_the_tables_the_options_allow_and_no_other():
    def asked(**options: str) -> set[str | None]:
        result = answer(IDS[0], period="2024-01", facts=[energy("bituminous", 500, "t")], options=options)
        return {finding.where.subject for finding in result.findings if finding.code == "factor.gap"}

    assert asked() == {"standard_coal_coefficient"}
    assert "standard_coal_coefficient_low" not in asked(supplement="statistical_yearbook")
    assert "statistical_coefficient" not in asked(range_value="high")
