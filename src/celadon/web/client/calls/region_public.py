"""Calls of the page “region_public”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both, Group, Head, Level
from celadon.web.client.transport import Transport


class Public(TypedDict):
    """What the page shows; a number that would show one enterprise is null."""

    name: Both
    period: str
    periods: list[str]
    enterprises: int | None
    minimum: int
    ratio: str
    total: str
    provinces: list[Group]
    divisions: list[Group]
    levels: list[Level]
    rulebooks: list[Head]


class RegionPublicCalls(Transport):
    """The page “region_public”."""

    def public(self, region: str, *, period: str | None = None, units: str | None = None) -> Public:
        """Region, for everybody (GET /public/{region}.json)"""
        return cast(
            "Public", self._get(f"/public/{self._part(region)}.json", {"period": period, "units": units})
        )

    def public_arrow(self, region: str, *, period: str | None = None, units: str | None = None) -> bytes:
        """Region, for everybody (arrow) (GET /public/{region}.arrow)"""
        return self._bytes(f"/public/{self._part(region)}.arrow", {"period": period, "units": units})

    def public_csv(self, region: str, *, period: str | None = None, units: str | None = None) -> bytes:
        """Region, for everybody (csv) (GET /public/{region}.csv)"""
        return self._bytes(f"/public/{self._part(region)}.csv", {"period": period, "units": units})

    def public_parquet(self, region: str, *, period: str | None = None, units: str | None = None) -> bytes:
        """Region, for everybody (parquet) (GET /public/{region}.parquet)"""
        return self._bytes(f"/public/{self._part(region)}.parquet", {"period": period, "units": units})
