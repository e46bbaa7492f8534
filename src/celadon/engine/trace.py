"""Trace: the explanation tree of one number; its JSON form and its text form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.text import Lang, Text
from celadon.engine.quality import LABELS, NO_QUALITY, Quality
from celadon.engine.uncertainty import Uncertainty
from celadon.rules.titles import titled

_KIND = {
    "rule": Text("", ""),
    "term": Text("term", "项"),
    "sum": Text("sum of", "合计"),
    "fact": Text("fact", "事实"),
    "factor": Text("factor", "因子"),
    "ledger": Text("meter", "计量"),
    "record": Text("record", "台账"),
    "derived": Text("calculated by", "推算自"),
    "reading": Text("reading", "读数"),
    "excluded": Text("excluded", "不计入"),
    "rest": Text("the others", "其余"),
    "missing": Text("no row holds", "无有效行"),
    "not_applicable": Text("not declared in this plant", "工厂未申报此项"),
}


@dataclass(frozen=True, slots=True)
class TraceNode:
    """One value in the tree. `kind`: rule, term, sum, fact, factor, ledger, record, reading, rest, not_applicable …"""

    kind: str
    quantity: str
    label: Text
    value: float | None
    unit: str
    where: Mapping[str, str]
    formula: str = ""
    effective: str = ""
    """The formula as this row used it: branches taken, the term that was given."""
    doc: str = ""
    clause: Text | None = None
    clause_text: Text | None = None
    chapter: str = ""
    quality: Quality = NO_QUALITY
    coverage: float | None = None
    uncertainty: float | None = None
    """Half-width at 95 % as a share of the value, where it was asked."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[TraceNode, ...] = ()

    def walk(self) -> Iterator[TraceNode]:
        """This node and everything below it, top down."""
        yield self
        for child in self.children:
            yield from child.walk()

    def to_json(self) -> dict[str, Any]:
        """The set fields only; children last."""
        shape: dict[str, Any] = {
            "kind": self.kind,
            "quantity": self.quantity,
            "value": self.value,
            "unit": self.unit,
        }
        if self.label.en:
            shape["label"] = {"zh": self.label.zh, "en": self.label.en}
        for name in ("where", "formula", "effective", "doc", "chapter", "detail"):
            if value := getattr(self, name):
                shape[name] = dict(value) if isinstance(value, Mapping) else value
        for name, told, text in (
            ("clause", "clause_label", self.clause), ("clause_text", "clause_says", self.clause_text),
        ):  # fmt: skip
            if text is not None:
                shape |= {name: text.en, told: {"zh": text.zh, "en": text.en}}
        if self.coverage is not None:
            shape["coverage"] = self.coverage
        if self.uncertainty is not None:
            shape["uncertainty"] = self.uncertainty
        if self.quality != NO_QUALITY:
            shape["quality"] = self.quality.shares()
        shape["inputs"] = [child.to_json() for child in self.children]
        return shape


@dataclass(frozen=True, slots=True)
class Trace:
    """The tree of one number with what it was made under."""

    root: TraceNode
    rulebook: str
    edition: str
    rulebook_digest: str
    facts_digest: str
    as_of: datetime | None
    options: Mapping[str, str]
    period: str
    uncertainty: Uncertainty | None = None
    """Of the root, where it was asked and the root has a value."""
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Shape `trace/1` without its findings."""
        shape = {
            "shape": "trace/1",
            "rulebook": {
                "id": self.rulebook,
                "edition": self.edition,
                "digest": self.rulebook_digest,
                "options": dict(self.options),
            },
            "facts_digest": self.facts_digest,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "period": self.period,
            "trace": self.root.to_json(),
        }
        return shape | ({"uncertainty": self.uncertainty.to_json()} if self.uncertainty else {})

    def render(self, lang: Lang = "en", depth: int | None = None) -> str:
        """The tree as text, `depth` levels deep (None = all)."""
        head = f"{self.rulebook} {self.edition} · {self.rulebook_digest[:12]} · {self.period}"
        width = self.uncertainty.lines(lang) if self.uncertainty else []
        return "\n".join([head, *_lines(self.root, lang, "", "", depth), *width])


def _lines(node: TraceNode, lang: Lang, first: str, rest: str, depth: int | None) -> Iterator[str]:
    yield first + describe(node, lang)
    for note in notes(node, lang):
        yield f"{rest}{'│ ' if node.children and depth != 0 else '  '}  {note}"
    if depth is not None and depth <= 0:
        if node.children:
            yield f"{rest}└─ … {len(node.children)}"
        return
    for number, child in enumerate(node.children):
        last = number == len(node.children) - 1
        yield from _lines(
            child,
            lang,
            f"{rest}{'└─ ' if last else '├─ '}",
            f"{rest}{'   ' if last else '│  '}",
            None if depth is None else depth - 1,
        )


def describe(node: TraceNode, lang: Lang) -> str:
    """`label [carrier, place, period] = value unit` with the marks of what it rests on."""
    name = node.label.say(lang) if node.label.en else ""
    kind = _KIND.get(node.kind, Text(node.kind, node.kind)).say(lang)
    where = ", ".join(word for key, word in node.where.items() if key != "rows")
    head = " ".join(part for part in (kind if node.kind != "rule" else "", name) if part)
    head += f" [{where}]" if where else ""
    if node.kind in ("not_applicable", "missing"):
        places = f" [{where}]" if where else ""
        return f"{name}{places}: {kind}"
    if node.value is None and node.kind in ("reading", "gap", "event", "record", "note"):
        return head
    value = ("absent" if lang == "en" else "缺失") if node.value is None else f"{node.value:,.10g}"
    if node.uncertainty is not None:
        value += f" ± {node.uncertainty:.2%}"
    marks = _marks(node, lang)
    unit = "" if node.unit == "1" else node.unit
    return f"{head} = {value} {unit}".rstrip() + (f"  ({'; '.join(marks)})" if marks else "")


_MARKED = ("calculated", "declared", "estimated", "defaulted", "own", "recalled")
"""Shares a reader must see; the rest is measured, and rests on factors somebody checked."""


def _marks(node: TraceNode, lang: Lang) -> list[str]:
    shares = node.quality.shares()
    marks = [f"{shares[name]:.0%} {LABELS[name].say(lang)}" for name in _MARKED if shares[name] > 0.0005]
    if node.coverage is not None and node.coverage < 0.9995:
        marks.append(f"{Text('coverage', '覆盖率').say(lang)} {node.coverage:.1%}")
    return marks


def notes(node: TraceNode, lang: Lang = "en") -> list[str]:
    """Formula, clause and source, a line each."""
    lines = []
    if node.formula:
        lines.append(f"= {node.effective or node.formula}")
    if node.clause:
        said = Text(": ", "：").say(lang) + node.clause_text.say(lang) if node.clause_text else ""
        lines.append(f"§ {node.clause.say(lang)}{said}")
    detail = node.detail
    if detail.get("rulebook"):
        asked = f" {detail['of']} --period {detail['period']}" if "of" in detail else ""
        lines.append(f"← {detail['rulebook']}{asked}")
    if node.kind == "factor" and detail:
        place = f"{detail.get('table') or detail.get('file') or ''}:{detail.get('line', '')}"
        value = f"{detail.get('published_value')} {detail.get('published_unit', '')}"
        lines.append(
            f"{value} · {titled(str(detail.get('source', ''))).say(lang)} · {detail.get('confidence', '')} · {place}"
        )
    elif detail:
        lines.append(" · ".join(f"{key}={value}" for key, value in detail.items() if value not in (None, "")))
    return lines
