"""`backup` and `restore`: a plant file and its store, as they are, to another place and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from celadon.adapters.plant_file import read_plant
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.plant.upkeep import Opened as HasStore
from celadon.store import Store
from celadon.store.backup import BESIDE, Copied, manifest_of
from celadon.store.backup import restore as restore_store

STORE_ELSEWHERE = FindingKind(
    "restore.store-elsewhere",
    Severity.WARNING,
    Text(en="Store restored to another place", zh="数据仓恢复到其他位置"),
    Text(
        en="The file keeps its store in {named}, outside its folder; it was restored to {placed}.",
        zh="该文件将数据仓放在其目录之外的 {named}；现已恢复到 {placed}。",
    ),
    Text(
        en="Write `store: {folder}` in the restored file, or move the folder to where the file says.",
        zh="请在恢复的文件中写 `store: {folder}`，或将该目录移到文件所述位置。",
    ),
)
CATALOGUE_HERE = FindingKind(
    "restore.catalogue-here",
    Severity.WARNING,
    Text(en="Catalogue restored into the store", zh="目录库已恢复到数据仓内"),
    Text(
        en="The plant file keeps the catalogue on a server ({named}); the restored one is in the store's folder.",
        zh="工厂文件将目录库放在服务器（{named}）；恢复的目录库在数据仓目录内。",
    ),
    Text(
        en="Take `catalogue:` out of the restored plant file, or load the source files into a new store with that server.",
        zh="请从恢复的工厂文件中删去 `catalogue:`，或用该服务器新建数据仓并重新加载源文件。",
    ),
)
_USUAL = "celadon-store"
Progress = Callable[[float, str], None]
Kept = Callable[[Path], tuple[str, str | None] | None]
"""A plant's or region's file → its store's folder and catalogue; None where the file cannot be read."""


class Opened(HasStore, Protocol):
    """A plant or a region whose file was read."""

    @property
    def file(self) -> Path:
        """The plant or region file."""


@dataclass(frozen=True)
class Backup:
    """What was copied; `digest` vouches for every fact up to `batch`."""

    folder: Path
    copied: Copied
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Shapes `backup/1` and `restore/1` without their findings."""
        return {
            "folder": str(self.folder), "batch": self.copied.batch, "facts_digest": self.copied.digest,
            "files": self.copied.files, "bytes": self.copied.bytes, "new_files": self.copied.new_files,
            "new_bytes": self.copied.new_bytes,
        }  # fmt: skip


def back_up(opened: Opened, folder: str | Path, progress: Progress | None = None) -> Backup:
    """Bring the backup in `folder` up to date; loaders may write meanwhile.

    The source files are not in it: what was read from them is.

    Raises:
        FindingError: no store yet; another thing is in `folder`; no room or no right to write there.
    """
    target = Path(folder).absolute()
    with opened.open_store() as store:
        beside = {opened.file.name: opened.file.read_bytes()}
        done = store.back_up(target, beside, _bytes(progress))
    return Backup(target, done, tuple(done.findings))


def restore(
    folder: str | Path, target: str | Path, progress: Progress | None = None, read: Kept | None = None
) -> Backup:
    """Make the new folder `target` the plant that the backup in `folder` holds; every file's digest is compared.

    `read` says what the file beside the store says of it (None = that of a plant).

    Raises:
        FindingError: `target` is not empty; `folder` is no backup, or a file of it is missing or damaged.
    """
    source, goal = Path(folder).absolute(), Path(target).absolute()
    beside = {path: PurePosixPath(path).name for path in manifest_of(source) if path.startswith(f"{BESIDE}/")}
    said = (read or of_plant)(source / next(iter(beside), ""))
    named, catalogue = said or (_USUAL, None)
    inside = not Path(named).is_absolute()
    store = PurePosixPath(named if inside else _USUAL).as_posix()
    done = restore_store(source, goal, store, beside, _bytes(progress))
    with Store.open(goal / store) as restored:
        snapshot = restored.snapshot()
        done.batch, done.digest = snapshot.upto, snapshot.digest()
    findings = list(done.findings)
    if not inside:
        where = Place(file=next(iter(beside.values())))
        findings.append(STORE_ELSEWHERE.at(where, named=named, placed=str(goal / store), folder=store))
    if catalogue:
        findings.append(CATALOGUE_HERE.at(Place(file=next(iter(beside.values()))), named=catalogue))
    return Backup(goal, done, tuple(findings))


def of_plant(plant_file: Path) -> tuple[str, str | None] | None:
    """Store and catalogue that a plant file names; None where it cannot be read."""
    model = read_plant(plant_file)[0] if plant_file.is_file() else None
    return None if model is None else (model.store, model.catalogue)


def _bytes(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(done / max(total, 1), f"{done / 1e6:,.0f} / {total / 1e6:,.0f} MB")
