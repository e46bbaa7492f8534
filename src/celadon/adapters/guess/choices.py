"""What a guess consists of: one choice for each setting, with its reason and what else it could be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.text import Text


@dataclass(frozen=True, slots=True)
class Other:
    """Another value a setting could have, and what speaks for it."""

    value: str
    why: Text


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting: `key` as in the source block with dots (`time.format`, `wide.Usage kWh`); '' = left out.

    `sure`: the file itself decides it; else a person should look."""

    key: str
    value: str
    why: Text
    others: tuple[Other, ...] = ()
    sure: bool = True
    asked: bool = False
    """A person gave it."""

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key, "value": self.value, "why": _both(self.why), "sure": self.sure, "asked": self.asked,
            "others": [{"value": other.value, "why": _both(other.why)} for other in self.others],
        }  # fmt: skip


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


@dataclass
class Choices:
    """The choices made so far; an answer of a person goes before every guess."""

    answers: Mapping[str, str] = field(default_factory=dict)
    made: list[Choice] = field(default_factory=list)

    def choose(
        self, key: str, value: str, why: Text, others: Sequence[Other] = (), *, sure: bool = True
    ) -> str:
        """Settle a setting; what it now is."""
        if key in self.answers and self.answers[key] != value:
            given = self.answers[key]
            kept = (
                [Other(value, why), *(other for other in others if other.value != given)] if value else others
            )
            self.made.append(Choice(key, given, Text("as you said", "按您的指定"), tuple(kept), True, True))
            return given
        asked = key in self.answers
        self.made.append(Choice(key, value, why, tuple(others), sure or asked, asked))
        return value


@dataclass(frozen=True)
class Guess:
    """How a file could be read: the source block it would need, and why. Nothing is applied by guessing.

    `block` is None where it cannot be read at all; `findings` say why."""

    name: str
    role: str = ""
    choices: tuple[Choice, ...] = ()
    block: Mapping[str, Any] | None = None
    columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def doubtful(self) -> list[Choice]:
        """The choices a person should look at."""
        return [choice for choice in self.choices if not choice.sure]

    def to_json(self) -> dict[str, Any]:
        """Shape `guess/1`, without its findings and the dry check."""
        return {
            "name": self.name, "role": self.role, "choices": [choice.to_json() for choice in self.choices],
            "block": dict(self.block) if self.block is not None else None, "columns": list(self.columns),
            "sample": [list(row) for row in self.sample],
        }  # fmt: skip
