"""Sections that every report has: what it is about, what its figures rest on, factors, findings, what is not modelled."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from celadon.charts.chart import Chart
from celadon.charts.plant_charts import quality_shares, stacked_parts
from celadon.core.findings import SEVERITY_TEXT, Finding
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Text, same
from celadon.reports import words
from celadon.reports.gather import Asked, Gathered, factors_of, period_before
from celadon.reports.model import Block, Cell, Figure, Figures, Grid, Note, Section
from celadon.reports.terms import by_period, key_name, terms_of
from celadon.rules.rulebook import Rulebook
from celadon.rules.titles import titled

_FINDINGS_SHOWN = 400


def head(asked: Asked, gathered: Sequence[Gathered], version: str) -> tuple[tuple[Text, Text], ...]:
    """Who, when, under which rulebooks, on which facts: lines of a name and a value."""
    model = gathered[0].account.model
    first = gathered[0].account.result
    known = first.as_of.isoformat(timespec="seconds") if first.as_of else "—"
    sites = [site.name for site in model.sites]
    lines = [
        (
            words.ENTERPRISE,
            Text(f"{model.name.en} ({model.enterprise})", f"{model.name.zh}（{model.enterprise}）"),
        ),
        (words.SITES, Text(", ".join(name.en for name in sites), "、".join(name.zh for name in sites))),
        (words.PERIOD, same(f"{first.request.period.label} ({first.request.period.zone})")),
    ]
    for part in gathered:
        book = part.book
        title = book.document.title
        cited, name = book.document.cited, f"{book.id} {book.edition} · {book.digest[:16]}"
        said = Text(f"{title.en} · {cited.en} · {name}", f"{title.zh} · {cited.zh} · {name}")
        lines.append((words.RULEBOOK, said))
        chosen = dict(part.account.result.request.options)
        for option, choice in chosen.items():
            spec = book.options[option]
            lines.append((spec.label, spec.choices[choice]))
    lines.append((words.KNOWN, same(known if asked.as_of is None else f"{known} (--as-of {asked.as_of})")))
    lines.append((words.FACTS, same(first.facts_digest)))
    lines.append((words.VERSION, same(f"Celadon {version}")))
    return tuple(lines)


def totals(gathered: Gathered) -> list[Figure]:
    """The figures of the whole, not of one carrier or product."""
    keyless = [figure for figure in gathered.figures if not set(figure.question.where) - {"site"}]
    return keyless or list(gathered.figures)


def key_figures(gathered: Sequence[Gathered]) -> Section:
    """The totals with the period before, and what they rest on as a picture."""
    figures = [figure for part in gathered for figure in totals(part)]
    known = [figure for figure in figures if figure.value is not None]
    blocks: list[Block] = [Figures(tuple(figures))]
    if known:
        rows = [(figure.label, figure.quality, figure.coverage) for figure in known[:10]]
        blocks.append(quality_shares(Text("What the figures rest on", "指标的数据构成"), rows))
    if any(figure.unchecked for figure in figures):
        blocks.append(UNCHECKED_NOTE)
    return Section(Text("Key figures", "主要指标"), Text("Key figures", "主要指标"), tuple(blocks))


UNCHECKED_NOTE = Note(
    Text(
        "Figures marked “unchecked factor” rest on factors that were written down from memory and compared with no source. "
        "Compare them with the standard before the report is used.",
        "标有“含未核实因子”的指标使用了凭记忆录入、尚未与原文核对的因子；使用本报告前请与标准原文核对。",
    ),
    warning=True,
)


def month_by_month(figure: Figure, gathered: Gathered) -> list[Block]:
    """A total's parts by month: the picture, and the table with live sums. Nothing for a figure without a trace."""
    if figure.trace is None:
        return []
    periods, labels, values = by_period(terms_of(figure.trace.root, gathered.account.model))
    if not labels or len(periods) < 2:
        return []
    chart: Chart = stacked_parts(figure.label, figure.unit, periods, labels, values)
    return [chart, parts_grid(periods, list(labels.items()), lambda period, name: values.get((period, name)))]


