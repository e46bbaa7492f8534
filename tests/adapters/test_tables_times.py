"""Times of tables against plain-Python oracles: formats, zones, clock changes, stamps and spans; their findings."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celadon.adapters.tables import numbers, readings
from celadon.adapters.tables.times import TimeForm, all_in, clock, guess_format
from celadon.core.model import PointKind, Stamp
from tests.adapters.table_files import NOW, Read, at, long, meter, text_file, wide

CON = duckdb.connect()


def sql_time(text: str, form: TimeForm) -> tuple[datetime | None, int | None]:
    inner = f"SELECT {numbers.clean('x')} AS tt FROM (SELECT ? AS x)"
    fast = f"SELECT *, {form.fast('tt')} AS fast FROM ({inner})"
    local = f"coalesce(fast, {form.local('tt')})"
    offset = f"CASE WHEN fast IS NULL THEN {form.offset('tt')} END"
    row = CON.execute(f"SELECT {local}, {offset} FROM ({fast})", [text]).fetchone()
    assert row is not None
    return row[0], row[1]


MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31)).map(lambda t: t.replace(microsecond=0))


@settings(max_examples=120, deadline=None)
@given(
    moment=MOMENTS,
    form=st.sampled_from(
        [
            "%Y-%m-%d %H:%M:%S",
            "%d/%m/%Y %H:%M",
            "%m/%d/%Y %H:%M",
            "%d.%m.%y %H:%M",
            "%Y年%m月%d日 %H时%M分",
            "%d-%b-%Y %H:%M",
            "%m/%d/%Y %I:%M:%S %p",
        ]
    ),
)
def test_formats_read_as_strptime_does(moment: datetime, form: str) -> None:
    text = moment.strftime(form)
    assert sql_time(text, TimeForm(form)) == (datetime.strptime(text, form), None)


@settings(max_examples=150, deadline=None)
@given(
    moment=MOMENTS,
    shape=st.sampled_from(
        [
            "{:%Y-%m-%d %H:%M}",
            "{:%Y-%m-%dT%H:%M:%S}",
            "{:%Y/%m/%d %H:%M:%S}",
            "{0.year}-{0.month}-{0.day} {0.hour}:{0:%M}",
        ]
    ),
    offset=st.sampled_from(["", "Z", "+08:00", "-06:00", "+0530", " +08:00", "-03"]),
    guess=st.sampled_from([None, "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]),
)
def test_iso_times_read_as_python_does(moment: datetime, shape: str, offset: str, guess: str | None) -> None:
    text = shape.format(moment)
    want = moment if ":%S" in shape else moment.replace(second=0)
    numeric = re.fullmatch(r" ?([+-])(\d\d):?(\d\d)?", offset)
    seconds = None if not offset else 0
    if numeric:
        seconds = (int(numeric[2]) * 60 + int(numeric[3] or 0)) * (-60 if numeric[1] == "-" else 60)
    assert sql_time(text + offset, TimeForm(guess=guess)) == (want, seconds)


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="0123456789-/: TZ+年月日epochinfinityBC", max_size=20))
def test_no_other_text_is_a_time(text: str) -> None:
    local, _ = sql_time(text, TimeForm(guess="%Y-%m-%d %H:%M"))
    if local is not None:
        digits = re.findall(r"\d+", text)
        assert digits
        assert len(digits[0]) in (4, 8, 12, 14)
        assert f"{local.year:04d}" == digits[0][:4] or local.strftime("%m-%d") == "01-01"


@pytest.mark.parametrize(
    ("text", "form", "local"),
    [
        ("2018-01-01 24:00", TimeForm(), "2018-01-02 00:00"),
        ("31/12/2018 24:00", TimeForm("%d/%m/%Y %H:%M"), "2019-01-01 00:00"),
        ("1/1/2018 0:00", TimeForm("%d/%m/%Y %H:%M", closes=True), "2018-01-02 00:00"),
        ("1/1/2018 0:15", TimeForm("%d/%m/%Y %H:%M", closes=True), "2018-01-01 00:15"),
        ("2018-01-01 24:00", TimeForm(closes=True), "2018-01-02 00:00"),
        ("20180102", TimeForm(), "2018-01-02 00:00"),
        ("201801020315", TimeForm(), "2018-01-02 03:15"),
        ("20180102T031545", TimeForm(), "2018-01-02 03:15:45"),
        ("2018年1月2日 3时04分", TimeForm(), "2018-01-02 03:04"),
        ("2018年1月2日", TimeForm(), "2018-01-02 00:00"),
        ("2018年1月2日 8时", TimeForm(), "2018-01-02 08:00"),
        ("2018年1月2日8点整", TimeForm(), "2018-01-02 08:00"),
        ("2018年1月1日24时", TimeForm(), "2018-01-02 00:00"),
        ("2018/1/2 下午3:15", TimeForm(), "2018-01-02 15:15"),
        ("2018-01-02 上午 12:15:30", TimeForm(), "2018-01-02 00:15:30"),
        ("2018-01-02 12:15 PM", TimeForm(), "2018-01-02 12:15"),
        ("2018/1/2 3:15:30pm", TimeForm(), "2018-01-02 15:15:30"),
        ("2018-01-02T03:15:00.1234567", TimeForm(), "2018-01-02 03:15:00.123456"),
        ("2018-01-02 03:15:00.000000000+08:00", TimeForm(), "2018-01-02 03:15"),
        ("２０１８－０１－０２　０３：１５", TimeForm(), "2018-01-02 03:15"),
        ("43101.0104166667", TimeForm("excel"), "2018-01-01 00:15"),
        ("43101", TimeForm("excel"), "2018-01-01 00:00"),
        ("1514764800", TimeForm("unix"), "2018-01-01 00:00"),
        ("1514764800000", TimeForm("unix_ms"), "2018-01-01 00:00"),
        ("2018-01-01 00:00 +08:00", TimeForm("%Y-%m-%d %H:%M %z"), "2018-01-01 00:00"),
    ],
)
def test_times(text: str, form: TimeForm, local: str) -> None:
    assert sql_time(text, form)[0] == at(local)


@pytest.mark.parametrize(
    "text",
    [
        "2018-02-30",
        "2018-13-01",
        "2018-01-01 25:00",
        "2018-01-01 24:15",
        "2018-01-01 23:60",
        "2018-01-01 13:00 PM",
        "2018-01-01 0:30 AM",
        "2018年1月1日25时",
        "1/2/2018",
        "epoch",
        "2018",
    ],
)
def test_texts_that_are_no_iso_time(text: str) -> None:
    assert sql_time(text, TimeForm())[0] is None


def test_guesses_of_the_format_need_agreement() -> None:
    assert guess_format(["2024-01-01 0:15", "2024-01-01 0:30"]) == "%Y-%m-%d %H:%M"
    assert guess_format(["2024/1/1"]) == "%Y/%m/%d"
    assert guess_format(["2024-01-01 0:15", "2024-01-01T0:30"]) is None
    assert guess_format(["1/2/2024"]) is None
    assert guess_format([]) is None


def times(tmp_path: Path, stamps: list[str], points: list[object] | None = None, **more: object) -> Read:
    """One row per stamp, its value the row's number from 1."""
    rows = "".join(f"{stamp};{n}\n" for n, stamp in enumerate(stamps, 1))
    return Read(text_file(tmp_path, "time;E1\n" + rows), wide("E1", **more), points or ["E1"])  # type: ignore[arg-type]


