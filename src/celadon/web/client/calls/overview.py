"""Calls of the page “overview”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both, Done
from celadon.web.client.transport import Transport


class Attention(TypedDict):
    """Findings of one kind."""

    code: str
    severity: str
    title: Both
    count: int
    says: Both
    fix: Both


class Figure(TypedDict):
    """A total of the period. `before` is the same span a year earlier; shares and coverage run from 0 to 1."""

    rulebook: str
    quantity: str
    label: Both
    value: float | None
    unit: str
    own_unit: str
    trace: str | None
    before: float | None
    change: float | None
    target: float | None
    of_target: float | None
    coverage: float
    measured: float
    estimated: float
    defaulted: float
    recalled: float
    months: list[Month]


class Intensity(TypedDict):
    """Energy or emission per product or value."""

    quantity: str
    label: Both
    item: str
    value: float | None
    unit: str
    trace: str | None


class Month(TypedDict):
    """A month's value, and where it is explained."""

    period: str
    value: float | None
    trace: str | None


class Target(TypedDict):
    """A yearly (or other) target for a total."""

    rulebook: str
    quantity: str
    period: str
    value: float


class OverviewOverview(TypedDict):
    """What the page shows."""

    plant: str
    name: Both
    period: str
    before_period: str | None
    as_of: str | None
    figures: list[Figure]
    intensities: list[Intensity]
    cost: float | None
    cost_currency: str
    findings: dict[str, int]
    attention: list[Attention]


class OverviewCalls(Transport):
    """The page “overview”."""

    def overview(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        units: str | None = None,
    ) -> OverviewOverview:
        """Overview (GET /plants/{plant}/overview.json)"""
        return cast(
            "OverviewOverview",
            self._get(
                f"/plants/{self._part(plant)}/overview.json",
                {"period": period, "energy": energy, "carbon": carbon, "units": units},
            ),
        )

    def overview_arrow(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Overview (arrow) (GET /plants/{plant}/overview.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/overview.arrow",
            {"period": period, "energy": energy, "carbon": carbon, "units": units},
        )

    def overview_csv(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Overview (csv) (GET /plants/{plant}/overview.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/overview.csv",
            {"period": period, "energy": energy, "carbon": carbon, "units": units},
        )

    def overview_parquet(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Overview (parquet) (GET /plants/{plant}/overview.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/overview.parquet",
            {"period": period, "energy": energy, "carbon": carbon, "units": units},
        )

    def overview_target(self, plant: str, body: Target) -> Done:
        """Set the target of a total for a period, in the total's own unit. (POST /plants/{plant}/overview/target.json)"""
        return cast("Done", self._post(f"/plants/{self._part(plant)}/overview/target.json", body))
