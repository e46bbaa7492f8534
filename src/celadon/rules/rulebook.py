"""Rulebook: one folder (about, quantities, chapters, tables, cases), loaded lazily and checked.

Chapter files are data and pure functions: they may import from `celadon.rules` only, see no builtins beyond a few pure
ones, hold no loops, and are refused when they are over-long. Loading touches no fact.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from celadon.core.clauses import Document
from celadon.core.findings import FindingError, FindingKind, Findings, Place, Severity
from celadon.core.quantities import GrainKey, parse_grain
from celadon.core.text import Text, TextError, text_from, text_of
from celadon.core.units import Unit, UnitError, did_you_mean, parse_unit
from celadon.rules import expr as language
from celadon.rules.expr import FormulaError
from celadon.rules.factors import FactorTable, read_table
from celadon.rules.rule import Chapter, Rule

RULEBOOK_UNREADABLE = FindingKind(
    "rulebook.unreadable",
    Severity.ERROR,
    Text(en="Rulebook file cannot be read", zh="规则册文件无法读取"),
    Text(en="The rulebook cannot be used: {why}.", zh="规则册不可用：{why}。"),
    Text(
        en="Correct the file named; the house of a rulebook is described in docs/add-a-standard.md.",
        zh="请更正所列文件；规则册结构见 docs/add-a-standard.md。",
    ),
)
RULEBOOK_UNKNOWN = FindingKind(
    "rulebook.unknown",
    Severity.ERROR,
    Text(en="Unknown rulebook", zh="未知规则册"),
    Text(en="There is no rulebook “{id}”{hint}.", zh="没有规则册“{id}”{hint}。"),
    Text(
        en="`celadon rulebooks` lists those there are; a folder of your own is given as a path.",
        zh="用 `celadon rulebooks` 查看可用规则册；自有规则册请给出文件夹路径。",
    ),
)
RULEBOOK_KEY = FindingKind(
    "rulebook.key",
    Severity.ERROR,
    Text(en="Key missing or unknown", zh="键缺失或未知"),
    Text(en="In {what}: {why}.", zh="{what} 中：{why}。"),
    Text(en="Correct the key; unknown keys are never ignored.", zh="请更正该键；未知键不会被忽略。"),
)
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

SITE_TABLE = "@site"
"""Stands for the plant's own sites: a factor may read a column of theirs, such as equity_share."""
PREFIX = "prefix:"
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


@dataclass(frozen=True, slots=True)
class FactSpec:
    """A fact the rulebook asks for. `on_missing`: absent, or not_applicable (the plant declares no such flow)."""

    name: str
    label: Text
    unit: Unit
    grain: GrainKey
    adds: bool
    on_missing: str
    clause: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class FactorSpec:
    """A factor looked up in a table: which column, which keys, and what to do where no row holds."""

    name: str
    label: Text
    unit: Unit
    table: str
    column: str
    keys: tuple[tuple[str, str], ...]
    """(table column, selector): a grain key, `prefix:<grain key>` (the row with the longest leading part of the word, as
    customs codes are read), `site.region`, `option:<name>` or `=constant`."""
    on_gap: str
    clause: str
    doc: str = ""

    @property
    def row_keys(self) -> tuple[str, ...]:
        """Grain keys that select the row (carrier, gas …), sorted."""
        return tuple(
            sorted(
                sel.removeprefix(PREFIX)
                for _, sel in self.keys
                if not _fixed(sel) and not sel.startswith("site.")
            )
        )

    @property
    def prefix_keys(self) -> frozenset[str]:
        """Grain keys whose row is that of the longest leading part there is."""
        return frozenset(sel.removeprefix(PREFIX) for _, sel in self.keys if sel.startswith(PREFIX))


def _fixed(selector: str) -> bool:
    return selector.startswith(("=", "option:"))


@dataclass(frozen=True, slots=True)
class OptionSpec:
    name: str
    label: Text
    choices: Mapping[str, Text]
    default: str
    clause: str


@dataclass(frozen=True, slots=True)
class NotModelled:
    clause: str
    what: Text
    why: Text


@dataclass(frozen=True)
class Rulebook:
    """One standard, ready to compile; immutable."""

    id: str
    edition: str
    documents: tuple[Document, ...]
    scope: Text
    totals: tuple[str, ...]
    options: Mapping[str, OptionSpec]
    facts: Mapping[str, FactSpec]
    factors: Mapping[str, FactorSpec]
    rules: Mapping[str, tuple[Rule, ...]]
    tables: Mapping[str, FactorTable]
    not_modelled: tuple[NotModelled, ...]
    doubts: tuple[Text, ...]
    folder: Path
    digest: str
    findings: Findings = field(default_factory=Findings)

    @property
    def document(self) -> Document:
        return self.documents[0]

    def label(self, name: str) -> Text:
        """The label of a rule, fact or factor."""
        if name in self.rules:
            return self.rules[name][0].label
        spec = self.facts.get(name) or self.factors.get(name)
        return spec.label if spec else Text(name, name)

    def known_names(self) -> list[str]:
        return [*self.rules, *self.facts, *self.factors]


