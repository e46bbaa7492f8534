"""How the command line is called: help, languages, wrong calls, and what starting it costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import celadon
from celadon.cli import group, main
from celadon.cli.base import Command, default_lang, lang_in
from celadon.cli.shapes import markdown, problems
from tests.plant import small

ROOT = Path(__file__).resolve().parents[2]


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    assert main(arguments) == status
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize("name", list(group.lazy))
def test_every_command_has_help_in_both_languages(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    english, chinese = (
        said(capsys, name, "--help", "--lang", "en"),
        said(capsys, name, "--lang", "zh", "--help"),
    )
    assert f"celadon {name}" in english
    assert "--json" in english
    assert "语言" in chinese
    assert english != chinese
    command = group.get_command(None, name)
    assert isinstance(command, Command)
    assert command.texts is not None


def test_the_list_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert "守恒证明" in said(capsys, "--lang", "zh", "--help")
    assert "conservation proof" in said(capsys, "--help", "--lang", "en")
    assert "explain" in said(capsys, status=2)
    assert said(capsys, "--version") == f"celadon {celadon.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        (("frob",), "there is no command frob", "没有命令 frob"),
        (("chek",), "did you mean check?", "是否指 check？"),
        (("check",), "PLANT is missing", "缺少 PLANT"),
        (("check", "x", "--perod", "1"), "there is no option --perod", "没有选项 --perod"),
        (("account", "x", "-r", "y"), "--period / -p is missing", "缺少 --period / -p"),
        (
            ("account", "x", "-r", "y", "-p", "1", "--by", "z"),
            "--by: 'z' is not one of",
            "--by：'z' 不在",
        ),
        (
            ("account", "x", "-r", "y", "-p", "1", "-o", "z"),
            "--option / -o: 'z': name=value",
            "--option / -o：'z': name=value",
        ),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    arguments: tuple[str, ...], english: str, chinese: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert english in said(capsys, *arguments, "--lang", "en", status=2)
    text = said(capsys, *arguments, "--lang", "zh", status=2)
    assert chinese in text
    assert text.startswith("用法错误: ")


def test_the_language_is_the_locales_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert default_lang() == "zh"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert default_lang() == "en"
    assert lang_in(["account", "--lang=zh"]) == "zh"
    assert lang_in(["account", "--lang", "en"]) == "en"
    assert lang_in(["account", "--lang"]) is None


def test_importing_loads_no_rulebook_and_no_database() -> None:
    code = "import sys, celadon; celadon.__version__; print(sorted({name.split('.')[0] for name in sys.modules} & {'duckdb', 'rich', 'click', 'yaml', 'sqlglot'}))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src"
    )
    assert found.stdout == "[]\n"
    code = "import sys; from celadon.cli import main; main(['--help']); print(sorted({name.split('.')[0] for name in sys.modules} & {'duckdb', 'rich', 'yaml'}))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src"
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_the_public_surface_is_what_it_says() -> None:
    assert dir(celadon) == sorted(celadon.__all__)
    for name in celadon.__all__:
        assert getattr(celadon, name) is not None
    with pytest.raises(AttributeError):
        celadon.no_such_name  # noqa: B018


def test_what_the_system_refuses_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.loaded(tmp_path).close()
    target = tmp_path / "nowhere" / "q.csv"
    english = said(capsys, "quarantine", str(tmp_path), "export", str(target), "--lang", "en", status=1)
    assert "system.refused" in english
    assert "No such file or directory" in english
    chinese = said(capsys, "quarantine", str(tmp_path), "export", str(target), "--lang", "zh", status=1)
    assert "请检查路径、读写权限与磁盘空间" in chinese


def test_interrupted_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(group, "main", interrupted)
    assert "Run the command again to go on." in said(capsys, "load", "x", "--lang", "en", status=130)
    assert "再次运行即可继续" in said(capsys, "load", "x", "--lang", "zh", status=130)


def test_the_reference_of_shapes_is_fresh() -> None:
    assert (ROOT / "docs" / "json.md").read_text(encoding="utf-8") == markdown()


def test_a_document_that_does_not_fit_is_told() -> None:
    assert problems({"shape": "new/2"}) == ["shape: 'new/2' is not known"]
    assert problems({"shape": "new/1", "folder": 1, "files": "x", "more": 2}) == [
        ".folder: 1 is no text", ".files: no list", ".findings: missing", ".more: not in the shape",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says", "command"),
    [
        (["account", "x", "--json", "--lang", "en"], "--rulebook / -r is missing", "celadon account"),
        (
            ["accuont", "x", "--json", "--lang", "en"],
            "there is no command accuont (did you mean account?)",
            "celadon",
        ),
        (
            ["check", "x", "--josn", "--json", "--lang", "en"],
            "there is no option --josn (did you mean --json?)",
            "celadon check",
        ),
    ],
)
def test_a_wrong_call_that_asks_for_json_gets_json(
    arguments: list[str], says: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    body = json.loads(captured.out)
    assert (captured.err, problems(body), body["shape"]) == ("", [], "error/1")
    (found,) = body["findings"]
    assert found["code"] == "command.usage"
    assert found["values"] == {"why": says, "command": command}
    assert found["says"]["en"] == f"The command was not called as it can be: {says}."


def test_the_help_option_and_wrong_values_are_in_the_reader_s_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "显示本说明并退出。" in said(capsys, "account", "--help", "--lang", "zh")
    assert "Show this message and exit." in said(capsys, "account", "--help", "--lang", "en")
    wrong = ("account", "plant", "--rulebook", "x", "--period", "2024", "--by", "moon")
    assert "'moon' 不在" in said(capsys, *wrong, "--lang", "zh", status=2)
    assert "'moon' is not one of" in said(capsys, *wrong, "--lang", "en", status=2)


def test_a_name_that_is_not_utf_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder as an archive in GBK leaves it behind: named on the command line, and inside the plant's folder."""
    told = json.loads(said(capsys, "check", "\udcb3\udca7", "--json", status=1))
    (found,) = told["findings"]
    assert found["code"] == "system.name-not-text"
    assert found["values"] == {"name": r"\udcb3\udca7"}
    small.write(tmp_path)
    (tmp_path / "data" / "january.csv").rename(tmp_path / "data" / "\udcb3\udca7.csv")
    told = json.loads(said(capsys, "load", str(tmp_path), "--json", status=1))
    assert [item["code"] for item in told["findings"]] == ["system.name-not-text"]
