"""Calls of the page “change”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class ChangedPart(TypedDict):
    """A part in both periods; null is absent, and counts nothing in the sum."""

    label: Both
    before: float | None
    after: float | None
    difference: float
    before_trace: str | None
    after_trace: str | None


class ChangeChanged(TypedDict):
    """Two totals and the parts of their difference."""

    rulebook: str
    quantity: str
    label: Both
    unit: str
    before_period: str
    period: str
    split: Literal["item", "site", "process", "meter"]
    before: float
    after: float
    difference: float
    parts: list[ChangedPart]
    totals: dict[str, Both]
    rulebooks: list[str]


class ChangeCalls(Transport):
    """The page “change”."""

    def change(
        self,
        plant: str,
        *,
        period: str | None = None,
        before: str | None = None,
        rulebook: str | None = None,
        quantity: str | None = None,
        split: Literal["item", "site", "process", "meter"] | None = None,
        units: str | None = None,
    ) -> ChangeChanged:
        """Change (GET /plants/{plant}/change.json)"""
        return cast(
            "ChangeChanged",
            self._get(
                f"/plants/{self._part(plant)}/change.json",
                {
                    "period": period,
                    "before": before,
                    "rulebook": rulebook,
                    "quantity": quantity,
                    "split": split,
                    "units": units,
                },
            ),
        )

    def change_arrow(
        self,
        plant: str,
        *,
        period: str | None = None,
        before: str | None = None,
        rulebook: str | None = None,
        quantity: str | None = None,
        split: Literal["item", "site", "process", "meter"] | None = None,
        units: str | None = None,
    ) -> bytes:
        """Change (arrow) (GET /plants/{plant}/change.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/change.arrow",
            {
                "period": period,
                "before": before,
                "rulebook": rulebook,
                "quantity": quantity,
                "split": split,
                "units": units,
            },
        )

    def change_csv(
        self,
        plant: str,
        *,
        period: str | None = None,
        before: str | None = None,
        rulebook: str | None = None,
        quantity: str | None = None,
        split: Literal["item", "site", "process", "meter"] | None = None,
        units: str | None = None,
    ) -> bytes:
        """Change (csv) (GET /plants/{plant}/change.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/change.csv",
            {
                "period": period,
                "before": before,
                "rulebook": rulebook,
                "quantity": quantity,
                "split": split,
                "units": units,
            },
        )

    def change_parquet(
        self,
        plant: str,
        *,
        period: str | None = None,
        before: str | None = None,
        rulebook: str | None = None,
        quantity: str | None = None,
        split: Literal["item", "site", "process", "meter"] | None = None,
        units: str | None = None,
    ) -> bytes:
        """Change (parquet) (GET /plants/{plant}/change.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/change.parquet",
            {
                "period": period,
                "before": before,
                "rulebook": rulebook,
                "quantity": quantity,
                "split": split,
                "units": units,
            },
        )
