"""One writer at a time: a lock that a killed process cannot leave behind."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from celadon.core.findings import FindingError
from celadon.store import faults

if sys.platform == "win32":
    import msvcrt
    import time

    def take(handle: int, wait: bool) -> bool:
        while True:
            os.lseek(handle, 0, os.SEEK_SET)
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
                time.sleep(0.05)
            else:
                return True
else:
    import fcntl

    def take(handle: int, wait: bool) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True


Waiting = Callable[[str], None]
"""Called once with the holder's name when a writer has to wait."""


class Latch(Protocol):
    """What keeps other processes out; it opens by itself when its holder dies."""

    def take(self, wait: bool) -> bool:
        """Close it behind us; False when somebody else has it and we do not `wait`."""

    def give_back(self) -> None:
        """Open it."""

    def holder(self) -> str:
        """Who has it, or had it last."""


class WriterLock:
    """The right to write one store; taken again by the thread that has it, it only counts.

    Other threads of the process wait like other processes.
    """

    def __init__(self, place: str, latch: Latch) -> None:
        self._place = place
        self._latch = latch
        self._thread = threading.RLock()
        self._depth = 0
        self.check: Callable[[], None] = lambda: None
        """Called with the latch just taken; what it raises gives the latch back."""

    @property
    def held(self) -> bool:
        return self._depth > 0

    def acquire(self, wait: bool = True, waiting: Waiting | None = None) -> bool:
        """Take the lock; True when it was not held before (FindingError `store.locked` with `wait=False`)."""
        if not self._thread.acquire(blocking=False):
            self._refuse_or_tell(wait, waiting)
            self._thread.acquire()
        try:
            if self._depth == 0 and not self._latch.take(wait=False):
                self._refuse_or_tell(wait, waiting)
                self._latch.take(wait=True)
            if self._depth == 0:
                try:
                    self.check()
                except BaseException:
                    self._latch.give_back()
                    raise
            self._depth += 1
        except BaseException:
            self._thread.release()
            raise
        return self._depth == 1

    def try_acquire(self) -> bool:
        """Take the lock if nobody else has it; True when it was taken."""
        try:
            self.acquire(wait=False)
        except FindingError:
            return False
        return True

    def release(self) -> None:
        """Give back what one `acquire` took."""
        self._depth -= 1
        try:
            if self._depth == 0:
                self._latch.give_back()
        finally:
            self._thread.release()

    def holder(self) -> str:
        """Who has the lock, or had it last."""
        return self._latch.holder()

    def _refuse_or_tell(self, wait: bool, waiting: Waiting | None) -> None:
        if not wait:
            raise faults.locked(self._place, self.holder())
        if waiting is not None:
            waiting(self.holder())


class FileLatch:
    """A lock on the file `lock` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "lock"
        self._handle = -1

    def take(self, wait: bool) -> bool:
        with faults.as_findings(self._folder):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not take(handle, wait):
                os.close(handle)
                return False
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        self._sign()
        return True

    def give_back(self) -> None:
        handle, self._handle = self._handle, -1
        os.close(handle)

    def holder(self) -> str:
        try:
            text = self._path.read_bytes().strip(b"\0 ").decode("utf-8", "replace")
        except OSError:
            text = ""
        return text or "pid ?"

    def _sign(self) -> None:
        """Write down who holds the lock, for those who wait; that it fails (full disk) matters to nobody."""
        try:
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 1, os.SEEK_SET)  # the first byte is the one Windows locks
            os.write(self._handle, own_name().encode())
        except OSError:
            return


def own_name() -> str:
    """What this process calls itself to those who wait for it."""
    return f"pid {os.getpid()} @ {socket.gethostname()}"
