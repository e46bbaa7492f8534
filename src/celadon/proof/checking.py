"""`celadon verify FILING.zip`: digests, signature and sums, and every figure computed anew from the file alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place
from celadon.core.periods import Grain
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.engine.quality import DATA, FACTORS
from celadon.engine.run import Row, run
from celadon.proof import faults
from celadon.proof.deriving import MEASURED, Packaged, calculated_anew, is_calculated
from celadon.proof.opening import Filed, open_bag, part_of, read_facts, unpacked
from celadon.proof.raw import RAW_READINGS, Raw, facts_anew, raw_of, read_raw
from celadon.proof.reports import FiledReport, checked, paths
from celadon.proof.verifier import Bag, Key, Refused, problems, read_key
from celadon.proof.witness import against_head, softened
from celadon.store.scratch import Scratch, connect

_AS_GOOD_AS = 1e-12
"""Two engines add in different orders: what differs by less than this share is the same figure."""
_CELL = ("quantity", "item", "purpose", "enterprise", "site", "process", "meter", "period")
_NUMBERS = ("value", "coverage", *DATA, *FACTORS)
_TOLD = 20


@dataclass(frozen=True)
class Figure:
    """One filed number and what it comes to now; `what` names the first part that differs ('' = none)."""

    cell: Mapping[str, str]
    label: Text
    unit: str
    filed: float | None
    computed: float | None
    what: str = ""

    @property
    def equal(self) -> bool:
        return not self.what

    def to_json(self) -> dict[str, Any]:
        return {
            **self.cell, "label": {"zh": self.label.zh, "en": self.label.en}, "unit": self.unit, "filed": self.filed,
            "computed": self.computed, "equal": self.equal, "differs_in": self.what,
        }  # fmt: skip


@dataclass(frozen=True)
class Verification:
    """What came of checking a file: `figures` () where its content could not be used."""

    file: str
    id: str
    key: Key | None
    request: Mapping[str, Any]
    figures: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    reports: tuple[FiledReport, ...] = ()
    """Reports that were filed with it."""

    def to_json(self) -> dict[str, Any]:
        """Shape `filing-verification/1` without its findings."""
        return {
            "file": self.file,
            "filing": self.id,
            "key": str(self.key) if self.key else None,
            "request": dict(self.request),
            "equal": sum(figure.equal for figure in self.figures),
            "different": sum(not figure.equal for figure in self.figures),
            "figures": [figure.to_json() for figure in self.figures],
            "reports": [report.to_json() for report in self.reports],
            "readings": self.raw.readings if self.raw else None,
            "records": self.raw.records if self.raw else None,
        }

    @property
    def raw(self) -> Raw | None:
        """What it carries behind its facts, which were then made anew from it."""
        return raw_of(self.request) if self.figures else None


def verifier_key(text: str) -> Key:
    """A verifier key as somebody wrote it, or as a file holds it (FindingError `key.unreadable`)."""
    try:
        return read_key(Path(text).read_text("utf-8") if Path(text).is_file() else text)
    except (ValueError, OSError) as error:
        why = Text("not name+id+base64", "不符合 名称+编号+base64")
        found = faults.KEY_UNREADABLE.at(Place(subject=text[:80]), name=text[:80], why=why)
        raise FindingError(found) from error


def verify(
    file: str | Path,
    trusted: Key | None = None,
    proof: str | Path | None = None,
    report: str | Path | None = None,
    *,
    head: str | Path | None = None,
    revoked: Sequence[bytes] = (),
) -> Verification:
    """Check a filing's file; everything that is wrong is a finding.

    `report`: a file that is to be one of its reports; `head`: a head of the log that somebody kept, to set the `proof` against;
    `revoked`: notes that withdraw keys.

    Raises:
        FindingError: the archive is not safe to read.
    """
    name = str(file)
    bag = open_bag(file)
    found = _of_package(
        bag, name, trusted, Path(proof) if proof else None, Path(head) if head else None, revoked
    )
    key = _key(bag)
    if key is not None and trusted is None and not found:
        found.append(faults.KEY_NOT_COMPARED.at(Place(file=name), key=key))
    if report is not None:
        found += _belongs(bag, Path(report), name)
    id_ = "" if any(item.code == faults.NOT_A_BAG.code for item in found) else bag.id
    try:
        filed, figures, reports, more = recomputed(bag, name)
    except FindingError as error:
        return Verification(name, id_, key, {}, (), (*found, *error.findings))
    return Verification(name, id_, key, filed.request, tuple(figures), (*found, *more), tuple(reports))


def _of_package(
    bag: Bag, name: str, trusted: Key | None, proof: Path | None, head: Path | None, revoked: Sequence[bytes]
) -> list[Finding]:
    """What is wrong with a package, its signature, its proof, and the proof beside a head that somebody kept."""
    wrong = list(problems(bag, trusted, proof, revoked))
    if head is None or proof is None:
        return [faults.of_problem(item, name) for item in wrong]
    said, counted = against_head(head, proof)
    counted = counted and not any(item.code == faults.LOG_PROOF.code for item in wrong)
    found = [
        softened(item, name, head)
        if counted and item.code == faults.KEY_REVOKED.code
        else faults.of_problem(item, name)
        for item in wrong
    ]
    return found + said


def _belongs(bag: Bag, report: Path, name: str) -> list[Finding]:
    """Whether a file that somebody handed over is one of the reports that were filed, byte for byte."""
    digest = hashlib.sha256(report.read_bytes()).hexdigest()
    held = {path.rpartition("/")[2]: bag.sha256(path) for path in paths(bag)}
    if digest in held.values():
        return []
    said = ", ".join(held) or Text("no report", "无报告")
    place = Place(file=name, subject=report.name)
    return [
        faults.REPORT_NOT_IN.at(place, filing=Path(name).name, report=report.name, digest=digest, held=said)
    ]


def _key(bag: Bag) -> Key | None:
    try:
        return bag.key
    except Refused:
        return None


def recomputed(bag: Bag, name: str) -> tuple[Filed, list[Figure], list[FiledReport], list[Finding]]:
    """Every figure of a package beside what its facts give under its rulebook, its reports, and what is to be said of them.

    Raises:
        FindingError: the content cannot be used.
    """
    with Scratch() as scratch:
        filed = unpacked(bag, name, scratch.path / "filing")
        con = connect(scratch.path)
        try:
            read_facts(con, filed.facts, name, "filed_facts")
            tables = {grain: f"measured_{number}" for number, grain in enumerate(filed.measured)}
            for grain, table in tables.items():
                read_facts(con, filed.measured[grain], name, table)
            with part_of(name, RAW_READINGS):
                read_raw(con, filed.facts.parent.parent) if filed.raw else None
            con.execute("SET enable_external_access = false")
            figures = list(_figures(con, filed))
            reports, wrong_reports = checked(bag, con, filed, name, _AS_GOOD_AS)
            work = Packaged(con, scratch, tables=tables, books=filed.books)
            said = [*_calculated(work, filed, name), *_from_raw(con, filed, tables, name)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = Text(type(error).__name__, type(error).__name__)
            found = faults.CONTENT.at(Place(file=name), path="data/results.json", why=why)
            raise FindingError(found) from error
        finally:
            con.close()
    wrong = [figure for figure in figures if not figure.equal]
    differing = [_different(figure, filed, name) for figure in wrong[:_TOLD]]
    return filed, figures, reports, [*differing, *wrong_reports[:_TOLD], *said]


def _figures(con: duckdb.DuckDBPyConnection, filed: Filed) -> Iterator[Figure]:
    asked, results = filed.asked, filed.results
    both = [(asked, results["figures"])]
    if results["months"]:
        both.append((replace(asked, time=Grain.MONTH), results["months"]))
    for request, told in both:
        rows = run(con, filed.book, filed.model, request, facts="filed_facts").rows
        yield from _beside(told["rows"], rows, filed)


def _beside(told: Iterable[Mapping[str, Any]], rows: Iterable[Row], filed: Filed) -> Iterator[Figure]:
    """Filed rows and computed ones, cell by cell; a cell that only one side has is a difference."""
    computed = {tuple(row[name] for name in _CELL): row for row in map(_shape, rows)}
    stated = {tuple(str(row[name]) for name in _CELL): row for row in told}
    for cell in dict.fromkeys([*stated, *computed]):
        old, new = stated.get(cell), computed.get(cell)
        what = "row" if old is None or new is None else _first_difference(old, new)
        unit = str((old or new or {})["unit"])
        before, after = (None if row is None else row["value"] for row in (old, new))
        where = dict(zip(_CELL, cell, strict=True))
        yield Figure(where, filed.book.label(cell[0]), unit, before, after, what)


def _shape(row: Row) -> dict[str, Any]:
    names = (
        "quantity",
        "item",
        "purpose",
        "enterprise",
        "site",
        "process",
        "meter",
        "value",
        "unit",
        "coverage",
    )
    return {name: getattr(row, name) for name in names} | {"period": row.label} | row.quality.shares()


def _first_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if old["unit"] != new["unit"]:
        return "unit"
    return next((name for name in _NUMBERS if not _same(old[name], new[name])), "")


def _same(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return abs(old - new) <= _AS_GOOD_AS * max(abs(old), abs(new))


def _different(figure: Figure, filed: Filed, name: str) -> Finding:
    cell = figure.cell
    place = cell["meter"] or cell["process"] or cell["site"]
    return faults.DIFFERENT.at(
        Place(file=name, subject=cell["quantity"], period=cell["period"]),
        quantity=" ".join(word for word in (cell["quantity"], cell["item"], cell["purpose"]) if word),
        place=place,
        period=cell["period"],
        what=figure.what,
        filed=_shown(figure.filed),
        computed=_shown(figure.computed),
        unit=figure.unit,
        version=filed.request["versions"]["celadon"],
    )


def _shown(value: float | None) -> str | Text:
    return Text("absent", "缺失") if value is None else repr(value)


def _from_raw(
    con: duckdb.DuckDBPyConnection, filed: Filed, tables: Mapping[tuple[Space, Grain], str], name: str
) -> Iterator[Finding]:
    """The facts made anew from the readings and records, where the package carries them."""
    if filed.raw is not None:
        with part_of(name, RAW_READINGS):
            by_grain = tables or {filed.grain: "filed_facts"}
            yield from facts_anew(
                con, filed.raw, filed.model, filed.asked.period, by_grain, filed.listed, name
            )


def _calculated(work: Packaged, filed: Filed, name: str) -> Iterator[Finding]:
    """Facts that other rulebooks calculated, calculated anew from what is filed with them."""
    if not filed.measured and not is_calculated(work.con, "filed_facts"):
        return
    try:
        yield from calculated_anew(work, filed.model, filed.book, filed.asked, filed.grain, name)
    except KeyError as error:
        why = Text(
            "facts or rulebooks that others were calculated from are missing", "缺少推算所依据的数据或规则册"
        )
        raise FindingError(faults.CONTENT.at(Place(file=name), path=MEASURED, why=why)) from error