def parts_grid(
    periods: Sequence[str], parts: Sequence[tuple[str, Text]], value: Callable[[str, str], float | None]
) -> Grid:
    """Periods down, parts across, sums at the right and below as live formulas."""
    rows: list[tuple[Cell, ...]] = []
    formulas: dict[tuple[int, int], str] = {}
    last = column_letter(len(parts) + 1)
    for number, period in enumerate(periods):
        cells = [value(period, name) for name, _ in parts]
        rows.append((period, *cells, sum(cell for cell in cells if cell is not None)))
        formulas[number, len(parts) + 1] = f"=SUM(B{{r}}:{last}{{r}})"
    sums = [
        sum(cell for row in rows if isinstance(cell := row[1 + place], float)) for place in range(len(parts))
    ]
    for place in range(len(parts) + 1):
        letter = column_letter(place + 2)
        formulas[len(rows), place + 1] = f"=SUM({letter}{{first}}:{letter}{{before}})"
    rows.append((words.TOTAL, *sums, sum(sums)))
    header = (words.PERIOD, *(label for _, label in parts), words.TOTAL)
    return Grid(header, tuple(rows), formulas, total=True)


def column_letter(number: int) -> str:
    """A of 1, Z of 26, AA of 27."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def factors(figures: Iterable[Figure], model: PlantModel) -> Section:
    """Every factor used, as printed and as used, with source, clause and confidence; unchecked ones are marked."""
    used = factors_of(figures)
    sources: dict[str, int] = {}
    rows: list[tuple[Cell, ...]] = []
    for item in used:
        detail = item.node.detail
        keys = [key_name(word, model) for key, word in item.node.where.items() if key != "period" and word]
        place = f"{detail.get('table') or detail.get('file') or ''}:{detail.get('line', '')}"
        source = str(detail.get("source", "—"))
        confidence = str(detail.get("confidence", ""))
        rows.append(
            (
                item.node.label,
                Text(", ".join(key.en for key in keys), "，".join(key.zh for key in keys)),
                item.node.value,
                item.node.unit,
                f"{detail.get('published_value', '')} {detail.get('published_unit', '')}".strip(),
                titled(source),
                item.node.clause or "",
                words.CONFIDENCES.get(confidence, same(confidence or "—")),
                place,
                item.uses,
                f"[{sources.setdefault(source, len(sources) + 1)}]",
            )
        )
    header = (
        Text("Factor", "因子"), Text("For", "适用"), words.VALUE, words.UNIT, Text("As published", "公布值"), words.SOURCE,
        words.CLAUSE, words.CONFIDENCE, Text("Row", "所在行"), Text("Uses", "引用次数"),
        Text("No.", "来源号"),
    )  # fmt: skip
    numbered: tuple[tuple[Cell, ...], ...] = tuple(
        (f"[{number}]", titled(source)) for source, number in sources.items()
    )
    listed = Grid((Text("No.", "来源号"), words.SOURCE), numbered, wide=(1,))
    heading, short = Text("Factors", "排放因子与参数"), Text("Factors", "因子")
    if not used:
        return Section(heading, short, (Note(Text("No factor was used.", "未使用因子。")),))
    unchecked = sum(1 for item in used if item.unchecked)
    said = Text(
        f"{len(used)} factors; {unchecked} of them unchecked."
        if unchecked
        else f"{len(used)} factors; none is unchecked.",
        f"共 {len(used)} 个因子，其中 {unchecked} 个未核实。"
        if unchecked
        else f"共 {len(used)} 个因子，均已核实或由企业申报。",
    )
    return Section(
        heading, short,
        (Note(said, warning=bool(unchecked)), Grid(header, tuple(rows), wide=(5, 6), unprinted=(5, 8, 9)), listed),
    )  # fmt: skip


def findings(found: Sequence[Finding]) -> Section:
    """What was found wrong with the data, counted by kind, and then one by one."""
    counts = Counter(item.code for item in found)
    kinds = {item.code: item.kind for item in reversed(found)}
    # `found` has errors first, and a kind has one severity.
    order = list(dict.fromkeys(item.code for item in found))
    rows: list[tuple[Cell, ...]] = [
        (SEVERITY_TEXT[kinds[code].severity], kinds[code].title, counts[code], _fix(code, found), code)
        for code in order
    ]
    header = (
        Text("Severity", "级别"), Text("Kind", "类型"), Text("Times", "次数"), Text("What to do", "处理办法"), Text("Code", "代码"),
    )  # fmt: skip
    summary = Grid(header, tuple(rows), wide=(3,))
    clean = Text("Nothing was found wrong with the data of this report.", "本报告所用数据未发现问题。")
    blocks: tuple[Block, ...] = (summary,) if found else (Note(clean),)
    return Section(Text("Findings on the data", "数据问题"), Text("Findings", "数据问题"), blocks)


def _fix(code: str, found: Sequence[Finding]) -> Text:
    first = next(item for item in found if item.code == code)
    return Text(first.fix("en"), first.fix("zh"))


def all_findings(found: Sequence[Finding]) -> Section:
    """Each finding with its place, for the workbook."""
    rows: list[tuple[Cell, ...]] = [
        (SEVERITY_TEXT[item.severity], item.code, str(item.where), Text(item.says("en"), item.says("zh")),
         Text(item.fix("en"), item.fix("zh")), item.clause or "")
        for item in found[:_FINDINGS_SHOWN]
    ]  # fmt: skip
    blocks: list[Block] = []
    if len(found) > _FINDINGS_SHOWN:
        more = len(found) - _FINDINGS_SHOWN
        blocks.append(
            Note(
                Text(
                    f"{more} more: `celadon account --json` lists them all.",
                    f"另有 {more} 项，可用 celadon account --json 查看。",
                )
            )
        )
    header = (
        Text("Severity", "级别"), Text("Code", "代码"), Text("Where", "位置"), Text("What", "问题"), Text("What to do", "处理办法"), words.CLAUSE,
    )  # fmt: skip
    blocks.append(Grid(header, tuple(rows), wide=(3, 4)))
    return Section(
        Text("Findings, one by one", "数据问题明细"),
        Text("Finding list", "问题明细"),
        tuple(blocks),
        printed=False,
    )


def short_name(book: Rulebook) -> Text:
    """The document's number where it says the same in every language, else its title."""
    document = book.document
    return (
        same(document.number) if re.fullmatch(r"[A-Z][A-Z/]* ?[\d.:-]+", document.number) else document.title
    )


