"""The application: a workspace, its state and every page, behind the gate.

    app = create_app("folder", address=None)        # ASGI; app.state.shared has what the requests share

A route that declares no need stops it from starting.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from celadon.core.findings import Finding, FindingError
from celadon.core.findings import Place as Where
from celadon.store.faults import of_memory
from celadon.web import audit, idempotency, people, problems, sessions, units
from celadon.web.access import PERSON, Need
from celadon.web.asked import NO_PERIOD, Asked, nothing_yet
from celadon.web.exports import EXPORTS
from celadon.web.gate import Shared, gate, identify, language_of
from celadon.web.page import BODY_LIMIT
from celadon.web.rendering import STATIC, Renderer, problem_json
from celadon.web.routing import Folder, add, folders, limits, register
from celadon.web.security import Guard, host_name
from celadon.web.state import State
from celadon.web.warming import Warming
from celadon.web.workspace import Workspace

_LOG = logging.getLogger("celadon.web")
_WARMED = 3
"""Places whose overview is worked out after the start."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def create_app(folder: str | Path, *, address: str | None = None, hosts: Sequence[str] = ()) -> FastAPI:
    """The console over a folder. `address`: where people reach it (https://energy.example.com), when that is not the
    machine itself; `hosts`: further names it answers to.

    Raises:
        FindingError: nothing to serve, or another server has the folder.
    """
    workspace = Workspace(folder)
    found = folders()
    state = open_state(workspace, found)
    secure = bool(address) and urlsplit(address or "").scheme == "https"
    app = FastAPI(
        title="Celadon", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan, redirect_slashes=False,
    )  # fmt: skip
    app.state.shared = Shared(workspace, state, secure)
    app.state.needs, app.state.limits = {}, []
    app.state.first_views = {
        kind: item.view
        for item in found
        for kind in ("plant", "region")
        if item.page.path == f"/{kind}s/{{{kind}}}/overview"
    }
    renderer = app.state.renderer = Renderer([item.page for item in found])
    for item in sorted(found, key=lambda one: _specificity(one.page.path)):
        register(app, item, renderer)
    _openapi(app)
    app.mount("/static", _Static(directory=STATIC), name="static")
    _handlers(app)
    check_needs(app)
    names = [*LOOPBACK, *hosts, *([host_name(urlsplit(address).netloc)] if address else [])]
    app.add_middleware(Guard, hosts=names, secure=secure, limit_of=lambda path: limits(app, path, BODY_LIMIT))
    return app


def open_state(workspace: Workspace, found: Sequence[Folder]) -> State:
    """The console's memory with the tables of every module and page."""
    schemas = [
        people.SCHEMA,
        sessions.SCHEMA,
        audit.SCHEMA,
        units.SCHEMA,
        idempotency.SCHEMA,
        *(item.schema for item in found),
    ]
    state = State(workspace.memory / "console.sqlite", schemas)
    idempotency.forget_unfinished(state)
    return state


def check_needs(app: FastAPI) -> None:
    """RuntimeError when a route can be reached without the gate."""
    needs: dict[tuple[str, str], Need] = app.state.needs
    for route in app.routes:
        if isinstance(route, Mount) and route.name == "static":
            continue
        methods = (route.methods or set()) - {"HEAD"} if isinstance(route, Route) else {"?"}
        path = getattr(route, "path", "?")
        for method in methods:
            if (method, path) not in needs:
                raise RuntimeError(
                    f"{method} {path} has no need: every route goes through celadon.web.routing.add"
                )


def _specificity(path: str) -> tuple[int, str]:
    """Addresses with fewer named parts first, so that /plants/new is not a plant called new."""
    return (path.count("{"), path)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    shared: Shared = app.state.shared
    app.state.warming = Warming(_first_pages(app.state.first_views, shared))
    yield
    await run_in_threadpool(app.state.warming.stop)
    shared.workspace.close()
    shared.state.close()


def _first_pages(
    views: Mapping[str, Callable[..., object]], shared: Shared
) -> Iterator[Callable[[], object]]:
    """The overviews of the first few places."""
    for place in shared.workspace.places()[:_WARMED]:
        if place.kind in views:
            yield partial(views[place.kind], Asked(shared.workspace, shared.state, None, "zh", place))


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of what the console answers to; made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="Celadon", version="1", routes=app.routes,
            description="Every page is at the same address with .json. Errors are problem+json with Finding codes.",
        )  # fmt: skip
        _document_problems(made)
        app.openapi_schema = made
    return app.openapi_schema


