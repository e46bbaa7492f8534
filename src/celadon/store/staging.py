"""Segment files on their way into the catalogue: listed first, so that a killed writer leaves no litter."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import duckdb

from celadon.store import faults, segments
from celadon.store.catalogue import Catalogue
from celadon.store.files import Files
from celadon.store.rows import Segment, month_label

WRITING = "writing"


class Staging:
    """The files one writer has made and not yet committed.

    They stand where they will stay; only the catalogue's commit makes them count. The list in `writing/`
    names them first, so the next writer can remove those that never got into the catalogue.
    """

    def __init__(self, files: Files, catalogue: Catalogue) -> None:
        self.files = files
        self.store = files.folder
        self._catalogue = catalogue
        self._list = files.folder / WRITING / f"{secrets.token_hex(8)}.list"
        self._paths: list[str] = []

    def write(
        self,
        con: duckdb.DuckDBPyConnection,
        kind: str,
        select: str,
        month: int | None,
        batches: tuple[int, int],
    ) -> Segment:
        """Write a segment and list it in the open transaction (FindingError when the disk is full)."""
        folder = "all" if month is None else month_label(month)
        path = segments.new_path(kind, folder, batches[1])
        with faults.as_findings(self.store):
            self._announce(path)
            made = segments.write(con, kind, select, self.store, path)
            self.files.keep(path)
        segment = Segment(
            self._catalogue.next_id("segment"),
            kind,
            path,
            month,
            *batches,
            made.rows,
            made.bytes,
            made.sha256,
        )
        self._catalogue.add_segment(segment)
        return segment

    def _announce(self, path: str) -> None:
        self._paths.append(path)
        segments.make_folder(self._list.parent)
        with self._list.open("a", encoding="utf-8") as stream:
            stream.write(path + "\n")

    def finish(self) -> None:
        """The catalogue has them."""
        self._list.unlink(missing_ok=True)
        self._paths.clear()

    def abandon(self) -> None:
        """Remove everything that was made."""
        _remove(self.files, self._paths)
        self.finish()


def sweep(files: Files, catalogue: Catalogue, retired_before: int) -> int:
    """Remove what killed writers left, and files retired before that instant (microseconds); how many files.

    Only the holder of the writer lock may call it: no list in `writing/` then belongs to a living writer.
    """
    removed = 0
    for listing in sorted((files.folder / WRITING).glob("*.list")):
        named = listing.read_text(encoding="utf-8", errors="replace").splitlines()
        # the kill may have cut the last line short; such a file was never begun
        inside = [path for path in named if path.startswith(f"{segments.FOLDER}/") and ".." not in path]
        removed += _remove(files, [path for path in inside if not catalogue.has_path(path)])
        listing.unlink(missing_ok=True)
    old = catalogue.retired(retired_before)
    if old:
        removed += _remove(files, [path for _, path in old])
        catalogue.run_many("DELETE FROM segment WHERE id = ?", [(number,) for number, _ in old])
        catalogue.run_many("DELETE FROM run WHERE segment = ?", [(number,) for number, _ in old])
    return removed


def _remove(files: Files, paths: Iterable[str]) -> int:
    return sum(files.remove(path) for path in paths)
