"""Records from tables: spans, words, amounts, and every finding about a record."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from celadon.adapters.tables import TableReport, read_records, replay_records
from celadon.core.model import Plant, Process, Site, Source
from celadon.core.text import Text
from tests.adapters.table_files import NOW, at, text_file

MILL = Site(
    "mill",
    Text("Mill", "轧钢厂"),
    zone="Asia/Shanghai",
    processes=(Process("eaf", Text("Furnace", "电炉"), "mill"),),
)
PORT = Site("port", Text("Port", "码头"), zone="Europe/Berlin")
FIELDS = {"date": "date", "item": "item", "value": "value", "unit": "unit", "note": "note"}


def plant(*sites: Site) -> Plant:
    return Plant("luhe", Text("Luhe", "鹭河"), "Asia/Shanghai", 3600, sites or (MILL,))


def source(fields: dict[str, str] | None = None, **more: Any) -> Source:
    more.setdefault("quantity", "fuel_purchased")
    return Source("fuel", "records", ("*.csv",), tuple((fields or FIELDS).items()), **more)


class Records:
    """A records file that was read."""

    def __init__(self, path: Path, src: Source | None = None, sites: tuple[Site, ...] = ()) -> None:
        self.con, self.source, self.plant = duckdb.connect(), src or source(), plant(*sites)
        self.report: TableReport = read_records(
            self.con, path, self.source, self.plant, 7, 3, "records", shown=path.name, now=NOW
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        found = self.con.execute("SELECT * FROM records ORDER BY line")
        names = [item[0] for item in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    @property
    def codes(self) -> list[str]:
        return [item.code for item in self.report.findings]

    def only(self, code: str) -> Any:
        assert self.codes == [code]
        found = self.report.findings[0]
        assert "{" not in found.says("zh") + found.says("en")
        return found


def fuel(folder: Path, *rows: str, header: str = "date,item,value,unit,note") -> Path:
    return text_file(folder, "\n".join((header, *rows)) + "\n")


def test_a_record_has_its_span_words_and_place_in_the_file(tmp_path: Path) -> None:
    read = Records(fuel(tmp_path, "2024-03-05,柴油,12.5,t,INV-1"))
    assert read.rows == [
        {
            "quantity": "fuel_purchased", "item": "diesel", "purpose": "", "site": "mill", "process": "",
            "start": at("2024-03-04 16:00"), "end": at("2024-03-05 16:00"), "value": 12.5, "unit": "t",
            "weight": None, "weight_unit": "", "note": "INV-1", "file": 7, "line": 2, "batch": 3,
        }
    ]  # fmt: skip
    assert (read.report.rows_good, read.codes) == (1, [])


@pytest.mark.parametrize(
    ("text", "form", "start", "end"),
    [
        ("2024-03-05", None, "2024-03-04 16:00", "2024-03-05 16:00"),
        ("2024-03-05 14:20", None, "2024-03-04 16:00", "2024-03-05 16:00"),
        ("2024-03", None, "2024-02-29 16:00", "2024-03-31 16:00"),
        ("2024年12月", None, "2024-11-30 16:00", "2024-12-31 16:00"),
        ("2024/2", None, "2024-01-31 16:00", "2024-02-29 16:00"),
        ("2024", None, "2023-12-31 16:00", "2024-12-31 16:00"),
        ("2024年", None, "2023-12-31 16:00", "2024-12-31 16:00"),
        ("03.2024", "%m.%Y", "2024-02-29 16:00", "2024-03-31 16:00"),
        ("5.3.2024", "%d.%m.%Y", "2024-03-04 16:00", "2024-03-05 16:00"),
    ],
)
def test_dates_are_days_months_or_years(
    tmp_path: Path, text: str, form: str | None, start: str, end: str
) -> None:
    read = Records(fuel(tmp_path, f"{text},diesel,1,t,"), source(time_format=form))
    assert (read.column("start"), read.column("end"), read.codes) == ([at(start)], [at(end)], [])


def test_start_and_end(tmp_path: Path) -> None:
    path = fuel(
        tmp_path,
        "2024-03-01,2024-03-31,diesel,1",
        "2024-03-01 06:00,2024-03-02 06:00,diesel,2",
        header="from,to,item,value",
    )
    read = Records(
        path,
        source({"start": "from", "end": "to", "item": "item", "value": "value", "unit": "=t"}, zone="UTC"),
    )
    spans = [(row["start"], row["end"]) for row in read.rows]
    assert spans == [(at("2024-03-01"), at("2024-04-01")), (at("2024-03-01 06:00"), at("2024-03-02 06:00"))]
    assert read.column("unit") == ["t", "t"]


def test_a_span_that_ends_before_it_starts(tmp_path: Path) -> None:
    path = fuel(tmp_path, "2024-03-31,2024-03-01,diesel,1", header="from,to,item,value")
    read = Records(path, source({"start": "from", "end": "to", "item": "item", "value": "value"}))
    found = read.only("table.period-reversed")
    assert (found.where.line, found.where.column, found.values["value"]) == (2, "to", "2024-03-01")


def test_the_zone_is_the_sites(tmp_path: Path) -> None:
    fields = FIELDS | {"site": "where"}
    path = fuel(
        tmp_path,
        "2024-03-05,diesel,1,t,,mill",
        "2024-03-05,diesel,1,t,,码头",
        header="date,item,value,unit,note,where",
    )
    read = Records(path, source(fields), (MILL, PORT))
    assert [(row["site"], row["start"]) for row in read.rows] == [
        ("mill", at("2024-03-04 16:00")),
        ("port", at("2024-03-04 23:00")),
    ]


def test_words_of_the_file_become_ours(tmp_path: Path) -> None:
    fields = FIELDS | {"quantity": "kind", "process": "step", "purpose": "=mobile"}
    maps = (
        ("item", (("0#", "diesel"),)),
        ("quantity", (("购入", "fuel_purchased"), ("期初", "fuel_opening_stock"))),
    )
    path = fuel(
        tmp_path,
        "2024-03-05,0#,1,t,,购入,电炉",
        "2024-03-05,0#,2,t,,期初,",
        header="date,item,value,unit,note,kind,step",
    )
    read = Records(path, source(fields, maps=maps, quantity=None))
    assert [(row["quantity"], row["item"], row["process"], row["purpose"]) for row in read.rows] == [
        ("fuel_purchased", "diesel", "eaf", "mobile"),
        ("fuel_opening_stock", "diesel", "", "mobile"),
    ]


def test_a_blank_value_is_no_record(tmp_path: Path) -> None:
    read = Records(
        fuel(tmp_path, "2024-03-05,diesel,,t,", "2024-03-06,diesel,-,t,", "2024-03-07,diesel,0,t,", ",,,,")
    )
    assert (read.column("value"), read.report.rows_bad, read.codes) == ([0.0], 0, [])


def test_laboratory_values_with_weights(tmp_path: Path) -> None:
    fields = FIELDS | {"weight": "mass", "weight_unit": "=t"}
    path = fuel(
        tmp_path,
        "2024-03-05,raw_coal,21.5,GJ/t,B1,350",
        "2024-03-06,raw_coal,21.7,GJ/t,B2,bad",
        header="date,item,value,unit,note,mass",
    )
    read = Records(path, source(fields, quantity="net_calorific_value"))
    assert [(row["value"], row["weight"], row["weight_unit"], row["note"]) for row in read.rows] == [
        (21.5, 350.0, "t", "B1")
    ]
    assert read.only("table.number-unreadable").where.column == "mass"


def test_unknown_carriers(tmp_path: Path) -> None:
    read = Records(
        fuel(tmp_path, "2024-03-05,plutonium,1,t,", "2024-03-06,plutonium,1,t,", "2024-03-06,diesel,2,t,")
    )
    found = read.only("table.item-unknown")
    assert (found.where.line, found.values["value"], found.values["count"], found.values["lines"]) == (
        2,
        "plutonium",
        2,
        "2, 3",
    )
    assert read.column("value") == [2.0]


def test_other_quantities_have_items_of_their_own(tmp_path: Path) -> None:
    read = Records(fuel(tmp_path, "2024-03-05,billet,100,t,"), source(quantity="product_output"))
    assert (read.column("item"), read.codes) == (["billet"], [])


@pytest.mark.parametrize(
    ("row", "column"), [("2024-03-05,,1,t,,mill,", "item"), ("2024-03-05,diesel,1,t,,mill,", None)]
)
def test_fields_left_blank(tmp_path: Path, row: str, column: str | None) -> None:
    read = Records(fuel(tmp_path, row, header="date,item,value,unit,note,site,kind"))
    if column:
        found = read.only("table.field-blank")
        assert (found.where.column, found.values["count"]) == (column, 1)
    else:
        assert read.codes == []


@pytest.mark.parametrize(("site", "step", "what"), [("moon", "", "site"), ("mill", "moon", "process")])
def test_places_the_plant_does_not_have(tmp_path: Path, site: str, step: str, what: str) -> None:
    path = fuel(
        tmp_path, f"2024-03-05,diesel,1,t,,{site},{step}", header="date,item,value,unit,note,site,step"
    )
    found = Records(path, source(FIELDS | {"site": "site", "process": "step"})).only("table.place-unknown")
    assert (found.values["what"].en, found.values["value"]) == (what, "moon")
    assert found.says("zh").startswith(
        {"site": "有 1 条台账的厂区不在", "process": "有 1 条台账的工序不在"}[what]
    )


@pytest.mark.parametrize(
    ("unit", "kept", "codes"),
    [
        (None, "kg", []),  # the header says it
        ("=kg", "kg", []),
        ("=公斤", "公斤", []),
        ("=t", "t", ["table.unit-contradicts"]),
        ("unit", "t", []),  # each row says it
    ],
)
def test_the_unit_in_the_header_of_the_values(
    tmp_path: Path, unit: str | None, kept: str, codes: list[str]
) -> None:
    fields = {"date": "date", "item": "item", "value": "amount (kg)"} | ({"unit": unit} if unit else {})
    path = text_file(tmp_path, "date,item,amount (kg),unit\n2024-03-05,diesel,5000,t\n")
    read = Records(path, source(fields))
    assert (read.column("value"), read.column("unit"), read.codes) == ([5000.0], [kept], codes)
    if codes:
        found = read.only("table.unit-contradicts")
        assert (found.values, found.where.column) == ({"header": "kg", "unit": "t"}, "amount (kg)")


@pytest.mark.parametrize(
    "header", ["date,item,amount (kg)\n", "date,item,amount (kg)\n,,\n", "date,item,amount\n,,kg\n"]
)
def test_a_corrected_record_has_the_unit_of_the_header(tmp_path: Path, header: str) -> None:
    title = header.split("\n")[0].rpartition(",")[2]
    fields = {"date": "date", "item": "item", "value": title}
    read = Records(text_file(tmp_path, header + "2024-03-05,diesel,5x00\n"), source(fields))
    [row] = read.report.quarantine
    again = replay_records(
        read.con,
        [row.corrected({title: "5000"})],
        read.source,
        read.plant,
        {row.file: 7},
        4,
        "records",
        now=NOW,
    )
    assert (again.rows_good, read.column("value"), read.column("unit")) == (1, [5000.0], ["kg"])


def test_unknown_units(tmp_path: Path) -> None:
    found = Records(fuel(tmp_path, "2024-03-05,diesel,1,barrels?,")).only("unit.unknown")
    assert (found.values["unit"], found.where.line) == ("barrels?", 2)


def test_a_field_that_is_not_mapped(tmp_path: Path) -> None:
    read = Records(
        fuel(tmp_path, "2024-03-05,diesel,1,t,"), source({"item": "item", "value": "value"}, quantity=None)
    )
    assert [(item.code, item.values["field"]) for item in read.report.findings] == [
        ("table.field-missing", "quantity"),
        ("table.field-missing", "date"),
    ]


def test_a_column_that_is_missing(tmp_path: Path) -> None:
    read = Records(fuel(tmp_path, "2024-03-05,diesel,1,t,"), source(FIELDS | {"weight": "mass"}))
    assert read.only("table.column-missing").values["column"] == "mass"
    assert read.column("value") == [1.0]
    assert Records(fuel(tmp_path, "2024-03-05,diesel,1,t,"), source(FIELDS | {"value": "amount"})).rows == []


def test_bad_rows_of_every_kind_leave_the_good_ones(tmp_path: Path) -> None:
    rows = [
        "2024-02-30,diesel,1,t,",
        "soon,diesel,1,t,",
        ",diesel,1,t,",
        "2024-03-05,diesel,x,t,",
        '2024-03-05,diesel,"1,5",t,',
        "2024-03-05,diesel",
        "2024-03-05,diesel,7,t,",
    ]
    read = Records(fuel(tmp_path, *rows))
    assert read.column("value") == [7.0]
    assert read.codes == [
        "table.time-impossible", "table.time-unreadable", "table.time-missing",
        "table.number-unreadable", "table.number-convention", "table.row-ragged",
    ]  # fmt: skip
    assert [row.line for row in read.report.quarantine] == [2, 3, 4, 5, 6, 7]
    assert read.report.quarantine[0].raw == {
        "date": "2024-02-30",
        "item": "diesel",
        "value": "1",
        "unit": "t",
        "note": "",
    }


def test_corrected_records_are_replayed(tmp_path: Path) -> None:
    read = Records(
        fuel(tmp_path, "2024-02-30,diesel,1,t,A", "2024-03-05,dieesel,2,t,B", "2024-03-06,diesel,x,t,C")
    )
    kept = read.report.quarantine
    assert read.report.rows_bad == 3
    corrected = [kept[0].corrected({"date": "2024-02-29"}), kept[1].corrected({"item": "diesel"}), kept[2]]
    report = replay_records(
        read.con, corrected, read.source, read.plant, {"file.csv": 7}, 4, "records", now=NOW
    )
    assert (report.rows_good, report.rows_bad) == (2, 1)
    assert [(row["line"], row["value"], row["note"], row["batch"], row["file"]) for row in read.rows] == [
        (2, 1.0, "A", 4, 7),
        (3, 2.0, "B", 4, 7),
    ]
    assert [row.line for row in report.quarantine] == [4]


def test_a_header_without_records(tmp_path: Path) -> None:
    assert Records(fuel(tmp_path)).only("table.header-only").where.file == "file.csv"


def test_no_file(tmp_path: Path) -> None:
    assert Records(tmp_path / "none.csv").only("table.unreadable").where.file == "none.csv"


def test_dates_far_away(tmp_path: Path) -> None:
    assert (
        Records(fuel(tmp_path, "1899-03-05,diesel,1,t,")).only("table.time-far").values["value"]
        == "1899-03-05"
    )
    assert datetime.now(UTC) > datetime(2024, 1, 1, tzinfo=UTC)
