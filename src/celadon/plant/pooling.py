"""Facts by the hour for one account: the meters of a site added up as the ledger is read, where the rulebook sees only their sum."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from celadon.core.findings import Finding
from celadon.core.periods import Grain
from celadon.core.quantities import Space
from celadon.engine.request import Request, fact_grain, names_needed
from celadon.engine.steps import item_key
from celadon.metering.plain_amounts import Plain
from celadon.metering.sums import CONSUMED, FLOWS, LEDGER, build_sums, drop_sums
from celadon.plant.ledger import stream_ledger
from celadon.plant.opened import View
from celadon.rules.rulebook import Rulebook

__all__ = ["build_pooled", "can_pool", "drop_sums"]


def can_pool(book: Rulebook, request: Request) -> bool:
    """Whether all the rulebook makes of the boundary's flows are sums by site, hour and carrier."""
    if fact_grain(book, request) != (Space.SITE, Grain.HOUR):
        return False
    names = names_needed(book, request)
    if any(rule.grain.space is not Space.SITE for name in names for rule in book.rules.get(name, ())):
        return False
    specs = [book.facts[name] for name in (*FLOWS, CONSUMED) if name in book.facts]
    return all(spec.adds and item_key(spec) for spec in specs) and not names.isdisjoint(book.rules)


def build_pooled(
    con: duckdb.DuckDBPyConnection, seen: View, request: Request, quantities: Collection[str], into: str
) -> list[Finding] | None:
    """Make `into` of the ledger of `seen` and the table `records`; None, and nothing made, where no meter can be pooled."""
    found: list[Finding] = []

    def stream() -> Plain | None:
        said, plain = stream_ledger(con, seen, request.period, LEDGER)
        found.extend(said)
        return plain

    points = seen.snapshot.points()
    said = build_sums(con, seen.model, stream, "records", points, request.period, quantities, into)
    con.execute(f"DROP VIEW IF EXISTS {LEDGER}; DROP TABLE IF EXISTS {LEDGER}_derived")
    return None if said is None else [*found, *said]
