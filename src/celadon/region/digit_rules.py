"""Digit rules: rounded values and favoured last digits of one enterprise, first digits of groups of enterprises.

Only counts leave the database for the tests; how many tests were made is kept, so that false discoveries are controlled.
"""

from __future__ import annotations

import math

import duckdb

from celadon.region.digits import (
    BENFORD,
    NONCONFORMITY,
    binomial_tail,
    chi_square_tail,
    deviation_from_benford,
    discoveries,
)
from celadon.region.tables_in import identifier
from celadon.region.view import View

_FEWEST_CELLS = 60
_FEWEST_IN_GROUP = 500
_CANDIDATE_CHI = 16.92
"""Chi-square of nine degrees that one honest enterprise in twenty exceeds: less is no discovery at any rate in use."""
_FAVOURED = 0.2
"""Least share of a favoured last digit: twice chance. A rare pattern nobody would see is not worth a question."""
_SAMPLE = 5000
_USUAL = 0.2


class DigitRules:
    """Collects counts over the chunks; `finish` decides."""

    def __init__(self, con: duckdb.DuckDBPyConnection, seen: View, months: list[int]) -> None:
        self.con, self.tested = con, 0
        self.scales = _scales(con, seen, months)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE digit (enterprise INTEGER, cells INTEGER, rounded INTEGER, chi DOUBLE, favoured INTEGER, "
            "share DOUBLE)"
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE first_digit (area VARCHAR, column_ VARCHAR, digit INTEGER, n BIGINT)"
        )

    def chunk(self, first: int) -> None:
        """Count over the table `wide` of one chunk."""
        if not self.scales:
            return
        whole = ", ".join(
            f"CASE WHEN {identifier(name)} > 0 THEN round({identifier(name)} * {scale!r}e0)::BIGINT END AS {identifier(name)}"
            for name, scale in self.scales.items()
        )
        names = ", ".join(identifier(name) for name in self.scales)
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE whole AS SELECT enterprise, {whole} FROM wide WHERE m >= {first}"
        )
        counts = ", ".join(f"count(*) FILTER (n % 10 = {digit})" for digit in range(10))
        self.con.execute(
            "INSERT INTO digit SELECT enterprise, cells, rounded, list_sum(list_transform(c, lambda k: (k - cells / 10e0) ** 2 "
            "/ (cells / 10e0))), list_position(c, list_max(c)) - 1, list_max(c) / cells FROM (SELECT enterprise, count(*) AS cells, "
            f"count(*) FILTER (n % 100 = 0) AS rounded, [{counts}] AS c FROM (SELECT enterprise, unnest([{names}]) AS n FROM whole) "
            f"WHERE n >= 1000 GROUP BY enterprise) WHERE cells >= {_FEWEST_CELLS}"
        )
        sums = ", ".join(f"sum({identifier(name)})::HUGEINT AS {identifier(name)}" for name in self.scales)
        self.con.execute(
            "INSERT INTO first_digit SELECT r.region[:2] || '0000', w.column_, left(w.n::VARCHAR, 1)::INTEGER, count(*) FROM "
            f"(UNPIVOT (SELECT enterprise, {sums} FROM whole GROUP BY 1) ON {names} INTO NAME column_ VALUE n) AS w "
            "JOIN firm AS r ON r.number = w.enterprise WHERE w.n > 0 GROUP BY ALL"
        )
        self.con.execute("DROP TABLE whole")

    def finish(self, rate: float) -> None:
        """Alarms of enterprises into `alarm`; of groups into `group_alarm` (area, column_, n, mad, chance)."""
        [(tests,)] = self.con.execute("SELECT count(*) FROM digit").fetchall()
        self._rounded(tests, rate)
        self._last_digits(tests, rate)
        self._first_digits(rate)
        for table in ("digit", "first_digit"):
            self.con.execute(f"DROP TABLE {table}")

    def _rounded(self, tests: int, rate: float) -> None:
        """Two trailing zeros come by chance in one value of a hundred."""
        rows = self.con.execute(
            "SELECT enterprise, cells, rounded FROM digit WHERE rounded >= 5 AND rounded > cells * 0.1e0"
        ).fetchall()
        found = sorted(
            (binomial_tail(rounded, cells, 0.01), number, rounded, cells) for number, cells, rounded in rows
        )
        kept = found[: discoveries([item[0] for item in found], tests, rate)]
        self._add(
            "rounded",
            [(number, rounded / cells, cells, chance, -1) for chance, number, rounded, cells in kept],
        )

    def _last_digits(self, tests: int, rate: float) -> None:
        rows = self.con.execute(
            "SELECT enterprise, cells, chi, favoured, share FROM digit WHERE chi > $1 AND share >= $2 AND NOT EXISTS "
            "(SELECT 1 FROM alarm AS a WHERE a.rule = 'rounded' AND a.enterprise = digit.enterprise)",
            [_CANDIDATE_CHI, _FAVOURED],
        ).fetchall()
        found = sorted(
            (chi_square_tail(chi, 9), number, share, cells, digit)
            for number, cells, chi, digit, share in rows
        )
        kept = found[: discoveries([item[0] for item in found], tests, rate)]
        self._add(
            "last-digit",
            [(number, share, cells, chance, digit) for chance, number, share, cells, digit in kept],
        )

    def _add(self, rule: str, rows: list[tuple[int, float, int, float, int]]) -> None:
        """value: the share of the cells that show it; expected: how many cells; low: the chance; high: the digit."""
        columns = [
            [number for number, *_ in rows], [share for _, share, *_ in rows], [float(cells) for _, _, cells, *_ in rows],
            [chance for *_, chance, _ in rows], [float(digit) for *_, digit in rows],
            [min(-_log10(chance), 99.0) / 4 for *_, chance, _ in rows],
        ]  # fmt: skip
        self.con.execute(
            "INSERT INTO alarm SELECT $1, number, '', [], NULL, share, cells, chance, digit, score, 'digits' FROM (SELECT "
            "unnest($2::INTEGER[]) AS number, unnest($3::DOUBLE[]) AS share, unnest($4::DOUBLE[]) AS cells, "
            "unnest($5::DOUBLE[]) AS chance, unnest($6::DOUBLE[]) AS digit, unnest($7::DOUBLE[]) AS score)",
            [rule, *columns],
        )

    def _first_digits(self, rate: float) -> None:
        """First digits of a province's enterprises in one column, a value each (the months are alike), against Benford's law."""
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE group_alarm (area VARCHAR, column_ VARCHAR, n BIGINT, mad DOUBLE, chance DOUBLE)"
        )
        rows = self.con.execute(
            "SELECT area, column_, list(digit), list(n), sum(n)::BIGINT AS total FROM (SELECT area, column_, digit, sum(n)::BIGINT AS n "
            f"FROM first_digit GROUP BY ALL) GROUP BY 1, 2 HAVING total >= {_FEWEST_IN_GROUP} ORDER BY 1, 2"
        ).fetchall()
        found = []
        for area, column, digits, counts, total in rows:
            by_digit = dict(zip(digits, counts, strict=True))
            chi, mad = deviation_from_benford([by_digit.get(digit, 0) for digit in range(1, 10)])
            found.append((chi_square_tail(chi, len(BENFORD) - 1), area, column, total, mad))
        found.sort()
        for chance, area, column, total, mad in found[
            : discoveries([item[0] for item in found], len(found), rate)
        ]:
            if mad > NONCONFORMITY:
                self.con.execute(
                    "INSERT INTO group_alarm VALUES (?, ?, ?, ?, ?)", [area, column, total, mad, chance]
                )


