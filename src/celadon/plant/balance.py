"""`balance`: the conservation proof, and each meter, process and site against what lies below it.

The proof reads every reading of the period again, derives the ledger from them and compares; so it also proves that what
`load` has stored is what the readings say. It goes through the points in groups, so memory does not grow with the plant.
`proven` proves the ledger as it is kept, in a quarter of the time: cells are derived again only where something happened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Meter
from celadon.core.periods import Grain, Period, floor
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.metering.amounts import covering_period
from celadon.metering.balance import BalanceRow
from celadon.metering.balance import balance as balance_rows
from celadon.metering.changes import Reading
from celadon.metering.events import GAPS
from celadon.metering.intervals import derive
from celadon.metering.points import TICKS
from celadon.metering.proof import Proof, proof
from celadon.metering.tree import build_tree
from celadon.plant.keeping import load_findings, span_of, stored_findings, unique
from celadon.plant.ledger import Deriver, digests, empty_ledger, months_of, summed_meters, write_ledger
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace, waiting_rows
from celadon.store import month_start

NOT_CONSERVED = FindingKind(
    "balance.not-conserved",
    Severity.ERROR,
    Text(en="The ledger does not conserve", zh="台账不守恒"),
    Text(
        en="{meter}: readings say {expected} {unit}, the ledger holds {attributed} {unit} and names gaps of {gaps} {unit}: {difference} {unit} are unaccounted for.",
        zh="{meter}：读数应为 {expected} {unit}，台账为 {attributed} {unit}，已列缺口 {gaps} {unit}：有 {difference} {unit} 去向不明。",
    ),
    Text(
        en="This is a fault of Celadon: keep the store and report it.",
        zh="这是 Celadon 的错误：请保留数据仓并报告。",
    ),
)
STORED_DIFFERS = FindingKind(
    "balance.stored-differs",
    Severity.ERROR,
    Text(en="Stored ledger differs from the readings", zh="已存台账与读数不符"),
    Text(
        en="{count} stored ledger cells of {meters} are not what the readings give.",
        zh="{meters} 有 {count} 个已存台账单元与读数推导不符。",
    ),
    Text(
        en="`celadon verify` checks the store's files; load the source files into a new store to compare.",
        zh="用 `celadon verify` 检查存储文件；可将源文件载入新的数据仓进行比对。",
    ),
)
_READINGS_AT_ONCE = 4_000_000
_READINGS_A_MONTH = 3_000


@dataclass(frozen=True)
class ProcessShare:
    """What one process used of one carrier in the period; `process` '' is what no process is charged with."""

    site: str
    carrier: str
    process: str
    unit: str
    value: float | None
    share: float | None
    """Of the site's consumption."""
    coverage: float
    estimated: float


@dataclass(frozen=True)
class Balance:
    """Proofs of every counted point over the whole period, balance rows per calendar unit, shares of processes."""

    period: Period
    per: Grain
    proofs: tuple[Proof, ...]
    rows: tuple[BalanceRow, ...]
    processes: tuple[ProcessShare, ...]
    files: dict[int, str]
    as_of: datetime | None
    findings: tuple[Finding, ...]

    @property
    def conserved(self) -> bool:
        """Whether no point has an unexplained difference."""
        return all(item.difference == 0 for item in self.proofs)

    @property
    def meters(self) -> list[BalanceRow]:
        return [row for row in self.rows if row.node]

    @property
    def sites(self) -> list[BalanceRow]:
        return [row for row in self.rows if not row.node]

    def to_json(self) -> dict[str, Any]:
        """Shape `balance/1` without its findings. Amounts in `unit`; differences in whole ticks (10^-6 of the unit)."""
        return {
            "period": self.period.label,
            "per": self.per.word,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "conserved": self.conserved,
            "proofs": [_proof(item, self.files) for item in self.proofs],
            "meters": [_row(row) for row in self.meters],
            "sites": [_row(row) for row in self.sites],
            "processes": [
                {"site": p.site, "carrier": p.carrier, "process": p.process, "unit": p.unit, "value": p.value,
                 "share": p.share, "coverage": p.coverage, "estimated": p.estimated}
                for p in self.processes
            ],
        }  # fmt: skip


def balance(work: Workspace, seen: View, period: Period, per: Grain | None = None) -> Balance:
    """Prove and balance everything in `period`; rows per calendar unit (None = the coarsest that fits)."""
    proofs, findings = prove(work, seen, period)
    grain = per or _coarsest(period)
    points = seen.snapshot.points()
    monthly = balance_rows(work.con, seen.model, "balance_ledger", points, period, Grain.MONTH)
    rows = (
        monthly
        if grain is Grain.MONTH
        else balance_rows(work.con, seen.model, "balance_ledger", points, period, grain)
    )
    work.con.execute("DROP TABLE balance_ledger")
    found = _said(seen, period, [*findings, *(item for row in monthly for item in row.findings)])
    shares = tuple(_processes(work, seen, period))
    return Balance(
        period, grain, tuple(proofs), tuple(rows), shares, _files(seen), seen.snapshot.recorded_at, found
    )


