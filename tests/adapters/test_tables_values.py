"""Numbers, units and states of tables against plain-Python oracles, and the findings about rows and cells."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.adapters.tables import numbers
from celadon.adapters.tables.header import Header
from celadon.adapters.tables.numbers import NumberForm, parse_number
from celadon.core.model import MeterChange, PointKind
from tests.adapters.table_files import Read, at, long, meter, text_file, wide

CON = duckdb.connect()
FORMS = [
    NumberForm(),
    NumberForm(","),
    NumberForm(".", ","),
    NumberForm(",", "."),
    NumberForm(",", " "),
    NumberForm(".", "'"),
]


def in_sql(text: str, form: NumberForm) -> float | None:
    cleaned = f"SELECT {numbers.clean('x')} AS c FROM (SELECT ? AS x)"
    row = CON.execute(f"SELECT {numbers.value('c', form)} FROM ({cleaned})", [text]).fetchone()
    value = row[0] if row else None
    return value if value is not None and math.isfinite(value) else None


# --- numbers --------------------------------------------------------------------------------------------------


def written(value: float, form: NumberForm) -> str:
    """A number as a person writes it in this form: the oracle of the parser."""
    whole, _, part = f"{value:,.6f}".partition(".")
    return whole.replace(",", form.thousands) + (form.decimal + part if part else "")


@pytest.mark.parametrize("form", FORMS, ids=str)
@settings(max_examples=60, deadline=None)
@given(value=st.floats(-1e12, 1e12, allow_nan=False))
def test_what_a_person_writes_is_read(form: NumberForm, value: float) -> None:
    text = written(value, form)
    want = float(f"{value:.6f}")
    assert in_sql(text, form) == want
    assert parse_number(text, form) == want


@settings(max_examples=400, deadline=None)
@given(text=st.text(alphabet="0123456789.,+-eE_ '\tnaif∞%x１，", max_size=9), form=st.sampled_from(FORMS))
def test_both_parsers_agree_on_any_text(text: str, form: NumberForm) -> None:
    assert in_sql(text, form) == parse_number(text, form)


@settings(max_examples=200, deadline=None)
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_survives_its_own_text(value: float) -> None:
    assert in_sql(repr(value), NumberForm()) == value


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("1,234.5", NumberForm(".", ","), 1234.5),
        ("1.234,5", NumberForm(",", "."), 1234.5),
        ("1 234,5", NumberForm(",", " "), 1234.5),
        ("1\u202f234,5", NumberForm(",", " "), 1234.5),
        ("１２３．５", NumberForm(), 123.5),
        ("−3.5", NumberForm(), -3.5),
        ("+.5", NumberForm(), 0.5),
        ("5.", NumberForm(), 5.0),
        ("1e3", NumberForm(), 1000.0),
        ("12,34", NumberForm(".", ","), None),
        ("0,123", NumberForm(".", ","), None),
        ("1,234", NumberForm(), None),
        ("1_000", NumberForm(), None),
        ("1 000", NumberForm(), None),
        ("", NumberForm(), None),
    ],
)
def test_numbers(text: str, form: NumberForm, value: float | None) -> None:
    assert in_sql(text, form) == value
    assert parse_number(text, form) == value


def one_column(tmp_path: Path, cells: list[str], **more: object) -> Read:
    """Each cell in a row of its own, semicolon separated, in the column E1."""
    rows = "".join(f"2024-01-{n + 1:02d};{cell}\n" for n, cell in enumerate(cells))
    return Read(text_file(tmp_path, "time;E1\n" + rows), wide("E1", **more), ["E1"])  # type: ignore[arg-type]


def test_blank_means_absent_not_zero(tmp_path: Path) -> None:
    read = one_column(tmp_path, ["1", "", "NA", "-", " ", "null", "0"])
    assert (read.values, read.report.rows_bad, read.codes) == ([1.0, 0.0], 0, [])


def test_what_is_missing_can_be_said(tmp_path: Path) -> None:
    read = one_column(tmp_path, ["1", "-9999", "bad", "nan"], missing=("-9999", "bad", "nan"))
    assert (read.values, read.report.rows_bad) == ([1.0], 0)


def test_cells_that_are_no_numbers(tmp_path: Path) -> None:
    read = one_column(tmp_path, ["1", "error", "#REF!", "12 kWh", "2"])
    assert read.values == [1.0, 2.0]
    found = read.finding("table.number-unreadable")
    assert (found.where.line, found.where.column) == (3, "E1")
    assert (found.values["count"], found.values["lines"], found.values["value"]) == (3, "3, 4, 5", "error")
    assert [(row.line, row.raw["E1"]) for row in read.report.quarantine] == [
        (3, "error"),
        (4, "#REF!"),
        (5, "12 kWh"),
    ]


def test_cells_that_are_not_finite(tmp_path: Path) -> None:
    read = one_column(tmp_path, ["1", "nan", "-inf", "1e400", "1.#INF"])
    assert read.values == [1.0]
    assert read.finding("table.number-not-finite").values["lines"] == "3, 4, 5 …"
    assert read.report.rows_bad == 4


def test_long_cells_are_shown_cut(tmp_path: Path) -> None:
    found = one_column(tmp_path, ["x" * 500]).finding("table.number-unreadable")
    assert found.values["value"] == "x" * 60


def test_another_convention_is_never_read_silently(tmp_path: Path) -> None:
    read = one_column(tmp_path, ["3,17", "4", "1.234,5"])
    assert read.values == [4.0]
    found = read.finding("table.number-convention")
    assert (found.values["count"], found.values["value"], found.values["decimal"]) == (2, "3,17", ".")


def test_numbers_that_could_be_a_thousand_times_larger(tmp_path: Path) -> None:
    """1.234 is 1.234 or 1234: where other cells contradict the setting, it is kept out."""
    cells = ["1.234", "2.345", "3.456,5", "17,25"]
    read = one_column(tmp_path, cells)
    assert read.values == []
    found = read.finding("table.number-ambiguous")
    assert (found.where.line, found.values["count"], found.values["value"]) == (2, 2, "1.234")
    assert read.finding("table.number-convention").values["count"] == 2
    assert one_column(tmp_path, cells, decimal=",", thousands=".").values == [1234.0, 2345.0, 3456.5, 17.25]


def test_a_point_taken_for_a_thousands_mark(tmp_path: Path) -> None:
    read = one_column(tmp_path, ["1.234", "2.345", "0.5", "12.25"], decimal=",", thousands=".")
    assert read.values == []
    assert {"table.number-ambiguous", "table.number-convention"} == set(read.codes)


def test_one_stray_cell_does_not_make_a_convention(tmp_path: Path) -> None:
    rows = "".join(f"{at('2024-01-01') + timedelta(minutes=n)};{n % 9 + 1}.234\n" for n in range(1500))
    path = text_file(tmp_path, "time;E1\n" + rows + "2024-01-05;3,17\n")
    read = Read(path, wide("E1"), ["E1"])
    assert (read.report.rows_good, read.codes) == (1500, ["table.number-convention"])


@pytest.mark.parametrize(
    "setting", [{"decimal": ";"}, {"thousands": "x"}, {"decimal": ",", "thousands": ","}]
)
def test_marks_that_cannot_be_used(tmp_path: Path, setting: dict[str, str]) -> None:
    read = one_column(tmp_path, ["1"], **setting)
    assert (set(read.codes), read.values) == ({"table.setting-invalid"}, [])


# --- rows, meters, units, states ------------------------------------------------------------------------------


def test_rows_of_another_length(tmp_path: Path) -> None:
    content = "time,E1,E2\n2024-01-01,1,2\n2024-01-02,1\n2024-01-03,1,5,2\n2024-01-04,3,4,,\n"
    read = Read(text_file(tmp_path, content), wide("E1", "E2"), ["E1", "E2"])
    assert read.values == [1.0, 2.0, 3.0, 4.0]
    found = read.finding("table.row-ragged")
    assert (found.values["lines"], found.values["width"], found.values["value"]) == (
        "3, 4",
        3,
        "2024-01-02,1",
    )
    assert [row.raw.get("@line") for row in read.report.quarantine] == ["2024-01-02,1", "2024-01-03,1,5,2"]


def test_unknown_meters_in_rows(tmp_path: Path) -> None:
    content = "time,meter,value\n2024-01-01,E1,1\n2024-01-01,E01,2\n2024-01-02,E01,3\n2024-01-02,,4\n"
    read = Read(text_file(tmp_path, content), long(), ["E1"])
    assert read.values == [1.0]
    found = [item for item in read.report.findings if item.code == "table.meter-unknown"]
    assert [(str(item.values["meter"]), item.values["count"], item.values["lines"]) for item in found] == [
        ("E01", 2, "3, 4"),
        ("(blank)", 1, "5"),
    ]
    assert found[0].values["hint"] == " (“E1”?)"
    assert read.report.rows_bad == 3


def test_unknown_meters_in_the_map(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, "time,A,B\n2024-01-01,1,2\n"), wide(("A", "E1"), ("B", "E9")), ["E1"])
    assert read.finding("table.meter-unknown").where.column == "B"
    assert read.values == [1.0]


def test_a_meter_mapped_twice(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, "time,A,B\n2024-01-01,1,2\n"), wide(("A", "E1"), ("B", "E1")), ["E1"])
    assert read.finding("table.meter-mapped-twice").values == {"first": "A", "column": "B", "meter": "E1"}
    assert read.values == [1.0]


UNIT_HEADERS: list[tuple[str, Callable[[str], object]]] = [
    ("Energy (MWh)", lambda h: wide((h, "E1"))),
    ("电量［MWh］", lambda h: wide((h, "E1"))),
    ("Energy/MWh", lambda h: wide((h, "E1"))),
    ("Energy", lambda h: wide((h, "E1"), units=((h, "MWh"),))),
]


@pytest.mark.parametrize(("header", "source"), UNIT_HEADERS)
def test_units_of_columns_are_converted(tmp_path: Path, header: str, source: Callable[[str], object]) -> None:
    read = Read(text_file(tmp_path, f"time;{header}\n2024-01-01;1.1\n"), source(header), ["E1"])  # type: ignore[arg-type]
    assert read.values == [1100.0]
    found = read.finding("table.unit-converted")
    assert (found.values["unit"], found.values["target"], found.values["factor"]) == (
        "MWh",
        "kWh",
        Fraction(1000),
    )


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("NCV, kJ/kg", "kJ/kg"),
        ("热值（GJ/t）", "GJ/t"),
        ("NCV_GJ/t", "GJ/t"),
        ("Steam/t", "t"),
        ("Hall 1/Line 2/MWh", "MWh"),
        ("Hall/A", None),
    ],
)
def test_the_unit_of_a_header_is_the_longest_there_is(title: str, unit: str | None) -> None:
    assert Header(1, 2, (("time", title),)).unit_of(1) == unit
    assert Header(1, 2, (("time", "value"), ("", "GJ/t"))).unit_of(1) == "GJ/t"


def test_a_phase_is_not_a_unit(tmp_path: Path) -> None:
    read = Read(text_file(tmp_path, "time;Line (A)\n2024-01-01;1\n"), wide(("Line (A)", "E1")), ["E1"])
    assert (read.values, read.codes) == ([1.0], [])


def test_a_unit_of_another_kind(tmp_path: Path) -> None:
    read = Read(
        text_file(tmp_path, "time;Gas (m3)\n2024-01-01;1\n2024-01-02;2\n"), wide(("Gas (m3)", "E1")), ["E1"]
    )
    found = read.finding("unit.mismatch")
    assert (found.values["unit"], found.values["expected"], str(found.values["dimension"])) == (
        "m3",
        "kWh",
        "volume",
    )
    assert (read.values, read.report.rows_bad) == ([], 2)
    assert [row.code for row in read.report.quarantine] == ["unit.mismatch"] * 2
    assert read.report.quarantine[0].raw == {"time": "2024-01-01", "Gas (m3)": "1"}


def test_converted_values_have_no_digits_of_their_own(tmp_path: Path) -> None:
    content = "time;E1 (MWh)\n2024-01-01;1.021\n2024-01-02;1.0211\n2024-01-03;123456.789\n"
    # in binary 1.021 × 1000 is 1020.9999999999999
    assert Read(text_file(tmp_path, content), wide(("E1 (MWh)", "E1")), ["E1"]).values == [
        1021.0,
        1021.1,
        123456789.0,
    ]


def test_units_of_rows(tmp_path: Path) -> None:
    rows = ["1,E1,3000,kWh", "2,E1,3.1,MWh", "3,E1,7,m3", "4,E1,8,kW h?", "5,E1,3200,", "6,E1,3.3,MWh"]
    content = "time,meter,value,unit\n" + "".join(f"2024-01-0{row}\n" for row in rows)
    read = Read(text_file(tmp_path, content), long(unit_column="unit"), ["E1"])
    assert read.values == [3000.0, 3100.0, 3200.0, 3300.0]
    changes = read.finding("table.unit-changes")
    assert (
        changes.where.line,
        changes.values["unit"],
        changes.values["before"],
        changes.values["factor"],
    ) == (3, "MWh", "kWh", 1000)
    assert read.finding("unit.mismatch").where.line == 4
    unknown = read.finding("unit.unknown")
    assert (unknown.where.line, unknown.where.column, unknown.values["unit"]) == (5, "unit", "kW h?")
    assert [row.raw["value"] for row in read.report.quarantine] == ["7", "8"]


def test_a_declared_change_of_unit(tmp_path: Path) -> None:
    """After the change the register counts in MWh, so a row that says kWh becomes MWh."""
    change = MeterChange(datetime(2024, 1, 2, tzinfo=UTC), "unit", unit="MWh")
    content = "time,meter,value,unit\n2024-01-01,E1,3,MWh\n2024-01-03,E1,4000,kWh\n2024-01-04,E1,5,\n"
    read = Read(text_file(tmp_path, content), long(unit_column="unit"), [meter("E1", changes=(change,))])
    assert read.values == [3000.0, 4.0, 5.0]


def test_states_become_codes(tmp_path: Path) -> None:
    point = meter("E1", PointKind.STATE)
    read = times_of_cells(tmp_path, ["运行", "停机", "ON", "off", "1", "idle", ""], point)
    assert read.values == [1.0, 0.0, 1.0, 0.0, 1.0]
    found = read.finding("table.state-unknown")
    assert (found.where.line, found.values["value"]) == (7, "idle")


def test_declared_states(tmp_path: Path) -> None:
    point = meter("E1", PointKind.STATE, states=("idle", "melting", "tapping"))
    assert times_of_cells(tmp_path, ["Melting", "idle", "tapping"], point).values == [1.0, 0.0, 2.0]
    read = Read(
        tmp_path / "file.csv", wide("E1"), [point], states={"E1": {"idle": 5, "melting": 6, "tapping": 7}}
    )
    assert read.values == [6.0, 5.0, 7.0]


def times_of_cells(tmp_path: Path, cells: list[str], point: object) -> Read:
    rows = "".join(f"2024-01-{n + 1:02d};{cell}\n" for n, cell in enumerate(cells))
    return Read(text_file(tmp_path, "time;E1\n" + rows), wide("E1"), [point])  # type: ignore[list-item]


def test_findings_are_few_whatever_the_number_of_bad_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from celadon.adapters.tables import limits

    monkeypatch.setattr(limits, "MAX_QUARANTINE", 100)
    rows = "".join(f"2024-01-01 00:00,X{n},{n}\n" for n in range(300)) + "2024-01-01 00:00,E1,bad\n" * 300
    read = Read(text_file(tmp_path, "time,meter,value\n" + rows), long(), ["E1"])
    assert len(read.report.findings) < 25
    assert read.finding("table.number-unreadable").values["count"] == 300
    assert read.finding("table.quarantine-full").values["count"] == 600
    assert (len(read.report.quarantine), read.report.rows_bad) == (100, 600)


def test_the_unit_in_the_header_of_values_by_row(tmp_path: Path) -> None:
    """1.5 MWh is 1500 of the meter's kWh, whether the header of the values says so or a row below it."""
    content = "time,meter,value (MWh)\n2024-01-01,E1,1.5\n"
    source = replace(long(), value_column="value (MWh)")
    read = Read(text_file(tmp_path, content), source, ["E1"])
    assert read.values == [1500.0]
    assert read.finding("table.unit-converted").values == {"unit": "MWh", "target": "kWh", "factor": 1000}


@pytest.mark.parametrize(("said", "values", "codes"), [
    ("kWh", [1.5], ["table.unit-contradicts"]),
    ("MW·h", [1500.0], ["table.unit-converted"]),
])  # fmt: skip
def test_a_header_and_a_plant_file_that_name_different_units(
    tmp_path: Path, said: str, values: list[float], codes: list[str]
) -> None:
    path = text_file(tmp_path, "time,Main (MWh)\n2024-01-01,1.5\n")
    read = Read(path, wide(("Main (MWh)", "E1"), units=(("Main (MWh)", said),)), ["E1"])
    assert (read.values, read.codes) == (values, codes)
    if values == [1.5]:
        found = read.finding("table.unit-contradicts")
        assert (found.values, found.where.column) == ({"header": "MWh", "unit": "kWh"}, "Main (MWh)")
