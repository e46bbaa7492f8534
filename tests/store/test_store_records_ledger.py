"""Records with corrections, and stored ledger parts that are only ever used while they are true."""

from datetime import timedelta

import pytest

from celadon.store import Store, month_of
from tests.store.store_tools import connection, load, read, utc, with_points

FIELDS = ("quantity", "item", "start", "end", "value", "unit", "note", "line")
JANUARY, FEBRUARY = month_of(utc("2018-01-01")), month_of(utc("2018-02-01"))


@pytest.fixture
def store(new_store):
    return with_points(new_store())


def add_records(store, rows, file=1):
    """Commit records given as (item, day, value, note, line)."""
    con = connection()
    con.execute(
        "CREATE OR REPLACE TABLE rec (quantity VARCHAR, item VARCHAR, purpose VARCHAR, site VARCHAR, process VARCHAR, "
        'start TIMESTAMP, "end" TIMESTAMP, value DOUBLE, unit VARCHAR, weight DOUBLE, weight_unit VARCHAR, note VARCHAR, '
        "file INTEGER, line INTEGER)"
    )
    for item, day, value, note, line in rows:
        con.execute(
            "INSERT INTO rec VALUES ('fuel_purchased', ?, NULL, 'mill', NULL, ?::TIMESTAMP, ?::TIMESTAMP + INTERVAL 1 DAY, "
            "?, 't', NULL, NULL, ?, ?, ?)",
            [item, day, day, value, note, file, line],
        )
    with store.begin("records") as pending:
        assert pending.add_records(con, "rec") == len(rows) == pending.records
        return pending.commit()


def records(snapshot, start=None, end=None):
    """(item, value, note, line, batch), sorted."""
    sql = snapshot.records_sql(start, end)
    return connection().execute(f"SELECT item, value, note, line, batch FROM ({sql}) ORDER BY ALL").fetchall()


def test_two_deliveries_on_one_day_add_and_one_invoice_listed_twice_counts_once(store):
    add_records(
        store,
        [
            ("diesel", "2018-01-05", 10.0, None, 2),
            ("diesel", "2018-01-05", 10.0, None, 3),
            ("coal", "2018-01-05", 4.0, "INV-1", 4),
            ("coal", "2018-01-05", 4.0, "INV-1", 5),
            ("coal", "2018-01-05", 5.0, "INV-1", 6),
        ],
    )
    assert records(store.snapshot()) == [
        ("coal", 4.0, "INV-1", 4, 1),
        ("coal", 5.0, "INV-1", 6, 1),
        ("diesel", 10.0, "", 2, 1),
        ("diesel", 10.0, "", 3, 1),
    ]
    sql = store.snapshot().records_sql()
    shape = [column[0] for column in connection().execute(sql).description]
    assert shape[:5] == ["quantity", "item", "purpose", "site", "process"]
    keys = connection().execute(f"SELECT DISTINCT purpose, site, process FROM ({sql})").fetchall()
    assert keys == [("", "mill", "")]


def test_a_later_batch_corrects_and_the_earlier_answer_stays(store):
    first = add_records(store, [("diesel", "2018-01-05", 10.0, "", 2), ("diesel", "2018-01-05", 3.0, "", 3)])
    add_records(store, [("diesel", "2018-01-05", 12.0, "", 2), ("diesel", "2018-01-06", 1.0, "", 3)])
    add_records(store, [("diesel", "2018-01-06", None, "", 9)])  # withdrawn
    assert records(store.snapshot(first.recorded_at)) == [
        ("diesel", 3.0, "", 3, 1),
        ("diesel", 10.0, "", 2, 1),
    ]
    assert records(store.snapshot(2)) == [("diesel", 1.0, "", 3, 2), ("diesel", 12.0, "", 2, 2)]
    assert records(store.snapshot()) == [("diesel", 12.0, "", 2, 2), ("diesel", None, "", 9, 3)]
    assert records(store.snapshot(), utc("2018-01-06"), utc("2018-01-07")) == [("diesel", None, "", 9, 3)]
    assert records(store.snapshot(), utc("2018-01-01"), utc("2018-01-06")) == [("diesel", 12.0, "", 2, 2)]


