"""`account` of a region: any rulebook over every enterprise, rolled up by industry, area, product or size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.periods import Grain, Period
from celadon.core.text import Text
from celadon.core.units import did_you_mean
from celadon.engine.backends import Backend, Embedded
from celadon.engine.region import RegionResult, account_region
from celadon.engine.region_model import Output
from celadon.engine.request import Request
from celadon.plant.keeping import unique
from celadon.region.lists import area_of, industries
from celadon.region.tables import FACTS, GROUPS, REGISTRY, Prepared, prepare
from celadon.region.tables_in import identifier, literal
from celadon.region.view import View, months_in
from celadon.rules.rulebook import Rulebook
from celadon.store.tables_out import write_table

GROUP_UNKNOWN = FindingKind(
    "region.group-unknown",
    Severity.ERROR,
    Text("Cannot group by this", "不能按此分组"),
    Text(
        "“{word}” is no way to group enterprises{hint}; there are: {known}.",
        "不能按“{word}”对企业分组{hint}；可用：{known}。",
    ),
    Text(
        "Name one or several, with commas: industry,province.",
        "请写其中一个或几个，以逗号分隔：industry,province。",
    ),
)
NO_FACTS = FindingKind(
    "region.no-facts",
    Severity.ERROR,
    Text("No reports of that period", "该期间没有报表"),
    Text(
        "Nothing is loaded for {period}; there are reports of {months}.",
        "{period} 没有已载入的报表；已有 {months} 的报表。",
    ),
    Text("Ask for months that are loaded, or load more.", "请查询已载入的月份，或载入更多数据。"),
)
MONTHS_MISSING = FindingKind(
    "region.months-missing",
    Severity.WARNING,
    Text("Months without reports", "部分月份没有报表"),
    Text(
        "{period} is answered from {months} of {due} months: the others have no reports.",
        "{period} 的 {due} 个月中仅有 {months} 个月有报表。",
    ),
    Text("Load the missing months, or ask for those there are.", "请载入缺少的月份，或只查询已有月份。"),
)
REPORTS_MISSING = FindingKind(
    "region.reports-missing",
    Severity.WARNING,
    Text("Reports are missing", "缺少月报"),
    Text(
        "{count} of {due} monthly reports are missing: {silent} of {enterprises} enterprises report nothing in {period}, {gaps} leave out "
        "months. Sums hold what was reported.",
        "应有 {due} 份月报，缺 {count} 份：{period} 内 {enterprises} 家企业中有 {silent} 家未填报，{gaps} 家缺部分月份。合计仅含已填报的数据。",
    ),
    Text(
        "Load the missing reports; `--by enterprise --per month` shows which there are.",
        "请载入缺少的月报；用 `--by enterprise --per month` 查看已有月份。",
    ),
)
NO_TOTAL = FindingKind(
    "region.no-total",
    Severity.ERROR,
    Text("No such total of an enterprise", "没有企业的该总量"),
    Text(
        "{book} gives no {quantity} as one number of each enterprise in {period}: nothing it needs is reported{items}.",
        "{book} 在 {period} 没有每家企业一个数值的 {quantity}：所需数据均未填报{items}。",
    ),
    Text(
        "Report what it needs, or choose another rulebook or quantity: `celadon account REGION` lists what there is.",
        "请填报所需数据，或另选规则册或指标：用 `celadon account REGION` 查看已有数值。",
    ),
)
BY_ITEMS = Text(", or it is told by item only ({items})", "，或仅按项给出（{items}）")
ANSWERS = "region_answers"


@dataclass(frozen=True)
class RegionQuestion:
    """What is asked. `by`: words of `tables.GROUPS`, () = the whole region as one row; `per` None = the period as one."""

    period: Period
    by: tuple[str, ...] = ()
    per: Grain | None = None
    quantities: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    factors_as_of: date | None = None

    def request(self, book: Rulebook, seen: View) -> Request:
        """The engine's request; options the region file sets for this rulebook hold unless given here."""
        chosen = {**dict(dict(seen.region.options).get(book.id, ())), **self.options}
        return Request(
            period=self.period,
            time=self.per,
            wanted=self.quantities,
            options=chosen,
            factors_as_of=self.factors_as_of,
        ).checked(book)


