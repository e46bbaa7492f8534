"""Folders packed the way BagIt (RFC 8493) says: payload under data/, a manifest of SHA-256 beside it.

Any BagIt tool checks such a folder, and so does `sha256sum -c manifest-sha256.txt`. The manifest is replaced in one
step and is all that counts: files that it does not name are work in progress.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.store.segments import digest_of, force_folder, make_folder

PAYLOAD = "data"
MANIFEST = "manifest-sha256.txt"
DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
PART = ".part"
_DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_CHUNK = 1 << 20
Moved = Callable[[int], None]
"""Called with the bytes just dealt with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the payload; `path` is relative to the bag, with `/`."""

    path: str
    sha256: str


def read_manifest(folder: Path) -> dict[str, str]:
    """Path → SHA-256 of the payload; empty where there is no manifest (ValueError for a line that is none)."""
    file = folder / MANIFEST
    if not file.is_file():
        return {}
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        sha256, blank, path = line.partition(" ")
        path = _plain(path.lstrip(" *"))
        inside = path.startswith(f"{PAYLOAD}/") and ".." not in path.split("/")
        if len(sha256) != 64 or not blank or not inside:
            raise ValueError(line)
        found[path] = sha256.lower()
    return found


def write_manifest(folder: Path, entries: Mapping[str, str]) -> None:
    """Make these files the payload; durable, and all or nothing."""
    lines = [f"{entries[path]}  {_encoded(path)}\n" for path in sorted(entries)]
    write_tag(folder, MANIFEST, "".join(lines))


def read_info(folder: Path) -> dict[str, str]:
    """The labels of bag-info.txt; empty where there is none."""
    try:
        text = (folder / INFO).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {label: value.strip() for label, _, value in (line.partition(":") for line in text.splitlines())}


def write_info(folder: Path, labels: Mapping[str, str]) -> None:
    """Say what the bag is, and that it is one."""
    write_tag(folder, INFO, "".join(f"{label}: {value}\n" for label, value in labels.items()))
    write_tag(folder, DECLARATION, _DECLARED)


def write_tag(folder: Path, name: str, text: str) -> None:
    """Write a small file beside the payload; all of it or none, forced to disk."""
    target = folder / name
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return
    draft = folder / (name + PART)
    with draft.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(target)
    force_folder(folder)


def copy_in(source: Path, target: Path, sha256: str, moved: Moved) -> bool:
    """Make `target` a copy of `source` with that digest, durable, whole or not there; False where the digest differs.

    A target that has the digest already is kept: what a killed copy had finished is not copied again.
    """
    if target.is_file() and target.stat().st_size == source.stat().st_size and digest_of(target) == sha256:
        moved(source.stat().st_size)
        return True
    make_folder(target.parent)
    draft = target.with_name(target.name + PART)
    made = hashlib.sha256()
    with source.open("rb") as stream, draft.open("wb") as out:
        while block := stream.read(_CHUNK):
            made.update(block)
            out.write(block)
            moved(len(block))
        out.flush()
        os.fsync(out.fileno())
    if made.hexdigest() != sha256:
        draft.unlink()
        return False
    draft.replace(target)
    force_folder(target.parent)
    return True


def remove_unlisted(folder: Path, entries: Mapping[str, str]) -> int:
    """Remove payload files that the manifest does not name, and folders left empty; how many files."""
    count = 0
    for file in sorted((folder / PAYLOAD).rglob("*"), reverse=True):
        if file.is_dir():
            if not any(file.iterdir()):
                file.rmdir()
        elif file.relative_to(folder).as_posix() not in entries:
            file.unlink()
            count += 1
    return count


def _encoded(path: str) -> str:
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _plain(path: str) -> str:
    return path.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
