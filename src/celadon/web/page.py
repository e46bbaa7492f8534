"""Page and Write: what a page's folder declares. Being in `web/pages/` registers it.

web/pages/<name>/view.py has

    page = Page("/plants/{plant}/overview", Text("Overview", "总览"), on_plant(), order=10)

    def view(asked: Asked, period: str | None = None) -> Overview:      # a pydantic model; typed query parameters
        …

and template.html beside it gets `asked`, `page` and `model`. The same model is at path + ".json". Where there is also
`def table(model) -> Table`, its rows are at ".csv", ".parquet" and
".arrow". What changes something:

    @write(page, "target", need=on_plant(Action.CHANGE))
    def set_target(asked: Asked, given: Target) -> Done:     # POST …/overview/target: a form; ….json: the same as JSON
        with asked.recording("target.set", given.model_dump()) as con:
            …
        return Done(goto=asked.at("overview"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

from pydantic import BaseModel

from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text
from celadon.web.access import Need

Cell = str | float | int | bool | None


@dataclass(frozen=True)
class Table:
    """Rows for export: absent is None, and an empty cell."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Both(BaseModel):
    """A text in both languages, in a model."""

    zh: str
    en: str

    def say(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


def both(text: Text) -> Both:
    """A text for a model."""
    return Both(zh=text.zh, en=text.en)


class Done(BaseModel):
    """What a write says: where a browser goes next, and what was done (both languages, where there is something to say)."""

    goto: str = "/"
    zh: str = ""
    en: str = ""


@dataclass(frozen=True)
class Write:
    """A change that a page offers: POST to its path."""

    path: str
    need: Need
    handler: Callable[..., Any]
    limit: int
    json: bool


@dataclass(frozen=True)
class Page:
    """A page: where it is, what it is called, who may see it, and its place in the navigation (None = not in it)."""

    path: str
    title: Text
    need: Need
    order: int | None = None
    writes: list[Write] = field(default_factory=list)


BODY_LIMIT = 1 << 20


def write(
    page: Page, name: str, *, need: Need, limit: int = BODY_LIMIT, json: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as what POST to the page's path + `/name` does; `limit`: most bytes of the body; `json`: whether programs
    may send it too (a sign-in is for browsers alone). Where the folder has a template `<name>.html`, the browser is shown
    it with the returned model; else it goes on to `Done.goto`."""

    def take(handler: Callable[..., Any]) -> Callable[..., Any]:
        page.writes.append(Write(f"{page.path.rstrip('/')}/{name}", need, handler, limit, json))
        return handler

    return take