@dataclass(frozen=True, slots=True)
class RegionAnswer:
    """One number of one group; an absent value is None. `group`: code, or id, of each `by`."""

    quantity: str
    item: str
    purpose: str
    group: tuple[str, ...]
    names: tuple[Text, ...]
    start: date
    label: str
    value: float | None
    unit: str
    coverage: float
    shares: Mapping[str, float]


@dataclass(frozen=True)
class RegionAccount:
    """Answers under a rulebook, at most as many as asked for (`total` of all), with what was found on the way."""

    book: Rulebook
    request: Request
    by: tuple[str, ...]
    rows: tuple[RegionAnswer, ...]
    total: int
    enterprises: int
    facts_digest: str
    as_of: datetime | None
    findings: tuple[Finding, ...]
    not_applicable: tuple[str, ...]

    def value(self, quantity: str, *group: str) -> float | None:
        """The one value of `quantity` of a group over the whole period (KeyError when there is not exactly one)."""
        found = [row for row in self.rows if row.quantity == quantity and row.group == group and not row.item]
        if len(found) != 1:
            raise KeyError(f"{quantity} {group}: {len(found)} rows")
        return found[0].value

    def to_json(self) -> dict[str, Any]:
        """Shape `region-account/1` without its findings."""
        book, request = self.book, self.request
        return {
            "rulebook": {"id": book.id, "document": book.document.number, "edition": book.edition, "digest": book.digest},
            "options": dict(request.options), "period": request.period.label, "by": list(self.by),
            "per": request.time.word if request.time else None, "as_of": self.as_of.isoformat() if self.as_of else None,
            "facts_digest": self.facts_digest, "enterprises": self.enterprises, "total": self.total,
            "not_applicable": list(self.not_applicable), "rows": [self._row(row) for row in self.rows],
        }  # fmt: skip

    def _row(self, row: RegionAnswer) -> dict[str, Any]:
        label = self.book.label(row.quantity)
        return {
            "quantity": row.quantity, "label": {"zh": label.zh, "en": label.en}, "item": row.item, "purpose": row.purpose,
            "group": dict(zip(self.by, row.group, strict=True)),
            "names": [{"zh": name.zh, "en": name.en} for name in row.names], "period": row.label, "start": row.start.isoformat(),
            "value": row.value, "unit": row.unit, "coverage": row.coverage, "shares": dict(row.shares),
        }  # fmt: skip


def group_words(text: str) -> tuple[str, ...]:
    """`industry,region` as words (FindingError for one that enterprises cannot be grouped by)."""
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in words:
        if word not in GROUPS:
            hint = did_you_mean(word, list(GROUPS))
            raise FindingError(
                GROUP_UNKNOWN.at(Place(subject=word), word=word, known=", ".join(GROUPS), hint=hint)
            )
    return tuple(dict.fromkeys(words))


def due_months(seen: View, period: Period) -> tuple[list[int], list[Finding]]:
    """The loaded months of a period, and what there is to say of the others.

    Raises:
        FindingError: none is loaded.
    """
    due, loaded = months_in(period), seen.months()
    there = [month for month in due if month in set(loaded)]
    if not there:
        known = (
            f"{loaded[0] // 12}-{loaded[0] % 12 + 1:02}..{loaded[-1] // 12}-{loaded[-1] % 12 + 1:02}"
            if loaded
            else "—"
        )
        raise FindingError(NO_FACTS.at(Place(period=period.label), period=period.label, months=known))
    if len(there) < len(due):
        where = Place(period=period.label)
        return there, [MONTHS_MISSING.at(where, period=period.label, months=len(there), due=len(due))]
    return there, []


def answer(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    question: RegionQuestion,
    into: str = ANSWERS,
    prepared: Prepared | None = None,
    *,
    shares: bool = True,
    on: Backend | None = None,
) -> tuple[RegionResult, list[Finding]]:
    """The engine's answers as the table `into`: a column for each group word, `start`, and those of `result.columns`."""
    months, said = due_months(seen, question.period)
    tables = prepared or prepare(con, seen, months, book)
    request = question.request(book, seen)
    columns = [GROUPS[word] for word in question.by]
    result = account_region(con, book, tables.tables, request, columns, into=into, shares=shares, on=on)
    if prepared is None:
        said += _reports_missing(on if on is not None else Embedded(con), len(months), question.period)
    return result, [*said, *result.findings]


