"""`backup` and `restore`: a plant file and its store, as they are, to another place and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from celadon.adapters.plant_file import read_plant
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.plant.opened import Opened
from celadon.store import Store
from celadon.store.backup import BESIDE, Copied, manifest_of
from celadon.store.backup import restore as restore_store

STORE_ELSEWHERE = FindingKind(
    "restore.store-elsewhere",
    Severity.WARNING,
    Text(en="Store restored to another place", zh="数据仓恢复到其他位置"),
    Text(
        en="The plant file keeps its store in {named}, outside its folder; it was restored to {placed}.",
        zh="工厂文件将数据仓放在其目录之外的 {named}；现已恢复到 {placed}。",
    ),
    Text(
        en="Write `store: {folder}` in the restored plant file, or move the folder to where the file says.",
        zh="请在恢复的工厂文件中写 `store: {folder}`，或将该目录移到文件所述位置。",
    ),
)
_USUAL = "celadon-store"
Progress = Callable[[float, str], None]


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
    with Store.open(opened.store_path) as store:
        beside = {opened.file.name: opened.file.read_bytes()}
        done = store.back_up(target, beside, _bytes(progress))
    return Backup(target, done, tuple(done.findings))


def restore(folder: str | Path, target: str | Path, progress: Progress | None = None) -> Backup:
    """Make the new folder `target` the plant that the backup in `folder` holds; every file's digest is compared.

    Raises:
        FindingError: `target` is not empty; `folder` is no backup, or a file of it is missing or damaged.
    """
    source, goal = Path(folder).absolute(), Path(target).absolute()
    beside = {path: PurePosixPath(path).name for path in manifest_of(source) if path.startswith(f"{BESIDE}/")}
    named = _store_named(source / next(iter(beside), ""))
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
    return Backup(goal, done, tuple(findings))


def _store_named(plant_file: Path) -> str:
    """Where a plant file keeps its store."""
    model, _ = read_plant(plant_file) if plant_file.is_file() else (None, None)
    return _USUAL if model is None else model.store


def _bytes(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(done / max(total, 1), f"{done / 1e6:,.0f} / {total / 1e6:,.0f} MB")
