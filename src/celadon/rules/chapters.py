"""Chapter files: Python syntax, but only rules. Refused before they run unless they are data and pure functions.

A chapter runs with no builtins and the rule language's words as its only names. Its syntax tree has passed a whitelist:
no loops, no other attributes, no plain values in variables, no calls but of the language's words. So it can read no
file, no clock and no network, and what it builds is bounded by its own length.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celadon.core.clauses import Document
from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.text import Text, text_of
from celadon.rules import expr as language
from celadon.rules.expr import FormulaError, Node
from celadon.rules.reading import over_limit
from celadon.rules.rule import WORD, Chapter, Rule

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

MAX_FORMULA_NODES = 2_000
MAX_DEPTH = 60
MAX_NODES = 10**9
MAX_RULES = 1_000
MAX_TEXT = 4_000
MAX_WHOLE_NUMBER = 10**15
_ALLOWED: frozenset[type[ast.AST]] = frozenset((
    ast.Module, ast.ImportFrom, ast.alias, ast.Assign, ast.Name, ast.Store, ast.Load, ast.Expr, ast.Constant, ast.Call,
    ast.keyword, ast.Attribute, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.BinOp, ast.UnaryOp, ast.Compare,
    ast.Tuple, ast.Dict, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub, ast.Invert, ast.BitAnd, ast.BitOr, ast.Eq,
    ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
))  # fmt: skip
_NO_NODES = {
    "ctx", "id", "attr", "lineno", "name", "asname", "arg", "kind", "level", "module", "type_comment",
}  # fmt: skip
_BELOW: dict[type[ast.AST], tuple[str, ...]] = {
    kind: () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _NO_NODES)
    for kind in _ALLOWED
}
"""Where nodes may stand below one; Load and Store, a third of all, have nothing to check."""
_ATTRIBUTES = {"clause", "rule", "isin"}
_LANGUAGE = (
    "at_key", "choose", "constant", "document", "first_given", "key", "ln", "maximum", "minimum", "option", "power", "rounded", "sum_of", "total",
)  # fmt: skip
_PLAIN = (ast.Constant, ast.Tuple, ast.Dict)
_VALUES = (str, int, float, type(None))
_REFUSED = (
    FormulaError, TypeError, NameError, AttributeError, ValueError, KeyError, OverflowError, RecursionError, MemoryError,
)  # fmt: skip


def read_chapters(
    folder: Path, contents: Mapping[str, bytes], documents: dict[str, Document], findings: Findings
) -> dict[str, tuple[Rule, ...]]:
    """The rules of every chapter in the document's order, by name; what is refused becomes Findings."""
    rules: dict[str, list[Rule]] = {}
    count = 0
    names = [name for name in contents if name.startswith("s") and name.endswith(".py")]
    for name in sorted(names, key=_chapter_order):
        for rule in _chapter(folder / name, contents[name], documents, findings):
            count += 1
            rules.setdefault(rule.name, []).append(rule)
    if count > MAX_RULES:
        findings.add(over_limit(folder, Text("rules", "规则数"), count, MAX_RULES))
        return {}
    return {name: tuple(items) for name, items in rules.items()}


def _chapter_order(name: str) -> tuple[tuple[int, str], ...]:
    stem = name.removesuffix(".py").lstrip("s")
    return tuple((int(part), "") if part.isdecimal() else (10**6, part) for part in stem.split("_"))


