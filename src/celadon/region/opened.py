"""Opened: a region file as read, and where its store is."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Findings
from celadon.region.model import RegionFile
from celadon.region.reader import read_region, region_path
from celadon.store import Store


@dataclass(frozen=True)
class Opened:
    """What the region file says now."""

    file: Path
    region: RegionFile
    text: str = field(repr=False)
    """The region file as written, which the store keeps with what is loaded under it."""
    findings: tuple[Finding, ...] = ()
    catalogue: str | None = None
    """Address of the catalogue of a store that is made now; a store that is there knows its own."""
    segments: str | None = None
    """Address of the object store for its segments, likewise."""

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def store_path(self) -> Path:
        return self.folder / self.region.store

    def open_store(self) -> Store:
        """The region's store (FindingError `store.absent` before the first load)."""
        return Store.open(self.store_path, catalogue=self.catalogue, objects=self.segments)

    def open_or_create_store(self) -> Store:
        """The region's store, made where there is none, its parts where they are asked for."""
        return Store.open_or_create(self.store_path, catalogue=self.catalogue, objects=self.segments)

    def sound(self) -> None:
        """FindingError when the region file has errors: nothing is loaded on half a region."""
        errors = Findings(list(self.findings)).errors
        if errors:
            raise FindingError(errors)


def open_file(path: str | Path, catalogue: str | None = None, segments: str | None = None) -> Opened:
    """Read the region file at `path` (a file, or a folder that holds region.yaml).

    Raises:
        FindingError: nothing can be built from it. Lesser faults are in `.findings`.
    """
    region, findings = read_region(path)
    if region is None:
        raise FindingError(list(findings))
    file = region_path(path)
    return Opened(file, region, file.read_text("utf-8"), tuple(findings), catalogue, segments)
