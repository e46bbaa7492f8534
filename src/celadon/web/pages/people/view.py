"""People: who may sign in, and their roles at plants and regions."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from celadon.core.findings import FindingError, Place
from celadon.core.text import Text
from celadon.web import people
from celadon.web.access import EVERYWHERE, ROLE_TEXT, Action, Grant, Role, on_console
from celadon.web.asked import Asked
from celadon.web.page import Both, Done, Page, both, write
from celadon.web.problems import NOT_THERE

page = Page("/people", Text("People and roles", "人员与角色"), on_console(), order=80)
_NEED = on_console(Action.ADMINISTER)
_ALL = {
    "*:*": Text("everywhere", "全部"),
    "plant:*": Text("all plants", "所有工厂"),
    "region:*": Text("all regions", "所有区域"),
}


class Granted(BaseModel):
    """A role at a place (`plant:mill`, `region:*`, `*:*`)."""

    role: Role
    place: str


class PersonLine(BaseModel):
    """Somebody and what they were granted."""

    id: str
    name: str
    second_factor: bool
    left: bool
    grants: list[Granted]


class People(BaseModel):
    """Everybody, with the roles and places there are."""

    people: list[PersonLine]
    roles: dict[Role, Both]
    places: dict[str, Both]


class NewPerson(BaseModel):
    """Somebody new, with a first password that they change."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=2000)
    role: Role | None = None
    place: str = Field("*:*", max_length=300)


class GrantChange(BaseModel):
    """A role at a place, given or taken."""

    person: str = Field(max_length=40)
    role: Role
    place: str = Field(max_length=300)
    change: Literal["give", "take"] = "give"


class OfPerson(BaseModel):
    """The id of a person."""

    person: str = Field(max_length=40)


class PasswordOf(OfPerson):
    """A new password for somebody who lost theirs."""

    password: str = Field(max_length=2000)


def view(asked: Asked) -> People:
    """Everybody who may sign in, or once could."""
    known = {
        **_ALL,
        **{str(place): Text(asked.name(place), asked.name(place)) for place in asked.workspace.places()},
    }
    return People(
        people=[
            PersonLine(
                id=item.id, name=item.name, second_factor=item.second_factor, left=item.left,
                grants=[Granted(role=grant.role, place=f"{grant.kind}:{grant.key}") for grant in item.grants],
            )
            for item in people.people(asked.state)
        ],
        roles={role: both(text) for role, text in ROLE_TEXT.items()}, places={name: both(text) for name, text in known.items()},
    )  # fmt: skip


@write(page, "add", need=_NEED)
def add(asked: Asked, given: NewPerson) -> Done:
    """Add somebody."""
    grants = [_grant(asked, given.role, given.place)] if given.role else []
    people.add_person(asked.state, _by(asked), given.name, given.password, grants)
    return Done(goto="/people", zh=f"已添加 {given.name}。", en=f"{given.name} was added.")


@write(page, "grant", need=_NEED)
def grant(asked: Asked, given: GrantChange) -> Done:
    """Give or take a role."""
    person = _person(asked, given.person)
    meant = _grant(asked, given.role, given.place)
    kept = [item for item in person.grants if item != meant]
    people.set_grants(asked.state, _by(asked), person, [*kept, meant] if given.change == "give" else kept)
    return Done(goto="/people", zh="角色已更改。", en="The roles are changed.")


@write(page, "password", need=_NEED)
def password(asked: Asked, given: PasswordOf) -> Done:
    """Set a password for somebody who lost theirs; their sessions end."""
    people.set_password(asked.state, _by(asked), _person(asked, given.person), given.password)
    return Done(goto="/people", zh="密码已设定。", en="The password is set.")


@write(page, "drop-code", need=_NEED)
def drop_code(asked: Asked, given: OfPerson) -> Done:
    """Ask somebody for no code any more (their telephone was lost)."""
    people.drop_second_factor(asked.state, _by(asked), _person(asked, given.person))
    return Done(goto="/people", zh="验证码已停用。", en="No code is asked for any more.")


@write(page, "remove", need=_NEED)
def remove(asked: Asked, given: OfPerson) -> Done:
    """They can no longer sign in; what they did stays on record."""
    person = _person(asked, given.person)
    people.remove(asked.state, _by(asked), person)
    return Done(goto="/people", zh=f"{person.name} 不再能登录。", en=f"{person.name} can no longer sign in.")


def _grant(asked: Asked, role: Role, place: str) -> Grant:
    """A role at a place there is (FindingError otherwise)."""
    if place not in _ALL and place not in {str(item) for item in asked.workspace.places()}:
        raise FindingError(NOT_THERE.at(Place(subject=place), path=place))
    kind, _, key = place.partition(":")
    return Grant(role, kind, key or EVERYWHERE)


def _person(asked: Asked, name: str) -> people.Person:
    found = people.find(asked.state, name)
    if found is None:
        raise FindingError(NOT_THERE.at(Place(subject=name), path=name))
    return found


def _by(asked: Asked) -> str:
    return asked.who.name if asked.who else ""
