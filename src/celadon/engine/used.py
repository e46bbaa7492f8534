"""What of a formula one row used: the branches taken, the term that was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.engine.settled import settled
from celadon.engine.steps import Step
from celadon.rules.expr import (
    AtKey,
    Binary,
    Choose,
    Expr,
    Extreme,
    FirstGiven,
    Node,
    Number,
    Ref,
    Rounded,
    SumOf,
    Total,
)

_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}


@dataclass(frozen=True)
class UsedFormula:
    """A step's formula at one row; `has_value` says whether an input has a value there."""

    step: Step
    row: Mapping[str, Any]
    options: Mapping[str, str]
    has_value: Callable[[str], bool]

    def inputs(self) -> Iterator[str]:
        """The inputs that this row's value used, in the order the formula names them; a total as `total:<id>`."""
        waiting: list[Node] = [self.step.formula] if self.step.formula is not None else []
        while waiting:
            node = waiting.pop(0)
            if isinstance(node, Ref):
                yield node.name
            elif isinstance(node, AtKey):
                mark = f"at:{id(node)}"
                yield mark if mark in self.step.inputs else node.expr.name
            elif isinstance(node, Total):
                mark = f"total:{id(node)}"
                yield mark if mark in self.step.inputs else next(iter(refs_of(node)), mark)
            elif isinstance(node, Choose):
                waiting = [*self._taken(node), *waiting]
            elif isinstance(node, FirstGiven):
                waiting = [*self._given(node), *waiting]
            else:
                waiting = [*node.children(), *waiting]

    def _taken(self, node: Choose) -> list[Node]:
        open_nodes: list[Node] = []
        for condition, value in node.cases:
            known = settled(condition, self.options, self.row)
            if known is True:
                return [*open_nodes, value]
            if known is None:
                open_nodes += [condition, value]
        return [*open_nodes, *([node.otherwise] if node.otherwise is not None else [])]

    def _given(self, node: FirstGiven) -> list[Expr]:
        shown: list[Expr] = []
        for term in node.terms:
            shown.append(term)
            if all(self.has_value(name) for name in refs_of(term)):
                break
        return shown

    def text(self) -> str:
        """The formula as this row used it, names as they stand."""
        return "" if self.step.formula is None else self._text(self.step.formula)

    def _text(self, node: Node) -> str:
        if isinstance(node, Choose):
            taken = self._taken(node)
            return self._text(taken[0]) if len(taken) == 1 else "choose(…)"
        if isinstance(node, FirstGiven):
            return self._text(self._given(node)[-1])
        if isinstance(node, Binary):
            return self._binary(node)
        if isinstance(node, AtKey):
            return node.expr.name
        if isinstance(node, Total):
            return f"Σ {_bracketed(self._text(node.expr))}"
        if isinstance(node, SumOf):
            return " + ".join(self._text(term) for term in node.terms if self._due(term))
        if isinstance(node, Extreme):
            word = "min" if node.which == "least" else "max"
            return f"{word}({', '.join(self._text(term) for term in node.terms)})"
        if isinstance(node, Rounded):
            return f"round({self._text(node.expr)}, {node.digits})"
        if isinstance(node, Number):
            return f"{float(node.value):.8g}" + (f" {node.unit}" if str(node.unit) != "1" else "")
        return node.name if isinstance(node, Ref) else "…"

    def _binary(self, node: Binary) -> str:
        left, right = self._text(node.left), self._text(node.right)
        if node.op in "*/":
            left, right = _bracketed(left), _bracketed(right, divisor=node.op == "/")
        elif not self._due(node.right):
            return left
        return f"{left} {_SIGNS[node.op]} {right}"

    def _due(self, term: Expr) -> bool:
        """Whether a term of a sum has anything declared below it."""
        marks = {f"total:{id(node)}" for node in term.walk() if isinstance(node, Total)}
        marks |= {f"at:{id(node)}" for node in term.walk() if isinstance(node, AtKey)}
        names = refs_of(term)
        if marks:
            return bool(marks & set(self.step.inputs))
        return not names or any(name in self.step.inputs for name in names)


def _bracketed(text: str, divisor: bool = False) -> str:
    loose = (" + ", " − ", " × ", " ÷ ") if divisor else (" + ", " − ")
    return f"({text})" if any(sign in text for sign in loose) else text


def refs_of(node: Node) -> list[str]:
    """Names of all inputs below a node."""
    return [item.name for item in node.walk() if isinstance(item, Ref)]
