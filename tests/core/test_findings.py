"""Every finding kind in Celadon says what is wrong and what to do, in both languages, from the values it is given."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.text import Text, text_from
from celadon.handbook import finding_kinds

KINDS = finding_kinds()
TESTS = "\n".join(path.read_text("utf-8") for path in sorted(Path(__file__).parent.parent.rglob("*.py")))
CASES = "\n".join(
    path.read_text("utf-8")
    for path in sorted(
        (Path(__file__).parent.parent.parent / "src" / "celadon" / "rulebooks").rglob("cases/*.yaml")
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


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_code_is_made_to_appear_by_a_test(code: str) -> None:
    quoted = f'"{code}"' in TESTS or f"'{code}'" in TESTS or f"finding: {code}" in CASES
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
        "S 1",
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
        "clause": "S 1",
    }


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
