"""Document and Clause: what can be cited, and how a citation prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from celadon.core.text import Text


@dataclass(frozen=True, slots=True)
class Document:
    """One edition of one standard, notice or guideline; in force from `since` to `until` (inclusive, open if None)."""

    number: str
    title: Text
    since: date
    until: date | None = None

    def __str__(self) -> str:
        return self.number


@dataclass(frozen=True, slots=True)
class Clause:
    """One citable place in one edition; `text` paraphrases what it says."""

    document: Document
    ref: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.number} {self.ref}"
