"""The rules that hold in one request: under its options, in its period; what their quantities are, and how deep they go."""

from __future__ import annotations

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.model import Plant
from celadon.core.text import Text, same
from celadon.engine.chain import CHAIN_OPEN, Chains
from celadon.engine.inputs import Inputs
from celadon.engine.lookup import Lookup
from celadon.engine.owed import Due, any_of, due_in
from celadon.engine.request import Request
from celadon.engine.settled import prune, settled
from celadon.engine.steps import Summary, item_key
from celadon.rules.expr import Expr, KeyIn, Total, refs
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook

FACTOR_VARIES = FindingKind(
    "factor.varies",
    Severity.ERROR,
    Text(en="A ratio meets a factor that changes within the period", zh="比率所用因子在期间内变化"),
    Text(
        en="{rule} uses {name}, which changes within {span}: there is no one value for all of it, and the ratio stays absent.",
        zh="{rule} 使用的 {name} 在 {span} 内有变化，没有统一数值，该比率留空。",
    ),
    Text(en="Ask with {ask}: each span then has its own value.", zh="请用 {ask} 查询：各时段各有其值。"),
)


def factor_varies(rule: Rule, name: str, request: Request, lookup: Lookup | None) -> Finding:
    """That a ratio over a span meets what changes within it, and the spans in which it does not."""
    by_year = (
        request.time is None and lookup is not None and lookup.holds_through(lambda month: month.day.year)
    )
    label = request.period.label
    return FACTOR_VARIES.at(
        Place(subject=rule.name, period=label),
        clause=rule.clause.cited,
        rule=rule.name,
        name=name,
        span=same(label) if request.time is None else Text(f"a year of {label}", f"{label} 的一年"),
        ask="--per year" if by_year else "--per month",
    )


