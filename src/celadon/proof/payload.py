"""What a filing holds: facts with where they came from, factor rows, rulebooks, the request, the results, and what was found.

Paths in the package, below `data/`, are the constants here; `opening` reads them back.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.adapters.plant_file import plant_to_json
from celadon.core.findings import FindingError, Place, Severity
from celadon.core.periods import Grain, Period
from celadon.engine.request import Request, fact_grain
from celadon.metering.proof import Proof
from celadon.plant.account import Account, Question, account
from celadon.plant.balance import prove
from celadon.plant.ledger import Deriver, summed_meters
from celadon.plant.opened import View
from celadon.plant.sources import superseded
from celadon.plant.workspace import Workspace, write_records
from celadon.proof import faults
from celadon.proof.deriving import Keeping, write_facts
from celadon.rules.reading import read_folder
from celadon.rules.rulebook import Rulebook

REQUEST, PLANT, RESULTS, FOUND, FACTORS = (
    "data/request.json", "data/plant.json", "data/results.json", "data/findings.json", "data/factors.csv",
)  # fmt: skip
FACTS, RULEBOOKS, REPORT = "data/facts/facts.parquet", "data/rulebooks", "data/report"
READINGS, RECORDS, SOURCES, CONSERVATION = (
    "data/facts/readings.csv", "data/facts/records.csv", "data/facts/sources.csv", "data/facts/conservation.csv",
)  # fmt: skip
FORMAT = "celadon-filing/1"


@dataclass(frozen=True)
class Frozen:
    """The files of a filing by path, and the account they freeze."""

    files: Mapping[str, bytes]
    account: Account
    request: Mapping[str, Any]


def freeze(
    work: Keeping, seen: View, book: Rulebook, question: Question, versions: Mapping[str, str]
) -> Frozen:
    """Everything a filing of this question holds but its report.

    Raises:
        FindingError: an unknown quantity, option or period; registers that do not add up.
    """
    asked = question.request(book, seen.model).checked(book)
    grain = fact_grain(book, asked)
    facts = work.facts_for(seen, [book], asked, grain)
    with work.using(facts.name):
        figures = account(work, seen, book, question)
        months = _by_month(work, seen, book, question, asked)
        request = _request(figures, asked, grain, versions)
        files = {
            REQUEST: as_json(request),
            PLANT: as_json(portable(json.loads(plant_to_json(seen.model)), seen.model.file)),
            RESULTS: as_json(
                {
                    "figures": figures.to_json(),
                    "months": months.to_json() if months else None,
                    "adds": adding(book, asked.wanted),
                }
            ),
            FOUND: as_json(portable([item.to_json() for item in figures.findings], seen.model.file)),
            FACTORS: _factors(figures),
            FACTS: write_facts(work.con, facts.name, work.scratch / "facts.parquet"),
        }
    if figures.calculated_by:
        files |= work.kept
    files |= _evidence(work, seen, asked.period)
    for one in (book, *figures.calculated_by):
        for folder, name, content in _rulebook_files(one):
            path = f"{RULEBOOKS}/{folder}/{name}"
            if files.setdefault(path, content) != content:
                raise FindingError(faults.NAMES_TWICE.at(Place(subject=folder), name=folder))
    return Frozen(files, figures, request)


def _by_month(
    work: Workspace, seen: View, book: Rulebook, question: Question, asked: Request
) -> Account | None:
    """The same by month, where that is finer than what was asked."""
    if asked.time not in (None, Grain.YEAR) or len(list(asked.period.split(Grain.MONTH))) < 2:
        return None
    return account(work, seen, book, replace(question, per=Grain.MONTH))


def adding(book: Rulebook, wanted: Iterable[str]) -> list[str]:
    """The quantities whose months must add up to the period: they add, and nothing below them is yearly."""
    return sorted(name for name in wanted if _adds(book, name) and not _yearly(book, name))


def _adds(book: Rulebook, name: str) -> bool:
    return book.facts[name].adds if name in book.facts else all(rule.adds for rule in book.rules[name])


def _yearly(book: Rulebook, name: str) -> bool:
    seen, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        for rule in () if one in seen else book.rules.get(one, ()):
            if rule.grain.time < Grain.MONTH:
                return True
            waiting += rule.needs
        seen.add(one)
    return False


def _request(
    found: Account, asked: Request, grain: tuple[Any, Any], versions: Mapping[str, str]
) -> dict[str, Any]:
    result, book = found.result, found.result.book
    books = {other.folder.name: other.digest for other in (book, *found.calculated_by)}
    return {
        "format": FORMAT,
        "enterprise": {
            "id": found.model.enterprise,
            "name": {"zh": found.model.name.zh, "en": found.model.name.en},
        },
        "rulebook": {
            "id": book.id,
            "folder": book.folder.name,
            "document": book.document.number,
            "title": {"zh": book.document.title.zh, "en": book.document.title.en},
            "edition": book.edition,
            "digest": book.digest,
        },
        "rulebooks": books,
        "calculated_by": [other.id for other in found.calculated_by],
        "period": asked.period.label,
        "start": asked.period.start.isoformat(),
        "end": asked.period.end.isoformat(),
        "zone": asked.period.zone,
        "by": asked.space.word,
        "per": asked.time.word if asked.time else None,
        "quantities": list(asked.wanted),
        "options": dict(asked.options),
        "factors_as_of": asked.factors_as_of.isoformat() if asked.factors_as_of else None,
        "as_of": result.as_of.isoformat() if result.as_of else None,
        "facts_digest": result.facts_digest,
        "facts_by": grain[0].word,
        "facts_per": grain[1].word,
        "versions": dict(versions),
    }


def portable(body: Any, plant_file: str) -> Any:
    """The same with paths below the plant file's folder told from there: where the plant stands is nobody's business."""
    if isinstance(body, dict):
        return {name: portable(value, plant_file) for name, value in body.items()}
    if isinstance(body, list):
        return [portable(value, plant_file) for value in body]
    above = str(Path(plant_file).parent) + "/" if Path(plant_file).is_absolute() else ""
    return body.replace(above, "") if isinstance(body, str) and above else body


def as_json(body: object) -> bytes:
    """JSON for people and machines, the same bytes for the same content."""
    return (json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV in UTF-8 with a header; absent is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def _factors(found: Account) -> bytes:
    header = (
        "factor", "keys", "site", "month", "value", "unit", "table", "line", "source", "clause", "confidence", "published",
        "carried_forward",
    )  # fmt: skip
    rows = []
    for name, lookup in sorted(found.result.query.lookups.items()):
        for item in lookup.chosen:
            row, entry = item.row, item.entry
            told = row or entry
            rows.append(
                (
                    name, " ".join(item.keys), item.site, f"{item.month.day:%Y-%m}",
                    None if item.value is None else repr(item.value), lookup.spec.unit.text,
                    f"{row.table}.csv" if row else "plant.json" if entry else lookup.spec.table,
                    row.line if row else None, told.source if told else "", told.clause if told else "",
                    told.confidence if told else "", (told.published if told else None) or "", int(item.carried),
                )
            )  # fmt: skip
    return as_csv(header, rows)


def _rulebook_files(book: Rulebook) -> Iterable[tuple[str, str, bytes]]:
    """(folder, name in it, content) of a rulebook and those it builds on."""
    for name, content in read_folder(book.folder).items():
        yield book.folder.name, name, content
    for base in book.builds_on:
        yield from _rulebook_files(base)


# -- where the facts came from ----------------------------------------------------------------------------------------


def _evidence(work: Workspace, seen: View, period: Period) -> dict[str, bytes]:
    """Sources with digests; readings by meter and month with the lines at their ends; records; the registers' sums."""
    names = {file.id: file.name for file in seen.snapshot.files()}
    batches = {batch.id: batch.recorded_at for batch in seen.snapshot.batches()}
    gone = superseded(seen.snapshot.files())
    sources = [
        (file.id, file.source_id, file.name, file.sha256, file.bytes, batches[file.batch].isoformat())
        for file in seen.snapshot.files()
        if file.id not in gone
    ]
    proofs, said = prove(work, seen, period)
    work.con.execute("DROP TABLE IF EXISTS balance_ledger")
    broken = [
        item for item in said if item.severity is Severity.ERROR and item.code == "balance.not-conserved"
    ]
    if broken:
        raise FindingError(broken)
    return {
        SOURCES: as_csv(("file", "source", "name", "sha256", "bytes", "recorded_at"), sources),
        READINGS: as_csv(_READINGS, _readings(work.con, seen, period, names)),
        RECORDS: as_csv(_RECORDS, _records(work.con, seen, period, names)),
        CONSERVATION: as_csv(_SUMS, map(_sums, proofs)),
    }


