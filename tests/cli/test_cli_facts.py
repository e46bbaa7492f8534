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
        "2024-01-01",
        "--reason",
        "counted twice",
        "--rulebook",
        CARBON,
    )
    assert body(capsys, *call)["committed"] is False
    done = body(capsys, *call, "--commit")
    assert done["load"]["plant_changed"] is True
    assert "counted twice" in (plant / "plant.yaml").read_text("utf-8")
