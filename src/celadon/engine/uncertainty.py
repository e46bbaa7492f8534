"""How sure a result is: the uncertainties stated for its inputs, carried to first order through every formula of the chain.

Every value carries, for each origin of error (a meter, a register of records, a laboratory, a factor row), by how much it would
change if that origin were larger by one part. Inputs of one origin err together, so their changes add with sign; different
origins are independent, so their squares add. Correlated inputs that cancel (the same meter above and below a fraction) cancel.

Law of propagation: JCGM 100:2008 (GUM) 5.1.2 and, for inputs that err together, 5.2.2; the same as approach 1 of IPCC 2006
Vol. 1 Ch. 3. A stated half-width is at 95 %, two standard uncertainties (GUM 6.3.3), and so is the answer's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Lang, Text
from celadon.engine.chain_rows import ChainRows, Row, utc
from celadon.engine.leaves import FactLeaf, LeafRows
from celadon.engine.lookup import Chosen
from celadon.engine.run import Result
from celadon.engine.slopes import NO_ROW, Dual, Found, Nearness, Slopes, Vector, added, scaled
from celadon.engine.steps import PLACES, Step
from celadon.rules.rulebook import SITE_TABLE, Rulebook

NOT_STATED = FindingKind(
    "uncertainty.not-stated",
    Severity.NOTICE,
    Text(en="Treated as exact", zh="按无误差处理"),
    Text(
        en="No uncertainty is stated for {label}: it is treated as exact, though up to {share} of {quantity} rests on it.",
        zh="未给出{label}的不确定度：按无误差处理，而{quantity}中至多 {share} 取决于它。",
    ),
    Text(
        en="State `uncertainty:` of the meter, of the records' source, or of an own factor in the plant file.",
        zh="请在工厂文件中为表计、台账来源或自有因子写明 `uncertainty:`。",
    ),
)
TOO_LARGE = FindingKind(
    "uncertainty.large",
    Severity.WARNING,
    Text(en="Too large for a straight line", zh="超出线性近似的适用范围"),
    Text(
        en="The uncertainty of {label} is {size}: above 30 % the first-order answer may be off.",
        zh="{label}的不确定度为 {size}：超过 30% 时一阶近似可能不准。",
    ),
    Text(
        en="Treat the width as a guide (IPCC 2006 Vol. 1 Ch. 3 asks for a Monte Carlo there), or measure that input better.",
        zh="该宽度仅供参考（IPCC 2006 第 1 卷第 3 章此时要求蒙特卡罗法），或提高该输入的测量水平。",
    ),
)
NEAR_LIMIT = FindingKind(
    "uncertainty.near-limit",
    Severity.WARNING,
    Text(en="On which side of a limit is not sure", zh="处于界限的哪一侧并不确定"),
    Text(
        en="{rule}: in {count} rows a comparison is closer than the uncertainty of what is compared, so the other branch may hold.",
        zh="{rule}：有 {count} 行的比较差值小于其不确定度，另一分支也可能成立。",
    ),
    Text(
        en="Do not rest a grade or a cap on it without a better measurement.",
        zh="在测量改进之前，不宜据此认定等级或限额。",
    ),
)
_LARGE = 0.30
_CLAUSE = "JCGM 100:2008 5.1.2"
_IPCC = Text("IPCC 2006 Vol. 1 Ch. 3", "IPCC 2006 第 1 卷第 3 章")


@dataclass(frozen=True, slots=True)
class Origin:
    """What errs as one. `kind`: meter, records, laboratory, factor, own_factor, estimate or fact; `uncertainty`: the half-width
    at 95 % as a share of the value, None where nobody states one."""

    kind: str
    id: str
    label: Text
    uncertainty: float | None = None


Origins = Callable[[Sequence[FactLeaf]], Sequence[Sequence[tuple[Origin, float]]]]
"""For each fact row what its value comes from: origins with their amounts, in the row's own unit and with sign, which make
up the value; the amounts of a remainder are the meter's and, with a minus, its sub-meters'. Origins of kind `estimate` stand
beside them: what a span has more of where the origin is larger, which another span then has less of."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One origin's part in the uncertainty of a result.

    `sensitivity`: per cent of the result for one per cent of the origin (None where the result is 0); `half_width`: in the
    result's unit; `share`: of the variance, together 1."""

    origin: Origin
    sensitivity: float | None
    half_width: float
    share: float


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """A result ± `half_width` (95 %, two standard uncertainties), with the origins ranked by their share of the variance.

    `exact`: origins for which nothing is stated, with the share of the value that rests on them."""

    value: float
    unit: str
    half_width: float
    sources: tuple[Contribution, ...]
    exact: tuple[Contribution, ...]

    @property
    def standard(self) -> float:
        """The standard uncertainty, in the result's unit."""
        return self.half_width / 2

    @property
    def relative(self) -> float | None:
        """The half-width as a share of the value; None where that is 0."""
        return self.half_width / abs(self.value) if self.value else None

    def to_json(self) -> dict[str, Any]:
        """Standard and half-width in the result's unit, the relative half-width, and both lists."""
        return {
            "standard": self.standard,
            "half_width": self.half_width,
            "relative": self.relative,
            "sources": [
                {**_origin_json(part), "uncertainty": part.origin.uncertainty, "sensitivity": part.sensitivity,
                 "half_width": part.half_width, "share": part.share}
                for part in self.sources
            ],
            "treated_as_exact": [
                {**_origin_json(part), "sensitivity": part.sensitivity} for part in self.exact
            ],
        }  # fmt: skip

    def lines(self, lang: Lang, most: int = 5) -> list[str]:
        """For people: the width, and the origins it comes from, the largest first."""
        said = "95 % half-width" if lang == "en" else "95% 置信半宽"
        relative = f" ({self.relative:.2%})" if self.relative is not None else ""
        lines = [
            f"± {self.half_width:.6g} {self.unit if self.unit != '1' else ''}".rstrip()
            + f"{relative} · {said}"
        ]
        for part in self.sources[:most]:
            name = part.origin.label.say(lang)
            lines.append(f"  {part.share:7.1%}  {name} (± {part.origin.uncertainty or 0:.2%})")
        rest = len(self.sources) - most
        if rest > 0:
            lines.append(f"           … +{rest}")
        if self.exact:
            names = ", ".join(part.origin.label.say(lang) for part in self.exact[:most])
            more = f" … +{len(self.exact) - most}" if len(self.exact) > most else ""
            lines.append(
                (f"  treated as exact: {names}" if lang == "en" else f"  按无误差处理：{names}") + more
            )
        return lines