def test_records_are_previewed_and_discarded_like_readings(store):
    add_records(store, [("diesel", "2018-01-05", 10.0, "", 2)])
    con = connection()
    con.execute("UPDATE rec SET value = 11")
    with store.begin("records") as pending:
        pending.add_records(con, "rec")
        assert records(store.snapshot(pending=pending)) == [("diesel", 11.0, "", 2, 2)]
        assert records(store.snapshot()) == [("diesel", 10.0, "", 2, 1)]
    assert records(store.snapshot()) == [("diesel", 10.0, "", 2, 1)]


def test_a_record_without_its_place_is_the_callers_fault(store):
    add_records(store, [("diesel", "2018-01-05", 10.0, "", 2)])
    connection().execute("UPDATE rec SET line = NULL")
    with store.begin("records") as pending, pytest.raises(ValueError, match="1 records"):
        pending.add_records(connection(), "rec")


def ledger(store, snapshot, parts, digests=None, amount=1_000_000):
    """Store a made-up ledger: one row per part, `amount` ticks; what add_ledger returned."""
    con = connection()
    con.execute(
        "CREATE OR REPLACE TABLE led (point INTEGER, start TIMESTAMP, amount BIGINT, low BIGINT, high BIGINT, "
        "estimated BIGINT, covered INTEGER, n INTEGER)"
    )
    for point, month in parts:
        start = f"{month // 12}-{month % 12 + 1:02d}-03 05:00:00"
        con.execute(
            "INSERT INTO led VALUES (?, ?::TIMESTAMP, ?, ?, ?, 0, 3600, 4)",
            [point, start, amount, amount, amount],
        )
    digests = digests or {point: "d1" for point, _ in parts}
    return store.add_ledger(con, "led", snapshot=snapshot, parts=parts, digests=digests)


def amounts(parts):
    """(point, month, amount) of the valid parts' rows."""
    con = connection()
    found = con.execute(
        f"SELECT point, year(start) * 12 + month(start) - 1, amount FROM ({parts.sql()}) ORDER BY ALL"
    )
    return found.fetchall()


def two_months(store, points=(1, 2)):
    """Readings of two months for each point."""
    day = timedelta(days=1)
    return load(store, [(p, utc("2018-01-01") + n * day, float(n), 1, n) for p in points for n in range(59)])


ALL = [(1, JANUARY), (1, FEBRUARY), (2, JANUARY), (2, FEBRUARY)]


def asked(snapshot, digests=None):
    return snapshot.ledger_parts([1, 2], [JANUARY, FEBRUARY], digests or {1: "d1", 2: "d1"})


def test_stored_parts_are_found_until_a_batch_touches_them(store):
    two_months(store)
    assert asked(store.snapshot()).missing == ALL
    assert ledger(store, store.snapshot(), ALL) is True
    found = asked(store.snapshot())
    assert found.missing == []
    assert amounts(found) == [(point, month, 1_000_000) for point, month in ALL]
    load(store, [(1, utc("2018-01-15T06:00"), 14.5, 1, 1)])
    after = asked(store.snapshot())
    assert after.missing == [(1, JANUARY)]
    assert amounts(after) == [(point, month, 1_000_000) for point, month in ALL[1:]]
    assert asked(store.snapshot(1)).missing == []  # the earlier answer still has its parts
    assert ledger(store, store.snapshot(), [(1, JANUARY)], amount=2_000_000) is True
    assert amounts(asked(store.snapshot()))[0] == (1, JANUARY, 2_000_000)
    assert amounts(asked(store.snapshot(1)))[0] == (1, JANUARY, 1_000_000)
    other = asked(store.snapshot(), {1: "d2", 2: "d1"})  # a changed meter: derived anew
    assert other.missing == ALL[:2]


def test_a_part_derived_now_answers_for_earlier_times_it_is_true_of(store):
    two_months(store)
    load(store, [(2, utc("2018-01-15T06:00"), 14.5, 1, 1)])
    ledger(store, store.snapshot(), ALL)
    assert asked(store.snapshot(1)).missing == [(2, JANUARY)]
    assert asked(store.snapshot(0)).missing == ALL


