"""Me: language, password, second factor and tokens of whoever is signed in. Only from a session: a token changes none of it."""

from __future__ import annotations

import io

import segno
from markupsafe import Markup
from pydantic import BaseModel, Field

from celadon.core.findings import FindingError, Place
from celadon.core.text import Text
from celadon.web import people, sessions, units
from celadon.web.access import ACTION_TEXT, ONESELF, PERSON, ROLE_TEXT, Action, Grant, Identity
from celadon.web.access import Place as At
from celadon.web.asked import Asked
from celadon.web.page import Both, Done, Page, both, write
from celadon.web.problems import NOT_THERE

page = Page("/me", Text("My account", "我的账户"), PERSON, order=90)


class TokenLine(BaseModel):
    """A token, without its secret."""

    id: str
    label: str
    scopes: list[str]
    made: str
    until: str
    used: str | None


class Held(BaseModel):
    """A role, and where it is held (`*` everywhere)."""

    role: Both
    place: str


class Me(BaseModel):
    """What whoever is signed in may know and change about themselves."""

    name: str
    grants: list[Held]
    language: str | None
    second_factor: bool
    tokens: list[TokenLine]
    units: list[units.KindLine]
    actions: dict[str, Both]
    """What a token may be made for, by its word."""


class NewPassword(BaseModel):
    """The old password and the new one."""

    password: str = Field(max_length=2000)
    new: str = Field(max_length=2000)


class Language(BaseModel):
    """zh or en."""

    language: str = Field(pattern="^(zh|en)$")


class Enrolment(BaseModel):
    """A telephone's secret with the code it shows, and the password."""

    password: str = Field(max_length=2000)
    secret: str = Field(pattern="^[A-Z2-7]{32}$")
    code: str = Field(max_length=20)


class WantedToken(BaseModel):
    """What a token is for, what it may do, and how long."""

    password: str = Field(max_length=2000)
    label: str = Field(min_length=1, max_length=100)
    scopes: list[Action] = Field(min_length=1)
    days: int = Field(90, ge=1, le=366)


class MadeToken(BaseModel):
    """A token with its secret, which is shown this once."""

    id: str
    secret: str


class Dropped(BaseModel):
    """The id of a token."""

    id: str = Field(max_length=40)


def _place(asked: Asked, grant: Grant) -> str:
    if grant.key == "*":
        return "*"
    return asked.name(At(grant.kind, grant.key))


def view(asked: Asked) -> Me:
    """Name, roles, tokens."""
    who = _who(asked)
    person = people.find(asked.state, who.person)
    return Me(
        name=who.name, grants=[Held(role=both(ROLE_TEXT[grant.role]), place=_place(asked, grant)) for grant in who.grants], language=who.language,
        second_factor=person is not None and person.second_factor, actions={str(item): both(text) for item, text in ACTION_TEXT.items()},
        units=units.lines(asked.state, units.chooser_of(who)),
        tokens=[
            TokenLine(id=item.id, label=item.label, scopes=[str(word) for word in item.scopes], made=item.made, until=item.until, used=item.used)
            for item in sessions.tokens(asked.state, who.person)
        ],
    )  # fmt: skip


def picture_enrolment(asked: Asked) -> dict[str, object]:
    """A new secret, as text and as what a telephone's camera reads."""
    secret = people.new_code_secret()
    out = io.BytesIO()
    address = people.code_address(secret, _who(asked).name)
    segno.make(address, error="m").save(
        out, kind="svg", xmldecl=False, scale=5, border=4, light="#fff", svgclass=None, lineclass=None
    )
    return {"secret": secret, "svg": Markup(out.getvalue().decode())}  # noqa: S704 - a picture of squares


@write(page, "language", need=ONESELF, json=False)
def set_language(asked: Asked, given: Language) -> Done:
    """The language of one's pages."""
    people.set_language(asked.state, _who(asked).person, given.language)
    return Done(goto=f"/me?lang={given.language}")


@write(page, "units", need=ONESELF, json=False)
def set_units(asked: Asked, given: units.Chosen) -> Done:
    """The units of one's pages."""
    with asked.recording("units.own", given.model_dump()) as con:
        units.choose(con, units.chooser_of(_who(asked)), given.model_dump())
    return Done(goto="/me", zh="单位已保存。", en="The units are saved.")


@write(page, "password", need=ONESELF, json=False)
def set_password(asked: Asked, given: NewPassword) -> Done:
    """Another password; every session ends, this one too."""
    who = _who(asked)
    sessions.confirm(asked.state, who, given.password, asked.client)
    person = people.find(asked.state, who.person)
    if person is not None:
        people.set_password(asked.state, who.name, person, given.new)
    return Done(
        goto="/sign-in", zh="密码已更改，请重新登录。", en="The password is changed: sign in with it."
    )


@write(page, "enrol", need=ONESELF, json=False)
def enrol(asked: Asked, given: Enrolment) -> Done:
    """Ask for a telephone's code at every sign-in from now on."""
    who = _who(asked)
    sessions.confirm(asked.state, who, given.password, asked.client)
    person = people.find(asked.state, who.person)
    if person is not None:
        people.enrol(asked.state, person, given.secret, given.code)
    return Done(
        goto="/me", zh="今后登录需输入手机验证码。", en="A code is asked for at every sign-in from now on."
    )


@write(page, "token", need=ONESELF, json=False)
def make_token(asked: Asked, given: WantedToken) -> MadeToken:
    """A token; its secret is shown once."""
    who = _who(asked)
    sessions.confirm(asked.state, who, given.password, asked.client)
    name, secret = sessions.make_token(asked.state, who, given.label, given.scopes, given.days)
    return MadeToken(id=name, secret=secret)


@write(page, "drop", need=ONESELF, json=False)
def drop_token(asked: Asked, given: Dropped) -> Done:
    """The token no longer holds."""
    if not sessions.drop_token(asked.state, _who(asked), given.id):
        raise FindingError(NOT_THERE.at(Place(subject=given.id), path=given.id))
    return Done(goto="/me", zh="令牌已作废。", en="The token no longer holds.")


def _who(asked: Asked) -> Identity:
    if asked.who is None:
        raise LookupError("this page is for those who have signed in")
    return asked.who
