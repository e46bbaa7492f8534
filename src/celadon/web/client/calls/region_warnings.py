"""Calls of the page “region_warnings”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Warned(TypedDict):
    """A quota at risk; amounts in `unit`, `ratio` is the forecast over the quota."""

    enterprise: str
    name: str
    industry: str
    industry_name: Both
    quantity: str
    label: Both
    unit: str
    level: str
    level_name: Both
    used: float | None
    forecast: float | None
    low: float | None
    high: float | None
    quota: float | None
    ratio: float | None
    trace: str | None


class Warnings(TypedDict):
    """The most pressing first; `band`: how sure low and high are."""

    year: int
    month: str
    quotas: int
    band: float
    counts: dict[str, int]
    names: dict[str, Both]
    rows: list[Warned]


class RegionWarningsCalls(Transport):
    """The page “region_warnings”."""

    def region_warnings(
        self, region: str, *, year: int | None = None, month: int | None = None, units: str | None = None
    ) -> Warnings:
        """Early warning (GET /regions/{region}/warnings.json)"""
        return cast(
            "Warnings",
            self._get(
                f"/regions/{self._part(region)}/warnings.json", {"year": year, "month": month, "units": units}
            ),
        )

    def region_warnings_arrow(
        self, region: str, *, year: int | None = None, month: int | None = None, units: str | None = None
    ) -> bytes:
        """Early warning (arrow) (GET /regions/{region}/warnings.arrow)"""
        return self._bytes(
            f"/regions/{self._part(region)}/warnings.arrow", {"year": year, "month": month, "units": units}
        )

    def region_warnings_csv(
        self, region: str, *, year: int | None = None, month: int | None = None, units: str | None = None
    ) -> bytes:
        """Early warning (csv) (GET /regions/{region}/warnings.csv)"""
        return self._bytes(
            f"/regions/{self._part(region)}/warnings.csv", {"year": year, "month": month, "units": units}
        )

    def region_warnings_parquet(
        self, region: str, *, year: int | None = None, month: int | None = None, units: str | None = None
    ) -> bytes:
        """Early warning (parquet) (GET /regions/{region}/warnings.parquet)"""
        return self._bytes(
            f"/regions/{self._part(region)}/warnings.parquet", {"year": year, "month": month, "units": units}
        )
