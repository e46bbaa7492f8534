"""Screening on a real Spark cluster: the planted are found, every alarm is the embedded engine's, a lost worker costs nothing."""

import json
import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from celadon.cli import main
from celadon.examples.country import generate
from celadon.region.anomalies import Screened
from celadon.region.facade import Region, open_region
from tests.engine.clusters import Cluster, cluster

pytestmark = [pytest.mark.slow, pytest.mark.stress, pytest.mark.xdist_group("spark")]
FIRMS = 600


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every third enterprise of an invented country has something planted."""
    folder = tmp_path_factory.mktemp("it's [a] country")
    generate(folder, FIRMS, anomalies=1 / 3)
    told = (folder / "region.yaml").read_text(encoding="utf-8")
    # so strict that every rule finds something
    strict = told.replace("{cross_check: 5%, band: 50%,", "{cross_check: 1%, band: 1%,")
    assert strict != told
    (folder / "region.yaml").write_text(strict, encoding="utf-8")
    with open_region(folder) as opened:
        assert list(opened.load().findings) == []
    return folder


@pytest.fixture(scope="module")
def running():
    with cluster() as made:
        yield made


def test_the_command_says_the_same(
    region: Path, running: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Same alarms, same order, same findings, figures to 1e-9; of the planted kinds every rule is there."""
    question = ["screen", str(region), "--period", "2024", "--most", "5000", "--json"]

    def asked(*more: str) -> dict[str, Any]:
        assert main([*question, *more]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    expected, found = asked(), asked("--engine", running.address)
    assert set(expected["counts"]) >= {
        "unit", "jump", "copy-month", "copy-year", "bill", "meter", "bill-meter", "own-need", "rounded", "last-digit", "band",
    }  # fmt: skip
    assert len(found["alarms"]) == sum(expected["counts"].values()) > 150
    scores = [(one["score"], other["score"]) for one, other in zip(expected["alarms"], found["alarms"], strict=True)]  # fmt: skip
    assert all(math.isclose(*pair, rel_tol=1e-9) for pair in scores)
    for answer in (expected, found):
        for alarm in answer["alarms"]:
            del alarm["score"]
    assert found == expected
    truth = (region / "truth.csv").read_text(encoding="utf-8").splitlines()[1:]
    planted = {line.partition(",")[0] for line in truth}
    flagged = {alarm["enterprise"] for alarm in found["alarms"]}
    assert len(flagged & planted) / len(planted) >= 0.8


def kept(opened: Region) -> int:
    """How many of the tables that screening keeps are on the workers: the enterprises, their needs, the months …"""
    if opened._spark is None or not hasattr(opened._spark, "_session"):
        return 0
    tables = opened._spark._session.sparkContext._jsc.sc().getRDDStorageInfo()
    return sum(table.numCachedPartitions() > 0 for table in tables)


def test_a_worker_lost_while_it_screens(region: Path, running: Cluster) -> None:
    """What it had kept is worked out again by the other: the answer is whole."""
    with open_region(region) as opened:
        expected = opened.screen("2024-12", most=5000)
        answers: list[Screened] = []
        seen: list[str] = []

        def tell(_: float, what: str) -> None:
            seen.append(what)

        def ask() -> None:
            answers.append(opened.screen("2024-12", most=5000, engine=running.address, progress=tell))
            opened.close()

        asking = threading.Thread(target=ask)
        asking.start()
        until = time.monotonic() + 120
        while kept(opened) < 3 and asking.is_alive() and time.monotonic() < until:
            time.sleep(0.05)
        assert asking.is_alive()
        running.kill_worker(0)
        asking.join(180)
    [found] = answers
    assert running.address in seen  # how far Spark was, was told
    assert found.counts == expected.counts
    assert [alarm.finding.to_json() for alarm in found.alarms] == [
        alarm.finding.to_json() for alarm in expected.alarms
    ]
