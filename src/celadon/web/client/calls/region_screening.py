"""Calls of the page “region_screening”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Alarm(TypedDict):
    """One alarm: which rule, about whom, how strong, and in words with its figures."""

    rule: str
    title: Both
    enterprise: str
    industry: str
    industry_name: Both
    region: str
    column: str
    column_name: Both
    months: list[str]
    score: float
    says: Both
    fix: Both


class Screening(TypedDict):
    """What was found; `counts` by rule are of all alarms, `rows` the strongest."""

    period: str
    enterprises: int
    flagged: int
    counts: dict[str, int]
    rules: dict[str, Both]
    rows: list[Alarm]


class RegionScreeningCalls(Transport):
    """The page “region_screening”."""

    def region_screening(self, region: str, *, period: str | None = None) -> Screening:
        """Screening (GET /regions/{region}/screening.json)"""
        return cast(
            "Screening", self._get(f"/regions/{self._part(region)}/screening.json", {"period": period})
        )

    def region_screening_arrow(self, region: str, *, period: str | None = None) -> bytes:
        """Screening (arrow) (GET /regions/{region}/screening.arrow)"""
        return self._bytes(f"/regions/{self._part(region)}/screening.arrow", {"period": period})

    def region_screening_csv(self, region: str, *, period: str | None = None) -> bytes:
        """Screening (csv) (GET /regions/{region}/screening.csv)"""
        return self._bytes(f"/regions/{self._part(region)}/screening.csv", {"period": period})

    def region_screening_parquet(self, region: str, *, period: str | None = None) -> bytes:
        """Screening (parquet) (GET /regions/{region}/screening.parquet)"""
        return self._bytes(f"/regions/{self._part(region)}/screening.parquet", {"period": period})
