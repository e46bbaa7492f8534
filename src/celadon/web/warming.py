"""Warming: after the start, the first pages that somebody will open are worked out before anybody asks.

What a page works out is kept by what it depends on (`desk.py`), so a load in between makes other answers and nothing here
can be out of date. One plant after another, one question at a time; whoever asks for the same meanwhile waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from celadon.core.findings import FindingError

_LOG = logging.getLogger("celadon.web")


class Warming:
    """A thread that goes through some work; `stop` ends it after the question it is at."""

    def __init__(self, work: Iterable[Callable[[], object]]) -> None:
        self._work = work
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warming")
        self._thread.start()

    def stop(self) -> None:
        """Return when the thread has ended."""
        self._over.set()
        self.wait()

    def wait(self) -> None:
        """Return when all the work is done."""
        self._thread.join()

    def _run(self) -> None:
        for ask in self._work:
            if self._over.is_set():
                return
            try:
                ask()
            except FindingError:  # whoever opens the page is told
                continue
            except Exception:  # noqa: BLE001 - the page will meet it again, and say so
                _LOG.exception("the console could not work out a page beforehand")
                return
