"""`explain`: one number, down to factor rows and the lines of files."""

from __future__ import annotations

from collections.abc import Mapping

from celadon.core.text import Lang
from celadon.engine.request import fact_grain
from celadon.engine.trace import Trace
from celadon.plant.account import Question
from celadon.plant.evidence import Evidence
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace
from celadon.rules.rulebook import Rulebook


def explain(
    work: Workspace,
    seen: View,
    book: Rulebook,
    question: Question,
    where: Mapping[str, str],
    lang: Lang = "en",
) -> Trace:
    """The trace of the one quantity a question asks, at the place and keys named.

    Raises:
        FindingError: no such quantity or cell, or several that cannot be added.
    """
    request = question.request(book, seen.model).checked(book)
    table = work.facts(seen, request.period, *fact_grain(book, request))
    explainer = work.explainer(seen, book, request, table.name)
    evidence = Evidence(work.con, seen, table.findings, lang)
    return explainer.trace(
        where, evidence, facts_digest=seen.snapshot.digest(), as_of=seen.snapshot.recorded_at
    )
