"""Calls of the page “filings”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict, cast

from celadon.web.client.calls.shared import Both, Done, Filed
from celadon.web.client.transport import Transport


class Due(TypedDict):
    """What filing the readings of the period proposed would take; `most`: how many may be filed."""

    readings: int
    bytes: int
    most: int


class FilingsPage(TypedDict):
    """What the page shows. `checkpoint` is the signed head of the log; `keys` are those this console can sign with."""

    plant: str
    name: Both
    filings: list[Filed]
    checkpoint: str | None
    keys: list[str]
    rulebooks: list[str]
    period: str | None
    reports: list[str]
    due: Due | None


class Freeze(TypedDict):
    """A period to file under a rulebook."""

    rulebook: str
    period: str
    by: NotRequired[Literal["enterprise", "site", "process", "meter"]]
    key: NotRequired[str]
    reports: NotRequired[list[Literal["energy-carbon", "evidence", "cbam", "quota"]]]
    readings: NotRequired[bool]


class NewKey(TypedDict):
    """A key to make."""

    name: NotRequired[str]


class FilingsCalls(Transport):
    """The page “filings”."""

    def filings(
        self, plant: str, *, period: str | None = None, report: list[str] | None = None
    ) -> FilingsPage:
        """Filings (GET /plants/{plant}/filings.json)"""
        return cast(
            "FilingsPage",
            self._get(f"/plants/{self._part(plant)}/filings.json", {"period": period, "report": report}),
        )

    def filings_arrow(
        self, plant: str, *, period: str | None = None, report: list[str] | None = None
    ) -> bytes:
        """Filings (arrow) (GET /plants/{plant}/filings.arrow)"""
        return self._bytes(f"/plants/{self._part(plant)}/filings.arrow", {"period": period, "report": report})

    def filings_csv(self, plant: str, *, period: str | None = None, report: list[str] | None = None) -> bytes:
        """Filings (csv) (GET /plants/{plant}/filings.csv)"""
        return self._bytes(f"/plants/{self._part(plant)}/filings.csv", {"period": period, "report": report})

    def filings_freeze(self, plant: str, body: Freeze) -> Done:
        """File a period under a rulebook with one of this console's keys: as a whole, or not at all. (POST /plants/{plant}/filings/freeze.json)"""
        return cast("Done", self._post(f"/plants/{self._part(plant)}/filings/freeze.json", body))

    def filings_key(self, plant: str, body: NewKey) -> Done:
        """Make a key for this console to sign with, in the configuration folder of the user it runs as. (POST /plants/{plant}/filings/key.json)"""
        return cast("Done", self._post(f"/plants/{self._part(plant)}/filings/key.json", body))

    def filings_parquet(
        self, plant: str, *, period: str | None = None, report: list[str] | None = None
    ) -> bytes:
        """Filings (parquet) (GET /plants/{plant}/filings.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/filings.parquet", {"period": period, "report": report}
        )
