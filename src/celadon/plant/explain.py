"""`explain`: one number, down to factor rows and the lines of files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC

from celadon.core.periods import Grain, Period
from celadon.core.quantities import Space
from celadon.core.text import Lang
from celadon.engine.leaves import FactLeaf
from celadon.engine.request import fact_grain
from celadon.engine.trace import Trace, TraceNode
from celadon.plant.account import Question
from celadon.plant.deriving import derived_of
from celadon.plant.evidence import Evidence
from celadon.plant.opened import View
from celadon.plant.origins import PlantOrigins
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import Rulebook

_MONTH = re.compile(r"\d{4}-\d{2}")


def explain(
    work: Workspace,
    seen: View,
    book: Rulebook,
    question: Question,
    where: Mapping[str, str],
    lang: Lang = "en",
    to_lines: bool = True,
) -> Trace:
    """The trace of the one quantity a question asks, at the place and keys named; `to_lines`: down to the lines of files, else
    to facts.

    Raises:
        FindingError: no such quantity or cell, or several that cannot be added.
    """
    request = question.request(book, seen.model).checked(book)
    table = work.facts_for(seen, [book], request, fact_grain(book, request))
    explainer = work.explainer(seen, book, request, table.name)

    def calculated(leaf: FactLeaf) -> TraceNode:
        item = derived_of(seen.model, leaf.source)
        place = {"site": leaf.site, **({"process": leaf.process} if item.process else {}), **dict(item.keys)}
        period, grain = Period(leaf.start, leaf.end, seen.model.site(leaf.site).zone).label, None
        if _MONTH.fullmatch(period):  # the months of a period are asked together, as they were calculated
            place["time_start"] = str(leaf.start.astimezone(UTC).replace(tzinfo=None))
            period, grain = question.period, Grain.MONTH
        space = Space.PROCESS if item.process else Space.SITE
        asked = Question(period, space, grain, (item.of,), None, question.factors_as_of)
        below = explain(work, seen, work.book(item.rulebook), asked, place, lang)
        return replace(below.root, detail={**below.root.detail, "rulebook": item.rulebook})

    evidence = Evidence(work, seen, table.findings, lang, calculated) if to_lines else None
    origins = PlantOrigins(work, seen, book, request) if question.uncertainty else None
    with work.using(table.name):
        return explainer.trace(
            where,
            evidence,
            origins,
            facts_digest=seen.snapshot.digest(),
            as_of=seen.snapshot.recorded_at,
        )
