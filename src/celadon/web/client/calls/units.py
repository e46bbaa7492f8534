"""Calls of the page “units”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

from celadon.web.client.calls.shared import Both, Done, KindLine
from celadon.web.client.transport import Transport


class ChosenAt(TypedDict):
    """Units for a place (`plant:mill`), or for all (`console`)."""

    energy: NotRequired[str]
    standard_coal: NotRequired[str]
    emission: NotRequired[str]
    power: NotRequired[str]
    volume: NotRequired[str]
    place: NotRequired[str]


class UnitsPage(TypedDict):
    """What a place shows figures in; `console` is all places together."""

    place: str
    places: dict[str, Both]
    units: list[KindLine]


class UnitsCalls(Transport):
    """The page “units”."""

    def units(self, *, place: str | None = None) -> UnitsPage:
        """Units (GET /units.json)"""
        return cast("UnitsPage", self._get("/units.json", {"place": place}))

    def units_choose(self, body: ChosenAt) -> Done:
        """Choose the units of a place, or of all. (POST /units/choose.json)"""
        return cast("Done", self._post("/units/choose.json", body))
