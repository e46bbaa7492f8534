"""Peer benchmarks: what an industry needs per value or product, in totals and percentiles that show no single enterprise.

Totals are suppressed by the rules of `suppression`, over every total that could be asked for (class, group, division, area,
all), so that no difference of published numbers shows one. A mean is of the enterprises that have the denominator, so with the
totals it tells what the others sum to: who has it is one more dimension of the cells. A percentile is told only where enough
enterprises lie on each side of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product as pairs
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.core.units import did_you_mean
from celadon.engine.backends import Backend
from celadon.plant.keeping import unique
from celadon.region.account import RegionQuestion, amounts, answer, due_months, titles, total_of
from celadon.region.model import BY_PRODUCT, Disclosure, ValueColumn
from celadon.region.published import WOULD_REVEAL, Publication, published
from celadon.region.suppression import Cell, Relation, Suppressed, beyond, suppress
from celadon.region.tables import GROUPS, REGISTRY
from celadon.region.tables_in import identifier
from celadon.region.view import View
from celadon.rules.rulebook import Rulebook
from celadon.store import Snapshot

SHARES = (0.10, 0.25, 0.50, 0.75, 0.90)
OVER_UNKNOWN = FindingKind(
    "peers.over-unknown",
    Severity.ERROR,
    Text("Nothing to divide by", "没有该分母"),
    Text(
        "“{word}” is no reported fact to divide by{hint}; there are: {known}.",
        "“{word}”不是可作分母的填报项{hint}；可用：{known}。",
    ),
    Text(
        "Name a reported amount: output_value, product_output …",
        "请写一个填报量：output_value、product_output 等。",
    ),
)
ENTERPRISE_ABSENT = FindingKind(
    "peers.enterprise-absent",
    Severity.ERROR,
    Text("Enterprise without a benchmark", "该企业无法对标"),
    Text(
        "{enterprise} is not in the registry, or has no {quantity} per {over} in {period}.",
        "{enterprise} 不在名录中，或 {period} 没有单位 {over} 的 {quantity}。",
    ),
    Text("Check the id and its reports.", "请核对编号及其报表。"),
)
SUPPRESSED = FindingKind(
    "peers.suppressed",
    Severity.NOTICE,
    Text("Groups not published", "部分分组不予公布"),
    Text(
        "{primary} groups are of fewer than {minimum} enterprises or dominated (the largest {largest} hold {share} or more); "
        "{secondary} more are left out so that subtraction shows none of them.",
        "{primary} 个分组不足 {minimum} 家企业或由前 {largest} 家主导（占比达 {share}）；为防止相减推算，另有 {secondary} 个不予公布。",
    ),
    Text(
        "Ask for coarser groups: industry_group, division, province.",
        "请按更粗的分组查询：industry_group、division、province。",
    ),
    Text(
        "Hundepool and others, Statistical Disclosure Control (2012), chapter 4",
        "Hundepool 等，Statistical Disclosure Control（2012），第 4 章",
    ),
)
PRODUCTS_MIXED = FindingKind(
    "peers.products-mixed",
    Severity.WARNING,
    Text("Groups of several products", "分组含多种产品"),
    Text(
        "{count} groups hold enterprises of several products: amounts of different products do not add up, so nothing per {over} is "
        "told of them.",
        "{count} 个分组含有不同产品的企业：不同产品的产量不能相加，故不给出其单位 {over} 的数值。",
    ),
    Text("Group by product too: --by industry,product.", "请同时按产品分组：--by industry,product。"),
)
_CHAINS = (("industry", "industry_group", "division"), ("region", "prefecture", "province"))


@dataclass(frozen=True, slots=True)
class PeerGroup:
    """One group. `suppressed`: '' published, `primary` or `secondary`; then every number is None. Percentiles by share."""

    group: tuple[str, ...]
    names: tuple[Text, ...]
    suppressed: str
    enterprises: int | None
    total: float | None
    over: float | None
    mean: float | None
    """Total over total of the enterprises that have both; None also where it would show what one of the others is."""
    percentiles: Mapping[float, float | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one enterprise stands among its peers; rank 1 needs least."""

    enterprise: str
    group: tuple[str, ...]
    ratio: float
    rank: int
    peers: int


