"""Calls of the page “region_overview”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both, Done, Group, Level
from celadon.web.client.transport import Transport


class Publication(TypedDict):
    """A period to show to everybody, or to take back."""

    period: str
    public: bool


class RegionOverviewOverview(TypedDict):
    """What the page shows. `published`: the periods that everybody may see, at `public`."""

    region: str
    name: Both
    period: str
    ratio: str
    total: str
    enterprises: int
    provinces: list[Group]
    divisions: list[Group]
    levels: list[Level]
    warnings: dict[str, int] | None
    published: list[str]
    public: str


class RegionOverviewCalls(Transport):
    """The page “region_overview”."""

    def region_overview(
        self, region: str, *, period: str | None = None, units: str | None = None
    ) -> RegionOverviewOverview:
        """Region (GET /regions/{region}/overview.json)"""
        return cast(
            "RegionOverviewOverview",
            self._get(f"/regions/{self._part(region)}/overview.json", {"period": period, "units": units}),
        )

    def region_overview_arrow(
        self, region: str, *, period: str | None = None, units: str | None = None
    ) -> bytes:
        """Region (arrow) (GET /regions/{region}/overview.arrow)"""
        return self._bytes(
            f"/regions/{self._part(region)}/overview.arrow", {"period": period, "units": units}
        )

    def region_overview_csv(
        self, region: str, *, period: str | None = None, units: str | None = None
    ) -> bytes:
        """Region (csv) (GET /regions/{region}/overview.csv)"""
        return self._bytes(f"/regions/{self._part(region)}/overview.csv", {"period": period, "units": units})

    def region_overview_parquet(
        self, region: str, *, period: str | None = None, units: str | None = None
    ) -> bytes:
        """Region (parquet) (GET /regions/{region}/overview.parquet)"""
        return self._bytes(
            f"/regions/{self._part(region)}/overview.parquet", {"period": period, "units": units}
        )

    def region_overview_publish(self, region: str, body: Publication) -> Done:
        """Show a period's aggregates to everybody, or take them back. What was shown once stays in the region's register of what is out, (POST /regions/{region}/overview/publish.json)"""
        return cast("Done", self._post(f"/regions/{self._part(region)}/overview/publish.json", body))
