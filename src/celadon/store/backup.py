"""Backup of a store while loaders write, into a BagIt folder, and restoring it.

The catalogue is copied first, as one snapshot; the segments it lists are immutable, so they may be copied afterwards. The
manifest is replaced last: killed at any moment, the folder still holds the backup before, and the next run goes on with what
was copied. A second backup copies the segments that are new.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.store import bag, faults, segments
from celadon.store.catalogue import Catalogue
from celadon.store.files import Files
from celadon.store.locking import take
from celadon.store.rows import Segment
from celadon.store.snapshot import damage
from celadon.store.sqlite import NAME, SQLiteDatabase
from celadon.store.sqlite_copy import writable_again

NOT_A_BACKUP = FindingKind(
    "backup.not-a-backup",
    Severity.ERROR,
    Text(en="Not a backup of a plant", zh="不是工厂备份"),
    Text(
        en="{path} holds files, but no backup made by Celadon.", zh="{path} 中有文件，但不是 Celadon 的备份。"
    ),
    Text(en="Name an empty folder, or the folder of a backup.", zh="请指定空目录或已有的备份目录。"),
)
OF_ANOTHER = FindingKind(
    "backup.of-another",
    Severity.ERROR,
    Text(en="Backup of other data", zh="备份属于其他数据"),
    Text(
        en="The backup in {path} ends with batch {batch}, which this store does not have with that content.",
        zh="{path} 的备份止于批次 {batch}，而本数据仓没有内容相同的该批次。",
    ),
    Text(
        en="It is of another plant, or of a later state of this one: keep it, and back up into an empty folder.",
        zh="该备份属于其他工厂，或为本工厂更新的状态：请保留，并改用空目录备份。",
    ),
)
INCOMPLETE = FindingKind(
    "backup.incomplete",
    Severity.ERROR,
    Text(en="Backup damaged or incomplete", zh="备份损坏或不完整"),
    Text(
        en="{count} file(s) of the backup in {path} are missing or not as they were written (the first: {file}).",
        zh="{path} 的备份有 {count} 个文件缺失或与写入时不一致（首个：{file}）。",
    ),
    Text(
        en="Restore from another copy of the backup; nothing was put in place.",
        zh="请从备份的其他副本恢复；目标目录未写入任何内容。",
    ),
)
RUNNING = FindingKind(
    "backup.running",
    Severity.ERROR,
    Text(en="Another backup is running", zh="另一备份正在进行"),
    Text(en="Another process works on {path}.", zh="另一进程正在处理 {path}。"),
    Text(en="Wait until it has finished, then run the command again.", zh="请等待其完成后重试。"),
)
DISK_FULL = FindingKind(
    "backup.disk-full",
    Severity.ERROR,
    Text(en="No room for the copy", zh="副本空间不足"),
    Text(
        en="There is no room to write into {path} ({free} bytes free).",
        zh="{path} 没有可写空间（剩余 {free} 字节）。",
    ),
    Text(
        en="Free space and run the command again: it goes on where it stopped, and an earlier backup there is intact.",
        zh="请清理空间后重试：将从中断处继续，已有的备份完好。",
    ),
)
EXISTS = FindingKind(
    "restore.exists",
    Severity.ERROR,
    Text(en="Something is there already", zh="目标已存在"),
    Text(en="{path} is not empty; nothing was overwritten.", zh="{path} 不为空；未覆盖任何内容。"),
    Text(en="Restore into a new or an empty folder.", zh="请恢复到新目录或空目录。"),
)
STORE = f"{bag.PAYLOAD}/store"
BESIDE = f"{bag.PAYLOAD}/plant"
FILINGS = "filings"
"""Folder of a store that holds what was filed: `checkpoint` says how much of `log` counts; all else is written once."""
"""Files beside the store, as they were."""
_BATCH, _DIGEST = "Celadon-Batch", "Celadon-Facts-Digest"
_LOCK = "in-use"
_PATIENCE = 3
"""So many times a compaction may overtake the copying before it has to wait."""
Progress = Callable[[int, int], None]
"""Bytes done, of how many."""


@dataclass(slots=True)
class Copied:
    """What a backup or a restore did; `digest` vouches for every fact up to batch `batch`."""

    files: int = 0
    bytes: int = 0
    new_files: int = 0
    new_bytes: int = 0
    batch: int = 0
    digest: str = ""
    findings: list[Finding] = field(default_factory=list)


def back_up(
    files: Files,
    catalogue: Catalogue,
    lock: Callable[[], AbstractContextManager[None]],
    folder: Path,
    beside: Mapping[str, bytes],
    progress: Progress | None = None,
) -> Copied:
    """Bring the backup in `folder` up to date with the store, and with the files `beside` it (name → content).

    `lock` is the writer's; it is taken only where compaction keeps overtaking. Damaged segments are findings: the
    backup keeps the sound copy of an earlier run, or is without them.

    Raises:
        FindingError: `backup.not-a-backup`, `backup.of-another`, `backup.running`, `backup.disk-full`,
            `store.catalogue-damaged`, `store.not-writable`.
    """
    with _writing(folder):
        _ours(folder)
        segments.make_folder(folder)
        with _alone(folder):
            run = _Run(files, catalogue, folder, _begin(folder, catalogue), progress)
            for _ in range(_PATIENCE):
                if run.attempt():
                    break
            else:
                with lock():
                    run.attempt()
            run.put(beside)
            run.put_filings()
            return run.finish()


class _Run:
    """One backup on its way."""

    def __init__(
        self,
        files: Files,
        catalogue: Catalogue,
        folder: Path,
        old: Mapping[str, str],
        progress: Progress | None,
    ) -> None:
        self.files, self.catalogue, self.folder, self.old = files, catalogue, folder, old
        self.entries: dict[str, str] = {}
        self.done = Copied()
        self._progress = progress
        self._total = self._moved = 0

    def attempt(self) -> bool:
        """Copy a catalogue and its segments; False where compaction removed some of them meanwhile."""
        self.entries, self.done = {}, Copied()
        listed = self._copy_catalogue()
        self._moved, self._total = 0, sum(item.bytes for item in listed)
        return all(self._copy_segment(item) for item in listed)

    def _copy_catalogue(self) -> list[Segment]:
        draft = self.folder / "catalogue"
        segments.make_folder(draft)
        self.catalogue.database.copy_to(draft)
        copy = Catalogue(SQLiteDatabase(draft, writes=False))
        try:
            self.done.batch = copy.last_batch()
            self.done.digest = _digest(copy, self.done.batch)
            listed = copy.segments("1 = 1")
        finally:
            copy.close()
        # Its name says its content, so that the one which the manifest in force names stays until that is replaced.
        sha256, size = segments.force_and_digest(draft / NAME)
        path = f"{STORE}/{_catalogue_name(sha256)}"
        segments.make_folder((self.folder / path).parent)
        (draft / NAME).replace(self.folder / path)
        draft.rmdir()
        segments.force_folder((self.folder / path).parent)
        self._add(path, sha256, size, new=path not in self.old)
        return listed

    def _copy_segment(self, segment: Segment) -> bool:
        path = f"{STORE}/{segment.path}"
        target = self.folder / path
        kept = self.old.get(path) == segment.sha256 and _size(target) == segment.bytes
        if kept:
            self._tell(segment.bytes)
        else:
            try:
                whole = bag.copy_in(self.files.path(segment), target, segment.sha256, self._tell)
            except FileNotFoundError:
                if not self.catalogue.segments("id = ?", segment.id):
                    return False
                self.done.findings.append(damage(faults.SEGMENT_MISSING, segment, self.catalogue))
                return True
            if not whole:
                self.done.findings.append(damage(faults.SEGMENT_DAMAGED, segment, self.catalogue))
                return True
        self._add(path, segment.sha256, segment.bytes, new=not kept)
        return True

    def put(self, beside: Mapping[str, bytes]) -> None:
        """Add small files, each under a name that says its content."""
        for name, content in beside.items():
            self._put(BESIDE, name, content)

    def put_filings(self) -> None:
        """Add what was filed. The checkpoint is read first: whatever it counts is there by then, and stays."""
        source = self.files.folder / FILINGS
        if not (source / "checkpoint").is_file():
            return
        for name in ("checkpoint", "log"):
            self._put(f"{STORE}/{FILINGS}", name, (source / name).read_bytes())
        for file in sorted(item for item in source.iterdir() if item.suffix in (".zip", ".tlog-proof")):
            sha256, size = segments.digest_of(file), _size(file)
            path = f"{STORE}/{FILINGS}/{sha256[:12]}/{file.name}"
            bag.copy_in(file, self.folder / path, sha256, lambda _: None)
            self._add(path, sha256, size, new=path not in self.old)

    def _put(self, above: str, name: str, content: bytes) -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        path = f"{above}/{sha256[:12]}/{name}"
        file = self.folder / path
        if _size(file) != len(content) or segments.digest_of(file) != sha256:
            segments.make_folder(file.parent)
            draft = file.with_name(name + bag.PART)
            draft.write_bytes(content)
            segments.force_and_digest(draft)
            draft.replace(file)
            segments.force_folder(file.parent)
        self._add(path, sha256, len(content), new=path not in self.old)

    def finish(self) -> Copied:
        """From here on the folder holds this backup."""
        bag.write_manifest(self.folder, self.entries)
        bag.write_info(self.folder, _labels(self.done))
        bag.remove_unlisted(self.folder, self.entries)
        return self.done

    def _add(self, path: str, sha256: str, size: int, *, new: bool) -> None:
        self.entries[path] = sha256
        self.done.files += 1
        self.done.bytes += size
        self.done.new_files += new
        self.done.new_bytes += size * new

    def _tell(self, count: int) -> None:
        self._moved += count
        if self._progress is not None:
            self._progress(min(self._moved, self._total), self._total)


def restore(
    folder: Path, target: Path, store: str, beside: Mapping[str, str], progress: Progress | None = None
) -> Copied:
    """Put the backup in `folder` in place as the new folder `target`: its store in `target`/`store`, and the files
    `beside` it (path in the bag → path in `target`).

    Everything is copied and compared beside `target` first; it appears whole or not at all. Killed, the next run goes on.

    Raises:
        FindingError: `restore.exists`, `backup.not-a-backup`, `backup.incomplete`, `backup.running`, `backup.disk-full`.
    """
    entries = manifest_of(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FindingError(EXISTS.at(Place(file=str(target)), path=str(target)))
    places = {path: _place(path, store, beside) for path in entries}
    draft = target.with_name(target.name + ".restoring")
    with _writing(target):
        segments.make_folder(draft)
        with _alone(draft):
            done = _copy_all(folder, draft, places, entries, progress)
            _remove_others(draft, {draft / place for place in places.values()})
            writable_again(draft / store / NAME)
            segments.force_folder(draft / store)
        (draft / _LOCK).unlink()
        if target.exists():
            target.rmdir()
        draft.rename(target)
        segments.force_folder(target.parent)
    return done


def _remove_others(draft: Path, ours: set[Path]) -> None:
    """Remove what an earlier restore of another state left: beside our catalogue its log would be poison."""
    for file in draft.rglob("*"):
        if file.is_file() and file not in ours and file != draft / _LOCK:
            file.unlink()


def _copy_all(
    folder: Path,
    draft: Path,
    places: Mapping[str, str],
    entries: Mapping[str, str],
    progress: Progress | None,
) -> Copied:
    done, bad = Copied(), []
    total, moved = sum(_size(folder / path) for path in entries), 0

    def tell(count: int) -> None:
        nonlocal moved
        moved += count
        if progress is not None:
            progress(min(moved, total), total)

    for path, sha256 in entries.items():
        source, goal = folder / path, draft / places[path]
        there = _size(goal)
        if not source.is_file() or not bag.copy_in(source, goal, sha256, tell):
            bad.append(path)
            continue
        done.files, done.bytes = done.files + 1, done.bytes + _size(goal)
        done.new_files, done.new_bytes = (
            done.new_files + (there < 0),
            done.new_bytes + _size(goal) * (there < 0),
        )
    if bad:
        where = Place(file=str(folder))
        raise FindingError(INCOMPLETE.at(where, path=str(folder), count=len(bad), file=bad[0]))
    return done


def manifest_of(folder: Path) -> dict[str, str]:
    """Path → SHA-256 of a backup's files (FindingError `backup.not-a-backup`)."""
    try:
        entries = bag.read_manifest(folder)
    except (ValueError, UnicodeDecodeError):
        entries = {}
    if _DIGEST not in bag.read_info(folder) or not any(_is_catalogue(path) for path in entries):
        raise FindingError(NOT_A_BACKUP.at(Place(file=str(folder)), path=str(folder)))
    return entries


