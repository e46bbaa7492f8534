"""The rules that hold in one request: under its options, in its period; what their quantities are, and how deep they go."""

from __future__ import annotations

from celadon.core.findings import Place
from celadon.core.model import Plant
from celadon.engine.chain import CHAIN_OPEN, Chains
from celadon.engine.inputs import Inputs
from celadon.engine.lookup import Lookup
from celadon.engine.request import Request
from celadon.engine.sql import prune, settled
from celadon.engine.steps import Summary
from celadon.rules.expr import Expr, refs
from celadon.rules.rule import Rule
from celadon.rules.rulebook import Rulebook


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
        self.levels: dict[frozenset[str], int] = {}
        """How far down its chain each loop of rules is being planned."""
        self.asking: set[tuple[str, str]] = set()

    def rules_of(self, name: str) -> tuple[tuple[Rule, Expr], ...]:
        """The rules of one name that can hold in the period under the options, with their pruned formulas."""
        if name not in self.variants:
            start, end = self.request.period.start.date(), self.request.period.end.date()
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
        if ("property", name) in self.asking:
            return True  # needs itself on another row: the rest of the formula decides
        self.asking.add(("property", name))
        rules = self.rules_of(name)
        found = bool(rules) and all(
            not rule.adds and all(self.is_property(ref) for ref in refs(formula)) for rule, formula in rules
        )
        self.asking.discard(("property", name))
        return found

    def optional(self, name: str) -> bool:
        """Whether a missing row means “not due” (some flow below may be undeclared) rather than “absent”."""
        if name in self.book.facts:
            return self.may_lack(self.book.facts[name])
        if name in self.book.factors:
            return False
        if ("optional", name) in self.asking:
            return False
        self.asking.add(("optional", name))
        found = any(self.optional(ref) for _, formula in self.rules_of(name) for ref in refs(formula))
        self.asking.discard(("optional", name))
        return found

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
                        where, clause=str(rule.clause), rule=rule.name, facts=fact, made=made, used=used
                    )
                )