_SUMS = ("meter", "unit", "period", "counted", "rolled", "edges", "intervals", "attributed", "gaps")
_READINGS = (
    "meter", "month", "readings", "first_time", "first_value", "first_file", "first_line", "last_time", "last_value", "last_file",
    "last_line", "sha256",
)  # fmt: skip
_RECORDS = (
    "quantity", "item", "purpose", "site", "process", "start", "end", "value", "unit", "weight", "weight_unit", "note", "file", "line",
)  # fmt: skip


def _sums(item: Proof) -> tuple[object, ...]:
    """One meter's sums in ticks (10⁻⁶ of the unit)."""
    pieces = item.pieces
    parts = (sum(part.counted for part in pieces), sum(part.rolled for part in pieces))
    edges, gaps = sum(part.edges for part in pieces), sum(gap.amount or 0 for gap in item.gaps)
    return item.meter, item.unit, item.period.label, *parts, edges, item.intervals, item.attributed, gaps


def _readings(
    con: duckdb.DuckDBPyConnection, seen: View, period: Period, names: Mapping[int, str]
) -> Iterable[tuple[object, ...]]:
    """Of each meter and month the count, the ends with file and line, and a digest over every reading that counts.

    The digest is of lines `time|seconds|value|file's name|line`, in the order of time; a corrected reading is there as corrected.
    """
    deriver, points = Deriver.of(con, seen), seen.snapshot.points()
    meters = {points[meter.id]: meter.id for meter in summed_meters(seen.model) if meter.id in points}
    con.execute("CREATE OR REPLACE TEMP TABLE filed_names (id INTEGER, name VARCHAR)")
    con.executemany("INSERT INTO filed_names VALUES (?, ?)", [[0, ""], *map(list, names.items())])
    for month in period.split(Grain.MONTH):
        with seen.store.reading():
            found = con.execute(
                f"""WITH last AS (
                  SELECT r.*, n.name FROM ({deriver.readings_sql(sorted(meters), month.start, month.end, 0)}) r
                  LEFT JOIN filed_names n ON n.id = r.file
                  QUALIFY row_number() OVER (PARTITION BY point, t, span ORDER BY batch DESC, file DESC, line DESC) = 1)
                SELECT point, count(*), min_by(struct_pack(t, value, name, line), (t, span)),
                  max_by(struct_pack(t, value, name, line), (t, span)),
                  sha256(string_agg(concat_ws('|', t, span, value, name, line), chr(10) ORDER BY t, span))
                FROM last GROUP BY point ORDER BY point"""
            ).fetchall()
        for point, count, first, last, digest in found:
            ends = (cell for end in (first, last) for cell in (_utc(end["t"]), *list(end.values())[1:]))
            yield meters[point], month.label, count, *ends, digest
    con.execute("DROP TABLE filed_names")


def _records(
    con: duckdb.DuckDBPyConnection, seen: View, period: Period, names: Mapping[int, str]
) -> Iterable[tuple[object, ...]]:
    """The records that overlap the period, or stand at its edges (stocks)."""
    write_records(con, seen, "filed_records")
    start, end = (moment.astimezone(UTC).replace(tzinfo=None) for moment in (period.start, period.end))
    rows = con.execute(
        f"""SELECT {", ".join(f'"{name}"' for name in _RECORDS)} FROM filed_records
        WHERE start <= $2 AND "end" >= $1 ORDER BY ALL""",
        [start, end],
    ).fetchall()
    con.execute("DROP TABLE filed_records")
    for *cells, file, line in rows:
        yield (*(_utc(cell) if isinstance(cell, datetime) else cell for cell in cells), names.get(file), line)


def _utc(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).isoformat()