def _document_problems(made: dict[str, Any]) -> None:
    """Say in the document that whatever is refused is refused as problem+json, and how one proves who one is."""
    parts = made.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's own, which nobody gets to see
        schemas.pop(name, None)
    schemas["Problem"] = problems.SCHEMA
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    refused = {
        "description": "Refused: the findings say why",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for verbs in made["paths"].values():
        for said in verbs.values():
            said["responses"].pop("422", None)
            said["responses"]["4XX"] = refused


def _openapi(app: FastAPI) -> None:
    """/openapi.json, for those who have signed in."""

    enter = gate(PERSON)

    def endpoint(request: Request) -> JSONResponse:
        enter(request)
        return JSONResponse(document(app))

    add(app, "/openapi.json", PERSON, endpoint, include_in_schema=False)


class _Static(StaticFiles):
    """Files of the console; an address with a digest may be kept for good."""

    def file_response(self, *given: object, **more: object) -> Response:
        response = super().file_response(*given, **more)  # type: ignore[arg-type]
        scope = next(cast(Scope, item) for item in (*given, *more.values()) if isinstance(item, dict))
        kept = "public, max-age=31536000, immutable" if b"v=" in scope["query_string"] else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


# -- what goes wrong -------------------------------------------------------------------------------------------------------


def _handlers(app: FastAPI) -> None:
    def refuse(request: Request, findings: Sequence[Finding]) -> Response:
        asked = _outside(request)
        status = problems.status_of(findings)
        if not _wants_page(request):
            response = problem_json(request, asked, findings)
        elif status == 401:
            return RedirectResponse(f"/sign-in?next={quote(_self(request))}", 303)
        else:
            body = app.state.renderer.problem(asked, findings)
            response = Response(body, status, {"Cache-Control": "no-store"}, "text/html; charset=utf-8")
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if status == 429:
            response.headers["Retry-After"] = "900"
        return response

    def by_finding(request: Request, error: Exception) -> Response:
        findings = cast(FindingError, error).findings
        if nothing_yet(findings):  # where its store would be is nobody's business
            place = next(
                (str(word) for name, word in request.path_params.items() if name in ("plant", "region")), ""
            )
            findings = [NO_PERIOD.at(Where(subject=place), place=place)]
        return refuse(request, findings)

    def by_validation(request: Request, error: Exception) -> Response:
        return refuse(request, problems.of_validation(cast(RequestValidationError, error).errors()))

    def by_status(request: Request, error: Exception) -> Response:
        said = cast(HTTPException, error)
        limit = int(said.detail) if said.status_code == 413 and said.detail.isdigit() else None
        return refuse(
            request, [problems.of_status(said.status_code, request.url.path, request.method, limit)]
        )

    def by_fault(request: Request, error: Exception) -> Response:
        memory = of_memory(error)
        if memory is not None:
            return refuse(request, [memory])
        number = secrets.token_hex(4)
        _LOG.error("fault %s at %s %s", number, request.method, request.url.path, exc_info=error)
        return refuse(request, [problems.FAULT.at(Where(subject=request.url.path), number=number)])

    app.add_exception_handler(FindingError, by_finding)
    app.add_exception_handler(RequestValidationError, by_validation)
    app.add_exception_handler(HTTPException, by_status)
    app.add_middleware(_Faults, answer=by_fault)


class _Faults:
    """A fault of the program becomes an answer inside the guard, so that it too has its headers."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await run_in_threadpool(self._answer, Request(scope), error)
            await response(scope, receive, send)


def _outside(request: Request) -> Asked:
    """Who is told what went wrong, without a place: a problem's page shows nothing of it."""
    shared: Shared = request.app.state.shared
    who = identify(request)
    return Asked(
        shared.workspace,
        shared.state,
        who,
        language_of(request, who),
        None,
        request.url.path,
        secure=shared.secure,
    )


def _wants_page(request: Request) -> bool:
    path = request.url.path
    return not path.endswith(
        (".json", *(f".{kind}" for kind in EXPORTS))
    ) and "text/html" in request.headers.get("accept", "")


def _self(request: Request) -> str:
    """The address asked for, as a path with its query; the first page for what cannot be asked for again."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
