"""Calls of the page “rulebook_table”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.transport import Transport


class RulebookTableFactorRows(TypedDict):
    """Rows `start` to `start + 200` of the table, as published (cells as text, empty = a known gap)."""

    rulebook: str
    table: str
    file: str
    columns: list[str]
    rows: list[list[str]]
    lines: list[int]
    start: int
    total: int
    titles: dict[str, str]


class RulebookTableCalls(Transport):
    """The page “rulebook_table”."""

    def rulebooks_table(
        self, rulebook: str, table: str, *, start: int | None = None, limit: int | None = None
    ) -> RulebookTableFactorRows:
        """Factor table (GET /rulebooks/{rulebook}/tables/{table}.json)"""
        return cast(
            "RulebookTableFactorRows",
            self._get(
                f"/rulebooks/{self._part(rulebook)}/tables/{self._part(table)}.json",
                {"start": start, "limit": limit},
            ),
        )

    def rulebooks_table_arrow(
        self, rulebook: str, table: str, *, start: int | None = None, limit: int | None = None
    ) -> bytes:
        """Factor table (arrow) (GET /rulebooks/{rulebook}/tables/{table}.arrow)"""
        return self._bytes(
            f"/rulebooks/{self._part(rulebook)}/tables/{self._part(table)}.arrow",
            {"start": start, "limit": limit},
        )

    def rulebooks_table_csv(
        self, rulebook: str, table: str, *, start: int | None = None, limit: int | None = None
    ) -> bytes:
        """Factor table (csv) (GET /rulebooks/{rulebook}/tables/{table}.csv)"""
        return self._bytes(
            f"/rulebooks/{self._part(rulebook)}/tables/{self._part(table)}.csv",
            {"start": start, "limit": limit},
        )

    def rulebooks_table_parquet(
        self, rulebook: str, table: str, *, start: int | None = None, limit: int | None = None
    ) -> bytes:
        """Factor table (parquet) (GET /rulebooks/{rulebook}/tables/{table}.parquet)"""
        return self._bytes(
            f"/rulebooks/{self._part(rulebook)}/tables/{self._part(table)}.parquet",
            {"start": start, "limit": limit},
        )