def not_modelled(gathered: Sequence[Gathered]) -> Section:
    """What the rulebooks say they leave out, with the clause and why; and what is doubtful in them."""
    rows: list[tuple[Cell, ...]] = []
    notes: list[Block] = []
    for part in gathered:
        rows += [
            (item.clause or "", item.what, item.why, short_name(part.book)) for item in part.book.not_modelled
        ]
        notes += [
            Note(Text(f"{short_name(part.book).en}: {doubt.en}", f"{short_name(part.book).zh}：{doubt.zh}"))
            for doubt in part.book.doubts
        ]
    header = (words.CLAUSE, Text("Not modelled", "未建模内容"), Text("Why", "原因"), words.RULEBOOK)
    said = Text(
        "What the rulebooks leave out. Where it matters for this plant, it has to be added by hand.",
        "规则册未覆盖的内容；如与本企业有关，须另行补充。",
    )
    blocks: tuple[Block, ...] = (Note(said), Grid(header, tuple(rows), wide=(1, 2)), *notes)
    return Section(Text("Limits of this report", "本报告的局限"), Text("Limits", "局限"), blocks)


def period_before_of(gathered: Gathered) -> str | None:
    """The label of the period before the one accounted."""
    earlier = period_before(gathered.account.result.request.period)
    return earlier.label if earlier is not None else None
