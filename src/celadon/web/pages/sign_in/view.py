"""Signing in and out, with a name, a password and, where it was set up, a code."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from celadon.core.text import Text
from celadon.web import oidc, people, sessions
from celadon.web.access import ANYONE, PERSON
from celadon.web.asked import Asked, with_query
from celadon.web.page import Both, Page, both, write

page = Page("/sign-in", Text("Sign in", "登录"), ANYONE)


class SignIn(BaseModel):
    """What the form shows. `said`: `wrong` or `code` after an attempt."""

    next: str
    said: str
    nobody_yet: bool
    elsewhere: Both | None
    """What the identity provider is called, where one is set up."""


class Attempt(BaseModel):
    """What the form sends."""

    name: str = Field("", max_length=200)
    password: str = Field("", max_length=2000)
    code: str = Field("", max_length=20)
    next: str = Field("/", max_length=2000)


class SignOut(BaseModel):
    """Nothing is asked."""


def view(asked: Asked, next: str = "/", said: str = "") -> SignIn:
    """The form."""
    provider = oidc.provider_of(asked.workspace.memory)
    return SignIn(
        next=own_path(next),
        said=said,
        nobody_yet=not people.has_administrator(asked.state),
        elsewhere=both(provider.label) if provider else None,
    )


@write(page, "enter", need=ANYONE, json=False)
def enter(asked: Asked, given: Attempt) -> RedirectResponse:
    """Check name and password (and code): a session, or the form again."""
    proof = sessions.sign_in(asked.state, given.name, given.password, given.code, asked.client)
    after = own_path(given.next)
    if proof.person is None:
        said = "code" if proof.code_missing else "wrong"
        return RedirectResponse(with_query("/sign-in", {"next": after, "said": said}), 303)
    return with_session(asked, proof.person, after)


@write(page, "leave", need=PERSON, json=False)
def leave(asked: Asked, given: SignOut, request: Request) -> RedirectResponse:  # noqa: ARG001 - the form sends nothing more
    """End the session."""
    secret = request.cookies.get(sessions.COOKIE)
    if secret:
        sessions.end(asked.state, secret)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(sessions.COOKIE, secure=asked.secure, httponly=True, samesite="lax")
    return response


def with_session(asked: Asked, person: str, after: str) -> RedirectResponse:
    """On to a page, with a new session."""
    response = RedirectResponse(after, 303)
    secret = sessions.begin(asked.state, person)
    response.set_cookie(sessions.COOKIE, secret, httponly=True, samesite="lax", secure=asked.secure, path="/")
    return response


def own_path(text: str) -> str:
    """A path of this console; anything else (another server's address) is the first page."""
    return text if text.startswith("/") and text[1:2] not in ("/", "\\") and "\\" not in text else "/"
