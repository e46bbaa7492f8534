"""Rule: one formula of one clause; and the small decorator language chapters are written in."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import field
from datetime import date
from functools import cached_property
from typing import Any

from celadon.core.clauses import Clause, Document
from celadon.core.dataclass import dataclass
from celadon.core.findings import Place
from celadon.core.periods import Validity
from celadon.core.quantities import GrainKey, parse_grain
from celadon.core.text import Text, TextError, text_from, text_of
from celadon.core.units import Unit, UnitError, parse_unit
from celadon.rules.expr import Condition, Expr, FormulaError, Ref

WORD = re.compile(r"[a-z][a-z0-9_]{0,79}\Z", re.ASCII)
"""Names of rules, facts, factors, options, keys and columns: they become columns of a query."""
Formula = Callable[..., Expr]


@dataclass(frozen=True, eq=False)
class Rule:
    """One formula of one clause: gives `name` in `unit` per `grain` while `validity` holds and `when` is true."""

    name: str
    clause: Clause
    unit: Unit
    grain: GrainKey
    label: Text
    adds: bool
    validity: Validity
    when: Condition | None
    exception_to: str | None
    not_negative: bool
    """Whether a result below zero cannot be: one that is gets a Finding."""
    needs: tuple[str, ...]
    formula: Expr
    source: ast.FunctionDef | None
    doc: str
    place: Place

    @cached_property
    def formula_text(self) -> str:
        """The right-hand side as written, intermediate names kept as `name = …;`."""
        return _formula_text(self.source) if self.source else ""


@dataclass(slots=True)
class Chapter:
    """What one chapter file declares while it runs; handed to it as its whole world."""

    documents: dict[str, Document]
    rules: list[Rule] = field(default_factory=list)
    file: str = ""
    sources: dict[int, ast.FunctionDef] = field(default_factory=dict)
    """Line of the `def` -> its syntax tree, for the formula's text."""

    def document(self, number: object) -> Standard:
        if not isinstance(number, str) or number not in self.documents:
            known = ", ".join(self.documents)
            raise FormulaError(
                Text(
                    f"document {number!r} is not listed in about.yaml (listed: {known})",
                    f"文件 {number!r} 未列入 about.yaml（已列：{known}）",
                )
            )
        return Standard(self, self.documents[number])


@dataclass(frozen=True)
class Standard:
    """A document as a chapter sees it: `standard.clause("5.2", {"zh": "…", "en": "paraphrase"})`."""

    chapter: Chapter
    document: Document

    def clause(self, ref: str | dict[str, str], text: str | dict[str, str]) -> RuleClause:
        """A place in the document and what it says; a plain text is the same in both languages."""
        return RuleClause(self.chapter, Clause(self.document, _both(ref), _both(text)))


@dataclass(frozen=True)
class RuleClause:
    """A clause on which rules hang."""

    chapter: Chapter
    clause: Clause

    def rule(
        self,
        *,
        unit: str,
        per: str,
        label: dict[str, str],
        adds: bool = True,
        since: str | None = None,
        until: str | None = None,
        when: Condition | None = None,
        exception_to: str | None = None,
        not_negative: bool = False,
    ) -> Callable[[Formula], Formula]:
        """Declare the function below as the formula of this clause."""
        _texts(unit, per, *(item for item in (since, until, exception_to) if item is not None))
        parsed_label = _both(label)
        try:
            parsed_unit, grain = parse_unit(unit), grain_of(per)
            validity = Validity(_date(since), _date(until))
        except (UnitError, ValueError) as error:
            raise FormulaError(text_of(error)) from error
        if when is not None and not isinstance(when, Condition):
            raise FormulaError(
                Text(
                    "when= takes a condition such as key('carrier') == 'electricity'",
                    "when= 需要条件，例如 key('carrier') == 'electricity'",
                )
            )

        def hang(function: Formula) -> Formula:
            self.chapter.rules.append(
                _build(
                    self,
                    function,
                    parsed_unit,
                    grain,
                    parsed_label,
                    adds,
                    validity,
                    when,
                    exception_to,
                    not_negative,
                )
            )
            return function

        return hang


def word_of(name: object) -> str:
    """A name that may become a column of a query (TextError otherwise)."""
    if not isinstance(name, str) or not WORD.match(name):
        said = str(name)[:80]
        zh = f"“{said}”不能作名称：须为小写字母、数字与下划线"
        raise TextError(Text(f"“{said}” is no name: small letters, digits and _", zh))
    return name


def grain_of(text: str) -> GrainKey:
    """Read `site, month, carrier` (TextError when it cannot be, or a key is no name)."""
    grain = parse_grain(text)
    for key in grain.keys:
        word_of(key)
    return grain


def _both(given: object) -> Text:
    """A text in both languages, whatever the chapter wrote."""
    _texts(*(given.values() if isinstance(given, dict) else [given]))
    try:
        return text_from(given)
    except TextError as error:
        raise FormulaError(error.text) from error


def _texts(*values: object) -> None:
    if not all(isinstance(value, str) for value in values):
        raise FormulaError(Text("clauses and rules are described in texts", "条款与规则须用文字说明"))


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(str(text))


def _build(
    hook: RuleClause,
    function: Formula,
    unit: Unit,
    grain: GrainKey,
    label: Text,
    adds: bool,
    validity: Validity,
    when: Condition | None,
    exception_to: str | None,
    not_negative: bool,
) -> Rule:
    code: Any = function.__code__
    needs = tuple(code.co_varnames[: code.co_argcount])
    line = int(code.co_firstlineno)
    formula = function(*(Ref(name) for name in needs))
    if not isinstance(formula, Expr):
        raise FormulaError(
            Text(
                f"{function.__name__} gives {type(formula).__name__}, not a formula of its inputs",
                f"{function.__name__} 给出 {type(formula).__name__}，而不是由输入构成的公式",
            )
        )
    tree = hook.chapter.sources.get(line)
    doc = (function.__doc__ or "").strip()
    place = Place(file=hook.chapter.file, line=tree.lineno if tree else line, subject=function.__name__)
    return Rule(
        function.__name__,
        hook.clause,
        unit,
        grain,
        label,
        adds,
        validity,
        when,
        exception_to,
        not_negative,
        needs,
        formula,
        tree,
        doc,
        place,
    )


def _formula_text(tree: ast.FunctionDef) -> str:
    parts = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            parts.append(ast.unparse(statement))
        elif isinstance(statement, ast.Return) and statement.value is not None:
            parts.append(ast.unparse(statement.value))
    return "; ".join(parts)
