"""Reports: the workbooks and PDFs of `celadon report`, made from what the store holds now; with their digest before download."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from celadon.core.text import Lang, Text
from celadon.core.version import VERSION
from celadon.plant.facade import Plant
from celadon.reports.gather import Asked as Wanted
from celadon.reports.write import KINDS, MEDIA, make, write
from celadon.rules.rulebook import shipped_ids
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.page import Both, Page, both

page = Page("/plants/{plant}/reports", Text("Reports", "报告"), on_plant(Action.EXPLAIN), order=60)
_ABOUT = {
    "energy-carbon": Text(
        "Key figures against the period before, their parts by month, what changed, flows through the meters.",
        "主要指标与上期比较、逐月构成、变化原因、能流图。",
    ),
    "evidence": Text(
        "Every figure down to file lines, the conservation proof, files with digests: for a verifier.",
        "各指标追溯至文件行、守恒证明、数据文件及摘要：供核查使用。",
    ),
    "cbam": Text(
        "Embedded emissions of each good per tonne, for a customer in the EU.",
        "各货物单位隐含排放：供欧盟客户使用。",
    ),
    "quota": Text(
        "Energy per product against its mandatory levels; allowances against the obligation.",
        "单位产品能耗与限额等级对照；配额与清缴义务对照。",
    ),
}


class Kind(BaseModel):
    """A kind of report; `rulebooks`: those it takes unless others are chosen (none: they must be)."""

    kind: str
    title: Both
    about: Both
    rulebooks: list[str]


class Choice(BaseModel):
    """A rulebook to choose; `usual`: whether the plant's file names it, or a report of this plant would be expected under it."""

    rulebook: str
    title: Both
    usual: bool


class Reports(BaseModel):
    """What can be made."""

    plant: str
    period: str
    kinds: list[Kind]
    rulebooks: list[Choice]


def view(
    asked: Asked,
    request: Request,
    period: str | None = None,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    form: Annotated[Literal["xlsx", "pdf"], Query(alias="format")] = "xlsx",
    language: Literal["zh", "en"] | None = None,
    rulebook: Annotated[list[str] | None, Query()] = None,
) -> Reports | Response:
    """The kinds of reports; with `kind` the report itself, as a workbook or PDF (`format`) in a `language`.

    `rulebook` may be repeated. The same state of the plant gives the same bytes; the header `Repr-Digest` has their SHA-256.
    """
    shown = asked.period(period)
    if kind is not None:
        address = str(request.base_url).rstrip("/") + asked.at("explain")
        return _file(
            asked, kind, form, language or asked.lang, Wanted(shown, tuple(rulebook or ()), address=address)
        )
    kinds = [
        Kind(kind=name, title=both(title), about=both(_ABOUT[name]), rulebooks=list(books))
        for name, (title, books, _) in KINDS.items()
    ]
    return Reports(plant=asked.plant.key, period=shown, kinds=kinds, rulebooks=_rulebooks(asked))


def _rulebooks(asked: Asked) -> list[Choice]:
    """Every shipped rulebook; those the plant's file sets options for are chosen, else the two general ones."""
    named = {name for name, _ in asked.plant.model.options} or {"cn_gbt_2589_2020", "cn_gbt_32150_2015"}
    found = []
    for name in shipped_ids():
        book = asked.workspace.library.book(name)
        found.append(Choice(rulebook=book.id, title=both(book.document.title), usual=book.id in named))
    return found


def _file(asked: Asked, kind: str, form: Literal["xlsx", "pdf"], language: Lang, wanted: Wanted) -> Response:
    desk = asked.plant
    usual = KINDS[kind][1] if kind in KINDS else ()
    digests = tuple(desk.library.book(str(name)).digest for name in wanted.rulebooks or usual)
    words = ("report", kind, form, language, wanted.period, digests, wanted.address)

    def ask(plant: Plant) -> bytes:
        return write(make(plant, kind, wanted, language, VERSION), form, language)

    data = desk.answer(words, ask)
    digest = sha256(data)
    name = f"{desk.key}-{kind}-{wanted.period}-{language}.{form}".replace("..", "_to_")
    headers = {
        "Content-Disposition": f'attachment; filename="{_plain(name)}"',
        "Repr-Digest": f"sha-256=:{_base64(digest.digest())}:",
        "ETag": f'"{digest.hexdigest()[:32]}"',
        "Cache-Control": "private, no-cache",
        "Content-Language": language,
    }
    return Response(data, 200, headers, MEDIA[form])


def _plain(name: str) -> str:
    """A file name that a header can hold."""
    return "".join(
        character if character.isascii() and (character.isalnum() or character in "-_.") else "_"
        for character in name
    )


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode("ascii")
