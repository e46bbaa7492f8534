"""Opened: a region file as read, and where its store is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from celadon.core.findings import Finding, FindingError, Findings
from celadon.region.model import RegionFile
from celadon.region.reader import read_region, region_path


@dataclass(frozen=True)
class Opened:
    """What the region file says now."""

    file: Path
    region: RegionFile
    text: str = field(repr=False)
    """The region file as written, which the store keeps with what is loaded under it."""
    findings: tuple[Finding, ...] = ()

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def store_path(self) -> Path:
        return self.folder / self.region.store

    def sound(self) -> None:
        """FindingError when the region file has errors: nothing is loaded on half a region."""
        errors = Findings(list(self.findings)).errors
        if errors:
            raise FindingError(errors)


def open_file(path: str | Path) -> Opened:
    """Read the region file at `path` (a file, or a folder that holds region.yaml).

    Raises:
        FindingError: nothing can be built from it. Lesser faults are in `.findings`.
    """
    region, findings = read_region(path)
    if region is None:
        raise FindingError(list(findings))
    file = region_path(path)
    return Opened(file, region, file.read_text("utf-8"), tuple(findings))
