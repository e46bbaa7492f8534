"""The commands that change facts: what they print fits its shape, and nothing changes without --commit."""

import json
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from tests.plant import small

CARBON = "cn_gbt_32150_2015"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facts")
    small.loaded(folder).close()
    return folder


def body(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> dict:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == status
    found = json.loads(capsys.readouterr().out)
    assert problems(found) == []
    return found


def text(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    capsys.readouterr()
    assert main([*map(str, arguments)]) == status
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_enter_shows_and_then_commits(
    plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = (
        "enter",
        plant,
        "--correct",
        "fuel/fuel.csv:3",
        "--value",
        3,
        "--reason",
        "typed wrong",
        "--by",
        "Li",
        "--rulebook",
        CARBON,
    )
    shown = body(capsys, *call)
    assert (shown["committed"], shown["load"], len(shown["changes"])) == (False, None, 2)
    assert "2 of 3 figures change" in text(capsys, *call)
    assert "尚未提交" in text(capsys, *call, "--lang", "zh")
    (tmp_path / "ticket.txt").write_text("3 t")
    done = body(capsys, *call, "--evidence", tmp_path / "ticket.txt", "--commit")
    assert (done["committed"], done["load"]["records"]) == (True, 1)
    assert done["changes"] == shown["changes"]
    assert "--start" in text(
        capsys, "enter", plant, "--quantity", "fuel_purchased", "--value", 1, "--unit", "t", status=2
    )
    assert "--correct" in text(capsys, "enter", plant, "--correct", "fuel.csv", "--value", 1, status=2)


def test_exclude_shows_and_then_commits(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = (
        "exclude",
        plant,
        "--quantity",
        "fuel_purchased",
        "--start",
        "2024-01-10",
        "--reason",
        "counted twice",
        "--rulebook",
        CARBON,
    )
    assert body(capsys, *call)["committed"] is False
    done = body(capsys, *call, "--commit")
    assert done["load"]["plant_changed"] is True
    assert "counted twice" in (plant / "plant.yaml").read_text("utf-8")


def test_guess_then_add(plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "february.csv"
    file.write_text(small.rows(small.HOURS, small.HOURS + 24).replace("E1,E2", "总表,炉子"), "utf-8")
    found = body(capsys, "guess", plant, file)
    assert (found["good"], found["bad"], found["block"]["wide"]) == (25, 0, {"总表": "E1"})
    found = body(capsys, "guess", plant, file, "--set", "wide.炉子=E2")
    assert (found["good"], found["block"]["wide"]) == (50, {"总表": "E1", "炉子": "E2"})
    assert "尚未作任何更改" in text(capsys, "guess", plant, file, "--lang", "zh")
    assert "table.time-unreadable" in text(
        capsys, "guess", plant, plant / "fuel" / "fuel.csv", "--set", "time.column=kind", "--add", status=1
    )
    call = (
        "guess",
        plant,
        file,
        "--set",
        "wide.炉子=E2",
        "--add",
        "--rulebook",
        CARBON,
        "--period",
        "2024-02",
    )
    shown = body(capsys, *call)
    assert not (plant / "uploads").exists()
    moved = {change["quantity"]: change for change in shown["changes"]}
    # 24 hours of 10 kWh at 0.5 kgCO2/kWh
    assert moved["purchased_electricity_emission"]["after"] == pytest.approx(0.12)
    done = body(capsys, *call, "--commit")
    repeated = sum(
        item["repeated"] for item in done["load"]["files"]
    )  # the hour that January ends with, twice
    assert (done["load"]["readings"], repeated) == (48, 2)
    # the first source reads data/*.csv, so the file went elsewhere
    assert (plant / "uploads" / "february.csv").exists()
    refused = text(capsys, *call, "--name", "data/again.csv", status=1)
    assert "draft.name-claimed" in refused
    assert "data/*.csv" in refused


def test_triage_and_history(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ("triage", plant, "--period", "2024-01", "--rulebook", CARBON)
    found = body(capsys, *call)["judged"]
    first = found[0]["id"]
    done = body(
        capsys,
        "triage",
        plant,
        "accept",
        first,
        "--period",
        "2024-01",
        "--rulebook",
        CARBON,
        "--reason",
        "known",
        "--by",
        "Li",
    )
    (mine,) = [one for one in done["judged"] if one["id"] == first]
    assert (mine["accepted"], mine["decisions"][0]["by"]) == (True, "Li")
    assert "known" in text(capsys, *call)
    assert "ID" in text(capsys, "triage", plant, "accept", "--period", "2024-01", status=2)
    facts = body(capsys, "history", plant, "--quantity", "fuel_opening_stock")["facts"]
    assert facts[0]["versions"][0]["value"] == 1.5
    assert "现行" in text(capsys, "history", plant, "--quantity", "fuel_opening_stock", "--lang", "zh")
    assert "--period" in text(capsys, "history", plant, "--meter", "E1", status=2)
    assert len(body(capsys, "history", plant, "--meter", "E1", "--period", "2024-01-03")["facts"]) == 25
