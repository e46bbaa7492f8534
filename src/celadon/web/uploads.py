"""Uploads: files on their way into a plant, in `.celadon/uploads/PLANT/ID/` of the folder served, until they are taken or dropped.

A file comes in parts. Each part says where it begins, and is taken only if that is how much is there already: so a sender
that lost the line, or whose server was killed, asks how much is there and goes on. The file counts once its length and
its SHA-256 are those announced; until then nothing but this module sees it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Severity
from celadon.core.findings import Place as Where
from celadon.core.text import Text

UNKNOWN = FindingKind(
    "upload.unknown",
    Severity.ERROR,
    Text("No such upload", "没有该上传"),
    Text("There is no upload {id} for this plant.", "本工厂没有编号为 {id} 的上传。"),
    Text(
        "Begin it again; what is not finished within a week is dropped.",
        "请重新开始；一周内未完成的上传会被清除。",
    ),
)
OUT_OF_STEP = FindingKind(
    "upload.offset",
    Severity.ERROR,
    Text("Part does not follow", "分段不衔接"),
    Text(
        "{offset} bytes are there, and the part begins at {given}.",
        "已有 {offset} 字节，而该分段从 {given} 开始。",
    ),
    Text("Ask how much is there and go on from that.", "请查询已有长度并从该处继续。"),
)
NOT_WHOLE = FindingKind(
    "upload.digest",
    Severity.ERROR,
    Text("Not what was announced", "与声明不符"),
    Text(
        "What arrived of {name} has another SHA-256 than was announced; it was dropped.",
        "收到的 {name} 与声明的 SHA-256 不符，已丢弃。",
    ),
    Text("Send it again from the beginning.", "请从头重新发送。"),
)
TOO_BIG = FindingKind(
    "upload.too-big",
    Severity.ERROR,
    Text("File too large", "文件过大"),
    Text(
        "{name} has {size} bytes; an upload may have {limit}.",
        "{name} 为 {size} 字节；上传上限为 {limit} 字节。",
    ),
    Text(
        "Put it into the plant's folder on the server, or split it.",
        "请将其放入服务器上的工厂文件夹，或拆分。",
    ),
)
TOO_MANY = FindingKind(
    "upload.too-many",
    Severity.ERROR,
    Text("Too many uploads wait", "待处理的上传过多"),
    Text("{count} uploads wait for this plant.", "本工厂已有 {count} 个待处理的上传。"),
    Text("Take them in or drop them first.", "请先处理或清除它们。"),
)
LARGEST = 2 << 30
MOST = 50
_KEPT = timedelta(days=7)
_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class Upload:
    """One file on its way. `offset` is how much is there; it is whole once that is `size` and the digest was checked."""

    id: str
    name: str
    size: int
    sha256: str
    by: str
    at: str
    offset: int
    whole: bool
    path: Path


class Uploads:
    """The uploads for one plant."""

    def __init__(self, memory: Path, plant: str) -> None:
        self._folder = memory / "uploads" / plant

    def all(self) -> list[Upload]:
        """Those there are, newest first; what was never finished is dropped after a week."""
        found = []
        for folder in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            upload = _read(folder)
            if upload is None or datetime.now(UTC) - datetime.fromisoformat(upload.at) > _KEPT:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                found.append(upload)
        return sorted(found, key=lambda one: one.at, reverse=True)

    def get(self, ident: str, *, whole: bool = False) -> Upload:
        """One of them (FindingError `upload.unknown`; also where a `whole` one is asked for and it is not)."""
        found = _read(self._folder / ident) if _ID.fullmatch(ident) else None
        if found is None or (whole and not found.whole):
            raise FindingError(UNKNOWN.at(Where(subject=ident), id=ident))
        return found

    def begin(self, name: str, size: int, sha256: str, by: str) -> Upload:
        """Announce a file; one that was announced before by the same person goes on where it is."""
        plain = plain_name(name)
        for known in self.all():
            if (known.name, known.size, known.sha256, known.by) == (plain, size, sha256, by):
                return known
        if size > LARGEST:
            raise FindingError(TOO_BIG.at(Where(file=plain), name=plain, size=size, limit=LARGEST))
        if len(self.all()) >= MOST:
            raise FindingError(TOO_MANY.at(Where(file=plain), count=MOST))
        ident = secrets.token_hex(12)
        folder = self._folder / ident
        made = folder.with_name(f".{ident}")
        made.mkdir(parents=True, mode=0o700)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        (made / "about.json").write_text(
            json.dumps({"name": plain, "size": size, "sha256": sha256, "by": by, "at": at}), "utf-8"
        )
        (made / "part").touch()
        os.rename(made, folder)  # there at once with everything, or not at all
        return self.get(ident)

    def add(self, ident: str, offset: int, data: bytes) -> Upload:
        """Take a part; the last one makes the file whole (FindingError where it does not follow, or the digest is another)."""
        known = self.get(ident)
        if known.whole and offset + len(data) <= known.size:
            return known  # sent again
        if offset != known.offset or offset + len(data) > known.size:
            raise FindingError(OUT_OF_STEP.at(Where(file=known.name), offset=known.offset, given=offset))
        with known.path.open("ab") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        return self._finished(ident)

    def _finished(self, ident: str) -> Upload:
        known = self.get(ident)
        if known.offset < known.size or known.whole:
            return known
        if _digest(known.path) != known.sha256:
            self.drop(ident)
            raise FindingError(NOT_WHOLE.at(Where(file=known.name), name=known.name))
        os.rename(known.path, known.path.with_name("whole"))
        return self.get(ident)

    def drop(self, ident: str) -> None:
        """Forget an upload."""
        shutil.rmtree(self.get(ident).path.parent, ignore_errors=True)


def plain_name(name: str) -> str:
    """A name without folders or signs that a file system or a pattern would take for something else."""
    last = re.split(r"[\\/]", name)[-1]
    return re.sub(r"[^\w .()（）+-]", "_", last).strip(" .")[:120] or "file"


def _read(folder: Path) -> Upload | None:
    """The upload in a folder; None where there is none, or only what a kill left of one."""
    try:
        about = json.loads((folder / "about.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    whole = (folder / "whole").exists()
    path = folder / ("whole" if whole else "part")
    offset = path.stat().st_size if path.exists() else 0
    return Upload(
        folder.name,
        about["name"],
        about["size"],
        about["sha256"],
        about["by"],
        about["at"],
        offset,
        whole,
        path,
    )


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    for piece in _pieces(path):
        found.update(piece)
    return found.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            yield piece
