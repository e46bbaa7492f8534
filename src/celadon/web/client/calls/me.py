"""Calls of the page “me”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both, KindLine
from celadon.web.client.transport import Transport


class Held(TypedDict):
    """A role, and where it is held (`*` everywhere)."""

    role: Both
    place: str


class Me(TypedDict):
    """What whoever is signed in may know and change about themselves."""

    name: str
    grants: list[Held]
    language: str | None
    second_factor: bool
    tokens: list[TokenLine]
    units: list[KindLine]
    actions: dict[str, Both]


class TokenLine(TypedDict):
    """A token, without its secret."""

    id: str
    label: str
    scopes: list[str]
    made: str
    until: str
    used: str | None


class MeCalls(Transport):
    """The page “me”."""

    def me(self) -> Me:
        """My account (GET /me.json)"""
        return cast("Me", self._get("/me.json"))
