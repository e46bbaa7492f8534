"""Document and Clause: what can be cited, and how a citation prints."""

from __future__ import annotations

from datetime import date

from celadon.core.dataclass import dataclass
from celadon.core.text import Text


@dataclass(frozen=True, slots=True)
class Document:
    """One edition of one standard, notice or guideline; in force from `since` to `until` (inclusive, open if None).

    `cited` is its number, or the name it goes by where it has none, in each language.
    """

    cited: Text
    title: Text
    since: date
    until: date | None = None

    @property
    def number(self) -> str:
        """What chapters know it by: the citation in English."""
        return self.cited.en

    def __str__(self) -> str:
        return self.number


@dataclass(frozen=True, slots=True)
class Clause:
    """One citable place in one edition; `text` paraphrases what it says. str() is the citation in English."""

    document: Document
    ref: Text
    text: Text

    @property
    def cited(self) -> Text:
        """Document and place, as a reader of each language cites them."""
        number, ref = self.document.cited, self.ref
        return Text(f"{number.en} {ref.en}", f"{number.zh} {ref.zh}")

    def __str__(self) -> str:
        return self.cited.en
