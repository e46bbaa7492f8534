"""Calls of the page “region_enterprises”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Enterprise(TypedDict):
    """One enterprise; absent is null. `rank` counts from 1, the least emission per output value first."""

    enterprise: str
    name: str
    industry: str
    industry_name: Both
    area: Both
    emission: float | None
    trace: str | None
    denominator: float | None
    intensity: float | None
    level: int | None
    over_mean: float | None
    rank: int | None
    peers: int


class Enterprises(TypedDict):
    """One page of them. `found`: how many fit."""

    period: str
    units: dict[str, str]
    found: int
    first: int
    rows: list[Enterprise]
    search: str
    level: int | None
    next: str | None
    previous: str | None


class RegionEnterprisesCalls(Transport):
    """The page “region_enterprises”."""

    def region_enterprises(
        self,
        region: str,
        *,
        period: str | None = None,
        search: str | None = None,
        level: int | None = None,
        first: int | None = None,
        units: str | None = None,
    ) -> Enterprises:
        """Enterprises (GET /regions/{region}/enterprises.json)"""
        return cast(
            "Enterprises",
            self._get(
                f"/regions/{self._part(region)}/enterprises.json",
                {"period": period, "search": search, "level": level, "first": first, "units": units},
            ),
        )

    def region_enterprises_arrow(
        self,
        region: str,
        *,
        period: str | None = None,
        search: str | None = None,
        level: int | None = None,
        first: int | None = None,
        units: str | None = None,
    ) -> bytes:
        """Enterprises (arrow) (GET /regions/{region}/enterprises.arrow)"""
        return self._bytes(
            f"/regions/{self._part(region)}/enterprises.arrow",
            {"period": period, "search": search, "level": level, "first": first, "units": units},
        )

    def region_enterprises_csv(
        self,
        region: str,
        *,
        period: str | None = None,
        search: str | None = None,
        level: int | None = None,
        first: int | None = None,
        units: str | None = None,
    ) -> bytes:
        """Enterprises (csv) (GET /regions/{region}/enterprises.csv)"""
        return self._bytes(
            f"/regions/{self._part(region)}/enterprises.csv",
            {"period": period, "search": search, "level": level, "first": first, "units": units},
        )

    def region_enterprises_parquet(
        self,
        region: str,
        *,
        period: str | None = None,
        search: str | None = None,
        level: int | None = None,
        first: int | None = None,
        units: str | None = None,
    ) -> bytes:
        """Enterprises (parquet) (GET /regions/{region}/enterprises.parquet)"""
        return self._bytes(
            f"/regions/{self._part(region)}/enterprises.parquet",
            {"period": period, "search": search, "level": level, "first": first, "units": units},
        )
