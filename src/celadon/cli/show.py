"""How results look to people: numbers, shares, bars, tables, findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Styled

from celadon.cli.words import word
from celadon.core.findings import SEVERITY_TEXT, Finding, Findings, Severity
from celadon.core.text import Lang

_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}
_SHOWN_OF_A_KIND = 5
_SHOWN_BRIEFLY = 2
_BARS = " ▁▂▃▄▅▆▇█"


def number(value: float | None) -> str:
    """With thousands separators and about six significant digits; absent is a dash, never zero."""
    if value is None:
        return "—"
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1000:
        return f"{value:,.2f}"
    if size >= 1:
        return f"{value:,.3f}"
    return f"{value:.4g}"


def share(value: float | None, blank_at: float | None = None) -> str:
    """A share 0..1 in per cent; blank where it equals `blank_at`; never rounded up to 100 % or down to 0 %."""
    if value is None:
        return "—"
    if blank_at is not None and value == blank_at:
        return ""
    if 0.999 <= value < 1:
        return ">99.9%"
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{value:.1%}"


def spark(values: Sequence[float | None]) -> str:
    """The series as small bars, absent as a dot; empty for fewer than two values."""
    present = [value for value in values if value is not None]
    if len(values) < 2 or not present:
        return ""
    low, high = min(0.0, *present), max(0.0, *present)
    span = (high - low) or 1.0
    steps = len(_BARS) - 1
    return "".join(
        "·" if v is None else _BARS[max(1 if v else 0, round((v - low) / span * steps))] for v in values
    )


def bar(part: float, width: int = 20) -> str:
    """A horizontal bar of `part` (0..1) of `width` cells."""
    cells = max(0.0, min(1.0, part)) * width
    full = int(cells)
    return "█" * full + ("▌" if cells - full >= 0.5 else "")


def table(title: str, columns: Iterable[tuple[str, bool]]) -> Table:
    """An empty table; each column is (heading, is it a number)."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        header_style="bold",
    )
    for heading, numeric in columns:
        made.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    return made


def print_findings(console: Console, findings: Iterable[Finding], lang: Lang, brief: bool = False) -> None:
    """Findings ranked, with place and what to do; a long row of one kind is cut short and counted.

    `brief` (where they are not the main thing) shows fewer of a kind, and only the number of notices.
    """
    items = Findings(list(findings)).ranked()
    by_kind: dict[str, list[Finding]] = {}
    for item in items:
        by_kind.setdefault(item.code, []).append(item)
    console.print(f"\n[bold]{word('findings', lang)}[/bold]")
    for group in by_kind.values():
        if not (brief and group[0].severity is Severity.NOTICE):
            _print_kind(console, group, lang, _SHOWN_BRIEFLY if brief else _SHOWN_OF_A_KIND)
    counts = {severity: sum(1 for item in items if item.severity is severity) for severity in Severity}
    summary = word(
        "finding_counts",
        lang,
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        notices=counts[Severity.NOTICE],
    )
    console.print(f"  {summary}" + (f" ({word('all_in_json', lang)})" if brief else ""), style="dim")


def _print_kind(console: Console, group: list[Finding], lang: Lang, most: int) -> None:
    severity = group[0].severity
    style, label = _STYLE[severity], SEVERITY_TEXT[severity].say(lang)
    for item in group[:most]:
        place = f" [bold]{escape(str(item.where))}[/bold]" if str(item.where) else ""
        clause = f" [dim]({escape(item.clause.say(lang))})[/dim]" if item.clause else ""
        line = f"  [{style}]{label}[/{style}] [dim]{item.code}[/dim]{place} {escape(item.says(lang))}{clause}"
        console.print(Padding(Styled.from_markup(line.strip()), (0, 0, 0, 2)))
    if len(group) > most:
        console.print("      " + word("and_more", lang, count=len(group) - most))
    console.print(Padding(Styled(f"→ {group[0].fix(lang)}", style="green"), (0, 0, 0, 6)))
