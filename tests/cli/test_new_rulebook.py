"""`celadon new-rulebook`, and the how-to that starts from it: every command and every file shown there works."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import load_rulebook
from celadon.testing import run_cases
from tests.shared_data import ROOT

GUIDE = (ROOT / "docs" / "adding-a-standard.md").read_text("utf-8")
FILES = {
    "about.yaml": "1. about.yaml",
    "quantities.yaml": "2. quantities.yaml",
    "tables/factors.csv": "3. A table, as published",
    "s5_calculation.py": "4. A chapter",
    "cases/s5.yaml": "5. Cases",
}


def blocks(heading: str) -> list[str]:
    """The fenced blocks of one section of the how-to."""
    section = GUIDE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_new_rulebook_is_valid_and_its_case_passes(
    tmp_path: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "My-Standard"
    call = [
        "new-rulebook",
        str(folder),
        "--number",
        'GB/T "1"-2024',
        "--title",
        "某标准: {x}",
        "--json",
        "--lang",
        lang,
    ]
    assert main(call) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert [Path(name).name for name in body["files"]] == [
        "about.yaml",
        "quantities.yaml",
        "s5_calculation.py",
        "factors.csv",
        "s5.yaml",
    ]
    book = load_rulebook(folder)
    assert (book.id, book.document.number, book.document.title.zh) == (
        "my_standard",
        'GB/T "1"-2024',
        "某标准: {x}",
    )
    assert list(check_rulebook(book)) == []
    assert [outcome.failures for outcome in run_cases(book)] == [()]
    written = (folder / "about.yaml").read_text("utf-8")
    assert ("规则引用的全部文件" in written) == (lang == "zh")
    assert main(call) == 1
    said = json.loads(capsys.readouterr().out)["findings"][0]
    assert (said["code"], said["where"]["file"]) == ("rulebook.folder-taken", str(folder / "about.yaml"))


def test_what_a_new_rulebook_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-rulebook", str(tmp_path / "a"), "--id", "2024", "--json", "--lang", "en"]) == 1
    said = json.loads(capsys.readouterr().out)["findings"][0]
    assert (said["code"], said["says"]["en"]) == (
        "rulebook.id-refused",
        "The rulebook's id: “2024” is no name: small letters, digits and _.",
    )
    (tmp_path / "file").write_text("", "utf-8")
    assert main(["new-rulebook", str(tmp_path / "file"), "--id", "x"]) == 1
    assert "rulebook.folder-taken" in capsys.readouterr().err


def test_the_files_of_the_how_to_are_a_rulebook(tmp_path: Path) -> None:
    for name, heading in FILES.items():
        path = tmp_path / "my_standard" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(blocks(heading)[0], "utf-8")
    book = load_rulebook(tmp_path / "my_standard")
    assert list(check_rulebook(book)) == []
    assert [(outcome.case.name, outcome.failures) for outcome in run_cases(book)] == [
        ("diesel of a month", ())
    ]


def test_the_commands_of_the_how_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [
        line.split("#")[0].strip()
        for heading in ("Start", "6. Check it", "7. Before an edition or a table is adopted")
        for line in blocks(heading)[0].splitlines()
    ]
    assert [line.split()[1] for line in lines] == [
        "new-rulebook", "test", "rulebooks", "test", "publish", "new", "load", "account", "account", "-r", "compare",
    ]  # fmt: skip
    for line in lines:
        if line.startswith("cp -r"):
            shutil.copytree(*line.split()[2:])
            continue
        words = shlex.split(line)[1:]
        status = main([*words, "--json"])
        body = json.loads(capsys.readouterr().out)
        assert problems(body) == [], line
        # What is read before it is loaded, or left out of the sample plant, is told; nothing fails outright.
        assert body["shape"] != "error/1", (line, body["findings"])
        assert status == (1 if any(item["severity"] == "error" for item in body["findings"]) else 0), line
