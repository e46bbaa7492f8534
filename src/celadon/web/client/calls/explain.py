"""Calls of the page “explain”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class ExplainChoice(TypedDict):
    """A quantity that a rulebook calculates."""

    quantity: str
    label: Both
    unit: str


class ExplainExplained(TypedDict):
    """A trace (shape `trace/1`), or what there is to choose from where no quantity is named."""

    rulebook: str
    period: str
    quantity: str | None
    where: dict[str, str]
    title: Both | None
    choices: list[ExplainChoice]
    rulebooks: list[str]
    nodes: int
    trace: dict[str, Any] | None


class ExplainCalls(Transport):
    """The page “explain”."""

    def explain(
        self,
        plant: str,
        *,
        quantity: str | None = None,
        rulebook: str | None = None,
        period: str | None = None,
        as_of: str | None = None,
        site: str | None = None,
        process: str | None = None,
        meter: str | None = None,
        carrier: str | None = None,
        product: str | None = None,
    ) -> ExplainExplained:
        """Explain (GET /plants/{plant}/explain.json)"""
        return cast(
            "ExplainExplained",
            self._get(
                f"/plants/{self._part(plant)}/explain.json",
                {
                    "quantity": quantity,
                    "rulebook": rulebook,
                    "period": period,
                    "as_of": as_of,
                    "site": site,
                    "process": process,
                    "meter": meter,
                    "carrier": carrier,
                    "product": product,
                },
            ),
        )
