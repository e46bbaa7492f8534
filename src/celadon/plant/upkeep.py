"""`verify` and `compact`: the store's own health."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.store import Store

Progress = Callable[[float, str], None]


class Opened(Protocol):
    """A plant or a region whose file was read."""

    @property
    def store_path(self) -> Path:
        """The folder of its store."""

    def open_store(self) -> Store:
        """Its store (FindingError `store.absent` before the first load)."""


@dataclass(frozen=True)
class Upkeep:
    """Bytes and segments before and after, and what was found."""

    bytes_before: int
    bytes_after: int
    segments_before: int
    segments_after: int
    batches: int
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Shapes `verify/1` and `compact/1` without their findings."""
        return {
            "ok": not self.findings, "batches": self.batches, "segments_before": self.segments_before,
            "segments_after": self.segments_after, "bytes_before": self.bytes_before, "bytes_after": self.bytes_after,
        }  # fmt: skip


def verify(opened: Opened, progress: Progress | None = None) -> Upkeep:
    """Compare every segment with its digest; nothing is changed but the marks of damaged segments."""
    with opened.open_store() as store:
        size, count = extent(opened.store_path)
        found = store.verify(steps(progress))
        return Upkeep(size, size, count, count, len(store.batches()), tuple(found))


def compact(opened: Opened, progress: Progress | None = None) -> Upkeep:
    """Merge small segments; every earlier answer stays as it was."""
    with opened.open_store() as store:
        size, count = extent(opened.store_path)
        store.compact(steps(progress))
        after, left = extent(opened.store_path)
        return Upkeep(size, after, count, left, len(store.batches()))


def steps(progress: Progress | None) -> Callable[[int, int], None] | None:
    """A callback that counts, out of one that tells shares."""
    if progress is None:
        return None
    return lambda done, total: progress(done / max(total, 1), f"{done}/{total}")


def extent(store: Path) -> tuple[int, int]:
    """Bytes and number of the segment files in a store's folder."""
    sizes = [path.stat().st_size for path in store.glob("segments/**/*.parquet")]
    return sum(sizes), len(sizes)
