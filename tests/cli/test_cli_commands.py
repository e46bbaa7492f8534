"""Every command end to end: its JSON fits its shape, its text is in both languages, its exit status says how it went."""

import json
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.cli.shapes import SHAPES, problems
from tests.plant import small

BOOK = "cn_gbt_32150_2015"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    small.loaded(
        folder,
        readings=small.rows(0, small.HOURS).replace("2024-01-05 00:00,1960,884", "2024-01-05 00:00,1x60,884"),
    ).close()
    return folder


def body(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> dict:
    """What a command prints with --json; it must fit its shape."""
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


def test_new_check_load_account_as_a_newcomer_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    assert len(body(capsys, "new", folder)["files"]) > 1
    assert body(capsys, "new", folder, status=1)["shape"] == "error/1"  # nothing is overwritten
    checked = body(capsys, "check", folder)
    assert checked["ok"]
    assert not (folder / "celadon-store").exists()
    preview = body(capsys, "load", folder, "--preview")
    done = body(capsys, "load", folder)
    assert (preview["preview"], done["preview"]) == (True, False)
    assert preview["readings"] == done["readings"] > 0
    assert body(capsys, "load", folder)["readings"] == 0
    assert body(capsys, "balance", folder)["conserved"]
    for book in ("cn_gbt_2589_2020", BOOK, "ghg_protocol_corporate"):
        rows = body(capsys, "account", folder, "--rulebook", book, "--period", "2024-01")["rows"]
        assert any(row["value"] for row in rows)
    body(capsys, "bill", folder)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_template_reads_in_both_languages(
    tmp_path: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = text(capsys, "new", tmp_path / "mine", "--lang", lang)
    assert ("接下来" if lang == "zh" else "Next:") in said
    said = text(capsys, "check", tmp_path / "mine", "--lang", lang)
    assert ("计量点" if lang == "zh" else "meters") in said


def test_balance(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = body(capsys, "balance", plant, "--period", "2024-01", status=1)  # the unreadable cell is an error
    proof = next(item for item in found["proofs"] if item["meter"] == "E1")
    assert (proof["expected"], proof["attributed"], proof["gaps"], proof["difference_ticks"]) == (
        7440,
        7440,
        [],
        0,
    )
    piece = proof["pieces"][0]
    assert (piece["first"]["value"], piece["first"]["line"], piece["last"]["value"], piece["edges"]) == (
        1000,
        2,
        8440,
        0,
    )
    assert [(row["meter"], row["own"], row["children"], row["remainder"]) for row in found["meters"]] == [
        ("E1", 7440, 2976, 4464), ("E2", 2976, None, None),
    ]  # fmt: skip
    assert [(row["process"], row["value"], row["unit"]) for row in found["processes"] if row["carrier"] == "electricity"] == [
        ("melt", 2.976, "MWh"), ("", 4.464, "MWh"),
    ]  # fmt: skip
    for by, word in (("meter", "守恒"), ("process", "熔炼"), ("site", "边界量")):
        assert word in text(
            capsys, "balance", plant, "--period", "2024-01", "--by", by, "--lang", "zh", status=1
        )
    said = text(capsys, "balance", plant, "--period", "2024-01", status=1)
    assert "2 points conserved, difference 0 to the last digit" in said
    assert "7,440" in said


def test_account(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("account", plant, "--rulebook", BOOK, "--period", "2024-01")
    found = body(capsys, *arguments, status=1)
    row = next(row for row in found["rows"] if row["quantity"] == "purchased_electricity_emission")
    assert row["value"] == pytest.approx(3.72, abs=1e-12)
    assert (row["unit"], row["site"], row["period"]) == ("tCO2", "works", "2024-01")
    assert found["options"]["grid_factor"] == "national_statistical"
    codes = {item["code"] for item in found["findings"]}
    assert {"quarantine.open", "table.number-unreadable"} <= codes
    processes = body(capsys, *arguments, "--by", "process", "--per", "day", status=1)
    assert {row["process"] for row in processes["rows"]} >= {"melt"}
    said = text(capsys, *arguments, "--lang", "zh", status=1)
    assert "购入电力对应的排放" in said
    assert "缺省" in said  # diesel's defaults are shown as such
    table = text(capsys, *arguments, "--csv", status=1).splitlines()
    assert table[0].startswith(
        "quantity,item,purpose,enterprise,site,process,meter,period,start,end,value,unit,"
    )
    assert any(
        line.startswith(
            "purchased_electricity_emission,electricity,,acme,works,,,2024-01,2023-12-31T16:00:00+00:00"
        )
        for line in table
    )


def test_account_of_an_earlier_day(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = body(capsys, "account", plant, "-r", BOOK, "-p", "2024-01", "--as-of", "2001-01-01", status=1)
    assert [item["code"] for item in said["findings"]] == ["plant.as-of-early"]


def test_explain(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "explain",
        plant,
        "purchased_electricity_emission",
        "--rulebook",
        BOOK,
        "--period",
        "2024-01",
        "--site",
        "works",
    )
    found = body(capsys, *arguments)
    assert found["trace"]["value"] == pytest.approx(3.72, abs=1e-12)
    said = text(capsys, *arguments, "--lang", "zh")
    assert "file=data/january.csv · line=746" in said
    short = text(capsys, *arguments, "--depth", "0")
    assert "january.csv" not in short
    nothing = body(
        capsys,
        "explain",
        plant,
        "total_emission",
        "-r",
        BOOK,
        "-p",
        "2024-01",
        "--site",
        "elsewhere",
        status=1,
    )
    assert [item["code"] for item in nothing["findings"]] == ["explain.no-such-cell"]


def test_compare(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = ("--before-option", "default_set=NDRC-2013-C", "--after-option", "default_set=MEE-2022-M")
    found = body(capsys, "compare", plant, "--period", "2024-01", "--rulebook", BOOK, *sides)
    changed = next(line for line in found["lines"] if line["quantity"] == "fuel_combustion_emission")
    assert changed["difference"] == pytest.approx(
        sum(cause["difference"] for cause in changed["causes"]), abs=1e-9
    )
    assert "因子" in text(capsys, "compare", plant, "-p", "2024-01", "-r", BOOK, *sides, "--lang", "zh")
    assert "没有变化" in text(
        capsys, "compare", plant, "-p", "2024-01", "-r", BOOK, "--pending", "--lang", "zh"
    )
    assert "both sides are the same" in text(capsys, "compare", plant, "-p", "2024-01", "-r", BOOK, status=2)
    assert "--rulebook" in text(capsys, "compare", plant, "-p", "2024-01", "--pending", status=2)


def test_quarantine(plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = body(capsys, "quarantine", plant)["rows"]
    assert (row["file"], row["line"], row["column"], row["code"]) == (
        "data/january.csv",
        98,
        "E1",
        "table.number-unreadable",
    )
    assert body(capsys, "quarantine", plant, "export", tmp_path / "q.csv")["rows"] == 1
    assert "1x60" in text(capsys, "quarantine", plant, "list")
    body(capsys, "quarantine", plant, "replay", tmp_path / "q.csv")
    assert "FILE" in text(capsys, "quarantine", plant, "export", status=2)


def test_rulebooks_and_their_cases(capsys: pytest.CaptureFixture[str]) -> None:
    ids = [item["id"] for item in body(capsys, "rulebooks")["rulebooks"]]
    assert {"cn_gbt_2589_2020", BOOK, "ghg_protocol_corporate"} <= set(ids)
    assert body(capsys, "rulebooks", BOOK)["not_modelled"]
    assert "未建模" in text(capsys, "rulebooks", BOOK, "--lang", "zh")
    found = body(capsys, "test", BOOK)
    assert (found["failed"], found["passed"] > 0) == (0, True)
    assert "✓" in text(capsys, "test", BOOK)
    assert "rulebook.unknown" in text(capsys, "test", "no_such_book", status=1)


def test_upkeep(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = body(capsys, "account", plant, "-r", BOOK, "-p", "2024-01", status=1)
    assert body(capsys, "verify", plant)["ok"]
    body(capsys, "compact", plant)
    assert body(capsys, "verify", plant)["ok"]
    after = body(capsys, "account", plant, "-r", BOOK, "-p", "2024-01", status=1)
    assert (before["rows"], before["facts_digest"]) == (after["rows"], after["facts_digest"])
    assert "all as they were written" in text(capsys, "verify", plant)
    assert "segments" in text(capsys, "compact", plant)


@pytest.mark.parametrize("name", ["no-such-plant", "plant.yaml/x", ""])
def test_no_plant_is_a_finding_and_no_traceback(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("check", "load", "balance", "bill", "quarantine", "verify", "compact"):
        assert body(capsys, command, tmp_path / name, status=1)["shape"] == "error/1"
    assert "Traceback" not in text(capsys, "check", tmp_path / name, status=1)


@pytest.mark.parametrize("period", ["2024-13", "yesterday", "2024-02..2024-01", ""])
def test_a_period_that_is_none(period: str, plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = body(capsys, "account", plant, "-r", BOOK, "-p", period, status=1)
    assert [item["code"] for item in said["findings"]] == ["period.unreadable"]


def test_reconcile(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books = f"{BOOK},ghg_protocol_corporate"
    found = body(capsys, "reconcile", plant, "--rulebooks", books, "--period", "2024-01", status=1)
    assert sum(line["difference"] for line in found["lines"]) == pytest.approx(found["difference"], rel=1e-9)


def test_backup_and_restore_in_both_languages(
    plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "up to batch " in text(capsys, "backup", plant, tmp_path / "b")
    assert "新增 0 个文件" in text(capsys, "backup", plant, tmp_path / "b", "--lang", "zh")
    assert "every digest as it was" in text(capsys, "restore", tmp_path / "b", tmp_path / "r")
    said = text(capsys, "restore", tmp_path / "b", tmp_path / "r", "--lang", "zh", status=1)
    assert "未覆盖任何内容" in said
    assert body(capsys, "backup", plant, plant, status=1)["findings"][0]["code"] == "backup.not-a-backup"
    assert body(capsys, "restore", plant, tmp_path / "x", status=1)["shape"] == "error/1"


def test_doctor_in_both_languages(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "all is well" in text(capsys, "doctor", plant)
    assert "一切正常" in text(capsys, "doctor", plant / "celadon-store", "--deep", "--lang", "zh")
    found = body(capsys, "doctor", plant, "--repair")
    assert (found["ok"], found["mended"]["removed"]) == (True, 0)
    assert "--from 须与 --repair 同用" in text(
        capsys, "doctor", plant, "--from", "x", "--lang", "zh", status=2
    )


def test_retain_in_both_languages(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing can go" in text(capsys, "retain", plant)
    assert "没有可删除的数据" in text(
        capsys, "retain", plant, "--keep-history", "5y", "--apply", "--lang", "zh"
    )
    found = body(capsys, "retain", plant, "--keep-history", "90d")
    assert (found["keep"], found["applied"], found["since"], found["months"]) == ("90d", False, None, [])
    assert body(capsys, "retain", plant, "--keep-history", "long", status=1)["shape"] == "error/1"


def test_every_shape_is_printed_by_a_test() -> None:
    tests = Path(__file__).parent.parent.rglob("test_*.py")
    tested = "".join(path.read_text(encoding="utf-8") for path in sorted(tests))
    commands = {shape.command.split()[0].rstrip(",") for shape in SHAPES.values()} - {"any", "demo"}
    assert [name for name in sorted(commands) if f'"{name}"' not in tested] == []
