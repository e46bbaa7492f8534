"""Signing in with an identity provider: on the way there."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import RedirectResponse

from celadon.core.findings import FindingError, Place
from celadon.core.text import Text
from celadon.web import oidc
from celadon.web.access import ANYONE
from celadon.web.asked import Asked
from celadon.web.page import Page
from celadon.web.pages.sign_in.view import own_path

page = Page("/sign-in/oidc", Text("Sign in with another account", "外部账号登录"), ANYONE)
SCHEMA = oidc.SCHEMA


def view(asked: Asked, request: Request, next: str = "/") -> RedirectResponse:
    """On to the provider, with a cookie that ties the attempt to this browser."""
    provider = provider_of(asked)
    attempt = oidc.begin(asked.state, provider, back_address(request), own_path(next))
    response = RedirectResponse(attempt.address, 303)
    response.set_cookie(
        oidc.COOKIE, attempt.state, max_age=600, httponly=True, samesite="lax", secure=asked.secure
    )
    return response


def provider_of(asked: Asked) -> oidc.Provider:
    """The provider that is set up (FindingError `oidc.not-set-up` without one)."""
    found = oidc.provider_of(asked.workspace.memory)
    if found is None:
        why = Text("there is no oidc.yaml", "没有 oidc.yaml")
        raise FindingError(oidc.NOT_SET_UP.at(Place(file="oidc.yaml"), why=why))
    return found


def back_address(request: Request) -> str:
    """Where the provider sends the browser back to."""
    shared = request.app.state.shared
    base = request.base_url
    return f"{base.replace(scheme='https') if shared.secure else base}sign-in/oidc/back"
