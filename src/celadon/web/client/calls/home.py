"""Calls of the page “home”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.transport import Transport


class Home(TypedDict):
    """What there is to see."""

    places: list[ServedPlace]


class ServedPlace(TypedDict):
    """A plant or region: its key in addresses, its name, its first page."""

    kind: str
    key: str
    name: str
    href: str


class HomeCalls(Transport):
    """The page “home”."""

    def index(self) -> Home:
        """Plants and regions (GET /index.json)"""
        return cast("Home", self._get("/index.json"))
