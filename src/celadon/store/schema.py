"""The catalogue's tables, in words that every database it may live in understands."""

from __future__ import annotations

FORMAT = 1
"""Raised when a program that knows only the old tables could read or write them wrongly."""

TABLES: dict[str, str] = {
    "batch": "id INTEGER PRIMARY KEY, recorded_at INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, "
    "note TEXT NOT NULL, plant INTEGER, digest TEXT NOT NULL",
    "plant": "id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, json TEXT NOT NULL",
    "file": "id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, "
    "sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, mapping TEXT NOT NULL",
    "point": "id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE",
    "segment": "id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL UNIQUE, month INTEGER, "
    "batch_min INTEGER NOT NULL, batch_max INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, "
    "sha256 TEXT NOT NULL, damaged INTEGER NOT NULL DEFAULT 0, retired_at INTEGER",
    "span": "point INTEGER NOT NULL, month INTEGER NOT NULL, segment INTEGER NOT NULL, "
    "batch_min INTEGER NOT NULL, batch_max INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, "
    "head_n INTEGER NOT NULL, t_head INTEGER NOT NULL, tail_n INTEGER NOT NULL, t_tail INTEGER NOT NULL, "
    "PRIMARY KEY (point, month, segment)",
    "run": "segment INTEGER PRIMARY KEY, runs TEXT NOT NULL",
    "extent": "point INTEGER NOT NULL, month INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, "
    "head_n INTEGER NOT NULL, t_head INTEGER NOT NULL, tail_n INTEGER NOT NULL, t_tail INTEGER NOT NULL, "
    "PRIMARY KEY (point, month)",
    "touched": "point INTEGER NOT NULL, month INTEGER NOT NULL, batch_max INTEGER NOT NULL, "
    "batch_min INTEGER NOT NULL, PRIMARY KEY (point, month, batch_max)",
    "ledger_part": "point INTEGER NOT NULL, month INTEGER NOT NULL, digest TEXT NOT NULL, upto INTEGER NOT NULL, "
    "segment INTEGER NOT NULL, PRIMARY KEY (point, month, digest, upto)",
    "quarantine": "id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, file INTEGER NOT NULL, line INTEGER, "
    "sheet TEXT, text TEXT NOT NULL, finding TEXT NOT NULL, status TEXT NOT NULL",
    "finding": "id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, json TEXT NOT NULL",
}
"""Table → columns. Instants are whole microseconds since 1970, months are counted (see rows.py)."""

INDEXES = (
    "batch_plant ON batch (id) WHERE plant IS NOT NULL",
    "file_batch ON file (batch)",
    "file_content ON file (source, sha256, mapping)",
    "file_name ON file (source, name, id)",
    "segment_kind ON segment (kind, month) WHERE retired_at IS NULL",
    "segment_batch ON segment (batch_min)",
    "segment_retired ON segment (retired_at) WHERE retired_at IS NOT NULL",
    "ledger_part_segment ON ledger_part (segment)",
    "quarantine_status ON quarantine (status, id)",
    "finding_batch ON finding (batch)",
)
ADDED = ("run",)
"""Tables that older catalogues of this format lack; whoever writes makes them (see `Catalogue.complete`)."""
KEYED = ("span", "extent", "touched", "ledger_part")
"""Tables read by their primary key alone, which SQLite keeps in its order."""
