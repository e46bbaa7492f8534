"""Calls of the page “set_up”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.transport import Transport


class SetUp(TypedDict):
    """The link's secret, as given."""

    link: str
    password_least: int


class SetUpCalls(Transport):
    """The page “set_up”."""

    def set_up(self, *, link: str | None = None) -> SetUp:
        """First administrator (GET /set-up.json)"""
        return cast("SetUp", self._get("/set-up.json", {"link": link}))
