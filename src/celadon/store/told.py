"""What loading found, as far as it may concern a period. A finding stays as it was written, so each is read once."""

from __future__ import annotations

from collections import OrderedDict

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.periods import Period
from celadon.store import written
from celadon.store.catalogue import Catalogue, int_list

_PERIODS = 16
"""Periods whose findings are kept: what a console shows by turns."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, and the batch whose loading found it."""

    batch: int
    kind: str
    note: str
    finding: Finding


class Near:
    """The findings near the periods that were asked for last; what was found since is looked at when one is asked for again."""

    def __init__(self) -> None:
        self._days: dict[int, written.Days] = {}
        """Finding → the days it names."""
        self._told: OrderedDict[Period, dict[int, Told]] = OrderedDict()
        self._upto: dict[Period, int] = {}
        """The last finding that was looked at."""

    def of(self, catalogue: Catalogue, period: Period, *, kept: bool) -> list[Told]:
        """What may concern `period`, in the order found; not `kept`: of a batch that may yet be discarded."""
        days = self._days if kept else dict(self._days)
        rows = catalogue.rows("SELECT id, json FROM finding WHERE id > ? ORDER BY id", max(days, default=0))
        days.update((number, written.days_of(text)) for number, text in rows)
        told, upto = self._told.get(period, {}), self._upto.get(period, 0)
        near = [
            number for number, named in days.items() if number > upto and written.may_concern(named, period)
        ]
        found = told | _decoded(catalogue, near)
        if kept:
            self._told[period], self._upto[period] = found, max(days, default=0)
            self._told.move_to_end(period)
            while len(self._told) > _PERIODS:
                del self._upto[self._told.popitem(last=False)[0]]
        return list(found.values())


def _decoded(catalogue: Catalogue, numbers: list[int]) -> dict[int, Told]:
    if not numbers:
        return {}
    sql = (
        "SELECT f.id, b.id, b.kind, b.note, f.json FROM finding f JOIN batch b ON b.id = f.batch "
        f"WHERE f.id IN ({int_list(numbers)}) ORDER BY f.id"
    )
    return {
        number: Told(batch, kind, note, written.from_text(text))
        for number, batch, kind, note, text in catalogue.rows(sql)
    }
