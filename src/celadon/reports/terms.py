"""What a total is made of, read off its trace: each month's terms, by carrier where a term is a sum over carriers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from celadon.core.carriers import PURPOSES
from celadon.core.dataclass import dataclass
from celadon.core.items import item_name
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit
from celadon.engine.trace import TraceNode

_PURPOSES = {
    **PURPOSES,
    "comprehensive_energy": Text("comprehensive energy", "综合能耗"),
    "electricity": Text("electricity", "电耗"),
    "cement": Text("cement", "水泥"),
}
_KEYS = ("carrier", "product", "gas", "good", "production_line", "generating_unit", "contract")
_SIGNED = re.compile(r"([+−])?\s*(-1 × )?(Σ\s*)?(\w+)\s*")


@dataclass(frozen=True, slots=True)
class Term:
    """One signed part of a total in one span; `name` tells it from other parts."""

    period: str
    name: str
    label: Text
    value: float | None


def terms_of(root: TraceNode, model: PlantModel) -> list[Term]:
    """The parts of a traced total, by span. They add up to it; a total that is no plain sum is one part of its own."""
    found: list[Term] = []
    for span in _spans(root):
        period = span.where.get("period", root.where.get("period", ""))
        found += [Term(period, name, label, value) for name, label, value in _parts(span, model)]
    return found


def _spans(node: TraceNode) -> Iterator[TraceNode]:
    """The node, or those it sums up over time and place."""
    if (
        node.kind == "sum"
        and node.children
        and all(child.quantity == node.quantity for child in node.children)
    ):
        for child in node.children:
            yield from _spans(child)
    else:
        yield node


def _parts(node: TraceNode, model: PlantModel) -> Iterator[tuple[str, Text, float | None]]:
    signs = plain_sum(node.effective or node.formula)
    by_name = {stands_for(child, node): child for child in node.children if child.kind != "not_applicable"}
    due = {name: by_name[name] for name in signs if name in by_name}
    if not due or set(by_name) != set(due):
        yield node.quantity, node.label, node.value
        return
    for name, child in due.items():
        sign = signs[name]
        for part in _items(child):
            key = next((part.where[key] for key in _KEYS if key in part.where), "")
            label = item_name(key, model) if key else part.label
            if key and len(due) > 1:
                label = Text(f"{part.label.en}, {label.en}", f"{part.label.zh}（{label.zh}）")
            value = None if part.value is None else sign * part.value * _factor(part.unit, node.unit)
            yield f"{name} {key}".strip(), label, value


def stands_for(child: TraceNode, parent: TraceNode) -> str:
    """The name that a formula has for one of its inputs; a sum over keys bears its parent's name in a trace."""
    below = {one.quantity for one in child.children}
    return (
        below.pop()
        if child.kind == "sum" and child.quantity == parent.quantity and len(below) == 1
        else child.quantity
    )


def _items(node: TraceNode) -> Iterator[TraceNode]:
    """What a term sums over: its carriers, products …; else itself."""
    keyed = [child for child in node.children if any(key in child.where for key in _KEYS)]
    if node.kind in ("sum", "term") and len(node.children) > 1 and len(keyed) == len(node.children):
        yield from keyed
    else:
        yield node


def plain_sum(formula: str) -> dict[str, int]:
    """`a + Σ b − c` → {a: 1, b: 1, c: −1}; {} for a formula that is anything else."""
    signs: dict[str, int] = {}
    place = 0
    while place < len(formula):
        found = _SIGNED.match(formula, place)
        if (
            found is None
            or not found[0]
            or (place > 0 and not found[1])
            or found[4] in signs
            or found[4][0].isdigit()
        ):
            return {}
        signs[found[4]] = -1 if (found[1] == "−") != bool(found[2]) else 1
        place = found.end()
    return signs


def purpose_name(word: str) -> Text:
    """What a purpose is called."""
    return _PURPOSES.get(word, Text(word.replace("_", " "), word))


def key_name(word: str, model: PlantModel) -> Text:
    """What a key of a number is called: an item of the plant, or a purpose."""
    return _PURPOSES.get(word) or item_name(word, model)


def _factor(unit: str, into: str) -> float:
    try:
        return float(parse_unit(unit).factor_to(parse_unit(into)))
    except UnitError:
        return 1.0


def by_period(
    terms: list[Term],
) -> tuple[list[str], Mapping[str, Text], Mapping[tuple[str, str], float | None]]:
    """Spans in order, the parts with their names (largest first), and the value of each part in each span."""
    periods = list(dict.fromkeys(sorted(term.period for term in terms)))
    labels = {term.name: term.label for term in terms}
    values: dict[tuple[str, str], float | None] = {}
    for term in terms:
        mark = (term.period, term.name)
        known = values.get(mark)
        values[mark] = term.value if known is None else known + (term.value or 0.0)
    size = {name: sum(abs(values.get((period, name)) or 0.0) for period in periods) for name in labels}
    ordered = {name: labels[name] for name in sorted(labels, key=lambda name: -size[name])}
    return periods, ordered, values
