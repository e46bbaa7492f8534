"""Calls of the page “reconcile”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Reason(TypedDict):
    """A line of the difference. `before` and `after`: what the fact contributes to each total."""

    kind: str
    why: Both
    fact: str
    label: Both
    site: str
    place: Both
    amount: float | None
    amount_unit: str
    before: float
    after: float
    difference: float
    before_factors: list[Both]
    after_factors: list[Both]


class Reconciled(TypedDict):
    """The two totals and the lines between them."""

    period: str
    unit: str
    before: TotalOf
    after: TotalOf
    difference: float
    common: float
    lines: list[Reason]
    rulebooks: list[str]
    first_totals: list[ReconcileChoice]
    second_totals: list[ReconcileChoice]


class TotalOf(TypedDict):
    """One side: a rulebook's total, in the first side's unit."""

    rulebook: str
    quantity: str
    label: Both
    total: float
    own_unit: str
    trace: str | None


class ReconcileChoice(TypedDict):
    """A total that can be compared."""

    quantity: str
    label: Both


class ReconcileCalls(Transport):
    """The page “reconcile”."""

    def reconcile(
        self,
        plant: str,
        *,
        period: str | None = None,
        first: str | None = None,
        second: str | None = None,
        first_quantity: str | None = None,
        second_quantity: str | None = None,
        units: str | None = None,
    ) -> Reconciled:
        """Reconcile (GET /plants/{plant}/reconcile.json)"""
        return cast(
            "Reconciled",
            self._get(
                f"/plants/{self._part(plant)}/reconcile.json",
                {
                    "period": period,
                    "first": first,
                    "second": second,
                    "first_quantity": first_quantity,
                    "second_quantity": second_quantity,
                    "units": units,
                },
            ),
        )

    def reconcile_arrow(
        self,
        plant: str,
        *,
        period: str | None = None,
        first: str | None = None,
        second: str | None = None,
        first_quantity: str | None = None,
        second_quantity: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Reconcile (arrow) (GET /plants/{plant}/reconcile.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/reconcile.arrow",
            {
                "period": period,
                "first": first,
                "second": second,
                "first_quantity": first_quantity,
                "second_quantity": second_quantity,
                "units": units,
            },
        )

    def reconcile_csv(
        self,
        plant: str,
        *,
        period: str | None = None,
        first: str | None = None,
        second: str | None = None,
        first_quantity: str | None = None,
        second_quantity: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Reconcile (csv) (GET /plants/{plant}/reconcile.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/reconcile.csv",
            {
                "period": period,
                "first": first,
                "second": second,
                "first_quantity": first_quantity,
                "second_quantity": second_quantity,
                "units": units,
            },
        )

    def reconcile_parquet(
        self,
        plant: str,
        *,
        period: str | None = None,
        first: str | None = None,
        second: str | None = None,
        first_quantity: str | None = None,
        second_quantity: str | None = None,
        units: str | None = None,
    ) -> bytes:
        """Reconcile (parquet) (GET /plants/{plant}/reconcile.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/reconcile.parquet",
            {
                "period": period,
                "first": first,
                "second": second,
                "first_quantity": first_quantity,
                "second_quantity": second_quantity,
                "units": units,
            },
        )
