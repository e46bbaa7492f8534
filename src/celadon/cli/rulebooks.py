"""`celadon rulebooks [ID]`: which there are; or what one models, what it does not, its options, doubts and findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from celadon.cli.base import command as make_command
from celadon.cli.session import Session
from celadon.core.text import Lang, Text

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from celadon.core.findings import Finding
    from celadon.rules.coverage import Coverage
    from celadon.rules.rulebook import Rulebook


@make_command(
    "rulebooks",
    en="List the rulebooks with what vouches for them, or show one clause by clause: modelled and not modelled, cases, quantities, options, doubts.\n\nRULEBOOK is an id or a folder.",
    zh="列出规则册及其依据；或逐条显示某一规则册：已建模与未建模的条款、算例、指标、选项与存疑之处。\n\nRULEBOOK 为编号或文件夹。",
)
@click.argument("rulebook", required=False)
def command(
    context: click.Context, rulebook: str | None, as_json: bool, lang: str | None, quiet: bool
) -> None:
    """Shows what there is; only what is asked for is loaded in full."""
    session = Session(context, as_json, lang, quiet)
    if rulebook is None:
        heads, said = _heads(session)
        session.finish(
            "rulebooks/1", {"rulebooks": heads}, lambda out: _print_list(out, heads, session.lang), said
        )
        return
    from celadon.rules.check import check_rulebook
    from celadon.rules.coverage import coverage
    from celadon.rules.rulebook import load_rulebook

    book = load_rulebook(rulebook)
    findings = check_rulebook(book)
    found = coverage(book)
    body = {**_body(book), "counts": found.to_json(), "clauses": found.clauses_json()}
    session.finish(
        "rulebook/1", body, lambda out: _print_book(out, book, found, session.lang), findings, brief=False
    )


def _heads(session: Session) -> tuple[list[dict[str, Any]], list[Finding]]:
    """What each shipped rulebook is, and how much of it is there."""
    from celadon.core.findings import FindingError
    from celadon.rules.coverage import coverage
    from celadon.rules.rulebook import load_rulebook, shipped_ids

    known: dict[Path, Rulebook] = {}
    heads: list[dict[str, Any]] = []
    findings: list[Finding] = []
    names = shipped_ids()
    with session.progress("读取规则册" if session.lang == "zh" else "reading rulebooks") as progress:
        for number, name in enumerate(names):
            if progress:
                progress(number / len(names), name)
            try:
                book = load_rulebook(name, known=known)
                heads.append({**_head(book), "counts": coverage(book).to_json()})
            except FindingError as error:
                findings += error.findings
    return heads, findings


def _head(book: Rulebook) -> dict[str, Any]:
    return {
        "id": book.id,
        "document": book.document.number,
        "document_label": _both(book.document.cited),
        "title": _both(book.document.title),
        "edition": book.edition,
        "scope": _both(book.scope),
        "totals": list(book.totals),
    }


def _body(book: Rulebook) -> dict[str, Any]:
    return {
        **_head(book),
        "digest": book.digest,
        "documents": [
            {
                "number": item.number,
                "number_label": _both(item.cited),
                "title": _both(item.title),
                "since": str(item.since),
                "until": str(item.until) if item.until else None,
            }
            for item in book.documents
        ],
        "rules": [
            {
                "name": rule.name,
                "label": _both(rule.label),
                "unit": str(rule.unit),
                "grain": str(rule.grain),
                **_cited(rule.clause.cited),
                "clause_text": rule.clause.text.en,
                "clause_says": _both(rule.clause.text),
                "formula": rule.formula_text,
                "inputs": list(rule.needs),
                "adds": rule.adds,
            }
            for rules in book.rules.values()
            for rule in rules
        ],
        "facts": [
            _spec(spec) | {"grain": str(spec.grain), "on_missing": spec.on_missing}
            for spec in book.facts.values()
        ],
        "factors": [
            _spec(spec) | {"table": spec.table, "column": spec.column, "on_gap": spec.on_gap}
            for spec in book.factors.values()
        ],
        "options": [
            {
                "name": item.name,
                "label": _both(item.label),
                "default": item.default,
                **_cited(item.clause),
                "choices": {choice: _both(label) for choice, label in item.choices.items()},
            }
            for item in book.options.values()
        ],
        "builds_on": [base.id for base in book.builds_on],
        "coverage": {"names": list(book.coverage.names), **_cited(book.coverage.clause)},
        "not_modelled": [
            {**_cited(item.clause), "what": _both(item.what), "why": _both(item.why)}
            for item in book.not_modelled
        ],
        "doubts": [_both(item) for item in book.doubts],
    }


def _spec(spec: Any) -> dict[str, Any]:
    return {"name": spec.name, "label": _both(spec.label), "unit": str(spec.unit), **_cited(spec.clause)}


def _cited(clause: Text | None) -> dict[str, Any]:
    """A citation as text (English) and in both languages."""
    return {"clause": clause.en if clause else "", "clause_label": _both(clause) if clause else None}


def _both(text: Any) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _said(clause: Text | None, lang: Lang) -> str:
    from rich.markup import escape

    return escape(clause.say(lang)) if clause else ""


def _print_list(console: Console, heads: list[dict[str, Any]], lang: Lang) -> None:
    from rich.markup import escape

    from celadon.cli.show import table

    zh = lang == "zh"
    headings = (
        ("id", "标准", "条款", "未建模", "算例 发布/复算/自拟", "因子未核实")
        if zh
        else ("id", "document", "clauses", "not modelled", "cases pub/recomp/constr", "unchecked factors")
    )
    made = table("规则册" if zh else "Rulebooks", [(name, place > 1) for place, name in enumerate(headings)])
    for head in heads:
        counts = head["counts"]
        made.add_row(
            head["id"],
            escape(f"{head['document_label'][lang]} {head['title'][lang]}"),
            str(counts["clauses"]),
            str(counts["not_modelled"]),
            " / ".join(str(count) for count in counts["cases"].values()),
            _percent(counts["recalled"]),
        )
    console.print(made)


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"


def _print_coverage(console: Console, found: Coverage, lang: Lang) -> None:
    from rich.markup import escape

    from celadon.cli.show import table

    zh, cases, rows = lang == "zh", found.cases, found.factor_rows
    sure = ", ".join(f"{name} {count}" for name, count in rows.items() if count) or "—"
    said = (
        f"条款 {len(found.clauses)} 已建模，{found.not_modelled} 未建模；算例：发布 {cases['published']}、复算 {cases['recomputed']}、"
        f"自拟 {cases['constructed']}；因子行：{sure}（未核实 {_percent(found.recalled)}）"
        if zh
        else f"{len(found.clauses)} clauses modelled, {found.not_modelled} not; cases: {cases['published']} published, "
        f"{cases['recomputed']} recomputed, {cases['constructed']} constructed; factor rows: {sure} "
        f"({_percent(found.recalled)} unchecked)"
    )
    console.print(said, markup=False, soft_wrap=True)
    headings = ("条款", "内容", "指标", "算例") if zh else ("clause", "says", "quantities", "cases")
    made = table("条款" if zh else "Clauses", [(name, place == 3) for place, name in enumerate(headings)])
    for item in found.clauses:
        made.add_row(
            escape(item.clause.say(lang)),
            escape(item.text.say(lang)),
            ", ".join(item.quantities),
            str(item.cases or "—"),
        )
    console.print(made)


def _print_book(console: Console, book: Rulebook, found: Coverage, lang: Lang) -> None:
    from rich.markup import escape

    from celadon.cli.show import table

    zh = lang == "zh"
    console.print(
        f"[bold]{book.id}[/bold]  {escape(book.document.cited.say(lang))} {escape(book.document.title.say(lang))}  [dim]{book.digest[:12]}[/dim]"
    )
    console.print(escape(book.scope.say(lang)))
    _print_coverage(console, found, lang)
    made = table(
        "已建模" if zh else "Modelled",
        [
            (h, False)
            for h in (
                ("条款", "指标", "名称", "单位", "公式")
                if zh
                else ("clause", "quantity", "label", "unit", "formula")
            )
        ],
    )
    for rules in book.rules.values():
        for rule in rules:
            made.add_row(
                escape(rule.clause.ref.say(lang)),
                rule.name,
                rule.label.say(lang),
                str(rule.unit),
                escape(rule.formula_text),
            )
    console.print(made)
    if book.options:
        made = table(
            "选项" if zh else "Options",
            [
                (h, False)
                for h in (
                    ("选项", "名称", "取值", "条款") if zh else ("option", "label", "choices", "clause")
                )
            ],
        )
        for item in book.options.values():
            choices = ", ".join(
                f"[bold]{name}*[/bold]" if name == item.default else name for name in item.choices
            )
            made.add_row(item.name, item.label.say(lang), choices, _said(item.clause, lang))
        console.print(made)
    if book.coverage.names:
        words = "须说明是否纳入" if zh else "computed, or left out with a reason"
        names = "；".join(book.label(name).zh for name in book.coverage.names)
        listed = names if zh else ", ".join(book.coverage.names)
        console.print(
            f"[bold]{words}[/bold]: {escape(listed)}  [dim]{_said(book.coverage.clause, lang)}[/dim]"
        )
    if book.not_modelled:
        made = table(
            "未建模" if zh else "Not modelled",
            [(h, False) for h in (("条款", "内容", "原因") if zh else ("clause", "what", "why"))],
        )
        for gap in book.not_modelled:
            made.add_row(_said(gap.clause, lang), escape(gap.what.say(lang)), escape(gap.why.say(lang)))
        console.print(made)
    for doubt in book.doubts:
        console.print(f"  [yellow]{'存疑' if zh else 'doubt'}[/yellow] {escape(doubt.say(lang))}")