def proven(work: Workspace, seen: View, period: Period) -> Balance:
    """The proof of the ledger as it is kept, with rows per month; without the processes' shares.

    What is kept is what accounts are made of. That it is also, cell by cell, what the readings give, `balance` says.
    """
    proofs, findings = _prove_kept(work, seen, period)
    rows = balance_rows(work.con, seen.model, "balance_ledger", seen.snapshot.points(), period, Grain.MONTH)
    work.con.execute("DROP TABLE balance_ledger")
    found = _said(seen, period, [*findings, *(item for row in rows for item in row.findings)])
    return Balance(
        period, Grain.MONTH, tuple(proofs), tuple(rows), (), _files(seen), seen.snapshot.recorded_at, found
    )


def _said(seen: View, period: Period, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Everything there is to say of the period, each finding once."""
    found = [*seen.findings, *build_tree(seen.model).findings, *findings, *load_findings(seen, period)]
    return tuple(unique([*found, *waiting_rows(seen), *seen.snapshot.findings]))


def _files(seen: View) -> dict[int, str]:
    return {file.id: file.name for file in seen.snapshot.files()}


def meter_rows(work: Workspace, seen: View, period: Period) -> list[BalanceRow]:
    """Each meter and site over the whole period, from the ledger as it is kept: what pictures of flows need, without the
    proof (`balance`) that reads every reading again."""
    grain, into = _coarsest(period), "flow_ledger"
    write_ledger(work.con, seen, period, into)
    rows = balance_rows(work.con, seen.model, into, seen.snapshot.points(), period, grain)
    work.con.execute(f"DROP TABLE {into}")
    return rows


def prove(work: Workspace, seen: View, period: Period) -> tuple[list[Proof], list[Finding]]:
    """The proof of each point; leaves the derived ledger of the period in the temporary table `balance_ledger`."""
    con, points = work.con, seen.snapshot.points()
    months = months_of(covering_period(seen.model, period))
    window = Period(month_start(months[0]), month_start(months[-1] + 1))
    deriver = Deriver.of(con, seen)
    digest = digests(seen.model, points)
    empty_ledger(con, "balance_ledger")
    proofs: list[Proof] = []
    findings: list[Finding] = []
    for group in _groups(sorted(digest), len(months)):
        ids = {name: point for name, point in points.items() if point in group}
        meters = [meter for meter in summed_meters(seen.model) if meter.id in ids]
        with seen.store.reading():
            deriver.readings(group, window.start, window.end, "proof_readings")
        derive(
            con,
            "proof_readings",
            meters,
            ids,
            window,
            seen.model.grid_seconds,
            "proof_ledger",
            "proof_events",
        )
        proofs += proof(
            con,
            "proof_readings",
            "proof_ledger",
            "proof_events",
            meters,
            ids,
            period,
            seen.model.grid_seconds,
        )
        findings += [item for item in deriver.findings("proof_events") if _concerns(item, seen, period)]
        findings += _stored_differs(work, seen, group, months, digest)
        con.execute("INSERT INTO balance_ledger SELECT * FROM proof_ledger")
    for table in ("proof_readings", "proof_ledger", "proof_events"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    findings += [_not_conserved(item) for item in proofs if item.difference]
    return proofs, findings


_MOVING = frozenset(f"metering.{code}" for code in (*GAPS, "change-unread", "rollover", "spike"))
"""What a proof must know of: where nothing of it happened, the readings and the kept cells are all there is to it."""
_AROUND = timedelta(days=31)


def _prove_kept(work: Workspace, seen: View, period: Period) -> tuple[list[Proof], list[Finding]]:
    """The proof of each point from its readings and its kept cells; leaves those in the temporary table `balance_ledger`.

    Points are derived again, for what happened to them, where something did, where their last reading is old, and where a
    proof does not come out without it.
    """
    con, points = work.con, seen.snapshot.points()
    months = months_of(covering_period(seen.model, period))
    window = Period(month_start(months[0]), month_start(months[-1] + 1))
    deriver = Deriver.of(con, seen)
    digest = digests(seen.model, points)
    findings = write_ledger(con, seen, period, "balance_ledger")
    told = stored_findings(seen, Period(window.start - _AROUND, window.end + _AROUND))
    moved = {points.get(_meter(item), -1) for item in (*told, *findings) if item.code in _MOVING}
    again: set[int] = set()
    proofs: list[Proof] = []
    for group in _groups(sorted(digest), len(months)):
        ids = {name: point for name, point in points.items() if point in group}
        meters = [meter for meter in summed_meters(seen.model) if meter.id in ids]
        with seen.store.reading():
            deriver.readings(group, window.start, window.end, "proof_readings")
        odd = moved.intersection(group) | _quiet(work, meters, ids)
        while True:
            _happened(work, seen, meters, ids, window, odd)
            found = proof(
                con,
                "proof_readings",
                "balance_ledger",
                "proof_events",
                meters,
                ids,
                period,
                seen.model.grid_seconds,
            )
            unlike = {ids[item.meter] for item in found if item.difference} - odd
            if not unlike:
                break
            odd |= unlike
        proofs += found
        again |= odd
        findings += [item for item in deriver.findings("proof_events") if _concerns(item, seen, period)]
    for table in ("proof_readings", "proof_ledger", "proof_events", "odd_readings"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    findings += [
        item for item in told if points.get(_meter(item)) not in again and _concerns(item, seen, period)
    ]
    return proofs, [*findings, *(_not_conserved(item) for item in proofs if item.difference)]


def _happened(
    work: Workspace,
    seen: View,
    meters: Sequence[Meter],
    ids: Mapping[str, int],
    window: Period,
    odd: Collection[int],
) -> None:
    """Make the table `proof_events`: what happened to the points `odd`, which are derived again for it."""
    among = [meter for meter in meters if ids[meter.id] in odd]
    marks = ", ".join(str(ids[meter.id]) for meter in among) or "NULL"
    work.con.execute(
        f"CREATE OR REPLACE TEMP TABLE odd_readings AS SELECT * FROM proof_readings WHERE point IN ({marks})"
    )
    derive(
        work.con, "odd_readings", among, ids, window, seen.model.grid_seconds, "proof_ledger", "proof_events"
    )


def _quiet(work: Workspace, meters: Sequence[Meter], ids: Mapping[str, int]) -> set[int]:
    """Points without readings, those that fell behind, and one that did not, which shows the others that they did."""
    rows = work.con.execute("SELECT point, max(t) FROM proof_readings GROUP BY point").fetchall()
    last: dict[int, datetime] = dict(rows)
    if not last:
        return set(ids.values())
    newest = max(last, key=lambda point: last[point])
    behind = {
        ids[meter.id]
        for meter in meters
        if ids[meter.id] not in last
        or (last[newest] - last[ids[meter.id]]).total_seconds() > meter.max_gap_seconds
    }
    return behind | {newest} if behind else set()


def _meter(item: Finding) -> str:
    return (item.where.subject or "").removeprefix("meter:")


def _concerns(item: Finding, seen: View, period: Period) -> bool:
    span = span_of(item, seen.model.zone)
    return span is None or span.overlaps(period.start, period.end)


def _groups(points: Sequence[int], months: int) -> Iterator[list[int]]:
    size = max(1, _READINGS_AT_ONCE // (_READINGS_A_MONTH * max(1, months)))
    for start in range(0, len(points), size):
        yield list(points[start : start + size])


_CELL = "point, start, amount, low, high, estimated, covered, n"
"""The columns of a ledger row that answers rest on."""


def _unlike(select: str) -> str:
    """What a SELECT gives of only one of `stored` and `fresh`."""
    stored, fresh = select.format("stored"), select.format("fresh")
    return f"({stored} EXCEPT {fresh}) UNION ALL ({fresh} EXCEPT {stored})"


def _stored_differs(
    work: Workspace, seen: View, group: list[int], months: range, digest: dict[int, str]
) -> list[Finding]:
    """Compare the stored parts of these points with what was just derived (in `proof_ledger`)."""
    stored = seen.snapshot.ledger_parts(group, months, digest)
    if not stored.valid:
        return []

    def sides(points: Collection[int]) -> str:
        parts = ", ".join(f"({part.point}, {part.month})" for part in stored.valid if part.point in points)
        return f"""WITH part(point, month) AS (VALUES {parts}), stored AS (SELECT {_CELL} FROM ({stored.sql(points)})),
            fresh AS (SELECT {_CELL} FROM proof_ledger l SEMI JOIN part
                ON part.point = l.point AND part.month = year(l.start) * 12 + month(l.start) - 1)"""

    # Adding up a digest of each row tells of which points any differ, at a fraction of the cost of telling which rows.
    marks = f"SELECT point, count(*), sum(hash({_CELL})::HUGEINT) FROM {{}} GROUP BY point"
    with seen.store.reading():
        odd = work.con.execute(
            f"{sides({part.point for part in stored.valid})} SELECT DISTINCT point FROM ({_unlike(marks)})"
        ).fetchall()
        if not odd:
            return []
        rows = work.con.execute(
            f"{sides({point for (point,) in odd})} SELECT point, count(DISTINCT start) "
            f"FROM ({_unlike(f'SELECT {_CELL} FROM {{}}')}) GROUP BY point ORDER BY point"
        ).fetchall()
    names = {point: name for name, point in seen.snapshot.points().items()}
    meters = ", ".join(names[point] for point, _ in rows)
    return [
        STORED_DIFFERS.at(
            Place(subject=f"meter:{names[rows[0][0]]}"), count=sum(row[1] for row in rows), meters=meters
        )
    ]


def _not_conserved(item: Proof) -> Finding:
    place = Place(subject=f"meter:{item.meter}", period=item.period.label)
    gaps = sum(gap.amount or 0 for gap in item.gaps)
    return NOT_CONSERVED.at(
        place, meter=item.meter, unit=item.unit, expected=_exact(item.expected), attributed=_exact(item.attributed),
        gaps=_exact(gaps), difference=_exact(item.difference),
    )  # fmt: skip


def _exact(ticks: int) -> str:
    sign, size = "-" if ticks < 0 else "", abs(ticks)
    text = f"{sign}{size // TICKS}.{size % TICKS:06d}"
    return text.rstrip("0").rstrip(".")


def _coarsest(period: Period) -> Grain:
    """The coarsest calendar unit of which the period holds whole ones only."""
    for grain in (Grain.YEAR, Grain.MONTH, Grain.DAY):
        if (
            floor(period.start, grain, period.zone) == period.start
            and floor(period.end, grain, period.zone) == period.end
        ):
            return grain
    return Grain.HOUR


def _processes(work: Workspace, seen: View, period: Period) -> Iterator[ProcessShare]:
    """Consumption by process out of the facts; what is left to no process has the name ''."""
    table = work.facts(seen, period, Space.PROCESS, Grain.MONTH)
    rows = work.con.execute(
        f"""WITH p AS (
            SELECT site, item, process, unit, sum(value) AS value, sum(estimated) AS estimated, avg(coverage) AS coverage
            FROM {table.name} WHERE quantity = 'energy_consumed' GROUP BY ALL)
        SELECT site, item, process, unit, value, value / nullif(sum(value) OVER (PARTITION BY site, item, unit), 0), coverage,
            estimated / nullif(abs(value), 0) FROM p ORDER BY site, item, process = '', value DESC"""
    ).fetchall()
    for site, item, process, unit, value, share, coverage, estimated in rows:
        yield ProcessShare(site, item, process, unit, value, share, coverage or 0.0, estimated or 0.0)


def _amount(ticks: int | None) -> float | None:
    return None if ticks is None else ticks / TICKS


def _proof(item: Proof, files: dict[int, str]) -> dict[str, Any]:
    return {
        "meter": item.meter, "unit": item.unit, "period": item.period.label,
        "pieces": [
            {"first": _reading(piece.first, files), "last": _reading(piece.last, files), "counted": _amount(piece.counted),
             "rollovers": piece.rollovers, "rolled": _amount(piece.rolled), "edges": _amount(piece.edges)}
            for piece in item.pieces
        ],
        "intervals": _amount(item.intervals), "expected": _amount(item.expected), "attributed": _amount(item.attributed),
        "gaps": [
            {"code": gap.code, "start": _utc(gap.since), "end": _utc(gap.until), "amount": _amount(gap.amount)} for gap in item.gaps
        ],
        "difference_ticks": item.difference,
    }  # fmt: skip


def _reading(reading: Reading | None, files: dict[int, str]) -> dict[str, Any] | None:
    if reading is None:
        return None
    name = files.get(reading.file) if reading.file is not None else None
    return {"time": _utc(reading.t), "value": reading.value, "file": name, "line": reading.line}


def _utc(moment: datetime) -> str:
    return moment.isoformat() + ("+00:00" if moment.tzinfo is None else "")


def _row(row: BalanceRow) -> dict[str, Any]:
    return {
        "meter": row.node, "site": row.site, "carrier": row.carrier, "unit": row.unit, "start": row.start.isoformat(),
        "end": row.end.isoformat(), "own": _amount(row.own), "low": _amount(row.low), "high": _amount(row.high),
        "children": _amount(row.children), "remainder": _amount(row.remainder), "share": row.share, "coverage": row.coverage,
        "estimated": _amount(row.estimated), "status": row.status.word, "missing": list(row.missing),
    }  # fmt: skip
