"""Calls of the page “load”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Load(TypedDict):
    """Rates over `times` (seconds since 1970 UTC, the starts of the cells), in `unit`."""

    period: str
    cell: str
    unit: str
    zone: str
    times: list[int]
    seconds: int
    lines: list[MeterLine]
    meters: dict[str, Both]


class MeterLine(TypedDict):
    """A meter's average rate in each cell; null where nothing is known. `estimated`: share of each cell that is estimated."""

    meter: str
    name: Both
    values: list[float | None]
    estimated: list[float]
    total: float | None
    total_unit: str
    peak: float | None
    peak_at: str | None
    peak_readings: str | None


class LoadCalls(Transport):
    """The page “load”."""

    def load(
        self,
        plant: str,
        *,
        meter: list[str] | None = None,
        period: str | None = None,
        cell: Literal["ledger", "hour", "day"] | None = None,
        units: str | None = None,
    ) -> Load:
        """Load curves (GET /plants/{plant}/load.json)"""
        return cast(
            "Load",
            self._get(
                f"/plants/{self._part(plant)}/load.json",
                {"meter": meter, "period": period, "cell": cell, "units": units},
            ),
        )

    def load_arrow(
        self,
        plant: str,
        *,
        meter: list[str] | None = None,
        period: str | None = None,
        cell: Literal["ledger", "hour", "day"] | None = None,
        units: str | None = None,
    ) -> bytes:
        """Load curves (arrow) (GET /plants/{plant}/load.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/load.arrow",
            {"meter": meter, "period": period, "cell": cell, "units": units},
        )

    def load_csv(
        self,
        plant: str,
        *,
        meter: list[str] | None = None,
        period: str | None = None,
        cell: Literal["ledger", "hour", "day"] | None = None,
        units: str | None = None,
    ) -> bytes:
        """Load curves (csv) (GET /plants/{plant}/load.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/load.csv",
            {"meter": meter, "period": period, "cell": cell, "units": units},
        )

    def load_parquet(
        self,
        plant: str,
        *,
        meter: list[str] | None = None,
        period: str | None = None,
        cell: Literal["ledger", "hour", "day"] | None = None,
        units: str | None = None,
    ) -> bytes:
        """Load curves (parquet) (GET /plants/{plant}/load.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/load.parquet",
            {"meter": meter, "period": period, "cell": cell, "units": units},
        )
