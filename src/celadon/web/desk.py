"""Desk: one plant or region that is served, asked by many at once.

A `Plant` or `Region` answers one question at a time, so a desk opens a few of them and lends them out. Answers are kept
under everything they depend on: the newest batch of the store, the plant or region file's digest, the rulebook's digest
and the question. A new batch or another rulebook is another key, so nothing is ever invalidated; old answers fall out.

    desk.account("cn_gbt_2589_2020", "2024")                      # a plant's verbs, kept
    desk.answer(("peers", "2024"), lambda region: region.peers("2024"))   # anything else; the words must say all of the question
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar, cast

from celadon.core.findings import FindingError
from celadon.core.model import Plant as PlantModel
from celadon.engine.trace import Trace
from celadon.plant.account import Account
from celadon.plant.balance import Balance
from celadon.plant.bill import Bills
from celadon.plant.compare import Difference
from celadon.plant.facade import Plant, open_plant
from celadon.plant.reconcile import Reconciled
from celadon.plant.series import Series
from celadon.region.facade import Region, open_region
from celadon.region.model import RegionFile
from celadon.rules.check import sound
from celadon.rules.rulebook import Rulebook, find_rulebook, load_rulebook

_KEPT = 256
_OPEN_MOST = max(2, min(4, os.cpu_count() or 2))
Words = tuple[Hashable, ...]


class _Closing(Protocol):
    def close(self) -> None: ...


Served = TypeVar("Served", bound=_Closing)
Answer = TypeVar("Answer")


class Answers:
    """The answers of all desks, the last few hundred; whoever asks what is being worked out waits for it."""

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._turn = threading.Lock()
        self._kept: OrderedDict[Words, Future[Any]] = OrderedDict()

    def get(self, key: Words, work: Callable[[], Answer]) -> Answer:
        """The answer under a key, worked out by whoever asks first; a failure is not kept."""
        with self._turn:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        if mine:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again below, for all who wait
                with self._turn:
                    self._kept.pop(key, None)
                future.set_exception(error)
        return cast(Answer, future.result())

    def __len__(self) -> int:
        return len(self._kept)


class Library:
    """The rulebooks, loaded when first asked for and again when their folder changed."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._books: dict[Path, Rulebook] = {}

    def book(self, name: str) -> Rulebook:
        """A rulebook by id (FindingError when there is none, or it has faults)."""
        with self._turn:
            folder = find_rulebook(name)
            known = self._books.get(folder)
            if known is None or known.current_digest() != known.digest:
                known = self._books[folder] = sound(load_rulebook(folder))
            return known


class Desk(Generic[Served]):
    """What plants and regions have in common: a few open objects, lent out one to one."""

    def __init__(
        self, key: str, folder: Path, opener: Callable[[Path], Served], library: Library, answers: Answers
    ) -> None:
        self.key = key
        self.folder = folder
        self.library = library
        self._opener = opener
        self._answers = answers
        self._free: list[tuple[Words, Served]] = []
        self._room = threading.BoundedSemaphore(_OPEN_MOST)
        self._turn = threading.Lock()
        self._watch: tuple[Words, Served] | None = None
        self._watching = threading.Lock()

    @property
    def file(self) -> Path:
        """The plant or region file."""
        raise NotImplementedError

    @contextmanager
    def lent(self) -> Iterator[Served]:
        """An open plant or region for one question; it is opened anew when its file has changed."""
        with self._room:
            mark = self._mark()
            with self._turn:
                usable = [item for item in self._free if item[0] == mark]
                stale = [item for item in self._free if item[0] != mark]
                taken = usable.pop()[1] if usable else None  # the last one used knows most
                self._free = usable
            for _, old in stale:
                old.close()
            served = taken if taken is not None else self._opener(self.folder)
            try:
                yield served
            except FindingError:
                self._give_back(mark, served)
                raise
            except BaseException:
                served.close()  # what an interrupted question left behind serves nobody
                raise
            self._give_back(mark, served)

    def answer(self, words: Words, ask: Callable[[Served], Answer]) -> Answer:
        """What `ask` finds, kept under `words` (all of the question) and the state of the place."""
        with self.watched() as served:
            state = self.state(served)
        return self._answers.get((type(self).__name__, self.key, *state, *words), lambda: self._ask(ask))

    @contextmanager
    def watched(self) -> Iterator[Served]:
        """An open one that is asked only what takes a millisecond, so that nobody waits for a long question."""
        with self._watching:
            mark = self._mark()
            if self._watch is None or self._watch[0] != mark:
                if self._watch is not None:
                    self._watch[1].close()
                self._watch = (mark, self._opener(self.folder))
            yield self._watch[1]

    def state(self, served: Served) -> Words:
        """What every answer depends on: newest batch, digest of the file, anything else that may change."""
        raise NotImplementedError

    def close(self) -> None:
        with self._turn:
            free, self._free = self._free, []
        with self._watching:
            watch, self._watch = self._watch, None
        for _, served in (*free, *([watch] if watch else [])):
            served.close()

    def _give_back(self, mark: Words, served: Served) -> None:
        with self._turn:
            self._free.append((mark, served))

    def _ask(self, ask: Callable[[Served], Answer]) -> Answer:
        with self.lent() as served:
            return ask(served)

    def _mark(self) -> Words:
        found = self.file.stat()
        return (found.st_mtime_ns, found.st_size)


