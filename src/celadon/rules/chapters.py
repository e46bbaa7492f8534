"""Chapter files: plain rules run in a namespace of their own, after their syntax tree passed a whitelist.

They may import from `celadon.rules` only, see no builtins, hold no loops, and are refused when they are over-long.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from celadon.core.clauses import Document
from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.text import Text, text_of
from celadon.rules import expr as language
from celadon.rules.expr import FormulaError
from celadon.rules.rule import Chapter, Rule

CHAPTER_REFUSED = FindingKind(
    "rulebook.chapter-refused",
    Severity.ERROR,
    Text(en="Chapter file refused", zh="章节文件被拒绝"),
    Text(en="The chapter is not plain rules: {why}.", zh="章节文件不是纯规则：{why}。"),
    Text(
        en="A chapter imports only from celadon.rules and holds documents, clauses and one-expression functions.",
        zh="章节文件只能从 celadon.rules 导入，只含文件、条款与单表达式函数。",
    ),
)

MAX_CHAPTER_BYTES = 200_000
MAX_FORMULA_NODES = 2_000
_ALLOWED = (
    ast.Module,
    ast.ImportFrom,
    ast.alias,
    ast.Assign,
    ast.Name,
    ast.Store,
    ast.Load,
    ast.Expr,
    ast.Constant,
    ast.Call,
    ast.keyword,
    ast.Attribute,
    ast.FunctionDef,
    ast.arguments,
    ast.arg,
    ast.Return,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Tuple,
    ast.Dict,
    ast.List,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.USub,
    ast.Invert,
    ast.BitAnd,
    ast.BitOr,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.AnnAssign,
)
_ATTRIBUTES = {"clause", "rule", "isin"}


def read_chapters(
    folder: Path, documents: dict[str, Document], findings: Findings
) -> dict[str, tuple[Rule, ...]]:
    """The rules of a folder's chapter files by name, in the documents' order; what is refused becomes Findings."""
    rules: dict[str, list[Rule]] = {}
    for path in sorted(folder.glob("s*.py"), key=lambda item: _chapter_order(item.stem)):
        for rule in _chapter(path, documents, findings):
            rules.setdefault(rule.name, []).append(rule)
    return {name: tuple(items) for name, items in rules.items()}


def _chapter_order(stem: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (10**6, part) for part in stem.lstrip("s").split("_"))


def _chapter(path: Path, documents: dict[str, Document], findings: Findings) -> list[Rule]:
    try:
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source, filename=str(path))
        _refuse_unsafe(tree, source)
    except (SyntaxError, UnicodeDecodeError, FormulaError) as error:
        line = getattr(error, "lineno", None)
        findings.add(CHAPTER_REFUSED.at(Place(file=str(path), line=line), why=text_of(error)))
        return []
    statements = [item for item in tree.body if not isinstance(item, ast.ImportFrom)]
    try:
        return _run(path, statements, documents)
    except _REFUSED:
        return _run_apart(path, statements, documents, findings)


_REFUSED = (FormulaError, TypeError, NameError, AttributeError, ValueError, RecursionError)


def _run(path: Path, statements: list[ast.stmt], documents: dict[str, Document]) -> list[Rule]:
    """Run a whole chapter at once: how a chapter without faults loads."""
    chapter, space = _chapter_space(path, statements, documents)
    exec(compile(ast.Module(statements, []), str(path), "exec"), space)  # noqa: S102  (whitelisted above)
    return chapter.rules


def _run_apart(
    path: Path, statements: list[ast.stmt], documents: dict[str, Document], findings: Findings
) -> list[Rule]:
    """Run a chapter statement by statement, so that one bad rule is one Finding and the others stand."""
    chapter, space = _chapter_space(path, statements, documents)
    for statement in statements:
        try:
            exec(compile(ast.Module([statement], []), str(path), "exec"), space)  # noqa: S102  (whitelisted above)
        except _REFUSED as error:
            place = Place(file=str(path), line=statement.lineno, subject=getattr(statement, "name", None))
            findings.add(CHAPTER_REFUSED.at(place, why=text_of(error)))
    return chapter.rules


def _chapter_space(
    path: Path, statements: list[ast.stmt], documents: dict[str, Document]
) -> tuple[Chapter, dict[str, Any]]:
    """A fresh chapter, and the names its file sees: the rule language and nothing else."""
    chapter = Chapter(documents, file=str(path))
    for item in statements:
        if isinstance(item, ast.FunctionDef):
            # CPython reports the first decorator's line as the function's first line.
            lines = [item.lineno, *(decorator.lineno for decorator in item.decorator_list)]
            chapter.sources.update(dict.fromkeys(lines, item))
    space: dict[str, Any] = {"__builtins__": {}, "document": chapter.document}
    space.update({name: getattr(language, name) for name in _LANGUAGE if name != "document"})
    return chapter, space


_LANGUAGE = (
    "at_key", "choose", "constant", "document", "first_given", "key", "ln", "maximum", "minimum", "option", "power", "rounded", "sum_of", "total",
)  # fmt: skip


def _refuse_unsafe(tree: ast.Module, source: str) -> None:
    """Only what rules need: no loops, no imports but the language, no private names, no foreign attributes."""
    if len(source.encode()) > MAX_CHAPTER_BYTES:
        raise FormulaError(Text(f"longer than {MAX_CHAPTER_BYTES} bytes", f"超过 {MAX_CHAPTER_BYTES} 字节"))
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            word = type(node).__name__
            raise _at(node, f"{word} is not part of the rule language", f"{word} 不属于规则语言")
        if isinstance(node, ast.ImportFrom):
            if node.module not in ("celadon.rules", "__future__"):
                raise _at(node, f"import from {node.module}", f"从 {node.module} 导入")
            for alias in node.names:
                if node.module == "celadon.rules" and (alias.name not in _LANGUAGE or alias.asname):
                    zh = f"celadon.rules 没有规则词 {alias.name!r}"
                    raise _at(node, f"celadon.rules has no rule word {alias.name!r}", zh)
        if isinstance(node, ast.Attribute) and node.attr not in _ATTRIBUTES:
            raise _at(node, f"attribute .{node.attr}", f"属性 .{node.attr}")
        if isinstance(node, ast.Name) and node.id.startswith("__"):
            raise _at(node, f"name {node.id}", f"名称 {node.id}")
        if isinstance(node, ast.FunctionDef):
            _refuse_function(node)


def _refuse_function(node: ast.FunctionDef) -> None:
    body = [
        item
        for item in node.body
        if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
    ]
    if (
        not body
        or not isinstance(body[-1], ast.Return)
        or not all(isinstance(item, ast.Assign) for item in body[:-1])
    ):
        raise _at(
            node,
            f"{node.name}: a rule is named intermediate values and one return",
            f"{node.name}：规则只含命名的中间量与一个 return",
        )
    if not ast.get_docstring(node):
        raise _at(
            node,
            f"{node.name}: a rule says in one sentence what it computes (docstring)",
            f"{node.name}：规则须用一句话说明所算内容（docstring）",
        )
    if sum(1 for _ in ast.walk(node)) > MAX_FORMULA_NODES:
        raise _at(node, f"{node.name}: the formula is over-long", f"{node.name}：公式过长")


def _at(node: ast.AST, en: str, zh: str) -> FormulaError:
    error = FormulaError(Text(en, zh))
    error.lineno = getattr(node, "lineno", None)  # type: ignore[attr-defined]
    return error