def refetch(store: Path, folder: Path, wanted: list[Segment]) -> list[Segment]:
    """Put segments that are missing or damaged back from the backup in `folder`; those that could be."""
    entries = manifest_of(folder)
    found = []
    for segment in wanted:
        path = f"{STORE}/{segment.path}"
        with faults.as_findings(store):
            if entries.get(path) == segment.sha256 and (folder / path).is_file():
                target = store / segment.path
                if bag.copy_in(folder / path, target, segment.sha256, lambda _: None):
                    found.append(segment)
    return found


def _ours(folder: Path) -> None:
    """FindingError where `folder` holds something else than a backup."""
    begun = {bag.INFO + bag.PART, _LOCK}
    if not folder.exists() or _DIGEST in bag.read_info(folder):
        return
    if not folder.is_dir() or any(item.name not in begun for item in folder.iterdir()):
        raise FindingError(NOT_A_BACKUP.at(Place(file=str(folder)), path=str(folder)))


def _begin(folder: Path, catalogue: Catalogue) -> dict[str, str]:
    """Check that the backup in `folder` is an earlier one of this store; the manifest in force there."""
    info = bag.read_info(folder)
    batch = int(info.get(_BATCH, "0"))
    if batch and _digest(catalogue, batch) != info[_DIGEST]:
        raise FindingError(OF_ANOTHER.at(Place(file=str(folder)), path=str(folder), batch=batch))
    if not info:
        bag.write_info(folder, _labels(Copied()))
    return bag.read_manifest(folder)