class PlantDesk(Desk[Plant]):
    """A plant that is served."""

    @classmethod
    def at(cls, key: str, folder: Path, library: Library, answers: Answers) -> Self:
        return cls(key, folder, open_plant, library, answers)

    @property
    def file(self) -> Path:
        return self.folder / "plant.yaml"

    @property
    def model(self) -> PlantModel:
        """The plant as it was last loaded (as its file says, before the first load)."""
        with self.watched() as plant:
            if plant.opened.store_path.exists():
                with suppress(FindingError):  # a store of nothing yet
                    return plant.view().model
            return plant.opened.model

    def state(self, served: Plant) -> Words:
        seen = served.view()
        # Rows leave quarantine without a batch, and findings count them.
        waiting = len(seen.store.quarantine("open"))
        return (seen.snapshot.upto, seen.snapshot.digest(), seen.digest, served.opened.digest, waiting)

    def account(self, rulebook: str, period: str, **more: Any) -> Account:
        """`Plant.account`, kept."""
        book = self.library.book(rulebook)
        return self.answer(
            ("account", book.digest, period, _frozen(more)), lambda plant: plant.account(book, period, **more)
        )

    def proof(self, period: str) -> Balance:
        """`Plant.proof`, kept."""
        return self.answer(("proof", period), lambda plant: plant.proof(period))

    def bill(self, period: str | None = None, *, as_of: str | None = None) -> Bills:
        """`Plant.bill`, kept."""
        return self.answer(("bill", period, as_of), lambda plant: plant.bill(period, as_of=as_of))

    def series(self, meters: Sequence[str], period: str, *, per: str | None = None) -> Series:
        """`Plant.series`, kept."""
        words = ("series", tuple(meters), period, per)
        return self.answer(words, lambda plant: plant.series(meters, period, per=per))

    def explain(self, quantity: str, rulebook: str, period: str, **more: Any) -> Trace:
        """`Plant.explain`, kept."""
        book = self.library.book(rulebook)
        return self.answer(
            ("explain", quantity, book.digest, period, _frozen(more)),
            lambda plant: plant.explain(quantity, book, period, **more),
        )

    def compare(self, rulebook: str, period: str, **more: Any) -> Difference:
        """`Plant.compare` of two answers about what is loaded, kept (pending files are asked of a lent plant)."""
        book = self.library.book(rulebook)
        return self.answer(
            ("compare", book.digest, period, _frozen(more)), lambda plant: plant.compare(book, period, **more)
        )

    def reconcile(
        self,
        rulebooks: tuple[str, str],
        period: str,
        *,
        quantities: Sequence[str] = (),
        as_of: str | None = None,
    ) -> Reconciled:
        """`Plant.reconcile`, kept."""
        books = (self.library.book(rulebooks[0]), self.library.book(rulebooks[1]))
        words = ("reconcile", books[0].digest, books[1].digest, period, tuple(quantities), as_of)
        return self.answer(
            words, lambda plant: plant.reconcile(books, period, quantities=quantities, as_of=as_of)
        )


class RegionDesk(Desk[Region]):
    """A region that is served; ask it through `answer`."""

    @classmethod
    def at(cls, key: str, folder: Path, library: Library, answers: Answers) -> Self:
        return cls(key, folder, open_region, library, answers)

    @property
    def file(self) -> Path:
        return self.folder / "region.yaml"

    @property
    def model(self) -> RegionFile:
        """The region file as it is."""
        with self.watched() as region:
            return region.opened.region

    def state(self, served: Region) -> Words:
        seen = served.view()
        return (seen.snapshot.upto, seen.snapshot.digest(), served.opened.text)


def _frozen(value: Any) -> Hashable:
    """A question's parts as a key: mappings and lists as sorted pairs and tuples."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), _frozen(item)) for name, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, date | str | int | float | bool | None):
        return value
    raise TypeError(f"no part of a question: {value!r}")
