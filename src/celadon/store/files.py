"""The segment files of one store: in its folder, or in an object store with the folder as its cache.

Every file is known by its SHA-256, so a cached one cannot be out of date; it may be deleted at any time and is fetched
again when it is needed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from celadon.core.findings import FindingKind
from celadon.store import faults, segments
from celadon.store.objects import Objects
from celadon.store.rows import Segment


class Files:
    """What stands below `folder`, backed by `objects` where there is one."""

    def __init__(self, folder: Path, objects: Objects | None = None) -> None:
        self.folder = folder
        self.objects = objects

    def path(self, segment: Segment) -> Path:
        """The segment's local file, fetched where it is elsewhere; it may be missing (see `fault`)."""
        path = self.folder / segment.path
        if self.objects is not None and not path.exists():
            self._fetch(segment, path)
        return path

    def fault(self, segment: Segment, digest: Callable[[Path], str] | None = None) -> FindingKind | None:
        """`fault_of` the segment's file; a cached copy that is not as written is fetched anew first."""
        path = self.path(segment)
        found = fault_of(segment, path, digest)
        if (
            found is faults.SEGMENT_DAMAGED
            and self.objects is not None
            and fault_of(segment, path, segments.digest_of)
        ):
            self._fetch(segment, path)
            found = fault_of(segment, path, digest)
        return found

    def keep(self, path: str) -> None:
        """A file was written here; bring it to where it is kept."""
        if self.objects is not None:
            self.objects.put(self.folder / path, path)

    def remove(self, path: str) -> bool:
        """Remove a file here and where it is kept; whether there was one."""
        there = self.objects.remove(path) if self.objects is not None else False
        file = self.folder / path
        if not file.is_file():
            return there
        file.unlink()
        return True

    def listed(self) -> list[str]:
        """The paths of all segment files there are, known to the catalogue or not."""
        here = {
            file.relative_to(self.folder).as_posix()
            for file in (self.folder / segments.FOLDER).glob("*/*/*.parquet")
        }
        there = self.objects.paths(segments.FOLDER) if self.objects is not None else []
        return sorted(here.union(there))

    def _fetch(self, segment: Segment, path: Path) -> None:
        """Copy a segment from the object store, if what it has is what was written."""
        if self.objects is None:
            return
        with faults.as_findings(self.folder):
            segments.make_folder(path.parent)
            aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            try:
                if self.objects.get(segment.path, aside) and segments.digest_of(aside) == segment.sha256:
                    os.replace(aside, path)
            finally:
                aside.unlink(missing_ok=True)


def fault_of(segment: Segment, path: Path, digest: Callable[[Path], str] | None = None) -> FindingKind | None:
    """What is wrong with a segment's local file, None when nothing is.

    It is gone, not as long as written, marked as damaged, or (with `digest`) not the content written.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return faults.SEGMENT_MISSING
    if size != segment.bytes:
        return faults.SEGMENT_DAMAGED
    if digest is not None:
        return None if digest(path) == segment.sha256 else faults.SEGMENT_DAMAGED
    return faults.SEGMENT_DAMAGED if segment.damaged else None
