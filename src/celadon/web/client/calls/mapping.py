"""Calls of the page “mapping”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

from celadon.web.client.calls.shared import Both, Shown, WebSaid
from celadon.web.client.transport import Transport


class Accepted(TypedDict):
    """An upload, and the settings a person has given (`key=value`)."""

    upload: str
    set: NotRequired[list[str]]


class Guessed(TypedDict):
    """One setting: '' = left out. `sure`: the file itself decides it; `asked`: a person gave it. `called`: what the value names (a meter, a site, a quantity), '' where it is a word of the file."""

    key: str
    name: Both
    value: str
    called: Both
    why: Both
    sure: bool
    asked: bool
    others: list[Other]


class Mapping(TypedDict):
    """How a file could be read, and what reading it so gives."""

    upload: str
    name: str
    target: str
    role: str
    settings: list[Guessed]
    text: str
    usable: bool
    good: int
    bad: int
    first: str | None
    last: str | None
    columns: list[str]
    sample: list[list[str]]
    refused: list[Refused]
    findings: list[WebSaid]


class Other(TypedDict):
    """Another value a setting could have."""

    value: str
    why: Both


class Refused(TypedDict):
    """A row that would be refused."""

    line: int
    code: str
    text: str


class MappingCalls(Transport):
    """The page “mapping”."""

    def mapping(self, plant: str, *, upload: str | None = None, set: list[str] | None = None) -> Mapping:
        """Mapping assistant (GET /plants/{plant}/mapping.json)"""
        return cast(
            "Mapping", self._get(f"/plants/{self._part(plant)}/mapping.json", {"upload": upload, "set": set})
        )

    def mapping_add(self, plant: str, body: Accepted) -> Shown:
        """Make the file ready to be added as it is mapped, and say what it changes. (POST /plants/{plant}/mapping/add.json)"""
        return cast("Shown", self._post(f"/plants/{self._part(plant)}/mapping/add.json", body))
