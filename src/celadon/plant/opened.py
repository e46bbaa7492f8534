"""Opened: a plant file as read, where its store is, and a database connection to work with."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import field
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

from celadon.adapters.plant_file import plant_digest, plant_from_json, plant_path, plant_to_json, read_plant
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import parse_instant
from celadon.core.text import Text
from celadon.store import Snapshot, Store

CHANGED_SINCE_LOAD = FindingKind(
    "plant.changed-since-load",
    Severity.WARNING,
    Text(en="Plant file changed since the last load", zh="工厂文件在上次加载后已更改"),
    Text(
        en="{file} says something else than when the plant was last loaded; this answer follows what was loaded.",
        zh="{file} 与上次加载时不同；本结果依据已加载的版本。",
    ),
    Text(
        en="`celadon load` records the change from now on; `celadon compare --pending` shows what it would do.",
        zh="用 `celadon load` 记录更改；用 `celadon compare --pending` 预览其影响。",
    ),
)
AS_OF_EARLY = FindingKind(
    "plant.as-of-early",
    Severity.ERROR,
    Text(en="Nothing was known yet", zh="当时尚无数据"),
    Text(
        en="Nothing had been loaded at {as_of}; the first load was recorded at {first}.",
        zh="{as_of} 时尚未加载任何数据；首次加载记录于 {first}。",
    ),
    Text(en="Give a later --as-of.", zh="请给出更晚的 --as-of。"),
)

_KEPT = 4


@dataclass(frozen=True)
class Staged:
    """A file that is not in its place yet: the source it is for, the name it will have, where it is now."""

    source: str
    name: str
    path: Path


class StoredPlants:
    """Plants by the text the store keeps; the last few that were stored from here need not be read back."""

    def __init__(self) -> None:
        self._ours: OrderedDict[str, tuple[PlantModel, str]] = OrderedDict()

    def put(self, text: str, model: PlantModel, digest: str) -> None:
        """What `text` says was stored: the plant and its digest."""
        self._ours[text] = model, digest
        while len(self._ours) > _KEPT:
            self._ours.popitem(last=False)

    def of(self, text: str) -> tuple[PlantModel, str]:
        """A stored plant and its digest."""
        return self._ours.get(text) or decoded(text)


@dataclass(frozen=True)
class Opened:
    """What the plant file says now, and where things are. Holds no open file and no connection."""

    file: Path
    model: PlantModel
    findings: tuple[Finding, ...] = field(default=(), repr=False)
    """What reading the plant file found."""
    catalogue: str | None = None
    """Address of the store's catalogue, in place of the plant file's."""
    segments: str | None = None
    """Address of the object store that keeps its segments, in place of the plant file's."""
    staged: tuple[Staged, ...] = ()
    """Files looked at as if they were in their places; only ever for a preview."""
    stored: StoredPlants = field(default_factory=StoredPlants, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """The plant file's folder, from which its file names count."""
        return self.file.parent

    @property
    def store_path(self) -> Path:
        return self.folder / self.model.store

    @property
    def _catalogue(self) -> str | None:
        return self.catalogue or self.model.catalogue or None

    @property
    def _objects(self) -> str | None:
        return self.segments or self.model.segments or None

    def open_store(self) -> Store:
        """The plant's store (FindingError `store.absent` before the first load)."""
        return Store.open(self.store_path, catalogue=self._catalogue, objects=self._objects)

    def open_or_create_store(self) -> Store:
        """The plant's store, made where there is none."""
        return Store.open_or_create(self.store_path, catalogue=self._catalogue, objects=self._objects)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the plant means, wherever its file is."""
        return plant_digest(self.model)

    @cached_property
    def text(self) -> str:
        """The plant as the store keeps it."""
        return plant_to_json(self.model)

    @property
    def errors(self) -> list[Finding]:
        return Findings(list(self.findings)).errors

    def sound(self) -> None:
        """FindingError when the plant file has errors: nothing is loaded or answered on half a plant."""
        if self.errors:
            raise FindingError(self.errors)


def open_file(path: str | Path) -> Opened:
    """Read the plant file at `path` (a file, or a folder that holds plant.yaml).

    Raises:
        FindingError: nothing can be built from it. Lesser faults are in `.findings`.
    """
    model, findings = read_plant(path)
    if model is None:
        raise FindingError(list(findings))
    return Opened(plant_path(path), model, tuple(findings))


@dataclass(frozen=True)
class View:
    """The facts and the plant as they were known at one moment (or with a batch that is not committed yet)."""

    store: Store
    snapshot: Snapshot
    model: PlantModel
    digest: str
    """Of the plant's meaning (`plant_digest`)."""
    findings: tuple[Finding, ...] = ()


@lru_cache(maxsize=16)
def decoded(text: str) -> tuple[PlantModel, str]:
    """A stored plant and its digest."""
    model = plant_from_json(text)
    return model, plant_digest(model)


def view(opened: Opened, store: Store, as_of: str | datetime | None = None) -> View:
    """What was known at `as_of` (an instant or date in the plant's zone; None = now), plant included.

    Raises:
        FindingError: nothing had been loaded by then.
    """
    moment = parse_instant(as_of, opened.model.zone) if isinstance(as_of, str) else as_of
    snapshot = store.snapshot(moment)
    text = snapshot.plant_json()
    if text is None:
        batches = store.batches()
        first = batches[0].recorded_at.isoformat() if batches else "—"
        raise FindingError(AS_OF_EARLY.at(Place(file=str(opened.file)), as_of=as_of or "—", first=first))
    snapshot.still_told()
    findings: tuple[Finding, ...] = ()
    model, digest = (opened.model, opened.digest) if text == opened.text else opened.stored.of(text)
    if digest == opened.digest:
        model = opened.model  # says where in the file as it is now
    elif moment is None:
        findings = (CHANGED_SINCE_LOAD.at(Place(file=str(opened.file)), file=opened.file.name),)
    return View(store, snapshot, model, digest, findings)
