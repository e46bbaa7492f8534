"""A guessed source tried on its file: how many rows would be read and refused, with nothing written anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celadon.adapters.guess import Guess, guess_source
from celadon.adapters.plant_file import read_plant_text
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError
from celadon.plant import editing
from celadon.plant.intake import STAGED, read_file
from celadon.plant.loading import scratch_connection
from celadon.plant.opened import Opened
from celadon.plant.sources import InputFile, mapping_digest

_REFUSED_SHOWN = 5


@dataclass(frozen=True)
class Tried:
    """A guess and what reading the file by it gives. `text` is the block as the plant file would have it."""

    guess: Guess
    text: str = ""
    good: int = 0
    """Rows (of records) or values (of meters) that would be loaded."""
    bad: int = 0
    first: str | None = None
    """Time of the first and the last that would be loaded, UTC."""
    last: str | None = None
    findings: tuple[Finding, ...] = ()
    refused: tuple[Mapping[str, Any], ...] = ()
    """The first rows that would be refused, with their texts."""

    @property
    def usable(self) -> bool:
        """Whether the block is sound and something would be loaded."""
        return bool(self.text) and self.good > 0

    def to_json(self) -> dict[str, Any]:
        """Shape `guess/1` without its findings."""
        return {
            **self.guess.to_json(), "text": self.text, "usable": self.usable, "good": self.good, "bad": self.bad,
            "first": self.first, "last": self.last, "refused": [dict(row) for row in self.refused],
        }  # fmt: skip


def try_guess(
    opened: Opened, path: Path, name: str | None = None, answers: Mapping[str, str] | None = None
) -> Tried:
    """Guess how a file of this plant reads (`answers`: settings a person has given), and read it so, whole.

    Nothing is written. Bad files never raise: their findings are in the answer.
    """
    guess = guess_source(opened.model, path, name, answers)
    if guess.block is None:
        return Tried(guess, findings=guess.findings)
    text = editing.as_yaml(guess.block)
    try:
        new = editing.added(editing.text_of_file(opened), opened.file, "sources", guess.block)
    except FindingError as error:
        return Tried(guess, text, findings=(*guess.findings, *error.findings))
    model, _ = read_plant_text(new, opened.file.as_posix())
    source = next((item for item in model.sources if item.id == guess.block["id"]), None) if model else None
    if model is None or source is None:  # `added` has read the same text without an error
        raise RuntimeError("a source that was added is not in the plant file")
    would_be = Opened(opened.file, model)
    points = {meter.id: number for number, meter in enumerate(model.meters, start=1)}
    with scratch_connection() as con:
        item = InputFile(source, path, guess.name, path.stat().st_size, "", mapping_digest(source, model))
        taken = read_file(would_be, con, item, points, 1, 1)
        edge = ("t", "t") if source.role == "readings" else ("start", '"end"')
        row: tuple[Any, ...] = (0, None, None)
        if taken.table:
            sql = f"SELECT count(*), min({edge[0]}), max({edge[1]}) FROM {STAGED}"
            row = con.execute(sql).fetchall()[0]
    first, last = (f"{moment:%Y-%m-%dT%H:%MZ}" if moment is not None else None for moment in row[1:])
    refused = tuple(
        {
            "line": one.line,
            "code": one.finding.values.get("code"),
            "text": str(one.finding.values.get("text"))[:200],
        }
        for one in taken.quarantine[:_REFUSED_SHOWN]
    )
    found = (*guess.findings, *(one for one in taken.findings if one not in guess.findings))
    return Tried(guess, text, row[0], taken.quarantined, first, last, found, refused)
