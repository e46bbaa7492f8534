"""The handbook, written from the code: rulebooks clause by clause with their cases, every finding, the commands, the API.

`python -m celadon.handbook OUT_DIR` writes the same bytes every time; `make check` fails where the committed pages differ.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import celadon
from celadon.cli import group as command_line
from celadon.core.findings import SEVERITY_TEXT, FindingKind
from celadon.rules.coverage import coverage
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook, load_rulebook, shipped_ids
from celadon.testing import Case, read_cases

_NOT_WALKED = ("celadon.rulebooks.", "celadon.examples", "celadon.__main__", "celadon.handbook")


def modules() -> Iterator[ModuleType]:
    """Every module of Celadon but chapters (they are data) and examples, in a stable order."""
    for info in sorted(pkgutil.walk_packages(celadon.__path__, "celadon."), key=lambda item: item.name):
        if not info.name.startswith(_NOT_WALKED):
            yield importlib.import_module(info.name)


def finding_kinds() -> dict[str, tuple[FindingKind, str]]:
    """Every finding code, with the module that raises it (ValueError where two kinds share a code)."""
    found: dict[str, tuple[FindingKind, str]] = {}
    for module in modules():
        for value in vars(module).values():
            if isinstance(value, FindingKind):
                known = found.get(value.code)
                if known and known[0] is not value:
                    raise ValueError(f"{value.code} is declared twice: {known[1]} and {module.__name__}")
                if not known:
                    found[value.code] = (value, module.__name__)
    return dict(sorted(found.items()))


def write(folder: Path) -> None:
    """Write all pages into `folder`."""
    pages = {"README.md": _index(), "commands.md": _commands(), "api.md": _api()}
    kinds = finding_kinds()
    pages["findings/README.md"] = _findings_index(kinds)
    pages.update({f"findings/{code}.md": _finding(kind, module) for code, (kind, module) in kinds.items()})
    for name in shipped_ids():
        book = load_rulebook(name)
        pages[f"rulebooks/{name}.md"] = "\n".join(_rulebook(book, read_cases(book.folder)))
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.rstrip() + "\n", encoding="utf-8")


def _index() -> str:
    lines = [
        "# Celadon handbook · 手册",
        "",
        "Written from the code by `make docs`; do not edit. 由代码生成，请勿手改。",
        "",
        "## Rulebooks · 规则册",
        "",
    ]
    lines += [
        "| rulebook | document | clauses 条款 | not modelled 未建模 | cases 算例 (published / recomputed / constructed) | unchecked factors 未核实 |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for name in shipped_ids():
        book = load_rulebook(name)
        title, found = book.document.title, coverage(book)
        cases = " / ".join(str(count) for count in found.cases.values())
        lines.append(
            f"| [{name}](rulebooks/{name}.md) | {_cell(book.document.number)} {_cell(title.zh)} / {_cell(title.en)} | "
            f"{len(found.clauses)} | {found.not_modelled} | {cases} | {_percent(found.recalled)} |"
        )
    lines += [
        "",
        "## Reference · 参考",
        "",
        "- [Findings](findings/README.md): every code, what it says and what to do · 全部提示代码",
        "- [Commands](commands.md): the command line · 命令行",
        "- [Python](api.md): the public surface · Python 接口",
    ]
    return "\n".join(lines)


# -- findings ----------------------------------------------------------------------------------------------------------


def _findings_index(kinds: dict[str, tuple[FindingKind, str]]) -> str:
    lines = [
        "# Findings · 提示代码",
        "",
        f"{len(kinds)} codes.",
        "",
        "| code | severity | 中文 | English |",
        "|---|---|---|---|",
    ]
    for code, (kind, _) in kinds.items():
        severity = SEVERITY_TEXT[kind.severity]
        lines.append(
            f"| [{code}]({code}.md) | {severity.en} {severity.zh} | {kind.title.zh} | {kind.title.en} |"
        )
    return "\n".join(lines)


def _finding(kind: FindingKind, module: str) -> str:
    severity = SEVERITY_TEXT[kind.severity]
    lines = [
        f"# {kind.code}",
        "",
        f"{severity.zh} / {severity.en} · {kind.title.zh} / {kind.title.en} · `{module}`",
        "",
    ]
    lines += ["| | 中文 | English |", "|---|---|---|"]
    lines.append(f"| what it says · 内容 | {_cell(kind.says.zh)} | {_cell(kind.says.en)} |")
    lines.append(f"| what to do · 处理 | {_cell(kind.fix.zh)} | {_cell(kind.fix.en)} |")
    if kind.clause:
        lines.append(f"| clause · 条款 | {_cell(kind.clause)} | {_cell(kind.clause)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# -- rulebooks ---------------------------------------------------------------------------------------------------------


def _rulebook(book: Rulebook, cases: list[Case]) -> Iterator[str]:
    title = book.document.title
    yield from (f"# {book.id}", "", f"**{book.document.number}** {title.zh} / {title.en}", "")
    yield from (book.scope.zh, "", book.scope.en, "")
    yield from ("| document | in force |", "|---|---|")
    for document in book.documents:
        yield f"| {document.number} {document.title.zh} / {document.title.en} | {document.since} .. {document.until or ''} |"
    yield from _coverage(book)
    yield from _options(book)
    yield from ("", "## Rules, in the document's order · 规则")
    for rules in book.rules.values():
        for rule in rules:
            yield from _rule(rule, cases)
    yield from _inputs(book)
    yield from _limits(book)
    yield from _cases(cases)


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"


def _coverage(book: Rulebook) -> Iterator[str]:
    found = coverage(book)
    rows = ", ".join(f"{name} {count}" for name, count in found.factor_rows.items() if count) or "—"
    cases = ", ".join(f"{name} {count}" for name, count in found.cases.items())
    yield from ("", "## Coverage · 覆盖", "")
    yield f"{len(found.clauses)} clauses modelled 已建模, {found.not_modelled} not 未建模; cases 算例: {cases}; "
    yield f"factor rows 因子行: {rows} (unchecked 未核实 {_percent(found.recalled)})."
    yield from ("", "| clause · 条款 | quantities · 指标 | cases · 算例 |", "|---|---|--:|")
    for item in found.clauses:
        names = ", ".join(f"`{name}`" for name in item.quantities)
        yield f"| {_cell(item.clause)} | {names} | {item.cases or '—'} |"


def _options(book: Rulebook) -> Iterator[str]:
    if not book.options:
        return
    yield from ("", "## Options · 选项", "", "| option | choices (default first) | clause |", "|---|---|---|")
    for spec in book.options.values():
        names = [spec.default, *(name for name in spec.choices if name != spec.default)]
        choices = "<br>".join(f"`{name}` {spec.choices[name].zh} / {spec.choices[name].en}" for name in names)
        yield f"| `{spec.name}` {spec.label.zh} / {spec.label.en} | {choices} | {_cell(spec.clause)} |"


def _rule(rule: Rule, cases: list[Case]) -> Iterator[str]:
    yield from ("", f"### {rule.name}: {rule.label.zh} / {rule.label.en}", "")
    yield from (f"> {rule.clause}: {rule.clause.text}", "")
    yield from ("```python", rule.formula_text, "```", "")
    yield rule.doc
    validity = f"; {rule.validity}" if rule.validity.since or rule.validity.until else ""
    yield from (
        "",
        f"`{rule.unit}` per {rule.grain}{'' if rule.adds else '; a ratio: computed anew at the asked grain'}{validity}",
    )
    used = [
        case.name for case in cases if any(item.get("quantity") == rule.name for item in case.body["expect"])
    ]
    if used:
        yield from ("", "Cases · 用例: " + "; ".join(used))


def _inputs(book: Rulebook) -> Iterator[str]:
    yield from (
        "",
        "## Facts it asks for · 所需事实",
        "",
        "| fact | unit | per | if there is none | clause |",
        "|---|---|---|---|---|",
    )
    for fact in book.facts.values():
        yield f"| `{fact.name}` {fact.label.zh} / {fact.label.en} | {fact.unit} | {fact.grain} | {fact.on_missing} | {_cell(fact.clause)} |"
    yield from (
        "",
        "## Factors · 因子",
        "",
        "| factor | unit | table | rows (recalled) | clause |",
        "|---|---|---|---|---|",
    )
    for factor in book.factors.values():
        table = book.tables.get(factor.table)
        rows = (
            f"{len(table.rows)} ({sum(row.confidence == 'recalled' for row in table.rows)})" if table else ""
        )
        yield (
            f"| `{factor.name}` {factor.label.zh} / {factor.label.en} | {factor.unit} | {factor.table}.{factor.column} | {rows} "
            f"| {_cell(factor.clause)} |"
        )


def _limits(book: Rulebook) -> Iterator[str]:
    yield from ("", "## Not modelled · 未建模", "")
    for item in book.not_modelled:
        yield f"- {item.clause}: {item.what.zh}（{item.why.zh}）/ {item.what.en} ({item.why.en})"
    if book.doubts:
        yield from ("", "## Doubts · 存疑", "")
        for doubt in book.doubts:
            yield f"- {doubt.zh} / {doubt.en}"


def _cases(cases: list[Case]) -> Iterator[str]:
    yield from ("", "## Cases · 用例", "", "| case | period | vouched by |", "|---|---|---|")
    for case in cases:
        vouched = "; ".join(str(value) for value in case.vouched.values())
        yield f"| {_cell(case.name)} | {case.body['period']} | {_cell(vouched)} |"


# -- commands and API --------------------------------------------------------------------------------------------------


def _commands() -> str:
    lines = ["# Commands · 命令行", ""]
    context = click.Context(command_line, info_name="celadon", max_content_width=110, terminal_width=110)
    for name in command_line.list_commands(context):
        command = command_line.get_command(context, name)
        if command is None:
            continue
        lines += [f"## celadon {name}", ""]
        for lang in ("zh", "en"):
            lines += ["```text", _help(command, name, context, lang), "```", ""]
    return "\n".join(lines)


def _help(command: click.Command, name: str, parent: click.Context, lang: str) -> str:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=110, terminal_width=110)
    context.meta["celadon.lang"] = lang
    return command.get_help(context)


def _api() -> str:
    lines = ["# Python", "", inspect.getdoc(celadon) or "", ""]
    for name in sorted(celadon.__all__):
        value = getattr(celadon, name)
        lines += [f"## celadon.{name}", ""]
        if inspect.isclass(value):
            lines += [inspect.getdoc(value) or "", "", *_members(value)]
        elif callable(value):
            lines += [
                f"```python\n{name}{inspect.signature(value)}\n```",
                "",
                inspect.getdoc(value) or "",
                "",
            ]
    return "\n".join(lines)


def _members(value: type[Any]) -> Iterator[str]:
    for name, member in sorted(vars(value).items()):
        if name.startswith("_"):
            continue
        if inspect.isfunction(member):
            yield from (
                f"### {name}",
                "",
                f"```python\n{name}{inspect.signature(member)}\n```",
                "",
                inspect.getdoc(member) or "",
                "",
            )
        elif isinstance(member, property):
            yield from (f"### {name}", "", inspect.getdoc(member) or "", "")


def main(arguments: list[str]) -> int:
    """Write the handbook into the folder named on the command line."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m celadon.handbook OUT_DIR\n")
        return 2
    write(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
