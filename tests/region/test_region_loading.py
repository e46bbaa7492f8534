"""Loading a region: good rows in, every kind of bad row told with its line and kept apart, corrections with two clocks."""

import sqlite3

import duckdb
import psycopg
import pytest

from celadon.core.findings import FindingError
from celadon.region.facade import open_region
from celadon.region.view import months_in
from celadon.store import Store

FILE = """celadon-region: 1
region: {id: r1}
months: 2024
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
      - {column: coal, quantity: energy_consumed, item: raw_coal, unit: kg}
      - {column: value, quantity: industrial_added_value, unit: 万元}
"""
REGISTRY = (
    "id,name,code,place,product\nA,Alpha,3011,370100,clinker\nB,Beta,3120,370102,\nC,Gamma,3120,110105,\n"
)
REPORTS = "id,month,coal,value\nA,2024-01,5000,10\nB,202401,7000,-3\nA,2024-02-17,6000,\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "region.yaml").write_text(FILE, encoding="utf-8")
    (tmp_path / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    (tmp_path / "reports.csv").write_text(REPORTS, encoding="utf-8")
    return tmp_path


def load(folder):
    with open_region(folder) as region:
        return region.load()


def told(done):
    return {item.code: (item.where.line, item.values) for item in done.findings}


def facts(folder, as_of=None):
    with open_region(folder) as region:
        seen = region.view(as_of)
        sql = seen.facts_sql(months_in(region.period("2024")))
        return region.con.execute(
            f"SELECT r.enterprise, strftime(f.month, '%Y-%m'), f.\"energy_consumed:raw_coal:combustion\", "
            f"f.industrial_added_value FROM ({sql}) f JOIN ({seen.registry()}) r ON r.number = f.enterprise ORDER BY ALL"
        ).fetchall()


def test_good_rows(folder):
    done = load(folder)
    assert list(done.findings) == []
    assert (done.rows, done.rejected) == (6, 0)  # 3 enterprises, 3 reports
    # kg -> t; a value added may be negative; the month is read from 202401 and from a day in it
    assert facts(folder) == [
        ("A", "2024-01", 5.0, 10.0),
        ("A", "2024-02", 6.0, None),
        ("B", "2024-01", 7.0, -3.0),
    ]
    again = load(folder)
    assert [item.status for item in again.files] == ["known", "known"]
    assert not again.changed
    with open_region(folder) as region:
        rows = region.con.execute(
            f"SELECT enterprise, grid FROM ({region.view().registry()}) ORDER BY 1"
        ).fetchall()
    assert rows == [("A", "CN-SD"), ("B", "CN-SD"), ("C", "CN-BJ")]


@pytest.mark.parametrize(
    ("row", "code", "example"),
    [
        (",Delta,3011,370100,", "region.enterprise-missing", "Delta"),
        ("A,Again,3011,370100,", "region.enterprise-twice", "A"),
        ("D,Delta,3999,370100,", "region.industry-unknown", "3999"),
        ("D,Delta,30,370100,", "region.industry-unknown", "30"),
        ("D,Delta,3011,990000,", "region.region-unknown", "990000"),
        ("D,Delta,3011,370100,gold", "region.product-unknown", "gold"),
    ],
)
def test_bad_registry_rows(folder, row, code, example):
    (folder / "registry.csv").write_text(REGISTRY + row + "\n", encoding="utf-8")
    done = load(folder)
    line, values = told(done)[code]
    assert line == 5
    assert values == {"count": 1, "file": "registry.csv", "lines": "5", "example": example}
    assert done.rejected == 1
    assert len(facts(folder)) == 3  # the good rows are there


@pytest.mark.parametrize(
    ("row", "code", "column", "example"),
    [
        ("Z,2024-01,1,1", "region.enterprise-unknown", "enterprise", "Z"),
        ("C,spring,1,1", "region.month-unreadable", "month", "spring"),
        ("C,2023-12,1,1", "region.month-outside", "month", "2023-12"),
        ("C,2024-01,many,1", "region.value-unreadable", "coal", "many"),
        ("C,2024-01,inf,1", "region.value-unreadable", "coal", "inf"),
        ("C,2024-01,-1000,1", "region.value-negative", "coal", "coal = -1000"),
        ("A,2024-01,9,9", "region.row-twice", None, "A 2024-01"),
    ],
)
def test_bad_reports(folder, row, code, column, example):
    (folder / "reports.csv").write_text(REPORTS + row + "\n", encoding="utf-8")
    done = load(folder)
    [finding] = [item for item in done.findings if item.code == code]
    assert (finding.where.file, finding.where.line, finding.where.column) == ("reports.csv", 5, column)
    assert finding.values["example"] == example
    assert len(facts(folder)) == 3
    with open_region(folder) as region:
        kept = region.rejected()
    assert kept.count == 1
    assert kept.to_json()["rows"][0] | {"enterprise": None} == {
        "file": "reports.csv", "line": 5, "enterprise": None, "month": row.split(",")[1], "code": code, "column": column,
        "text": example, "batch": 2,
    }  # fmt: skip
    assert kept.to_csv().splitlines()[1].startswith("reports.csv,5,")


def test_an_enterprise_that_joins_the_registry_brings_its_reports(folder):
    (folder / "reports.csv").write_text(REPORTS + "D,2024-01,1000,1\n", encoding="utf-8")
    load(folder)
    (folder / "registry.csv").write_text(REGISTRY + "D,Delta,3011,370100,\n", encoding="utf-8")
    done = load(folder)
    assert [item.status for item in done.files] == ["loaded", "loaded"]
    assert ("D", "2024-01", 1.0, 1.0) in facts(folder)
    assert len(facts(folder)) == 4
    with open_region(folder) as region:
        assert region.rejected().count == 0  # the file was read anew


def test_a_corrected_report_replaces_and_the_earlier_stays_readable(folder):
    load(folder)
    with Store.open(folder / "celadon-store") as store:
        before = store.batches()[-1].recorded_at
    (folder / "reports-2.csv").write_text(
        "id,month,coal,value\nA,2024-01,5500,\nC,2024-01,1,1\n", encoding="utf-8"
    )
    done = load(folder)
    assert told(done) == {
        "region.correction-shorter": (None, {"file": "reports-2.csv", "count": 1, "column": "value"})
    }
    assert facts(folder) == [
        ("A", "2024-01", 5.5, None), ("A", "2024-02", 6.0, None), ("B", "2024-01", 7.0, -3.0), ("C", "2024-01", 0.001, 1.0),
    ]  # fmt: skip
    assert facts(folder, before)[0] == ("A", "2024-01", 5.0, 10.0)
    assert len(facts(folder, before)) == 3


def account(folder):
    """Raw coal in tonnes of each enterprise's January."""
    return {row[0]: row[2] for row in facts(folder) if row[1] == "2024-01"}


def test_an_older_file_that_is_read_anew_does_not_undo_a_correction(folder):
    """reports.csv waits for Z; reports2.csv corrects A; when Z joins the registry, reports.csv is read anew."""
    (folder / "reports.csv").write_text(REPORTS + "Z,2024-01,1000,1\n", encoding="utf-8")
    load(folder)
    (folder / "reports2.csv").write_text("id,month,coal,value\nA,2024-01,77000,10\n", encoding="utf-8")
    load(folder)
    assert account(folder) == {"A": 77, "B": 7}
    for number in range(2):  # and again, with the re-read batch between
        (folder / "registry.csv").write_text(
            REGISTRY + "Z,Zeta,3120,110105,\n" + f"Y{number},,3120,110105,\n", encoding="utf-8"
        )
        (folder / "reports.csv").write_text(REPORTS + "Z,2024-01,1000,1\n", encoding="utf-8")
        load(folder)
        assert account(folder) == {"A": 77, "B": 7, "Z": 1}
    # another mapping reads every file anew, in the order they came in
    text = FILE.replace("values:\n", "values:\n      - {column: value, quantity: profit, unit: 万元}\n")
    (folder / "region.yaml").write_text(text, encoding="utf-8")
    assert [item.rows for item in load(folder).files] == [0, 3, 1]  # A's January is of reports2.csv
    assert account(folder) == {"A": 77, "B": 7, "Z": 1}


def test_a_quota_file_that_is_read_anew_does_not_undo_a_correction(folder):
    quotas = "quotas: {files: [quota*.csv], rulebook: cn_gbt_2589_2020, columns: {enterprise: id, year: y, quantity: q, value: v, unit: u}}\n"
    (folder / "region.yaml").write_text(FILE + quotas, encoding="utf-8")
    (folder / "quota1.csv").write_text(
        "id,y,q,v,u\nA,2024,comprehensive_energy,5,tce\nZ,2024,comprehensive_energy,1,tce\n", encoding="utf-8"
    )
    load(folder)
    (folder / "quota2.csv").write_text("id,y,q,v,u\nA,2024,comprehensive_energy,9,tce\n", encoding="utf-8")
    load(folder)
    (folder / "registry.csv").write_text(REGISTRY + "Z,Zeta,3120,110105,\n", encoding="utf-8")
    load(folder)
    with open_region(folder) as region:
        found = region.con.execute(
            f"SELECT enterprise, value FROM ({region.view().quotas()}) ORDER BY 1"
        ).fetchall()
    assert found == [(1, 9), (4, 1)]


def test_a_file_as_it_was_before_counts_again(folder):
    """Exported wrongly once, then put back: the registry and the reports of the first day."""
    load(folder)
    (folder / "reports.csv").write_text("id,month,coal,value\nA,2024-01,111000,10\n", encoding="utf-8")
    (folder / "registry.csv").write_text(REGISTRY.replace("110105", "370102"), encoding="utf-8")
    wrong = told(load(folder))
    assert account(folder) == {"A": 111, "B": 7}
    assert wrong["region.gone-from-file"] == (
        None,
        {"count": 2, "file": "reports.csv", "example": "A 2024-02"},
    )
    (folder / "reports.csv").write_text(REPORTS, encoding="utf-8")
    (folder / "registry.csv").write_text(REGISTRY, encoding="utf-8")
    assert [item.status for item in load(folder).files] == ["loaded", "loaded"]
    assert account(folder) == {"A": 5, "B": 7}
    with open_region(folder) as region:
        assert region.con.execute(
            f"SELECT grid FROM ({region.view().registry()}) WHERE enterprise = 'C'"
        ).fetchall() == [("CN-BJ",)]


def test_a_number_is_of_one_enterprise_for_ever(folder):
    """B and C leave, D comes: it does not inherit their reports; B comes back and has its own."""
    load(folder)
    alone = REGISTRY.splitlines()[:2]
    (folder / "registry.csv").write_text("\n".join([*alone, "D,Delta,3120,370102,"]) + "\n", encoding="utf-8")
    load(folder)
    assert account(folder) == {"A": 5}
    (folder / "registry.csv").write_text(
        "\n".join([*alone, "D,Delta,3120,370102,", "B,Beta,3120,370102,"]) + "\n", encoding="utf-8"
    )
    load(folder)
    assert account(folder) == {"A": 5, "B": 7}


def test_who_leaves_the_registry_is_told(folder):
    load(folder)
    (folder / "registry.csv").write_text(
        REGISTRY.replace("A,Alpha,3011,370100,clinker\n", ""), encoding="utf-8"
    )
    done = load(folder)
    assert told(done)["region.registry-shorter"][1] == {"count": 1}
    assert [row[0] for row in facts(folder)] == ["B"]


LONG = """  - id: long
    files: [long.csv]
    enterprise: id
    month: month
    long: {quantity: what, item: of, value: amount, unit: unit}
    values:
      - {quantity: energy_consumed, item: natural_gas, unit: m3}
      - {quantity: product_output, unit: t}
"""


def test_long_rows(folder):
    (folder / "region.yaml").write_text(FILE + LONG, encoding="utf-8")
    (folder / "long.csv").write_text(
        "id,month,what,of,amount,unit\n"
        "A,2024-01,energy_consumed,natural_gas,2,10^4 m3\n"
        "A,2024-01,product_output,,800,t\n"
        "A,2024-01,energy_consumed,peat,1,t\n"
        "A,2024-01,product_output,,1,m3\n"
        "A,2024-01,product_output,,801,t\n"
        "B,2024-01,product_output,,-8,t\n",
        encoding="utf-8",
    )
    done = load(folder)
    found = told(done)
    assert found["region.fact-unknown"] == (
        4, {"count": 1, "file": "long.csv", "lines": "4", "example": "energy_consumed peat  t"}
    )  # fmt: skip
    assert found["region.unit-unreadable"][1]["example"] == "product_output   m3"
    assert found["region.row-twice"][0] == 6
    assert found["region.value-negative"][1]["example"] == "product_output = -8"
    with open_region(folder) as region:
        sql = region.view().facts_sql(months_in(region.period("2024-01")))
        rows = region.con.execute(
            f'SELECT enterprise, "energy_consumed:natural_gas:combustion", "product_output:=", '
            f'"energy_consumed:raw_coal:combustion" FROM ({sql}) ORDER BY 1'
        ).fetchall()
    assert rows == [(1, 20000.0, 800.0, 5.0), (2, None, None, 7.0)]  # two senders, one row


def test_quotas(folder):
    quotas = "quotas:\n  files: [quotas.csv]\n  rulebook: cn_gbt_2589_2020\n  columns: {enterprise: id, year: year, quantity: q, value: v, unit: u}\n"
    (folder / "region.yaml").write_text(FILE + quotas, encoding="utf-8")
    (folder / "quotas.csv").write_text(
        "id,year,q,v,u\nA,2024,comprehensive_energy,900,tce\nA,year,comprehensive_energy,1,tce\n"
        "A,2024,comprehensive_energy,1,furlong_x\n",
        encoding="utf-8",
    )
    found = told(load(folder))
    assert found["region.year-unreadable"][0] == 3
    assert found["region.unit-unreadable"][0] == 4
    with open_region(folder) as region:
        rows = region.con.execute(
            f"SELECT enterprise, year, value, unit FROM ({region.view().quotas()})"
        ).fetchall()
    assert rows == [(1, 2024, 900.0, "tce")]


def test_from_sqlite(folder):
    with sqlite3.connect(folder / "reports.db") as con:
        con.execute("CREATE TABLE monthly (id TEXT, month TEXT, coal REAL, value REAL)")
        con.executemany(
            "INSERT INTO monthly VALUES (?, ?, ?, ?)", [("A", "2024-01", 5000, 10), ("Q", "2024-01", 1, 1)]
        )
    con.close()
    text = FILE.replace("files: [reports*.csv]", "url: sqlite:///reports.db\n    table: monthly")
    (folder / "region.yaml").write_text(text, encoding="utf-8")
    done = load(folder)
    assert facts(folder) == [("A", "2024-01", 5.0, 10.0)]
    assert told(done)["region.enterprise-unknown"][1]["file"] == "sqlite:///reports.db#monthly"
    (folder / "region.yaml").write_text(text.replace("table: monthly", "table: gone"), encoding="utf-8")
    assert told(load(folder))["region.source-unreadable"][1]["why"].en == "no such table: gone"


def test_from_postgresql(folder, postgresql_server):
    """Another database, a real one: a view of it in a schema, with text beyond ASCII, absent values and a stranger."""
    with psycopg.connect(postgresql_server, autocommit=True) as con:
        con.execute("DROP SCHEMA IF EXISTS energy CASCADE")
        con.execute("CREATE SCHEMA energy")
        con.execute(
            "CREATE TABLE energy.raw (firm TEXT, month DATE, coal NUMERIC(12, 3), value DOUBLE PRECISION)"
        )
        con.execute(
            "INSERT INTO energy.raw VALUES ('A', '2024-01-01', 5000.125, 10), ('B', '2024-01-31', NULL, -3.5), "
            "('企业', '2024-01-01', 1, 1), ('A', '2024-02-01', 6000, NULL)"
        )
        con.execute("CREATE VIEW energy.monthly AS SELECT firm AS id, month, coal, value FROM energy.raw")
        text = FILE.replace("files: [reports*.csv]", f"url: {postgresql_server}\n    table: energy.monthly")
        (folder / "region.yaml").write_text(text, encoding="utf-8")
        done = load(folder)
        expected = [
            ("A", "2024-01", 5.000125, 10.0),
            ("A", "2024-02", 6.0, None),
            ("B", "2024-01", None, -3.5),
        ]
        assert facts(folder) == expected
        _, said = told(done)["region.enterprise-unknown"]
        assert (said["count"], said["example"]) == (1, "企业")
        assert said["file"].startswith("postgresql://127.0.0.1/postgres#energy.monthly")  # no user, no port
        assert [item.status for item in load(folder).files] == ["known", "known"]
        con.execute("UPDATE energy.raw SET coal = 7000 WHERE month = '2024-02-01'")
        assert load(folder).changed
        assert facts(folder)[1] == ("A", "2024-02", 7.0, None)
        con.execute("DROP VIEW energy.monthly")
    why = told(load(folder))["region.source-unreadable"][1]["why"].en
    assert 'relation "energy.monthly" does not exist' in why


def test_a_value_that_is_reported_from_now_on(folder):
    """The region file gains a value: files already loaded are read anew, what stays as it was has it absent."""
    load(folder)
    (folder / "reports.csv").unlink()
    more = "      - {column: gas, quantity: energy_consumed, item: natural_gas, unit: m3}\n"
    (folder / "region.yaml").write_text(FILE + more, encoding="utf-8")
    (folder / "reports-2.csv").write_text("id,month,coal,value,gas\nA,2024-03,1000,1,20\n", encoding="utf-8")
    load(folder)
    assert facts(folder) == [
        ("A", "2024-01", 5.0, 10.0), ("A", "2024-02", 6.0, None), ("A", "2024-03", 1.0, 1.0), ("B", "2024-01", 7.0, -3.0),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig"])
def test_files_as_offices_write_them(folder, encoding):
    """Chinese headers, names and months, in the encodings spreadsheets write."""
    text = FILE.replace("enterprise: id, name: name", "enterprise: 编号, name: 企业名称").replace(
        "month: month", "month: 月份"
    )
    (folder / "region.yaml").write_text(text, encoding="utf-8")
    registry = REGISTRY.replace("id,name", "编号,企业名称").replace("Alpha", "甲水泥厂")
    (folder / "registry.csv").write_text(registry, encoding=encoding)
    rows = "id,月份,coal,value\nA,2024年1月,5000,10\nB,2024.01,7000,-3\nA,20240217,6000,\n"
    (folder / "reports.csv").write_text(rows, encoding=encoding)
    assert list(load(folder).findings) == []
    assert facts(folder) == [
        ("A", "2024-01", 5.0, 10.0),
        ("A", "2024-02", 6.0, None),
        ("B", "2024-01", 7.0, -3.0),
    ]
    with open_region(folder) as region:
        assert region.con.execute(
            f"SELECT name FROM ({region.view().registry()}) WHERE enterprise = 'A'"
        ).fetchall() == [("甲水泥厂",)]


@pytest.mark.parametrize(
    "text", ["24-01", "45292", "2024-01-31T16:00:00Z", "2024-01-01 00:00:00+08", "2024-13"]
)
def test_what_is_no_month_is_not_guessed(folder, text):
    """A year of two digits, a spreadsheet's day number, an instant whose month depends on the zone."""
    (folder / "region.yaml").write_text(FILE.replace("months: 2024\n", ""), encoding="utf-8")
    (folder / "reports.csv").write_text(REPORTS + f"C,{text},1,1\n", encoding="utf-8")
    assert told(load(folder))["region.month-unreadable"] == (
        5,
        {"count": 1, "file": "reports.csv", "lines": "5", "example": text},
    )


OFFICES = """celadon-region: 1
region: {id: r1}
registry: {files: [registry.csv], columns: {enterprise: id, industry: code, region: place}}
sources:
  - {id: jinan, files: [jinan.csv], enterprise: id, month: month, values: [
      {column: used, quantity: energy_consumed, item: electricity, unit: MWh}, {column: value, quantity: output_value, unit: CNY}]}
  - {id: qingdao, files: [qingdao.csv], enterprise: id, month: month, values: [
      {column: kwh, quantity: energy_consumed, item: electricity, unit: kWh}, {column: value, quantity: output_value, unit: 万元}]}
"""


def test_two_offices_send_the_same_facts(folder):
    """Each for its own enterprises, in its own units; of B's February both say something, and the first counts."""
    (folder / "region.yaml").write_text(OFFICES, encoding="utf-8")
    (folder / "jinan.csv").write_text(
        "id,month,used,value\nA,2024-01,10,5000000\nB,2024-02,3,\n", encoding="utf-8"
    )
    (folder / "qingdao.csv").write_text(
        "id,month,kwh,value\nB,2024-01,20000,600\nB,2024-02,4000,7\n", encoding="utf-8"
    )
    done = load(folder)
    [finding] = done.findings
    assert finding.code == "region.given-differently"
    assert finding.values == {
        "count": 1, "column": "energy_consumed:electricity:combustion", "first": "jinan", "other": "qingdao",
    }  # fmt: skip
    with open_region(folder) as region:
        rows = region.con.execute(region.view().facts_sql(months_in(region.period("2024")))).fetchall()
        assert [(row[0], row[1].month, *row[2:]) for row in sorted(rows)] == [
            (1, 1, 10, 5e6),
            (2, 1, 20, 6e6),
            (2, 2, 3, 7e4),
        ]
        found = region.account(
            "cn_gbt_2589_2020", "2024", by="enterprise", quantities=["comprehensive_energy"]
        )
        # MWh x 0.1229 tce
        assert {row.group[0]: row.value for row in found.rows} == pytest.approx({"A": 1.229, "B": 2.8267})
        trace = region.explain(
            "comprehensive_energy", "cn_gbt_2589_2020", "2024-01", where={"enterprise": "B"}
        )
    assert "qingdao.csv" in str(trace.to_json())
    assert "jinan.csv" not in str(trace.to_json())


def test_units_of_two_senders_must_convert(folder):
    (folder / "region.yaml").write_text(OFFICES.replace("unit: 万元", "unit: t"), encoding="utf-8")
    [finding] = open_findings(folder)
    assert (finding.code, finding.values["kept"], finding.values["unit"]) == ("region.value-unit", "CNY", "t")


def open_findings(folder):
    with open_region(folder) as region, pytest.raises(FindingError) as raised:
        region.load()
    return raised.value.findings


def test_parquet(folder):
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT 'A' AS id, DATE '2024-03-01' AS month, 4e3 AS coal, NULL::DOUBLE AS value) TO '{folder}/reports.parquet'"
        )
    (folder / "region.yaml").write_text(FILE.replace("reports*.csv", "reports.parquet"), encoding="utf-8")
    load(folder)
    assert facts(folder) == [("A", "2024-03", 4.0, None)]


