"""Filings: what was filed of a plant, and freezing a period under a rulebook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, Field

from celadon.core.findings import FindingError
from celadon.core.periods import parse_period
from celadon.core.text import Text
from celadon.plant.account import Question
from celadon.plant.facade import space_of
from celadon.proof import keys, raw
from celadon.proof.filing import Asked as ToFile
from celadon.proof.filing import file_period
from celadon.proof.log import Entry, Filings
from celadon.reports import gather
from celadon.reports.attached import files
from celadon.rules.rulebook import shipped_ids
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.page import Both, Cell, Done, Page, Table, both, write

Report = Literal["energy-carbon", "evidence", "cbam", "quota"]
page = Page("/plants/{plant}/filings", Text("Filings", "申报"), on_plant(), order=80)


class Filed(BaseModel):
    """An entry of the log; `key` is the verifier key it is signed with."""

    index: int
    id: str
    rulebook: str
    edition: str
    period: str
    filed_at: datetime
    as_of: datetime | None
    key: str
    package: str
    """SHA-256 of the package."""


class Due(BaseModel):
    """What filing the readings of the period proposed would take; `most`: how many may be filed."""

    readings: int
    bytes: int
    most: int


class FilingsPage(BaseModel):
    """What the page shows. `checkpoint` is the signed head of the log; `keys` are those this console can sign with."""

    plant: str
    name: Both
    filings: list[Filed]
    checkpoint: str | None
    keys: list[str]
    rulebooks: list[str]
    period: str | None
    reports: list[str]
    """Reports that the form proposes to file with it."""
    due: Due | None


class Freeze(BaseModel):
    """A period to file under a rulebook."""

    rulebook: str = Field(max_length=100)
    period: str = Field(max_length=60)
    by: Literal["enterprise", "site", "process", "meter"] = "site"
    key: str = Field(keys.USUAL, max_length=64)
    reports: list[Report] = Field([], max_length=4)
    """Reports to write and file with it, in the language asked in."""
    readings: bool = False
    """Whether the readings and records behind its facts are filed too."""


class NewKey(BaseModel):
    """A key to make."""

    name: str = Field(keys.USUAL, max_length=64)


def view(
    asked: Asked, period: str | None = None, report: Annotated[list[str] | None, Query(max_length=4)] = None
) -> FilingsPage:
    """The filings of the plant, newest first; `period` and `report`: what the form proposes to file."""
    desk = asked.plant
    with desk.watched() as plant:
        filings = Filings(plant.opened.store_path)
    head = filings.checkpoint()
    preferred = [rulebook for rulebook, _ in desk.model.options]
    proposed, due = _due(asked, period) if asked.may(Action.FILE) else (period, None)
    return FilingsPage(
        plant=desk.key, name=both(desk.model.name), period=proposed, due=due, filings=[shown(entry) for entry in reversed(filings.entries())],
        checkpoint=head.note.decode("utf-8") if head else None,
        keys=[one.name for one in keys.known() if keys.withdrawn(one.name) is None] if asked.may(Action.FILE) else [],
        rulebooks=list(dict.fromkeys([*preferred, *shipped_ids()])), reports=[kind for kind in get_args(Report) if kind in (report or ())],
    )  # fmt: skip


def _due(asked: Asked, period: str | None) -> tuple[str | None, Due | None]:
    """The period the form proposes, and what its readings would take; of nothing where nothing is loaded or it is no period."""
    try:
        label = asked.period(period)
        span = parse_period(label, asked.plant.model.zone)
        count = asked.plant.answer(("readings due", span.label), lambda plant: raw.due(plant.view(), span))
    except FindingError:
        return period, None
    return label, Due(readings=count, bytes=count * raw.BYTES_OF_READING, most=raw.MOST_READINGS)


def table(model: FilingsPage) -> Table:
    """The log's entries."""
    names = ("index", "id", "rulebook", "edition", "period", "filed_at", "as_of", "package", "key")
    rows: list[list[Cell]] = []
    for item in model.filings:
        told = item.model_dump(mode="json")
        rows.append([told[name] for name in names])
    return Table(names, rows)


def shown(entry: Entry) -> Filed:
    """An entry as the pages show it."""
    names = ("rulebook", "edition", "period", "filed_at", "as_of", "key", "package")
    return Filed(index=entry.index, id=entry.id, **{name: entry.body[name] for name in names})


@write(page, "freeze", need=on_plant(Action.FILE))
def freeze(asked: Asked, given: Freeze) -> Done:
    """File a period under a rulebook with one of this console's keys: as a whole, or not at all."""
    book = asked.workspace.library.book(given.rulebook)
    question = Question(given.period, space_of(given.by))
    signer = keys.load(given.key)
    with asked.plant.watched() as plant:
        opened = plant.opened
    opened.sound()
    as_of, attached = None, {}
    if given.reports:
        with asked.plant.lent() as plant:
            # Reports and filing tell of the same facts, whatever is loaded meanwhile.
            moment = plant.view().snapshot.recorded_at
            as_of = moment.isoformat() if moment else None
            wanted = gather.Asked(given.period, (given.rulebook,), {}, as_of)
            attached = files(plant, given.reports, wanted, asked.lang)
    made = file_period(opened, ToFile(book, question, as_of, attached, given.readings), signer)
    if made.new:
        asked.record(
            "filing.made", {**given.model_dump(), "filing": made.entry.id, "index": made.entry.index}
        )
    where = asked.at(f"filings/{made.entry.id}")
    if not made.new:
        return Done(
            goto=where, zh="此前已申报相同内容，未新增。", en="The same was filed before; nothing was added."
        )
    return Done(goto=where, zh="已申报。", en="Filed.")


@write(page, "size", need=on_plant(Action.FILE), json=False)
def size(asked: Asked, given: Freeze) -> Done:
    """The same form for another period, with what its readings would take."""
    chosen = [("period", given.period), *(("report", kind) for kind in given.reports)]
    return Done(goto=f"{asked.at('filings')}?{urlencode(chosen)}")


@write(page, "key", need=on_plant(Action.FILE))
def make_key(asked: Asked, given: NewKey) -> Done:
    """Make a key for this console to sign with, in the configuration folder of the user it runs as."""
    signer = keys.new(given.name)
    asked.record("filing.key", {"key": str(signer.key)})
    return Done(goto=asked.at("filings"), zh="已生成签名密钥。", en="There is a key to sign with now.")
