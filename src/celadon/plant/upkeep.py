"""`verify` and `compact`: the store's own health."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celadon.core.findings import Finding
from celadon.plant.opened import Opened

Progress = Callable[[float, str], None]


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
        size, count = _extent(opened)
        found = store.verify(_steps(progress))
        return Upkeep(size, size, count, count, len(store.batches()), tuple(found))


def compact(opened: Opened, progress: Progress | None = None) -> Upkeep:
    """Merge small segments; every earlier answer stays as it was."""
    with opened.open_store() as store:
        size, count = _extent(opened)
        store.compact(_steps(progress))
        after, left = _extent(opened)
        return Upkeep(size, after, count, left, len(store.batches()))


def _steps(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(done / max(total, 1), f"{done}/{total}")


def _extent(opened: Opened) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in opened.store_path.glob("segments/**/*.parquet")]
    return sum(sizes), len(sizes)
