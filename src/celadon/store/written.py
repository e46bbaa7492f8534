"""Findings at rest: as JSON with their texts filled in, to be shown later as they were."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import lru_cache
from typing import Any

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.periods import Period
from celadon.core.text import Text, text_from

_DAY = r"(\d{4}(?:-\d\d){0,2})"  # or a month, or a year
_DATED = re.compile(rf'"period":"{_DAY}(?:T[^".]*)?(?:\.\.{_DAY}(?:T[^"]*)?)?"')
_DAYS = timedelta(days=2)  # zones differ by less


def to_text(finding: Finding) -> str:
    """Shape `finding/1` plus the kind's title."""
    shape = finding.to_json()
    shape["title"] = _both(finding.kind.title)
    return json.dumps(shape, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=20_000)
def from_text(text: str) -> Finding:
    """The finding again; it says what it said, whatever the kind's templates have become since."""
    shape: dict[str, Any] = json.loads(text)
    kind = FindingKind(
        shape["code"],
        Severity(shape["severity"]),
        _text(shape["title"]),
        _text(shape["says"]),
        _text(shape["fix"]),
    )
    clause = shape.get("clause_label") or shape.get("clause")  # what older versions kept is English alone
    return Finding(kind, Place(**shape["where"]), shape["values"], text_from(clause) if clause else None)


Days = tuple[str, str] | None
"""First and last day (or month, or year) that a finding names; None: it names none."""


def days_of(text: str) -> Days:
    """The days that a finding at rest names, told without reading it all."""
    found = _DATED.search(text)
    return None if found is None else (found[1], found[2] or found[1])


def may_concern(days: Days, period: Period) -> bool:
    """Whether a finding that names these days may speak of a time in `period`.

    False is certain: what it names lies days before or after.
    """
    if days is None:
        return True
    first, last = days
    low, high = _near(period)
    return first <= high and last + "-99-99"[len(last) - 10 :] * (len(last) < 10) >= low


@lru_cache(maxsize=64)
def _near(period: Period) -> tuple[str, str]:
    low, high = (f"{edge:%Y-%m-%d}" for edge in (period.start - _DAYS, period.end + _DAYS))
    return low, high


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def _text(shape: dict[str, str]) -> Text:
    """Filled-in text as a template: its braces stand for themselves."""
    en, zh = (shape[lang].replace("{", "{{").replace("}", "}}") for lang in ("en", "zh"))
    return Text(en=en, zh=zh)
