"""Findings of loads at rest: only what may concern the period is decoded, and once."""

import pytest

from celadon.core.findings import Place
from celadon.core.periods import parse_period
from celadon.core.text import Text
from celadon.store import Store, faults, written
from tests.store.store_tools import Clock


def finding(period: str | None, name: str):
    return faults.ABSENT.at(Place(subject="meter:A", period=period), path=name)


@pytest.mark.parametrize(
    ("period", "concerns"),
    [
        (None, True), ("2024-03-10T10:00", True), ("2024-03", True), ("2024", True), ("2023..2025", True), ("2024-Q2", True),
        ("2024-02-28", True),  # zones differ: two days either side
        ("2024-02-01..2024-02-20", False), ("2024-01", False), ("2023", False), ("2024-05..2024-06", False),
        ("2024-01-01T00:00..2024-03-02T00:00", True), ("2024-02..2024-02-26", False),
    ],
)  # fmt: skip
def test_what_may_concern_march(period, concerns):
    text = written.to_text(finding(period, "x"))
    assert written.may_concern(written.days_of(text), parse_period("2024-03", "Asia/Shanghai")) is concerns


def test_only_what_is_near_is_decoded(tmp_path, monkeypatch):
    """Ten years of findings, one a month: March asks for its own, February's that names no day, and what names no time."""
    with Store.create(tmp_path / "s", Clock()) as store:
        for year in range(2015, 2025):
            with store.begin("load") as pending:
                pending.add_findings(
                    finding(f"{year}-{month:02}", f"{year}-{month}") for month in range(1, 13)
                )
                pending.commit()
        with store.begin("ledger", "7") as pending:
            pending.add_findings([finding(None, "ledger")])
            pending.commit()
        decoded = []
        real = written.from_text
        monkeypatch.setattr(written, "from_text", lambda text: decoded.append(text) or real(text))
        march = parse_period("2024-03", "Asia/Shanghai")
        found = store.told(march, None, omit=("ledger",))
        assert [(told.batch, told.kind, told.finding.values["path"]) for told in found] == [
            (10, "load", "2024-2"), (10, "load", "2024-3"), (10, "load", "2024-4"),
        ]  # fmt: skip
        assert len(decoded) == 4  # of any kind, for all that ask about March
        [kept] = store.told(march, ("ledger",))
        assert (kept.note, kept.finding.values["path"]) == ("7", "ledger")
        with store.begin("load") as pending:
            pending.add_findings([finding("2024-03-10", "later"), finding("2023-03", "far")])
            pending.commit()
        assert [told.batch for told in store.told(march, ("load",))] == [10, 10, 10, 12]
        assert len(decoded) == 5  # what is known is not read again


def test_what_is_found_later_is_told_too_and_what_is_discarded_is_not(tmp_path):
    """The days of findings are kept as they come: of another process's batches, never of one that is discarded."""
    march = parse_period("2024-03", "Asia/Shanghai")
    with Store.create(tmp_path / "s", Clock()) as store, Store.open(tmp_path / "s", Clock()) as other:

        def told(asked: Store) -> list[object]:
            return [item.finding.values["path"] for item in asked.told(march, None)]

        for number in range(3):
            pending = other.begin("load")
            pending.add_findings([finding("2024-03-10", f"gone {number}")])
            assert told(other) == [*(f"kept {n}" for n in range(number)), f"gone {number}"]
            pending.discard()
            with other.begin("load") as made:
                made.add_findings([finding("2024-03-11", f"kept {number}"), finding("2023-01", "far")])
                made.commit()
            assert told(store) == told(other) == [f"kept {n}" for n in range(number + 1)]


def test_what_a_finding_cites_is_kept_in_both_languages() -> None:
    cited = Text("measures 3", "办法第3条")
    told = faults.ABSENT.at(Place(period="2024-01"), clause=cited, path="x")
    assert written.from_text(written.to_text(told)).clause == cited
    older = written.to_text(told).replace('"clause_label":{"en":"measures 3","zh":"办法第3条"},', "")
    assert "clause_label" not in older
    assert written.from_text(older).clause == Text("measures 3", "measures 3")
    assert written.from_text(written.to_text(finding("2024-01", "x"))).clause is None