def _origin_json(part: Contribution) -> dict[str, Any]:
    label = part.origin.label
    return {"kind": part.origin.kind, "id": part.origin.id, "label": {"zh": label.zh, "en": label.en}}


@dataclass(slots=True)
class Propagation:
    """Uncertainties of the cells of one query; what several cells share is worked out once."""

    chain: ChainRows
    book: Rulebook
    options: Mapping[str, str]
    origins: Origins
    facts: str = "facts"
    known: dict[str, Origin] = field(default_factory=dict, init=False)
    _vectors: dict[int, Vector] = field(default_factory=dict, init=False)
    _slopes: Slopes = field(init=False)
    _leaves: LeafRows = field(init=False)
    _near: dict[str, set[int]] = field(default_factory=dict, init=False)
    _told: dict[str, tuple[float, str]] = field(default_factory=dict, init=False)
    _shares: dict[str, float] = field(default_factory=dict, init=False)
    """Of what a gap leaves open: the largest half-width as a share of a fact that it is in."""

    def __post_init__(self) -> None:
        self._slopes = Slopes(self.options, self.chain, self._input)
        self._leaves = LeafRows(self.chain.con, self.facts, self.book, self.chain.plant)

    # -- cells -------------------------------------------------------------------------------------------------------

    def of(self, step: Step, rows: Sequence[Row], unit: str) -> Uncertainty | None:
        """The uncertainty of the sum of these rows of a step; None where none has a value."""
        values = [row["value"] for row in rows if row["value"] is not None]
        if not values:
            return None
        vector = added(*(self.vector(step, row) for row in rows))
        return self._weighed(step.quantity, sum(values), unit, vector)

    def _weighed(self, quantity: str, value: float, unit: str, vector: Vector) -> Uncertainty:
        widths = {
            name: abs(change) * (self.known[name].uncertainty or 0.0) for name, change in vector.items()
        }
        half_width = math.hypot(*widths.values())
        sources, exact = [], []
        for name, change in vector.items():
            origin = self.known[name]
            sensitivity = change / value if value else None
            share = (widths[name] / half_width) ** 2 if half_width else 0.0
            part = Contribution(origin, sensitivity, widths[name], share)
            if origin.uncertainty is not None:
                sources.append(part)
            elif change:
                exact.append(part)
                rests = abs(sensitivity) if sensitivity is not None else 0.0
                if rests > self._told.get(name, (-1.0, ""))[0]:
                    self._told[name] = (rests, quantity)
        sources.sort(key=lambda part: (-part.share, part.origin.id))
        exact.sort(key=lambda part: (-abs(part.sensitivity or 0.0), part.origin.id))
        return Uncertainty(value, unit, half_width, tuple(sources), tuple(exact))

    def relative(self, step: Step, row: Row) -> float | None:
        """The half-width of one row as a share of its value; None where that is absent or 0."""
        if not row["value"]:
            return None
        return self._width(self.vector(step, row)) / abs(float(row["value"]))

    def _width(self, vector: Vector) -> float:
        return math.hypot(
            *(change * (self.known[name].uncertainty or 0.0) for name, change in vector.items())
        )

    def findings(self) -> list[Finding]:
        """What there is to say of the cells asked so far: origins taken as exact, wide ones, limits that are too near."""
        found = []
        for name, (share, quantity) in sorted(self._told.items(), key=lambda item: (-item[1][0], item[0])):
            label, of = self.known[name].label, self.book.label(quantity)
            where = Place(subject=name)
            found.append(NOT_STATED.at(where, clause=_CLAUSE, label=label, share=f"{share:.1%}", quantity=of))
        for name, origin in sorted(self.known.items()):
            width = self._shares.get(name, origin.uncertainty)
            if width is not None and width > _LARGE:
                size = f"±{width:.0%}"
                found.append(TOO_LARGE.at(Place(subject=name), clause=_IPCC, label=origin.label, size=size))
        for step_name, rows in self._near.items():
            rule = self.chain.step(step_name).rule
            if rule is not None:
                found.append(NEAR_LIMIT.at(rule.place, clause=_CLAUSE, rule=rule.name, count=len(rows)))
        return found

    # -- rows --------------------------------------------------------------------------------------------------------

    def vector(self, step: Step, row: Row) -> Vector:
        """By how much the row's value changes for each origin that is larger by one part, in the step's unit."""
        if row["value"] is None:
            return {}
        mark = id(row)
        if mark not in self._vectors:
            self._vectors[mark] = self._vector(step, row)
        return self._vectors[mark]

    def _vector(self, step: Step, row: Row) -> Vector:
        if step.kind in ("sum", "total", "union"):
            return added(*(self.vector(inner, part) for inner, part in self.chain.parts(step, row)))
        if step.kind == "fact":
            return self._fact(step, row)
        near: list[Nearness] = []
        found = self._slopes.dual(step, row, near)
        if any(self._is_near(one) for one in near):
            self._near.setdefault(step.name, set()).add(id(row))
        return found.vector

    def _is_near(self, one: Nearness) -> bool:
        """Whether a difference is within its own uncertainty, so that either side may be the greater."""
        width = self._width(one.vector)
        return width > 0 and abs(one.difference) <= width

    def _input(self, name: str, step: Step, row: Row) -> Found:
        """The value of an input at a row of `step`: absent (None), or no row where nothing is due."""
        other = self.chain.step(step.inputs[name])
        if other.kind == "factor":
            chosen = self.chain.chosen(other, row)
            return (
                None if chosen is None or chosen.value is None else self._factor(other, chosen, chosen.value)
            )
        found = self.chain.input_row(step, name, row)
        if found is None:
            return NO_ROW if other.optional else None
        return None if found["value"] is None else Dual(found["value"], self.vector(other, found))

    def _factor(self, step: Step, chosen: Chosen, value: float) -> Dual:
        origin = factor_origin(self.book, step.quantity, chosen)
        if origin is None:
            return Dual(value, {})
        self.known[origin.id] = origin
        return Dual(value, {origin.id: value})

    def _fact(self, step: Step, row: Row) -> Vector:
        """A fact's value by its origins."""
        leaves = self._leaves.below(step, row)
        found: list[Vector] = []
        for (leaf, factor), parts in zip(leaves, self.origins([leaf for leaf, _ in leaves]), strict=True):
            for origin, amount in parts:
                self.known[origin.id] = origin
                found.append(scaled({origin.id: amount}, factor))
                if origin.kind == "estimate" and origin.uncertainty is not None and leaf.value:
                    share = abs(amount / leaf.value) * origin.uncertainty
                    self._shares[origin.id] = max(share, self._shares.get(origin.id, 0.0))
        return added(*found)


