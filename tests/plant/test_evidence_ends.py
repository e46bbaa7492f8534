"""The readings that a trace shows at the ends of a span: the one scan gives what the ordered statement gives, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import celadon
from celadon.plant.evidence import Evidence
from tests.plant import small

PLANT = small.PLANT.replace(
    "sources:",
    "  - {id: E3, kind: interval, interval: 1h, carrier: electricity, process: melt, unit: kWh}\nsources:",
).replace("wide: {E1: E1, E2: E2}", "wide: {E1: E1, E2: E2, E3: E3}")
MIDNIGHT = datetime(2023, 12, 31, 16, tzinfo=UTC)
"""The first of January in the plant's zone."""


def _three(first: int, last: int) -> str:
    """Hours of January 2024 with 4 kWh of E3 in each."""
    head, *lines = small.rows(first, last).splitlines()
    return "\n".join([f"{head},E3", *(f"{line},4" for line in lines)]) + "\n"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[celadon.Plant]:
    folder = tmp_path_factory.mktemp("ends")
    readings = _three(0, 100) + "\n".join(_three(120, small.HOURS).splitlines()[1:]) + "\n"
    made = small.loaded(folder, plant=PLANT, readings=readings)
    # E1 is corrected at the edge of the second day and in the middle of the third; a line says twice what E2 counted
    for name, lines in {
        "edge": "2024-01-02 00:00,1239.5,,\n",
        "middle": "2024-01-03 12:00,1600.5,,\n",
        "twice": "2024-01-04 07:00,,816.5,\n2024-01-04 07:00,,817,\n",
    }.items():
        (folder / "data" / f"{name}.csv").write_text(f"time,E1,E2,E3\n{lines}", "utf-8")
        assert made.load().readings == lines.count("\n")
    with made:
        yield made


SPANS = [
    (0, 24),
    (24, 48),
    (24, 25),
    (48, 72),
    (49, 53),
    (72, 96),
    (90, 110),
    (101, 119),
    (0, 744),
    (-24, 0),
    (-24, 1),
    (743, 800),
]


@pytest.mark.parametrize("span", SPANS)
def test_both_ways_find_the_same(plant: celadon.Plant, span: tuple[int, int]) -> None:
    evidence = Evidence(plant._work, plant.view(), [])
    start, end = (MIDNIGHT + timedelta(hours=hour) for hour in span)
    points = sorted(plant.store.points().values())
    single, whole = evidence._single_ends(points, start, end), evidence._ends(points, start, end)
    assert single == {point: whole[point] for point in single}
    assert plant.store.points()["E3"] in single  # of which nothing was said twice
    far = {(-24, 0), (-24, 1), (743, 800)}  # from what was said twice
    assert len(single) == 3 or span not in far


def test_ends_by_hand(plant: celadon.Plant) -> None:
    ids, evidence = plant.store.points(), Evidence(plant._work, plant.view(), [])
    day = (MIDNIGHT + timedelta(hours=4 * 24), MIDNIGHT + timedelta(hours=5 * 24 + 12))
    found = evidence._single_ends(sorted(ids.values()), *day)
    # hours 96 to 132: 97 to 100 and 120 to 132 are there, 17 of them; line 2 is hour 0, what follows the outage stands 19 higher
    assert found[ids["E1"]] == [
        (datetime(2024, 1, 4, 16), 1960.0, 1, 98, 17),
        (datetime(2024, 1, 6, 4), 2320.0, 1, 115, 17),
    ]
    # an interval opens nothing: its first is the hour that ends at one
    assert found[ids["E3"]][0] == (datetime(2024, 1, 4, 17), 4.0, 1, 99, 17)


def test_a_file_read_anew_goes_the_general_way(tmp_path: Path) -> None:
    folder = tmp_path / "anew"
    made = small.loaded(folder)
    text = (folder / "plant.yaml").read_text("utf-8")
    (folder / "plant.yaml").write_text(
        text.replace("time: {column: time}", "time: {column: time, zone: UTC}"), "utf-8"
    )
    made.close()
    with small.open_again(folder) as again:
        again.load()
        evidence = Evidence(again._work, again.view(), [])
        assert evidence._single_ends([1, 2], MIDNIGHT, MIDNIGHT + timedelta(days=1)) == {}
