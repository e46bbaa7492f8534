"""What the error of a fact comes from: the meters behind it with their amounts, or the registers its records stand in.

A meter's readings of all times err together (its class is a calibration that holds throughout), and so do all records of one
item from one source (one scale, one laboratory); different meters, items and sources are independent. A remainder is its meter
less the sub-meters, a virtual meter the sum of its terms. What a shared meter or a bus is split by is taken as exact. What a
gap in the readings leaves open at the edge of a span is an origin of its own (`gaps.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import UTC, datetime
from fractions import Fraction

from celadon.core.carriers import find_carrier
from celadon.core.dataclass import dataclass
from celadon.core.model import Derived, Flow, Meter, Source, VirtualMeter
from celadon.core.periods import Grain
from celadon.core.quantities import Space
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit, recorded_factor
from celadon.engine.chain_rows import ChainRows
from celadon.engine.leaves import FactLeaf
from celadon.engine.request import Request, fact_grain
from celadon.engine.run import run
from celadon.engine.uncertainty import Origin, Propagation, estimated_part, rows_below
from celadon.metering.points import TICKS, ledger_unit
from celadon.metering.record_words import LABORATORY
from celadon.plant.deriving import SOURCE as DERIVED
from celadon.plant.deriving import derived_of, meant
from celadon.plant.gaps import Gaps
from celadon.plant.ledger import write_ledger
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace, write_records
from celadon.rules.rulebook import Rulebook

Part = tuple[Origin, float]
_REST = "~rest"
_HOUR, _LONG_DAY = 3600, 25 * 3600
_LEDGER, _RECORDS = "origins_ledger", "origins_records"
_BOUGHT = ("energy_purchased", "contract_electricity", "energy_cost")
"""Facts of what is bought, which may be given to meters that measure use."""
_SIGNS = {"fuel_closing_stock": -1.0, "fuel_resold": -1.0, "energy_exported": -1.0}
"""Kinds of records that lessen what is consumed."""


@dataclass
class PlantOrigins:
    """Finds the origins of fact rows of one view and period."""

    work: Workspace
    seen: View
    book: Rulebook
    request: Request
    """The question whose facts these are."""
    _calculated: dict[tuple[int, Grain], dict[tuple[str, str, datetime], list[Part]]] = field(
        default_factory=dict, init=False
    )
    _amounts: dict[tuple[datetime, datetime], dict[int, int]] = field(default_factory=dict, init=False)
    _records: dict[str, tuple[str, str, str, float, str]] | None = field(default=None, init=False)
    _ledger: bool = field(default=False, init=False)
    _gaps: Gaps | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        model = self.seen.model
        self.con = self.work.con
        self._meters: dict[str, Meter | VirtualMeter] = {meter.id: meter for meter in model.meters}
        self._meters.update((meter.id, meter) for meter in model.virtual_meters)
        self._books = [self.book]
        self._sources = {source.id: source for source in model.sources}
        self._points = self.seen.snapshot.points()
        self._files = {file.id: file for file in self.seen.snapshot.files()}

    def __call__(self, leaves: Sequence[FactLeaf]) -> list[list[Part]]:
        """The origins of each fact with their amounts, which make up its value; beside them those of its estimated part."""
        return [list(self._parts(leaf, leaf.value)) if leaf.value is not None else [] for leaf in leaves]

    def _parts(self, leaf: FactLeaf, value: float) -> Iterator[Part]:
        if leaf.meter:
            yield from self._metered(leaf, value)
            if leaf.estimated:
                yield from self._gaps_in(leaf, value)
            return
        if leaf.estimated and value and not leaf.source.startswith(f"{DERIVED}:"):
            yield estimated_part(leaf), math.copysign(leaf.estimated, value)
        if leaf.source.startswith("records:"):
            yield from self._recorded(leaf, value)
        elif leaf.source.startswith(f"{DERIVED}:"):
            yield from self._derived(leaf)
        else:
            words = " ".join(word for word in (leaf.quantity, leaf.item, leaf.site) if word)
            yield Origin("fact", f"fact:{words}", Text(words, words)), value

    # -- what another rulebook calculates ----------------------------------------------------------------------------

    def _derived(self, leaf: FactLeaf) -> list[Part]:
        """The origins of the other rulebook's result, as it carries them."""
        number, item = int(leaf.source.split(":")[1]), derived_of(self.seen.model, leaf.source)
        seconds = (leaf.end - leaf.start).total_seconds()
        grain = Grain.HOUR if seconds <= _HOUR else Grain.DAY if seconds <= _LONG_DAY else Grain.MONTH
        if (number, grain) not in self._calculated:
            self._calculated[number, grain] = self._answered(item, grain)
        return self._calculated[number, grain].get((leaf.site, leaf.process, leaf.start), [])

    def _answered(self, item: Derived, grain: Grain) -> dict[tuple[str, str, datetime], list[Part]]:
        book = self.work.book(item.rulebook)
        self._books.append(book)
        options = dict(dict(self.seen.model.options).get(book.id, ()))
        space = Space.PROCESS if item.process else Space.SITE
        asked = Request(
            self.request.period, space, grain, (item.of,), options, self.request.factors_as_of
        ).checked(book)
        table = self.work.facts_for(self.seen, [book], asked, fact_grain(book, asked))
        found: dict[tuple[str, str, datetime], list[Part]] = {}
        with self.work.using(table.name):
            result = run(self.con, book, self.seen.model, asked, facts=table.name)
            chain = ChainRows(self.con, result.query, self.seen.model)
            widths = Propagation(chain, book, asked.options, self, table.name)
            for row, (step, below) in zip(result.rows, rows_below(chain, result), strict=True):
                if meant(row, item):
                    parts = found.setdefault((row.site, row.process, row.start), [])
                    parts += [
                        (widths.known[name], change) for name, change in widths.vector(step, below).items()
                    ]
        return found

    # -- meters ------------------------------------------------------------------------------------------------------

    def _metered(self, leaf: FactLeaf, value: float) -> Iterator[Part]:
        terms = self._bought(leaf) or self._terms(leaf.meter)
        if len(terms) == 1:
            yield self._meter(next(iter(terms))), value
            return
        amounts = self._measured(leaf, terms)
        whole = sum(amounts.values()) if amounts else 0
        if not whole:
            # Nothing to tell the terms apart by: the row stands for itself.
            yield Origin("meter", f"meter:{leaf.meter}", Text(leaf.meter, leaf.meter)), value
            return
        for name, amount in amounts.items():
            yield self._meter(name), float(amount / whole * Fraction(value))

    def _gaps_in(self, leaf: FactLeaf, value: float) -> Iterator[Part]:
        """What gaps in the readings leave open, in the fact's unit: as its value is to what its meters counted."""
        terms = self._bought(leaf) or self._terms(leaf.meter)
        amounts = self._measured(leaf, terms)
        whole = sum(amounts.values())
        if not whole:
            if value:
                yield estimated_part(leaf), math.copysign(leaf.estimated, value)
            return
        if self._gaps is None:
            self._gaps = Gaps(self.con, self.seen, self.request.period, self._points, _LEDGER)
        ratio = Fraction(value) / whole
        shown = ledger_unit(next(one for name in amounts if (one := self._meters.get(name)) is not None))
        for name in amounts:
            meter = self._meters[name]
            if isinstance(meter, Meter):
                each = float(ratio * terms[name] * ledger_unit(meter).factor_to(shown) / TICKS)
                for origin, ticks in self._gaps.parts(meter, leaf.start, leaf.end):
                    yield origin, ticks * each

    def _meter(self, name: str) -> Origin:
        meter = self._meters.get(name)
        stated = meter.uncertainty if isinstance(meter, Meter) else None
        label = Text(f"meter {name}", f"计量点 {name}")
        return Origin("meter", f"meter:{name}", label, stated)

    def _terms(self, name: str, weight: Fraction = Fraction(1)) -> dict[str, Fraction]:
        """The meters that are read for one, each with its weight."""
        found: dict[str, Fraction] = {}
        meter = self._meters.get(name)
        parts: list[tuple[str, Fraction]] = [(name, weight)]
        if name.endswith(_REST):
            above = name.removesuffix(_REST)
            below = [one.id for one in self._meters.values() if one.parent == above]
            parts = [(above, weight), *((one, -weight) for one in below)]
        elif isinstance(meter, VirtualMeter):
            parts = [(term, weight * each) for term, each in meter.terms]
        for part, each in parts:
            further = {part: each} if part == name else self._terms(part, each)
            for real, times in further.items():
                found[real] = found.get(real, Fraction(0)) + times
        return {real: times for real, times in found.items() if times}

    def _bought(self, leaf: FactLeaf) -> dict[str, Fraction]:
        """The purchase meters, where what they measured was given to a meter below a bus in proportion to its use."""
        top = self._meters.get(leaf.meter.removesuffix(_REST))
        while top is not None and top.parent is not None and top.flow is not Flow.PURCHASED:
            top = self._meters.get(top.parent)
        if leaf.quantity not in _BOUGHT or top is None or top.flow is Flow.PURCHASED:
            return {}
        found: dict[str, Fraction] = {}
        for meter in self._meters.values():
            if (meter.flow, meter.site, meter.carrier) == (Flow.PURCHASED, top.site, top.carrier):
                found.update(self._terms(meter.id))
        return found

    def _measured(self, leaf: FactLeaf, terms: dict[str, Fraction]) -> dict[str, Fraction]:
        """Weight times amount of each term in the fact's span, in one unit; nothing where they have none in common."""
        ticks = self._ticks(leaf.start, leaf.end)
        found: dict[str, Fraction] = {}
        unit = None
        for name, weight in terms.items():
            meter, point = self._meters.get(name), self._points.get(name)
            if meter is None or point is None:
                continue
            try:
                own = ledger_unit(meter)
                unit = unit or own
                found[name] = weight * Fraction(ticks.get(point, 0), TICKS) * own.factor_to(unit)
            except UnitError:
                return {}
        return found

    def _ticks(self, start: datetime, end: datetime) -> dict[int, int]:
        if not self._ledger:
            write_ledger(self.con, self.seen, self.request.period, _LEDGER)
            self._ledger = True
        if (start, end) not in self._amounts:
            rows = self.con.execute(
                f"SELECT point, sum(amount) FROM {_LEDGER} WHERE start >= ? AND start < ? GROUP BY point",
                [moment.astimezone(UTC).replace(tzinfo=None) for moment in (start, end)],
            ).fetchall()
            self._amounts[start, end] = {point: int(amount or 0) for point, amount in rows}
        return self._amounts[start, end]

    # -- records -----------------------------------------------------------------------------------------------------

    def _recorded(self, leaf: FactLeaf, value: float) -> Iterator[Part]:
        """The sources of the records a fact was made from, each with its part; a stock that was taken over from the
        month before counts with the source that keeps stocks."""
        records = [found for word in leaf.source.split(" ") if (found := self._record(word)) is not None]
        origins = {name: self._register(name, leaf) for name, *_ in records}
        if len(origins) == 1:
            yield next(iter(origins.values())), value
            return
        amounts = dict.fromkeys(origins, 0.0)
        for name, quantity, _, amount, unit in records:
            amounts[name] += _SIGNS.get(quantity, 1.0) * amount * _in_unit(unit, leaf.unit)
        if leaf.quantity in LABORATORY:  # a mean of several laboratories: each by its number of results
            amounts = {name: float(sum(one[0] == name for one in records)) for name in origins}
            amounts = {name: value * count / len(records) for name, count in amounts.items()}
        keeper = next((name for name, quantity, *_ in records if quantity.endswith("_stock")), None)
        name = keeper or next(iter(origins), "")
        if name:
            amounts[name] += value - sum(amounts.values())
        for name, amount in amounts.items():
            yield origins[name], amount

    def _record(self, word: str) -> tuple[str, str, str, float, str] | None:
        """(source, quantity, item, value, unit) of the record that `records:<batch>:<file>:<line>` names."""
        if self._records is None:
            write_records(self.con, self.seen, _RECORDS)
            rows = self.con.execute(
                f"SELECT batch, file, line, quantity, item, value, unit FROM {_RECORDS} WHERE value IS NOT NULL"
            ).fetchall()
            self._records = {
                f"records:{batch}:{file}:{line}": (
                    self._source_of(file),
                    quantity,
                    item or "",
                    value,
                    unit or "",
                )
                for batch, file, line, quantity, item, value, unit in rows
            }
        return self._records.get(word)

    def _source_of(self, file: int) -> str:
        return self._files[file].source_id if file in self._files else ""

    def _register(self, name: str, leaf: FactLeaf) -> Origin:
        """One source's records of one item: amounts of energy err together whatever the flow, other quantities each by itself."""
        source: Source | None = self._sources.get(name)
        energy = leaf.quantity.startswith("energy_") and leaf.quantity != "energy_cost"
        what = leaf.item if energy else " ".join(word for word in (leaf.quantity, leaf.item) if word)
        shown = self._item(leaf.item) if energy else self._named(leaf)
        label = Text(f"records “{name}”: {shown.en}", f"台账“{name}”：{shown.zh}")
        kind = "laboratory" if leaf.quantity in LABORATORY else "records"
        return Origin(kind, f"records:{name}:{what}", label, source.uncertainty if source else None)

    def _named(self, leaf: FactLeaf) -> Text:
        """A quantity as a rulebook calls it, with its item."""
        known = (book.label(leaf.quantity) for book in self._books if leaf.quantity in book.facts)
        what = next(known, Text(leaf.quantity, leaf.quantity))
        of = self._item(leaf.item)
        return Text(f"{what.en} ({of.en})", f"{what.zh}（{of.zh}）") if leaf.item else what

    def _item(self, word: str) -> Text:
        carrier = find_carrier(word, self.seen.model.carriers)
        if carrier is not None:
            return carrier.label
        products = (product.name for product in self.seen.model.products if product.id == word)
        return next(products, Text(word, word))


def _in_unit(unit: str, wanted: str) -> float:
    """From a record's unit into the fact's; 1 where they are of other kinds, which only weighs sources against each other."""
    try:
        return float(recorded_factor(parse_unit(unit), parse_unit(wanted)))
    except UnitError:
        return 1.0
