"""Calls of the page “audit”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class Audit(TypedDict):
    """A part of the log. `digest`: of the newest entry; noted elsewhere, it shows later that nothing up to it was altered."""

    entries: int
    digest: str
    next: str | None
    lines: list[AuditLine]


class AuditLine(TypedDict):
    """One change."""

    number: int
    at: str
    person: str
    action: str
    name: Both
    place: str
    detail: str
    digest: str


class AuditCalls(Transport):
    """The page “audit”."""

    def audit(self, *, before: int | None = None, limit: int | None = None) -> Audit:
        """Audit log (GET /audit.json)"""
        return cast("Audit", self._get("/audit.json", {"before": before, "limit": limit}))

    def audit_arrow(self, *, before: int | None = None, limit: int | None = None) -> bytes:
        """Audit log (arrow) (GET /audit.arrow)"""
        return self._bytes("/audit.arrow", {"before": before, "limit": limit})

    def audit_csv(self, *, before: int | None = None, limit: int | None = None) -> bytes:
        """Audit log (csv) (GET /audit.csv)"""
        return self._bytes("/audit.csv", {"before": before, "limit": limit})

    def audit_parquet(self, *, before: int | None = None, limit: int | None = None) -> bytes:
        """Audit log (parquet) (GET /audit.parquet)"""
        return self._bytes("/audit.parquet", {"before": before, "limit": limit})
