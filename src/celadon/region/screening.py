"""Rules that find reports which cannot be right, or are worth a question, each with its evidence.

Every rule is one query over the enterprises' months, in words that all engines share; what it finds goes into the table `alarm`
of the embedded engine, and nothing else leaves the database. The embedded engine looks at enterprises in chunks, so that memory does
not grow with their number; another one shares them out among its workers by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from celadon.core.dataclass import dataclass
from celadon.engine.backends import Backend, Embedded
from celadon.engine.pieces import number
from celadon.region.bands import make_bands, published_bands
from celadon.region.digit_rules import DigitRules
from celadon.region.model import Screening, ValueColumn, column_name
from celadon.region.tables_in import a_row_each, identifier, literal
from celadon.region.view import View

CHUNK = 20_000
_SLIP = 0.3
"""How near the logarithm of a ratio must be to one of a power of ten, e-folds: a factor of 1.35."""
_FLOOR = 0.05
"""Least spread of an own usual level, e-folds: months of a steady plant differ by some per cent."""
_SIGMAS = 6.0
_MONTHS = 6
"""Fewest months that make a usual level."""
_TOLD = 4
"""Fewest values that say how active a month was, or that make two reports copies of each other."""
BOUGHT = column_name("energy_purchased", "electricity")
MADE = column_name("energy_generated", "electricity")
SOLD = column_name("energy_exported", "electricity")
USED = column_name("energy_consumed", "electricity", "combustion")
VALUE, OUTPUT = "output_value", column_name("product_output", "=")
BILLED, METERED = "electricity_billed", "electricity_metered"
_ALARM = (
    "rule VARCHAR, enterprise INTEGER, column_ VARCHAR, months INTEGER[], factor DOUBLE, value DOUBLE, expected DOUBLE, "
    "low DOUBLE, high DOUBLE, score DOUBLE, basis VARCHAR"
)
_NO_NEED = "SELECT NULL::INTEGER AS enterprise, NULL::VARCHAR AS industry, NULL::VARCHAR AS product, NULL::DOUBLE AS ratio WHERE false"
_OWN = "NULL::DOUBLE AS low, NULL::DOUBLE AS high, 'own' AS basis"


@dataclass(frozen=True, slots=True)
class Alarms:
    """What is in the tables `alarm` and `group_alarm` when screening is done."""

    enterprises: int
    months: int


def screen(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    months: list[int],
    on: Backend | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Alarms:
    """Screen the reports of `months` (earlier ones serve as history) into the tables `alarm` and `group_alarm` of `con`.

    `on`: the engine that goes through the reports (None = the embedded one)."""
    settings = seen.region.screening
    backend = on if on is not None else Embedded(con)
    first, last = months[0], months[-1]
    history = [month for month in seen.months() if first - 24 <= month <= last]
    names = {value.name: value for value in seen.region.columns}
    con.execute(f"CREATE OR REPLACE TEMP TABLE alarm ({_ALARM})")
    backend.keep("firm", f"SELECT number, industry, product, region FROM ({seen.registry()})")
    [(count, top)] = backend.rows("SELECT count(*), coalesce(max(number), 0) FROM firm")
    if progress is not None:
        progress(0.0, "bands")
    _feasible(con, seen, months, names, backend)
    digits = DigitRules(con, seen, months, backend)
    starts = range(1, top + 1, CHUNK)
    chunks = [f"enterprise BETWEEN {start} AND {start + CHUNK - 1}" for start in starts]
    for done, chunk in enumerate(chunks if on is None else [""]):
        if progress is not None and on is None:
            progress(done / len(chunks), "screen")
        backend.keep(
            "wide",
            "SELECT *, (year(month) * 12 + month(month) - 1)::INTEGER AS m "
            f"FROM ({seen.facts_sql(history, chunk)})",
        )
        _Rules(con, backend, names, settings, first).run()
        digits.count(first)
    digits.finish(settings.false_discovery)
    _settle(con)
    for table in ("wide", "size", "usual", "level", "far", "form", "need", "firm"):
        backend.drop(table)
    con.execute("DROP TABLE band")
    return Alarms(count, len(months))


def _feasible(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    months: list[int],
    names: dict[str, ValueColumn],
    backend: Backend,
) -> None:
    """`need`: kWh per product unit, or per 10^4 CNY where there is no product, over the whole of the months; `band` from it."""
    last = f"DATE '{months[-1] // 12}-{months[-1] % 12 + 1:02}-01'"
    [(day,)] = con.execute(f"SELECT {last}").fetchall()
    needs = []
    for product, over in (("coalesce(r.product, '')", OUTPUT), ("''", VALUE)):
        if USED in names and over in names:
            keep = "r.product IS NOT NULL AND" if over == OUTPUT else ""
            needs.append(
                f"SELECT f.enterprise, any_value(r.industry) AS industry, any_value({product}) AS product, "
                f"sum(f.used) * 1000 / sum(f.made) AS ratio FROM (SELECT enterprise, {identifier(USED)} AS used, "
                f"{identifier(over)} AS made FROM ({seen.facts_sql(months, needed=[USED, over])})) AS f "
                f"JOIN firm AS r ON r.number = f.enterprise WHERE {keep} f.used > 0 AND f.made > 0 GROUP BY f.enterprise"
            )
    backend.keep("need", " UNION ALL ".join(needs) or _NO_NEED)
    make_bands(con, backend, published_bands(seen.region, day), seen.region.screening.band)


class _Rules:
    """The rules over the enterprises in the table `wide`: enterprise, month, m (month number) and the facts."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        backend: Backend,
        names: dict[str, ValueColumn],
        settings: Screening,
        first: int,
    ) -> None:
        self.con, self.backend, self.names, self.settings, self.first = con, backend, names, settings, first
        self._least = f"ln({number(1 + settings.jump)})"

    def run(self) -> None:
        if len(self.names) >= _TOLD:
            self._usual()
            self._slips_and_jumps()
        self._copies()
        self._differences()
        self._needs()
        self._own_needs()

    def has(self, *columns: str) -> bool:
        return all(name in self.names for name in columns)

    def add(self, select: str, fewest: int = 1) -> None:
        """Months of one rule, enterprise and column, if there are at least `fewest`, become one alarm.

        `select` gives rule, enterprise, column_, m, factor (reported over expected), value, expected, low, high, basis; what is told of
        them is of the month that lies farthest off, the first of equal ones whichever engine works out the logarithms."""
        farthest = "{'off': round(abs(ln(factor)), 9), 'early': -m} AS farthest"
        self.backend.append(
            self.con,
            "alarm",
            "SELECT rule, enterprise, column_, list_sort(list(m)), arg_max(factor, farthest), arg_max(value, farthest), "
            "arg_max(expected, farthest), any_value(low), any_value(high), max(abs(ln(factor))) * sqrt(count(*)), any_value(basis) "
            f"FROM (SELECT *, {farthest} FROM ({select}) WHERE m >= {self.first} AND factor > 0) "
            f"GROUP BY rule, enterprise, column_ HAVING count(*) >= {fewest}",
        )

    def _usual(self) -> None:
        """`usual`: of each enterprise the quartiles `q<i>` of each value's logarithm, and its `middle<i>`; `level`: how far `a<i>`
        a month is from that, of months whose columns lie so far apart that one may be far from the median of all. A column per
        fact: a row per value would cost three times as much."""
        listed = list(enumerate(self.names))
        logs = ", ".join(
            f"CASE WHEN {identifier(name)} > 0 THEN ln({identifier(name)}) END AS x{i}" for i, name in listed
        )
        self.backend.keep("size", f"SELECT enterprise, m, {logs} FROM wide")
        quartiles = ", ".join(
            f"CASE WHEN count(x{i}) >= {_MONTHS} THEN quantile_cont(x{i}, [0.25, 0.5, 0.75]) END AS q{i}"
            for i, _ in listed
        )
        middles = ", ".join(f"q{i}[2] AS middle{i}" for i, _ in listed)
        self.backend.keep(
            "usual",
            f"SELECT *, {middles} FROM (SELECT enterprise, {quartiles} FROM size GROUP BY enterprise)",
        )
        away = ", ".join(f"x{i} - middle{i} AS a{i}" for i, _ in listed)
        every = ", ".join(f"a{i}" for i, _ in listed)
        apart = f"greatest({every}) - least({every}) > {self._least}"
        self.backend.keep(
            "level",
            f"SELECT *, list_median([{every}]) AS activity FROM (SELECT enterprise, m, {away} "
            f"FROM size JOIN usual USING (enterprise) WHERE m >= {self.first}) WHERE {apart} AND list_count([{every}]) >= {_TOLD}",
        )

    def _slips_and_jumps(self) -> None:
        """One value far from the own usual level while the enterprise's other values are not.

        Near a power of ten it is a unit or a decimal point; else a jump. How active a month was is the median over all columns."""
        listed = list(enumerate(self.names))
        farthest = ", ".join(f"abs(a{i} - activity)" for i, _ in listed)
        spreads = ", ".join(
            f"greatest((q{i}[3] - q{i}[1]) / 1.349e0, {number(_FLOOR)}) AS spread{i}" for i, _ in listed
        )
        # a table of its own: joined and spread out in one pipeline, the embedded engine 2.0 now and then mixes up its dictionaries
        self.backend.keep(
            "far",
            f"SELECT *, {spreads} FROM (SELECT * FROM level WHERE greatest({farthest}) > {self._least}) "
            "JOIN usual USING (enterprise) JOIN wide USING (enterprise, m)",
        )
        parts = {
            "column_": [literal(name) for name in self.names],
            "value": [identifier(name) for name in self.names],
            **{name: [f"{name}{i}" for i, _ in listed] for name in ("a", "middle", "spread")},
        }
        far = (
            f"SELECT *, a - activity AS excess FROM ({a_row_each('SELECT * FROM far', ['enterprise', 'm', 'activity'], parts)}) "
            f"WHERE abs(a - activity) > {self._least}"
        )
        slip = f"tens <> 0 AND abs(excess - tens * ln(10e0)) < {number(_SLIP)}"
        self.add(
            f"SELECT CASE WHEN {slip} THEN 'unit' ELSE 'jump' END AS rule, enterprise, column_, m, exp(excess) AS factor, value, "
            f"exp(middle + activity) AS expected, {_OWN} FROM (SELECT *, round(excess / ln(10e0)) AS tens FROM ({far})) "
            f"WHERE abs(excess) > {number(_SIGMAS)} * spread"
        )

    def _copies(self) -> None:
        """A whole report that says exactly what the month before, or the same month a year before, said."""
        own = [identifier(name) for name in self.names if name not in (BILLED, METERED)]
        if len(own) < _TOLD:
            return
        told = " + ".join(f"coalesce(({name} > 0)::INTEGER, 0)" for name in own)
        self.backend.keep("form", f"SELECT enterprise, m, {', '.join(own)} FROM wide WHERE {told} >= {_TOLD}")
        same = " AND ".join(f"b.{name} IS NOT DISTINCT FROM a.{name}" for name in own)
        for rule, apart in (("copy-month", 1), ("copy-year", 12)):
            self.add(
                f"SELECT '{rule}' AS rule, a.enterprise, '' AS column_, a.m, 2.718281828459045e0 AS factor, NULL::DOUBLE AS value, "
                f"NULL::DOUBLE AS expected, {_OWN} FROM form AS a JOIN form AS b "
                f"ON b.enterprise = a.enterprise AND b.m = a.m - {apart} AND {same}"
            )

    def _differences(self) -> None:
        """The same electricity told twice: reported, billed, metered; and bought + made − sold against used."""
        pairs = [("bill", BOUGHT, BILLED), ("meter", BOUGHT, METERED), ("bill-meter", BILLED, METERED)]
        for rule, told, other in pairs:
            if self.has(told, other):
                self._against(rule, told, identifier(told), identifier(other))
        if self.has(BOUGHT, USED):
            more = (
                f"{identifier(BOUGHT)} + coalesce({identifier(MADE)}, 0)"
                if self.has(MADE)
                else identifier(BOUGHT)
            )
            less = f" - coalesce({identifier(SOLD)}, 0)" if self.has(SOLD) else ""
            self._against("balance", USED, identifier(USED), f"({more}{less})")

    def _against(self, rule: str, column: str, told: str, other: str) -> None:
        allowed = f"ln({number(1 + self.settings.cross_check)})"
        self.add(
            f"SELECT '{rule}' AS rule, enterprise, {literal(column)} AS column_, m, told / other AS factor, told AS value, "
            "other AS expected, NULL::DOUBLE AS low, NULL::DOUBLE AS high, 'other' AS basis FROM "
            f"(SELECT enterprise, m, {told} AS told, {other} AS other FROM wide) WHERE told > 0 AND other > 0 "
            f"AND abs(ln(told / other)) > {allowed}"
        )

    def _needs(self) -> None:
        """Electricity per product (else per value) outside what is feasible in two months or more."""
        if not self.has(USED):
            return
        parts = []
        if self.has(OUTPUT):
            parts.append(
                (OUTPUT, "b.product = r.product AND (b.industry IS NULL OR b.industry = r.industry)")
            )
        if self.has(VALUE):
            parts.append((VALUE, "b.product = '' AND b.industry = r.industry"))
        for over, join in parts:
            need = (
                f"SELECT w.enterprise, w.m, {identifier(USED)} * 1000 / {identifier(over)} AS need, b.low, b.high, b.basis "
                f"FROM wide AS w JOIN firm AS r ON r.number = w.enterprise JOIN band AS b ON {join} "
                f"WHERE {identifier(over)} > 0 AND {identifier(USED)} > 0"
            )
            self.add(
                f"SELECT 'band' AS rule, enterprise, {literal(over)} AS column_, m, CASE WHEN need > high THEN need / high "
                "ELSE need / low END AS factor, need AS value, NULL::DOUBLE AS expected, low, high, basis "
                f"FROM ({need}) WHERE need > high OR need < low",
                fewest=2,
            )

    def _own_needs(self) -> None:
        """Electricity per product against the enterprise's own of the months before the screened ones."""
        if not self.has(USED, OUTPUT):
            return
        need = (
            f"SELECT enterprise, m, ln({identifier(USED)} * 1000 / {identifier(OUTPUT)}) AS need FROM wide "
            f"WHERE {identifier(USED)} > 0 AND {identifier(OUTPUT)} > 0"
        )
        own = f"SELECT enterprise, median(need) AS middle FROM ({need}) WHERE m < {self.first} GROUP BY 1 HAVING count(*) >= 6"
        self.add(
            f"SELECT 'own-need' AS rule, enterprise, {literal(OUTPUT)} AS column_, m, exp(need - middle) AS factor, exp(need) AS value, "
            f"exp(middle) AS expected, {_OWN} FROM ({need}) AS n JOIN ({own}) AS o USING (enterprise) "
            f"WHERE m >= {self.first} AND abs(need - middle) > {self._least}",
            fewest=2,
        )


def _settle(con: duckdb.DuckDBPyConnection) -> None:
    """One cause, one alarm: what a slip, a copy or a bill explains is not told again by the rules that only see its shadow."""
    con.execute(
        "DELETE FROM alarm AS a WHERE a.rule IN ('bill', 'meter', 'balance', 'band', 'own-need', 'jump') AND EXISTS (SELECT 1 FROM alarm AS s "
        "WHERE s.rule = 'unit' AND s.enterprise = a.enterprise AND list_has_all(s.months, a.months))"
    )
    con.execute(
        "DELETE FROM alarm AS a WHERE a.rule IN ('bill', 'meter', 'jump', 'last-digit', 'rounded') AND EXISTS (SELECT 1 FROM alarm AS s "
        "WHERE s.rule IN ('copy-month', 'copy-year') AND s.enterprise = a.enterprise AND list_has_all(s.months, a.months))"
    )
    con.execute(
        "DELETE FROM alarm AS a WHERE a.rule IN ('meter', 'balance') AND EXISTS (SELECT 1 FROM alarm AS s WHERE s.rule = 'bill' "
        "AND s.enterprise = a.enterprise AND list_has_all(s.months, a.months))"
    )