def test_rows_without_a_time(tmp_path: Path) -> None:
    read = times(tmp_path, ["2024-01-01", "", "2024-01-03"])
    assert read.values == [1.0, 3.0]
    assert read.finding("table.time-missing").values == read.finding("table.time-missing").values | {
        "count": 1,
        "lines": "3",
    }


def test_times_that_cannot_be_read(tmp_path: Path) -> None:
    read = times(tmp_path, ["2024-01-01", "14/02/2024 3:00", "total"])
    assert read.values == [1.0]
    found = read.finding("table.time-unreadable")
    assert (found.where.line, found.where.column, found.values["value"], found.values["count"]) == (
        3,
        "time",
        "14/02/2024 3:00",
        2,
    )


@pytest.mark.parametrize(
    ("form", "stamps"),
    [(None, ["2024-02-30", "2024-13-01 00:00"]), ("%d/%m/%Y", ["30/02/2024", "01/13/2024"])],
)
def test_dates_that_do_not_exist(tmp_path: Path, form: str | None, stamps: list[str]) -> None:
    found = times(tmp_path, stamps, time_format=form).finding("table.time-impossible")
    assert (found.values["count"], found.values["value"], found.values["lines"]) == (2, stamps[0], "2, 3")


def test_times_out_of_all_likelihood(tmp_path: Path) -> None:
    read = times(tmp_path, ["1969-12-31", "2024-01-01", "2218-01-01"])
    assert read.values == [2.0]
    assert read.finding("table.time-far").values["lines"] == "2, 4"


