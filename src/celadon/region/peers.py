"""Peer benchmarks: what an industry needs per value or product, in totals and percentiles that show no single enterprise.

Totals are suppressed by the rules of `suppression`, over every total that could be asked for (class, group, division, area,
all), so that no difference of published numbers shows one. A percentile is told only where enough enterprises lie on each
side of it.
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
from celadon.region.account import RegionQuestion, answer, due_months, titles
from celadon.region.model import BY_PRODUCT, Disclosure, column_name
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
    """Total over total."""
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
        shown = (item.group for item in self.groups if not item.suppressed)
        return Publication.of(self.quantity, self.over, self.book.id, self.period, self.by, shown)

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
) -> Peers:
    """Benchmarks of `quantity` (None = the rulebook's first total) per `over` within groups of enterprises.

    `on`: the engine that computes the quantity of every enterprise (None = the embedded one); what is told of groups, and what
    must not be, is the embedded one's. What follows together with earlier publications of the same numbers (in `register`; None = the view's) is left out too.

    Raises:
        FindingError: unknown quantity or denominator, no reports of the period, an enterprise without the ratio,
            `peers.would-reveal`, `peers.periods-overlap`.
    """
    wanted = quantity or book.totals[0]
    by = by or ("industry",)
    earlier = published(con, register or seen.snapshot, wanted, over, book.id, period)
    every = _finest([*by, *(word for one in earlier for word in one.by)])
    said, units = _firms(con, seen, book, wanted, over, every, period, on)
    hidden = _hidden(con, every, seen.region.disclosure)
    _refuse(earlier, every, hidden, by, period)
    groups = tuple(_groups(con, seen, by, every, hidden))
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
    over: str,
    by: tuple[str, ...],
    period: Period,
    on: Backend | None,
) -> tuple[list[Finding], dict[str, str]]:
    """`peer`: id, the group columns, amount (of the quantity), per (the denominator) and ratio, a row per enterprise."""
    known = {value.quantity: value for value in seen.region.columns if value.item in ("", BY_PRODUCT)}
    if over not in known:
        hint = did_you_mean(over, list(known))
        raise FindingError(OVER_UNKNOWN.at(Place(subject=over), word=over, hint=hint, known=", ".join(known)))
    question = RegionQuestion(period, ("enterprise",), None, (wanted,))
    result, said = answer(con, seen, book, question, "peer_answers", shares=False, on=on)
    output = next(item for item in result.columns if item.quantity == wanted and not item.item)
    months, _ = due_months(seen, period)
    value = known[over]
    per_name = column_name(value.quantity, value.item, value.purpose)
    column, facts = identifier(per_name), seen.facts_sql(months, needed=[per_name])
    listed = ", ".join(f"r.{identifier(name)}" for name in _chain_columns(by))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE peer AS SELECT r.id, {listed}, a.{output.value} AS amount, d.per, "
        f"CASE WHEN d.per > 0 THEN a.{output.value} / d.per END AS ratio FROM {REGISTRY} AS r "
        "JOIN peer_answers AS a ON a.enterprise = r.enterprise "
        f"LEFT JOIN (SELECT enterprise, sum({column}) AS per FROM ({facts}) GROUP BY enterprise) AS d "
        f"ON d.enterprise = r.enterprise WHERE a.{output.value} IS NOT NULL"
    )
    con.execute("DROP TABLE peer_answers")
    per = "product" if value.item == BY_PRODUCT else value.kept_unit
    return said, {"total": output.unit, "over": per, "ratio": f"{output.unit}/{per}"}


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


def _hidden(con: duckdb.DuckDBPyConnection, by: Sequence[str], rule: Disclosure) -> Suppressed:
    """What is suppressed because of the quantity or because of the denominator: both are published."""
    found = Suppressed()
    for column in ("amount", "per"):
        cells, relations = _cells(con, by, rule.largest, column)
        one = suppress(cells, relations, rule)
        found = Suppressed(found.primary | one.primary, found.secondary | one.secondary)
    found.secondary -= found.primary
    return found


def _cells(
    con: duckdb.DuckDBPyConnection, by: Sequence[str], largest: int, column: str
) -> tuple[dict[_Key, Cell], list[Relation]]:
    """Every cell at every coarseness, and how each total is the sum of the next finer ones, in each dimension."""
    chains = _chains(by)
    cells: dict[_Key, Cell] = {}
    above: dict[_Key, dict[int, _Key]] = {}
    for levels in pairs(*(range(len(chain) + 1) for chain in chains)):
        columns = []
        for chain, level in zip(chains, levels, strict=True):
            code = [f"coalesce({GROUPS[word]}, '')" for word in chain[level : level + 1]] or ["'*'"]
            parent = [f"coalesce({GROUPS[word]}, '')" for word in chain[level + 1 : level + 2]] or ["'*'"]
            columns += [code[0], parent[0]]
        listed = ", ".join(columns)
        rows = con.execute(
            f"SELECT {listed}, count(*), coalesce(sum({column}), 0), coalesce(max(abs({column}), {int(largest)}), []) FROM peer GROUP BY ALL"
        ).fetchall()
        for row in rows:
            codes, parents = row[0 : 2 * len(by) : 2], row[1 : 2 * len(by) : 2]
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


def _key(every: Sequence[str], by: Sequence[str], group: Sequence[str]) -> _Key:
    """The cell, among all crossings of `every`, that a group of the coarser or fewer words `by` is."""
    levels, codes = [], []
    for chain in _chains(every):
        level = min((chain.index(word) for word in by if word in chain), default=len(chain))
        levels.append(level)
        codes.append(group[list(by).index(chain[level])] if level < len(chain) else "*")
    return tuple(levels), tuple(codes)


def _refuse(
    earlier: Sequence[Publication],
    every: Sequence[str],
    hidden: Suppressed,
    by: Sequence[str],
    period: Period,
) -> None:
    """FindingError `peers.would-reveal` where something that is out would have to be hidden beside the new groups."""
    out = {_key(every, one.by, group) for one in earlier for group in one.groups}
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
    con: duckdb.DuckDBPyConnection, seen: View, by: Sequence[str], every: Sequence[str], hidden: Suppressed
) -> Iterator[PeerGroup]:
    listed = ", ".join(f"coalesce({GROUPS[word]}, '')" for word in by)
    shares = ", ".join(str(share) for share in SHARES)
    rows = con.execute(
        f"SELECT {listed}, count(*), sum(amount), sum(per), sum(amount) FILTER (per > 0) / nullif(sum(per) FILTER (per > 0), 0), "
        f"count(ratio), quantile_cont(ratio, [{shares}]) FROM peer GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    named, rule = titles({}), seen.region.disclosure
    for row in rows:
        group = tuple(str(code) for code in row[: len(by)])
        names = tuple(named(word, code) for word, code in zip(by, group, strict=True))
        count, total, over, mean, ratios, quantiles = row[len(by) :]
        key = _key(every, by, group)
        reason = "primary" if key in hidden.primary else "secondary" if key in hidden.secondary else ""
        if reason:
            yield PeerGroup(group, names, reason, None, None, None, None, dict.fromkeys(SHARES))
            continue
        told = {
            share: value if beyond(ratios, share, rule) else None
            for share, value in zip(SHARES, quantiles or [None] * len(SHARES), strict=True)
        }
        yield PeerGroup(group, names, "", count, total, over, mean, told)


def _standing(
    con: duckdb.DuckDBPyConnection,
    by: Sequence[str],
    enterprise: str,
    quantity: str,
    over: str,
    period: Period,
) -> Standing:
    listed = ", ".join(GROUPS[word] for word in by)
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
    return Standing(enterprise, tuple(str(code) for code in found[4:]), found[1], found[2], found[3])
