"""A trace as rows of a workbook whose formulas are live: change a reading or a factor and every total above it follows.

Each row's formula is the rule's own, as that row used it, with the exact unit conversion written out. A formula is written
only where it gives the row's value again; where it does not (a choice, a sum cut short) the value stands as a constant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from celadon.core.dataclass import dataclass
from celadon.core.units import Unit, UnitError, parse_unit
from celadon.engine.trace import TraceNode
from celadon.reports.terms import stands_for

_CLOSE = 1e-9
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(\s+(?![eE][+-]?\d)[^\W\d][\w%/·^()*]*)?")
ROWS = 12_000
_BELOW_FACTS = ("reading", "record", "meter", "ledger", "gap", "event", "note", "derived", "rest")


@dataclass(slots=True)
class Line:
    """One row: a node of the trace, how deep it stands, and its formula over other rows ({n} is the cell of row n)."""

    node: TraceNode
    depth: int
    formula: str = ""
    same_as: int | None = None
    """The row that holds the same value already, where this one only points to it."""


@dataclass(slots=True)
class Calculation:
    """Rows in the order of the traces; `roots`: of each trace the row of its number."""

    lines: list[Line] = field(default_factory=list)
    roots: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    """Nodes left out because there were too many."""

    def add(self, name: str, root: TraceNode, *, evidence: bool = False) -> None:
        """Add a trace; `evidence`: also what stands below facts (meters, readings, records)."""
        self.roots[name] = self._add(root, 0, evidence, self._known)

    _known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def _add(self, node: TraceNode, depth: int, evidence: bool, known: dict[tuple[object, ...], int]) -> int:
        mark = (
            node.kind,
            node.quantity,
            tuple(sorted(node.where.items())),
            node.value,
            node.unit,
            node.formula,
        )
        row = len(self.lines)
        if node.children and mark in known and node.kind not in _BELOW_FACTS:
            self.lines.append(Line(node, depth, f"{{{known[mark]}}}", known[mark]))
            return row
        line = Line(node, depth)
        self.lines.append(line)
        if node.kind not in _BELOW_FACTS:
            known[mark] = row
        if len(self.lines) >= ROWS:
            self.cut += sum(1 for child in node.children for _ in child.walk())
            return row
        rows: list[int] = []
        shown: list[TraceNode] = []
        for child in node.children:
            if evidence or child.kind not in _BELOW_FACTS or node.kind == "sum":
                rows.append(self._add(child, depth + 1, evidence, known))
                shown.append(child)
        line.formula = formula_of(node, dict(zip(rows, shown, strict=True)))
        return row


def formula_of(node: TraceNode, children: Mapping[int, TraceNode]) -> str:
    """A formula over the rows of its children that gives the node's value; '' where there is none."""
    if node.value is None:
        return ""
    if node.kind == "factor":
        return _published(node)
    if node.kind in ("sum", "term") and children:
        made = _sum(node, children)
    elif node.kind == "rule" and node.formula:
        made = _rule(node, children)
    else:
        return ""
    if made is None:
        return ""
    text, value = made
    return text if abs(value - node.value) <= _CLOSE * max(abs(node.value), 1e-12) else ""


def _published(node: TraceNode) -> str:
    """The factor as printed times the exact conversion into the unit it is used in: [value]*factor."""
    unit = str(node.detail.get("published_unit") or "")
    try:
        factor = parse_unit(unit).factor_to(parse_unit(node.unit))
        printed = Fraction(str(node.detail["published_value"]))
    except (UnitError, KeyError, ValueError):
        return ""
    if node.value is None or abs(float(printed * factor) - node.value) > _CLOSE * max(abs(node.value), 1e-12):
        return ""
    return f"{{published}}{_times(factor)}"


def _sum(node: TraceNode, children: Mapping[int, TraceNode]) -> tuple[str, float] | None:
    parts, total = [], 0.0
    for row, child in children.items():
        if child.value is None:
            continue
        factor = _conversion(child.unit, node.unit)
        if factor is None:
            return None
        parts.append((row, factor))
        total += child.value * float(factor)
    if not parts:
        return None
    rows = [row for row, _ in parts]
    if all(factor == 1 for _, factor in parts):
        return _added(rows), total
    return "+".join(f"{{{row}}}{_times(factor)}" for row, factor in parts), total


def _added(rows: Sequence[int]) -> str:
    return (
        "SUM(" + ",".join(f"{{{row}}}" for row in rows) + ")"
        if len(rows) <= 200
        else "+".join(f"{{{r}}}" for r in rows)
    )


def _conversion(unit: str, into: str) -> Fraction | None:
    try:
        return parse_unit(unit).factor_to(parse_unit(into))
    except UnitError:
        return None


def _times(factor: Fraction) -> str:
    if factor == 1:
        return ""
    if factor.numerator == 1:
        return f"/{factor.denominator}"
    return f"*{factor.numerator}" if factor.denominator == 1 else f"*{factor.numerator}/{factor.denominator}"


# -- formulas of rules -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    value: float
    unit: Unit
    loose: bool = False
    """Whether it is a sum, to be bracketed in a product."""


_ONE = parse_unit("1")


