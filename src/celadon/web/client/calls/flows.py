"""Calls of the page “flows”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Diagram(TypedDict):
    """Flows between named nodes. `left_out`: parts below zero (exports) and absent ones, which a diagram cannot show."""

    title: Both
    unit: str
    nodes: dict[str, Both]
    rests: list[str]
    flows: list[FlowLine]
    left_out: list[Both]


class FlowLine(TypedDict):
    """An amount that goes from one node to another, in the diagram's unit."""

    source: str
    target: str
    value: float


class Flows(TypedDict):
    """Diagrams of a period."""

    period: str
    carrier: str
    carriers: dict[str, Both]
    diagrams: list[Diagram]


class FlowsCalls(Transport):
    """The page “flows”."""

    def flows(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        carrier: str | None = None,
        units: str | None = None,
    ) -> Flows:
        """Flows (GET /plants/{plant}/flows.json)"""
        return cast(
            "Flows",
            self._get(
                f"/plants/{self._part(plant)}/flows.json",
                {"period": period, "energy": energy, "carbon": carbon, "carrier": carrier, "units": units},
            ),
        )

    def flows_arrow(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        carrier: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Flows (arrow) (GET /plants/{plant}/flows.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/flows.arrow",
            {"period": period, "energy": energy, "carbon": carbon, "carrier": carrier, "units": units},
        )

    def flows_csv(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        carrier: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Flows (csv) (GET /plants/{plant}/flows.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/flows.csv",
            {"period": period, "energy": energy, "carbon": carbon, "carrier": carrier, "units": units},
        )

    def flows_parquet(
        self,
        plant: str,
        *,
        period: str | None = None,
        energy: str | None = None,
        carbon: str | None = None,
        carrier: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Flows (parquet) (GET /plants/{plant}/flows.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/flows.parquet",
            {"period": period, "energy": energy, "carbon": carbon, "carrier": carrier, "units": units},
        )
