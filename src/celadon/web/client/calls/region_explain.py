"""Calls of the page “region_explain”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class RegionExplainExplained(TypedDict):
    """A trace (shape `trace/1`)."""

    rulebook: str
    period: str
    quantity: str
    title: Both
    nodes: int
    trace: dict[str, Any]


class RegionExplainCalls(Transport):
    """The page “region_explain”."""

    def region_explain(
        self,
        region: str,
        *,
        quantity: str | None = None,
        rulebook: str | None = None,
        period: str | None = None,
    ) -> RegionExplainExplained:
        """Explain (GET /regions/{region}/explain.json)"""
        return cast(
            "RegionExplainExplained",
            self._get(
                f"/regions/{self._part(region)}/explain.json",
                {"quantity": quantity, "rulebook": rulebook, "period": period},
            ),
        )
