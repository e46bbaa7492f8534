"""Facts: readings, records and answers in long form, with status. Absent is not zero.

One row says: this quantity, of this carrier/product, at this place, over this span, is `value` in the carrier's or
quantity's own unit; with what it rests on. A row with a null value and status `absent` says that a value is due and missing.
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What a value rests on, best to worst; sums carry the shares."""

    MEASURED = 0
    CALCULATED = 1
    DECLARED = 2
    ESTIMATED = 3
    DEFAULT = 4
    ABSENT = 5

    @property
    def word(self) -> str:
        return self.name.lower()


STATUSES = {status.word: status for status in Status}

# Columns of the facts table that the plant builds and the engine reads, in DuckDB types. Times are UTC.
FACT_COLUMNS: dict[str, str] = {
    "quantity": "VARCHAR",  # name the rulebooks ask for: energy_consumed, product_output, carbon_content …
    "item": "VARCHAR",  # the key: carrier, product, gas, contract …; '' where the quantity has none
    "purpose": "VARCHAR",  # second key: combustion | mobile | feedstock …; '' where it has none
    "enterprise": "VARCHAR",
    "site": "VARCHAR",
    "process": "VARCHAR",  # '' = not attributed below the site
    "meter": "VARCHAR",  # '' = from records; `<id>~rest` = the unmetered remainder below meter <id>
    "time_start": "TIMESTAMP",
    "time_end": "TIMESTAMP",
    "value": "DOUBLE",  # null = absent
    "unit": "VARCHAR",  # the carrier's unit where item is a carrier, else the unit as recorded
    "weight": "DOUBLE",  # what a mean is weighted with (batch mass); null where the quantity adds
    "estimated": "DOUBLE",  # part of |value| that is estimated (bounded gaps, judged values)
    "defaulted": "DOUBLE",  # part of |value| that is a standard's default
    # of a fact that another rulebook calculates, the part of |value| that rests on any factor, on one checked once or worse,
    # on the plant's own or worse, on an unchecked one; else 0
    "factored": "DOUBLE",
    "verified1": "DOUBLE",
    "own": "DOUBLE",
    "recalled": "DOUBLE",
    "coverage": "DOUBLE",  # share of the span that data cover, 0..1
    "status": "UTINYINT",  # worst Status in the row
    "basis": "UTINYINT",  # Status of the part that is neither estimated nor defaulted; null = absent
    "source": "VARCHAR",  # where it came from: `ledger`, or `records:<batch>:<file>:<line>`
}