@dataclass(frozen=True)
class Peers:
    """The benchmarks of a period."""

    period: Period
    book: Rulebook
    quantity: str
    over: str
    by: tuple[str, ...]
    units: Mapping[str, str]
    groups: tuple[PeerGroup, ...]
    standing: Standing | None
    findings: tuple[Finding, ...]

    def publication(self) -> Publication:
        """What the register keeps of it."""
        shown = tuple(item.group for item in self.groups if not item.suppressed)
        means = tuple(item.group for item in self.groups if item.mean is not None)
        return Publication.of(self.quantity, self.over, self.book.id, self.period, self.by, shown, means)

    def to_json(self) -> dict[str, Any]:
        """Shape `region-peers/1` without its findings."""
        standing = self.standing
        return {
            "period": self.period.label, "rulebook": self.book.id, "digest": self.book.digest, "quantity": self.quantity,
            "over": self.over, "by": list(self.by), "units": dict(self.units),
            "standing": None if standing is None else {
                "enterprise": standing.enterprise, "group": list(standing.group), "ratio": standing.ratio,
                "rank": standing.rank, "peers": standing.peers,
            },
            "groups": [
                {
                    "group": dict(zip(self.by, item.group, strict=True)),
                    "names": [{"zh": name.zh, "en": name.en} for name in item.names], "suppressed": item.suppressed,
                    "enterprises": item.enterprises, "total": item.total, "over": item.over, "mean": item.mean,
                    "percentiles": {f"p{share * 100:.0f}": value for share, value in item.percentiles.items()},
                }
                for item in self.groups
            ],
        }  # fmt: skip


def peers(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    quantity: str | None,
    over: str,
    by: tuple[str, ...],
    period: Period,
    enterprise: str | None = None,
    register: Snapshot | None = None,
    on: Backend | None = None,
    beside: Sequence[str] = (),
) -> Peers:
    """Benchmarks of `quantity` (None = the rulebook's first total) per `over` within groups of enterprises.

    `on`: the engine that computes the quantity of every enterprise (None = the embedded one); what is told of groups, and what
    must not be, is the embedded one's. What follows together with earlier publications of the same numbers (in `register`; None = the
    view's), or with groups by the words `beside`, which are shown together with these, is left out too.

    Raises:
        FindingError: unknown quantity or denominator, no reports of the period, an enterprise without the ratio,
            `peers.would-reveal`, `peers.periods-overlap`.
    """
    wanted = quantity or book.totals[0]
    by = by or ("industry",)
    earlier = published(con, register or seen.snapshot, wanted, over, book.id, period)
    others = (one.over for one in earlier if one.quantity == wanted and one.over in _denominators(seen))
    overs = tuple(dict.fromkeys([over, *others]))
    words = _finest([*by, *beside, *(word for one in earlier for word in one.by)])
    said, units = _firms(con, seen, book, wanted, overs, words, period, on)
    table = _Lattice(_chains(words), _splits(con, overs))
    hidden = _hidden(con, table, seen.region.disclosure)
    _refuse(earlier, table, hidden, by, period)
    groups = tuple(_groups(con, seen, by, over, table, hidden))
    [(mixed,)] = con.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM peer WHERE per > 0 GROUP BY {_listed(by)} HAVING count(DISTINCT one_product) > 1)"
    ).fetchall()
    if mixed:
        said.append(PRODUCTS_MIXED.at(Place(period=period.label), count=mixed, over=over))
    standing = _standing(con, by, enterprise, wanted, over, period) if enterprise else None
    rule = seen.region.disclosure
    told = [sum(item.suppressed == word for item in groups) for word in ("primary", "secondary")]
    if any(told):
        said.append(
            SUPPRESSED.at(
                Place(period=period.label), primary=told[0], secondary=told[1], minimum=rule.minimum, largest=rule.largest,
                share=f"{rule.share:.0%}",
            )
        )  # fmt: skip
    con.execute("DROP TABLE peer")
    return Peers(
        period,
        book,
        wanted,
        over,
        by,
        units,
        groups,
        standing,
        tuple(unique([*seen.findings, *said, *book.findings])),
    )


