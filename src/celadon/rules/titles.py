"""What a table's source or clause is called in Chinese: tables keep the words of the reference, readers get their own."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from celadon.core.text import Text, same

_FILE = Path(__file__).parent.parent / "rulebooks" / "titles.csv"


def titled(words: str) -> Text:
    """A source or clause of a factor table in both languages; as it is where it has one name only, or is a plant's own."""
    known = _known().get(words)
    return same(words) if known is None else Text(words, known)


def noted(words: str) -> Text:
    """A row's note in both languages, piece by piece; a piece without a Chinese form stays as it is."""
    pieces = [piece.strip() for piece in words.split(";") if piece.strip()]
    return Text(words, "；".join(titled(piece).zh for piece in pieces))


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {row["en"]: row["zh"] for row in csv.DictReader(file)}
