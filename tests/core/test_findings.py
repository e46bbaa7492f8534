"""Every finding kind in Celadon says what is wrong and what to do, in both languages, from the values it is given."""

from __future__ import annotations

import ast
import errno
import re
from pathlib import Path
from string import Formatter

import pytest

from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.text import Text, text_from, text_of
from celadon.core.units import UnitError, did_you_mean, parse_unit
from celadon.handbook import finding_kinds

KINDS = finding_kinds()
TESTS = "\n".join(path.read_text("utf-8") for path in sorted(Path(__file__).parent.parent.rglob("*.py")))
CASES = "\n".join(
    path.read_text("utf-8")
    for path in sorted(
        (Path(__file__).parent.parent.parent / "src" / "celadon" / "rulebooks").rglob("cases/*.yaml")
    )
)
PAGES = "\n".join(
    path.read_text("utf-8")
    for path in sorted(
        (Path(__file__).parent.parent.parent / "src" / "celadon" / "web" / "pages").glob("*/case.yaml")
    )
)


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("code", sorted(KINDS))
def test_texts(code: str) -> None:
    kind = KINDS[code][0]
    assert re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", code)
    for text in (kind.title, kind.says, kind.fix):
        assert text.en
        assert re.search(r"[\u4e00-\u9fff]", text.zh), f"{code}: no Chinese in {text.zh!r}"
        assert fields(text.en) == fields(text.zh), f"{code}: the languages fill different values"


SOURCES = sorted((Path(__file__).parent.parent.parent / "src" / "celadon").rglob("*.py"))
SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")


def _words(node: ast.expr) -> str:
    """What a value says for sure: its literal text, with a mark where something is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_no_value_of_a_finding_is_a_phrase_in_one_language(path: Path) -> None:
    """Phrases are `Text`; and what an error says goes through `text_of`, never `str(error)`."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (
            isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "at"
        ):
            continue
        for given in call.keywords:
            said = ast.unparse(given.value)
            assert not SENTENCE.search(_words(given.value)), f"{path.name}:{call.lineno}: {said}"
            assert "str(error)" not in said, f"{path.name}:{call.lineno}: {said}"


def test_values_are_said_in_the_language_asked_for() -> None:
    kind = FindingKind(
        "t.t", Severity.ERROR, Text("t", "题"), Text("not {what}{hint}", "不是{what}{hint}"), Text("f", "修")
    )
    finding = kind.at(what=Text("a meter", "计量点"), hint=did_you_mean("E0l", ["E01"]))
    assert finding.says("en") == "not a meter (did you mean “E01”?)"
    assert finding.says("zh") == "不是计量点（是否指“E01”？）"
    assert finding.to_json()["values"] == {"what": "a meter", "hint": " (did you mean “E01”?)"}


def test_what_errors_say() -> None:
    assert text_of(FileNotFoundError(errno.ENOENT, "x")).zh == "文件或文件夹不存在"
    assert text_of(ValueError("odd\nmore")) == Text("odd", "原文“odd”")
    assert text_of(KeyError()) == Text("KeyError", "原文“KeyError”")
    with pytest.raises(NameError) as name:
        eval("nothing")
    assert text_of(name.value) == Text("name 'nothing' is not defined", "名称 'nothing' 未定义")
    with pytest.raises(UnicodeDecodeError) as bad:
        b"a\xff".decode("utf-8")
    assert text_of(bad.value) == Text("byte 2 is not utf-8", "第 2 字节不是 utf-8 编码")
    with pytest.raises(UnitError) as unit:
        parse_unit("kWhh")
    assert text_of(unit.value) == Text(
        "“kWhh” is not a known unit (did you mean “kWh”?)", "“kWhh”不是已知单位（是否指“kWh”？）"
    )
    assert parse_unit("tCO2/MWh").kind == Text("CO2_mass·energy^-1", "CO2 质量·能量^-1")


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_code_is_made_to_appear_by_a_test(code: str) -> None:
    quoted = f'"{code}"' in TESTS or f"'{code}'" in TESTS or f"finding: {code}" in CASES
    quoted = quoted or f"problem: {code}\n" in PAGES
    constant = next((name for name in _constants(code) if re.search(rf"\b{name}\b", TESTS)), None)
    assert quoted or constant, f"{code} appears in no test"


def _constants(code: str) -> list[str]:
    import importlib

    module = importlib.import_module(KINDS[code][1])
    return [
        name for name, value in vars(module).items() if isinstance(value, FindingKind) and value.code == code
    ]


def test_a_finding_in_words_and_as_json() -> None:
    kind = FindingKind(
        "test.kind",
        Severity.WARNING,
        Text("t", "题"),
        Text("{n} rows", "{n} 行"),
        Text("mend {n}", "修正 {n}"),
        Text("S 1 chapter 2", "S 1 第2章"),
    )
    finding = kind.at(Place(file="a.csv", line=3, column="kWh"), n=2)
    assert str(finding) == "warning test.kind: a.csv:3:kWh: 2 rows"
    assert finding.fix("zh") == "修正 2"
    assert finding.to_json("zh") == {
        "code": "test.kind",
        "severity": "warning",
        "where": {"file": "a.csv", "line": 3, "column": "kWh"},
        "says": {"zh": "2 行", "en": "2 rows"},
        "fix": {"zh": "修正 2", "en": "mend 2"},
        "message": "2 行",
        "values": {"n": 2},
        "clause": "S 1 chapter 2",
        "clause_label": {"zh": "S 1 第2章", "en": "S 1 chapter 2"},
    }
    # What one finding cites goes before what its kind cites; a plain citation reads the same in both languages.
    assert kind.at(clause="S 2", n=2).clause == Text("S 2", "S 2")
    assert kind.at(clause="", n=2).clause == kind.clause


def test_order_and_errors() -> None:
    kinds = [
        FindingKind(f"t.{s}", s, Text("t", "题"), Text("s", "说"), Text("f", "修"))
        for s in (Severity.NOTICE, Severity.ERROR)
    ]
    findings = Findings([kind.at() for kind in kinds])
    assert [f.severity for f in findings.ranked()] == [Severity.ERROR, Severity.NOTICE]
    assert [f.code for f in findings.errors] == ["t.error"]
    assert isinstance(FindingError(findings.items[0]).findings[0], Finding)


def test_text_from() -> None:
    assert text_from({"zh": "甲"}) == Text("甲", "甲")
    with pytest.raises(ValueError, match="expected"):
        text_from({"fr": "a"})