def test_what_cannot_be_read_is_told(folder):
    (folder / "region.yaml").write_text(FILE.replace("column: coal", "column: kohle"), encoding="utf-8")
    found = told(load(folder))
    assert found["region.column-missing"][1] == {
        "name": "reports.csv",
        "column": "kohle",
        "known": "id, month, coal, value",
    }
    (folder / "region.yaml").write_text(FILE.replace("reports*.csv", "nothing*.csv"), encoding="utf-8")
    assert told(load(folder))["region.no-file"][1]["pattern"] == "nothing*.csv"


def test_a_missing_driver_is_told(folder, monkeypatch):
    import importlib

    whole = importlib.import_module

    def without(name, *rest):
        if name == "psycopg":
            raise ImportError(name)
        return whole(name, *rest)

    monkeypatch.setattr("celadon.region.tables_in.importlib.import_module", without)
    text = FILE.replace("files: [reports*.csv]", "url: postgresql://me:secret@db/energy\n    table: monthly")
    (folder / "region.yaml").write_text(text, encoding="utf-8")
    found = told(load(folder))["region.no-driver"][1]
    assert found == {"name": "postgresql://db/energy#monthly"}  # no user, no password


def test_questions_before_the_first_load_and_after_a_change(folder):
    with open_region(folder) as region, pytest.raises(FindingError) as error:
        region.view()
    assert error.value.findings[0].code == "store.absent"
    load(folder)
    with open_region(folder) as region, pytest.raises(FindingError) as error:
        region.view("2001-01-01")
    assert error.value.findings[0].code == "region.nothing-loaded"
    (folder / "region.yaml").write_text(FILE.replace("r1", "r2"), encoding="utf-8")
    with open_region(folder) as region:
        seen = region.view()
    assert [item.code for item in seen.findings] == ["region.changed-since-load"]
    assert seen.region.id == "r1"


def test_nothing_is_loaded_on_half_a_region(folder):
    (folder / "region.yaml").write_text(FILE + "surprise: 1\n", encoding="utf-8")
    with pytest.raises(FindingError) as error:
        load(folder)
    assert error.value.findings[0].code == "plant.key-unknown"
