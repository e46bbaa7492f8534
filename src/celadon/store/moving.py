"""Moving a store's catalogue: from its folder to a PostgreSQL server, back, or to another server.

The writer's lock is held throughout. The new catalogue is filled and compared row by row before it counts; what makes it
count is one rename of `store.json`. Killed before, the old one is in force and the next run begins anew; killed after, the
new one is. Who has the store open meanwhile is told (`store.catalogue-moved`) before anything is written or answered.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.store import faults, segments, sqlite
from celadon.store.database import Database, Home, Row
from celadon.store.kept import Kept, parts_of, read_kept, still_at, write_kept
from celadon.store.locking import Waiting
from celadon.store.postgresql import PostgreSQLDatabase, PostgreSQLHome, check_url
from celadon.store.schema import TABLES
from celadon.store.sqlite_copy import fill, writable_again

FOLDER = "folder"
"""The word for a catalogue in the store's folder."""
OBJECTS_NEED_SERVER = FindingKind(
    "move.objects-need-server",
    Severity.ERROR,
    Text(en="Segments are in an object store", zh="数据段在对象存储中"),
    Text(
        en="The segments of the store in {path} are in {objects}, which several folders may be caches of; a catalogue in one folder "
        "would leave the others behind.",
        zh="{path} 的数据段保存在 {objects}，可能有多个目录作其缓存；目录库若放入其中一个目录，其余目录将失去联系。",
    ),
    Text(
        en="Move it to a PostgreSQL server, or back the plant up and restore it where it shall be.",
        zh="请迁移到 PostgreSQL 服务器，或备份后在目标位置恢复。",
    ),
)
ROWS_DIFFER = FindingKind(
    "move.rows-differ",
    Severity.ERROR,
    Text(en="The copy is not the original", zh="副本与原件不一致"),
    Text(
        en="After copying, table “{table}” has {found} rows in the new catalogue where the old one has {rows}, or other ones; "
        "the old catalogue is still in force.",
        zh="复制后，新目录库中表“{table}”有 {found} 行，原目录库有 {rows} 行，或内容不同；原目录库继续有效。",
    ),
    Text(
        en="Does another program change the catalogue? Check both with `celadon doctor`, then move again.",
        zh="是否有其他程序在更改目录库？请用 `celadon doctor` 检查后重新迁移。",
    ),
)
_DRAFT = "moving"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the catalogue was and is; `moved` False when it was there already. `digest` vouches for every fact."""

    before: str
    now: str
    moved: bool
    batch: int
    digest: str
    rows: int


@dataclass(frozen=True, slots=True)
class _Sum:
    """How many rows, and a digest of them that does not depend on their order."""

    rows: int
    digest: int

    @classmethod
    def of(cls, rows: Iterable[Sequence[object]]) -> _Sum:
        count = total = 0
        for row in rows:
            count += 1
            total += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode()).digest(), "big")
        return cls(count, total % (1 << 256))


def move(
    folder: Path, target: str, progress: Progress | None = None, *, waiting: Waiting | None = None
) -> Moved:
    """Move the catalogue of the store in `folder` to `target`: `postgresql://…`, or `folder`.

    `progress` counts tables. The old catalogue is given up: a file is removed, one on a server refuses the folders that knew it.

    Raises:
        FindingError: `store.exists` where `target` holds another catalogue, `move.objects-need-server`, `move.rows-differ`,
            `store.absent`, `store.catalogue-address`, `store.catalogue-password`, `store.catalogue-server`.
    """
    folder = folder.absolute()
    address = "" if target == FOLDER else target
    if address:
        check_url(address)
    home, _ = parts_of(folder, None, None, create=False)
    lock = home.lock()
    lock.check = lambda: still_at(folder, home.place)
    if not home.exists():
        raise faults.absent(folder)
    lock.acquire(waiting=waiting)
    try:
        known = read_kept(folder) or Kept()
        with closing(home.open(writes=False)) as source:
            batch, digest = _last(source)
            before = known.catalogue or FOLDER
            if address == known.catalogue:
                if isinstance(home, PostgreSQLHome):
                    home.in_force()  # a move that was killed right after the switch
                return Moved(before, target, False, batch, digest, 0)
            if not address and known.segments:
                raise FindingError(
                    OBJECTS_NEED_SERVER.at(Place(file=str(folder)), path=str(folder), objects=known.segments)
                )
            if isinstance(home, PostgreSQLHome):
                home.leaving(_mark(source))
            rows = _to_server(folder, known, source, address, progress) if address else _to_folder(
                folder, source, progress
            )  # fmt: skip
            if not address:
                write_kept(folder, Kept())
        _give_up(folder, home)
        return Moved(before, target, True, batch, digest, rows)
    finally:
        lock.release()


def _to_server(folder: Path, known: Kept, source: Database, address: str, progress: Progress | None) -> int:
    goal = PostgreSQLHome(address)
    count = 0

    def put(database: PostgreSQLDatabase) -> None:
        nonlocal count
        for done, (table, columns) in enumerate(TABLES.items()):
            if progress is not None:
                progress(done, len(TABLES))
            rows = _rows(source, table)
            marks = ", ".join("?" * _width(columns))
            database.run_many(f"INSERT INTO {table} VALUES ({marks})", rows)
            _same(table, _Sum.of(rows), database)
            count += len(rows)

    identity = goal.fill(_mark(source), put)
    write_kept(folder, Kept(address, known.segments, identity))
    goal.in_force()
    return count


def _to_folder(folder: Path, source: Database, progress: Progress | None) -> int:
    draft = folder / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    with faults.as_findings(folder):
        segments.make_folder(draft)
        sqlite.lay_out(draft / sqlite.NAME)
        count = 0
        for done, table in enumerate(TABLES):
            if progress is not None:
                progress(done, len(TABLES))
            rows = _rows(source, table)
            fill(draft / sqlite.NAME, [(table, rows)])
            with closing(sqlite.SQLiteDatabase(draft, writes=False)) as made:
                _same(table, _Sum.of(rows), made)
            count += len(rows)
        segments.force_and_digest(draft / sqlite.NAME)
        _remove_file(folder)  # one of an earlier time: its log beside ours would be poison
        (draft / sqlite.NAME).replace(folder / sqlite.NAME)
        writable_again(folder / sqlite.NAME)
        shutil.rmtree(draft)
        segments.force_folder(folder)
    return count


def _rows(source: Database, table: str) -> list[Row]:
    """All rows of a table; none where an older catalogue lacks it."""
    return source.rows(f"SELECT * FROM {table}", ()) if source.has(table) else []


def _give_up(folder: Path, home: Home) -> None:
    if isinstance(home, PostgreSQLHome):
        home.disown()
    else:
        _remove_file(folder)


def _remove_file(folder: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        (folder / f"{sqlite.NAME}{ending}").unlink(missing_ok=True)


def _same(table: str, wanted: _Sum, made: Database) -> None:
    found = _Sum.of(made.rows(f"SELECT * FROM {table}", ()))
    if found != wanted:
        raise FindingError(
            ROWS_DIFFER.at(Place(subject=table), table=table, found=found.rows, rows=wanted.rows)
        )


def _last(source: Database) -> tuple[int, str]:
    found = source.rows("SELECT id, digest FROM batch ORDER BY id DESC LIMIT 1", ())
    return (int(found[0][0]), str(found[0][1])) if found else (0, "")


def _mark(source: Database) -> str:
    """What tells this store from others: its first batch."""
    found = source.rows("SELECT recorded_at, digest FROM batch ORDER BY id LIMIT 1", ())
    return f"{found[0][0]} {found[0][1]}" if found else "empty"


def _width(columns: str) -> int:
    """How many columns a table's definition has: its primary key over several is no column."""
    return len([part for part in columns.split(" PRIMARY KEY (")[0].rstrip(", ").split(", ") if part])
