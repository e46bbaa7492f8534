"""Signing in with an identity provider: on the way back."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import RedirectResponse

from celadon.core.findings import FindingError, Place
from celadon.core.text import Text
from celadon.web import oidc
from celadon.web.access import ANYONE
from celadon.web.asked import Asked
from celadon.web.page import Page
from celadon.web.pages.oidc.view import back_address, provider_of
from celadon.web.pages.sign_in.view import with_session

page = Page("/sign-in/oidc/back", Text("Sign in with another account", "外部账号登录"), ANYONE)


def view(
    asked: Asked, request: Request, code: str = "", state: str = "", error: str = ""
) -> RedirectResponse:
    """Check what the provider says; a session, or what is wrong."""
    provider = provider_of(asked)
    if error or not code:
        why = Text(f"it says “{error[:80]}”", f"其答复为“{error[:80]}”")
        raise FindingError(oidc.REFUSED.at(Place(subject="oidc"), why=why))
    cookie = request.cookies.get(oidc.COOKIE, "")
    person, after = oidc.finish(
        asked.state, provider, back_address(request), cookie, state, code, asked.client
    )
    response = with_session(asked, person, after)
    response.delete_cookie(oidc.COOKIE, secure=asked.secure, httponly=True, samesite="lax")
    return response
