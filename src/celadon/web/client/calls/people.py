"""Calls of the page “people”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict, cast

from celadon.web.client.calls.shared import Both, Done
from celadon.web.client.transport import Transport


class GrantChange(TypedDict):
    """A role at a place, given or taken."""

    person: str
    role: Role
    place: str
    change: NotRequired[Literal["give", "take"]]


class Granted(TypedDict):
    """A role at a place (`plant:mill`, `region:*`, `*:*`)."""

    role: Role
    place: str


class NewPerson(TypedDict):
    """Somebody new, with a first password that they change."""

    name: str
    password: str
    role: NotRequired[Role | None]
    place: NotRequired[str]


class OfPerson(TypedDict):
    """The id of a person."""

    person: str


class PasswordOf(TypedDict):
    """A new password for somebody who lost theirs."""

    person: str
    password: str


class People(TypedDict):
    """Everybody, with the roles and places there are."""

    people: list[PersonLine]
    roles: dict[str, Both]
    places: dict[str, Both]


class PersonLine(TypedDict):
    """Somebody and what they were granted."""

    id: str
    name: str
    second_factor: bool
    left: bool
    grants: list[Granted]


Role = Literal["viewer", "verifier", "engineer", "officer", "administrator"]


class PeopleCalls(Transport):
    """The page “people”."""

    def people(self) -> People:
        """People and roles (GET /people.json)"""
        return cast("People", self._get("/people.json"))

    def people_add(self, body: NewPerson) -> Done:
        """Add somebody. (POST /people/add.json)"""
        return cast("Done", self._post("/people/add.json", body))

    def people_drop_code(self, body: OfPerson) -> Done:
        """Ask somebody for no code any more (their telephone was lost). (POST /people/drop-code.json)"""
        return cast("Done", self._post("/people/drop-code.json", body))

    def people_grant(self, body: GrantChange) -> Done:
        """Give or take a role. (POST /people/grant.json)"""
        return cast("Done", self._post("/people/grant.json", body))

    def people_password(self, body: PasswordOf) -> Done:
        """Set a password for somebody who lost theirs; their sessions end. (POST /people/password.json)"""
        return cast("Done", self._post("/people/password.json", body))

    def people_remove(self, body: OfPerson) -> Done:
        """They can no longer sign in; what they did stays on record. (POST /people/remove.json)"""
        return cast("Done", self._post("/people/remove.json", body))