def _firms(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    wanted: str,
    overs: tuple[str, ...],
    by: tuple[str, ...],
    period: Period,
    on: Backend | None,
) -> tuple[list[Finding], dict[str, str]]:
    """`peer`: id, the group columns, amount (of the quantity), per (the first denominator), ratio and whether it has each
    denominator (`has_0` …: with, without), a row per enterprise."""
    over, known = overs[0], _denominators(seen)
    if over not in known:
        hint = did_you_mean(over, list(known))
        raise FindingError(OVER_UNKNOWN.at(Place(subject=over), word=over, hint=hint, known=", ".join(known)))
    question = RegionQuestion(period, ("enterprise",), None, (wanted,))
    result, said = answer(con, seen, book, question, "peer_answers", shares=False, on=on)
    output = total_of(result, book, wanted, period)
    months, _ = due_months(seen, period)
    value = known[over]
    names = [known[word].name for word in overs]
    amounts(con, seen.facts_sql(months, needed=names), names, "denominators", on)
    has = "".join(
        f", CASE WHEN d.amount_{place} > 0 THEN 'with' ELSE 'without' END AS has_{place}"
        for place in range(len(names))
    )
    listed = ", ".join(f"r.{identifier(name)}" for name in _chain_columns(by))
    # amounts of one product add up, those of several do not
    product = "coalesce(r.product, '')" if value.item == BY_PRODUCT else "''"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE peer AS SELECT r.id, {listed}, {product} AS one_product, a.{output.value} AS amount, d.amount_0 AS per, "
        f"CASE WHEN d.amount_0 > 0 THEN a.{output.value} / d.amount_0 END AS ratio{has} FROM {REGISTRY} AS r "
        "JOIN peer_answers AS a ON a.enterprise = r.enterprise "
        "LEFT JOIN denominators AS d ON d.enterprise = r.enterprise "
        f"WHERE a.{output.value} IS NOT NULL"
    )
    for table in ("peer_answers", "denominators"):
        con.execute(f"DROP TABLE {table}")
    per = "product" if value.item == BY_PRODUCT else value.kept_unit
    return said, {"total": output.unit, "over": per, "ratio": f"{output.unit}/{per}"}


def _denominators(seen: View) -> dict[str, ValueColumn]:
    """The reported facts that a quantity can be divided by."""
    return {value.quantity: value for value in seen.region.columns if value.item in ("", BY_PRODUCT)}


def _chains(by: Sequence[str]) -> list[tuple[str, ...]]:
    """For each word, itself and the coarser words above it."""
    found = []
    for word in by:
        chain = next((chain[chain.index(word) :] for chain in _CHAINS if word in chain), (word,))
        found.append(chain)
    return found


def _chain_columns(by: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(GROUPS[word] for chain in _chains(by) for word in chain))


_Key = tuple[tuple[int, ...], tuple[str, ...]]
"""How coarse each dimension is (its place in its chain; the chain's length = all), and its codes."""


@dataclass(frozen=True, slots=True)
class _Lattice:
    """The dimensions of the cells: the chains of the group words, then whether a denominator is there (`splits`: over → column)."""

    words: list[tuple[str, ...]]
    splits: Mapping[str, str]

    @property
    def chains(self) -> list[tuple[str, ...]]:
        """The columns of every dimension, finest first."""
        return [
            *(tuple(GROUPS[word] for word in chain) for chain in self.words),
            *((name,) for name in self.splits.values()),
        ]

    def key(self, by: Sequence[str], group: Sequence[str], over: str = "") -> _Key:
        """The cell that a group of the coarser or fewer words `by` is; with `over`, of those only that have it."""
        levels, codes = [], []
        for chain in self.words:
            level = min((chain.index(word) for word in by if word in chain), default=len(chain))
            levels.append(level)
            codes.append(group[list(by).index(chain[level])] if level < len(chain) else "*")
        for split in self.splits:
            levels.append(0 if split == over else 1)
            codes.append("with" if split == over else "*")
        return tuple(levels), tuple(codes)


def _splits(con: duckdb.DuckDBPyConnection, overs: Sequence[str]) -> dict[str, str]:
    """The denominators that some enterprises have and others have not."""
    columns = {over: f"has_{place}" for place, over in enumerate(overs)}
    counts = ", ".join(f"count(DISTINCT {column})" for column in columns.values())
    found = con.execute(f"SELECT {counts} FROM peer").fetchall()[0]
    return {over: column for (over, column), count in zip(columns.items(), found, strict=True) if count > 1}


def _hidden(con: duckdb.DuckDBPyConnection, table: _Lattice, rule: Disclosure) -> Suppressed:
    """What is suppressed because of the quantity or because of the denominator: both are published."""
    found = Suppressed()
    for column in ("amount", "per"):
        cells, relations = _cells(con, table.chains, rule.largest, column)
        one = suppress(cells, relations, rule)
        found = Suppressed(found.primary | one.primary, found.secondary | one.secondary)
    found.secondary -= found.primary
    return found


