"""One writer, one reader: what goes in comes out, and only after the commit."""

import json
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.store import QuarantineRow, Store, month_label, month_of, month_period, month_start
from tests.store.store_tools import Clock, add, load, only, read, segment_files, utc, with_points

ODD = FindingKind(
    "test.odd",
    Severity.WARNING,
    Text(en="odd", zh="奇怪"),
    Text(en="“{cell}” is odd", zh="“{cell}”有问题"),
    Text(en="look at {cell}", zh="请查看 {cell}"),
)


@pytest.fixture
def store(new_store):
    return with_points(new_store())


def test_months_are_counted_in_utc():
    march = month_of(utc("2018-03-31T23:59:59"))
    assert march == 2018 * 12 + 2
    assert month_label(march) == "2018-03"
    assert month_start(march + 10) == utc("2019-01-01")
    assert (month_period(march).start, month_period(march).end) == (utc("2018-03-01"), utc("2018-04-01"))
    assert month_of(datetime.fromisoformat("2018-04-01T07:59:00+08:00")) == march


def test_readings_come_back_with_their_lineage(store):
    assert store.ensure_points(["E01", "P2", "E01"]) == {"E01": 6, "P2": 2}
    assert store.ensure_points(["E02", "E01"]) == {"E02": 7, "E01": 6}
    assert store.points() == {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "P5": 5, "E01": 6, "E02": 7}
    con = duckdb.connect()
    with store.begin("load", "two months") as pending:
        file_id = pending.add_file("a.csv", "ab" * 32, 120, "meters", "m1")
        con.execute(
            "CREATE TABLE r AS SELECT * FROM (VALUES (2, TIMESTAMP '2018-02-01 00:00:00', 900, 7.25, ?, 3), "
            "(1, TIMESTAMP '2018-01-31 23:45:00', 0, 1.1, ?, 2)) v(point, t, span, value, file, line)",
            [file_id, file_id],
        )
        assert pending.add_readings(con, "r") == 2
        assert pending.readings == 2
        batch = pending.commit()
    assert (batch.id, batch.kind, batch.note) == (1, "load", "two months")
    sql = store.snapshot().readings_sql(None, utc("2018-01-01"), utc("2018-03-01"))
    rows = con.execute(f"SELECT * FROM ({sql}) ORDER BY point").fetchall()
    assert rows == [
        (1, datetime(2018, 1, 31, 23, 45), 0, 1.1, 1, 2, 1),
        (2, datetime(2018, 2, 1), 900, 7.25, 1, 3, 1),
    ]
    assert [d[0] for d in con.execute(sql).description] == [
        "point",
        "t",
        "span",
        "value",
        "file",
        "line",
        "batch",
    ]
    assert store.snapshot().files()[0].name == "a.csv"
    assert len(segment_files(store.path)) == 2  # one per month
    assert not list((store.path / "writing").iterdir())
    assert store.snapshot().span() == (utc("2018-01-31T23:45"), utc("2018-02-01"))


def test_a_view_may_be_stored(store):
    con = duckdb.connect()
    con.execute(
        "CREATE VIEW v AS SELECT 1 point, TIMESTAMP '2018-01-01' t, 0 span, 5.0 AS value, 1 file, 1 line"
    )
    with store.begin("load") as pending:
        assert pending.add_readings(con, "v") == 1
        pending.commit()
    assert read(store.snapshot()) == [(1, utc("2018-01-01"), 5.0, 1)]
    assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)


def test_what_is_no_reading_is_the_callers_fault(store):
    con = duckdb.connect()
    base = "SELECT 1 AS point, TIMESTAMP '2018-01-01' AS t, 0 AS span, 1.0 AS value, 1 AS file, 1 AS line"
    for change in (
        "NULL::DOUBLE AS value",
        "'nan'::DOUBLE AS value",
        "'inf'::DOUBLE AS value",
        "TIMESTAMPTZ '2018-01-01' AS t",
        "77 AS point",
    ):
        con.execute(f"CREATE OR REPLACE TABLE bad AS SELECT * REPLACE ({change}) FROM ({base})")
        with store.begin("load") as pending, pytest.raises(ValueError, match="readings"):
            pending.add_readings(con, "bad")
    assert store.batches() == []
    assert segment_files(store.path) == set()