def test_times_in_the_future_are_kept_and_said(tmp_path: Path) -> None:
    content = "time;E1\n2026-05-31;1\n2026-06-02;2\n2026-06-03;3\n"
    read = Read(text_file(tmp_path, content), wide("E1"), ["E1"], now=NOW)
    found = read.finding("table.time-future")
    assert (found.values["count"], found.values["last"]) == (2, at("2026-06-03"))
    assert len(read.rows) == 3


@pytest.mark.parametrize("form", ["%d/%m %H:%M", "%Y-%m-%d %Q", "%Y-%m-%d %H:%M %Z", "%z %Y-%m-%d"])
def test_formats_that_cannot_be_used(tmp_path: Path, form: str) -> None:
    found = times(tmp_path, ["2024-01-01"], time_format=form).finding("table.setting-invalid")
    assert (found.values["setting"], found.values["value"]) == ("time.format", form)


def test_an_unknown_zone(tmp_path: Path) -> None:
    assert times(tmp_path, ["2024-01-01"], zone="Mars/Olympus").codes == ["period.zone-unknown"]


def test_date_and_clock_in_two_columns(tmp_path: Path) -> None:
    path = text_file(tmp_path, "日期,时间,E1\n2024-01-01,0:15,1\n2024-01-01,24:00,2\n")
    read = Read(path, wide("E1", time_column="日期 + 时间"), ["E1"])
    assert [row[1] for row in read.rows] == [at("2024-01-01 00:15"), at("2024-01-02 00:00")]


# --- the clock changes ----------------------------------------------------------------------------------------

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "America/Sao_Paulo",
    "Pacific/Apia",
]


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(1986, 1, 1), datetime(2025, 12, 31)),
    second=st.booleans(),
)
def test_utc_is_what_the_zone_says(zone: str, moment: datetime, second: bool) -> None:
    moment = moment.replace(microsecond=0)
    local = clock(zone, moment - timedelta(days=400), moment + timedelta(days=400))
    tz = ZoneInfo(zone)
    utc = moment.replace(tzinfo=tz, fold=int(second)).astimezone(UTC)
    exists = utc.astimezone(tz).replace(tzinfo=None) == moment
    other = moment.replace(tzinfo=tz, fold=1).utcoffset() != moment.replace(tzinfo=tz, fold=0).utcoffset()
    query = f"SELECT {local.utc('m', second)}, {local.inside('m', True)}, {local.inside('m', False)} FROM (SELECT ?::TIMESTAMP AS m)"
    row = CON.execute(query, [moment]).fetchone()
    assert row is not None
    assert row[1] is (not exists)
    assert row[2] is (exists and other)
    if exists:
        assert row[0] == utc.replace(tzinfo=None)


def test_local_times_that_the_clock_skips(tmp_path: Path) -> None:
    read = times(tmp_path, ["2024-03-31 01:45", "2024-03-31 02:15", "2024-03-31 03:00"], zone="Europe/Berlin")
    assert [row[1] for row in read.rows] == [at("2024-03-31 00:45"), at("2024-03-31 01:00")]
    found = read.finding("table.time-nonexistent")
    assert (found.where.line, found.values["zone"], found.values["value"]) == (
        3,
        "Europe/Berlin",
        "2024-03-31 02:15:00",
    )
    assert read.report.quarantine[0].raw == {"time": "2024-03-31 02:15", "E1": "2"}


AUTUMN = ["2024-10-27 01:45", *[f"2024-10-27 02:{m:02d}" for m in (0, 15, 30, 45)] * 2, "2024-10-27 03:00"]
QUARTERS = [at("2024-10-26 23:45") + timedelta(minutes=15 * n) for n in range(10)]


def test_the_repeated_hour_goes_by_the_order_of_the_rows(tmp_path: Path) -> None:
    read = times(tmp_path, AUTUMN, zone="Europe/Berlin")
    assert [row[1] for row in sorted(read.rows, key=lambda row: row[4])] == QUARTERS
    assert read.codes == []