def _rule(node: TraceNode, children: Mapping[int, TraceNode]) -> tuple[str, float] | None:
    """The rule's formula as the row used it, over cells; None where it is not plain arithmetic on what is shown."""
    cells: dict[str, _Value] = {}
    for row, child in children.items():
        name = stands_for(child, node)
        if child.value is not None and name not in cells:
            try:
                cells[name] = _Value(f"{{{row}}}", child.value, parse_unit(child.unit))
            except UnitError:
                return None
    units: list[str] = []
    text = _python(node.effective or node.formula, units)
    # A formula's constants may be per unit of whatever the carrier is counted in.
    counted = next((child.unit for child in children.values() if child.kind in ("fact", "rule", "sum")), "1")
    units = [re.sub(r"\b(carrier|product)_unit\b", f"({counted})", unit) for unit in units]
    if text == "choose(…)":
        return _chosen(node, children)
    try:
        tree = ast.parse(text, mode="eval")
        made = _walk(tree.body, cells, units)
        factor = made.unit.factor_to(parse_unit(node.unit))
    except (SyntaxError, UnitError, _NotPlainError, ZeroDivisionError):
        return None
    if factor == 1:
        return made.text, made.value
    text = f"({made.text})" if made.loose else made.text
    return text + _times(factor), made.value * float(factor)


def _chosen(node: TraceNode, children: Mapping[int, TraceNode]) -> tuple[str, float] | None:
    """The input that a choice took, where only one has the choice's value."""
    same = [row for row, child in children.items() if (child.value, child.unit) == (node.value, node.unit)]
    return (f"{{{same[0]}}}", node.value) if len(same) == 1 and node.value is not None else None


class _NotPlainError(Exception):
    """A formula that is more than arithmetic on its inputs."""


class _AbsentError(_NotPlainError):
    """An input without a value."""


def _python(text: str, units: list[str]) -> str:
    """The printed formula as a Python expression; numbers with units become `constant(value, n)`, `n` in `units`."""

    def numbered(found: re.Match[str]) -> str:
        units.append((found[2] or "1").strip())
        return f"constant({found[1]}, {len(units) - 1})"

    marked = _NUMBER.sub(numbered, text)
    return marked.replace("Σ ", "").replace("×", "*").replace("÷", "/").replace("−", "-")


def _walk(node: ast.expr, cells: Mapping[str, _Value], units: Sequence[str]) -> _Value:
    if isinstance(node, ast.Name) and node.id in cells:
        return cells[node.id]
    if isinstance(node, ast.BinOp):
        return _both(node, cells, units)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _walk(node.operand, cells, units)
        return _Value(f"-{inner.text}", -inner.value, inner.unit, loose=True)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id == "constant":
            value, place = (part.value for part in node.args if isinstance(part, ast.Constant))
            return _constant(float(str(value)), units[int(str(place))])
        if node.func.id in ("min", "max"):
            return _extreme(node.func.id, [_walk(part, cells, units) for part in node.args])
    raise _AbsentError if isinstance(node, ast.Name) else _NotPlainError


def _both(node: ast.BinOp, cells: Mapping[str, _Value], units: Sequence[str]) -> _Value:
    """Two operands; a term of a sum that is absent is left out of it, as `total` and `sum_of` do."""
    if not isinstance(node.op, ast.Add | ast.Sub):
        return _joined(node.op, _walk(node.left, cells, units), _walk(node.right, cells, units))
    try:
        left = _walk(node.left, cells, units)
    except _AbsentError:
        right = _walk(node.right, cells, units)
        return (
            right
            if isinstance(node.op, ast.Add)
            else _Value(f"-{right.text}", -right.value, right.unit, True)
        )
    try:
        return _joined(node.op, left, _walk(node.right, cells, units))
    except _AbsentError:
        return left


def _constant(value: float, unit: str) -> _Value:
    exact = Fraction(value).limit_denominator(100)
    if (
        exact.denominator > 1
        and abs(float(exact) - value) < 5e-8 * abs(value)
        and f"{value:g}" != f"{float(exact)!r}"
    ):
        return _Value(f"({exact.numerator}/{exact.denominator})", float(exact), parse_unit(unit))
    return _Value(f"{value!r}".removesuffix(".0"), value, parse_unit(unit))


def _joined(op: ast.operator, left: _Value, right: _Value) -> _Value:
    if isinstance(op, ast.Mult | ast.Div):
        first = f"({left.text})" if left.loose else left.text
        second = (
            f"({right.text})"
            if right.loose or (isinstance(op, ast.Div) and re.search(r"[*/]", right.text))
            else right.text
        )
        if isinstance(op, ast.Mult):
            return _Value(f"{first}*{second}", left.value * right.value, left.unit * right.unit)
        return _Value(f"{first}/{second}", left.value / right.value, left.unit / right.unit)
    if isinstance(op, ast.Add | ast.Sub):
        factor = right.unit.factor_to(left.unit)
        text = f"({right.text})" if right.loose and (isinstance(op, ast.Sub) or factor != 1) else right.text
        sign, value = ("+", right.value) if isinstance(op, ast.Add) else ("-", -right.value)
        return _Value(
            f"{left.text}{sign}{text}{_times(factor)}", left.value + value * float(factor), left.unit, True
        )
    raise _NotPlainError


def _extreme(name: str, parts: Sequence[_Value]) -> _Value:
    unit = parts[0].unit
    texts = [part.text + _times(part.unit.factor_to(unit)) for part in parts]
    values = [part.value * float(part.unit.factor_to(unit)) for part in parts]
    return _Value(f"{name.upper()}({','.join(texts)})", min(values) if name == "min" else max(values), unit)
