"""How a rulebook is written: the names a chapter file may import.

`document` is bound by the loader to the rulebook's own documents; calling it elsewhere is an error.
"""

from __future__ import annotations

from celadon.rules.expr import (
    at_key,
    choose,
    constant,
    first_given,
    key,
    ln,
    maximum,
    minimum,
    option,
    power,
    rounded,
    sum_of,
    total,
)
from celadon.rules.rule import Standard


def document(number: str) -> Standard:
    """The document of this rulebook with that number (listed in about.yaml)."""
    raise RuntimeError(f"document({number!r}) is only available inside a rulebook's chapter file")


CHAPTER_NAMES = (
    "at_key",
    "choose",
    "constant",
    "document",
    "first_given",
    "key",
    "ln",
    "maximum",
    "minimum",
    "option",
    "power",
    "rounded",
    "sum_of",
    "total",
)
__all__ = [
    "at_key",
    "choose",
    "constant",
    "document",
    "first_given",
    "key",
    "ln",
    "maximum",
    "minimum",
    "option",
    "power",
    "rounded",
    "sum_of",
    "total",
]
