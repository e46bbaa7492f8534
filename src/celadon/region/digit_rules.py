"""Digit rules: rounded values and favoured last digits of one enterprise, first digits of groups of enterprises.

Only counts leave the database for the tests; how many tests were made is kept, so that false discoveries are controlled.
"""

from __future__ import annotations

import math

import duckdb

from celadon.engine.backends import Backend
from celadon.engine.pieces import number
from celadon.region.digits import (
    BENFORD,
    NONCONFORMITY,
    binomial_tail,
    chi_square_tail,
    deviation_from_benford,
    discoveries,
)
from celadon.region.tables_in import a_row_each, identifier, literal
from celadon.region.view import View

_FEWEST_CELLS = 60
_FEWEST_IN_GROUP = 500
_CANDIDATE_CHI = 16.92
"""Chi-square of nine degrees that one honest enterprise in twenty exceeds: less is no discovery at any rate in use."""
_FAVOURED = 0.2
"""Least share of a favoured last digit: twice chance. A rare pattern nobody would see is not worth a question."""
_SAMPLE = 5000
_USUAL = 0.2
_EXACT = "9e15"
"""Whole numbers above have no digits of their own in a double."""
_ROUNDED = "rounded >= 5 AND rounded > cells * 0.1e0"
_FAVOURS = f"chi > {number(_CANDIDATE_CHI)} AND share >= {number(_FAVOURED)}"


