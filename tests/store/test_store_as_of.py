"""As-of reads against a model: for every prefix of batches, before and after compaction."""

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.store import Store, month_of, month_period
from celadon.store.stretch import ENOUGH, Stretch, measure, nth_before, nth_from
from tests.store.store_tools import Clock, Row, add, connection, load, quick_folder, read, utc, with_points

ORIGIN = utc("2018-01-01")
MONTHS = [month_of(ORIGIN) + number for number in range(-1, 8)]
Model = list[tuple[int, datetime, float, int]]  # point, t, value, batch

moments = st.one_of(
    st.integers(0, 5 * 31 * 24).map(lambda hours: ORIGIN + timedelta(hours=hours)),
    st.sampled_from([utc("2018-02-01"), utc("2018-03-01"), utc("2018-02-28T23:45"), utc("2018-06-01")]),
)
readings = st.tuples(st.integers(1, 3), moments, st.integers(0, 999).map(float))
runs = st.builds(
    lambda point, start, count, hours: [(point, start + n * timedelta(hours=hours), float(n)) for n in range(count)],
    st.integers(1, 3), moments, st.integers(15, 90), st.sampled_from([1, 8, 30]),
)  # fmt: skip
steps_of = st.one_of(st.lists(readings, max_size=8), runs)
batches = st.lists(steps_of, min_size=1, max_size=5)
property_run = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def neighbours_of(model: Model, point: int, start: datetime, end: datetime, count: int) -> Model:
    """What readings_sql promises, said in the plainest way."""
    own = [row for row in model if row[0] == point]
    before = sorted({row[1] for row in own if row[1] < start})[-count:] if count else []
    after = sorted({row[1] for row in own if row[1] >= end})[:count]
    return [row for row in own if start <= row[1] < end or row[1] in before or row[1] in after]


def expected(model: Model, points: list[int], start: datetime, end: datetime, count: int) -> Model:
    return sorted(row for point in points for row in neighbours_of(model, point, start, end, count))


def fill(empty: Store, steps: list[list[tuple[int, datetime, float]]]) -> tuple[Store, Model]:
    store = with_points(empty, 40)
    model: Model = []
    for number, step in enumerate(steps, 1):
        rows: list[Row] = [(point, t, value, 1, line) for line, (point, t, value) in enumerate(step)]
        batch = load(store, rows)
        assert batch.id == number
        model.extend((point, t, value, number) for point, t, value in step)
    return store, model


@property_run
@given(
    steps=batches,
    window=st.tuples(moments, moments),
    count=st.sampled_from([0, 1, 2, 20]),
    compact_at=st.integers(0, 5),
)
def test_every_prefix_of_batches_is_read_as_it_was(steps, window, count, compact_at):
    start, end = min(window), max(window)
    with quick_folder() as folder:
        store, model = fill(Store.create(Path(folder) / "s", Clock()), steps)
        with store:
            if compact_at < len(steps):
                store.compact()
            times = [None, *(batch.recorded_at for batch in store.batches())]
            for upto in range(len(steps) + 1):
                seen = [row for row in model if row[3] <= upto]
                snapshot = store.snapshot(times[upto] if upto else 0)
                assert snapshot.upto == upto
                assert read(snapshot) == sorted(seen)
                # few points take one road through the code, many another
                for points in ([2], [1, 3], list(range(1, 41)), None):
                    wanted = expected(seen, points or list(range(1, 41)), start, end, count)
                    assert read(snapshot, points, start, end, count) == wanted
                assert snapshot.findings == []


@property_run
@given(steps=batches, count=st.sampled_from([1, 2, 20]), compacted=st.booleans())
def test_a_month_that_no_batch_touched_reads_the_same(steps, count, compacted):
    """Between two batches that do not touch a (point, month), what its ledger is made from does not change."""
    with quick_folder() as folder:
        store = with_points(Store.create(Path(folder) / "s", Clock()), 3)
        model: Model = []
        with store:
            for number, step in enumerate(steps, 1):
                model.extend((point, t, value, number) for point, t, value in step)
                rows = [(point, t, value, 1, line) for line, (point, t, value) in enumerate(step)]
                with store.begin("load") as pending:
                    add(pending, rows, reach=count)
                    pending.commit()
            if compacted:
                store.compact()
            for point in (1, 2, 3):
                for month in MONTHS:
                    _check_touched(store, model, point, month, len(steps), count)