def test_the_repeated_hour_of_a_file_that_runs_backwards(tmp_path: Path) -> None:
    read = times(tmp_path, AUTUMN[::-1], zone="Europe/Berlin")
    assert [row[1] for row in read.rows] == QUARTERS[::-1]
    hourly = ["2024-10-27 03:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 01:00"]
    backwards = times(tmp_path, hourly, zone="Europe/Berlin")
    assert [row[1].hour for row in backwards.rows] == [2, 1, 0, 23]


def test_the_repeated_hour_is_told_for_each_meter(tmp_path: Path) -> None:
    rows = [("02:30", "E1"), ("02:30", "E2"), ("02:30", "E1"), ("02:30", "E2")]
    content = "time,meter,value\n" + "".join(
        f"2024-10-27 {clock_},{m},{n}\n" for n, (clock_, m) in enumerate(rows)
    )
    read = Read(text_file(tmp_path, content), long(zone="Europe/Berlin"), ["E1", "E2"])
    assert [(row[0], row[1].hour, row[3]) for row in read.rows] == [
        ("E1", 0, 0),
        ("E2", 0, 1),
        ("E1", 1, 2),
        ("E2", 1, 3),
    ]


def test_irregular_stamps_in_the_repeated_hour(tmp_path: Path) -> None:
    stamps = [f"2024-10-27 02:{m:02d}" for m in (5, 40, 10, 20)]
    assert [row[1].hour for row in times(tmp_path, stamps, zone="Europe/Berlin").rows] == [0, 0, 1, 1]


@pytest.mark.parametrize(("fold", "hours"), [("first", [0, 0]), ("second", [1, 1])])
def test_the_occurrence_can_be_said(tmp_path: Path, fold: str, hours: list[int]) -> None:
    read = times(tmp_path, ["2024-10-27 02:00", "2024-10-27 02:30"], zone="Europe/Berlin", fold=fold)
    assert ([row[1].hour for row in read.rows], read.codes) == (hours, [])


def test_a_repeated_hour_that_is_given_once(tmp_path: Path) -> None:
    read = times(tmp_path, ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 03:00"], zone="Europe/Berlin")
    assert [row[1].hour for row in read.rows] == [23, 0, 2]
    found = read.finding("table.hour-given-once")
    assert (found.where.line, found.values["count"], found.values["zone"]) == (3, 1, "Europe/Berlin")


def test_a_repeated_hour_that_is_given_three_times(tmp_path: Path) -> None:
    read = times(
        tmp_path,
        ["2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"],
        zone="Europe/Berlin",
    )
    assert read.values == [4.0]
    found = read.finding("table.hour-given-often")
    assert (found.values["count"], found.values["lines"]) == (3, "2, 3, 4")
    assert [row.raw["time"] for row in read.report.quarantine] == ["2024-10-27 02:00"] * 3


def test_the_offset_in_the_file_wins(tmp_path: Path) -> None:
    read = times(tmp_path, ["2024-10-27 02:00+02:00", "2024-10-27 02:00+01:00"], zone="America/New_York")
    assert [row[1].hour for row in read.rows] == [0, 1]


# --- stamps and spans -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "end"),
    [(Stamp.START, "2024-01-01 00:15"), (Stamp.END, "2024-01-01 00:00"), (Stamp.INSTANT, "2024-01-01 00:00")],
)
def test_interval_stamps_become_ends(tmp_path: Path, stamp: Stamp, end: str) -> None:
    point = meter("E1", PointKind.INTERVAL, interval_seconds=900, stamp=stamp)
    assert times(tmp_path, ["2024-01-01"], [point]).rows == [("E1", at(end), 900, 1.0, 2)]


def test_the_source_says_the_stamp_for_its_file(tmp_path: Path) -> None:
    point = meter("E1", PointKind.INTERVAL, interval_seconds=900, stamp=Stamp.END)
    assert times(tmp_path, ["2024-01-01"], [point], stamp=Stamp.START).rows[0][1] == at("2024-01-01 00:15")


@pytest.mark.parametrize("kind", [PointKind.REGISTER, PointKind.LEVEL, PointKind.RATE, PointKind.COUNT])
def test_other_points_are_instants(tmp_path: Path, kind: PointKind) -> None:
    assert times(tmp_path, ["2024-01-01"], [meter("E1", kind, interval_seconds=900)]).rows[0][2] == 0


