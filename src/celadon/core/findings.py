"""Finding: the only way anything complains about data or rules.

A `FindingKind` is declared as a module constant beside the code that raises it; the handbook and the tests
collect the kinds by walking the modules. Program faults stay ordinary exceptions and never become findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from enum import StrEnum
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Named, Text, same


class Severity(StrEnum):
    """How bad it is: an `error` keeps something out, a `warning` changes trust, a `notice` informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}
SEVERITY_TEXT = {
    Severity.ERROR: Text(en="error", zh="错误"),
    Severity.WARNING: Text(en="warning", zh="警告"),
    Severity.NOTICE: Text(en="notice", zh="提示"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding points: a place in a file, and/or the thing in the model it is about."""

    file: str | None = None
    sheet: str | None = None
    line: int | None = None
    column: str | None = None
    subject: str | None = None
    """What it is about: a meter, table, rule, site … as `kind:id` or a plain id."""
    period: str | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.sheet:
            place += f"[{self.sheet}]"
        if self.line is not None:
            place += f":{self.line}"
        if self.column:
            place += f":{self.column}" if self.line is not None else f" column {self.column}"
        parts = [part for part in (place, self.subject, self.period) if part]
        return " ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """The set fields only."""
        names = ("file", "sheet", "line", "column", "subject", "period")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One kind of finding: its code, severity, texts and (where there is one) the clause it enforces.

    `says` and `fix` are templates over the values given to `at`; `code` is `area.kebab-name` and never changes.
    """

    code: str
    severity: Severity
    title: Text
    says: Text
    fix: Text
    clause: Text | None = None

    def at(
        self, where: Place | None = None, *, clause: Text | str | None = None, **values: object
    ) -> Finding:
        """A finding of this kind at `where`, under `clause`; `values` fill the templates."""
        if isinstance(clause, str):
            clause = same(clause) if clause else None
        return Finding(self, where or Place(), values, clause or self.clause)


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint about data or rules: what, where, under which clause, and what to do."""

    kind: FindingKind
    where: Place = field(default_factory=Place)
    values: dict[str, object] = field(default_factory=dict)
    clause: Text | None = None

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def severity(self) -> Severity:
        return self.kind.severity

    def says(self, lang: Lang = "en") -> str:
        """What is wrong."""
        return self.kind.says.say(lang, _in_language(self.values, lang))

    def fix(self, lang: Lang = "en") -> str:
        """What to do about it."""
        return self.kind.fix.say(lang, _in_language(self.values, lang))

    def to_json(self, lang: Lang = "en") -> dict[str, Any]:
        """Shape `finding/1`: code, severity, where, says{zh,en}, fix{zh,en}, clause?, clause_label?, values."""
        shape: dict[str, Any] = {
            "code": self.code,
            "severity": str(self.severity),
            "where": self.where.to_json(),
            "says": {"zh": self.says("zh"), "en": self.says("en")},
            "fix": {"zh": self.fix("zh"), "en": self.fix("en")},
            "message": self.says(lang),
            "values": {key: _plain(value) for key, value in self.values.items()},
        }
        if self.clause:
            shape["clause"] = self.clause.en
            shape["clause_label"] = {"zh": self.clause.zh, "en": self.clause.en}
        return shape

    def __str__(self) -> str:
        place = f"{self.where}: " if str(self.where) else ""
        return f"{self.severity} {self.code}: {place}{self.says()}"


def _in_language(values: dict[str, object], lang: Lang) -> dict[str, object]:
    return {key: value.say(lang) if isinstance(value, Text) else value for key, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, Named):
        return value.word
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)


@dataclass(slots=True)
class Findings:
    """A growing list of findings, in the order found."""

    items: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        self.items.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        self.items.extend(findings)

    @property
    def errors(self) -> list[Finding]:
        return [item for item in self.items if item.severity is Severity.ERROR]

    def ranked(self) -> list[Finding]:
        """Errors first, else in the order found."""
        return sorted(self.items, key=lambda item: _ORDER[item.severity])

    def codes(self) -> set[str]:
        return {item.code for item in self.items}

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class FindingError(Exception):
    """Raised where work cannot go on; carries the findings that say why. The CLI prints them, never a traceback."""

    def __init__(self, findings: Finding | Iterable[Finding]) -> None:
        self.findings: list[Finding] = [findings] if isinstance(findings, Finding) else list(findings)
        super().__init__("; ".join(str(item) for item in self.findings))
