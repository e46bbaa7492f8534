"""A catalogue on a PostgreSQL server, for stores that several hosts write: one schema of a database is one
catalogue.

The writer's lock is an advisory lock of the very session that commits: a writer that dies or loses the server
loses both at once, so that two can never write. The driver, psycopg, is the extra `celadon[postgresql]`.
Passwords come from `~/.pgpass` or the environment (PGPASSWORD, PGPASSFILE), never in the URL.
"""

from __future__ import annotations

import importlib
import secrets
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from celadon.core.text import Text, text_of
from celadon.store import faults, sqlite
from celadon.store.database import Row
from celadon.store.locking import WriterLock, own_name
from celadon.store.schema import ADDED, FORMAT, INDEXES, TABLES
from celadon.store.segments import identifier
from celadon.store.sqlite_copy import fill

if TYPE_CHECKING:
    import psycopg

SCHEMES = ("postgresql", "postgres")
_SCHEMA = "celadon"
_MOVING = "celadon_moving"
"""Table that is there while a catalogue is not in force yet, or not any more; it says of which store."""
_LOCKS = 0x43454C41  # "CELA": tells our advisory locks from other programs'
_SETTINGS = {
    # what was acknowledged survives a power cut, whatever the server's default
    "synchronous_commit": "on",
    # a load may think for minutes between two statements
    "idle_in_transaction_session_timeout": "0",
    "statement_timeout": "0",
    "lock_timeout": "0",
    # a writer's host that died without a word loses the lock within a minute
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
Given = TypeVar("Given")


class PostgreSQLDatabase:
    """One connection to the catalogue at `url`."""

    def __init__(self, place: str, server: str, schema: str, *, writes: bool) -> None:
        self._place, self._server, self._schema, self._writes = place, server, schema, writes
        self._driver = _driver()
        self._connection = self._connect()

    def rows(self, sql: str, values: Sequence[object]) -> list[Row]:
        def ask(connection: psycopg.Connection[Row]) -> list[Row]:
            with connection.cursor() as cursor:
                cursor.execute(_text(sql), values)
                return cursor.fetchall() if cursor.description is not None else []

        return self._told(ask)

    def run_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        def ask(connection: psycopg.Connection[Row]) -> None:
            with connection.cursor() as cursor:
                cursor.executemany(_text(sql), list(rows))

        self._told(ask)

    def begin(self) -> None:
        self.rows("BEGIN", ())

    def commit(self) -> None:
        self.rows("COMMIT", ())

    def rollback(self) -> None:
        status = self._driver.pq.TransactionStatus
        if self._connection.info.transaction_status in (status.INTRANS, status.INERROR):
            self.rows("ROLLBACK", ())

    def has(self, table: str) -> bool:
        return self.rows("SELECT to_regclass(?)", (table,))[0][0] is not None

    def make(self, table: str) -> None:
        # digests and names compare by their bytes, as in SQLite
        own = TABLES[table].replace("INTEGER", "BIGINT").replace("TEXT", 'TEXT COLLATE "C"')
        self.rows(f"CREATE TABLE {table} ({own})", ())

    def fault(self) -> str | None:
        return None  # a server inspects its own pages (data checksums, amcheck)

    def copy_to(self, folder: Path) -> None:
        (folder / sqlite.NAME).unlink(missing_ok=True)
        sqlite.lay_out(folder / sqlite.NAME)
        self.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
        try:
            tables = ((name, self.rows(f"SELECT * FROM {name}", ())) for name in TABLES if self.has(name))
            fill(folder / sqlite.NAME, tables)
        finally:
            self.rollback()

    def close(self) -> None:
        self._connection.close()

    # -- the writer's lock (see locking.Latch) ---------------------------------------------------------------

    def take(self, wait: bool) -> bool:
        if self._connection.closed:
            self._connection = self._connect()
        key = (_LOCKS, _signed(self._schema))
        if wait:
            self.rows("SELECT pg_advisory_lock(?, ?)", key)
            return True
        return bool(self.rows("SELECT pg_try_advisory_lock(?, ?)", key)[0][0])

    def give_back(self) -> None:
        if not self._connection.closed:  # a lost session has lost the lock
            self.rows("SELECT pg_advisory_unlock(?, ?)", (_LOCKS, _signed(self._schema)))

    def holder(self) -> str:
        found = self.rows(
            "SELECT a.application_name, a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
            "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = ? AND l.objid = ? "
            "AND a.datname = current_database()",
            (_LOCKS, zlib.crc32(self._schema.encode())),
        )
        return str(found[0][0] or f"server pid {found[0][1]}") if found else "pid ?"

    # -- inside ----------------------------------------------------------------------------------------------

    def _connect(self) -> psycopg.Connection[Row]:
        try:
            connection: psycopg.Connection[Row] = self._driver.connect(
                self._server, autocommit=True, application_name=own_name()[:60], connect_timeout=10
            )
            settings = {**_SETTINGS, "search_path": identifier(self._schema)}
            if not self._writes:
                settings["default_transaction_read_only"] = "on"
            calls = ", ".join("set_config(%s, %s, false)" for _ in settings)
            connection.execute(f"SELECT {calls}", [word for pair in settings.items() for word in pair])  # type: ignore[arg-type, unused-ignore]
        except self._driver.Error as error:
            raise faults.catalogue_server(self._place, text_of(error)) from error
        return connection

    def _told(self, ask: Callable[[psycopg.Connection[Row]], Given]) -> Given:
        """Ask; what the server refuses or loses comes out as a finding."""
        errors = self._driver.errors
        try:
            return self._asked(ask)
        except (
            self._driver.OperationalError,
            errors.InsufficientPrivilege,
            errors.ReadOnlySqlTransaction,
        ) as error:
            raise faults.catalogue_server(self._place, text_of(error)) from error

    def _asked(self, ask: Callable[[psycopg.Connection[Row]], Given]) -> Given:
        """A reader whose connection was lost asks once more on a new one; a writer has lost its lock."""
        try:
            return ask(self._connection)
        except self._driver.OperationalError:
            if self._writes or not self._connection.closed:
                raise
            self._connection = self._connect()
            return ask(self._connection)


class PostgreSQLHome:
    """A schema of a PostgreSQL database, named in the URL (`?schema=name`, else `celadon`)."""

    def __init__(self, url: str) -> None:
        self.place, self._server, self._schema = _parts(url)
        self._writer: PostgreSQLDatabase | None = None

    def exists(self) -> bool:
        return self.look() is not None

    def create(self) -> None:
        with closing(self._connection(writes=True)) as database:
            database.begin()
            database.rows("SELECT pg_advisory_xact_lock(?, ?)", (_LOCKS, ~_signed(self._schema)))
            if self._format(database) is None:
                self._make_schema(database)
                _lay_out(database)
            database.commit()

    def fill(self, mark: str, put: Callable[[PostgreSQLDatabase], None]) -> str:
        """Lay out a catalogue and let `put` fill it, in one transaction; its identity.

        What a catalogue of the same `mark` left is replaced, unless it is in force (`in_force`, `leaving`); FindingError `store.exists`
        where another catalogue is there.
        """
        with closing(self._connection(writes=True)) as database:
            database.begin()
            database.rows("SELECT pg_advisory_xact_lock(?, ?)", (_LOCKS, ~_signed(self._schema)))
            try:
                self._make_room(database, mark)
                _lay_out(database)
                self._set_mark(database, mark)
                put(database)
                identity = str(database.rows("SELECT identity FROM celadon", ())[0][0])
                database.commit()
            except BaseException:
                database.rollback()
                raise
        return identity

    def in_force(self) -> None:
        """The catalogue that `fill` made is the one in use: nothing replaces it any more."""
        with closing(self._connection(writes=True)) as database:
            database.rows(f"DROP TABLE IF EXISTS {_MOVING}", ())

    def leaving(self, mark: str) -> None:
        """The catalogue is about to be kept elsewhere: from then on a `fill` of the same mark may replace it."""
        with closing(self._connection(writes=True)) as database:
            database.begin()
            self._set_mark(database, mark)
            database.commit()

    def disown(self) -> None:
        """The catalogue is kept elsewhere now: folders that name this one are refused (`store.kept-elsewhere`)."""
        with closing(self._connection(writes=True)) as database:
            database.rows("UPDATE celadon SET identity = ?", (f"moved-{secrets.token_hex(8)}",))

    def _make_room(self, database: PostgreSQLDatabase, mark: str) -> None:
        """An empty schema: a new one, or ours without what a killed `fill` of the same mark left."""
        if self._format(database) is None:
            self._make_schema(database)
            return
        named = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?"
        begun = database.rows(named, (self._schema, _MOVING))
        if not begun or database.rows(f"SELECT mark FROM {_MOVING}", ()) != [(mark,)]:
            raise faults.exists(self.place)
        for table in (*TABLES, "celadon", _MOVING):
            database.rows(f"DROP TABLE {table}", ())

    def _set_mark(self, database: PostgreSQLDatabase, mark: str) -> None:
        database.rows(f"DROP TABLE IF EXISTS {_MOVING}", ())
        database.rows(f"CREATE TABLE {_MOVING} (mark TEXT NOT NULL)", ())
        database.rows(f"INSERT INTO {_MOVING} VALUES (?)", (mark,))

    def _make_schema(self, database: PostgreSQLDatabase) -> None:
        if not database.rows("SELECT 1 FROM pg_namespace WHERE nspname = ?", (self._schema,)):
            database.rows(f"CREATE SCHEMA {identifier(self._schema)}", ())

    def open(self, *, writes: bool) -> PostgreSQLDatabase:
        if writes and self._writer is not None:
            return self._writer  # the one that has the lock
        database = self._connection(writes=writes)
        if self._format(database) is None:
            database.close()
            raise faults.absent(self.place)
        return database

    def lock(self) -> WriterLock:
        return WriterLock(self.place, self)

    def look(self) -> tuple[str, bool] | None:
        """What tells this catalogue from every other, and whether it lists any file; None where there is none."""
        with closing(self._connection(writes=False)) as reader:
            if self._format(reader) is None:
                return None
            identity = reader.rows("SELECT identity FROM celadon", ())[0][0]
            return str(identity), bool(reader.rows("SELECT 1 FROM segment LIMIT 1", ()))

    # -- the writer's lock is on the writer's connection (see locking.Latch) ---------------------------------

    def take(self, wait: bool) -> bool:
        if self._writer is None:
            self._writer = self.open(writes=True)
        return self._writer.take(wait)

    def give_back(self) -> None:
        if self._writer is not None:
            self._writer.give_back()

    def holder(self) -> str:
        with closing(self._connection(writes=False)) as reader:
            return reader.holder()

    # -- inside ----------------------------------------------------------------------------------------------

    def _connection(self, *, writes: bool) -> PostgreSQLDatabase:
        return PostgreSQLDatabase(self.place, self._server, self._schema, writes=writes)

    def _format(self, database: PostgreSQLDatabase) -> int | None:
        """The format of the catalogue, None where there is none; FindingError for another program's schema."""
        named = "SELECT table_name FROM information_schema.tables WHERE table_schema = ?"
        tables = {row[0] for row in database.rows(named, (self._schema,))}
        if not tables:
            return None
        if not {"celadon", *TABLES}.difference(ADDED) <= tables:
            raise faults.not_a_store(self.place)
        found = int(database.rows("SELECT format FROM celadon", ())[0][0])
        if found > FORMAT:
            raise faults.newer_format(self.place, found, FORMAT)
        return found


def _lay_out(database: PostgreSQLDatabase) -> None:
    for name in TABLES:
        database.make(name)
    for index in INDEXES:
        database.rows(f"CREATE INDEX {index}", ())
    database.rows("CREATE TABLE celadon (format BIGINT NOT NULL, identity TEXT NOT NULL)", ())
    database.rows("INSERT INTO celadon VALUES (?, ?)", (FORMAT, secrets.token_hex(16)))


def check_url(url: str) -> None:
    """FindingError when `url` names no PostgreSQL database, or holds a password."""
    _parts(url)


def _parts(url: str) -> tuple[str, str, str]:
    """The URL as messages show it, as the driver reads it, and the schema."""
    try:
        split = urlsplit(url)
        query = parse_qsl(split.query, strict_parsing=bool(split.query))
        secret = split.password is not None or any(name in ("password", "passfile") for name, _ in query)
        _ = split.port
    except ValueError as error:
        raise faults.catalogue_address(text_of(error)) from error
    if secret:
        raise faults.catalogue_password(split.hostname or "localhost")
    if split.scheme not in SCHEMES or not split.path.strip("/"):
        wanted = "postgresql://user@host/database"
        raise faults.catalogue_address(Text(f"it should read {wanted}", f"应写作 {wanted}"))
    schema = dict(query).get("schema", _SCHEMA)
    rest = urlencode([(name, value) for name, value in query if name != "schema"])
    server = split._replace(query=rest).geturl()
    return url, server, schema


def _driver() -> Any:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise faults.extra_missing("postgresql", "psycopg") from error


def _text(sql: str) -> Any:
    """With the driver's placeholders."""
    return sql.replace("%", "%%").replace("?", "%s")


def _signed(name: str) -> int:
    """A name as the 32 bits of an advisory lock's key."""
    number = zlib.crc32(name.encode())
    return number - (1 << 32) if number >= 1 << 31 else number
