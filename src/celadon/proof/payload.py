"""What a filing holds: facts with where they came from, factor rows, rulebooks, the request, the results, and what was found.

Paths in the package, below `data/`, are the constants here; `opening` reads them back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from celadon.adapters.plant_file import plant_to_json
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, Place
from celadon.core.periods import Grain
from celadon.engine.request import Request, fact_grain
from celadon.plant.account import Account, Question, account
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace
from celadon.proof import faults
from celadon.proof.deriving import Keeping, write_facts
from celadon.proof.evidence import as_csv, evidence
from celadon.proof.raw import keep_raw
from celadon.rules.reading import read_folder
from celadon.rules.rulebook import Rulebook

REQUEST, PLANT, RESULTS, FOUND, FACTORS = (
    "data/request.json", "data/plant.json", "data/results.json", "data/findings.json", "data/factors.csv",
)  # fmt: skip
FACTS, RULEBOOKS, REPORT = "data/facts/facts.parquet", "data/rulebooks", "data/report"
FORMAT = "celadon-filing/1"


@dataclass(frozen=True)
class Frozen:
    """The files of a filing by path, and the account they freeze."""

    files: Mapping[str, bytes]
    account: Account
    request: Mapping[str, Any]


def freeze(
    work: Keeping,
    seen: View,
    book: Rulebook,
    question: Question,
    versions: Mapping[str, str],
    *,
    raw: bool = False,
) -> Frozen:
    """Everything a filing of this question holds but its report; with `raw` the readings and records behind its facts.

    Raises:
        FindingError: an unknown quantity, option or period; registers that do not add up; too many readings.
    """
    asked = question.request(book, seen.model).checked(book)
    grain = fact_grain(book, asked)
    behind, counted = keep_raw(work, seen, asked.period) if raw else ({}, None)
    facts = work.facts_for(seen, [book], asked, grain)
    with work.using(facts.name):
        figures = account(work, seen, book, question)
        months = _by_month(work, seen, book, question, asked)
        request = _request(figures, asked, grain, versions)
        request["raw"] = counted.to_json() if counted else None
        files = {
            **behind,
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
    files |= evidence(work, seen, asked.period)
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
            "document_label": {"zh": book.document.cited.zh, "en": book.document.cited.en},
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
