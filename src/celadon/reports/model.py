"""What a report is made of, before it is a workbook or a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from hashlib import sha256
from urllib.parse import urlencode

from celadon.charts.chart import Chart
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.text import Text
from celadon.engine.quality import Quality
from celadon.engine.trace import Trace


@dataclass(frozen=True, slots=True)
class Question:
    """What `explain` must be asked to see one number: it names the number, and its digest is the trace id."""

    rulebook: str
    quantity: str
    period: str
    where: Mapping[str, str]
    options: Mapping[str, str]

    @property
    def id(self) -> str:
        """Of the question, not of the answer: the same number keeps its id when it is restated."""
        asked = [
            self.rulebook,
            self.quantity,
            self.period,
            sorted(self.where.items()),
            sorted(self.options.items()),
        ]
        return "T-" + sha256(json.dumps(asked, ensure_ascii=False).encode()).hexdigest()[:10]

    def command(self, plant: str) -> str:
        """The command that prints the trace."""
        places = "".join(
            f" --{key} {_quoted(word)}" if key in ("site", "process", "meter", "carrier", "product") else f" --key {key}={_quoted(word)}"
            for key, word in self.where.items()
        )  # fmt: skip
        options = "".join(f" --option {name}={choice}" for name, choice in sorted(self.options.items()))
        return f"celadon explain {plant} {self.quantity} --rulebook {self.rulebook} --period {self.period}{places}{options}"

    def path(self) -> str:
        """The query part of the console's page that shows the trace."""
        return "?" + urlencode(
            {"rulebook": self.rulebook, "quantity": self.quantity, "period": self.period, **self.where}
        )


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report with what it rests on; None is absent. `before`: of the period before, where there is one."""

    label: Text
    place: Text
    value: float | None
    unit: str
    quality: Quality
    coverage: float
    question: Question
    trace: Trace | None = None
    before: float | None = None

    @property
    def unchecked(self) -> bool:
        """Whether some of it rests on a factor that nobody has checked."""
        return self.quality.recalled > 0.0005


Cell = str | float | int | None | Text


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures in a table."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A plain table. `formulas`: live formulas of a workbook by (row, column) from 0, with `{r}` for the row's own number in
    the sheet and `{first}`, `{last}` for those of the table's rows; the cell itself holds their value. `wide`: columns with
    long text, by number; `total`: whether the last row sums up."""

    header: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    formulas: Mapping[tuple[int, int], str] = field(default_factory=dict)
    wide: tuple[int, ...] = ()
    unprinted: tuple[int, ...] = ()
    """Columns which only the workbook has."""
    total: bool = False
    inputs: frozenset[tuple[int, int]] = frozenset()
    """Cells which the reader fills in or may change."""


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph; `warning`: one that must not be overlooked."""

    text: Text
    warning: bool = False


Block = Figures | Grid | Note | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report with a heading; in a workbook a sheet of its own with the short name."""

    title: Text
    sheet: Text
    blocks: tuple[Block, ...]
    text: Text | None = None
    printed: bool = True
    """Whether the PDF holds it (long tables stay in the workbook)."""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `facts`: what it is about, as lines of a name and a value."""

    kind: str
    title: Text
    subject: Text
    period: str
    facts: tuple[tuple[Text, Text], ...]
    sections: tuple[Section, ...]
    figures: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    plant: str
    """What the plant's folder or file is called in commands."""
    address: str = ""
    """Where the console shows traces of this plant: https://host/plants/mill/explain; '' where no console is known."""
