"""Which files a source names, whether they are loaded already, and what their rows' meaning depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from functools import lru_cache
from pathlib import Path

from celadon.adapters.plant_file import source_files
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.model import Plant as PlantModel
from celadon.core.model import Source
from celadon.core.same import Same
from celadon.core.text import Text, text_of
from celadon.plant.hashes import Hashes
from celadon.plant.opened import Opened
from celadon.store import StoredFile

FILE_UNREADABLE = FindingKind(
    "source.unreadable",
    Severity.ERROR,
    Text(en="File cannot be read", zh="文件无法读取"),
    Text(en="{file} cannot be read: {why}.", zh="{file} 无法读取：{why}。"),
    Text(
        en="Check that the file is there and that you may read it, then load again.",
        zh="请确认文件存在且有读取权限，然后重新加载。",
    ),
)


@dataclass(frozen=True)
class InputFile:
    """One file of one source as it is now."""

    source: Source
    path: Path
    name: str
    """As shown: from the plant file's folder, with `/`."""
    bytes: int
    sha256: str
    mapping: str
    """Digest of everything besides the file that its rows depend on."""


def input_files(opened: Opened, findings: Findings, hashes: Hashes) -> Iterator[InputFile]:
    """Every file of every source, in the order of the plant file and then by name; one that cannot be read is a finding."""
    for source in opened.model.sources:
        mapping = mapping_digest(source, opened.model)
        paths, said = source_files(opened.model, source)
        staged = [(item.name, item.path) for item in opened.staged if item.source == source.id]
        findings.extend(item for item in said if not staged)
        for name, path in [*((shown(opened, path), path) for path in paths), *staged]:
            try:
                size, sha256 = hashes.sha256(path)
            except OSError as error:
                findings.add(FILE_UNREADABLE.at(Place(file=name), file=name, why=text_of(error)))
                continue
            yield InputFile(source, path, name, size, sha256, mapping)


def shown(opened: Opened, path: Path) -> str:
    """A file's name for people: from the plant file's folder where it lies below it."""
    try:
        return path.relative_to(opened.folder).as_posix()
    except ValueError:
        return path.as_posix()


def mapping_digest(source: Source, model: PlantModel) -> str:
    """Digest of how a source's files are read: its settings, and what it needs to know of the meters it may name."""
    return _mapping_digest(Same(source), Same(model))


@lru_cache(maxsize=64)
def _mapping_digest(same_source: Same[Source], same_model: Same[PlantModel]) -> str:
    source, model = same_source.item, same_model.item
    # Defaults are left out, so that a setting added to Celadon later does not make every file look unread.
    settings = [
        [item.name, str(getattr(source, item.name))]
        for item in fields(source)
        if item.name not in ("id", "files", "where", "uncertainty")
        and (item.default is MISSING or getattr(source, item.name) != item.default)
    ]
    wide = {meter for _, meter in source.columns} if source.meter_column is None else None
    meters = [
        [
            meter.id,
            meter.unit,
            meter.stamp.value,
            meter.interval_seconds,
            meter.kind.value,
            [[str(c.at), c.unit] for c in meter.changes if c.unit],
        ]
        for meter in model.meters
        if source.role == "readings" and (wide is None or meter.id in wide)
    ]
    zones = [[site.id, site.zone] for site in model.sites]
    text = json.dumps([settings, meters, zones, model.zone], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def superseded(files: list[StoredFile]) -> set[int]:
    """Ids of files whose rows no longer count: the same content was read again later with another mapping.

    Without this a wrong zone or column, once loaded, would leave its readings behind for good.
    """
    last: dict[tuple[str, str, str], StoredFile] = {}
    gone: set[int] = set()
    for file in files:
        earlier = last.get((file.source_id, file.name, file.sha256))
        if earlier is not None and earlier.mapping_digest != file.mapping_digest:
            gone.add(earlier.id)
        last[(file.source_id, file.name, file.sha256)] = file
    return gone
