"""A compiled query serves any table of facts of the same kinds, in either engine, and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import celadon
from celadon.engine import plans, small
from tests.plant import small as plants

BOOK = "cn_gbt_32150_2015"


def _late(folder: Path, hour: int, value: float) -> None:
    text = f"time,E1,E2\n2024-01-31 {hour:02}:30,{value},\n"
    (folder / "data" / f"late-{hour}.csv").write_text(text, encoding="utf-8")


def _rows(plant: celadon.Plant, **how: Any) -> list[str]:
    return sorted(map(str, plant.account(BOOK, "2024-01", by="process", **how).rows))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that queries are compiled for."""
    tables: list[str] = []
    compile_query = plans.compile_query

    def counted(*given: Any, facts: str, **more: Any) -> Any:
        tables.append(facts)
        return compile_query(*given, facts=facts, **more)

    monkeypatch.setattr(plans, "compile_query", counted)
    return tables


@pytest.mark.parametrize("most", [small.MOST, 0])
def test_a_late_reading_compiles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str], most: int
) -> None:
    monkeypatch.setattr(small, "MOST", most)  # facts that SQLite answers of
    with plants.loaded(tmp_path, readings=plants.rows(0, 700)) as plant:
        before, early = _rows(plant), plant.view().snapshot.recorded_at
        assert len(compiled) == 1
        for hour in (9, 20):  # hours 729.5 and 740.5 of the month: 10 kWh each
            _late(tmp_path, hour, 1000 + 10 * (30 * 24 + hour + 0.5))
            assert plant.load().readings == 1
            after = _rows(plant)
            assert len(compiled) == 1
            assert after != before
            with plants.open_again(tmp_path) as afresh:
                assert after == _rows(afresh)
            assert len(compiled) == 2  # its own
            compiled.pop()
        assert before == _rows(plant, as_of=early)


def test_another_question_or_other_kinds_of_facts_are_compiled_for(
    tmp_path: Path, compiled: list[str]
) -> None:
    with plants.loaded(tmp_path) as plant:
        first = _rows(plant)
        assert _rows(plant) == first
        assert len(compiled) == 1
        _rows(plant, factors_as_of=date(2023, 1, 1))
        _rows(plant, quantities=("energy_purchased",))
        assert len(compiled) == 3
        fuel = tmp_path / "fuel" / "more.csv"
        fuel.write_text(
            "date,kind,fuel,amount,unit,number\n2024-01-12,bought,gasoline,2,t,G1\n", encoding="utf-8"
        )
        assert plant.load().records == 1
        assert _rows(plant) != first
        assert len(compiled) == 4
        assert _rows(plant) == _rows(plants.open_again(tmp_path))
