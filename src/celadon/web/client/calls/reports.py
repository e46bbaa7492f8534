"""Calls of the page “reports”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Literal, TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Kind(TypedDict):
    """A kind of report; `rulebooks`: those it takes unless others are chosen (none: they must be)."""

    kind: str
    title: Both
    about: Both
    rulebooks: list[str]


class Reports(TypedDict):
    """What can be made."""

    plant: str
    period: str
    kinds: list[Kind]
    rulebooks: list[ReportsChoice]


class ReportsChoice(TypedDict):
    """A rulebook to choose; `usual`: whether the plant's file names it, or a report of this plant would be expected under it."""

    rulebook: str
    title: Both
    usual: bool


class ReportsCalls(Transport):
    """The page “reports”."""

    def reports(
        self,
        plant: str,
        *,
        period: str | None = None,
        kind: str | None = None,
        format: Literal["xlsx", "pdf"] | None = None,
        language: Literal["zh", "en"] | None = None,
        rulebook: list[str] | None = None,
    ) -> Reports:
        """Reports (GET /plants/{plant}/reports.json)"""
        return cast(
            "Reports",
            self._get(
                f"/plants/{self._part(plant)}/reports.json",
                {
                    "period": period,
                    "kind": kind,
                    "format": format,
                    "language": language,
                    "rulebook": rulebook,
                },
            ),
        )
