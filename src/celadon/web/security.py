"""Security of the transport: which names the console answers to, how large a body may be, what a browser may load.

One ASGI layer around everything, so that no answer leaves without its headers. There is no inline script and no inline
style on any page; pictures are elements of the page or files of the console itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from celadon.core.findings import Place
from celadon.web import problems

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
        "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    )
)  # fmt: skip
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_STRICT = (b"strict-transport-security", b"max-age=31536000")
LimitOf = Callable[[str], int]


class Guard:
    """Checks the host and the size of the body, and adds the headers."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], secure: bool, limit_of: LimitOf) -> None:
        self._app = app
        self._hosts = frozenset(name.lower() for name in hosts)
        self._headers = (*_HEADERS, _STRICT) if secure else _HEADERS
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if host_name(host) not in self._hosts:
            await _refuse(
                send, problems.HOST.at(Place(subject=host), host=host or "?"), scope["path"], self._headers
            )
            return
        limit = self._limit_of(scope["path"])
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            too_large = problems.of_status(413, scope["path"], scope["method"], limit)
            await _refuse(send, too_large, scope["path"], self._headers)
            return
        await self._app(scope, _counted(receive, limit), self._with_headers(send))

    def _with_headers(self, send: Send) -> Send:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                more = [item for item in self._headers if item[0] not in given]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        return add


def _counted(receive: Receive, limit: int) -> Receive:
    """The body, until it is larger than its header said it would be (or said nothing)."""
    size = 0

    async def take() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise HTTPException(413, detail=str(limit))
        return message

    return take


async def _refuse(send: Send, finding: Any, path: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    body = json.dumps(problems.problem([finding], "en", path), ensure_ascii=False).encode()
    kind = (b"content-type", problems.MEDIA_TYPE.encode())
    size = (b"content-length", str(len(body)).encode())
    status = problems.status_of([finding])
    await send({"type": "http.response.start", "status": status, "headers": [kind, size, *headers]})
    await send({"type": "http.response.body", "body": body})


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def same_origin(origin: str | None, fetch_site: str | None, host: str) -> bool | None:
    """Whether a browser says that a request comes from our own pages; None when it says nothing."""
    if origin is not None:
        try:
            return urlsplit(origin).netloc.lower() == host.lower()
        except ValueError:
            return False
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    return None
