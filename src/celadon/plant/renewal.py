"""What later readings or another declaration can have changed: the facts of their sites, where sites stand apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

from celadon.adapters.plant_file import meters_digest, plant_digest
from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding
from celadon.core.model import Meter, VirtualMeter
from celadon.core.model import Plant as PlantModel
from celadon.core.periods import Period
from celadon.metering.amounts import covering_period
from celadon.plant.ledger import months_of
from celadon.plant.opened import View
from celadon.plant.sources import superseded


@dataclass(frozen=True)
class Declared:
    """A plant as far as its facts depend on it: not on factors, nor on a rulebook's options."""

    model: PlantModel

    @cached_property
    def common(self) -> str:
        """Digest of what is declared for all sites, and which sites there are."""
        return plant_digest(
            replace(self.model, meters=(), virtual_meters=(), factors=(), options=(), exclusions=())
        )

    @cached_property
    def by_site(self) -> dict[str, str]:
        """Site -> digest of its meters."""
        at: dict[str, list[Meter | VirtualMeter]] = {}
        for meter in _all_meters(self.model):
            at.setdefault(meter.site, []).append(meter)
        return {site: meters_digest(meters) for site, meters in at.items()}

    @cached_property
    def apart(self) -> bool:
        """Whether its sites stand apart."""
        return stand_apart(self.model)

    @property
    def digest(self) -> tuple[str, ...]:
        """Of all of it."""
        return self.common, *self.by_site, *self.by_site.values()

    def subjects(self, sites: Collection[str]) -> set[str]:
        """What findings about these sites are about."""
        meters = (f"meter:{meter.id}" for meter in _all_meters(self.model) if meter.site in sites)
        return {*(f"site:{site}" for site in sites), *meters}


def changed_sites(
    seen: View,
    period: Period,
    now: Declared,
    since: int,
    before: Declared,
    touched: Collection[tuple[int, int]],
) -> set[str] | None:
    """Sites whose facts of `period` batches after `since`, or a plant that was `before`, may have changed; None when it may be any.

    `touched`: (point, month) of the ledger that those batches may have changed. It may be any where a record came in, a file was read anew, or the plant's sites share meters.
    """
    snapshot, files = seen.snapshot, seen.snapshot.files()
    if now.common != before.common or not (now.apart and before.apart):
        return None
    known = superseded([file for file in files if file.batch <= since])
    if snapshot.records_since(since) or superseded(files) != known:
        return None
    months = months_of(covering_period(seen.model, period))
    changed = {point for point, month in touched if month in months}
    points = snapshot.points()
    declared = {site for site, _ in now.by_site.items() ^ before.by_site.items()}
    return declared.union(meter.site for meter in seen.model.meters if points.get(meter.id) in changed)


def stand_apart(model: PlantModel) -> bool:
    """Whether nothing that is metered at one site counts at another."""
    sites = {meter.id: meter.site for meter in _all_meters(model)}
    processes = {process.id: site.id for site in model.sites for process in site.processes}
    return all(sites.get(other) == site for site, other in _meters_meant(model)) and all(
        processes.get(process) == meter.site
        for meter in model.meters
        for share in meter.shares
        for process, _ in share.weights
    )


def _all_meters(model: PlantModel) -> Iterator[Meter | VirtualMeter]:
    yield from model.meters
    yield from model.virtual_meters


def _meters_meant(model: PlantModel) -> Iterator[tuple[str, str]]:
    """(site, meter) wherever something at a site names a meter."""
    for meter in _all_meters(model):
        if meter.parent is not None:
            yield meter.site, meter.parent
    for virtual in model.virtual_meters:
        yield from ((virtual.site, term) for term, _ in virtual.terms)
    for real in model.meters:
        for share in real.shares:
            yield from ((real.site, other) for _, other in share.meters)


def only(model: PlantModel, sites: Collection[str]) -> PlantModel:
    """The part of a plant that is at these sites."""
    return replace(
        model,
        sites=tuple(site for site in model.sites if site.id in sites),
        meters=tuple(meter for meter in model.meters if meter.site in sites),
        virtual_meters=tuple(meter for meter in model.virtual_meters if meter.site in sites),
    )


def elsewhere(
    findings: Collection[Finding], declared: Collection[Declared], sites: Collection[str]
) -> list[Finding]:
    """The findings that are not about these sites or their meters, as any of these plants declares them."""
    gone = {subject for plant in declared for subject in plant.subjects(sites)}
    return [item for item in findings if item.where.subject not in gone]
