"""SHA-256 of files, remembered by size and time of change, so that a load looks only at files that have changed.

As in version control: an entry is trusted only when the file's time of change lies safely before the moment it was
hashed. Losing the memory costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import field
from pathlib import Path

from celadon.core.dataclass import dataclass

_NAME = "hashes.json"
_CHUNK = 1 << 20
_SAFE_NS = 2 * 10**9  # coarser than any file system's clock


@dataclass
class Hashes:
    """What was hashed before; `save` after a load."""

    file: Path | None
    known: dict[str, list[object]] = field(default_factory=dict)
    _changed: bool = False

    @classmethod
    def of(cls, store: Path) -> Hashes:
        """The memory kept in a store's folder; empty where there is none or it cannot be read."""
        file = store / _NAME
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = {}
        return cls(file, known if isinstance(known, dict) else {})

    def sha256(self, path: Path) -> tuple[int, str]:
        """Bytes and SHA-256 of a file (OSError when it cannot be read)."""
        state = path.stat()
        mark = [state.st_size, state.st_mtime_ns, state.st_ino]
        found = self.known.get(str(path.absolute()))
        if (
            isinstance(found, list)
            and found[:3] == mark
            and len(found) == 5
            and int(str(found[4])) - state.st_mtime_ns > _SAFE_NS
        ):
            return state.st_size, str(found[3])
        now = time.time_ns()
        size, digest = hash_file(path)
        self.known[str(path.absolute())] = [*mark, digest, now]
        self._changed = True
        return size, digest

    def save(self) -> None:
        """Remember; a folder that cannot be written only means hashing again."""
        if self.file is None or not self._changed:
            return
        draft = self.file.with_name(f"{_NAME}.{os.getpid()}")
        try:
            draft.write_text(json.dumps(self.known), encoding="utf-8")
            draft.replace(self.file)
        except OSError:
            draft.unlink(missing_ok=True)


def hash_file(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file."""
    made, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_CHUNK):
            made.update(block)
            size += len(block)
    return size, made.hexdigest()