def _check_touched(store: Store, model: Model, point: int, month: int, upto: int, count: int) -> None:
    """A part derived at any batch counts at another only where both see the same readings."""
    period = month_period(month)
    seen = [
        neighbours_of([row for row in model if row[3] <= batch], point, period.start, period.end, count)
        for batch in range(upto + 1)
    ]
    touched = [store.snapshot(batch).touched(point, month) for batch in range(upto + 1)]
    stored = store.snapshot().stored_range(point)
    if stored is None or not stored[0] <= month <= stored[1]:
        return  # no part is kept there
    for batch in range(1, upto + 1):
        last = touched[batch]
        if last is not None and last < batch:
            assert all(seen[other] == seen[batch] for other in range(last, batch + 1))
    assert store.snapshot().touched(point, month) is not None


@pytest.mark.parametrize("reach", [1, 20])
@pytest.mark.parametrize("batches", [1, 9])
def test_a_late_reading_touches_its_own_month_only(new_store, reach, batches):
    with with_points(new_store()) as store:
        quarter, count = timedelta(minutes=15), 90 * 96
        rows = [(1, utc("2018-01-01") + n * quarter, float(n), 1, n) for n in range(count)]
        with store.begin("load") as pending:
            for part in range(batches):
                add(pending, rows[part * count // batches : (part + 1) * count // batches], reach)
            pending.commit()
        with store.begin("load") as pending:
            add(pending, [(1, utc("2018-02-14T10:07"), 4000.5, 1, 1)], reach)
            pending.commit()
        january = month_of(utc("2018-01-01"))
        assert [store.snapshot().touched(1, january + n) for n in range(-1, 5)] == [1, 1, 2, 1, None, None]
        assert store.snapshot(1).touched(1, january + 1) == 1
        assert store.snapshot().touched(2, january) is None


def test_twenty_neighbours_are_found_in_the_month_beside(new_store):
    with with_points(new_store()) as store:
        quarter = timedelta(minutes=15)
        load(store, [(1, utc("2018-01-01") + n * quarter, float(n), 1, n) for n in range(150 * 96)])
        window = utc("2018-03-01"), utc("2018-04-01")
        sql = store.snapshot().readings_sql([1], *window, 20)
        assert sorted({part.split("/")[0] for part in sql.split("/readings/")[1:]}) == [
            "2018-02",
            "2018-03",
            "2018-04",
        ]
        rows = read(store.snapshot(), [1], *window, 20)
        assert (rows[0][1], rows[-1][1]) == (window[0] - 20 * quarter, window[1] + 19 * quarter)
        inside = store.snapshot().readings_sql([1], utc("2018-03-15"), utc("2018-03-16"), 20)
        assert inside.count(".parquet") == 1


spans = st.lists(st.integers(0, 120), min_size=1, max_size=100)


def stretch_of(instants):
    """As `measure` does it."""
    head, tail = sorted(instants)[:ENOUGH], sorted(instants)[-ENOUGH:]
    return Stretch(min(instants), max(instants), len(set(head)), max(head), len(set(tail)), min(tail))


def assert_true(stretch, instants):
    assert {stretch.t_min, stretch.t_max, stretch.t_head, stretch.t_tail} <= set(instants)
    assert len({t for t in instants if t <= stretch.t_head}) >= stretch.head_n
    assert len({t for t in instants if t >= stretch.t_tail}) >= stretch.tail_n
    assert (stretch.t_min, stretch.t_max) == (min(instants), max(instants))


@given(st.lists(spans, min_size=1, max_size=6), st.integers(0, 120), st.integers(1, 30))
def test_stretches_prove_what_they_say_however_they_are_joined(lists, moment, count):
    joined, instants = stretch_of(lists[0]), list(lists[0])
    for more in lists[1:]:
        joined, instants = joined.joined(stretch_of(more)), instants + more
        assert_true(joined, instants)
    distinct = set(instants)
    for stretches in ([joined], [stretch_of(item) for item in lists]):
        low, high = nth_before(stretches, moment, count), nth_from(stretches, moment, count)
        if low is not None:
            assert len({t for t in distinct if low <= t < moment}) >= count
        if high is not None:
            assert len({t for t in distinct if moment <= t <= high}) >= count


def test_a_stretch_measured_from_readings():
    con = connection()
    con.execute(
        "CREATE OR REPLACE TABLE m AS SELECT 1 AS point, TIMESTAMP '2018-01-01' + INTERVAL 1 MINUTE * (range // 2) AS t "
        "FROM range(1000)"
    )
    start, minute = 1_514_764_800_000_000, 60_000_000
    ((point, month, n, found),) = measure(con, "m")
    assert (point, month, n) == (1, 2018 * 12, 1000)
    assert found == Stretch(start, start + 499 * minute, 32, start + 31 * minute, 32, start + 468 * minute)


def test_a_gap_is_touched_from_end_to_end(new_store):
    with with_points(new_store()) as store:
        load(store, [(1, utc("2018-01-20"), 1.0, 1, 1), (1, utc("2018-05-02"), 9.0, 1, 2)])
        january = month_of(utc("2018-01-01"))
        assert [store.snapshot().touched(1, january + n) for n in range(-1, 6)] == [None, 1, 1, 1, 1, 1, None]
        load(store, [(1, utc("2018-03-05"), 4.0, 1, 1)])
        assert [store.snapshot().touched(1, january + n) for n in range(5)] == [2, 2, 2, 2, 2]
        with store.begin("swap") as pending:
            pending.touch(2, january)
            pending.commit()
        assert store.snapshot().touched(2, january) == 3


def test_a_read_opens_only_the_months_it_needs(new_store):
    with with_points(new_store()) as store:
        day = timedelta(days=1)
        load(
            store,
            [(point, utc("2016-01-01") + n * day, float(n), 1, n) for point in (1, 2) for n in range(900)],
        )
        load(store, [(3, utc("2016-02-10"), 1.0, 1, 1)])
        sql = store.snapshot().readings_sql([1], utc("2017-06-01"), utc("2017-07-01"), 1)
        assert sorted({part.split("/")[0] for part in sql.split("/readings/")[1:]}) == [
            "2017-05",
            "2017-06",
            "2017-07",
        ]
        alone = store.snapshot().readings_sql([1], utc("2017-06-01"), utc("2017-07-01"), 0)
        assert alone.count(".parquet") == 1
        dead = store.snapshot().readings_sql([3], utc("2018-06-01"), utc("2018-07-01"), 1)
        assert dead.count(".parquet") == 1  # straight to the last month in which the point lived
        assert "/2016-02/" in dead
        assert read(store.snapshot(), [3], utc("2018-06-01"), utc("2018-07-01"), 1) == [
            (3, utc("2016-02-10"), 1.0, 2)
        ]


def test_compaction_keeps_every_revision_and_the_digest(new_store):
    chance = random.Random(7)
    hour = timedelta(hours=1)
    steps = [
        [(chance.randint(1, 3), ORIGIN + chance.randint(0, 1400) * hour, float(n)) for n in range(30)]
        for _ in range(12)
    ]
    store, model = fill(new_store(), steps)
    with store:
        digests = [store.snapshot(upto).digest() for upto in range(13)]
        progress: list[tuple[int, int]] = []
        done = store.compact(lambda number, total: progress.append((number, total)), grace=timedelta(0))
        assert (done.merged, done.made, done.strays) == (24, 2, 0)
        assert progress == [(0, 2), (1, 2), (2, 2)]
        assert len(list((store.path / "segments").rglob("*.parquet"))) == 2
        assert [store.snapshot(upto).digest() for upto in range(13)] == digests
        for upto in range(13):
            assert read(store.snapshot(upto)) == sorted(row for row in model if row[3] <= upto)
        assert store.compact().merged == 0
        assert store.verify() == []
        load(store, [(1, ORIGIN, 5.0, 1, 1)])
        assert len(read(store.snapshot())) == len(model) + 1
        assert store.compact(above=2).merged == 0
        assert store.compact(above=1).merged == 2


def test_replaced_files_stay_for_those_who_read_them(new_store):
    clock = Clock()
    with with_points(new_store("s", clock)) as store:
        for value in (1.0, 2.0):
            load(store, [(1, ORIGIN, value, 1, 1)])
        sql = store.snapshot().readings_sql([1], ORIGIN, ORIGIN + timedelta(days=1))
        store.compact()
        assert len(connection().execute(sql).fetchall()) == 2
        assert len(list((store.path / "segments").rglob("*.parquet"))) == 3
        clock.now += timedelta(hours=2)
        load(store, [])  # the next lock sweeps
        assert len(list((store.path / "segments").rglob("*.parquet"))) == 1
        assert len(read(store.snapshot())) == 2
