"""ExampleTruth: what the plant really did, so that a program's answers can be judged to the last digit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from celadon.core.dataclass import dataclass

FORMAT = "celadon-example-truth/1"
FILE = "truth.json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault put into the files: what kind, where, what is right, in both languages.

    `kind` is a word for the fault, not a finding's code. `lines` are the first and last line concerned (a heading is
    line 1), None where the lines are the ones that are missing. `start`/`end` are local times.
    """

    id: str
    kind: str
    meters: tuple[str, ...]
    file: str
    lines: tuple[int, int] | None
    start: str
    end: str
    zh: str
    en: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id, "kind": self.kind, "meters": list(self.meters), "file": self.file,
            "lines": list(self.lines) if self.lines else None, "start": self.start, "end": self.end,
            "right_answer": {"zh": self.zh, "en": self.en},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reported:
    """What a right program reports for a meter's month where the files have lost something.

    `low` … `high` bound the month's amount; `amount` is the one right figure where it is known in spite of the fault,
    None where only bounds (or with `absent`, nothing at all) can be said. `fault` is the Fault's id."""

    fault: str
    low: float | None
    high: float | None
    amount: float | None = None
    absent: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "fault": self.fault,
            "amount": self.amount,
            "low": self.low,
            "high": self.high,
            "absent": self.absent,
        }


Months = Mapping[str, float]
"""`2024-01` → amount."""


@dataclass(frozen=True, slots=True)
class ExampleTruth:
    """The plant's true year.

    `meters` are the true monthly amounts of every meter in its unit, before faults; `reported` holds what can be known
    where faults destroyed information (meter → month → bounds); all other months must come out exactly as in `meters`.
    `records` holds fuel, production, laboratory means, refrigerants and contracts; `demand` the monthly peak (kW, mean
    of a quarter-hour); `tariff` the monthly purchase by tariff period; `means` the monthly means of levels.
    """

    directory: Path
    year: int
    seed: int
    units: Mapping[str, str]
    meters: Mapping[str, Months]
    means: Mapping[str, Months]
    reported: Mapping[str, Mapping[str, Reported]]
    faults: tuple[Fault, ...]
    records: Mapping[str, Any]
    demand: Mapping[str, Mapping[str, Any]]
    tariff: Mapping[str, Months]
    readings: int
    """Readings in the plant's files (late ones not counted), blanks and broken rows not counted."""
    late: tuple[str, ...] = field(default=())

    def total(self, meter: str) -> float:
        """The meter's true year, in its unit, to the thousandth that displays resolve."""
        return sum(round(value * 1000) for value in self.meters[meter].values()) / 1000

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "year": self.year,
            "seed": self.seed,
            "readings": self.readings,
            "meters": {
                meter: {"unit": self.units[meter], "total": self.total(meter), "months": dict(months)}
                for meter, months in self.meters.items()
            },
            "means": {meter: dict(months) for meter, months in self.means.items()},
            "reported": {
                meter: {month: item.to_json() for month, item in months.items()}
                for meter, months in self.reported.items()
            },
            "demand": {month: dict(value) for month, value in self.demand.items()},
            "tariff": {month: dict(value) for month, value in self.tariff.items()},
            "records": self.records,
            "late": list(self.late),
            "faults": [fault.to_json() for fault in self.faults],
        }

    def write(self) -> Path:
        """Write `truth.json` into the plant's directory."""
        path = self.directory / FILE
        path.write_text(json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return path


def read_truth(directory: Path) -> ExampleTruth:
    """The truth of a plant made earlier (ValueError when the file is of another format)."""
    shape = json.loads((directory / FILE).read_text(encoding="utf-8"))
    if shape.get("format") != FORMAT:
        raise ValueError(f"{directory / FILE} is not {FORMAT}")
    faults = tuple(
        Fault(
            item["id"], item["kind"], tuple(item["meters"]), item["file"],
            (item["lines"][0], item["lines"][1]) if item["lines"] else None,
            item["start"], item["end"], item["right_answer"]["zh"], item["right_answer"]["en"],
        )
        for item in shape["faults"]
    )  # fmt: skip
    return ExampleTruth(
        directory=directory,
        year=shape["year"],
        seed=shape["seed"],
        units={meter: item["unit"] for meter, item in shape["meters"].items()},
        meters={meter: item["months"] for meter, item in shape["meters"].items()},
        means=shape["means"],
        reported={
            meter: {month: Reported(**item) for month, item in months.items()}
            for meter, months in shape["reported"].items()
        },
        faults=faults,
        records=shape["records"],
        demand=shape["demand"],
        tariff=shape["tariff"],
        readings=shape["readings"],
        late=tuple(shape["late"]),
    )
