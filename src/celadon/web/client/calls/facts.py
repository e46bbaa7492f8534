"""Calls of the page “facts”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

from celadon.web.client.calls.shared import Both, Done, Shown
from celadon.web.client.transport import Transport


class Announced(TypedDict):
    """A file that is to be sent: its name, bytes and SHA-256 (hex)."""

    name: str
    size: int
    sha256: str


class Chosen(TypedDict):
    """An upload."""

    upload: str


class Confirmed(TypedDict):
    """A change that was shown, and where to go on."""

    change: str
    back: NotRequired[str]


class Exclusion(TypedDict):
    """Readings of a meter (`meter`, `start`, `end`) or a record (`quantity`, `start` …) that are not to count."""

    meter: NotRequired[str]
    quantity: NotRequired[str]
    item: NotRequired[str]
    site: NotRequired[str]
    process: NotRequired[str]
    note: NotRequired[str]
    start: str
    end: NotRequired[str]
    reason: str


class Fact(TypedDict):
    """A reading or record and its versions, oldest first; when it applies is local time of the plant."""

    what: dict[str, str]
    name: Both
    start: str
    end: str
    versions: list[Version]


class Facts(TypedDict):
    """What the page shows. `facts` is the history asked for (records of a period, or readings of a meter)."""

    period: str
    meter: str
    quantity: str
    item: str
    files: list[File]
    waiting: list[str]
    uploads: list[Sent]
    facts: list[Fact]
    more: int
    meters: list[FactsChoice]
    quantities: list[FactsChoice]
    items: list[FactsChoice]
    sites: list[FactsChoice]
    processes: list[FactsChoice]


class File(TypedDict):
    """A file that was loaded, newest version. `url` of nothing: it lies in the plant's folder."""

    source: str
    name: str
    bytes: int
    batch: int
    recorded_at: str
    versions: int


class NewRecord(TypedDict):
    """A record entered by hand; days are `2024-03-05`, both included. `evidence`: id of an upload that is whole."""

    quantity: str
    item: NotRequired[str]
    value: float
    unit: str
    start: str
    end: NotRequired[str]
    site: NotRequired[str]
    process: NotRequired[str]
    purpose: NotRequired[str]
    note: NotRequired[str]
    reason: NotRequired[str]
    evidence: NotRequired[str]


class Part(TypedDict):
    """A part of an upload: where it begins, and its bytes in base64 (up to 1 MiB of them)."""

    upload: str
    offset: int
    data: str


class Sent(TypedDict):
    """An upload that waits: how much of it is there, and whether it is whole."""

    id: str
    name: str
    size: int
    offset: int
    whole: bool
    by: str
    at: str


class Version(TypedDict):
    """One thing said of a fact: `status` is in_force, replaced, excluded or withdrawn."""

    recorded_at: str
    file: str
    line: int
    value: float | None
    unit: str
    status: str
    by: str
    reason: str
    evidence: str


class FactsChoice(TypedDict):
    """An id with its name, to choose from."""

    id: str
    name: Both


class FactsCorrection(TypedDict):
    """Another value (and unit) for the record in force at a line of a file."""

    file: str
    line: int
    value: float
    unit: NotRequired[str]
    reason: str
    evidence: NotRequired[str]


class FactsCalls(Transport):
    """The page “facts”."""

    def facts(
        self,
        plant: str,
        *,
        period: str | None = None,
        meter: str | None = None,
        quantity: str | None = None,
        item: str | None = None,
    ) -> Facts:
        """Facts (GET /plants/{plant}/facts.json)"""
        return cast(
            "Facts",
            self._get(
                f"/plants/{self._part(plant)}/facts.json",
                {"period": period, "meter": meter, "quantity": quantity, "item": item},
            ),
        )

    def facts_arrow(
        self,
        plant: str,
        *,
        period: str | None = None,
        meter: str | None = None,
        quantity: str | None = None,
        item: str | None = None,
    ) -> bytes:
        """Facts (arrow) (GET /plants/{plant}/facts.arrow)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/facts.arrow",
            {"period": period, "meter": meter, "quantity": quantity, "item": item},
        )

    def facts_begin(self, plant: str, body: Announced) -> Sent:
        """Announce a file. One announced before goes on at its `offset`. (POST /plants/{plant}/facts/begin.json)"""
        return cast("Sent", self._post(f"/plants/{self._part(plant)}/facts/begin.json", body))

    def facts_commit(self, plant: str, body: Confirmed) -> Done:
        """Make a change that was shown. (POST /plants/{plant}/facts/commit.json)"""
        return cast("Done", self._post(f"/plants/{self._part(plant)}/facts/commit.json", body))

    def facts_correct(self, plant: str, body: FactsCorrection) -> Shown:
        """Make the correction of a record ready, and say what it changes. (POST /plants/{plant}/facts/correct.json)"""
        return cast("Shown", self._post(f"/plants/{self._part(plant)}/facts/correct.json", body))

    def facts_csv(
        self,
        plant: str,
        *,
        period: str | None = None,
        meter: str | None = None,
        quantity: str | None = None,
        item: str | None = None,
    ) -> bytes:
        """Facts (csv) (GET /plants/{plant}/facts.csv)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/facts.csv",
            {"period": period, "meter": meter, "quantity": quantity, "item": item},
        )

    def facts_drop(self, plant: str, body: Chosen) -> Done:
        """Drop an upload. (POST /plants/{plant}/facts/drop.json)"""
        return cast("Done", self._post(f"/plants/{self._part(plant)}/facts/drop.json", body))

    def facts_enter(self, plant: str, body: NewRecord) -> Shown:
        """Make a record ready that was entered by hand, and say what it changes. (POST /plants/{plant}/facts/enter.json)"""
        return cast("Shown", self._post(f"/plants/{self._part(plant)}/facts/enter.json", body))

    def facts_exclude(self, plant: str, body: Exclusion) -> Shown:
        """Make an exclusion ready, and say what it changes. (POST /plants/{plant}/facts/exclude.json)"""
        return cast("Shown", self._post(f"/plants/{self._part(plant)}/facts/exclude.json", body))

    def facts_load(self, plant: str) -> Shown:
        """Make loading the files that wait ready, and say what it changes. (POST /plants/{plant}/facts/load.json)"""
        return cast("Shown", self._post(f"/plants/{self._part(plant)}/facts/load.json", None))

    def facts_parquet(
        self,
        plant: str,
        *,
        period: str | None = None,
        meter: str | None = None,
        quantity: str | None = None,
        item: str | None = None,
    ) -> bytes:
        """Facts (parquet) (GET /plants/{plant}/facts.parquet)"""
        return self._bytes(
            f"/plants/{self._part(plant)}/facts.parquet",
            {"period": period, "meter": meter, "quantity": quantity, "item": item},
        )

    def facts_part(self, plant: str, body: Part) -> Sent:
        """Send a part of a file; the last one makes it whole. (POST /plants/{plant}/facts/part.json)"""
        return cast("Sent", self._post(f"/plants/{self._part(plant)}/facts/part.json", body))
