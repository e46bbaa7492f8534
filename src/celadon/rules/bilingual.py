"""A shipped rulebook is read in Chinese and in English: what it cites, and what the clauses say, is there in both."""

from __future__ import annotations

import re
from collections.abc import Iterator

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.rules.rulebook import SHIPPED, Rulebook

CLAUSE_LANGUAGE = FindingKind(
    "rulebook.clause-language",
    Severity.ERROR,
    Text(en="Clause in one language only", zh="条款只有一种语言"),
    Text(en="{what}: “{text}” is not there in {language}.", zh="{what}：“{text}”缺少{language}。"),
    Text(
        en='Give it as {{"zh": "…", "en": "…"}}, in the vocabulary of the standard.',
        zh='请用标准自身的术语写成 {{"zh": "…", "en": "…"}}。',
    ),
)

_WORD = re.compile("[a-z]{2,}")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_CHINESE_MARK = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_OFFICIAL_NUMBER = re.compile("[\u4e00-\u9fff]+〔[0-9]{4}〕[0-9]+号")
_LANGUAGES = {"zh": Text("Chinese", "中文"), "en": Text("English", "英文")}


def lacking(text: Text) -> str | None:
    """The language that a text is not there in: zh, en, or None.

    Numbers and formulas are the same in both (5.2; E = AD × EF; GB/T 2589-2020), and a notice keeps its Chinese number.
    """
    if _WORD.search(text.en) and not _CHINESE_MARK.search(text.zh):
        return "zh"
    return "en" if _CHINESE.search(_OFFICIAL_NUMBER.sub("", text.en)) else None


def check_languages(book: Rulebook) -> Iterator[Finding]:
    """Of a shipped rulebook: every citation and every clause's text that is there in one language only."""
    if book.folder.parent != SHIPPED:
        return
    for place, what, text in _texts(book):
        language = lacking(text)
        if language is not None:
            said = text.zh if language == "en" else text.en
            yield CLAUSE_LANGUAGE.at(place, what=what, text=said, language=_LANGUAGES[language])


def _texts(book: Rulebook) -> Iterator[tuple[Place, str, Text]]:
    """Where it stands, what it is of, and the text."""
    about = Place(file=str(book.folder / "about.yaml"))
    quantities = Place(file=str(book.folder / "quantities.yaml"))
    for document in book.documents:
        yield about, document.number, document.cited
    for rules in book.rules.values():
        for rule in rules:
            yield rule.place, rule.name, rule.clause.ref
            yield rule.place, rule.name, rule.clause.text
    cited = [(quantities, fact.name, fact.clause) for fact in book.facts.values()]
    cited += [(quantities, factor.name, factor.clause) for factor in book.factors.values()]
    cited += [(about, option.name, option.clause) for option in book.options.values()]
    cited += [(about, "coverage", book.coverage.clause)]
    for gap in book.not_modelled:
        cited += [(about, "not_modelled", text) for text in (gap.clause, gap.what, gap.why)]
    cited += [(about, "doubts", doubt) for doubt in book.doubts]
    yield from ((place, what, text) for place, what, text in cited if text is not None)
