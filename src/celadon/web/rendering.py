"""Rendering: a model as a page or JSON, with its ETag; findings as a page.

Templates get `asked`, `page`, `model`, and these words:
    when(moment)                              on the plant's clock
    named(word)  book(id)  confidence(word)  named_quantity(word)  formula(text)   what a place or item of the plant, a rulebook, a factor's confidence is called
    t("中文", "English")   say(text)          the language asked for; `text` is a core.text.Text
    also(value, unit)  units                  a trace's figure in the unit chosen; the units chosen (figures of a model are in them already)
    number(value[, digits])  share(value)  change(value)  unit("tCO2")
    static("css/base.css")                    the address of a file of the console, with its digest
    nav(), places()                           what the layout shows
The macros for tables, figures and numbers are in templates/macros.html.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from celadon.charts.chart import Chart
from celadon.core.dataclass import dataclass
from celadon.core.findings import SEVERITY_TEXT, Finding
from celadon.core.periods import zone
from celadon.core.text import Text
from celadon.reports.words import CONFIDENCES
from celadon.web import numbers, problems, units
from celadon.web.access import CONSOLE, Place, Verdict, decide
from celadon.web.asked import NO_PERIOD, Asked, with_query
from celadon.web.gate import LANGUAGE_COOKIE
from celadon.web.names import Names, formula_named, rulebook_name, word_named, worded
from celadon.web.page import Both, Page
from celadon.web.workspace import address

HERE = Path(__file__).parent
STATIC = HERE / "static"
SAID_COOKIE = "celadon_said"
_OF_PLANT = re.compile(r"/plants/[^/]+")
_CACHE = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language, Cookie, Authorization"}


@dataclass(frozen=True)
class NavItem:
    """One line of the navigation."""

    title: str
    href: str
    here: bool


class Renderer:
    """The templates, and the pages there are (for the navigation)."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = sorted(
            (page for page in pages if page.order is not None), key=lambda page: page.order or 0
        )
        loader = FileSystemLoader([HERE / "templates", HERE / "pages"])
        self._templates = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals.update(
            number=numbers.number, share=numbers.share, change=numbers.change, static=static, address=address,
            with_query=with_query, severity_text=SEVERITY_TEXT,
        )  # fmt: skip

    def html(
        self, asked: Asked, page: Page, template: str, model: object, said: str, module: ModuleType
    ) -> str:
        """A page's template with its model; it may call the functions of its view.py that draw (`picture…`)."""
        drawing = {name: item for name, item in vars(module).items() if name.startswith("picture")}
        return self._templates.get_template(template).render(
            **self._words(asked), **drawing, page=page, model=model, said=said, title=asked.say(page.title)
        )

    def problem(self, asked: Asked, findings: Sequence[Finding]) -> str:
        """What went wrong, as a page."""
        first = findings[0]
        plant = _OF_PLANT.match(asked.path)
        return self._templates.get_template("problem.html").render(
            facts=f"{plant[0]}/facts" if plant and first.code == NO_PERIOD.code else None,
            **self._words(asked),
            page=None,
            said="",
            title=first.kind.title.say(asked.lang),
            findings=[worded(item) for item in findings],
        )

    def _words(self, asked: Asked) -> dict[str, Any]:
        def say(text: Text | Both) -> str:
            return text.say(asked.lang)

        def printed(chart: Chart) -> Chart:
            return replace(chart, unit=unit(chart.unit))

        def picture_of(chart: Chart) -> Markup:
            return Markup(chart.to_svg(asked.lang))  # noqa: S704 - our own charts escape every text

        def unit(text: str) -> str:
            return numbers.unit(text, asked.lang)

        clock: list[tzinfo] = []  # the place's, found when a page first shows a time

        def when(moment: datetime, seconds: bool = False) -> str:
            if not clock:
                plant = asked.place is not None and asked.place.kind == "plant"
                clock.append(zone(asked.plant.model.zone) if plant else UTC)
            return moment.astimezone(clock[0]).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")

        chosen = asked.units

        def also(value: float | None, of: str) -> str:
            """A figure of a trace in the unit that pages show it in; "" where it is that already."""
            into = chosen.of(of, value)
            if value is None or into == of:
                return ""
            return f"= {numbers.number(units.converted(value, of, into))} {unit(into)}"

        names: list[Names] = []  # the plant's, made when a page first names something

        def named(word: str) -> str:
            if asked.place is None or asked.place.kind != "plant":
                return word
            if not names:
                names.append(Names(asked.plant.model))
            return names[0].word(word).say(asked.lang)

        def named_quantity(word: str) -> str:
            known = word_named(word)
            return named(word) if known is None else known.say(asked.lang)

        def formula(text: str) -> str:
            return unit(formula_named(text, asked.lang))

        def confidence(word: str) -> str:
            return CONFIDENCES[word].say(asked.lang) if word in CONFIDENCES else word

        def book(rulebook: str) -> str:
            return rulebook_name(rulebook).say(asked.lang)

        return {
            "also": also, "units": chosen, "named": named, "named_quantity": named_quantity, "formula": formula, "book": book, "confidence": confidence, "when": when, "printed": printed, "picture_of": picture_of, "asked": asked, "lang": asked.lang, "t": asked.t, "say": say, "unit": unit, "nav": lambda: self.nav(asked),
            "switch": with_query(asked.path, {**asked.query, "lang": "en" if asked.lang == "zh" else "zh"}),
        }  # fmt: skip

    def nav(self, asked: Asked) -> list[NavItem]:
        """The pages of the place that is shown (else of the console) that whoever asks may open."""
        kind = asked.place.kind if asked.place else "console"
        items = []
        for page in self._pages:
            if (
                _kind_of(page.path) != kind
                or decide(asked.who, page.need, asked.place or CONSOLE) is not Verdict.ALLOWED
            ):
                continue
            href = _filled(page.path, asked.place)
            items.append(NavItem(asked.say(page.title), href, href == asked.path))
        return items


