"""A compiled query with what is asked beside it; the last few are kept, for what changes most often is a reading.

A plan follows from the rulebook, the plant, the request and what kinds of facts there are, and from no value. It holds for
any table of such facts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property

from celadon.core.cycles import no_cycles_sought
from celadon.core.dataclass import dataclass
from celadon.core.model import Plant
from celadon.engine.below_zero import BelowZeroQuestions
from celadon.engine.compile import compile_query
from celadon.engine.factor_findings import FactorQuestions
from celadon.engine.lookup import Lookup
from celadon.engine.request import Request
from celadon.engine.small import Statements, statements
from celadon.engine.steps import Query, Summary
from celadon.engine.variants import VariantQuestions
from celadon.rules.rulebook import Rulebook

_KEPT = 16
"""What the pages of a console ask for by turns; one takes about a tenth of a megabyte."""


@dataclass(frozen=True)
class Plan:
    """The query of a request, and the questions that are asked in the same statement."""

    query: Query
    factors: FactorQuestions
    variants: VariantQuestions
    below: BelowZeroQuestions

    @cached_property
    def also(self) -> tuple[str, ...]:
        """The SELECTs of the questions."""
        return *self.factors.selects(), *self.variants.selects(), *self.below.selects()

    @cached_property
    def last(self) -> str:
        """The SELECTs of all that is asked."""
        return self.query.select(self.also)

    @cached_property
    def statements(self) -> Statements:
        """The same in SQLite's words."""
        return statements(self.query, self.last)


def plan_of(
    book: Rulebook,
    plant: Plant,
    request: Request,
    summary: Summary,
    facts: str,
    lookups: Mapping[str, Lookup] | None = None,
) -> Plan:
    """The plan of a checked request; arguments as of `compile_query`."""
    with no_cycles_sought():
        query = compile_query(book, plant, request, summary, facts=facts, lookups=lookups)
    return Plan(
        query, FactorQuestions(query), VariantQuestions(query), BelowZeroQuestions(query, book, request)
    )


class Plans:
    """The last few plans. One is used again for the very same rulebook and plant, an equal request and equal kinds of facts."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], tuple[Rulebook, Plant, Summary, Plan]] = OrderedDict()

    def of(self, book: Rulebook, plant: Plant, request: Request, summary: Summary, facts: str) -> Plan:
        """The plan of a checked request; its query may name another table than `facts`."""
        options = tuple(sorted(request.options.items()))
        asked = (request.period, request.space, request.time, request.wanted, options, request.factors_as_of)
        key = (id(book), id(plant), *asked)
        found = self._kept.get(key)
        if found is None or found[0] is not book or found[1] is not plant or found[2] != summary:
            found = book, plant, summary, plan_of(book, plant, request, summary, facts)
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found[3]