def _reports_missing(backend: Backend, months: int, period: Period) -> list[Finding]:
    """Who is registered and does not report all of the months that have reports: a sum says nothing of them."""
    [(enterprises, reports, silent, gaps)] = backend.rows(
        f"SELECT count(*), coalesce(sum(n), 0), count(*) FILTER (n = 0), count(*) FILTER (n > 0 AND n < {months}) FROM ("
        f"SELECT count(f.enterprise) AS n FROM {REGISTRY} AS r LEFT JOIN {FACTS} AS f ON f.enterprise = r.enterprise GROUP BY r.enterprise)"
    )
    due = enterprises * months
    if reports == due:
        return []
    return [
        REPORTS_MISSING.at(
            Place(period=period.label), count=due - int(reports), due=due, silent=silent, enterprises=enterprises, gaps=gaps,
            period=period.label,
        )
    ]  # fmt: skip


def total_of(result: RegionResult, book: Rulebook, quantity: str, period: Period) -> Output:
    """The column that holds `quantity` as one number of each group (FindingError where there is none)."""
    mine = [item for item in result.columns if item.quantity == quantity]
    found = next((item for item in mine if not item.item), None)
    if found is None:
        items = ", ".join(dict.fromkeys(item.item for item in mine))
        shown = (
            Text(BY_ITEMS.en.format(items=items), BY_ITEMS.zh.format(items=items)) if items else Text("", "")
        )
        where = Place(subject=quantity, period=period.label)
        raise FindingError(
            NO_TOTAL.at(where, book=book.id, quantity=quantity, period=period.label, items=shown)
        )
    return found