def test_an_empty_store_answers_with_no_rows(store):
    snapshot = store.snapshot()
    assert snapshot.upto == 0
    assert snapshot.recorded_at is None
    assert snapshot.plant_json() is None
    assert snapshot.span() is None
    assert snapshot.digest() == ""
    assert read(snapshot) == read(snapshot, [1, 2]) == read(snapshot, [1], neighbours=1) == []
    assert duckdb.connect().execute(snapshot.records_sql()).fetchall() == []
    parts = snapshot.ledger_parts([1], [24216], {1: "d"})
    assert (parts.valid, parts.missing) == ([], [(1, 24216)])
    assert duckdb.connect().execute(parts.sql()).fetchall() == []
    assert snapshot.ledger_parts([], [], {}).missing == []


def test_nothing_is_visible_before_the_commit_and_nothing_stays_after_a_discard(store):
    load(store, [(1, utc("2018-01-01"), 1.0, 1, 1)])
    before, files = store.snapshot().digest(), segment_files(store.path)
    with Store.open(store.path) as other:
        with store.begin("load") as pending:
            add(pending, [(1, utc("2018-01-02"), 2.0, 1, 1)])
            pending.add_file("x", "cd" * 32, 1, "meters", "m")
            pending.set_plant("{}")
            pending.add_findings([ODD.at(cell="x")])
            new = store.ensure_points(["late"])
            assert new["late"] == 6
            for reader in (store, other):
                assert read(reader.snapshot()) == [(1, utc("2018-01-01"), 1.0, 1)]
                assert reader.snapshot().files() == []
            assert "late" not in other.points()
            assert "late" in store.points()
        assert read(other.snapshot()) == [(1, utc("2018-01-01"), 1.0, 1)]
    assert store.snapshot().digest() == before
    assert segment_files(store.path) == files
    assert "late" not in store.points()
    assert store.findings() == []
    with pytest.raises(ValueError, match="committed or discarded"):
        pending.commit()


def test_an_exception_discards(store):
    def stopped():
        with store.begin("load") as pending:
            add(pending, [(1, utc("2018-01-02"), 2.0, 1, 1)])
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stopped()
    assert store.batches() == []
    assert segment_files(store.path) == set()
    load(store, [(1, utc("2018-01-01"), 1.0, 1, 1)])  # the lock is free again
    assert [batch.id for batch in store.batches()] == [1]


def test_only_one_batch_at_a_time(store):
    with store.begin("load"), pytest.raises(ValueError, match="already"):
        store.begin("load")
    with store.begin("load") as pending:
        with pytest.raises(ValueError, match="being made"):
            store.compact()
        pending.commit()
    assert len(store.batches()) == 1


def test_a_preview_shows_the_batch_that_is_being_made(store):
    load(store, [(1, utc("2018-01-01"), 1.0, 1, 1)])
    january = month_of(utc("2018-01-01"))
    with store.begin("load") as pending:
        add(pending, [(1, utc("2018-01-01"), 9.0, 2, 7)])
        file_id = pending.add_file("b.csv", "ee" * 32, 5, "meters", "m")
        pending.set_plant('{"v":2}')
        preview = store.snapshot(pending=pending)
        assert preview.is_preview
        assert read(preview) == [(1, utc("2018-01-01"), 1.0, 1), (1, utc("2018-01-01"), 9.0, 2)]
        assert [item.id for item in preview.files()] == [file_id]
        assert preview.plant_json() == '{"v":2}'
        assert preview.touched(1, january) == 2
        assert preview.touched_among([1, 2], [january, january + 1]) == {(1, january): 2}
        assert store.snapshot().touched(1, january) == 1
        digest = preview.digest()
        assert digest != store.snapshot().digest()
        with pytest.raises(ValueError, match="preview"):
            store.snapshot(1, pending=pending)
        pending.commit()
    assert store.snapshot().digest() == preview.digest() == digest
    assert not preview.is_preview
    assert read(preview) == read(store.snapshot())
    with store.begin("load") as pending:
        add(pending, [(1, utc("2018-01-03"), 3.0, 2, 8)])
        gone = store.snapshot(pending=pending)
    with pytest.raises(ValueError, match="discarded"):
        read(gone)


