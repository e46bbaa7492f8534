"""Readings and records that the plant file says do not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from celadon.adapters.plant_file.common import instant, where
from celadon.adapters.plant_file.reading import Entry, Reading
from celadon.core.findings import FindingKind, Severity
from celadon.core.model import Excluded, Meter, Site
from celadon.core.text import Text

EXCLUDED_WHAT = FindingKind(
    "plant.excluded-what",
    Severity.ERROR,
    Text("Excluded: of what?", "不计入的对象不明"),
    Text(
        "An exclusion is of the readings of a `meter` or of the records of a `quantity`: one of the two.",
        "不计入项须写 `meter`（读数）或 `quantity`（台账），二者取一。",
    ),
    Text("Write `meter:` or `quantity:`.", "请写 `meter:` 或 `quantity:`。"),
)
EXCLUDED_KEY = FindingKind(
    "plant.excluded-key",
    Severity.ERROR,
    Text("Key has no meaning for readings", "读数不用该键"),
    Text("`{key}` says nothing of the readings of a meter.", "`{key}` 对表计读数没有意义。"),
    Text("Remove it; `start` and `end` say which readings.", "请删除；由 `start` 与 `end` 指明读数。"),
)
EXCLUDED_REVERSED = FindingKind(
    "plant.excluded-reversed",
    Severity.ERROR,
    Text("Ends before it begins", "截止早于起始"),
    Text("From {start} to {end}: the end is before the beginning.", "自 {start} 至 {end}：截止早于起始。"),
    Text("Exchange or correct the two times.", "请更正或对调两个时间。"),
)
_OF_RECORDS = ("item", "purpose", "site", "process", "note", "value")


def build_excluded(
    reading: Reading,
    entries: Sequence[Entry],
    meters: Mapping[str, Meter],
    sites: Mapping[str, Site],
    zone: str,
) -> tuple[Excluded, ...]:
    """The exclusions in the order written; one that says nothing for sure is a finding and excludes nothing."""
    found = [
        _excluded(reading, entry, _zone(entry, meters, sites, zone)) for entry in entries if entry.complete
    ]
    return tuple(item for item in found if item is not None)


def left_out(meter: Meter, excluded: Sequence[Excluded]) -> Meter:
    """The meter with the spans whose readings do not count."""
    spans = tuple(sorted((item.start, item.end or item.start) for item in excluded if item.meter == meter.id))
    return replace(meter, left_out=spans) if spans else meter


def _zone(entry: Entry, meters: Mapping[str, Meter], sites: Mapping[str, Site], zone: str) -> str:
    meter = meters.get(entry["meter"] or "")
    site = sites.get(meter.site if meter else entry["site"] or "")
    if site is None and meter is None and len(sites) == 1:
        site = next(iter(sites.values()))
    return site.zone if site else zone


def _excluded(reading: Reading, entry: Entry, zone: str) -> Excluded | None:
    if entry.given("meter") == entry.given("quantity"):
        reading.add(EXCLUDED_WHAT, entry.node, entry.subject)
        return None
    for key in _OF_RECORDS if entry.given("meter") else ():
        if entry.given(key):
            reading.add(EXCLUDED_KEY, entry.at(key), entry.subject, key=key)
            return None
    start, end = instant(reading, entry, "start", zone), instant(reading, entry, "end", zone)
    if start is None or (entry["meter"] is None and entry["quantity"] is None):
        return None
    if end is not None and end < start:
        reading.add(EXCLUDED_REVERSED, entry.at("end"), entry.subject, start=start, end=end)
        return None
    return Excluded(
        reason=entry["reason"],
        start=start,
        end=end,
        **{name: entry[name] for name in ("meter", "quantity", *_OF_RECORDS)},
        by=entry["by"] or "",
        at=entry["at"] or "",
        where=where(reading, entry),
    )