class ActiveRules(Inputs):
    """What a planner asks of the rules before it builds a step."""

    def __init__(
        self,
        book: Rulebook,
        plant: Plant,
        request: Request,
        summary: Summary,
        facts: str,
        lookups: dict[str, Lookup],
    ) -> None:
        super().__init__(book, plant, request, summary, facts, lookups)
        self.chains = Chains(book, summary)
        self.properties: dict[str, bool] = {}
        self.levels: dict[frozenset[str], int] = {}
        """How far down its chain each loop of rules is being planned."""
        self.asking: set[tuple[str, str]] = set()
        self.dues: dict[str, Due] = {}
        chosen = dict(plant.exclusions)
        self.excluded = {name: why for id_ in reversed(book.ids) for name, why in chosen.get(id_, ())}
        """What the firm leaves out, with its reason."""

    def rules_of(self, name: str) -> tuple[tuple[Rule, Expr], ...]:
        """The rules of one name that can hold in the period under the options, with their pruned formulas."""
        if name not in self.variants:
            start, end = self.request.days
            found = []
            for rule in self.book.rules[name]:
                since, until = rule.validity.since, rule.validity.until
                if (since and since > end) or (until and until < start):
                    continue
                if rule.when is not None and settled(rule.when, self.request.options) is False:
                    continue
                found.append((rule, prune(rule.formula, self.request.options)))
            self.variants[name] = tuple(found)
        return self.variants[name]

    def is_property(self, name: str) -> bool:
        """Whether a quantity describes (a calorific value, a factor) rather than counts: site and month are its rows."""
        if name in self.book.factors:
            return True
        if name in self.book.facts:
            return not self.book.facts[name].adds
        if name in self.properties:
            return self.properties[name]
        if ("property", name) in self.asking:
            return True  # needs itself on another row: the rest of the formula decides
        self.asking.add(("property", name))
        rules = self.rules_of(name)
        found = bool(rules) and all(
            not rule.adds and all(self.is_property(ref) for ref in refs(formula)) for rule, formula in rules
        )
        self.asking.discard(("property", name))
        if all(kind != "property" for kind, _ in self.asking):  # else it may rest on what is not yet decided
            self.properties[name] = found
        return found

    def optional(self, name: str) -> bool:
        """Whether a missing row means “not due” (some flow below may be undeclared) rather than “absent”."""
        if name in self.book.facts:
            return self.may_lack(self.book.facts[name])
        if name in self.book.factors or self.due(name) is Due.OWED:
            return False
        if ("optional", name) in self.asking:
            return False
        self.asking.add(("optional", name))
        found = any(self.optional(ref) for _, formula in self.rules_of(name) for ref in refs(formula))
        self.asking.discard(("optional", name))
        return found

    def due(self, name: str) -> Due:
        """What the facts' names alone say of a quantity: there, owed and undeclared, or not due."""
        if name not in self.dues:
            self.dues[name] = Due.SILENT  # needs itself on another row: the rest of the formula decides
            self.dues[name] = self._due(name)
        return self.dues[name]

    def _due(self, name: str) -> Due:
        if self.is_property(name):
            return Due.SILENT
        if name in self.book.facts:
            spec = self.book.facts[name]
            return Due.THERE if self.summary.of(name) else Due.NOT_DUE if self.may_lack(spec) else Due.OWED
        if name in self.excluded and name in self.book.coverage.names:
            return Due.NOT_DUE
        return any_of(
            due_in(formula, self.due, self.any_row)
            if rule.when is None or self.any_row(Total(formula, (), rule.when))
            else Due.NOT_DUE
            for rule, formula in self.rules_of(name)
        )

    def reached(self, stop: set[str]) -> set[str]:
        """Everything the asked quantities need, not going below the names in `stop`."""
        seen: set[str] = set()
        waiting = list(self.request.wanted)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.book.rules and name not in stop:
                waiting += [ref for _, formula in self.rules_of(name) for ref in refs(formula)]
        return seen

    def any_row(self, node: Total) -> bool:
        """Whether the facts hold, or should hold, a row that a total(when=…) keeps; of a fact without the keys nothing
        can be said."""
        if node.when is None:
            return True
        wanted = {item.name for item in node.when.walk() if isinstance(item, KeyIn)}
        specs = [self.book.facts[name] for name in self._facts_below(node.expr)]
        telling = [spec for spec in specs if wanted <= set(spec.grain.keys)]
        for spec in telling:
            rows = self.summary.of(spec.name)
            kept = [{item_key(spec) or "": item, "purpose": purpose} for item, purpose, _ in rows]
            if (not rows and spec.on_missing == "absent") or any(
                settled(node.when, self.request.options, row) for row in kept
            ):
                return True
        return not telling

    def _facts_below(self, expr: Expr) -> set[str]:
        seen: set[str] = set()
        waiting = refs(expr)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += [
                    ref
                    for _, formula in (self.rules_of(name) if name in self.book.rules else ())
                    for ref in refs(formula)
                ]
        return {name for name in seen if name in self.book.facts}

    def level(self, name: str) -> int:
        """How far down its chain a rule is being planned; 0 for most."""
        return self.levels.get(self.chains.loop(name), 0) if self.levels else 0

    def open_ends(self, loop: frozenset[str], rule: Rule) -> None:
        if ("open", loop) not in self.made:
            self.made[("open", loop)] = None
            for fact, made, used in self.chains.open_ends(loop):
                where = Place(subject=made, period=self.request.period.label)
                self.findings.add(
                    CHAIN_OPEN.at(
                        where, clause=rule.clause.cited, rule=rule.name, facts=fact, made=made, used=used
                    )
                )

    def needs_finer(self, rule: Rule, name: str) -> None:
        """A ratio over the whole period meets a factor that changes within it: there is no one value to use."""
        if ("finer", rule.name, name) not in self.made:
            self.made[("finer", rule.name, name)] = None
            self.findings.add(factor_varies(rule, name, self.request, self.lookups.get(name)))
