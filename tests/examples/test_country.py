"""The example country: the same bytes again, the sectors and regions of the lists, and anomalies that are where the truth says."""

import duckdb
import pytest

from celadon.examples.country import KINDS, digest, generate
from celadon.region.lists import industries, regions


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("country")
    return folder, generate(folder, 3000, 2023, 2, anomalies=0.2)


def query(folder, sql):
    with duckdb.connect() as con:
        return con.execute(sql.replace("@", str(folder))).fetchall()


def test_same_arguments_same_bytes(tmp_path):
    said = []
    for name in "ab":
        generate(
            tmp_path / name, 200, 2024, 1, progress=lambda done, total, what: said.append((done, total, what))
        )
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert said[0] == (1, 15, "registry")
    assert said[13] == (15, 15, "region.yaml")


def test_shape(made):
    folder, country = made
    assert country.months[0] == "2023-01"
    assert len(country.months) == 24
    [(firms, codes, areas)] = query(
        folder,
        "SELECT count(DISTINCT id), list(DISTINCT industry), list(DISTINCT region) FROM '@/registry.parquet'",
    )
    assert firms == 3000
    assert {len(code) for code in codes} == {4}
    assert set(codes) <= set(industries())
    assert set(areas) <= set(regions())
    [(rows, columns)] = query(
        folder, "SELECT (SELECT count(*) FROM '@/facts/*.parquet'), (SELECT count(*) FROM (DESCRIBE SELECT * FROM "
        "'@/facts/2024-01.parquet')) + (SELECT count(*) FROM (DESCRIBE SELECT * FROM '@/bills/2024-01.parquet'))"
    )  # fmt: skip
    assert rows == country.rows
    assert columns == 20 + 4  # the facts, and enterprise and month twice
    assert 0.003 < 1 - rows / 72000 < 0.007  # one in 200 did not report


def test_power_balance_and_physics_of_honest_firms(made):
    folder, _ = made
    honest = "enterprise NOT IN (SELECT enterprise FROM '@/truth.csv')"
    [(off,)] = query(
        folder,
        "SELECT max(abs(electricity_consumed - electricity_purchased - coalesce(electricity_generated, 0))) "
        f"FROM '@/facts/*.parquet' WHERE {honest}",
    )
    assert off < 0.0011
    # 7350 kWh per 10^4 yuan at 1.8 * 10^4 yuan a tonne is 13 230 kWh a tonne, below the limit of GB 21346-2022
    [(need,)] = query(
        folder,
        "SELECT median(electricity_consumed * 1000 / product_output) FROM '@/facts/*.parquet' f JOIN '@/registry.parquet' r "
        f"ON r.id = f.enterprise WHERE product = 'aluminium_liquid' AND {honest}",
    )
    assert 11500 < need < 15500


def test_planted_is_in_the_data(made):
    folder, country = made
    kinds = dict(query(folder, "SELECT kind, count(*) FROM '@/truth.csv' GROUP BY 1"))
    assert set(kinds) == {kind.name for kind in KINDS}
    assert sum(kinds.values()) == country.planted
    assert 0.17 < country.planted / 3000 < 0.23
    joined = (
        "FROM '@/truth.csv' t JOIN '@/facts/*.parquet' f ON f.enterprise = t.enterprise AND f.month BETWEEN first_month "
        "AND last_month JOIN '@/bills/*.parquet' b ON b.enterprise = f.enterprise AND b.month = f.month"
    )
    slips = query(
        folder, f"SELECT electricity_purchased * 1000 / electricity_billed {joined} WHERE kind = 'unit_slip'"
    )
    assert all(970 < ratio < 1030 for (ratio,) in slips)
    short = query(
        folder,
        f"SELECT electricity_purchased * 1000 / electricity_billed, strength {joined} WHERE kind = 'below_bill'",
    )
    assert all(abs(ratio - 0.5 - 0.3 * strength) < 0.03 for ratio, strength in short)
    copies = query(
        folder,
        "SELECT count(*), count(*) FILTER (f.output_value = o.output_value AND f.fresh_water = o.fresh_water AND "
        f"f.electricity_consumed = o.electricity_consumed) {joined} JOIN '@/facts/*.parquet' o ON o.enterprise = f.enterprise "
        "AND o.month = strftime(strptime(f.month, '%Y-%m') - INTERVAL 12 MONTH, '%Y-%m') WHERE kind = 'copied_year'",
    )
    assert copies[0][0] == copies[0][1] > 100
    digits = query(
        folder,
        f"SELECT DISTINCT round(output_value * 100)::BIGINT % 10 {joined} WHERE kind = 'favoured_digits'",
    )
    assert {digit for (digit,) in digits} == {6, 8}


def test_a_single_year_has_no_last_year_to_copy(tmp_path):
    assert generate(tmp_path, 300, 2024, 1, anomalies=1).planted == 300
    rows = query(tmp_path, "SELECT kind, min(first_month), max(last_month) FROM '@/truth.csv' GROUP BY 1")
    assert {kind for kind, _, _ in rows} == {kind.name for kind in KINDS} - {"copied_year"}
    assert all(first > "2024-01" and last <= "2024-12" for _, first, last in rows)


def test_nothing_is_planted_in_a_clean_country(tmp_path):
    assert generate(tmp_path, 500, 2024, 1, anomalies=0).planted == 0
    [(least, most)] = query(
        tmp_path,
        "SELECT min(r), max(r) FROM (SELECT f.electricity_purchased * 1000 / b.electricity_billed AS r "
        "FROM '@/facts/*.parquet' f JOIN '@/bills/*.parquet' b USING (enterprise, month))",
    )
    assert 0.98 < least < most < 1.02
