"""Calls of the page “balance”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Event(TypedDict):
    """What was found in a meter's readings: an outage, a reset, a spike … and what was done about it."""

    code: str
    severity: str
    title: Both
    says: Both
    period: str | None
    readings: str | None


class MeterBalance(TypedDict):
    """A meter: what it counted, what lies below it, and its proof. `difference_ticks` (10^-6 of the unit) is 0."""

    meter: str
    name: Both
    depth: int
    carrier: str
    unit: str
    own: float | None
    below: float | None
    remainder: float | None
    share: float | None
    coverage: float
    estimated: float | None
    expected: float | None
    attributed: float | None
    difference_ticks: int | None
    gaps: list[NamedGap]
    events: list[Event]
    readings: str | None


class NamedGap(TypedDict):
    """A span in which nothing is attributed; `amount`: what its readings differ by, null where that is unknown."""

    code: str
    title: Both
    start: str
    end: str
    amount: float | None
    readings: str | None


class Proven(TypedDict):
    """The proof of a period."""

    period: str
    conserved: bool
    points: int
    gaps: int
    sums: list[Sum]
    meters: list[MeterBalance]


class Sum(TypedDict):
    """What all meters of one unit counted."""

    unit: str
    value: float


class BalanceCalls(Transport):
    """The page “balance”."""

    def balance(
        self, plant: str, *, period: str | None = None, site: str | None = None, units: str | None = None
    ) -> Proven:
        """Balance (GET /plants/{plant}/balance.json)"""
        return cast(
            "Proven",
            self._get(
                f"/plants/{self._part(plant)}/balance.json", {"period": period, "site": site, "units": units}
            ),
        )

    def balance_arrow(
        self, plant: str, *, period: str | None = None, site: str | None = None, units: str | None = None
    ) -> bytes:
        """Balance (arrow) (GET /plants/{plant}/balance.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/balance.arrow", {"period": period, "site": site, "units": units}
        )

    def balance_csv(
        self, plant: str, *, period: str | None = None, site: str | None = None, units: str | None = None
    ) -> bytes:
        """Balance (csv) (GET /plants/{plant}/balance.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/balance.csv", {"period": period, "site": site, "units": units}
        )

    def balance_parquet(
        self, plant: str, *, period: str | None = None, site: str | None = None, units: str | None = None
    ) -> bytes:
        """Balance (parquet) (GET /plants/{plant}/balance.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/balance.parquet", {"period": period, "site": site, "units": units}
        )
