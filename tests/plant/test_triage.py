"""Decisions about findings, and the history of facts by both clocks."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from celadon.plant import triage
from celadon.plant.entry import Signed
from tests.plant import small

CARBON = "cn_gbt_32150_2015"
GAP = small.rows(0, 100) + small.rows(110, small.HOURS, header=False)


def test_a_finding_is_accepted_for_good_and_opened_again(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=GAP)
    found = plant.triage("2024-01", [CARBON])
    outage = next(one for one in found if one.finding.code == "metering.outage")
    assert not outage.accepted
    before = plant.account(CARBON, "2024-01")
    plant.decide(outage.id, "accept", "Li", " the line was down ", "2024-01", [CARBON])
    again = next(one for one in plant.triage("2024-01", [CARBON]) if one.id == outage.id)
    assert again.accepted
    (said,) = again.decisions
    assert (said.by, said.reason, said.code) == ("Li", "the line was down", "metering.outage")
    assert [row.value for row in plant.account(CARBON, "2024-01").rows] == [row.value for row in before.rows]
    assert plant.triage("2024-01", [CARBON])[-1].accepted  # what waits comes first
    plant.decide(outage.id, "reopen", "Wang", "", "2024-01", [CARBON])
    again = next(one for one in plant.triage("2024-01", [CARBON]) if one.id == outage.id)
    assert [one.action for one in again.decisions] == ["accept", "reopen"]
    assert not again.accepted
    assert again.to_json()["decisions"][1]["by"] == "Wang"
    moved = small.open_again(small.copy(tmp_path, tmp_path.parent / "moved"))
    assert outage.id in {one.id for one in moved.triage("2024-01", [CARBON])}


def test_a_decision_needs_a_finding_and_a_reason(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=GAP)
    with pytest.raises(FindingError) as caught:
        plant.decide("nothing", "accept", "Li", "why", "2024-01", [CARBON])
    assert caught.value.findings[0].kind is triage.FINDING_UNKNOWN
    assert caught.value.findings[0].says("en") == "No finding of 2024-01 has the id nothing."
    assert caught.value.findings[0].says("zh") == "2024-01 没有编号为 nothing 的问题。"
    one = plant.triage("2024-01", [CARBON])[0]
    with pytest.raises(FindingError) as caught:
        plant.decide(one.id, "accept", "Li", "  ", "2024-01", [CARBON])
    assert caught.value.findings[0].kind is triage.REASON_NEEDED
    assert one.id in caught.value.findings[0].says("zh")


def test_history_of_a_record(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    loaded = plant.view().snapshot.recorded_at
    signed = Signed("Li", datetime(2024, 2, 3, tzinfo=UTC), "typed wrong", "ticket.txt", b"3 t")
    draft = plant.draft_correction("fuel/fuel.csv", 3, {"value": 3.0}, signed)
    plant.commit(draft, plant.effect(draft, [CARBON]).state)
    (told,) = plant.history(quantity="fuel_purchased")
    assert dict(told.what) == {
        "quantity": "fuel_purchased", "item": "diesel", "purpose": "mobile", "site": "works", "note": "D1",
    }  # fmt: skip
    assert told.start == datetime(2024, 1, 9, 16, tzinfo=UTC)
    first, second = told.versions
    assert (first.value, first.status, first.file, first.line) == (4.0, "replaced", "fuel/fuel.csv", 3)
    assert (second.value, second.status) == (3.0, "in_force")
    assert second.mark is not None
    assert (second.mark.by, second.mark.reason) == ("Li", "typed wrong")
    assert told.current is second
    (then,) = plant.history(quantity="fuel_purchased", as_of=loaded)
    assert [one.status for one in then.versions] == ["in_force"]
    item = {
        "quantity": "fuel_purchased",
        "item": "diesel",
        "start": "2024-01-10",
        "reason": "not ours",
        "by": "Li",
    }
    draft = plant.draft_exclusion(item)
    plant.commit(draft, plant.effect(draft, [CARBON]).state)
    (told,) = plant.history("2024-01", quantity="fuel_purchased")
    assert [one.status for one in told.versions] == ["replaced", "excluded"]
    assert told.versions[1].to_json()["excluded"] == {"reason": "not ours", "by": "Li", "at": ""}
    assert len(plant.history("2024-01")) == 3
    assert plant.history("2023-01") == []


def test_history_of_a_withdrawn_record(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    (tmp_path / "fuel" / "fuel.csv").write_text(
        small.FUEL.replace("2024-01-10,bought,diesel,4,t,D1\n", ""), "utf-8"
    )
    plant.load()
    (told,) = plant.history(quantity="fuel_purchased")
    assert [one.status for one in told.versions] == ["replaced", "withdrawn"]
    assert told.current is None


def test_history_of_readings(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    later = small.rows(0, small.HOURS).replace("2024-01-05 00:00,1960,884", "2024-01-05 00:00,1961,884")
    (tmp_path / "data" / "january.csv").write_text(later, "utf-8")
    plant.load()
    found = plant.history("2024-01-05", meter="E1")
    assert len(found) == 25  # the readings at both ends of the day are its own
    versions = found[0].versions
    assert [(one.value, one.status, one.line) for one in versions] == [
        (1960.0, "replaced", 98),
        (1961.0, "in_force", 98),
    ]
    assert [one.status for one in found[1].versions] == ["in_force"]
    with pytest.raises(FindingError) as caught:
        plant.history("2024-01", meter="E9")
    assert caught.value.findings[0].code == "history.no-such-meter"
    assert caught.value.findings[0].says("zh") == "从未载入 E9 的读数。"
    draft = plant.draft_exclusion({"meter": "E1", "start": "2024-01-05", "reason": "spike"})
    plant.commit(draft, plant.effect(draft, [CARBON]).state)
    assert [one.status for one in plant.history("2024-01-05", meter="E1")[0].versions] == [
        "replaced",
        "excluded",
    ]
