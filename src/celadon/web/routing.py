"""Routing: a page's folder as routes. For each page its HTML, its `.json`, and `.csv`, `.parquet` and `.arrow` where it has a table;
for each write a POST of a form and, with `.json`, of JSON with an Idempotency-Key.

`add` is the only way a route gets into the application, and takes its need: `create_app` refuses to start otherwise.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path as FilePath
from types import ModuleType
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Form, Header, Path, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from celadon.core.dataclass import dataclass
from celadon.web import idempotency, pages
from celadon.web.access import Need
from celadon.web.asked import Asked
from celadon.web.exports import EXPORTS, Export
from celadon.web.gate import gate, gate_of_write
from celadon.web.page import Done, Page, Table, Write
from celadon.web.rendering import (
    SAID_COOKIE,
    Renderer,
    answer,
    as_json,
    keep_said,
    said,
)
from celadon.web.units import has_units, shown

_PART = re.compile(r"\{(\w+)\}")
_NAMED = inspect.Parameter.KEYWORD_ONLY
_UNITS = inspect.Parameter(
    "units", _NAMED, default=None,
    annotation=Annotated[str | None, Query(max_length=200, description="Units to show figures in, for example energy:GJ,emission:kt")],
)  # fmt: skip
"""What every address with figures takes; `Asked.units` reads it."""


@dataclass(frozen=True)
class Folder:
    """A page's folder as imported."""

    name: str
    module: ModuleType
    page: Page
    view: Callable[..., Any]
    """The page's own function: `view(asked, …)`."""

    @property
    def schema(self) -> str:
        """The tables the page keeps in the console's state."""
        return str(getattr(self.module, "SCHEMA", ""))

    def template(self, name: str) -> str | None:
        """A template of the folder, None where there is none."""
        file = FilePath(self.module.__file__ or "").parent / f"{name}.html"
        return f"{self.name}/{name}.html" if file.is_file() else None


def folders() -> list[Folder]:
    """Every page there is, by folder name."""
    found = []
    for item in pkgutil.iter_modules(pages.__path__):
        module = importlib.import_module(f"{pages.__name__}.{item.name}.view")
        found.append(Folder(item.name, module, module.page, module.view))
    return found


def add(app: FastAPI, path: str, need: Need, endpoint: Callable[..., Any], **more: Any) -> None:
    """A route with its need, which the gate inside `endpoint` asks for."""
    app.add_api_route(path, endpoint, **more)
    needs: dict[tuple[str, str], Need] = app.state.needs
    for method in more.get("methods", ["GET"]):
        needs[(method, path)] = need


def register(app: FastAPI, folder: Folder, renderer: Renderer) -> None:
    """All routes of a page."""
    page, path = folder.page, folder.page.path
    stem = path if path != "/" else "/index"
    model = _model_of(folder.view)
    common: dict[str, Any] = {"tags": [folder.name]}
    if model is not None:
        add(
            app, f"{stem}.json", page.need, _reader(folder, page, lambda r, a, m: answer(r, a, as_json(shown(m, a.units)), "application/json")),
            name=f"{folder.name}.json", response_model=model, summary=page.title.en, description=inspect.getdoc(folder.view) or "", **common,
        )  # fmt: skip
        table = getattr(folder.module, "table", None)
        if table is not None:
            for kind, export in EXPORTS.items():
                add(
                    app, f"{stem}.{kind}", page.need, _reader(folder, page, _exporter(table, export)),
                    name=f"{folder.name}.{kind}", response_class=Response, summary=f"{page.title.en} ({kind})", **common,
                )  # fmt: skip
    add(app, path, page.need, _reader(folder, page, _html(folder, renderer)), name=folder.name, include_in_schema=False,
        response_class=Response, response_model=None)  # fmt: skip
    for change in page.writes:
        _register_write(app, folder, change, renderer)


Finish = Callable[[Request, Asked, Any], Response]


def _reader(folder: Folder, page: Page, finish: Finish) -> Callable[..., Any]:
    """The endpoint of a GET: the gate, the view with its typed parameters, an answer."""

    def endpoint(request: Request, asked: Asked, **given: Any) -> Response:
        made = _call(folder.view, request, asked, given)
        return made if isinstance(made, Response) else finish(request, asked, made)

    model = _model_of(folder.view)
    more = [_UNITS] if model is not None and has_units(model) else []
    return _signed(endpoint, folder.view, page.path, gate(page.need), more=more)


def _html(folder: Folder, renderer: Renderer) -> Finish:
    def finish(request: Request, asked: Asked, model: Any) -> Response:
        word = said(request, asked)
        figures = shown(model, asked.units)
        body = renderer.html(asked, folder.page, f"{folder.name}/template.html", figures, word, folder.module)
        made = answer(request, asked, body, "text/html; charset=utf-8")
        if SAID_COOKIE in request.cookies:
            made.delete_cookie(SAID_COOKIE)
        return made

    return finish


def _exporter(table: Callable[[Any], Table], export: Export) -> Finish:
    def finish(request: Request, asked: Asked, model: Any) -> Response:
        return answer(request, asked, export.write(table(shown(model, asked.units))), export.media)

    return finish


# -- writes ----------------------------------------------------------------------------------------------------------------


