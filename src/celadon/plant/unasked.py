"""Words of records that no rule knows: a misspelt `fuel_purchasd` would count nowhere, and nobody would miss it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import duckdb

from celadon.core.carriers import PURPOSES
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.later import Later
from celadon.core.model import Plant
from celadon.core.text import Text
from celadon.core.units import did_you_mean
from celadon.metering.record_words import FLOWS, FUEL_KINDS, LABORATORY

if TYPE_CHECKING:
    from celadon.rules import reading, rulebook
else:  # of few files' records
    reading, rulebook = Later("celadon.rules.reading"), Later("celadon.rules.rulebook")

QUANTITY_UNASKED = FindingKind(
    "records.quantity-unasked",
    Severity.WARNING,
    Text(en="Nothing asks for this quantity", zh="该台账量未被任何规则集采用"),
    Text(
        en="“{quantity}” is no quantity that a rulebook asks for{hint}; records of it, which count in no result: {count}.",
        zh="“{quantity}”不是任何规则集所需的量{hint}：{count} 条台账不会计入任何结果。",
    ),
    Text(
        en="Correct the word in the file, or translate it in the source's `map: quantity:`; the handbook lists what each rulebook "
        "asks for. If a rulebook of your own asks for it, nothing is wrong.",
        zh="请更正文件中的用词，或在数据源的 `map: quantity:` 中对应；各规则集所需的量见手册。若由自编规则集采用，则无需处理。",
    ),
)
PURPOSE_UNKNOWN = FindingKind(
    "records.purpose-unknown",
    Severity.WARNING,
    Text(en="Unknown purpose of energy", zh="未知的能源用途"),
    Text(
        en="“{purpose}” is no purpose of energy that rules tell apart{hint}: {count} records of it count as {taken}.",
        zh="“{purpose}”不是规则所区分的能源用途{hint}：{count} 条台账按{taken}计入。",
    ),
    Text(
        en="Write {known}, or translate the word in the source's `map: purpose:`.",
        zh="请写 {known}，或在数据源的 `map: purpose:` 中对应。",
    ),
)
_SAID = 20
"""Quantities that are named; a file with more has another column for one."""


def strange_purposes(con: duckdb.DuckDBPyConnection, table: str, file: str) -> list[Finding]:
    """A finding per purpose of fuels and energy that no rule knows, at its first line."""
    seen = con.execute(
        f"SELECT purpose, count(*), min(line) FROM {table} WHERE purpose <> '' AND NOT list_contains(?::VARCHAR[], purpose) "
        "AND list_contains(?::VARCHAR[], quantity) GROUP BY purpose ORDER BY min(line), purpose",
        [list(PURPOSES), [*FUEL_KINDS, *FLOWS]],
    ).fetchall()
    known = ", ".join(PURPOSES)
    return [
        PURPOSE_UNKNOWN.at(
            Place(file, line=line), purpose=purpose, count=count, hint=did_you_mean(purpose, PURPOSES),
            taken=PURPOSES["combustion"], known=known,
        )
        for purpose, count, line in seen[:_SAID]
    ]  # fmt: skip


def unasked(con: duckdb.DuckDBPyConnection, plant: Plant, table: str, file: str) -> list[Finding]:
    """A finding per quantity in a file's records that is no fact of any rulebook, at its first line."""
    seen = con.execute(
        f"SELECT quantity, count(*), min(line) FROM {table} WHERE value IS NOT NULL GROUP BY quantity ORDER BY min(line), quantity"
    ).fetchall()
    plain = {*FUEL_KINDS, *FLOWS, *LABORATORY}
    if all(quantity in plain for quantity, *_ in seen):
        return []
    known = plain | _shipped() | _named(plant)
    return [
        QUANTITY_UNASKED.at(
            Place(file, line=line), quantity=quantity, hint=did_you_mean(quantity, sorted(known)), count=count
        )
        for quantity, count, line in [row for row in seen if row[0] not in known][:_SAID]
    ]


@lru_cache(maxsize=1)
def _shipped() -> frozenset[str]:
    """Every fact that the rulebooks of this Celadon ask for: their lists alone are read, none is loaded."""
    name, shipped = "quantities.yaml", rulebook.SHIPPED
    lists = (
        reading.read_mapping(shipped / book, name, {name: (shipped / book / name).read_bytes()})
        for book in rulebook.shipped_ids()
        if (shipped / book / name).is_file()
    )
    return frozenset(fact for found in lists for fact in found.get("facts") or ())


def _named(plant: Plant) -> set[str]:
    """The facts of the rulebooks of one's own that the plant file names."""
    found: set[str] = set()
    for book in dict.fromkeys(item.rulebook for item in plant.derived):
        try:
            found.update(() if book in rulebook.shipped_ids() else rulebook.load_rulebook(book).facts)
        except FindingError:
            continue  # said where it is asked to calculate
    return found