def factor_origin(book: Rulebook, name: str, chosen: Chosen) -> Origin | None:
    """A row of a table, or an entry of the plant's own; what the plant file says of the site itself is exact (None)."""
    spec = book.factors[name]
    keys = ", ".join(key for key in chosen.keys if key)
    label = Text(f"{spec.label.en} ({keys})", f"{spec.label.zh}（{keys}）") if keys else spec.label
    if chosen.row is not None:
        row = chosen.row
        stands = f"factor:{book.table_file(spec.table)}:{row.line}:{spec.column}"
        return Origin("factor", stands, label, row.uncertainty(spec.column))
    if chosen.entry is None or spec.table == SITE_TABLE:
        return None
    entry = chosen.entry
    words = "/".join(word for _, word in entry.keys)
    stands = f"factors:{entry.factor}:{words}:{entry.since or ''}"
    return Origin("own_factor", stands, label, entry.uncertainty)


def estimated_part(leaf: FactLeaf) -> Origin:
    """The estimated part of a fact whose bounds are not known."""
    place = leaf.meter or leaf.item or leaf.site
    label = Text(f"the estimated part of {place}", f"{place} 的估算部分")
    return Origin("estimate", f"estimate:{leaf.quantity}:{leaf.site}:{place}", label)


def of_result(propagation: Propagation, result: Result) -> list[Uncertainty | None]:
    """The uncertainty of each row of a result, in its order; None where the row is absent."""
    found = zip(result.rows, rows_below(propagation.chain, result), strict=True)
    return [propagation.of(step, [below], row.unit) for row, (step, below) in found]


