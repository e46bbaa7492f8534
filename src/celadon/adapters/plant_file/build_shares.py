"""Shares of a meter that serves several processes, from the tables that were read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from celadon.adapters.plant_file.common import without_overlap
from celadon.adapters.plant_file.nodes import Mapping as MappingNode
from celadon.adapters.plant_file.nodes import Sequence
from celadon.adapters.plant_file.reading import REFERENCE_UNKNOWN, Entry, Reading, near
from celadon.adapters.plant_file.values import BAD_PERCENTAGE, read_percentage
from celadon.core.findings import FindingKind, Severity
from celadon.core.model import Process, Share
from celadon.core.text import Text

SHARE_FORM = FindingKind(
    "plant.share-form",
    Severity.ERROR,
    Text("Allocation written in another way", "分摊写法不符"),
    Text("`by: {by}` needs {form}.", "`by: {by}` 需要{form}。"),
    Text(
        "Write by fixed: {{eaf: 60%, rolling: 40%}}; by meters: {{eaf: E11}}; by production or area: "
        "[eaf, rolling].",
        "fixed 写 {{eaf: 60%, rolling: 40%}}；meters 写 {{eaf: E11}}；production、area 写 [eaf, rolling]。",
    ),
)
SHARE_SUM = FindingKind(
    "plant.share-sum",
    Severity.ERROR,
    Text("Shares do not make 100%", "分摊比例合计不为 100%"),
    Text("The percentages add to {sum}%.", "比例合计为 {sum}%。"),
    Text("Correct them so that they add to 100%.", "请更正，使合计为 100%。"),
)
SHARE_KEY_MISSING = FindingKind(
    "plant.share-key-missing",
    Severity.ERROR,
    Text("Process has nothing to share by", "工序缺少分摊依据"),
    Text("The process {process} has no `{key}` to share by.", "工序 {process} 没有用于分摊的 `{key}`。"),
    Text("Add `{key}:` to the process.", "请为该工序补充 `{key}:`。"),
)
SHARE_AND_PROCESS = FindingKind(
    "plant.share-and-process",
    Severity.WARNING,
    Text("Meter has a process and shares", "表计既有工序又有分摊"),
    Text(
        "The meter belongs to the process {process} and is shared as well; the shares go first.",
        "该表计属于工序 {process} 又有分摊，以分摊为准。",
    ),
    Text("Keep `process` or `share`.", "请保留 `process` 或 `share` 之一。"),
)

_SHARE_FORMS = {
    "fixed": Text("a percentage for each process", "各工序的比例"),
    "meters": Text("a meter for each process", "各工序的表计"),
    "production": Text("a list of processes", "工序列表"),
    "area": Text("a list of processes", "工序列表"),
}


def build_shares(reading: Reading, meter: Entry, processes: Mapping[str, Process]) -> tuple[Share, ...]:
    """The sound shares of a meter, by their first day; no two hold at the same time."""
    entries = meter.entries("share")
    if entries and meter["process"]:
        reading.add(SHARE_AND_PROCESS, meter.at("share"), meter.subject, process=meter["process"])
    rows = [("share", Text("share", "分摊"), entry) for entry in entries]
    shares = [_share(reading, entry, processes) for entry in without_overlap(reading, rows)]
    return tuple(share for share in shares if share is not None)


def _share(reading: Reading, entry: Entry, processes: Mapping[str, Process]) -> Share | None:
    by = entry["by"]
    if isinstance(entry.at("to"), MappingNode) != (by in ("fixed", "meters")):
        reading.add(SHARE_FORM, entry.at("to"), entry.subject, by=by, form=_SHARE_FORMS[by])
        return None
    weights: tuple[tuple[str, float], ...] = ()
    meters: tuple[tuple[str, str], ...] = ()
    if not _processes_known(entry, processes):
        return None  # told where it is named; a part of a share is no share
    if by == "fixed":
        weights = _percentages(reading, entry)
    elif by == "meters":
        meters = _share_meters(reading, entry)
    else:
        weights = tuple((process, 1.0) for process in entry.values("to"))
        _share_keys(reading, entry, processes)
    if not weights and not meters:
        return None
    return Share(by=by, weights=weights, meters=meters, since=entry["since"], until=entry["until"])


def _processes_known(entry: Entry, processes: Mapping[str, Process]) -> bool:
    node = entry.at("to")
    if isinstance(node, MappingNode):
        return set(node.entries) <= set(processes)
    known = [process for process in entry.values("to") if process in processes]
    return isinstance(node, Sequence) and len(node.items) == len(known)


def _percentages(reading: Reading, entry: Entry) -> tuple[tuple[str, float], ...]:
    weights: list[tuple[str, float]] = []
    for process, share in entry.pairs("to"):
        try:
            weights.append((process.value, read_percentage(share.value)))
        except ValueError:
            reading.add(BAD_PERCENTAGE, share.node, entry.subject, key=process.value, value=share.value)
            return ()
    total = sum((Fraction(str(weight)) for _, weight in weights), Fraction(0))
    if abs(total - 1) > Fraction(1, 10**6):
        percent = f"{Decimal(str(float(total * 100))):f}".removesuffix(".0")
        reading.add(SHARE_SUM, entry.at("to"), entry.subject, sum=percent)
        return ()
    return tuple(weights)


def _share_meters(reading: Reading, entry: Entry) -> tuple[tuple[str, str], ...]:
    known = reading.known(("meters", "virtual_meters"))
    for process, meter in entry.pairs("to"):
        if meter.value not in known:
            values = {"key": process.value, "value": meter.value, "section": "meters"}
            hint = near(meter.value, known)
            reading.add(REFERENCE_UNKNOWN, meter.node, entry.subject, hint=hint, **values)
            return ()
    return tuple((process.value, meter.value) for process, meter in entry.pairs("to"))


def _share_keys(reading: Reading, entry: Entry, processes: Mapping[str, Process]) -> None:
    by_area = entry["by"] == "area"
    key = "area" if by_area else "products"
    for got in entry["to"]:
        process = processes[got.value]
        if not (process.area_m2 if by_area else process.products):
            reading.add(SHARE_KEY_MISSING, got.node, entry.subject, process=process.id, key=key)
