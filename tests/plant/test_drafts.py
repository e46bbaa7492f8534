"""Changes by hand: entered and corrected records, exclusions, corrected quarantine; each shown before it is made."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from celadon.plant import drafts, editing, excluding
from celadon.plant.entry import EVIDENCE_MISSING, Entry, Signed, read_evidence
from tests.plant import small

CARBON = "cn_gbt_32150_2015"
DIESEL = 3.1451224933333326
"""tCO2 of a tonne of diesel: 43.33 GJ/t × 0.0202 tC/GJ × 0.98 × 44/12."""
SIGNED = Signed(
    "Li", datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC), "typed wrong", "invoice.pdf", b"%PDF evidence"
)


def diesel(plant, as_of=None):
    found = plant.account(CARBON, "2024-01", as_of=as_of)
    return next(row.value for row in found.rows if row.quantity == "fuel_combustion_emission")


def codes(findings):
    return {item.code for item in findings}


def refused(code: str):
    return pytest.raises(FindingError, match=code)


def test_a_wrong_record_is_corrected_and_exactly_two_figures_change(tmp_path: Path) -> None:
    """4 t bought become 3 t: consumption 1.5 + 4 − 0.5 = 5 t becomes 4 t; combustion and the total move, power does not."""
    plant = small.loaded(tmp_path)
    before = plant.view().snapshot.recorded_at
    draft = plant.draft_correction("fuel/fuel.csv", 3, {"value": 3.0}, SIGNED)
    effect = plant.effect(draft, [CARBON])
    assert effect.asked == ((CARBON, "2024"),)
    assert (effect.figures, len(effect.changes)) == (3, 2)
    moved = {change.quantity: change for change in effect.changes}
    assert moved["fuel_combustion_emission"].before == pytest.approx(5 * DIESEL, rel=1e-12)
    assert moved["fuel_combustion_emission"].after == pytest.approx(4 * DIESEL, rel=1e-12)
    assert moved["total_emission"].difference == pytest.approx(-DIESEL, rel=1e-12)
    assert not (tmp_path / "manual").exists()
    assert diesel(plant) == pytest.approx(5 * DIESEL, rel=1e-12)

    done = plant.commit(draft, effect.state)
    assert done.loading.records == 1
    assert diesel(plant) == pytest.approx(4 * DIESEL, rel=1e-12)
    assert diesel(plant, before) == pytest.approx(5 * DIESEL, rel=1e-12)  # both clocks
    trace = plant.explain("fuel_combustion_emission", CARBON, "2024-01", where={"carrier": "diesel"})
    (entered,) = [node for node in trace.root.walk() if node.detail.get("by")]
    sha256 = hashlib.sha256(b"%PDF evidence").hexdigest()
    assert entered.value == 3.0
    assert {name: entered.detail[name] for name in ("by", "at", "reason", "evidence", "evidence_sha256")} == {
        "by": "Li",
        "at": "2024-02-03T04:05:06+00:00",
        "reason": "typed wrong",
        "evidence": "invoice.pdf",
        "evidence_sha256": sha256,
    }
    assert (tmp_path / "manual" / "evidence" / f"{sha256}.pdf").read_bytes() == b"%PDF evidence"
    assert small.open_again(tmp_path).load().changed is False


def test_rows_that_add_to_the_corrected_one_stay(tmp_path: Path) -> None:
    """Two deliveries of one day without a number, 4 t and 2 t; the second was 1 t: 1.5 + 4 + 1 − 0.5 = 6 t."""
    plant = small.loaded(tmp_path, fuel=small.FUEL.replace("4,t,D1", "4,t,\n2024-01-10,bought,diesel,2,t,"))
    assert diesel(plant) == pytest.approx(7 * DIESEL, rel=1e-12)
    draft = plant.draft_correction("fuel/fuel.csv", 4, {"value": 1.0}, SIGNED)
    plant.commit(draft, plant.effect(draft, [CARBON]).state)
    assert diesel(plant) == pytest.approx(6 * DIESEL, rel=1e-12)


def test_a_new_record_over_a_month_and_a_second_one(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    for number, value in (("D2", 2.0), ("D3", 0.25)):
        entry = Entry("fuel_purchased", value, "t", "2024-01", item="柴油", purpose="mobile", note=number)
        at = datetime(2024, 2, 1, int(number[1]), tzinfo=UTC)
        draft = plant.draft_records([entry], Signed("Li", at))
        plant.commit(draft, plant.effect(draft, [CARBON]).state)
    assert diesel(plant) == pytest.approx(7.25 * DIESEL, rel=1e-12)
    assert len([source for source in plant.opened.model.sources if source.id == "manual"]) == 1
    assert len(list((tmp_path / "manual").glob("*.csv"))) == 2


def test_a_record_nobody_can_read_is_refused_by_its_finding(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    draft = plant.draft_records([Entry("fuel_purchased", 2.0, "t", "2024-01-05", item="unobtainium")], SIGNED)
    effect = plant.effect(draft, [CARBON])
    assert "table.item-unknown" in codes(effect.findings)
    assert effect.changes == ()
    with refused("entry.evidence") as caught:
        read_evidence(tmp_path / "gone.pdf")
    assert caught.value.findings[0].says("zh") == "凭证文件 gone.pdf 无法读取。"
    assert caught.value.findings[0].kind is EVIDENCE_MISSING


def test_excluded_readings_leave_the_ledger_and_come_back(tmp_path: Path) -> None:
    """The furnace's hours 5:00–9:00 of 10 January: 5 readings of a register, the total stays and its hours are estimated."""
    plant = small.loaded(tmp_path)
    before = plant.view().snapshot.recorded_at
    item = {
        "meter": "E1",
        "start": "2024-01-10T05:00",
        "end": "2024-01-10T09:00",
        "reason": "display dead",
        "by": "Li",
    }
    draft = plant.draft_exclusion(item)
    effect = plant.effect(draft, [CARBON])
    assert {"excluded.facts", "metering.outage"} <= codes(effect.findings)
    assert effect.changes == ()  # the next reading carries the total
    plant.commit(draft, effect.state)
    assert small.energy(plant) == 7440.0
    found = plant.account(CARBON, "2024-01")
    (said,) = [item for item in found.findings if item.kind is excluding.FACTS_EXCLUDED]
    assert said.says("en") == "5 readings of E1 do not count: display dead (Li)."
    assert said.says("zh") == "计量点 E1 的读数共 5 条不计入：display dead（Li）。"
    trace = plant.explain("purchased_electricity_emission", CARBON, "2024-01")
    (node,) = [node for node in trace.root.walk() if node.kind == "excluded"]
    assert (node.value, node.detail["says"], node.detail["by"]) == (5.0, "display dead", "Li")
    power = next(row for row in found.rows if row.quantity == "purchased_electricity_emission")
    assert power.quality.estimated == pytest.approx(60 / 7440)  # 6 hours of 10 kWh between 4:00 and 10:00
    assert not [
        item for item in plant.account(CARBON, "2024-01", as_of=before).findings if "excluded" in item.code
    ]
    small.write(tmp_path)  # the plant file without it: everything counts again
    again = small.open_again(tmp_path)
    again.load()
    found = again.account(CARBON, "2024-01")
    power = next(row for row in found.rows if row.quantity == "purchased_electricity_emission")
    assert power.quality.measured == 1.0