def _register_write(app: FastAPI, folder: Folder, change: Write, renderer: Renderer) -> None:
    name = change.path.rsplit("/", 1)[-1]
    label = f"{folder.name}.{name}"
    limits: list[tuple[re.Pattern[str], int]] = app.state.limits
    limits.append((re.compile(_PART.sub("[^/]+", change.path) + r"(\.json)?"), change.limit))
    form = _form_endpoint(folder, change, renderer, name)
    add(app, change.path, change.need, form, methods=["POST"], name=f"{label} (form)", include_in_schema=False,
        response_class=Response, response_model=None)  # fmt: skip
    if not change.json:
        return
    add(
        app, f"{change.path}.json", change.need, _json_endpoint(change), methods=["POST"], name=label, tags=[folder.name],
        response_model=_model_of(change.handler) or Done, summary=(inspect.getdoc(change.handler) or label).splitlines()[0],
    )  # fmt: skip


def _form_endpoint(folder: Folder, change: Write, renderer: Renderer, name: str) -> Callable[..., Any]:
    """POST of a form: done, the browser goes on to another page (or sees the folder's template of that name)."""

    def endpoint(request: Request, asked: Asked, **given: Any) -> Response:
        made = _call(change.handler, request, asked, given)
        if isinstance(made, Response):
            return made
        template = folder.template(name)
        if template is not None:
            figures = shown(made, asked.units)
            body = renderer.html(asked, folder.page, template, figures, "", folder.module)
            return Response(body, 200, {"Cache-Control": "no-store"}, "text/html; charset=utf-8")
        response = RedirectResponse(made.goto, 303)
        if made.zh or made.en:
            keep_said(response, made.zh, made.en, asked.secure)
        return response

    return _signed(endpoint, change.handler, change.path, gate_of_write(change.need), form=True)


def _json_endpoint(change: Write) -> Callable[..., Any]:
    """POST of JSON: the model; a repeated Idempotency-Key gets the first answer again and nothing is done twice."""

    async def endpoint(
        request: Request, asked: Asked, idempotency_key: str | None = None, **given: Any
    ) -> Response:
        body = hashlib.sha256(await request.body()).hexdigest()

        def work() -> tuple[int, str]:
            made = _call(change.handler, request, asked, given)
            if isinstance(made, Response):
                return made.status_code, bytes(made.body).decode()
            return 200, as_json(made)

        status, text, again = await run_in_threadpool(
            idempotency.once, asked.state, asked.who, request.url.path, idempotency_key, body, work
        )
        headers = {"Cache-Control": "no-store", **({"Idempotent-Replayed": "true"} if again else {})}
        return Response(text, status, headers, "application/json")

    made = _signed(endpoint, change.handler, change.path, gate_of_write(change.need))
    shape = inspect.signature(made)
    key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
    more = inspect.Parameter("idempotency_key", _NAMED, default=None, annotation=key)
    made.__signature__ = shape.replace(parameters=[*shape.parameters.values(), more])  # type: ignore[attr-defined]
    return made


# -- signatures --------------------------------------------------------------------------------------------------------------


def _signed(
    endpoint: Callable[..., Any],
    view: Callable[..., Any],
    path: str,
    enter: Callable[..., Any],
    form: bool = False,
    more: Sequence[inspect.Parameter] = (),
) -> Callable[..., Any]:
    """The endpoint with the view's parameters, so that the framework reads and documents them; `more` and the parts of the
    path that the view does not ask for are documented and dropped."""
    hints = typing.get_type_hints(view, include_extras=True)
    parameters = [
        item for item in inspect.signature(view).parameters.values() if item.name not in ("asked", "request")
    ]
    named = {item.name for item in parameters}
    parts = [name for name in _PART.findall(path) if name not in named]
    unasked = [*parts, *(item.name for item in more)]
    shape = [
        inspect.Parameter("request", _NAMED, annotation=Request),
        inspect.Parameter("asked", _NAMED, annotation=Annotated[Asked, Depends(enter)]),
        *(inspect.Parameter(name, _NAMED, annotation=Annotated[str, Path()]) for name in parts),
        *(item.replace(kind=_NAMED, annotation=_hint(hints[item.name], form)) for item in parameters),
        *more,
    ]

    if inspect.iscoroutinefunction(endpoint):

        async def call(**given: Any) -> Any:
            return await endpoint(**{name: value for name, value in given.items() if name not in unasked})

    else:

        def call(**given: Any) -> Any:  # type: ignore[misc]
            return endpoint(**{name: value for name, value in given.items() if name not in unasked})

    call.__signature__ = inspect.Signature(shape)  # type: ignore[attr-defined]
    call.__doc__ = view.__doc__
    call.__name__ = view.__name__
    return call


def _call(view: Callable[..., Any], request: Request, asked: Asked, given: dict[str, Any]) -> Any:
    """The view's answer; one that reads cookies or the body itself asks for `request` too."""
    if "request" in inspect.signature(view).parameters:
        return view(asked, request=request, **given)
    return view(asked, **given)


def _hint(hint: Any, form: bool) -> Any:
    return Annotated[hint, Form()] if form and inspect.isclass(hint) and issubclass(hint, BaseModel) else hint


def _model_of(view: Callable[..., Any]) -> type[BaseModel] | None:
    found = typing.get_type_hints(view).get("return")
    # A view may also answer with a file: `-> Model | Response`.
    given = typing.get_args(found) or (found,)
    return next((one for one in given if inspect.isclass(one) and issubclass(one, BaseModel)), None)


def limits(app: FastAPI, path: str, default: int) -> int:
    """The most bytes that a body sent to a path may have."""
    found: Iterator[int] = (limit for pattern, limit in app.state.limits if pattern.fullmatch(path))
    return next(found, default)