def test_the_same_file_twice(store):
    def try_load(sha256, mapping="m1", name="a.csv"):
        with store.begin("load") as pending:
            pending.add_file(name, sha256, 10, "meters", mapping)
            return pending.commit().id

    assert not store.has_file("meters", "aa", "m1")
    assert try_load("aa") == 1
    assert store.has_file("meters", "aa", "m1")
    assert store.has_file("meters", "aa", "m1", "a.csv")
    assert not store.has_file("other", "aa", "m1")
    with pytest.raises(FindingError) as raised:
        try_load("aa")
    finding = only(raised.value)
    assert (finding.code, finding.severity) == ("store.file-loaded", Severity.NOTICE)
    assert (
        finding.says("en")
        == "a.csv was loaded with batch 1, with the same content and the same column mapping."
    )
    assert finding.says("zh") == "a.csv 已随批次 1 加载，内容与列映射均相同。"
    assert try_load("aa", "m2") == 2  # read another way, it says other things
    assert try_load("bb") == 3
    assert store.has_file("meters", "aa", "m1")
    assert not store.has_file("meters", "aa", "m1", "a.csv")  # something else of that name came since …
    assert try_load("aa") == 4  # … so that going back to it is a change
    assert len(store.batches()) == 4


def test_plant_versions_are_kept_once_and_read_as_of(store):
    for text in ('{"v":1}', '{"v":1}', '{"v":2}', '{"v":1}'):
        with store.begin("plant") as pending:
            pending.set_plant(text)
            pending.commit()
    assert [store.snapshot(upto).plant_json() for upto in range(5)] == [
        None, '{"v":1}', '{"v":1}', '{"v":2}', '{"v":1}',
    ]  # fmt: skip
    with store.begin("plant") as pending:
        assert pending.set_plant('{"v":1}') is False
        assert pending.set_plant('{"v":3}') is True


def test_as_of_takes_an_instant_or_a_batch(store):
    first = load(store, [(1, utc("2018-01-01"), 1.0, 1, 1)])
    second = load(store, [(1, utc("2018-01-01"), 2.0, 1, 1)])
    assert second.recorded_at > first.recorded_at
    tick = timedelta(microseconds=1)
    for as_of, upto in (
        (first.recorded_at - tick, 0),
        (first.recorded_at, 1),
        (second.recorded_at - tick, 1),
        (second.recorded_at, 2),
        (None, 2),
        (1, 1),
        (99, 2),
    ):
        assert store.snapshot(as_of).upto == upto
    assert store.snapshot(1).recorded_at == first.recorded_at
    assert [batch.id for batch in store.snapshot(1).batches()] == [1]
    with pytest.raises(ValueError, match="zone"):
        store.snapshot(datetime(2020, 1, 1))


def test_findings_say_later_what_they_said_then(store):
    finding = Finding(
        ODD, Place("a.csv", line=7, column="kWh"), {"cell": "{1} 度"}, Text("GB/T 1, 2", "GB/T 1 第2条")
    )
    with store.begin("load") as pending:
        pending.add_findings([finding, ODD.at(cell="x")])
        pending.commit()
    load(store, [])
    kept = store.findings(1)
    assert [item.says("en") for item in kept] == ["“{1} 度” is odd", "“x” is odd"]
    assert kept[0].fix("zh") == "请查看 {1} 度"
    assert kept[0].to_json("zh") == finding.to_json("zh")
    assert kept[0].kind.title == ODD.title
    assert store.findings(2) == []
    assert len(store.findings()) == 2


