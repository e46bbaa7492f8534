"""Where a region's rows come from: Parquet and CSV files, or a table of SQLite or PostgreSQL, all as one query each."""

from __future__ import annotations

import codecs
import csv
import glob
import hashlib
import importlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from celadon.adapters.tables.text import detect_encoding, open_bytes
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Findings, Place, Severity
from celadon.core.text import Text, text_of
from celadon.region.model import TableSource

NO_FILE = FindingKind(
    "region.no-file",
    Severity.ERROR,
    Text("No such file", "没有该文件"),
    Text("{pattern} matches no file in {folder}.", "{folder} 中没有与 {pattern} 相符的文件。"),
    Text("Correct `files`, or put the file there.", "请更正 `files`，或放入文件。"),
)
UNREADABLE = FindingKind(
    "region.source-unreadable",
    Severity.ERROR,
    Text("Source cannot be read", "数据来源无法读取"),
    Text("{name} cannot be read: {why}.", "无法读取 {name}：{why}。"),
    Text(
        "Files are Parquet, or CSV in UTF-8, GBK or UTF-16 with a header; databases are sqlite:///path and postgresql://host/name.",
        "文件须为 Parquet，或带表头的 CSV（UTF-8、GBK 或 UTF-16）；数据库写 sqlite:///路径 或 postgresql://主机/库名。",
    ),
)
COLUMN_MISSING = FindingKind(
    "region.column-missing",
    Severity.ERROR,
    Text("Column missing", "缺少列"),
    Text("{name} has no column “{column}”; it has: {known}.", "{name} 没有列“{column}”；已有：{known}。"),
    Text("Correct the header in the region file, or the source.", "请更正区域文件中的列名或数据来源。"),
)
NO_DRIVER = FindingKind(
    "region.no-driver",
    Severity.ERROR,
    Text("Database driver not installed", "未安装数据库驱动"),
    Text(
        "{name} needs the package psycopg, which is not installed.", "{name} 需要 psycopg 软件包，但未安装。"
    ),
    Text("Install celadon[postgresql].", "请安装 celadon[postgresql]。"),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """One file or table: `select` gives its columns and `line` (its row, the header being line 1 of a CSV)."""

    name: str
    select: str
    columns: dict[str, str]
    """Header → DuckDB type."""
    sha256: str
    bytes: int

    def need(self, column: str) -> str:
        """The column as an identifier (FindingError where there is none)."""
        if column not in self.columns:
            known = ", ".join(list(self.columns)[:40])
            raise FindingError(
                COLUMN_MISSING.at(Place(file=self.name), name=self.name, column=column, known=known)
            )
        return identifier(column)


def identifier(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def a_row_each(rows: str, kept: Sequence[str], parts: Mapping[str, Sequence[str]]) -> str:
    """Each row of a query as one row for each place in `parts` (a column made → what it is at each place), besides `kept`.

    A choice by number, which all engines know and which reads the rows once, unlike a union of a query for each place."""
    places = range(len(next(iter(parts.values()))))
    columns = [
        f"CASE place {' '.join(f'WHEN {at} THEN {words[at]}' for at in places)} END AS {name}"
        for name, words in parts.items()
    ]
    numbers = ", ".join(f"({at})" for at in places)
    return (
        f"SELECT {', '.join([*kept, *columns])} FROM ({rows}) CROSS JOIN (VALUES {numbers}) AS places(place)"
    )


def inputs(
    source: TableSource, folder: Path, scratch: Path, findings: Findings
) -> Iterator[Callable[[], Rows]]:
    """One opener per file or table, in order; what matches nothing is a finding."""
    for pattern in source.files:
        exact = folder / pattern
        found = (
            [exact]
            if exact.is_file()
            else [folder / name for name in sorted(glob.glob(pattern, root_dir=folder))]
        )
        if not found:
            findings.add(NO_FILE.at(source.where, pattern=pattern, folder=str(folder)))
        for path in found:
            yield lambda path=path: _file(path, folder, scratch)  # type: ignore[misc]
    if source.url and source.table:
        yield lambda: _database(source, folder, scratch)


def _file(path: Path, folder: Path, scratch: Path) -> Rows:
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
        if path.suffix != ".parquet":
            path = _in_utf8(path, scratch / f"text-{digest[:16]}.csv")
        return _described(name, path, digest, size)
    except (OSError, UnicodeError, duckdb.Error) as error:
        raise FindingError(UNREADABLE.at(Place(file=name), name=name, why=text_of(error))) from error


def _in_utf8(path: Path, target: Path) -> Path:
    """The file, or a copy of it in UTF-8 where it is surely written otherwise (GBK, UTF-16), as a table of a plant may be."""
    encoding = detect_encoding(path)
    if encoding.name == "utf-8" or encoding.guessed:
        return path
    with open_bytes(path) as stream, target.open("w", encoding="utf-8", newline="") as out:
        stream.seek(encoding.bom)
        shutil.copyfileobj(codecs.getreader(encoding.name)(stream), out)
    return target


def _described(name: str, path: Path, digest: str, size: int) -> Rows:
    shown = literal("".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path)))
    if path.suffix == ".parquet":
        scan = f"SELECT *, file_row_number + 1 AS line FROM read_parquet({shown}, file_row_number = true)"
    else:
        # one thread numbers the lines; everything is text until it is checked
        scan = f"SELECT *, row_number() OVER () + 1 AS line FROM read_csv({shown}, all_varchar = true, header = true)"
    with duckdb.connect() as con:
        described = con.execute(f"DESCRIBE {scan}").fetchall()
    columns = {str(row[0]): str(row[1]) for row in described if row[0] not in ("line", "file_row_number")}
    return Rows(name, scan, columns, digest, size)


