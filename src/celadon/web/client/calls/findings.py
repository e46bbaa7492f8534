"""Calls of the page “findings”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast

from celadon.web.client.calls.shared import Both, Done, Shown
from celadon.web.client.transport import Transport


class Decided(TypedDict):
    """What somebody decided: accept or reopen."""

    action: str
    by: str
    reason: str
    at: str


class Decision(TypedDict):
    """Accept a finding of a period with a reason, or open it again."""

    finding: str
    action: str
    reason: NotRequired[str]
    period: str


class Item(TypedDict):
    """A finding. `accepted`: the last word is that it may stay. `meter` and `start`, `end` say which readings it is about."""

    id: str
    code: str
    severity: str
    severity_text: Both
    title: Both
    where: str
    says: Both
    fix: Both
    clause: Both | None
    accepted: bool
    decisions: list[Decided]
    meter: str
    start: str
    end: str


class Triage(TypedDict):
    """What the page shows: counts of what is open, findings (open ones first), rows that wait."""

    period: str
    rulebooks: list[str]
    open: int
    open_by_severity: dict[str, int]
    accepted: int
    findings: list[Item]
    more: int
    quarantine: list[Waiting]
    waiting: int


class Waiting(TypedDict):
    """A row in quarantine: its texts by field."""

    id: int
    file: str
    line: int
    code: str
    title: Both
    says: Both
    cells: dict[str, str]


class FindingsCorrection(TypedDict):
    """A row in quarantine: one field's right text, or `dismiss` to give the row up."""

    row: int
    field: NotRequired[str]
    text: NotRequired[str]
    dismiss: NotRequired[bool]


class FindingsCalls(Transport):
    """The page “findings”."""

    def findings(self, plant: str, *, period: str | None = None, show: str | None = None) -> Triage:
        """Findings (GET /plants/{plant}/findings.json)"""
        return cast(
            "Triage",
            self._get(f"/plants/{self._part(plant)}/findings.json", {"period": period, "show": show}),
        )

    def findings_arrow(self, plant: str, *, period: str | None = None, show: str | None = None) -> bytes:
        """Findings (arrow) (GET /plants/{plant}/findings.arrow)"""
        return self._bytes(f"/plants/{self._part(plant)}/findings.arrow", {"period": period, "show": show})

    def findings_correct(self, plant: str, body: FindingsCorrection) -> Shown:
        """Make the correction of a row in quarantine ready, and say what it changes. (POST /plants/{plant}/findings/correct.json)"""
        return cast("Shown", self._post(f"/plants/{self._part(plant)}/findings/correct.json", body))

    def findings_csv(self, plant: str, *, period: str | None = None, show: str | None = None) -> bytes:
        """Findings (csv) (GET /plants/{plant}/findings.csv)"""
        return self._bytes(f"/plants/{self._part(plant)}/findings.csv", {"period": period, "show": show})

    def findings_decide(self, plant: str, body: Decision) -> Done:
        """Accept a finding with a reason, or open it again; noted for good with who and when. (POST /plants/{plant}/findings/decide.json)"""
        return cast("Done", self._post(f"/plants/{self._part(plant)}/findings/decide.json", body))

    def findings_parquet(self, plant: str, *, period: str | None = None, show: str | None = None) -> bytes:
        """Findings (parquet) (GET /plants/{plant}/findings.parquet)"""
        return self._bytes(f"/plants/{self._part(plant)}/findings.parquet", {"period": period, "show": show})
