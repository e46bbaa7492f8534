"""The demonstration, and the year it shows against what the example plant really did."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import celadon
from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.examples.eaf_mill import read_truth
from celadon.examples.eaf_mill.truth import ExampleTruth

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("demo") / "luhe"
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("sys.stdout.write", written.append)
        assert main(["demo", "--dir", str(folder), "--json"]) == 0
    return folder, json.loads("".join(written))


@pytest.fixture(scope="module")
def plant(demo: tuple[Path, dict]) -> Iterator[celadon.Plant]:
    with celadon.open_plant(demo[0]) as opened:
        yield opened


@pytest.fixture(scope="module")
def truth(demo: tuple[Path, dict]) -> ExampleTruth:
    return read_truth(demo[0])


def test_the_story_comes_out(demo: tuple[Path, dict], truth: ExampleTruth) -> None:
    body = demo[1]
    assert problems(body) == []
    assert body["load"]["readings"] >= truth.readings
    assert body["load"]["second_load_changed"] is False
    assert body["load"]["store_bytes"] < 10 * body["load"]["readings"]
    assert body["balance"]["conserved"]
    assert set(body["accounts"]) == {"cn_gbt_2589_2020", "cn_gbt_32150_2015", "ghg_protocol_corporate"}
    late = body["late"]
    assert late["as_of_before"] == late["before"] != late["after"]
    assert body["check"]["findings"]["error"] > 0  # the files have faults, and they are told


def test_every_meters_months_are_true(plant: celadon.Plant, truth: ExampleTruth) -> None:
    found = plant.balance(str(truth.year), per="month")
    assert found.conserved
    assert not [item.code for item in found.findings if item.code.startswith("balance.stored")]
    wrong = []
    for row in found.meters:
        month = (
            f"{row.end.astimezone(row.start.tzinfo):%Y-%m}"  # a local month ends in the UTC month of its name
        )
        if row.node not in truth.meters or (row.node, month) == ("", ""):
            continue
        reported = truth.reported.get(row.node, {}).get(month)
        late = row.node == "E3052"  # its lost weeks arrived with the late file
        if reported is None or late:
            if row.own != round(truth.meters[row.node][month] * 10**6):
                wrong.append((row.node, month, row.own, truth.meters[row.node][month]))
        elif reported.absent:
            assert row.own is None
        elif row.own is not None:
            low, high = reported.low or 0.0, reported.high if reported.high is not None else float("inf")
            assert low - 1e-6 <= row.own / 1e6 <= high + 1e-6, (row.node, month)
    assert wrong == []


def test_before_the_late_files_the_lost_weeks_are_bounded(
    demo: tuple[Path, dict], plant: celadon.Plant, truth: ExampleTruth
) -> None:
    found = plant.balance(f"{truth.year}-10", as_of=demo[1]["late"]["as_of"])
    row = next(row for row in found.meters if row.node == "E3052")
    bounds = truth.reported["E3052"][f"{truth.year}-10"]
    assert row.estimated > 0
    assert row.low >= 0
    assert bounds.low <= row.own / 1e6 <= bounds.high


def test_the_bill_counts_every_tariff_period(plant: celadon.Plant, truth: ExampleTruth) -> None:
    for one in plant.bill(str(truth.year)).bills:
        if one.tariff == "grid":
            found = {line.period: float(line.quantity) for line in one.lines if line.kind == "energy"}
            assert found == pytest.approx(dict(truth.tariff[f"{one.month:%Y-%m}"]), rel=1e-12)


def test_the_demonstration_does_not_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("x")
    assert main(["demo", "--dir", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
