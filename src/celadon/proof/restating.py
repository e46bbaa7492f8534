"""Filed figures beside what would be filed now: what changed since, by how much, and which fact, factor or rule moved it.

The filed side is computed from the package alone, so that nothing that was loaded, dropped or published since can touch it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.engine.compare import Comparison, Scenario
from celadon.engine.compare import Line as ComparedLine
from celadon.engine.compare import compare as compare_results
from celadon.engine.request import fact_grain
from celadon.engine.run import Row
from celadon.plant.opened import Opened, View, view
from celadon.plant.workspace import Workspace
from celadon.proof import faults
from celadon.proof.filing import entry_json
from celadon.proof.log import Entry, Filings
from celadon.proof.opening import Filed, open_bag, read_facts, unpacked
from celadon.proof.verifier import problems
from celadon.rules.rulebook import Rulebook
from celadon.store.scratch import Scratch

RESTATED = FindingKind(
    "filing.restated",
    Severity.WARNING,
    Text("Filed figure would be another now", "已申报数值现已变化"),
    Text(
        "{count} of {all} figures filed for {period} under {rulebook} ({id}) would be others now.",
        "按 {rulebook} 申报的 {period}（{id}）共 {all} 个数值，其中 {count} 个现已变化。",
    ),
    Text(
        "Look at the causes; if the change matters to whoever it was filed with, file the period again.",
        "请查看原因；如变化对接收方重要，请重新申报该期间。",
    ),
)
RULEBOOK_GONE = FindingKind(
    "filing.rulebook-as-filed",
    Severity.NOTICE,
    Text("Restated under the rulebook as filed", "按申报时的规则册重算"),
    Text(
        "The present {rulebook} cannot answer what was filed ({why}): the figures of now are under the rulebook in the filing.",
        "现有 {rulebook} 无法回答所申报的内容（{why}）：现值按申报包内的规则册计算。",
    ),
    Text("Nothing to do.", "无需处理。"),
)
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Line:
    """One filed figure beside that of now, with the causes of the difference (name, part of it, detail)."""

    row: Row
    label: Text
    now: float | None
    causes: tuple[tuple[str, str, float, str], ...] = ()
    changed: bool = False

    def to_json(self) -> dict[str, Any]:
        row = self.row
        return {
            "quantity": row.quantity, "label": {"zh": self.label.zh, "en": self.label.en}, "item": row.item, "purpose": row.purpose,
            "site": row.site, "process": row.process, "meter": row.meter, "period": row.label, "unit": row.unit, "filed": row.value,
            "now": self.now, "changed": self.changed,
            "causes": [
                {"kind": kind, "name": name, "difference": change, "detail": detail}
                for kind, name, change, detail in self.causes
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class Restated:
    """One filing with its figures; `lines` () where the package does not hold."""

    entry: Entry
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One of the filings of shape `filings/1`."""
        return {
            **entry_json(self.entry),
            "changed": sum(line.changed for line in self.lines),
            "lines": [line.to_json() for line in self.lines],
        }


def restated(
    opened: Opened, entries: Sequence[Entry] | None = None, progress: Progress | None = None
) -> list[Restated]:
    """The plant's filings (None = all), each beside what it would be now.

    Raises:
        FindingError: the log is damaged; nothing is loaded.
    """
    filings = Filings(opened.store_path)
    chosen = filings.entries() if entries is None else list(entries)
    found: list[Restated] = []
    with opened.open_store() as store:
        seen = view(opened, store)
        for number, entry in enumerate(chosen):
            if progress is not None:
                progress(number / len(chosen), str(entry.body["period"]))
            work = Workspace.open(opened.store_path)
            try:
                found.append(_restated(work, seen, filings, entry))
            except FindingError as error:
                found.append(Restated(entry, (), tuple(error.findings)))
            finally:
                work.close()
    return found


def _restated(work: Workspace, seen: View, filings: Filings, entry: Entry) -> Restated:
    file = str(filings.package(entry))
    bag = open_bag(file)
    broken = [faults.of_problem(item, file) for item in problems(bag)]
    if broken:
        raise FindingError(broken)
    with Scratch() as scratch:
        filed = unpacked(bag, file, scratch.path / "filing")
        read_facts(work.con, filed.facts, file, "filed_facts")
        book, said = _present(work, seen, filed)
        asked = filed.asked.checked(book)
        needed = fact_grain(book, asked)
        grain = max(filed.grain[0], needed[0]), max(filed.grain[1], needed[1])
        facts = work.facts_for(seen, [book], asked, grain)
        with work.using(facts.name):
            before = Scenario(filed.book, filed.model, filed.asked, "filed_facts")
            found = compare_results(work.con, before, Scenario(book, seen.model, asked, facts.name))
    lines = tuple(_lines(found))
    changed = sum(line.changed for line in lines)
    if changed:
        told = entry.body
        place = Place(file=file, period=str(told["period"]))
        said.append(
            RESTATED.at(
                place, count=changed, all=len(lines), period=told["period"], rulebook=told["rulebook"], id=entry.id[:12]
            )
        )  # fmt: skip
    return Restated(entry, lines, tuple(said))


def _present(work: Workspace, seen: View, filed: Filed) -> tuple[Rulebook, list[Finding]]:
    """The rulebook of that name as it is now; the filed one where there is none that answers the same question."""
    name = str(filed.request["rulebook"]["id"])
    try:
        book = work.book(name)
        filed.asked.checked(book)
    except FindingError as error:
        first = error.findings[0]
        why = Text(first.says("en"), first.says("zh"))
        place = Place(file=seen.model.file or None, subject=name)
        return filed.book, [RULEBOOK_GONE.at(place, rulebook=name, why=why)]
    return book, []


def _lines(found: Comparison) -> Iterator[Line]:
    """Every filed figure, changed or not; then those that are new."""
    moved: dict[tuple[str, ...], ComparedLine] = {
        (line.quantity, line.item, line.purpose, line.site, line.process, line.meter, line.period): line
        for line in found.lines
    }
    book, before = found.before.book, {_cell(row) for row in found.before.rows}
    new = [replace(row, value=None) for row in found.after.rows if _cell(row) not in before]
    for row in (*found.before.rows, *new):
        line = moved.get(_cell(row))
        if line is None:
            yield Line(row, book.label(row.quantity), row.value)
            continue
        causes = tuple((item.kind, item.name, item.difference, item.detail) for item in line.causes)
        yield Line(row, book.label(row.quantity), line.after, causes, changed=True)


def _cell(row: Row) -> tuple[str, ...]:
    return (row.quantity, row.item, row.purpose, row.site, row.process, row.meter, row.label)