def _log10(chance: float) -> float:
    return math.log10(chance) if chance > 0 else -300.0


def _scales(con: duckdb.DuckDBPyConnection, seen: View, months: list[int]) -> dict[str, float]:
    """Column → what turns a kept value into the whole number that was written, for columns whose digits can tell anything.

    The decimals are the fewest that `_USUAL` of the values need, looked up in a sample: a tenth of the values of an honest column end
    in a zero, more are the habit of many to write fewer decimals, and a few who write many change nothing. A column that mostly repeats itself (a head
    count) or hardly has four digits is left out."""
    found: dict[str, float] = {}
    sample = seen.facts_sql(months[-2:], f"enterprise <= {_SAMPLE}")
    for value in seen.region.columns:
        name = identifier(value.name)
        written = f"({name} / {value.factor!r})"
        ends = ", ".join(
            f"avg((abs({written} - round({written}, {places})) < 1e-9 * greatest(1, {written}))::INTEGER)"
            for places in range(5)
        )
        [(shares, repeats, count)] = con.execute(
            f"SELECT [{ends}], avg(same), count(*) FROM (SELECT {name}, ({name} = lag({name}) OVER (PARTITION BY enterprise "
            f"ORDER BY month))::INTEGER AS same FROM ({sample}) WHERE {name} > 0)"
        ).fetchall()
        places = next(
            (index for index, share in enumerate(shares) if share is not None and share >= _USUAL), None
        )
        if count and places is not None and (repeats is None or repeats < 0.05):
            found[value.name] = 10.0**places / value.factor
    return found