def _chapter(path: Path, content: bytes, documents: dict[str, Document], findings: Findings) -> list[Rule]:
    try:
        tree = ast.parse(content.decode("utf-8"), filename=str(path))
        _refuse_unsafe(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        findings.add(CHAPTER_REFUSED.at(Place(file=str(path), line=line), why=_why(error)))
        return []
    statements = [item for item in tree.body if not isinstance(item, ast.ImportFrom)]
    try:
        rules = _run(path, statements, documents)
    except _REFUSED:
        rules = _run_apart(path, statements, documents, findings)
    return [rule for rule in rules if _bounded(rule, findings)]


def _why(error: BaseException) -> Text:
    if isinstance(error, RecursionError | MemoryError):
        return Text("it is nested too deep", "嵌套过深")
    return text_of(error)


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
            findings.add(CHAPTER_REFUSED.at(place, why=_why(error)))
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


def _bounded(rule: Rule, findings: Findings) -> bool:
    """Whether a formula written out stays within its limits: named parts used twice count twice."""
    for tree in (rule.formula, rule.when):
        if tree is None:
            continue
        size, depth = extent(tree)
        for what, found, limit in (
            (Text("terms of a formula", "公式项数"), size, MAX_FORMULA_NODES),
            (Text("levels of a formula", "公式层数"), depth, MAX_DEPTH),
        ):
            if found > limit:
                findings.add(over_limit(rule.place.file or "", what, found, limit, rule.place.line))
                return False
    return True


def extent(tree: Node) -> tuple[int, int]:
    """How many nodes a tree has when written out, and how deep it is; shared parts are visited once."""
    known: dict[int, tuple[int, int]] = {}
    waiting: list[tuple[Node, tuple[Node, ...] | None]] = [(tree, None)]
    while waiting:
        node, children = waiting.pop()
        if children is None:
            if id(node) in known:
                continue
            children = node.children()
            if children:
                waiting.append((node, children))
                waiting += [(child, None) for child in children if id(child) not in known]
                continue
        sizes = [known[id(child)] for child in children]
        known[id(node)] = (
            1 + sum([size for size, _ in sizes]),
            1 + max([deep for _, deep in sizes], default=0),
        )
    return known[id(tree)]


# -- the whitelist -----------------------------------------------------------------------------------------------------


def _refuse_unsafe(tree: ast.Module) -> None:
    """Only what rules need: no loops, no imports but the language, no private names, no foreign attributes."""
    for statement in tree.body:
        _look_through(statement, MAX_FORMULA_NODES if isinstance(statement, ast.FunctionDef) else MAX_NODES)


def _look_through(statement: ast.stmt, most: int) -> None:
    """Each node of a statement by itself: its kind, how deep it stands, and that there are at most so many."""
    waiting: list[tuple[ast.AST, int]] = [(statement, 1)]
    while waiting:
        node, depth = waiting.pop()
        kind = type(node)
        if kind not in _BELOW:
            en, zh = f"{kind.__name__} is not part of the rule language", f"{kind.__name__} 不属于规则语言"
            raise _at(node, en, zh)
        most -= 1
        if most < 0:
            raise _at(node, "the formula is over-long", "公式过长")
        if depth > MAX_DEPTH:
            raise _at(node, "it is nested too deep", "嵌套过深")
        check = _CHECKS.get(kind)
        if check is not None:
            check(node)
        below, parts = depth + 1, node.__dict__
        for name in _BELOW[kind]:
            value: Any = parts.get(name)
            if type(value) is list:
                waiting += [(item, below) for item in value if item is not None]
            elif value is not None:
                waiting.append((value, below))


def _import(node: ast.ImportFrom) -> None:
    if node.module not in ("celadon.rules", "__future__") or node.level:
        raise _at(node, f"import from {node.module}", f"从 {node.module} 导入")
    for alias in node.names:
        if node.module == "celadon.rules" and (alias.name not in _LANGUAGE or alias.asname):
            zh = f"celadon.rules 没有规则词 {alias.name!r}"
            raise _at(node, f"celadon.rules has no rule word {alias.name!r}", zh)


def _attribute(node: ast.Attribute) -> None:
    if node.attr not in _ATTRIBUTES:
        raise _at(node, f"attribute .{node.attr[:80]}", f"属性 .{node.attr[:80]}")


def _name(node: ast.Name) -> None:
    if node.id.startswith("_"):
        raise _at(node, f"name {node.id[:80]}", f"名称 {node.id[:80]}")


def _call(node: ast.Call) -> None:
    """Only the language is called: a rule that called another could double its work at every step."""
    called = node.func
    if not isinstance(called, ast.Attribute) and not (
        isinstance(called, ast.Name) and called.id in _LANGUAGE
    ):
        said = ast.unparse(called)[:80]
        raise _at(node, f"{said}() is no word of the rule language", f"{said}() 不是规则语言的词")
    if any(keyword.arg is None for keyword in node.keywords):
        raise _at(node, "** is not part of the rule language", "** 不属于规则语言")


def _assign(node: ast.Assign) -> None:
    """One name, and nothing plain: a number or text in a variable could be multiplied into something huge."""
    target = node.targets[0]
    if len(node.targets) != 1 or not isinstance(target, ast.Name) or not _own_name(target.id):
        raise _at(node, "one name of your own is given to one value", "一次只为一个自定名称赋值")
    if isinstance(node.value, _PLAIN):
        raise _at(
            node, f"{target.id}: a plain value is no intermediate", f"{target.id}：普通数值不能作中间量"
        )


def _own_name(name: str) -> bool:
    return bool(WORD.match(name)) and name not in _LANGUAGE


def _operands(node: ast.BinOp | ast.Compare) -> None:
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.left, *node.comparators]
    for side in sides:
        text = isinstance(side, ast.Constant) and isinstance(side.value, str | bytes)
        if isinstance(side, ast.Tuple | ast.Dict) or (text and isinstance(node, ast.BinOp)):
            raise _at(node, "texts and lists are no operands", "文字与列表不能参与运算")
    if all(isinstance(side, ast.Constant) for side in sides):
        raise _at(
            node,
            "numbers come from facts, factor tables or constant()",
            "数值须来自事实、因子表或 constant()",
        )


