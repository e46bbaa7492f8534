"""The first administrator, by the one-time link that the server prints: there is no default password."""

from __future__ import annotations

from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from celadon.core.findings import FindingError, Place
from celadon.core.text import Text
from celadon.web import people
from celadon.web.access import ANYONE
from celadon.web.asked import Asked
from celadon.web.page import Page, write
from celadon.web.pages.sign_in.view import with_session

page = Page("/set-up", Text("First administrator", "首位管理员"), ANYONE)


class SetUp(BaseModel):
    """The link's secret, as given."""

    link: str
    password_least: int


class Administrator(BaseModel):
    """What the form sends."""

    link: str = Field(max_length=200)
    name: str = Field(max_length=200)
    password: str = Field(max_length=2000)


def view(asked: Asked, link: str = "") -> SetUp:
    """The form, while the link is good (FindingError `people.link-spent` otherwise)."""
    if not people.link_holds(asked.state, link):
        raise FindingError(people.LINK_SPENT.at(Place(subject="setup")))
    return SetUp(link=link, password_least=people.PASSWORD_LEAST)


@write(page, "make", need=ANYONE, json=False)
def make(asked: Asked, given: Administrator) -> RedirectResponse:
    """Spend the link on an administrator, who is signed in."""
    with asked.state.signing_in:
        person = people.make_administrator(asked.state, given.link, given.name, given.password)
    return with_session(asked, person, "/")
