"""Text tables: comma, semicolon, tab or bar separated, in any encoding, packed or not, with lines above the header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from celadon.adapters.tables.kinds import ENCODING_GUESSED, HEADER_MISSING
from celadon.adapters.tables.sniff import sample_text
from celadon.adapters.tables.table import Table
from celadon.adapters.tables.text import Piece, TextPieces
from celadon.core.findings import FindingError, Place
from celadon.core.model import Source
from celadon.core.text import Text


def open_csv(path: Path, shown: str, source: Source, wanted: Sequence[str], scratch: Path) -> Table:
    """The table in a text file (FindingError: no header, unknown encoding)."""
    top = sample_text(path, source.encoding, source.delimiter, wanted, scratch)
    header = top.header(wanted, source.header_row)
    if header is None:
        number = source.header_row
        at = Text(f" (line {number})", f"（第 {number} 行）") if number else ""
        raise FindingError(HEADER_MISSING.at(Place(shown, line=source.header_row), at=at))

    def pieces() -> Iterator[Piece]:
        return iter(TextPieces(path, top.encoding, scratch, top.delimiter))

    findings = [ENCODING_GUESSED.at(Place(shown), encoding=top.encoding.name)] if top.encoding.guessed else []
    return Table(
        path,
        shown,
        header,
        top.delimiter,
        pieces,
        encoding=top.encoding.name,
        sample=top.rows,
        whole=top.whole,
        plain=top.whole and all(map(_is_plain, top.lines)),
        findings=findings,
    )


def _is_plain(line: str) -> bool:
    return line.isascii() and line.isprintable() and '"' not in line
