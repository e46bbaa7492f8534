"""A filing's package opened again: what was asked, the plant, the rulebook and the facts, out of the file alone.

The file may come from anybody: its archive is read as the small verifier reads it, its rulebook within the limits for
rulebooks of others, and the database that reads its facts has no way to other files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.adapters.plant_file import plant_from_json
from celadon.core.dataclass import dataclass
from celadon.core.facts import FACT_COLUMNS
from celadon.core.findings import FindingError, Place
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import GRAINS, Grain, Period
from celadon.core.quantities import SPACES, Space
from celadon.core.text import Text
from celadon.engine.request import Request
from celadon.proof import faults, payload
from celadon.proof.deriving import measured_path
from celadon.proof.evidence import READINGS, RECORDS
from celadon.proof.raw import RAW_READINGS, RAW_RECORDS, Raw, raw_of
from celadon.proof.verifier import Bag, Refused
from celadon.rules.check import sound
from celadon.rules.rulebook import Rulebook, find_rulebook, load_rulebook
from celadon.store.segments import literal

_BAD = (KeyError, ValueError, TypeError, AttributeError, RecursionError, OverflowError, duckdb.Error)
FORMAT_UNKNOWN = Text("it is of a format that this version does not know", "其格式为本版本所不识别")


@dataclass(frozen=True)
class Filed:
    """What a package holds, ready to be computed anew."""

    request: Mapping[str, Any]
    results: Mapping[str, Any]
    model: PlantModel
    book: Rulebook
    asked: Request
    grain: tuple[Space, Grain]
    facts: Path
    """The facts, unpacked."""
    measured: Mapping[tuple[Space, Grain], Path]
    """What facts were calculated from, by grain; {} where none were."""
    books: Mapping[str, Rulebook]
    """The rulebooks that calculated facts, by folder."""
    raw: Raw | None
    """The readings and records that it carries, unpacked beside the facts; None where it was filed without."""
    listed: Mapping[str, bytes]
    """Its readings.csv and records.csv by path, where it carries what they are told from."""


def open_bag(file: str | Path) -> Bag:
    """The archive (FindingError where it is not safe to read)."""
    try:
        return Bag(file)
    except Refused as error:
        raise FindingError(faults.of_problem(error.problem, str(file))) from error


def unpacked(bag: Bag, file: str, folder: Path) -> Filed:
    """What a package holds; rulebooks and facts are unpacked into `folder`.

    Raises:
        FindingError: `filing.content` and others: a part is missing or not what it should be.
    """
    try:
        with part_of(file, payload.REQUEST):
            request = json.loads(bag.read(payload.REQUEST))
            if request["format"] != payload.FORMAT:
                place = Place(file=file)
                why = FORMAT_UNKNOWN
                raise FindingError(faults.CONTENT.at(place, path=payload.REQUEST, why=why))
            asked = _asked(request)
            grain = SPACES[request["facts_by"]], GRAINS[request["facts_per"]]
            raw = raw_of(request)
        listed = {path: bag.read(path) for path in (READINGS, RECORDS)} if raw else {}
        with part_of(file, payload.RESULTS):
            results = json.loads(bag.read(payload.RESULTS))
            dict(results["figures"]), list(results["figures"]["rows"]), list(results["adds"])
        with part_of(file, payload.PLANT):
            model = plant_from_json(bag.read(payload.PLANT).decode("utf-8"))
        _unpack(bag, folder)
        with part_of(file, payload.RULEBOOKS):
            books = {str(name): _book(folder / "rulebooks", str(name)) for name in request["rulebooks"]}
            book = books[str(request["rulebook"]["folder"])]
            told = {**request["rulebooks"], book.folder.name: request["rulebook"]["digest"]}
            for name, other in books.items():
                if other.digest != told[name]:
                    why = Text(f"the digest of {name} is {other.digest}", f"{name} 的摘要为 {other.digest}")
                    raise FindingError(faults.CONTENT.at(Place(file=file), path=payload.RULEBOOKS, why=why))
        with part_of(file, payload.FACTS):
            measured = _measured(bag, folder)
    except Refused as error:
        raise FindingError(faults.of_problem(error.problem, file)) from error
    facts = folder / "facts" / "facts.parquet"
    return Filed(
        request, results, model, book, asked.checked(book), grain, facts, measured, books, raw, listed
    )


@contextmanager
def part_of(file: str, path: str) -> Iterator[None]:
    """What is not as a filing has it becomes a finding about that part."""
    try:
        yield
    except _BAD as error:
        why = Text(type(error).__name__, type(error).__name__)
        raise FindingError(faults.CONTENT.at(Place(file=file, subject=path), path=path, why=why)) from error


def _asked(request: Mapping[str, Any]) -> Request:
    start, end = (datetime.fromisoformat(request[name]) for name in ("start", "end"))
    published = request["factors_as_of"]
    return Request(
        Period(start, end, str(request["zone"])),
        SPACES[request["by"]],
        GRAINS[request["per"]] if request["per"] else None,
        tuple(map(str, request["quantities"])),
        {str(name): str(choice) for name, choice in request["options"].items()},
        date.fromisoformat(published) if published else None,
    )


def _unpack(bag: Bag, folder: Path) -> None:
    """Facts and rulebooks as files; the archive's names are safe, or it would not be open."""
    for path in bag.items:
        if path in (payload.FACTS, RAW_READINGS, RAW_RECORDS, *_grains(bag)) or path.startswith(
            f"{payload.RULEBOOKS}/"
        ):
            target = folder / path.removeprefix("data/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as stream:
                stream.writelines(bag.chunks(path))


def _grains(bag: Bag) -> dict[str, tuple[Space, Grain]]:
    """The paths of facts before anything was calculated, with their grains."""
    every = {measured_path(space, grain): (space, grain) for space in SPACES.values() for grain in Grain}
    return {path: grain for path, grain in every.items() if path in bag.items}


def _measured(bag: Bag, folder: Path) -> dict[tuple[Space, Grain], Path]:
    return {grain: folder / path.removeprefix("data/") for path, grain in _grains(bag).items()}


def _book(folder: Path, name: str) -> Rulebook:
    """The packaged rulebook; those it builds on are the packaged ones too, never those of this machine."""

    def find(_: Path, word: str) -> Path:
        return find_rulebook(str(folder / Path(word).name))

    return sound(load_rulebook(find(folder, name), find))


def read_facts(con: duckdb.DuckDBPyConnection, parquet: Path, file: str, into: str) -> None:
    """Make the table `into` of a package's facts."""
    with part_of(file, f"data/facts/{parquet.name}"):
        source = f"read_parquet({literal(str(parquet))})"
        found = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        if {row[0]: row[1] for row in found} != FACT_COLUMNS:
            raise ValueError(parquet.name)
        con.execute(f"CREATE OR REPLACE TABLE {into} AS SELECT * FROM {source}")
