"""What a plant holds, in a few counts."""

from __future__ import annotations

from collections import Counter

from celadon.core.model import Plant


def plant_summary(plant: Plant) -> dict[str, int | dict[str, int]]:
    """Counts by part, in the order of the file; `meters_by_kind` and `meters_by_carrier` count the real
    meters.

    A meter of no carrier counts under its quantity. `roots`: meters and virtual meters without a parent."""
    parents = [meter.parent for meter in plant.meters] + [meter.parent for meter in plant.virtual_meters]
    measured = Counter(meter.carrier or meter.quantity or str(meter.kind) for meter in plant.meters)
    return {
        "sites": len(plant.sites),
        "processes": sum(len(site.processes) for site in plant.sites),
        "products": len(plant.products),
        "carriers": len(plant.carriers),
        "meters": len(plant.meters),
        "virtual_meters": len(plant.virtual_meters),
        "roots": parents.count(None),
        "tariffs": len(plant.tariffs),
        "sources": len(plant.sources),
        "factors": len(plant.factors),
        "meters_by_kind": dict(sorted(Counter(str(meter.kind) for meter in plant.meters).items())),
        "meters_by_carrier": dict(sorted(measured.items())),
    }