def _constant(node: ast.Constant) -> None:
    value = node.value
    if type(value) is str and len(value) <= MAX_TEXT:
        return
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise _at(node, f"a text of {len(value)} characters", f"文字长达 {len(value)} 个字符")
    if isinstance(value, int) and abs(value) > MAX_WHOLE_NUMBER:
        raise _at(node, "a number beyond 10^15", "数值超过 10^15")
    if not isinstance(value, _VALUES):
        raise _at(
            node, f"{type(value).__name__} is no value of a rule", f"{type(value).__name__} 不是规则的数值"
        )


def _function(node: ast.FunctionDef) -> None:
    body = [
        item
        for item in node.body
        if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
    ]
    name, inputs = node.name[:80], node.args
    if (
        not body
        or not isinstance(body[-1], ast.Return)
        or not all(isinstance(item, ast.Assign) for item in body[:-1])
    ):
        en = f"{name}: a rule is named intermediate values and one return"
        raise _at(node, en, f"{name}：规则只含命名的中间量与一个 return")
    if not ast.get_docstring(node):
        en = f"{name}: a rule says in one sentence what it computes (docstring)"
        raise _at(node, en, f"{name}：规则须用一句话说明所算内容（docstring）")
    hooks = node.decorator_list
    if len(hooks) != 1 or not (
        isinstance(hooks[0], ast.Call)
        and isinstance(hooks[0].func, ast.Attribute)
        and hooks[0].func.attr == "rule"
    ):
        raise _at(
            node,
            f"{name}: a rule hangs on one clause: @clause.rule(…)",
            f"{name}：规则须挂在一个条款上：@clause.rule(…)",
        )
    if (
        inputs.posonlyargs
        or inputs.kwonlyargs
        or inputs.vararg
        or inputs.kwarg
        or inputs.defaults
        or node.returns
    ):
        raise _at(node, f"{name}: inputs are plain names", f"{name}：输入须为普通名称")
    for word in (node.name, *(item.arg for item in inputs.args)):
        if not _own_name(word):
            en = f"“{word[:80]}” is no name: small letters, digits and _, and no word of the language"
            raise _at(node, en, f"“{word[:80]}”不能作名称：须为小写字母、数字与下划线，且不是规则语言的词")


_CHECKS: dict[type[ast.AST], Any] = {
    ast.ImportFrom: _import,
    ast.Attribute: _attribute,
    ast.Name: _name,
    ast.Call: _call,
    ast.Assign: _assign,
    ast.BinOp: _operands,
    ast.Compare: _operands,
    ast.Constant: _constant,
    ast.FunctionDef: _function,
}


def _at(node: ast.AST, en: str, zh: str) -> FormulaError:
    error = FormulaError(Text(en, zh))
    error.lineno = getattr(node, "lineno", None)  # type: ignore[attr-defined]
    return error
