"""The register of published benchmarks, so that a later grouping reveals nothing that an earlier one left out.

A publication is kept in the store with what it showed. Another grouping of the same numbers is then judged together with the
earlier ones, as if every crossing of them were asked for: what follows from all of them at once is left out of the new one, and
where that is not enough, because something is out already, the new one is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.region.tables_in import literal
from celadon.store import Snapshot, Store
from celadon.store.segments import parquet_list

KIND = "published"
WOULD_REVEAL = FindingKind(
    "peers.would-reveal",
    Severity.ERROR,
    Text(
        "Together with what is published it would show single enterprises", "与已公布的数据结合会暴露个别企业"
    ),
    Text(
        "{period} was published by {earlier}; beside it, groups by {by} would let {count} groups of few or dominated by few be "
        "worked out by subtraction.",
        "{period} 已按 {earlier} 公布；若再按 {by} 公布，可通过相减推算出 {count} 个企业过少或被少数企业主导的分组。",
    ),
    Text(
        "Publish coarser groups, or none: what is out cannot be taken back.",
        "请按更粗的分组公布，或不再公布：已公布的数据无法收回。",
    ),
    Text(
        "Hundepool and others, Statistical Disclosure Control (2012), chapter 4",
        "Hundepool 等，Statistical Disclosure Control（2012），第 4 章",
    ),
)
PERIODS_OVERLAP = FindingKind(
    "peers.periods-overlap",
    Severity.ERROR,
    Text("Overlaps a published period", "与已公布的期间重叠"),
    Text(
        "{quantity} was published for {earlier}; the difference to {period} would be a publication of its own.",
        "{quantity} 已公布 {earlier} 的数据；与 {period} 之差相当于另一次公布。",
    ),
    Text("Publish the same period, or one that does not overlap.", "请公布相同期间，或不重叠的期间。"),
)


@dataclass(frozen=True, slots=True)
class Publication:
    """One published table: which numbers, of when, grouped how, and the groups that were shown."""

    quantity: str
    over: str
    rulebook: str
    label: str
    start: str
    end: str
    by: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    means: tuple[tuple[str, ...], ...]
    """Of these, the groups whose mean was shown."""

    @classmethod
    def of(
        cls,
        quantity: str,
        over: str,
        rulebook: str,
        period: Period,
        by: Sequence[str],
        groups: Iterable[tuple[str, ...]],
        means: Iterable[tuple[str, ...]] = (),
    ) -> Publication:
        start, end = period.start.isoformat(), period.end.isoformat()
        return cls(quantity, over, rulebook, period.label, start, end, tuple(by), tuple(groups), tuple(means))

    def concerns(self, quantity: str, over: str, rulebook: str) -> bool:
        """Whether it shows one of the same numbers: the quantity under that rulebook, or the denominator."""
        return self.over == over or (self.quantity, self.rulebook) == (quantity, rulebook)


def published(
    con: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    quantity: str,
    over: str,
    rulebook: str,
    period: Period,
) -> list[Publication]:
    """What is out of these numbers for this very period.

    Raises:
        FindingError: `peers.periods-overlap` where something is out for another period that overlaps.
    """
    files = snapshot.tables(KIND)
    if not files:
        return []
    columns = 'quantity, "over", rulebook, label, start, "end", "by", groups'
    rows = con.execute(
        f"SELECT DISTINCT {columns} FROM {parquet_list(path for path, _ in files)} ORDER BY ALL"
    ).fetchall()
    start, end = period.start.isoformat(), period.end.isoformat()
    found = []
    for own, per, book, label, first, last, by, groups in rows:
        said = json.loads(groups)
        if isinstance(said, list):  # as it was kept before means were told apart
            said = {"groups": said, "means": said}
        shown, means = (tuple(tuple(group) for group in said[name]) for name in ("groups", "means"))
        one = Publication(own, per, book, label, first, last, tuple(by.split(",")), shown, means)
        if not one.concerns(quantity, over, rulebook) or one.end <= start or end <= one.start:
            continue
        if (one.start, one.end) != (start, end):
            raise FindingError(
                PERIODS_OVERLAP.at(
                    Place(period=period.label), quantity=quantity, earlier=one.label, period=period.label
                )
            )
        found.append(one)
    return found


def record(con: duckdb.DuckDBPyConnection, store: Store, done: Publication) -> int:
    """Keep a publication, as a batch of its own; the batch."""
    cells = {
        "quantity": done.quantity, "over": done.over, "rulebook": done.rulebook, "label": done.label, "start": done.start,
        "end": done.end, "by": ",".join(done.by), "groups": json.dumps({"groups": done.groups, "means": done.means}, ensure_ascii=False),
    }  # fmt: skip
    with store.begin(KIND, f"{done.quantity} {done.label} by {','.join(done.by)}") as pending:
        listed = ", ".join(f'{literal(value)} AS "{name}"' for name, value in cells.items())
        pending.add_table(con, KIND, f"SELECT {listed}, {pending.batch_id}::INTEGER AS batch")
        return pending.commit().id
