"""Numbers as files write them: decimal point or comma, thousands marks, full-width digits.

The SQL judges every cell by a full pattern before it is cast, so that nothing is a number by accident (`1_000`, `nan`).
"""

from __future__ import annotations

import re

from celadon.adapters.tables.kinds import FLAW, SETTING_INVALID
from celadon.adapters.tables.sql import case, literal
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, Place
from celadon.core.text import Text

TYPED_NUMBER = "\x02"
"""In front of a cell that is a number in the workbook: its text is canonical whatever the source's marks are."""
TYPED_TIME = "\x03"
"""In front of a cell that is a date in the workbook: ISO 8601 text."""
EMPTY_FORMULA = "\x04"
"""In front of the text of a formula that has no saved value."""

_SPACES = "\u00a0\u2007\u2009\u202f\u3000"
_WIDE = "０１２３４５６７８９．，－＋：／＇−’Ｅｅ"
_NARROW = "0123456789.,-+:/'-'Ee"
FROM_WIDE, TO_ASCII = _WIDE + _SPACES, _NARROW + " " * len(_SPACES)
_EXPONENT = "(?:[eE][+-]?[0-9]+)?"


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How a source writes numbers: `decimal` is . or , ; `thousands` is empty or another mark."""

    decimal: str = "."
    thousands: str = ""

    @property
    def other(self) -> str:
        """The mark that another convention would use for decimals."""
        return "," if self.decimal == "." else "."

    @property
    def pattern(self) -> str:
        """The whole text of a number in this form, as a regular expression without groups to capture."""
        mark, group = re.escape(self.decimal), re.escape(self.thousands)
        whole = "[0-9]+"
        if self.thousands:
            whole = f"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+)"
        return f"[+-]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+){_EXPONENT}"

    @property
    def contrary(self) -> str:
        """A number in which the other mark can only be the decimal mark: it contradicts this form."""
        mark, other = re.escape(self.decimal), re.escape(self.other)
        shapes = (
            f"[0-9]+{other}(?:[0-9]{{1,2}}|[0-9]{{4,}})",
            f"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+{other}[0-9]+",
            f"0{other}[0-9]+",
        )
        return f"[+-]?(?:{'|'.join(shapes)}){_EXPONENT}"

    def problems(self, where: Place) -> list[Finding]:
        """What is wrong with the setting itself."""
        found = []
        if self.decimal not in (".", ","):
            reason = Text("it must be . or ,", "只能是 . 或 ,")
            found.append(SETTING_INVALID.at(where, setting="decimal", value=self.decimal, reason=reason))
        if self.thousands not in ("", ".", ",", " ", "'", "_") or self.thousands == self.decimal:
            reason = Text(
                "it must be one of . , space ' _ and not the decimal mark",
                "只能是 . , 空格 ' _ 之一，且不能与小数点相同",
            )
            found.append(SETTING_INVALID.at(where, setting="thousands", value=self.thousands, reason=reason))
        return found


DOUBTFUL = r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}"
"""A number that differs by a factor of 1000 between the two conventions."""
_NOT_FINITE = r"(?i)[+-]?(?:nan|inf|infinity|∞|1\.#(?:inf|ind|qnan)[0-9]*)"
_NUMBER_LIKE = rf"[+-]?[0-9][0-9.,' ]*{_EXPONENT}"


def clean(cell: str, tidy: bool = False) -> str:
    """SQL: the cell's text without blanks around it, full-width characters as ASCII ones; null becomes ''.

    In a `tidy` piece of text there is nothing to clean.
    """
    if tidy:
        return f"coalesce({cell}, '')"
    narrow = f"trim(translate({cell}, {literal(FROM_WIDE)}, {literal(TO_ASCII)}), ' \t')"
    # Cheap tests first: trimming costs more than all the rest. Bytes equal characters in pure ASCII.
    plain = f"strlen({cell}) = length({cell}) AND NOT starts_with({cell}, ' ') AND NOT ends_with({cell}, ' ') AND NOT contains({cell}, '\t')"
    return f"CASE WHEN {plain} THEN {cell} ELSE coalesce({narrow}, '') END"


def value(text: str, form: NumberForm, typed: bool = False) -> str:
    """SQL: the number in a cleaned text as DOUBLE; null when it is none, infinite or NaN when it is not finite."""
    if form == NumberForm():
        # What the cast takes and the pattern does not: underscores, and words that are not finite.
        read = f"CASE WHEN NOT contains({text}, '_') THEN try_cast({text} AS DOUBLE) END"
    else:
        plain = f"replace({text}, {literal(form.thousands)}, '')" if form.thousands else text
        plain = f"replace({plain}, ',', '.')" if form.decimal == "," else plain
        read = case([(f"regexp_full_match({text}, {literal(form.pattern)})", f"try_cast({plain} AS DOUBLE)")])
    if not typed:
        return read
    return case([(f"starts_with({text}, {literal(TYPED_NUMBER)})", f"try_cast({text}[2:] AS DOUBLE)")], read)


def flaw(text: str, number: str, doubt: str = "", typed: bool = False) -> str:
    """SQL: the flaw's number of a cell that is not missing, or null; `number` is its value by `value`.

    Where the condition `doubt` holds, numbers that other conventions read differently are flaws as well.
    """
    branches = [(f"{number} IS NOT NULL AND NOT isfinite({number})", str(FLAW["number-not-finite"]))]
    if doubt:
        ambiguous = f"({doubt}) AND regexp_full_match({text}, {literal(DOUBTFUL)})"
        branches.append((ambiguous, str(FLAW["number-ambiguous"])))
    branches.append((f"{number} IS NOT NULL", "NULL"))
    if typed:
        branches.append((f"starts_with({text}, {literal(EMPTY_FORMULA)})", str(FLAW["formula-empty"])))
    branches.append((f"regexp_full_match({text}, {literal(_NOT_FINITE)})", str(FLAW["number-not-finite"])))
    branches.append((f"regexp_full_match({text}, {literal(_NUMBER_LIKE)})", str(FLAW["number-convention"])))
    return case(branches, str(FLAW["number-unreadable"]))


_ASCII = str.maketrans(FROM_WIDE, TO_ASCII)
_PLAIN = NumberForm()


def parse_number(text: str, form: NumberForm = _PLAIN) -> float | None:
    """The same rules for one text in Python: the number, or None when it is none."""
    text = text.translate(_ASCII).strip(" \t")
    if not re.fullmatch(form.pattern, text):
        return None
    plain = text.replace(form.thousands, "") if form.thousands else text
    number = float(plain.replace(form.decimal, "."))
    return number if abs(number) != float("inf") else None


def looks_numeric(text: str) -> bool:
    """Whether the engine's cast would take this text for a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
