"""What is feasible: electricity per product or value, from published levels where there are any, else from the peers.

Published: levels 1 and 3 of the national quota standards, as the rulebook cn_product_energy_quota carries them. Peers: the
outer fences of Tukey (Exploratory Data Analysis, 1977, ch. 2), three interquartile ranges beyond the quartiles, of logarithms.
"""

from __future__ import annotations

from datetime import date

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.units import UnitError, parse_unit
from celadon.engine.backends import Backend
from celadon.engine.pieces import number
from celadon.region.model import RegionFile
from celadon.region.tables_in import literal
from celadon.rules.rulebook import find_rulebook, load_rulebook

QUOTA_BOOK, QUOTA_TABLE = "cn_product_energy_quota", "quota_levels"
_INDICATORS = ("electricity", "ac_electricity")
MINIMUM_PEERS = 8
_OUTER_FENCE = 3.0


@dataclass(frozen=True, slots=True)
class Published:
    """Levels 1 (best) and 3 (limit) of one product's electricity in kWh per product unit, and who says so."""

    product: str
    level_1: float
    level_3: float
    source: str
    clause: str
    confidence: str


def published_bands(region: RegionFile, day: date) -> list[Published]:
    """The products of the region that have published electricity levels on `day`."""
    book = load_rulebook(find_rulebook(QUOTA_BOOK))
    units = {item.id: item.unit for item in region.products}
    found: dict[str, Published] = {}
    for row in book.tables[QUOTA_TABLE].rows:
        cells = row.cells
        product, low, high = cells["product"], cells["level1"], cells["level3"]
        if product not in units or cells["indicator"] not in _INDICATORS or not low or not high:
            continue
        if not row.validity.covers(day) or product in found:
            continue
        try:
            factor = float(parse_unit(cells["unit"]).factor_to(parse_unit(f"kWh/({units[product]})")))
        except UnitError:
            continue
        found[product] = Published(
            product, float(low) * factor, float(high) * factor, row.source, row.clause, row.confidence
        )
    return list(found.values())


def make_bands(
    con: duckdb.DuckDBPyConnection, backend: Backend, bands: list[Published], allowed: float
) -> None:
    """Table `band` (product, industry, low, high, basis) of kWh per unit: published ones, then peers'; on `con`, and shared.

    Reads `need` on `backend`: enterprise, industry, product ('' = per value), ratio (kWh per unit over the whole period).
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE band (product VARCHAR, industry VARCHAR, low DOUBLE, high DOUBLE, basis VARCHAR, peers INTEGER)"
    )
    for band in bands:
        con.execute(
            "INSERT INTO band VALUES (?, NULL, ?, ?, 'published', NULL)",
            [band.product, band.level_1 * (1 - allowed), band.level_3 * (1 + allowed)],
        )
    known = ", ".join(literal(band.product) for band in bands) or "NULL"
    wider = number(1 + allowed)
    backend.append(
        con,
        "band",
        f"SELECT product, industry, exp(q[1] - w) / {wider}, exp(q[2] + w) * {wider}, 'peers', n FROM ("
        f"SELECT product, industry, q, {number(_OUTER_FENCE)} * (q[2] - q[1]) AS w, n FROM (SELECT product, industry, count(*) AS n, "
        "quantile_cont(ln(ratio), [0.25, 0.75]) AS q FROM need "
        f"WHERE product = '' OR product NOT IN ({known}) GROUP BY 1, 2) WHERE n >= {MINIMUM_PEERS})",
    )
    backend.share(con, "band")