class DigitRules:
    """Collects counts over the chunks; `finish` decides."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, seen: View, months: list[int], backend: Backend
    ) -> None:
        self.con, self.backend, self.tested = con, backend, 0
        self.scales = _scales(backend, seen, months)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE digit (enterprise INTEGER, cells INTEGER, rounded INTEGER, chi DOUBLE, favoured INTEGER, "
            "share DOUBLE)"
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE first_digit (area VARCHAR, column_ VARCHAR, digit INTEGER, n BIGINT)"
        )

    def count(self, first: int) -> None:
        """Count over the table `wide`: how many enterprises are tested, and of those that show something, what."""
        if not self.scales:
            return
        whole = ", ".join(
            f"CASE WHEN {name} > 0 AND {name} * {scale} < {_EXACT} THEN round({name} * {scale})::BIGINT END AS {name}"
            for name, scale in self._scaled()
        )
        self.backend.keep("whole", f"SELECT enterprise, {whole} FROM wide WHERE m >= {first}")
        self.backend.keep("digit_count", self._of_enterprises())
        self.tested += self.backend.rows("SELECT count(*) FROM digit_count")[0][0]
        self.backend.append(self.con, "digit", f"SELECT * FROM digit_count WHERE {_ROUNDED} OR {_FAVOURS}")
        self.backend.append(self.con, "first_digit", self._of_areas())
        for table in ("digit_count", "whole"):
            self.backend.drop(table)

    def _scaled(self) -> list[tuple[str, str]]:
        """Column and scale, as SQL."""
        return [(identifier(name), number(scale)) for name, scale in self.scales.items()]

    def _of_enterprises(self) -> str:
        """enterprise, cells, rounded, chi (against ten equally frequent last digits), favoured (the most frequent), share (its)."""
        names = ", ".join(name for name, _ in self._scaled())
        counts = ", ".join(f"count(*) FILTER (n % 10 = {digit}) AS d{digit}" for digit in range(10))
        chi = " + ".join(f"(d{digit} - cells / 10e0) * (d{digit} - cells / 10e0)" for digit in range(10))
        most = ", ".join(f"d{digit}" for digit in range(10))
        which = " ".join(f"WHEN d{digit} THEN {digit}" for digit in range(10))
        return (
            f"SELECT enterprise, cells, rounded, chi, CASE most {which} END AS favoured, most / cells AS share FROM "
            f"(SELECT *, ({chi}) / (cells / 10e0) AS chi, greatest({most}) AS most FROM "
            f"(SELECT enterprise, count(*) AS cells, count(*) FILTER (n % 100 = 0) AS rounded, {counts} FROM "
            f"(SELECT enterprise, unnest([{names}]) AS n FROM whole) WHERE n >= 1000 GROUP BY enterprise) "
            f"WHERE cells >= {_FEWEST_CELLS})"
        )

    def _of_areas(self) -> str:
        """area, column_, digit, n: first digits of the sums of enterprises."""
        sums = ", ".join(f"sum({name}) AS {name}" for name, _ in self._scaled())
        parts = {
            "column_": [literal(name) for name in self.scales],
            "n": [name for name, _ in self._scaled()],
        }
        cells = a_row_each(f"SELECT enterprise, {sums} FROM whole GROUP BY enterprise", ["enterprise"], parts)
        return (
            "SELECT left(r.region, 2) || '0000' AS area, w.column_, left(w.n::VARCHAR, 1)::INTEGER AS digit, count(*) AS n "
            f"FROM ({cells}) AS w JOIN firm AS r ON r.number = w.enterprise WHERE w.n > 0 GROUP BY 1, 2, 3"
        )

    def finish(self, rate: float) -> None:
        """Alarms of enterprises into `alarm`; of groups into `group_alarm` (area, column_, n, mad, chance)."""
        self._rounded(self.tested, rate)
        self._last_digits(self.tested, rate)
        self._first_digits(rate)
        for table in ("digit", "first_digit"):
            self.con.execute(f"DROP TABLE {table}")

    def _rounded(self, tests: int, rate: float) -> None:
        """Two trailing zeros come by chance in one value of a hundred."""
        rows = self.con.execute(f"SELECT enterprise, cells, rounded FROM digit WHERE {_ROUNDED}").fetchall()
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
            f"SELECT enterprise, cells, chi, favoured, share FROM digit WHERE {_FAVOURS} AND NOT EXISTS "
            "(SELECT 1 FROM alarm AS a WHERE a.rule = 'rounded' AND a.enterprise = digit.enterprise)"
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


def _scales(backend: Backend, seen: View, months: list[int]) -> dict[str, float]:
    """Column → what turns a kept value into the whole number that was written, for columns whose digits can tell anything.

    The decimals are the fewest that `_USUAL` of the values need, looked up in a sample: a tenth of the values of an honest column end
    in a zero, more are the habit of many to write fewer decimals, and a few who write many change nothing. A column that mostly repeats itself (a head
    count) or hardly has four digits is left out."""
    values = seen.region.columns
    there = ", ".join(
        f"CASE WHEN {identifier(value.name)} > 0 THEN {identifier(value.name)} END AS x{i}" for i, value in enumerate(values)
    )  # fmt: skip
    before = ", ".join(
        f"lag(x{i}) OVER (PARTITION BY enterprise ORDER BY month) AS y{i}" for i in range(len(values))
    )
    told = ", ".join(_decimals(f"x{i}", f"y{i}", number(value.factor)) for i, value in enumerate(values))
    sample = (
        f"SELECT enterprise, month, {there} FROM ({seen.facts_sql(months[-2:], f'enterprise <= {_SAMPLE}')})"
    )
    [row] = backend.rows(f"SELECT {told} FROM (SELECT *, {before} FROM ({sample}))")
    found: dict[str, float] = {}
    for i, value in enumerate(values):
        *shares, repeats = row[i * _TELLS : (i + 1) * _TELLS]
        places = next(
            (index for index, share in enumerate(shares) if share is not None and share >= _USUAL), None
        )
        if places is not None and (repeats is None or repeats < 0.05):
            found[value.name] = 10.0**places / value.factor
    return found


_PLACES = range(5)
_TELLS = len(_PLACES) + 1


def _decimals(kept: str, before: str, factor: str) -> str:
    """Shares of values that were written with at most 0, 1 … decimals, and of those that repeat the month before."""
    written = f"({kept} / {factor})"
    ends = [
        f"avg((abs({written} - round({written}, {places})) < 1e-9 * greatest(1e0, {written}))::INTEGER)"
        for places in _PLACES
    ]
    return ", ".join([*ends, f"avg(({kept} = {before})::INTEGER)"])
