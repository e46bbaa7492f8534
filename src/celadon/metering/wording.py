"""Findings as people of the plant say things: items, purposes and sites by name, moments by the site's own clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from celadon.core.carriers import PURPOSES
from celadon.core.findings import Finding
from celadon.core.items import item_names
from celadon.core.model import Plant
from celadon.core.periods import zone
from celadon.core.text import Named, Text

_ITEMS = ("item", "carrier")


def in_words(findings: Iterable[Finding], plant: Plant) -> list[Finding]:
    """The findings with the plant's names in place of its ids, and naive instants (UTC) as local times."""
    items = item_names(plant)
    sites = {site.id: site for site in plant.sites}
    homes = {meter.id: meter.site for meter in plant.meters}
    homes |= {meter.id: meter.site for meter in plant.virtual_meters}

    def told(finding: Finding) -> Finding:
        values = dict(finding.values)
        site = sites.get(str(values.get("site") or homes.get(str(values.get("meter")), "")))
        for key, value in finding.values.items():
            if isinstance(value, datetime):
                values[key] = _local(value, site.zone if site else plant.zone, month=key == "month")
            elif key == "site" and site is not None:
                values[key] = Named.of(site.id, site.name)
            elif isinstance(value, str) and (name := _name(key, value, items)):
                values[key] = Named.of(value, name)
        return finding if values == finding.values else replace(finding, values=values)

    return [told(finding) for finding in findings]


def _name(key: str, word: str, items: dict[str, Text]) -> Text | None:
    if key in _ITEMS:
        return items.get(word)
    return PURPOSES.get(word) if key == "purpose" else None


def _local(moment: datetime, zone_name: str, *, month: bool) -> str:
    local = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone(zone_name))
    return f"{local:%Y-%m}" if month else f"{local:%Y-%m-%d %H:%M}"
