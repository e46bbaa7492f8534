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
from celadon.core.clauses import Document
from celadon.core.findings import SEVERITY_TEXT, FindingKind
from celadon.core.text import Text
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
        "| rulebook 规则册 | document 文件 | clauses 条款 | not modelled 未建模 | cases 算例 (published / recomputed / constructed) | unchecked factors 未核实 |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for name in shipped_ids():
        book = load_rulebook(name)
        found = coverage(book)
        cases = " / ".join(str(count) for count in found.cases.values())
        lines.append(
            f"| [{name}](rulebooks/{name}.md) | {_both(_titled(book.document))} | "
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
        lines.append(f"| clause · 条款 | {_cell(kind.clause.zh)} | {_cell(kind.clause.en)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _both(text: Text | None) -> str:
    """A text for a cell: Chinese and English, once where they are the same."""
    if text is None:
        return ""
    return _cell(text.zh) if text.zh == text.en else f"{_cell(text.zh)} / {_cell(text.en)}"


def _titled(document: Document) -> Text:
    """How a document is cited, and its title."""
    cited, title = document.cited, document.title
    return Text(f"{cited.en} {title.en}", f"{cited.zh} {title.zh}")


# -- rulebooks ---------------------------------------------------------------------------------------------------------


def _rulebook(book: Rulebook, cases: list[Case]) -> Iterator[str]:
    title = _titled(book.document)
    yield from (f"# {book.id}", "", f"**{title.zh}**", "", f"**{title.en}**", "")
    yield from (book.scope.zh, "", book.scope.en, "")
    yield from ("| document · 文件 | in force · 有效期 |", "|---|---|")
    for document in book.documents:
        yield f"| {_both(_titled(document))} | {document.since} .. {document.until or ''} |"
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
        yield f"| {_both(item.clause)} | {names} | {item.cases or '—'} |"


def _options(book: Rulebook) -> Iterator[str]:
    if not book.options:
        return
    yield from (
        "",
        "## Options · 选项",
        "",
        "| option · 选项 | choices · 取值（默认在前 default first） | clause · 条款 |",
        "|---|---|---|",
    )
    for spec in book.options.values():
        names = [spec.default, *(name for name in spec.choices if name != spec.default)]
        choices = "<br>".join(f"`{name}` {spec.choices[name].zh} / {spec.choices[name].en}" for name in names)
        yield f"| `{spec.name}` {_both(spec.label)} | {choices} | {_both(spec.clause)} |"


def _rule(rule: Rule, cases: list[Case]) -> Iterator[str]:
    yield from ("", f"### {rule.name}: {rule.label.zh} / {rule.label.en}", "")
    cited, text = rule.clause.cited, rule.clause.text
    yield from (f"> {cited.zh}：{text.zh}", ">", f"> {cited.en}: {text.en}", "")
    yield from ("```python", rule.formula_text, "```", "")
    yield rule.doc
    validity = f"; {rule.validity}" if rule.validity.since or rule.validity.until else ""
    ratio = "" if rule.adds else "; a ratio: computed anew at the asked grain 比值，按所问粒度重新计算"
    yield from ("", f"`{rule.unit}` per 每 {rule.grain}{ratio}{validity}")
    used = [
        case.name for case in cases if any(item.get("quantity") == rule.name for item in case.body["expect"])
    ]
    if used:
        yield from ("", "Cases · 算例: " + "; ".join(used))


def _inputs(book: Rulebook) -> Iterator[str]:
    yield from (
        "",
        "## Facts it asks for · 所需事实",
        "",
        "| fact · 事实 | unit · 单位 | per · 每 | if there is none · 缺失时 | clause · 条款 |",
        "|---|---|---|---|---|",
    )
    for fact in book.facts.values():
        yield f"| `{fact.name}` {_both(fact.label)} | {fact.unit} | {fact.grain} | {fact.on_missing} | {_both(fact.clause)} |"
    yield from (
        "",
        "## Factors · 因子",
        "",
        "| factor · 因子 | unit · 单位 | table · 表 | rows (recalled) · 行数（未核实） | clause · 条款 |",
        "|---|---|---|---|---|",
    )
    for factor in book.factors.values():
        table = book.tables.get(factor.table)
        rows = (
            f"{len(table.rows)} ({sum(row.confidence == 'recalled' for row in table.rows)})" if table else ""
        )
        yield (
            f"| `{factor.name}` {_both(factor.label)} | {factor.unit} | {factor.table}.{factor.column} | {rows} "
            f"| {_both(factor.clause)} |"
        )


def _limits(book: Rulebook) -> Iterator[str]:
    yield from ("", "## Not modelled · 未建模", "")
    for item in book.not_modelled:
        zh, en = (f"{item.clause.zh}：", f"{item.clause.en}: ") if item.clause else ("", "")
        yield f"- {zh}{item.what.zh}（{item.why.zh}）<br>{en}{item.what.en} ({item.why.en})"
    if book.doubts:
        yield from ("", "## Doubts · 存疑", "")
        for doubt in book.doubts:
            yield f"- {doubt.zh}<br>{doubt.en}"


def _cases(cases: list[Case]) -> Iterator[str]:
    yield from (
        "",
        "## Cases · 算例",
        "",
        "| case · 算例 | period · 期间 | vouched by · 由谁证明 |",
        "|---|---|---|",
    )
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
