"""`celadon keys`, `file`, `filings`, `verify FILE`: what they print, in both languages and as JSON that fits its shape."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import celadon
from celadon.cli import main
from celadon.cli.shapes import problems
from tests.plant import small


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    small.loaded(tmp_path / "plant").close()
    return tmp_path / "plant"


def said(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    assert main(list(map(str, arguments))) == status
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> dict:
    body = json.loads(said(capsys, *arguments, "--json", status=status))
    assert problems(body) == [] or body["shape"] == "error/1"
    return body


def test_from_a_key_to_a_restated_figure(
    plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["file", plant, "-r", "cn_gbt_32150_2015", "-p", "2024-01"]
    (found,) = document(capsys, *args, status=1)["findings"]
    assert found["code"] == "key.absent"
    assert "No keys" in said(capsys, "keys")
    (made,) = document(capsys, "keys", "new", "mill")["keys"]
    assert made["key"].startswith("mill+")
    assert made["key"] in said(capsys, "keys", "--lang", "zh")
    assert "Nothing has been filed" in said(capsys, "filings", plant)

    report = tmp_path / "report.txt"
    report.write_text("19.4")
    out = tmp_path / "sent.zip"
    body = document(capsys, *args, "--key", "mill", "--report", report, "--output", out)
    assert (body["index"], body["new"], body["key"]) == (0, True, made["key"])
    assert "Filing " + body["filing"][:12] in said(capsys, *args, "--key", "mill", "--report", report)

    proof = tmp_path / "sent.tlog-proof"
    check = ["verify", out, "--key", made["key"], "--proof", proof]
    verified = document(capsys, *check)
    assert (verified["equal"], verified["different"], verified["findings"]) == (3, 0, [])
    assert "3/3 equal" in said(capsys, *check)
    assert "3/3 相同" in said(capsys, *check, "--lang", "zh")

    (plant / "fuel" / "fuel.csv").write_text(small.FUEL + "2024-01-20,bought,diesel,2,t,D2\n")
    with celadon.open_plant(plant) as opened:
        opened.load()
    second = document(capsys, *args, "--key", "mill")
    assert second["index"] == 1
    listed = document(capsys, "filings", plant, "--since", proof)
    assert listed["grown_by"] == 1
    assert [filing["changed"] for filing in listed["filings"]] == [2, 0]
    diesel = next(line for line in listed["filings"][0]["lines"] if line["item"] == "diesel")
    # 5 t were burnt when it was filed, 7 t with the invoice that came late.
    assert diesel["now"] == pytest.approx(diesel["filed"] * 7 / 5, rel=1e-12)
    assert [cause["name"] for cause in diesel["causes"]] == ["energy_consumed"]
    shown = said(
        capsys, "filings", plant, body["filing"][:12], "--lang", "zh", "--output", tmp_path / "again.zip"
    )
    assert "申报值" in shown
    assert (tmp_path / "again.zip").read_bytes() == out.read_bytes()


def test_a_report_is_made_and_filed(plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document(capsys, "keys", "new")
    out = tmp_path / "sent.zip"
    args = [
        "file",
        plant,
        "-r",
        "cn_gbt_32150_2015",
        "-p",
        "2024-01",
        "--with",
        "energy-carbon",
        "--output",
        out,
    ]
    first = document(capsys, *args)
    with zipfile.ZipFile(out) as archive:
        reports = {
            name.rsplit("/", 1)[-1]: archive.read(name) for name in archive.namelist() if "/report/" in name
        }
    assert set(reports) == {"energy-carbon-en.pdf", "energy-carbon-en.xlsx"}
    assert reports["energy-carbon-en.pdf"].startswith(b"%PDF-")
    # The same facts, the same reports, the same filing.
    assert document(capsys, *args)["filing"] == first["filing"]
    assert document(capsys, "verify", out)["different"] == 0


def test_wrong_calls(plant: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "verify", plant, "--key", "x", status=2)["findings"][0]["code"] == "command.usage"
    assert (
        document(capsys, "filings", plant, "--output", "x", status=2)["findings"][0]["code"]
        == "command.usage"
    )
    assert document(capsys, "filings", plant, "abcdefgh", status=1)["findings"][0]["code"] == "filing.unknown"
    nothing = tmp_path / "no.zip"
    assert document(capsys, "verify", nothing, status=1)["findings"][0]["code"] == "filing.unreadable"
    nothing.write_text("no checkpoint")
    found = document(capsys, "filings", plant, "--since", nothing, status=1)["findings"]
    assert found[0]["code"] == "filing.log-not-consistent"