def test_mean_rates_have_a_span(tmp_path: Path) -> None:
    point = meter("E1", PointKind.RATE, interval_seconds=900, stamp=Stamp.START)
    assert times(tmp_path, ["2024-01-01"], [point]).rows == [("E1", at("2024-01-01 00:15"), 900, 1.0, 2)]


@pytest.mark.parametrize("stamp", [Stamp.START, Stamp.END])
def test_days_are_as_long_as_the_clock_makes_them(tmp_path: Path, stamp: Stamp) -> None:
    point = meter("E1", PointKind.INTERVAL, interval_seconds=86_400, stamp=stamp)
    read = times(
        tmp_path,
        [f"2024-{day}" for day in ("03-30", "03-31", "04-01", "10-27", "10-28")],
        [point],
        zone="Europe/Berlin",
    )
    spans = {row[1].isoformat(): row[2] // 3600 for row in read.rows}
    if stamp is Stamp.START:
        assert list(spans.values()) == [24, 23, 24, 25, 24]
        assert "2024-03-31T22:00:00" in spans
    else:
        assert list(spans.values()) == [24, 24, 23, 24, 25]
        assert "2024-03-31T22:00:00" in spans


def test_intervals_until_the_next_stamp(tmp_path: Path) -> None:
    point = meter("E1", PointKind.INTERVAL, stamp=Stamp.START)
    content = "time;E1\n2024-03-01;5\n2024-01-01;3\n2024-02-01;\n2024-04-15;\n"
    read = Read(text_file(tmp_path, content), wide("E1"), [point])
    assert read.rows == [
        ("E1", at("2024-04-15"), 45 * 86400, 5.0, 2),
        ("E1", at("2024-02-01"), 31 * 86400, 3.0, 3),
    ]
    assert read.codes == []


def test_a_last_interval_that_nothing_closes(tmp_path: Path) -> None:
    point = meter("E1", PointKind.INTERVAL, stamp=Stamp.START)
    read = times(tmp_path, ["2024-01-01", "2024-02-01"], [point])
    assert read.values == [1.0]
    assert read.finding("table.span-open").values["lines"] == "3"
    ends = times(tmp_path, ["2024-01-01", "2024-02-01"], [meter("E1", PointKind.INTERVAL, stamp=Stamp.END)])
    assert [(row[1], row[2] // 86400, row[3]) for row in ends.rows] == [(at("2024-02-01"), 31, 2.0)]


@pytest.mark.parametrize(
    "times",
    [
        ["2024-03-01 00:00", "2024-03-01 00:15", "2024-02-29 23:45"],
        ["2024/3/1 0:05", "2024/3/1 9:15"],
        ["2024-03-01T00:00:01", "2024-03-01T00:00:02"],
        ["2024-03-01", "2024-03-02", ""],
        ["2024-03-01 00:00", "2024-03-01 24:00"],
        ["2024-03-01 00:00", "2024-02-30 10:00"],
        ["2024-03-01 00:00", "2024-03-01 00:15Z"],
        ["2024-03-01 00:00", "noon"],
        ["2024-03-01 00:00", "2024-03-01 00:00:30"],
        ["2024-03-01 00:00", "２024-03-01 00:15"],
        ["2090-03-01 00:00", "1969-03-01 00:15"],
    ],
)
def test_a_small_file_is_read_alike_whether_or_not_one_form_is_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: list[str]
) -> None:
    rows = "".join(f"{time},{number}\n" for number, time in enumerate(times))
    path = text_file(tmp_path, f"time,E1\n{rows}")
    quick = Read(path, wide("E1"), ["E1"])
    monkeypatch.setattr(readings, "all_in", lambda *_: False)
    slow = Read(path, wide("E1"), ["E1"])
    assert quick.rows == slow.rows
    assert quick.report == slow.report


def test_only_times_of_one_form_that_the_calendar_has_are_sure() -> None:
    form = "%Y-%m-%d %H:%M"
    assert all_in(["2024-03-01 00:00", "2024-3-1 9:15"], form)
    for odd in (
        "2024-03-01 24:00",
        "2024-02-30 00:00",
        "2024-03-01",
        "2024/03/01 00:00",
        " 2024-03-01 00:00",
        "２024-03-01 00:00",
        "",
    ):
        assert not all_in(["2024-03-01 00:00", odd], form), odd
    assert not all_in([], form)
