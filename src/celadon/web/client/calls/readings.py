"""Calls of the page “readings”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class ReadingLine(TypedDict):
    """A reading as a file says it: an interval's `time` is its end. `inside`: in the span asked for, not before or after."""

    time: str
    span: int
    value: float
    difference: float | None
    file: str
    line: int
    batch: int
    inside: bool


class Readings(TypedDict):
    """Readings by time. `total`: how many there are; `next` begins the following part, null at the end."""

    meter: str
    name: Both
    unit: str
    kind: str
    multiplier: str
    zone: str
    start: str
    end: str
    total: int
    next: str | None
    readings: list[ReadingLine]


class ReadingsCalls(Transport):
    """The page “readings”."""

    def readings(
        self,
        plant: str,
        *,
        meter: str,
        start: str,
        end: str,
        beyond: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> Readings:
        """Readings (GET /plants/{plant}/readings.json)"""
        return cast(
            "Readings",
            self._get(
                f"/plants/{self._part(plant)}/readings.json",
                {
                    "meter": meter,
                    "start": start,
                    "end": end,
                    "beyond": beyond,
                    "offset": offset,
                    "limit": limit,
                },
            ),
        )

    def readings_arrow(
        self,
        plant: str,
        *,
        meter: str,
        start: str,
        end: str,
        beyond: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> bytes:
        """Readings (arrow) (GET /plants/{plant}/readings.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/readings.arrow",
            {"meter": meter, "start": start, "end": end, "beyond": beyond, "offset": offset, "limit": limit},
        )

    def readings_csv(
        self,
        plant: str,
        *,
        meter: str,
        start: str,
        end: str,
        beyond: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> bytes:
        """Readings (csv) (GET /plants/{plant}/readings.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/readings.csv",
            {"meter": meter, "start": start, "end": end, "beyond": beyond, "offset": offset, "limit": limit},
        )

    def readings_parquet(
        self,
        plant: str,
        *,
        meter: str,
        start: str,
        end: str,
        beyond: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> bytes:
        """Readings (parquet) (GET /plants/{plant}/readings.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/readings.parquet",
            {"meter": meter, "start": start, "end": end, "beyond": beyond, "offset": offset, "limit": limit},
        )
