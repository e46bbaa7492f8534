"""Accounts of a region by hand arithmetic: rolled up, explained to the line, graded, ranked."""

import csv
import json

import duckdb
import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.findings import FindingError
from celadon.engine.backends import parquet_query
from celadon.region.facade import open_region
from celadon.region.tables import prepare

FILE = """celadon-region: 1
region: {id: r1}
products: [{id: clinker, unit: t}]
registry:
  files: [registry.csv]
  columns: {enterprise: id, name: name, industry: code, region: place, product: product}
sources:
  - id: reports
    files: [reports*.csv]
    enterprise: id
    month: month
    values:
      - {column: power, quantity: energy_purchased, item: electricity, unit: kWh}
      - {column: used, quantity: energy_consumed, item: electricity, unit: kWh}
      - {column: coal, quantity: energy_consumed, item: cleaned_coal, unit: t}
      - {column: added, quantity: industrial_added_value, unit: 万元}
      - {column: value, quantity: output_value, unit: 万元}
      - {column: made, quantity: product_output, unit: "1"}
"""
REGISTRY = (
    "id,name,code,place,product\nA,Alpha,3011,370100,clinker\nB,Beta,3011,130100,\nC,Gamma,3120,370102,\n"
)
REPORTS = """id,month,power,used,coal,added,value,made
A,2023-01,400000,400000,0,600,1000,5000
A,2023-02,600000,600000,0,400,1000,5000
B,2023-01,1000000,1000000,10,400,2000,
C,2023-02,2000000,2000000,0,10000,20000,
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "region.yaml").write_text(FILE, encoding="utf-8")
    (tmp_path / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    (tmp_path / "reports.csv").write_text(REPORTS, encoding="utf-8")
    with open_region(tmp_path) as region:
        assert list(region.load().findings) == []
    return tmp_path


# GB/T 2589-2020: electricity 0.1229 kgce/kWh, cleaned coal 0.9 kgce/kg
A, B, C = 1000 * 0.1229, 1000 * 0.1229 + 10 * 0.9, 2000 * 0.1229


def test_rolled_up(folder):
    with open_region(folder) as region:

        def ask(by, *group, **more):
            found = region.account(
                "cn_gbt_2589_2020", "2023-01..2023-02", by=by, quantities=["comprehensive_energy"], **more
            )
            return found.value("comprehensive_energy", *group)

        assert ask("") == pytest.approx(A + B + C, rel=1e-12)
        assert ask("industry", "3011") == pytest.approx(A + B, rel=1e-12)
        assert ask("division", "31") == pytest.approx(C, rel=1e-12)
        assert ask("enterprise", "B") == pytest.approx(B, rel=1e-12)
        assert ask("province", "370000") == pytest.approx(A + C, rel=1e-12)
        assert ask("industry,province", "3011", "370000") == pytest.approx(A, rel=1e-12)
        assert ask("region", "370102") == pytest.approx(C, rel=1e-12)
        assert ask("prefecture", "370100") == pytest.approx(A + C, rel=1e-12)
        monthly = region.account(
            "cn_gbt_2589_2020", "2023-01..2023-02", per="month", quantities=["comprehensive_energy"]
        )
    assert [(row.label, row.value) for row in monthly.rows] == [
        ("2023-01", pytest.approx(1400 * 0.1229 + 9, rel=1e-12)), ("2023-02", pytest.approx(2600 * 0.1229, rel=1e-12)),
    ]  # fmt: skip
    assert (monthly.enterprises, monthly.total) == (3, 2)


def test_only_as_many_rows_as_asked_for(folder):
    with open_region(folder) as region:
        found = region.account(
            "cn_gbt_2589_2020", "2023-01", by="enterprise", quantities=["comprehensive_energy"], most=1
        )
    assert (found.total, [row.group for row in found.rows]) == (2, [("A",)])
    assert found.rows[0].names[0].en == "Alpha"


def test_a_corrected_report_restates_and_the_earlier_answer_stays(folder):
    with open_region(folder) as region:
        before = region.view().snapshot.recorded_at
    (folder / "reports-2.csv").write_text(
        "id,month,power,used,coal,added,value,made\nA,2023-01,500000,500000,0,600,1000,5000\n",
        encoding="utf-8",
    )
    with open_region(folder) as region:
        region.load()
    with open_region(folder) as region:
        ask = {"by": "enterprise", "quantities": ["comprehensive_energy"]}
        now = region.account("cn_gbt_2589_2020", "2023-01..2023-02", **ask)
        then = region.account("cn_gbt_2589_2020", "2023-01..2023-02", as_of=before, **ask)
    assert now.value("comprehensive_energy", "A") == pytest.approx(1100 * 0.1229, rel=1e-12)
    assert then.value("comprehensive_energy", "A") == pytest.approx(A, rel=1e-12)
    assert now.facts_digest != then.facts_digest


def test_explained_to_the_line(folder):
    with open_region(folder) as region:
        trace = region.explain(
            "comprehensive_energy", "cn_gbt_2589_2020", "2023-01", where={"enterprise": "B"}
        )
        records = {node.detail["record"]: node for node in trace.root.walk() if node.kind == "record"}
        group = region.explain(
            "comprehensive_energy", "cn_gbt_2589_2020", "2023-01..2023-02", where={"industry": "3011"}
        )
    assert trace.root.value == pytest.approx(B, rel=1e-12)
    assert (records["coal"].value, records["coal"].detail["file"], records["coal"].detail["line"]) == (
        10,
        "reports.csv",
        4,
    )
    assert (records["used"].value, records["used"].unit) == (1000, "MWh")
    assert group.root.value == pytest.approx(A + B, rel=1e-12)
    assert [(node.where["enterprise"], node.value) for node in group.root.children] == [
        ("B", pytest.approx(B)), ("A", pytest.approx(A)),
    ]  # fmt: skip


def test_questions_that_have_no_answer(folder):
    def refused(call):
        with open_region(folder) as region, pytest.raises(FindingError) as error:
            call(region)
        finding = error.value.findings[0]
        return finding.code, finding.values

    code, values = refused(lambda r: r.account("cn_gbt_2589_2020", "2023", by="industri"))
    assert (code, values["word"], str(values["hint"])) == (
        "region.group-unknown", "industri", " (did you mean “industry”?)"
    )  # fmt: skip
    code, values = refused(lambda r: r.account("cn_gbt_2589_2020", "2021"))
    assert (code, values["months"]) == ("region.no-facts", "2023-01..2023-02")
    code, values = refused(
        lambda r: r.explain("comprehensive_energy", "cn_gbt_2589_2020", "2023-01", where={"enterprise": "Z"})
    )
    assert (code, values["cell"]) == ("region.cell-absent", "enterprise=Z")
    code, values = refused(
        lambda r: r.explain("comprehensive_energy", "cn_gbt_2589_2020", "2023-01", where={"industry": "9999"})
    )
    assert values["cell"] == "industry=9999"
    code, values = refused(lambda r: r.peers("2023-01", over="wages"))
    assert (code, values["word"]) == ("peers.over-unknown", "wages")
    code, values = refused(lambda r: r.peers("2023-01", enterprise="C"))
    assert (code, values["enterprise"]) == ("peers.enterprise-absent", "C")  # C reported nothing in January
    code, values = refused(lambda r: r.warn(2023))
    assert (code, values["year"]) == ("warning.no-quotas", 2023)


def test_a_year_with_months_missing_is_told(folder):
    with open_region(folder) as region:
        found = region.account("cn_gbt_2589_2020", "2023")
    [finding] = [item for item in found.findings if item.code == "region.months-missing"]
    assert finding.values == {"period": "2023", "months": 2, "due": 12}


def test_grades(folder):
    """National grid factor of 2023: 0.5306 tCO2/MWh; cleaned coal of B is left at zero here, so electricity alone counts."""
    (folder / "reports.csv").write_text(REPORTS.replace("1000000,10,", "1000000,0,"), encoding="utf-8")
    with open_region(folder) as region:
        region.load()
    with open_region(folder) as region:
        found = region.grade("2023-01..2023-02", file=folder / "grades.csv")
    rows = {row.enterprise: row for row in found.rows}
    # A: 1000 MWh, 1000 × 10^4 CNY of added value: 0.5306, low; B: 1000 MWh on 400: 1.3265, middle; C: 1061.2 t on 10 000
    assert rows["A"].emission == pytest.approx(530.6)
    assert [rows[name].intensity for name in "ABC"] == pytest.approx([0.5306, 1.3265, 0.10612])
    assert [rows[name].level for name in "ABC"] == [1, 2, 1]
    # mean of division 30: 1061.2 / 1400 = 0.758; A 0.7 of it: K2, B 1.75: K4; C is its own mean: K3
    assert [rows[name].over_mean for name in "ABC"] == pytest.approx([0.7, 1.75, 1.0])
    assert [rows[name].efficiency for name in "ABC"] == [2, 4, 3]
    assert [(rows[name].rank, rows[name].peers) for name in "ABC"] == [(1, 2), (2, 2), (1, 1)]
    assert found.counts == {(1, 2): 1, (2, 4): 1, (1, 3): 1}
    codes = {item.code: item for item in found.findings}
    assert codes["grade.mean-of-peers"].values["count"] == 2
    assert "factor.unchecked" in codes  # the thresholds are recalled
    with (folder / "grades.csv").open(encoding="utf-8") as stream:
        assert [row["enterprise"] for row in csv.DictReader(stream)] == ["A", "B", "C"]


def test_no_grade_without_added_value(folder):
    (folder / "reports.csv").write_text(REPORTS.replace(",10000,20000,", ",,20000,"), encoding="utf-8")
    with open_region(folder) as region:
        region.load()
    with open_region(folder) as region:
        found = region.grade("2023-01..2023-02")
        by_value = region.grade("2023-01..2023-02", options={"denominator": "output_value"})
    rows = {row.enterprise: row for row in found.rows}
    assert (rows["C"].level, rows["C"].efficiency, rows["C"].rank) == (None, None, None)
    [told] = [item for item in found.findings if item.code == "grade.not-graded"]
    assert (told.values["count"], told.values["all"]) == (1, 3)
    assert {row.enterprise: row.level for row in by_value.rows}["C"] == 1


def test_commands(folder, capsys):
    provincial = "accounts: {cn_gbt_32150_2015: {options: {grid_factor: provincial}}}\n"
    (folder / "region.yaml").write_text(FILE + provincial, encoding="utf-8")
    assert main(["load", str(folder), "--quiet"]) == 0
    capsys.readouterr()

    def said(*words, status=0):
        assert main([*words, "--json"]) == status, words
        body = json.loads(capsys.readouterr().out)
        assert problems(body) == []
        return body

    place, ask = str(folder), ("-r", "cn_gbt_2589_2020", "-p", "2023-01")
    found = said("account", place, *ask, "--by", "industry,province", "-q", "comprehensive_energy")
    assert found["rows"][0]["group"] == {"industry": "3011", "province": "130000"}
    assert found["rows"][0]["names"][0] == {"zh": "水泥制造", "en": "Cement"}
    file = said(
        "account",
        place,
        *ask,
        "--by",
        "enterprise",
        "-q",
        "comprehensive_energy",
        "--output",
        str(folder / "o.parquet"),
    )
    assert file["rows"] == 2
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT enterprise, value, unit FROM '{folder}/o.parquet' ORDER BY 1").fetchall()
    assert rows == [("A", pytest.approx(400 * 0.1229), "tce"), ("B", pytest.approx(B), "tce")]
    said("explain", place, "comprehensive_energy", *ask, "--key", "enterprise=A")
    said("grade", place, "-p", "2023-01")
    said("peers", place, "-p", "2023-01", "--enterprise", "A")
    assert main(["account", place, *ask, "--csv", "--by", "industry", "-q", "comprehensive_energy"]) == 0
    assert (
        capsys.readouterr().out.splitlines()[0] == "industry,period,quantity,item,purpose,value,unit,coverage"
    )
    for words in (
        ["account", *ask, "--by", "industry"],
        ["grade", "-p", "2023-01"],
        ["peers", "-p", "2023-01", "--enterprise", "A"],
    ):
        assert main([words[0], place, *words[1:], "--lang", "zh"]) == 0
    text = capsys.readouterr().out
    assert "水泥制造" in text
    assert "不公布" in text


def test_reports_that_are_missing_are_told(folder):
    """Three enterprises, two months: B has January, C February; and with D in the registry one reports nothing."""
    question = ("cn_gbt_2589_2020", "2023-01..2023-02")
    with open_region(folder) as region:
        [told] = [
            item
            for item in region.account(*question, by="province").findings
            if item.code == "region.reports-missing"
        ]
    period = "2023-01-01..2023-02-28"
    assert told.values == {"count": 2, "due": 6, "silent": 0, "enterprises": 3, "gaps": 2, "period": period}
    (folder / "registry.csv").write_text(REGISTRY + "D,Delta,3011,370100,\n", encoding="utf-8")
    with open_region(folder) as region:
        region.load()
        found = region.account(*question, by="enterprise")
    [told] = [item for item in found.findings if item.code == "region.reports-missing"]
    assert told.values == {"count": 4, "due": 8, "silent": 1, "enterprises": 4, "gaps": 2, "period": period}


def test_a_file_is_written_whole_or_refused(folder, capsys):
    words = [
        "account",
        str(folder),
        "-r",
        "cn_gbt_2589_2020",
        "-p",
        "2023-01..2023-02",
        "--by",
        "industry",
        "--json",
    ]
    assert main([*words, "--output", str(folder / "nowhere" / "x.csv")]) == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["code"], finding["where"]["file"]) == (
        "system.refused",
        str(folder / "nowhere" / "x.csv"),
    )
    assert main([*words, "--output", str(folder / "x.csv")]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert "region.reports-missing" in {item["code"] for item in body["findings"]}  # as without --output
    with (folder / "x.csv").open(encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == body["rows"]
    assert not list(folder.glob(".*.part"))


def test_another_engine_gets_the_facts_as_files(country):
    """Registry and facts are queries over Parquet files alone, amounts of products too: no pass over them is made here."""
    with open_region(country) as region:
        seen = region.view()
        prepared = prepare(region.con, seen, seen.months()[-3:], None)
        products = {column.item for column in prepared.tables.columns if column.quantity == "product_output"}
        assert len(products) > 5
        for name in (prepared.tables.registry, prepared.tables.facts):
            assert "read_parquet" in (parquet_query(region.con, name) or "")