def _database(source: TableSource, folder: Path, scratch: Path) -> Rows:
    """A table, copied to a CSV in the scratch folder: one pass over the network, then as any file."""
    parts = urlsplit(source.url or "")
    name = f"{parts.scheme}://{parts.hostname or ''}{parts.path}#{source.table}"  # never the user or password
    target = scratch / f"table-{hashlib.sha256(name.encode()).hexdigest()[:16]}.csv"
    try:
        with target.open("w", encoding="utf-8", newline="") as stream:
            if parts.scheme == "sqlite":
                _from_sqlite(
                    folder / (source.url or "").removeprefix("sqlite:///"), source.table or "", stream
                )
            elif parts.scheme in ("postgresql", "postgres"):
                _from_postgresql(source, name, stream)
            else:
                raise ValueError(f"{parts.scheme}:// ?")
        with target.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        return _described(name, target, digest, target.stat().st_size)
    except FindingError:
        raise
    except Exception as error:  # each driver raises errors of its own classes
        if isinstance(error, MemoryError | KeyboardInterrupt):
            raise
        raise FindingError(UNREADABLE.at(Place(file=name), name=name, why=text_of(error))) from error


def _from_sqlite(path: Path, table: str, stream: Any) -> None:
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as con:
        cursor = con.execute(f"SELECT * FROM {identifier(table)}")
        writer = csv.writer(stream)
        writer.writerow([column[0] for column in cursor.description])
        while rows := cursor.fetchmany(10_000):
            writer.writerows(rows)


def _from_postgresql(source: TableSource, name: str, stream: Any) -> None:
    try:
        psycopg = importlib.import_module("psycopg")
    except ImportError as error:
        raise FindingError(NO_DRIVER.at(source.where, name=name)) from error
    listed = ".".join(identifier(part) for part in (source.table or "").split("."))
    with (
        psycopg.connect(source.url) as con,
        con.cursor() as cursor,
        cursor.copy(f"COPY (SELECT * FROM {listed}) TO STDOUT WITH (FORMAT csv, HEADER)") as copy,
    ):
        for block in copy:
            stream.write(bytes(block).decode("utf-8"))
