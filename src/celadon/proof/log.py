"""The filings of a plant, kept in its store's folder, and the append-only log over them.

`filings/` holds each package as `<id>.zip` with its `<id>.tlog-proof`, the log's entries one a line in `log`, and
`checkpoint`, a signed tree head. The checkpoint is the commit: what it does not count is work that was never finished, and the
next writer takes it away. Nothing that it counts is ever written again.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, Place
from celadon.proof import faults, merkle
from celadon.proof.verifier import Key, note_holds, read_key
from celadon.store import faults as disk
from celadon.store.backup import FILINGS as FOLDER
from celadon.store.locking import take
from celadon.store.segments import force_folder, make_folder

if TYPE_CHECKING:
    from celadon.proof.keys import Signer

_LOG, _CHECKPOINT, _LOCK, _PART = "log", "checkpoint", ".lock", ".part"
_KNOWN_BY = 8
"""Letters of an id that a user must give at least."""


@dataclass(frozen=True)
class Entry:
    """One filing in the log."""

    index: int
    body: Mapping[str, Any]
    """filing (id), package (SHA-256 of the zip), filed_at, enterprise, rulebook, edition, period, as_of, key."""

    @property
    def id(self) -> str:
        return str(self.body["filing"])


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree head: who vouches for how many entries with which root."""

    note: bytes
    origin: str
    size: int
    root: bytes


def read_checkpoint(note: bytes) -> Checkpoint:
    """A checkpoint (C2SP tlog-checkpoint), its signature not looked at (ValueError where it is none)."""
    origin, size, root, *_ = note.decode("utf-8").split("\n")
    if not size.isdigit() or len(found := base64.b64decode(root, validate=True)) != 32:
        raise ValueError(size)
    return Checkpoint(note, origin, int(size), found)


def checkpoint_in(content: bytes) -> bytes:
    """The checkpoint in a file that is one, or a .tlog-proof, which ends in one."""
    return content.partition(b"\n\n")[2] if content.startswith(b"c2sp.org/tlog-proof@") else content


class Filings:
    """The filings of one store."""

    def __init__(self, store: Path) -> None:
        self.folder = store / FOLDER

    def checkpoint(self) -> Checkpoint | None:
        """The head of the log; None before the first filing (FindingError `filing.log-damaged`)."""
        try:
            return read_checkpoint((self.folder / _CHECKPOINT).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise self._damaged(0) from error

    def entries(self) -> list[Entry]:
        """All filings, in order; every one is vouched for by the checkpoint (FindingError `filing.log-damaged`)."""
        head = self.checkpoint()
        return [] if head is None else self._entries(self._lines(head), head)

    def _entries(self, lines: list[bytes], head: Checkpoint) -> list[Entry]:
        try:
            found = [Entry(index, json.loads(line)) for index, line in enumerate(lines)]
            signed = not found or note_holds(head.note, read_key(found[-1].body["key"]))
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(head.size) from error
        if not signed:
            raise self._damaged(head.size)
        return found

    def _lines(self, head: Checkpoint) -> list[bytes]:
        try:
            lines = (self.folder / _LOG).read_bytes().split(b"\n")[:-1][: head.size]
        except FileNotFoundError:
            lines = []
        if len(lines) != head.size or merkle.root(lines) != head.root:
            raise self._damaged(head.size)
        return lines

    def _damaged(self, count: int) -> FindingError:
        place = Place(file=str(self.folder / _LOG))
        return FindingError(faults.LOG_DAMAGED.at(place, path=str(self.folder), count=count))

    def find(self, id_: str, plant: str) -> Entry:
        """The filing whose id begins so (FindingError `filing.unknown`)."""
        found = [item for item in self.entries() if len(id_) >= _KNOWN_BY and item.id.startswith(id_)]
        if len(found) != 1:
            raise FindingError(faults.NOT_FILED.at(Place(subject=id_), plant=plant, id=id_))
        return found[0]

    def package(self, entry: Entry) -> Path:
        """The file of a filing."""
        return self.folder / f"{entry.id}.zip"

    def proof(self, entry: Entry) -> bytes:
        """That the log has the filing, as a tlog-proof under the checkpoint that its filing made."""
        return (self.folder / f"{entry.id}.tlog-proof").read_bytes()

    def add(self, package: bytes, body: Mapping[str, Any], signer: Signer) -> tuple[Entry, bool]:
        """Keep a package and enter it; the entry, and whether it is new (an id is entered once).

        Killed at any moment, either everything is there or nothing is seen.
        """
        with disk.as_findings(self.folder), self._alone():
            entries, head = self.entries(), self.checkpoint()
            same = next((item for item in entries if item.id == body["filing"]), None)
            if same is not None:
                return same, False
            lines = self._lines(head) if head else []
            entry = Entry(len(lines), dict(body))
            line = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
            self._put(f"{entry.id}.zip", package)
            self._append(lines, line)
            lines.append(line)
            note = signer.note(_head(str(body["enterprise"]), lines))
            self._put(f"{entry.id}.tlog-proof", _proof(lines, entry.index, note))
            self._put(_CHECKPOINT, note)
        return entry, True

    def consistency(self, earlier: Checkpoint, key: Key, path: str) -> int:
        """How many entries the log has grown by since that checkpoint, which `key` must have signed.

        Raises:
            FindingError: `filing.log-not-consistent` where the log does not begin with what the checkpoint counts.
        """
        head = self.checkpoint()
        lines = self._lines(head) if head else []
        holds = (
            note_holds(earlier.note, key) is not None and head is not None and earlier.origin == head.origin
        )
        if holds and head is not None and 0 < earlier.size <= head.size:
            proof = merkle.consistency_proof(lines, earlier.size)
            if merkle.consistent(earlier.size, head.size, proof, earlier.root, head.root):
                return head.size - earlier.size
        place = Place(file=path)
        raise FindingError(faults.LOG_OTHER.at(place, size=len(lines), earlier=earlier.size, path=path))

    def counted(self) -> list[bytes]:
        """The log's entries as lines, all that the checkpoint counts (FindingError `filing.log-damaged`)."""
        head = self.checkpoint()
        return self._lines(head) if head else []

    def _append(self, lines: list[bytes], line: bytes) -> None:
        """The log with one line more; what an unfinished filing left after the counted lines goes."""
        counted = sum(len(item) + 1 for item in lines)
        handle = os.open(self.folder / _LOG, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(handle, "r+b") as stream:
            stream.truncate(counted)
            stream.seek(counted)
            stream.write(line + b"\n")
            stream.flush()
            os.fsync(handle)

    def _put(self, name: str, content: bytes) -> None:
        """A file that is there as a whole, or not at all."""
        draft = self.folder / (name + _PART)
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self.folder / name)
        force_folder(self.folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time; a killed one keeps nobody out."""
        make_folder(self.folder)
        handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            take(handle, wait=True)
            yield
        finally:
            os.close(handle)


def _head(enterprise: str, lines: list[bytes]) -> bytes:
    root = base64.b64encode(merkle.root(lines)).decode()
    return f"celadon/{enterprise}/{FOLDER}\n{len(lines)}\n{root}\n".encode()


def _proof(lines: list[bytes], index: int, note: bytes) -> bytes:
    """C2SP tlog-proof; `extra` is the entry itself."""
    hashes = [base64.b64encode(item).decode() for item in merkle.inclusion_proof(lines, index)]
    extra = base64.b64encode(lines[index]).decode()
    return (
        "\n".join(["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {index}", *hashes, "", ""]).encode()
        + note
    )
