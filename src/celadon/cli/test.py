"""`celadon test RULEBOOK`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from celadon.cli.base import command as make_command
from celadon.cli.session import FAILED, Session

if TYPE_CHECKING:
    from rich.console import Console

    from celadon.testing import CaseOutcome


@make_command(
    "test",
    en="Run the worked examples of a rulebook (an id or a folder) and say which do not come out.",
    zh="运行规则册（编号或文件夹）的算例，列出未通过者。",
)
@click.argument("rulebook")
def command(context: click.Context, rulebook: str, as_json: bool, lang: str | None, quiet: bool) -> None:
    """Exits 1 where a case fails."""
    from celadon.rules.check import check_rulebook
    from celadon.rules.rulebook import load_rulebook
    from celadon.testing import run_cases

    session = Session(context, as_json, lang, quiet)
    book = load_rulebook(rulebook)
    findings = list(check_rulebook(book))
    outcomes = run_cases(book)
    passed = sum(1 for item in outcomes if item.passed)
    body = {
        "rulebook": book.id,
        "digest": book.digest,
        "passed": passed,
        "failed": len(outcomes) - passed,
        "cases": [_case(item) for item in outcomes],
    }
    session.finish("cases/1", body, lambda out: _print(out, outcomes, session), findings)
    if passed < len(outcomes):
        raise click.exceptions.Exit(FAILED)


def _case(item: CaseOutcome) -> dict[str, Any]:
    return {
        "name": item.case.name,
        "file": item.case.file.rsplit("/", 1)[-1],
        "vouched": {name: str(value) for name, value in item.case.vouched.items()},
        "passed": item.passed,
        "failures": list(item.failures),
    }


def _print(console: Console, outcomes: list[CaseOutcome], session: Session) -> None:
    from rich.markup import escape

    from celadon.cli.show import table

    zh = session.lang == "zh"
    headings = ("", "算例", "依据", "文件") if zh else ("", "case", "vouched by", "file")
    made = table("算例" if zh else "Cases", [(name, False) for name in headings])
    for item in outcomes:
        mark = "[green]✓[/green]" if item.passed else "[bold red]✗[/bold red]"
        made.add_row(
            mark,
            escape(item.case.name),
            escape(str(item.case.vouched.get("by", ""))),
            item.case.file.rsplit("/", 1)[-1],
        )
        for failure in item.failures:
            made.add_row("", f"[red]{escape(failure)}[/red]", "", "")
    console.print(made)
    passed = sum(1 for item in outcomes if item.passed)
    console.print(f"通过 {passed} / {len(outcomes)}" if zh else f"{passed} of {len(outcomes)} passed")
