"""A script: kill writers of a store at random moments and check after each what is there. Prints what it saw.

It is a process of its own because it forks: a process that has used DuckDB must not.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import duckdb

from celadon.store import Store, month_of
from tests.store.store_tools import segment_files, utc

ROWS = 40
MONTHS = [month_of(utc("2018-01-01")) + number for number in range(3)]


def write_for_ever(path: Path, pipe: int, number: int) -> None:
    """Commit batch after batch, telling each over the pipe once it is committed; sometimes do upkeep."""
    store = Store.open(path)
    con = duckdb.connect()
    con.execute("SET threads = 1")
    os.write(pipe, b"ready\n")
    count = 0
    while True:
        count += 1
        name = f"{number}-{count}"
        with store.begin("load", name) as pending:
            digest = hashlib.sha256(name.encode()).hexdigest()
            file_id = pending.add_file(name, digest, ROWS, "meters", "m")
            con.execute(
                f"CREATE OR REPLACE TABLE r AS SELECT (1 + range % 3)::INTEGER AS point, 0 AS span, TIMESTAMP '2018-01-01' "
                f"+ INTERVAL 1 MINUTE * (hash({file_id}, range) % 120000)::INTEGER AS t, {file_id}.25::DOUBLE AS value, "
                f"{file_id} AS file, range::INTEGER AS line FROM range({ROWS})"
            )
            pending.add_readings(con, "r")
            pending.set_plant(json.dumps({"file": file_id}))
            batch = pending.commit()
        os.write(pipe, f"{batch.id} {name}\n".encode())
        if (number + count) % 3 == 0:
            con.execute(
                "CREATE OR REPLACE TABLE l AS SELECT point, TIMESTAMP '2018-01-01' AS start, 1 AS amount, 1 AS low, "
                "1 AS high, 0 AS estimated, 900 AS covered, 1 AS n FROM (SELECT unnest([1, 2, 3]) AS point)"
            )
            parts = [(point, month) for point in (1, 2, 3) for month in MONTHS]
            store.add_ledger(
                con, "l", snapshot=store.snapshot(), parts=parts, digests=dict.fromkeys((1, 2, 3), "d")
            )
        if (number + count) % 4 == 0:
            store.compact(grace=timedelta(0))


def one_kill(path: Path, number: int, delay: float) -> list[str]:
    """Start a writer, kill it `delay` seconds after it is ready; the batches it had acknowledged."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        try:
            write_for_ever(path, write_end, number)
        finally:
            os._exit(3)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert pipe.readline() == b"ready\n"
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        lines = [line.decode().split() for line in pipe.read().splitlines()]
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the writer stopped by itself: {status}"
    return [name for _, name in lines]


def check_after_kill(path: Path, known: list[str], acknowledged: list[str]) -> list[str]:
    """What is visible: everything acknowledged, in order, once; and at most one batch whose word did not get out."""
    with Store.open(path) as store:
        batches = store.batches()
        assert [batch.id for batch in batches] == list(range(1, len(batches) + 1))
        assert all(a.recorded_at < b.recorded_at for a, b in pairwise(batches))
        notes = [batch.note for batch in batches]
        promised = known + acknowledged
        assert notes[: len(promised)] == promised, (promised[-3:], notes[-4:])
        assert len(notes) <= len(promised) + 1
        assert [file.name for file in store.snapshot().files()] == notes
        return notes


def check_at_the_end(path: Path, names: list[str]) -> None:
    """Every row of every visible file once, nothing else; no litter."""
    with Store.open(path) as store:
        files = {file.id: file.name for file in store.snapshot().files()}
        assert sorted(files.values()) == sorted(names)
        con = duckdb.connect()
        sql = store.snapshot().readings_sql(None, utc("2017-01-01"), utc("2019-01-01"))
        rows = con.execute(
            f"SELECT file, batch, count(*), count(DISTINCT line), min(value), max(value) FROM ({sql}) GROUP BY ALL"
        )
        expected = {(n, n, ROWS, ROWS, n + 0.25, n + 0.25) for n in files}
        assert set(rows.fetchall()) == expected
        assert store.snapshot().plant_json() == json.dumps({"file": max(files)})
        assert store.verify() == []
        store.compact(grace=timedelta(0))
        assert list((path / "writing").iterdir()) == []
        listed = {item.path for item in store._reader.segments("1 = 1")}
        assert segment_files(path) == listed
        assert set(
            con.execute(
                f"SELECT DISTINCT file FROM ({store.snapshot().readings_sql(None, utc('2017-01-01'), utc('2019-01-01'))})"
            ).fetchall()
        ) == {(n,) for n in files}


def main(path: Path, kills: int, seed: int, catalogue: str | None = None) -> None:
    chance = random.Random(seed)
    with Store.create(path, catalogue=catalogue) as store:
        store.ensure_points(["P1", "P2", "P3"])
    known = check_after_kill(path, [], one_kill(path, -1, 0.5))
    longest = min(5 * 0.5 / max(len(known), 1), 0.3)  # up to five commits on this machine, as it is today
    unheard = 0
    for number in range(kills):
        acknowledged = one_kill(path, number, chance.uniform(0, longest))
        before = len(known) + len(acknowledged)
        known = check_after_kill(path, known, acknowledged)
        unheard += len(known) - before
    check_at_the_end(path, known)
    print(json.dumps({"kills": kills, "batches": len(known), "unheard": unheard}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
