"""Calls of the page “filing”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both, Filed
from celadon.web.client.transport import Transport


class Cause(TypedDict):
    """What moved a figure, by how much. `kind`: fact, factor, option or rule."""

    kind: str
    name: str
    label: Both
    difference: float
    detail: str


class FiledFigure(TypedDict):
    """A figure as filed and as it would be now; traces lead to either."""

    quantity: str
    label: Both
    item: str
    purpose: str
    place: str
    period: str
    unit: str
    filed: float | None
    filed_trace: str | None
    now: float | None
    now_trace: str | None
    changed: bool
    causes: list[Cause]


class FilingPage(TypedDict):
    """What the page shows; `holds`: digests, signature and sums were checked just now, and nothing is wrong with them."""

    plant: str
    name: Both
    filing: Filed
    holds: bool
    changed: int
    figures: list[FiledFigure]
    findings: list[FilingSaid]
    reports: list[ReportFile]


class ReportFile(TypedDict):
    """A report that was filed with it."""

    file: str
    sha256: str


class FilingSaid(TypedDict):
    """A finding about the filing."""

    code: str
    severity: str
    says: Both
    fix: Both


class FilingCalls(Transport):
    """The page “filing”."""

    def filing(self, plant: str, filing: str) -> FilingPage:
        """Filing (GET /plants/{plant}/filings/{filing}.json)"""
        return cast("FilingPage", self._get(f"/plants/{self._part(plant)}/filings/{self._part(filing)}.json"))

    def filing_arrow(self, plant: str, filing: str) -> bytes:
        """Filing (arrow) (GET /plants/{plant}/filings/{filing}.arrow)"""
        return self._bytes(f"/plants/{self._part(plant)}/filings/{self._part(filing)}.arrow")

    def filing_csv(self, plant: str, filing: str) -> bytes:
        """Filing (csv) (GET /plants/{plant}/filings/{filing}.csv)"""
        return self._bytes(f"/plants/{self._part(plant)}/filings/{self._part(filing)}.csv")

    def filing_parquet(self, plant: str, filing: str) -> bytes:
        """Filing (parquet) (GET /plants/{plant}/filings/{filing}.parquet)"""
        return self._bytes(f"/plants/{self._part(plant)}/filings/{self._part(filing)}.parquet")