def _digest(catalogue: Catalogue, batch: int) -> str:
    return str(catalogue.one("SELECT digest FROM batch WHERE id = ?", batch) or "")


def _labels(done: Copied) -> dict[str, str]:
    return {
        "Bag-Software-Agent": "Celadon",
        "External-Description": "Backup of a plant and its store",
        "Bagging-Date": f"{datetime.now(UTC):%Y-%m-%d}",
        _BATCH: str(done.batch),
        _DIGEST: done.digest,
    }


def _place(path: str, store: str, beside: Mapping[str, str]) -> str:
    if _is_catalogue(path):
        return f"{store}/{NAME}"
    if path.startswith(f"{STORE}/{FILINGS}/"):
        return f"{store}/{FILINGS}/{path.rsplit('/', 1)[-1]}"
    if path.startswith(f"{STORE}/"):
        return f"{store}/{path.removeprefix(STORE + '/')}"
    return beside.get(path, path.removeprefix(f"{bag.PAYLOAD}/"))


def _catalogue_name(sha256: str) -> str:
    return f"catalogue-{sha256[:12]}.sqlite"


def _is_catalogue(path: str) -> bool:
    return path.startswith(f"{STORE}/catalogue-") and path.endswith(".sqlite")


def _size(file: Path) -> int:
    """Bytes of a file, −1 where there is none."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return -1


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the one process that writes `folder`; a killed one does not keep others out."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not take(handle, wait=False):
            raise FindingError(RUNNING.at(Place(file=str(folder)), path=str(folder)))
        yield
    finally:
        os.close(handle)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Make the folder above and turn a full disk into a Finding that says what it means here."""
    try:
        with faults.as_findings(folder):
            yield
    except FindingError as error:
        if [item.kind for item in error.findings] != [faults.DISK_FULL]:
            raise
        raise FindingError(
            DISK_FULL.at(Place(file=str(folder)), path=str(folder), free=faults.free_bytes(folder))
        ) from error
