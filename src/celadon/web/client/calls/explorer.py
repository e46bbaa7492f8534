"""Calls of the page “explorer”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Cut(TypedDict):
    """One value: its place, item and span, what it rests on, and its trace."""

    place: str
    place_name: Both
    site: str
    item: str
    item_name: Both
    purpose: str
    period: str
    value: float | None
    unit: str
    coverage: float
    estimated: float
    defaulted: float
    recalled: float
    trace: str | None


class Explored(TypedDict):
    """The values of one quantity. `total` is how many there are, `rows` those of this part, `next` the address of the one after."""

    rulebook: str
    quantity: str
    label: Both
    unit: str
    adds: bool
    period: str
    by: Literal["enterprise", "site", "process", "meter"]
    per: Literal["hour", "day", "month", "year"]
    total: int
    next: str | None
    rows: list[Cut]
    series: dict[str, list[float | None]]
    names: dict[str, Both]
    periods: list[str]
    choices: list[ExplorerChoice]
    rulebooks: list[str]


class ExplorerChoice(TypedDict):
    """A quantity that the rulebook calculates."""

    quantity: str
    label: Both
    unit: str


class ExplorerCalls(Transport):
    """The page “explorer”."""

    def explorer(
        self,
        plant: str,
        *,
        rulebook: str | None = None,
        quantity: str | None = None,
        period: str | None = None,
        by: Literal["enterprise", "site", "process", "meter"] | None = None,
        per: Literal["hour", "day", "month", "year"] | None = None,
        item: str | None = None,
        site: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        units: str | None = None,
    ) -> Explored:
        """Explorer (GET /plants/{plant}/explorer.json)"""
        return cast(
            "Explored",
            self._get(
                f"/plants/{self._part(plant)}/explorer.json",
                {
                    "rulebook": rulebook,
                    "quantity": quantity,
                    "period": period,
                    "by": by,
                    "per": per,
                    "item": item,
                    "site": site,
                    "offset": offset,
                    "limit": limit,
                    "units": units,
                },
            ),
        )

    def explorer_arrow(
        self,
        plant: str,
        *,
        rulebook: str | None = None,
        quantity: str | None = None,
        period: str | None = None,
        by: Literal["enterprise", "site", "process", "meter"] | None = None,
        per: Literal["hour", "day", "month", "year"] | None = None,
        item: str | None = None,
        site: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        units: str | None = None,
    ) -> bytes:
        """Explorer (arrow) (GET /plants/{plant}/explorer.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/explorer.arrow",
            {
                "rulebook": rulebook,
                "quantity": quantity,
                "period": period,
                "by": by,
                "per": per,
                "item": item,
                "site": site,
                "offset": offset,
                "limit": limit,
                "units": units,
            },
        )

    def explorer_csv(
        self,
        plant: str,
        *,
        rulebook: str | None = None,
        quantity: str | None = None,
        period: str | None = None,
        by: Literal["enterprise", "site", "process", "meter"] | None = None,
        per: Literal["hour", "day", "month", "year"] | None = None,
        item: str | None = None,
        site: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        units: str | None = None,
    ) -> bytes:
        """Explorer (csv) (GET /plants/{plant}/explorer.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/explorer.csv",
            {
                "rulebook": rulebook,
                "quantity": quantity,
                "period": period,
                "by": by,
                "per": per,
                "item": item,
                "site": site,
                "offset": offset,
                "limit": limit,
                "units": units,
            },
        )

    def explorer_parquet(
        self,
        plant: str,
        *,
        rulebook: str | None = None,
        quantity: str | None = None,
        period: str | None = None,
        by: Literal["enterprise", "site", "process", "meter"] | None = None,
        per: Literal["hour", "day", "month", "year"] | None = None,
        item: str | None = None,
        site: str | None = None,
        offset: int | None = None,
        limit: int | None = None,
        units: str | None = None,
    ) -> bytes:
        """Explorer (parquet) (GET /plants/{plant}/explorer.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/explorer.parquet",
            {
                "rulebook": rulebook,
                "quantity": quantity,
                "period": period,
                "by": by,
                "per": per,
                "item": item,
                "site": site,
                "offset": offset,
                "limit": limit,
                "units": units,
            },
        )