def rows_below(chain: ChainRows, result: Result) -> list[tuple[Step, Row]]:
    """For each row of a result the step and the chain's row it is."""
    found: dict[tuple[Any, ...], tuple[Step, Row]] = {}
    for quantity, name in result.query.outputs:
        step = chain.step(name)
        item_keys = [key for key in step.keys if key != "purpose"]
        for row in chain.rows(step):
            item = " / ".join(row[key] for key in item_keys)
            places = tuple(row.get(place, "") for place in PLACES)
            times = (utc(row["time_start"]), utc(row["time_end"]))
            found[(quantity, item, row.get("purpose", ""), *places, *times)] = (step, row)
    return [
        found[
            (*(getattr(row, name) for name in ("quantity", "item", "purpose", *PLACES)), row.start, row.end)
        ]
        for row in result.rows
    ]


def each_fact(leaves: Sequence[FactLeaf]) -> list[list[tuple[Origin, float]]]:
    """Origins where nothing is known of meters and registers: each meter, else each quantity of an item, with no statement;
    and what is estimated."""
    found: list[list[tuple[Origin, float]]] = []
    for leaf in leaves:
        parts = [(_plain(leaf), leaf.value)] if leaf.value is not None else []
        if leaf.estimated and leaf.value and not leaf.source.startswith("derived:"):
            parts.append((estimated_part(leaf), math.copysign(leaf.estimated, leaf.value)))
        found.append(parts)
    return found


def _plain(leaf: FactLeaf) -> Origin:
    words = leaf.meter or " ".join(word for word in (leaf.quantity, leaf.item, leaf.site) if word)
    return Origin("meter" if leaf.meter else "fact", f"fact:{words}", Text(words, words))
