"""The gate: what stands before every handler. It finds out who asks, asks `access.decide`, and hands in an `Asked`.

A request proves whose it is by a token (`Authorization: Bearer celadon_…`) or by a session's cookie. A change that comes
by a cookie must also carry the session's second secret (form field `csrf` or header `X-CSRF-Token`).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError
from celadon.core.findings import Place as Where
from celadon.core.text import Lang
from celadon.web import problems, sessions
from celadon.web.access import Identity, Need, On, Place, Verdict, decide
from celadon.web.asked import Asked
from celadon.web.security import same_origin
from celadon.web.state import State
from celadon.web.workspace import Workspace

LANGUAGE_COOKIE = "celadon_lang"


@dataclass(frozen=True)
class Shared:
    """What all requests share."""

    workspace: Workspace
    state: State
    secure: bool


def gate(need: Need) -> Callable[[Request], Asked]:
    """The dependency of a route that only reads."""

    def enter(request: Request) -> Asked:
        return _enter(request, need, identify(request))

    return enter


def gate_of_write(need: Need) -> Callable[[Request], Awaitable[Asked]]:
    """The dependency of a route that changes something."""

    async def enter(request: Request) -> Asked:
        who = await run_in_threadpool(identify, request)
        asked = await run_in_threadpool(_enter, request, need, who)
        if (who is None or who.token is None) and not await _from_here(request, who):
            raise FindingError(problems.FORGED.at(Where(subject=request.url.path)))
        return asked

    return enter


def identify(request: Request) -> Identity | None:
    """Whose request it is; None when nobody has signed in."""
    state: State = request.app.state.shared.state
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return sessions.of_token(state, token.strip())
    cookie = request.cookies.get(sessions.COOKIE)
    return sessions.of_session(state, cookie) if cookie else None


def language_of(request: Request, who: Identity | None) -> Lang:
    """The language asked for: `?lang=`, the cookie, the person's own, the browser's."""
    asked = (
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        who.language if who else None,
    )
    for word in asked:
        if word == "zh":
            return "zh"
        if word == "en":
            return "en"
    for item in request.headers.get("accept-language", "").split(","):
        word = item.strip().split(";")[0].lower()
        if word.startswith("zh"):
            return "zh"
        if word.startswith("en"):
            return "en"
    return "en"


def _enter(request: Request, need: Need, who: Identity | None) -> Asked:
    shared: Shared = request.app.state.shared
    path = request.url.path
    place = _place(request, shared.workspace)
    missing = need.on in (On.PLANT, On.REGION) and place is None
    verdict = decide(who, need, place)
    if verdict is Verdict.SIGN_IN:
        raise FindingError(problems.SIGN_IN_NEEDED.at(Where(subject=path)))
    if verdict is Verdict.HIDDEN or missing:
        raise FindingError(problems.NOT_THERE.at(Where(subject=path), path=path))
    if verdict is Verdict.REFUSED:
        name = who.name if who else ""
        raise FindingError(problems.NOT_ALLOWED.at(Where(subject=path), name=name, action=str(need.action)))
    return Asked(
        shared.workspace, shared.state, who, language_of(request, who), place, path, dict(request.query_params), request.url.query,
        request.client.host if request.client else "", shared.secure or request.url.scheme == "https",
        {name: str(word) for name, word in request.path_params.items()},
    )  # fmt: skip


def _place(request: Request, workspace: Workspace) -> Place | None:
    """The plant or region that the address names, None when it names none that is served."""
    parts = request.path_params
    if "plant" in parts and workspace.plant(parts["plant"]) is not None:
        return Place("plant", parts["plant"])
    if "region" in parts and workspace.region(parts["region"]) is not None:
        return Place("region", parts["region"])
    return None


async def _from_here(request: Request, who: Identity | None) -> bool:
    """Whether a change was sent by one of our own pages, of this session."""
    headers = request.headers
    ours = same_origin(headers.get("origin"), headers.get("sec-fetch-site"), headers.get("host", ""))
    if ours is False:
        return False
    if who is None:
        return ours is True
    given = headers.get("x-csrf-token")
    if given is None and "form" in headers.get("content-type", ""):
        value = (await request.form()).get("csrf")
        given = value if isinstance(value, str) else None
    return given is not None and secrets.compare_digest(given.encode(), who.csrf.encode())