def _kind_of(path: str) -> str:
    return (
        "plant"
        if path.startswith("/plants/{plant}")
        else "region"
        if path.startswith("/regions/{region}")
        else "console"
    )


def _filled(path: str, place: Place | None) -> str:
    if place is None:
        return path
    return path.replace("{plant}", place.key).replace("{region}", place.key)


# -- answers -------------------------------------------------------------------------------------------------------------


def answer(request: Request, asked: Asked, body: str | bytes, media_type: str, status: int = 200) -> Response:
    """A response with its ETag; 304 when the asker has it already."""
    data = body.encode() if isinstance(body, str) else body
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {**_CACHE, "ETag": tag, "Content-Language": asked.lang}
    known = {word.strip().removeprefix("W/") for word in request.headers.get("if-none-match", "").split(",")}
    if status == 200 and request.method in ("GET", "HEAD") and tag in known:
        return Response(status_code=304, headers=headers)
    made = Response(data, status, headers, media_type)
    if request.query_params.get("lang") in ("zh", "en"):
        made.set_cookie(
            LANGUAGE_COOKIE,
            asked.lang,
            max_age=365 * 86400,
            httponly=True,
            samesite="lax",
            secure=asked.secure,
        )
    return made


def as_json(model: BaseModel) -> str:
    """A model as JSON: absent is null, instants with their offset."""
    return model.model_dump_json()


def problem_json(request: Request, asked: Asked, findings: Sequence[Finding]) -> Response:
    """The findings as problem+json."""
    body = json.dumps(
        problems.problem(findings, asked.lang, request.url.path), ensure_ascii=False, default=str
    )
    return Response(body, problems.status_of(findings), {"Cache-Control": "no-store"}, problems.MEDIA_TYPE)


# -- a word after a change ----------------------------------------------------------------------------------------------


def keep_said(response: Response, zh: str, en: str, secure: bool) -> None:
    """What the next page says on top, once."""
    text = base64.urlsafe_b64encode(json.dumps([zh, en]).encode()).decode()
    response.set_cookie(SAID_COOKIE, text, max_age=60, httponly=True, samesite="lax", secure=secure)


def said(request: Request, asked: Asked) -> str:
    """What a change before this page left to say."""
    text = request.cookies.get(SAID_COOKIE, "")
    try:
        zh, en = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, TypeError):
        return ""
    return str(zh if asked.lang == "zh" else en)


# -- files of the console -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def static(name: str) -> str:
    """The address of a file in static/, with its digest, so that a browser keeps it until it changes."""
    found = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={found}"
