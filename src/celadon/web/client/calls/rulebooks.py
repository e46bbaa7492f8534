"""Calls of the page “rulebooks”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Head
from celadon.web.client.transport import Transport


class Rulebooks(TypedDict):
    """Every rulebook that is shipped."""

    rulebooks: list[Head]


class RulebooksCalls(Transport):
    """The page “rulebooks”."""

    def rulebooks(self) -> Rulebooks:
        """Rulebooks (GET /rulebooks.json)"""
        return cast("Rulebooks", self._get("/rulebooks.json"))

    def rulebooks_arrow(self) -> bytes:
        """Rulebooks (arrow) (GET /rulebooks.arrow)"""
        return self._bytes("/rulebooks.arrow")

    def rulebooks_csv(self) -> bytes:
        """Rulebooks (csv) (GET /rulebooks.csv)"""
        return self._bytes("/rulebooks.csv")

    def rulebooks_parquet(self) -> bytes:
        """Rulebooks (parquet) (GET /rulebooks.parquet)"""
        return self._bytes("/rulebooks.parquet")
