"""The proof of the ledger as it is kept: the same as of one derived again, at a fraction of the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from celadon.plant import balance, keeping
from tests.plant import small

LINES = small.rows(0, small.HOURS).splitlines()
Edit = Callable[[list[str]], list[str]]


def moved(first: int, last: int, by: float) -> Edit:
    """E1's display in some rows is another."""

    def edit(lines: list[str]) -> list[str]:
        out = list(lines)
        for at in range(first, min(last, len(lines))):
            time, value, rest = out[at].split(",", 2)
            out[at] = f"{time},{float(value) + by:g},{rest}"
        return out

    return edit


EDITS: dict[str, Edit] = {
    "nothing": lambda lines: lines,
    "an outage": lambda lines: [*lines[:100], *lines[130:]],
    "a spike": moved(200, 201, 90_000),
    "a decrease": moved(300, 800, -500),
    "a jump": moved(300, 800, 400_000),
    "roll-over": lambda lines: [*moved(1, 400, 993_000)(lines)[:400], *moved(400, 800, -7_000)(lines)[400:]],
    "silence": lambda lines: [
        *lines[:400],
        *(",".join([row.split(",")[0], "", row.split(",")[2]]) for row in lines[400:]),
    ],
    "disorder": lambda lines: [*lines[:50], lines[60], *lines[50:60], *lines[61:]],
}


@pytest.mark.parametrize("what", EDITS)
def test_it_says_what_the_ledger_derived_again_says(tmp_path: Path, what: str) -> None:
    with small.loaded(tmp_path, readings="\n".join(EDITS[what](LINES)) + "\n") as plant:
        codes = set()
        for period in ("2024-01", "2024-01-03..2024-01-17"):
            again, kept = plant.balance(period, per="month"), plant.proof(period)
            assert kept.proofs == again.proofs
            assert kept.conserved
            assert {(item.code, str(item.where), item.says()) for item in kept.findings} == {
                (item.code, str(item.where), item.says()) for item in again.findings
            }
            assert kept.rows == again.rows
            codes |= {item.code for item in kept.findings if item.code.startswith("metering.")}
        assert bool(codes) == (what != "nothing")


def test_only_what_something_happened_to_is_derived_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small.loaded(tmp_path, readings="\n".join(EDITS["a decrease"](LINES)) + "\n") as plant:
        derived: list[list[str]] = []
        honest = balance.derive

        def counted(con, readings, meters, *more) -> None:
            derived.append([meter.id for meter in meters])
            honest(con, readings, meters, *more)

        monkeypatch.setattr(balance, "derive", counted)
        (first, second) = plant.proof("2024-01").proofs
    assert derived == [["E1"]]
    # E1 counts 744 × 10 kWh, less the hour in which it went back by 490 (a gap of unknown amount); E2 744 × 4
    assert (first.attributed, second.attributed) == (7_430 * 10**6, 2_976 * 10**6)
    assert [gap.code for gap in first.gaps] == ["decrease"]
    assert (first.difference, second.difference) == (0, 0)


def test_kept_cells_that_are_wrong_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = keeping.Deriver.derive

    def wrong(self, piece, into, events) -> None:
        honest(self, piece, into, events)
        self.con.execute(f"UPDATE {into} SET amount = 0 WHERE start = '2024-01-05'")

    monkeypatch.setattr(keeping.Deriver, "derive", wrong)
    with small.loaded(tmp_path) as plant:
        monkeypatch.undo()
        found = plant.proof("2024-01")
        assert not found.conserved
        said = [item.says("en") for item in found.findings if item.code == "balance.not-conserved"]
        assert said == [  # an hour of 10 and of 4 kWh
            "E1: readings say 7440 kWh, the ledger holds 7430 kWh and names gaps of 0 kWh: 10 kWh are unaccounted for.",
            "E2: readings say 2976 kWh, the ledger holds 2972 kWh and names gaps of 0 kWh: 4 kWh are unaccounted for.",
        ]
