"""What every part of the plant file needs: names, instants in a zone, amounts in a unit, and dated rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from celadon.adapters.plant_file.nodes import Node, Scalar
from celadon.adapters.plant_file.reading import Entry, Reading
from celadon.adapters.plant_file.values import Amount
from celadon.core.findings import FindingKind, Place, Severity
from celadon.core.periods import Validity, zone
from celadon.core.text import Text
from celadon.core.units import UNIT_MISMATCH, Unit, parse_unit

INSTANT_SHIFTED = FindingKind(
    "plant.clock-change",
    Severity.WARNING,
    Text("Local time is not unique", "当地时间不唯一"),
    Text(
        "`{key}: {value}` falls into a clock change of {zone}; it was read as {instant}.",
        "`{key}: {value}` 处于 {zone} 的时钟调整中，按 {instant} 读取。",
    ),
    Text("Write the offset: 2024-10-27T02:30+01:00.", "请写明时差：2024-10-27T02:30+01:00。"),
)
VALIDITY_REVERSED = FindingKind(
    "plant.validity-reversed",
    Severity.ERROR,
    Text("Ends before it begins", "截止早于起始"),
    Text(
        "From {since} until {until}: the end is before the beginning.",
        "自 {since} 至 {until}：截止早于起始。",
    ),
    Text("Exchange or correct the two dates.", "请更正或对调两个日期。"),
)
VALIDITY_OVERLAP = FindingKind(
    "plant.validity-overlap",
    Severity.ERROR,
    Text("Two hold at the same time", "有效期重叠"),
    Text(
        "{what} from {since} holds while the one on line {first} still does.",
        "{what} 自 {since} 起生效时，第 {first} 行的仍有效。",
    ),
    Text("Give each an `until` before the next `since`.", "请使每项的 `until` 早于下一项的 `since`。"),
)


def written(node: Node) -> str:
    """The text of a scalar; of anything else, nothing."""
    return node.text if isinstance(node, Scalar) else ""


def where(reading: Reading, entry: Entry) -> Place:
    """Where the table stands, for the model."""
    return Place(file=reading.file, line=entry.node.line, subject=entry.subject)


def name_of(entry: Entry) -> Text:
    """`name` as one text or in two languages; the id where it is left out."""
    value = entry["name"]
    if isinstance(value, Entry):
        zh, en = value["zh"], value["en"]
        if zh or en:
            return Text(en=en or zh, zh=zh or en)
        value = None
    name = value or entry["id"]
    return Text(en=name, zh=name)


def instant(reading: Reading, entry: Entry, key: str, zone_name: str) -> datetime | None:
    """The instant (UTC) of `key`, local to `zone_name` where it has no offset; None where it is not
    written."""
    moment: datetime | None = entry[key]
    if moment is None:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    local = moment.replace(tzinfo=zone(zone_name))
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        node = entry.at(key)
        shown = local.astimezone(UTC).isoformat()
        reading.add(
            INSTANT_SHIFTED, node, entry.subject, key=key, value=written(node), zone=zone_name, instant=shown
        )
    return local.astimezone(UTC)


def amount(
    reading: Reading, entry: Entry, key: str, expected: Unit, over: Unit | None = None
) -> float | None:
    """The number of `key` in `expected`; what is written per `over` (kW for kWh per hour) is multiplied
    with it."""
    found: Amount | None = entry[key]
    if found is None:
        return None
    if found.unit is None:
        return float(found.value)
    unit = parse_unit(found.unit)
    per = unit * over if over else unit
    if not per.same_kind(expected):
        shown = f"{expected}/{over}" if over else str(expected)
        mismatch(reading, entry, key, unit, shown)
        return None
    return float(found.value * per.factor_to(expected))


def mismatch(reading: Reading, entry: Entry, key: str, unit: Unit, expected: str) -> None:
    """The finding that the unit of `key` measures something else than `expected`."""
    reading.add(
        UNIT_MISMATCH,
        entry.at(key),
        entry.subject,
        what=f"`{key}`",
        unit=str(unit),
        dimension=unit.kind,
        expected=expected,
    )


def valid(reading: Reading, entry: Entry) -> bool:
    """Whether the row ends no earlier than it begins (else a finding)."""
    since, until = entry["since"], entry["until"]
    if since is None or until is None or since <= until:
        return True
    reading.add(VALIDITY_REVERSED, entry.at("until"), entry.subject, since=since, until=until)
    return False


def without_overlap(reading: Reading, rows: Iterable[tuple[Hashable, str | Text, Entry]]) -> list[Entry]:
    """The sound rows, by their first day; of two of one group that hold at the same time, the first
    written stays.

    A row is (what it competes as, that in words, its table)."""
    kept: dict[Hashable, list[Entry]] = {}
    sound: list[Entry] = []
    for group, what, entry in rows:
        if not entry.complete or not valid(reading, entry):
            continue
        validity = Validity(entry["since"], entry["until"])
        others = kept.setdefault(group, [])
        clash = next((o for o in others if Validity(o["since"], o["until"]).overlaps(validity)), None)
        if clash is not None:
            values: dict[str, Any] = {"what": what, "since": entry["since"] or "…", "first": clash.node.line}
            reading.add(VALIDITY_OVERLAP, entry.node, entry.subject, **values)
            continue
        others.append(entry)
        sound.append(entry)
    return sorted(sound, key=lambda entry: entry["since"] or date.min)