def test_excluded_neighbours_are_looked_for_beyond(tmp_path: Path) -> None:
    """Thirty readings before the month's end (UTC) are excluded, more than a derivation looks back: the ledger of the last
    cells is the same whether its month is derived alone or with the one before."""
    start, end = "2024-01-30T10:00", "2024-01-31T15:00"
    text = f"excluded:\n  - {{meter: E1, start: {start}, end: {end}, reason: dead}}\n"
    readings = small.rows(0, small.HOURS + 48)
    plant = small.loaded(tmp_path, plant=small.PLANT + text, readings=readings)
    assert small.energy(plant, period="2024-01") == 7440.0
    assert small.energy(plant, period="2024-02-01") == 240.0
    # 30 January 9:00 to 31 January 16:00 is 31 hours of 10 kWh; of them 16 lie on 31 January, and 8 hours follow.
    assert small.energy(plant, period="2024-01-31") == 240.0
    (row,) = [row for row in plant.balance("2024-01-31").meters if row.node == "E1"]
    assert row.estimated == 160_000_000


def test_excluded_record_and_an_exclusion_of_nothing(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    item = {
        "quantity": "fuel_purchased",
        "item": "diesel",
        "start": "2024-01-10",
        "note": "D1",
        "reason": "another firm's",
    }
    draft = plant.draft_exclusion(item)
    effect = plant.effect(draft, [CARBON])
    # 1.5 + 4 − 0.5 = 5 t of diesel, without the 4 t bought: 1 t
    assert {change.quantity for change in effect.changes} == {"fuel_combustion_emission", "total_emission"}
    assert effect.changes[-1].difference == pytest.approx(-4 * DIESEL, rel=1e-12)
    plant.commit(draft, effect.state)
    assert diesel(plant) == pytest.approx(DIESEL, rel=1e-12)
    trace = plant.explain("fuel_combustion_emission", CARBON, "2024-01", where={"carrier": "diesel"})
    (node,) = [node for node in trace.root.walk() if node.kind == "excluded"]
    assert node.detail["says"] == "another firm's"
    draft = plant.draft_exclusion({**item, "note": "D9"})
    (said,) = [f for f in plant.effect(draft, [CARBON]).findings if f.kind is excluding.NOTHING_EXCLUDED]
    assert said.says("en").startswith("There are no records of fuel_purchased diesel D9 that line ")
    assert "台账 fuel_purchased diesel D9" in said.says("zh")


def test_corrected_quarantine_is_shown_before_it_counts(tmp_path: Path) -> None:
    fuel = small.FUEL.replace("4,t,D1", "4x,t,D1")
    plant = small.loaded(tmp_path, fuel=fuel)
    (kept,) = plant.quarantine()
    draft = plant.draft_corrections({kept.row.id: {"amount": "4"}})
    effect = plant.effect(draft, [CARBON])
    assert effect.replay is not None
    assert effect.replay.replayed == [kept.row.id]
    assert effect.changes[-1].difference == pytest.approx(4 * DIESEL, rel=1e-12)
    assert len(plant.quarantine()) == 1
    done = plant.commit(draft, effect.state)
    assert done.replay is not None
    assert (done.replay.records, plant.quarantine()) == (1, [])
    assert diesel(plant) == pytest.approx(5 * DIESEL, rel=1e-12)
    for wrong in ({kept.row.id: {"amount": "4"}}, {99: {"amount": "4"}}):
        with refused("quarantine.correction-unknown"):
            plant.draft_corrections(wrong)


def test_a_draft_is_refused_once_the_plant_has_moved_on(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    draft = plant.draft_correction("fuel/fuel.csv", 3, {"value": 3.0}, SIGNED)
    state = plant.effect(draft, [CARBON]).state
    (tmp_path / "fuel" / "more.csv").write_text(small.FUEL.replace("2024-01", "2024-02"), "utf-8")
    small.open_again(tmp_path).load()
    with refused("draft.outdated") as caught:
        plant.commit(draft, state)
    assert caught.value.findings[0].says("en").endswith("nothing was committed.")
    assert not (tmp_path / "manual").exists()
    with refused("draft.no-such-record") as caught:
        plant.draft_correction("fuel/fuel.csv", 33, {"value": 3.0}, SIGNED)
    assert caught.value.findings[0].says("zh") == "fuel/fuel.csv 第 33 行没有现行台账。"
    state = plant.effect(draft, [CARBON]).state
    (tmp_path / draft.files[0].name).parent.mkdir()
    (tmp_path / draft.files[0].name).write_text("taken")
    with refused("draft.name-taken") as caught:
        plant.commit(draft, state)
    assert caught.value.findings[0].values == {"file": draft.files[0].name}
    assert (tmp_path / draft.files[0].name).read_text() == "taken"


COMMENTED = """celadon: 1
# whose
enterprise: {id: acme}
sites: [{id: works}]
sources:   # the files
- id: a    # first
  role: records
  files: a.csv
  fields: {date: d, value: v, quantity: q}
  # still of a

# --- what follows ---
factors: []
"""
BLOCK = {
    "id": "b",
    "role": "records",
    "files": ["b.csv"],
    "fields": {"date": "日期", "value": "v", "quantity": "q"},
}


def test_an_addition_leaves_every_line_as_it_was() -> None:
    new = editing.added(COMMENTED, Path("plant.yaml"), "sources", BLOCK)
    added = "- id: b\n  role: records\n  files:\n  - b.csv\n  fields:\n    date: 日期\n    value: v\n    quantity: q\n"
    assert new == COMMENTED.replace("  # still of a\n", "  # still of a\n" + added)
    crlf = editing.added(COMMENTED.replace("\n", "\r\n"), Path("plant.yaml"), "sources", BLOCK)
    assert crlf == new.replace("\n", "\r\n")
    first = editing.added(
        "celadon: 1\nenterprise: {id: a}\nsites: [{id: w}]", Path("p.yaml"), "sources", BLOCK
    )
    assert first.startswith("celadon: 1\nenterprise: {id: a}\nsites: [{id: w}]\n\nsources:\n  - id: b\n")


def test_what_cannot_be_added_is_said_with_the_text_to_write() -> None:
    flow = COMMENTED.replace("sources:   # the files\n", "sources: []\nother:\n")
    with refused("plant.not-editable") as caught:
        editing.added(flow, Path("plant.yaml"), "sources", BLOCK)
    assert "- id: b" in caught.value.findings[0].fix("en")
    assert "未向 plant.yaml 的 `sources:` 添加内容" in caught.value.findings[0].says("zh")
    with refused("plant.key-twice"):
        editing.added(COMMENTED + "sources: []\n", Path("plant.yaml"), "sources", BLOCK)
    with refused("plant.id-twice"):
        editing.added(COMMENTED, Path("plant.yaml"), "sources", {**BLOCK, "id": "a"})


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with refused("plant.not-written") as caught:
        editing.write_whole(tmp_path / "taken" / "plant.yaml", b"x")
    assert caught.value.findings[0].values["file"] == "plant.yaml"
    editing.write_whole(tmp_path / "new" / "plant.yaml", b"one")
    editing.write_whole(tmp_path / "new" / "plant.yaml", b"two")
    assert (tmp_path / "new" / "plant.yaml").read_bytes() == b"two"
    with refused("plant.not-written"):
        editing.write_whole(tmp_path / "new" / "plant.yaml", b"three", new=True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["plant.yaml"]


def test_drafts_of_another_encoding_are_refused(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    (tmp_path / "plant.yaml").write_bytes(small.PLANT.encode("gbk"))
    with refused("plant.not-editable"):
        plant.draft_exclusion({"meter": "E1", "start": "2024-01-10", "reason": "x"})
    assert drafts.RECORD_UNKNOWN.code == "draft.no-such-record"