def test_quarantined_rows_wait_to_be_replayed(store):
    row = QuarantineRow(
        1, 12, json.dumps(["2018-13-01", "5"]), ODD.at(Place("a.csv", line=12), cell="2018-13-01"), "S1"
    )
    with store.begin("load") as pending:
        assert pending.add_quarantine([row, row]) == [1, 2]
        pending.commit()
    first, second = store.quarantine()
    assert (first.id, first.batch, first.status, first.line, first.sheet) == (1, 1, "open", 12, "S1")
    assert first.text == row.text
    assert first.finding.says("zh") == "“2018-13-01”有问题"
    with store.begin("replay") as pending:
        pending.resolve_quarantine(1, "replayed")
    assert len(store.quarantine()) == 2  # discarded with the batch
    with store.begin("replay") as pending:
        pending.resolve_quarantine(1, "replayed")
        pending.commit()
    store.resolve_quarantine(second.id, "dismissed")
    assert store.quarantine() == []
    assert [item.id for item in store.quarantine("replayed")] == [1]
    assert [item.status for item in store.quarantine(None)] == ["replayed", "dismissed"]
    with pytest.raises(ValueError, match="no quarantined row 9"):
        store.resolve_quarantine(9, "open")
    with pytest.raises(ValueError, match="not one of"):
        store.resolve_quarantine(1, "lost")


def test_recorded_at_increases_when_the_clock_goes_backwards(new_store):
    clock = Clock(utc("2026-05-01T12:00"))
    with new_store("s", clock) as store:
        with_points(store)
        first = load(store, [(1, utc("2018-01-01"), 1.0, 1, 1)])
        clock.now = utc("2026-04-01T12:00")
        second = load(store, [(1, utc("2018-01-01"), 2.0, 1, 1)])
        third = load(store, [(1, utc("2018-01-01"), 3.0, 1, 1)])
        assert first.recorded_at < second.recorded_at < third.recorded_at
        assert second.recorded_at == first.recorded_at + timedelta(microseconds=1)
        assert [len(read(store.snapshot(batch.recorded_at))) for batch in (first, second, third)] == [1, 2, 3]
        finding = store.findings(2)[0]
        assert (finding.code, finding.severity) == ("store.clock-backwards", Severity.WARNING)
        assert finding.says("en").startswith("The clock says 2026-04-01T12:00:")
        assert "批次 1" in finding.says("zh")
        assert store.findings(1) == []
        clock.now = third.recorded_at - timedelta(milliseconds=1_500)  # ticks on to half a second behind
        load(store, [])
        assert store.findings(4) == []
        clock.now = utc("2026-06-01")
        assert load(store, []).recorded_at.astimezone(UTC) > utc("2026-06-01")


def test_digest_vouches_for_the_facts_and_not_for_when_they_came(new_store):
    def digest(name, values, year):
        with new_store(name, Clock(utc(f"{year}-01-01"))) as store:
            with_points(store)
            for value in values:
                load(store, [(1, utc("2018-01-01"), value, 1, 1)])
            return store.snapshot().digest()

    assert digest("a", [1.0, 2.0], 2026) == digest("b", [1.0, 2.0], 2027)
    assert digest("c", [2.0, 1.0], 2026) != digest("d", [1.0, 2.0], 2026)
    assert len(digest("e", [1.0], 2026)) == 64


@pytest.mark.parametrize(
    ("said", "near"),
    [
        ("2024-03-10T09:45..2024-03-10T16:30", True),
        ("2024-02-27T09:45..2024-02-28T16:30", True),  # two days before: zones
        ("2024-02-01T00:00..2024-02-27T16:30", False),
        ("2024-02-01..2024-05-01", True),
        ("2024-04-04T00:00", False),
        ("2024-03-31", True),
        ("2024-03", True),  # not told by its dates alone
        ("2024", True),
        (None, True),
    ],
)
def test_findings_of_other_days_are_left_out_unread(store, said, near):
    march = month_period(2024 * 12 + 2)
    with store.begin("load") as pending:
        pending.add_findings([ODD.at(Place(period=said), cell="x")])
        batch = pending.commit()
    assert len(store.findings(batch.id)) == 1
    assert len(store.findings(batch.id, march)) == near