def amounts(
    con: duckdb.DuckDBPyConnection, facts: str, columns: Sequence[str], table: str, on: Backend | None
) -> None:
    """Table `table`: enterprise, amount_0 … (sums of `columns` of a query of facts), added up where `on` is."""
    listed = "".join(f", amount_{place} DOUBLE" for place in range(len(columns)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} (enterprise INTEGER{listed})")
    sums = "".join(f", sum({identifier(name)})" for name in columns)
    backend = on if on is not None else Embedded(con)
    backend.append(con, table, f"SELECT enterprise{sums} FROM ({facts}) GROUP BY enterprise")


def account(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    question: RegionQuestion,
    most: int,
    on: Backend | None = None,
) -> RegionAccount:
    """Answer a question, at most `most` rows of it; `on`: the engine that does the work (None = the embedded one)."""
    result, said = answer(con, seen, book, question, on=on)
    rows, total = _rows(con, result, question, most)
    [(enterprises,)] = con.execute(f"SELECT count(*) FROM {REGISTRY}").fetchall()
    con.execute(f"DROP TABLE {ANSWERS}")
    findings = tuple(unique([*seen.findings, *said, *book.findings, *seen.snapshot.findings]))
    return RegionAccount(
        book, result.request, question.by, rows, total, enterprises, seen.snapshot.digest(), seen.snapshot.recorded_at,
        findings, result.query.not_applicable,
    )  # fmt: skip


def write(
    con: duckdb.DuckDBPyConnection,
    seen: View,
    book: Rulebook,
    question: RegionQuestion,
    file: Path,
    on: Backend | None = None,
) -> tuple[int, tuple[Finding, ...]]:
    """Write every answer to a Parquet or CSV file, streaming; how many rows, and what was found on the way."""
    result, said = answer(con, seen, book, question, on=on)
    written = write_table(con, _long(result, question), file)
    con.execute(f"DROP TABLE {ANSWERS}")
    findings = tuple(unique([*seen.findings, *said, *book.findings, *seen.snapshot.findings]))
    return written, findings


def _long(result: RegionResult, question: RegionQuestion) -> str:
    """Every number a row: the group's words, start, quantity, item, purpose, value, unit, coverage, then its shares."""
    names = sorted({name for output in result.columns for name in (*output.shares, *output.fixed)})
    parts = [_part(output, question, names) for output in result.columns]
    return " UNION ALL ".join(parts) if parts else "SELECT NULL AS quantity WHERE false"


def _part(output: Output, question: RegionQuestion, shares: Sequence[str]) -> str:
    groups = [
        f"r.id AS {identifier(word)}"
        if word == "enterprise"
        else f"a.{identifier(GROUPS[word])} AS {identifier(word)}"
        for word in question.by
    ]
    join = f" JOIN {REGISTRY} AS r ON r.enterprise = a.enterprise" if "enterprise" in question.by else ""
    listed = [
        *groups, "a.span_start AS start", f"{literal(output.quantity)} AS quantity", f"{literal(output.item)} AS item",
        f"{literal(output.purpose)} AS purpose", f"a.{output.value} AS value", f"{literal(output.unit)} AS unit",
        f"a.{output.coverage} AS coverage",
        *(f"{_share(output, name)} AS {name}" for name in shares),
    ]  # fmt: skip
    return f"SELECT {', '.join(listed)} FROM {ANSWERS} AS a{join} WHERE a.{output.coverage} IS NOT NULL"


def _share(output: Output, name: str) -> str:
    """A share as SQL: a column, one number for all, or nothing of the kind."""
    if name in output.shares:
        return f"coalesce(a.{output.shares[name]}, 0e0)"
    return f"CASE WHEN a.{output.value} IS NULL THEN 0e0 ELSE {output.fixed.get(name, '0e0')} END"


def _rows(
    con: duckdb.DuckDBPyConnection, result: RegionResult, question: RegionQuestion, most: int
) -> tuple[tuple[RegionAnswer, ...], int]:
    """The first `most` answers, quantity by quantity in the order asked, and how many there are."""
    labels = {span.start: span.label for span in result.query.spans}
    order = {name: number for number, name in enumerate(result.request.wanted)}
    wide = len(question.by)
    rows: list[RegionAnswer] = []
    total = 0
    for output in sorted(result.columns, key=lambda item: order[item.quantity]):
        names = [*output.shares, *output.fixed]
        part = _part(output, question, names)
        [(count,)] = con.execute(f"SELECT count(*) FROM ({part})").fetchall()
        total += count
        keys = ", ".join(str(place + 1) for place in range(wide + 1))
        left = max(most - len(rows), 0)
        found = con.execute(f"{part} ORDER BY {keys} LIMIT {left}").fetchall() if left else []
        title = titles(_firm_names(con, question.by, found))
        for row in found:
            group = tuple("" if word is None else str(word) for word in row[:wide])
            called = tuple(title(word, code) for word, code in zip(question.by, group, strict=True))
            shares = dict(zip(names, row[wide + 7 :], strict=True))
            rows.append(
                RegionAnswer(
                    output.quantity, output.item, output.purpose, group, called, row[wide], labels[row[wide]], row[wide + 4],
                    output.unit, row[wide + 6], shares,
                )
            )  # fmt: skip
    return tuple(rows), total


def _firm_names(
    con: duckdb.DuckDBPyConnection, by: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> dict[str, str]:
    """The names of the enterprises that these rows are about, in one look at the registry."""
    if "enterprise" not in by or not rows:
        return {}
    place = by.index("enterprise")
    ids = sorted({str(row[place]) for row in rows})
    found = con.execute(f"SELECT id, name FROM {REGISTRY} WHERE id IN (SELECT unnest($1::VARCHAR[]))", [ids])
    return dict(found.fetchall())


def titles(firms: Mapping[str, str]) -> Callable[[str, str], Text]:
    """What a code of a group word is called; `firms`: names by id."""

    def title(word: str, code: str) -> Text:
        if word == "enterprise":
            name = firms.get(code, code)
            return Text(name, name)
        if word in ("industry", "industry_group", "division") and code in industries():
            return industries()[code].name
        if word in ("region", "prefecture", "province") and (area := area_of(code)) is not None:
            return area.name
        return Text(code, code)

    return title