def _cells(
    con: duckdb.DuckDBPyConnection, chains: Sequence[tuple[str, ...]], largest: int, column: str
) -> tuple[dict[_Key, Cell], list[Relation]]:
    """Every cell at every coarseness, and how each total is the sum of the next finer ones, in each dimension."""
    cells: dict[_Key, Cell] = {}
    above: dict[_Key, dict[int, _Key]] = {}
    for levels in pairs(*(range(len(chain) + 1) for chain in chains)):
        columns = []
        for chain, level in zip(chains, levels, strict=True):
            code = [f"coalesce({name}, '')" for name in chain[level : level + 1]] or ["'*'"]
            parent = [f"coalesce({name}, '')" for name in chain[level + 1 : level + 2]] or ["'*'"]
            columns += [code[0], parent[0]]
        listed = ", ".join(columns)
        rows = con.execute(
            f"SELECT {listed}, count(*), coalesce(sum({column}), 0), coalesce(max(abs({column}), {int(largest)}), []) FROM peer GROUP BY ALL"
        ).fetchall()
        for row in rows:
            codes, parents = row[0 : 2 * len(chains) : 2], row[1 : 2 * len(chains) : 2]
            key = (levels, tuple(codes))
            cells[key] = Cell(row[-3], row[-2], tuple(row[-1]))
            above[key] = {
                place: (
                    tuple(level + (number == place) for number, level in enumerate(levels)),
                    tuple(parents[place] if number == place else code for number, code in enumerate(codes)),
                )
                for place, chain in enumerate(chains)
                if levels[place] < len(chain)
            }
    parts: dict[tuple[int, _Key], list[_Key]] = {}
    for key, totals in above.items():
        for place, total in totals.items():
            parts.setdefault((place, total), []).append(key)
    return cells, [Relation(total, tuple(members)) for (_, total), members in parts.items()]


def _finest(words: Sequence[str]) -> tuple[str, ...]:
    """The words without those above another of them."""
    above = {word for chain in _chains(words) for word in chain[1:]}
    return tuple(word for word in dict.fromkeys(words) if word not in above)


def _refuse(
    earlier: Sequence[Publication],
    table: _Lattice,
    hidden: Suppressed,
    by: Sequence[str],
    period: Period,
) -> None:
    """FindingError `peers.would-reveal` where something that is out would have to be hidden beside the new groups."""
    out = {table.key(one.by, group) for one in earlier for group in one.groups}
    out |= {table.key(one.by, group, one.over) for one in earlier for group in one.means}
    if bad := out & hidden.all:
        known = "; ".join(dict.fromkeys(",".join(one.by) for one in earlier))
        raise FindingError(
            WOULD_REVEAL.at(
                Place(period=period.label),
                period=period.label,
                earlier=known,
                by=",".join(by),
                count=len(bad),
            )
        )


def _groups(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    by: Sequence[str],
    over: str,
    table: _Lattice,
    hidden: Suppressed,
) -> Iterator[PeerGroup]:
    shares = ", ".join(str(share) for share in SHARES)
    rows = con.execute(
        f"SELECT {_listed(by)}, count(*), sum(amount), sum(per), sum(amount) FILTER (per > 0) / nullif(sum(per) FILTER (per > 0), 0), "
        f"count(ratio), quantile_cont(ratio, [{shares}]), count(DISTINCT one_product) FILTER (per > 0) FROM peer GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    named, rule = titles({}), seen.region.disclosure
    for row in rows:
        group = tuple(str(code) for code in row[: len(by)])
        names = tuple(named(word, code) for word, code in zip(by, group, strict=True))
        count, total, per, mean, ratios, quantiles, products = row[len(by) :]
        key = table.key(by, group)
        reason = "primary" if key in hidden.primary else "secondary" if key in hidden.secondary else ""
        if reason:
            yield PeerGroup(group, names, reason, None, None, None, None, dict.fromkeys(SHARES))
            continue
        told = {
            share: value if beyond(ratios, share, rule) else None
            for share, value in zip(SHARES, quantiles or [None] * len(SHARES), strict=True)
        }
        if products > 1:
            yield PeerGroup(group, names, "", count, total, None, None, dict.fromkeys(SHARES))
            continue
        if table.key(by, group, over) in hidden.all:
            mean = None
        yield PeerGroup(group, names, "", count, total, per, mean, told)


def _listed(by: Sequence[str]) -> str:
    return ", ".join(f"coalesce({GROUPS[word]}, '')" for word in by)


def _standing(
    con: duckdb.DuckDBPyConnection,
    by: Sequence[str],
    enterprise: str,
    quantity: str,
    over: str,
    period: Period,
) -> Standing:
    listed = ", ".join([*(GROUPS[word] for word in by), "one_product"])
    found = con.execute(
        f"SELECT * FROM (SELECT id, ratio, rank() OVER w, count(*) OVER (PARTITION BY {listed}), {listed} FROM peer "
        f"WHERE ratio IS NOT NULL WINDOW w AS (PARTITION BY {listed} ORDER BY ratio)) WHERE id = ?",
        [enterprise],
    ).fetchone()
    if found is None:
        where = Place(subject=f"enterprise:{enterprise}", period=period.label)
        raise FindingError(
            ENTERPRISE_ABSENT.at(
                where, enterprise=enterprise, quantity=quantity, over=over, period=period.label
            )
        )
    return Standing(enterprise, tuple(str(code) for code in found[4:-1]), found[1], found[2], found[3])