def test_empty_parts_are_remembered_and_months_without_readings_are_not(store):
    load(store, [(1, utc("2018-01-20"), 1.0, 1, 1), (1, utc("2018-03-02"), 9.0, 1, 2)])
    con = connection()
    ledger(store, store.snapshot(), [])
    parts = [
        (1, JANUARY - 1),
        (1, JANUARY),
        (1, FEBRUARY),
        (1, FEBRUARY + 1),
        (1, FEBRUARY + 2),
        (2, JANUARY),
    ]
    con.execute("DELETE FROM led")
    digests = {1: "d", 2: "d"}
    assert store.add_ledger(con, "led", snapshot=store.snapshot(), parts=parts, digests=digests) is True
    found = store.snapshot().ledger_parts([1, 2], range(JANUARY - 1, FEBRUARY + 3), digests)
    assert [(part.point, part.month, part.path) for part in found.valid] == [
        (1, JANUARY, ""), (1, FEBRUARY, ""), (1, FEBRUARY + 1, ""),
    ]  # fmt: skip
    assert amounts(found) == []
    assert not (store.path / "segments" / "ledger").exists()


def test_no_part_is_stored_from_what_others_cannot_see(store):
    two_months(store)
    with store.begin("load") as pending:
        assert ledger(store, store.snapshot(pending=pending), ALL) is False
        assert ledger(store, store.snapshot(), ALL) is False
    with Store.open(store.path) as other, other.lock():
        assert ledger(store, store.snapshot(), ALL) is False  # another writer: not worth waiting
    assert asked(store.snapshot()).missing == ALL


def test_a_damaged_ledger_segment_is_simply_derived_again(store):
    two_months(store)
    ledger(store, store.snapshot(), ALL)
    for file in (store.path / "segments" / "ledger").rglob("*.parquet"):
        file.unlink()
    snapshot = store.snapshot()
    assert asked(snapshot).missing == ALL
    assert snapshot.findings == []
    assert len(store.verify()) == 2
    store.compact()
    assert store.verify() == []


def test_compaction_merges_ledger_segments_and_drops_stale_parts(store):
    two_months(store)
    ledger(store, store.snapshot(), ALL[:1])
    ledger(store, store.snapshot(), ALL[1:])
    load(store, [(2, utc("2018-01-15T06:00"), 14.5, 1, 1)])
    ledger(store, store.snapshot(), [(2, JANUARY)], amount=7)
    ledger(store, store.snapshot(), [(1, JANUARY)], {1: "d2"}, amount=8)
    done = store.compact(grace=timedelta(0))
    assert done.made == 2  # January's readings, January's ledger
    found = asked(store.snapshot(), {1: "d2", 2: "d1"})
    assert amounts(found) == [(1, JANUARY, 8), (2, JANUARY, 7), (2, FEBRUARY, 1_000_000)]
    assert found.missing == [(1, FEBRUARY)]
    assert asked(store.snapshot()).missing == [(1, JANUARY)]
    # between the batches that compaction joined, parts are derived, never wrong
    assert asked(store.snapshot(1), {1: "d2", 2: "d1"}).missing == [(1, FEBRUARY), (2, JANUARY)]
    assert len(list((store.path / "segments" / "ledger").rglob("*.parquet"))) == 2
    assert len(read(store.snapshot())) == 119


def test_after_compaction_an_earlier_time_has_parts_of_its_own_or_none(store):
    two_months(store)
    for number in (2, 3):
        load(store, [(1, utc(f"2018-01-15T0{number}:00"), 14.5, 1, 1)])
    store.compact()
    # the three batches that touched point 1 in January are one row now, which cannot tell them apart
    assert store._reader.one("SELECT count(*) FROM touched WHERE point = 1 AND month = ?", JANUARY) == 1
    assert ledger(store, store.snapshot(1), ALL, amount=1) is True
    assert asked(store.snapshot(1)).missing == []
    assert asked(store.snapshot(2)).missing == asked(store.snapshot()).missing == [(1, JANUARY)]
    assert ledger(store, store.snapshot(), [(1, JANUARY)], amount=3) is True
    assert amounts(asked(store.snapshot()))[0] == (1, JANUARY, 3)
    assert amounts(asked(store.snapshot(1)))[0] == (1, JANUARY, 1)