SHIPPED = Path(__file__).resolve().parent.parent / "rulebooks"


def shipped_ids() -> list[str]:
    """Ids of the rulebooks that come with Celadon; reads no rulebook."""
    return sorted(folder.name for folder in SHIPPED.iterdir() if (folder / "about.yaml").is_file())


def find_rulebook(name: str) -> Path:
    """The folder of a shipped rulebook or of a path (FindingError when there is none)."""
    if "/" in name or "\\" in name or name.startswith("."):
        folder = Path(name).expanduser()
    else:
        folder = SHIPPED / name
    if not (folder / "about.yaml").is_file():
        raise FindingError(
            RULEBOOK_UNKNOWN.at(Place(subject=name), id=name, hint=did_you_mean(name, shipped_ids()))
        )
    return folder


def load_rulebook(name: str | Path) -> Rulebook:
    """Load a rulebook by id or folder. Raises FindingError only when it cannot be used at all; lesser faults stay in
    `.findings` (see `rules.check.check_rulebook`)."""
    folder = name if isinstance(name, Path) else find_rulebook(name)
    findings = Findings()
    about = _yaml(folder / "about.yaml")
    quantities = _yaml(folder / "quantities.yaml")
    documents = tuple(_each(about.get("documents"), _document, folder, findings))
    if not documents:
        raise FindingError(
            RULEBOOK_UNREADABLE.at(
                Place(file=str(folder / "about.yaml")), why=Text("documents: is empty", "documents: 为空")
            )
        )
    _only(
        about,
        ("id", "documents", "edition", "scope", "totals", "options", "not_modelled", "doubts"),
        folder,
        "about.yaml",
        findings,
    )
    _only(quantities, ("facts", "factors"), folder, "quantities.yaml", findings)
    facts = _specs(quantities.get("facts"), _fact, folder, findings)
    factors = _specs(quantities.get("factors"), _factor, folder, findings)
    rules = _chapters(folder, {document.number: document for document in documents}, findings)
    names = dict.fromkeys(spec.table for spec in factors.values() if spec.table != SITE_TABLE)
    tables = {table: _table(folder, table, findings) for table in names}
    return Rulebook(
        id=str(about.get("id", folder.name)),
        edition=str(about.get("edition", "")),
        documents=documents,
        scope=next(
            iter(_each([about.get("scope", folder.name)], _doubt, folder, findings)),
            Text(folder.name, folder.name),
        ),
        totals=tuple(str(item) for item in about.get("totals") or ()),
        options=_specs(about.get("options"), _option, folder, findings),
        facts=facts,
        factors=factors,
        rules=rules,
        tables={key: table for key, table in tables.items() if table is not None},
        not_modelled=tuple(_each(about.get("not_modelled"), _not_modelled, folder, findings)),
        doubts=tuple(_each(about.get("doubts"), _doubt, folder, findings)),
        folder=folder,
        digest=folder_digest(folder),
        findings=findings,
    )


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and contents of everything but the cases: what an answer depends on."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".yaml", ".py", ".csv") and path.parent.name != "cases":
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """A YAML file's plain content (FindingError when it cannot be read); C speed where libyaml is there."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  (both are safe loaders)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = text_of(error)
        if isinstance(error, yaml.YAMLError):
            words = " ".join(str(error).split())
            why = Text(words, f"YAML 语法错误，原文“{words}”")
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=why)) from error


def _yaml(path: Path) -> dict[str, Any]:
    value = read_yaml(path)
    if not isinstance(value, dict):
        raise FindingError(
            RULEBOOK_UNREADABLE.at(
                Place(file=str(path)), why=Text("the file is no mapping", "文件不是键值映射")
            )
        )
    return value


def _each(section: Any, read: Any, folder: Path, findings: Findings) -> list[Any]:
    """Read every item of a list; a bad one is a Finding and is left out."""
    found = []
    for number, item in enumerate(section if isinstance(section, list) else [section] if section else []):
        try:
            found.append(read(item, folder, findings))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            what = Text(f"item {number + 1}", f"第 {number + 1} 项")
            findings.add(RULEBOOK_KEY.at(Place(file=str(folder / "about.yaml")), what=what, why=_why(error)))
    return found


def _doubt(body: Any, _folder: Path, _findings: Findings) -> Text:
    return text_from(body)


def _only(
    mapping: Mapping[str, Any], known: tuple[str, ...], folder: Path, what: str, findings: Findings
) -> None:
    for name in mapping:
        if name not in known:
            hint = did_you_mean(str(name), known)
            why = Text(f"unknown key “{name}”{hint.en}", f"未知键“{name}”{hint.zh}")
            findings.add(RULEBOOK_KEY.at(Place(file=str(folder)), what=what, why=why))


def _specs(section: Any, read: Any, folder: Path, findings: Findings) -> dict[str, Any]:
    specs: dict[str, Any] = {}
    for name, body in (section or {}).items():
        try:
            specs[name] = read(name, dict(body), folder, findings)
        except (KeyError, ValueError, TypeError) as error:
            where = Place(file=str(folder), subject=str(name))
            findings.add(RULEBOOK_KEY.at(where, what=str(name), why=_why(error)))
    return specs


def _why(error: Exception) -> Text:
    if isinstance(error, KeyError):
        return Text(f"{error.args[0]} is missing", f"缺少 {error.args[0]}")
    return text_of(error)


def _document(body: dict[str, Any], folder: Path, findings: Findings) -> Document:
    _only(body, ("number", "title", "since", "until"), folder, "documents", findings)
    return Document(
        str(body["number"]),
        text_from(body["title"]),
        _day(body.get("since")) or date.min,
        _day(body.get("until")),
    )


def _day(value: Any) -> date | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _unit(text: Any) -> Unit:
    try:
        return parse_unit(str(text))
    except UnitError as error:
        raise TextError(Text(f"unit: {error.text.en}", f"unit：{error.text.zh}")) from error


def _fact(name: str, body: dict[str, Any], folder: Path, findings: Findings) -> FactSpec:
    _only(body, ("label", "unit", "grain", "adds", "on_missing", "clause", "doc"), folder, name, findings)
    on_missing = str(body.get("on_missing", "absent"))
    if on_missing not in ("absent", "not_applicable"):
        raise TextError(
            Text(
                f"on_missing is absent or not_applicable, not {on_missing}",
                f"on_missing 应为 absent 或 not_applicable，而非 {on_missing}",
            )
        )
    if on_missing == "not_applicable" and not body.get("clause"):
        raise TextError(
            Text(
                "on_missing: not_applicable needs the clause that allows it",
                "on_missing: not_applicable 须注明允许的条款",
            )
        )
    return FactSpec(
        name,
        text_from(body["label"]),
        _unit(body["unit"]),
        parse_grain(str(body["grain"])),
        bool(body.get("adds", True)),
        on_missing,
        str(body.get("clause", "")),
        str(body.get("doc", "")),
    )


def _factor(name: str, body: dict[str, Any], folder: Path, findings: Findings) -> FactorSpec:
    _only(
        body, ("label", "unit", "table", "column", "keys", "on_gap", "clause", "doc"), folder, name, findings
    )
    on_gap = str(body.get("on_gap", "error"))
    if on_gap not in ("error", "absent", "latest_earlier", "next"):
        raise TextError(
            Text(
                f"on_gap is error, absent, latest_earlier or next, not {on_gap}",
                f"on_gap 应为 error、absent、latest_earlier 或 next，而非 {on_gap}",
            )
        )
    keys = tuple((str(column), str(selector)) for column, selector in (body.get("keys") or {}).items())
    return FactorSpec(
        name,
        text_from(body["label"]),
        _unit(body["unit"]),
        str(body["table"]),
        str(body["column"]),
        keys,
        on_gap,
        str(body.get("clause", "")),
        str(body.get("doc", "")),
    )


def _option(name: str, body: dict[str, Any], folder: Path, findings: Findings) -> OptionSpec:
    _only(body, ("label", "choices", "default", "clause"), folder, name, findings)
    choices = {str(choice): text_from(label) for choice, label in dict(body["choices"]).items()}
    default = str(body["default"])
    if default not in choices:
        listed = ", ".join(choices)
        raise TextError(
            Text(f"default {default} is no choice of {listed}", f"default {default} 不在取值 {listed} 之中")
        )
    return OptionSpec(name, text_from(body["label"]), choices, default, str(body.get("clause", "")))


def _not_modelled(body: dict[str, Any], folder: Path, findings: Findings) -> NotModelled:
    _only(body, ("clause", "what", "why"), folder, "not_modelled", findings)
    return NotModelled(
        str(body.get("clause", "")), text_from(body.get("what", "")), text_from(body.get("why", ""))
    )


def _table(folder: Path, name: str, findings: Findings) -> FactorTable | None:
    path = folder / "tables" / f"{name}.csv"
    try:
        return read_table(name, path.read_text(encoding="utf-8"), str(path), findings)
    except (OSError, UnicodeDecodeError) as error:
        findings.add(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=text_of(error)))
        return None


def _chapters(
    folder: Path, documents: dict[str, Document], findings: Findings
) -> dict[str, tuple[Rule, ...]]:
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
    "choose", "constant", "document", "first_given", "key", "ln", "maximum", "minimum", "option", "power", "rounded", "sum_of", "total",
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
