"""What a rulebook cites and says is there in Chinese and English, and each reader is shown the own language."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.core.text import Text, same
from celadon.rules import bilingual
from celadon.rules.bilingual import lacking
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import SHIPPED, load_rulebook, shipped_ids
from tests.rules.books import CHAPTER, QUANTITIES, write_book

BOTH = CHAPTER.replace(
    '"1 eq.(1)", "amount times factor"',
    '{"zh": "1 式(1)", "en": "1 eq.(1)"}, {"zh": "数量乘以因子", "en": "amount times factor"}',
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (same("5.2"), None),
        (same("GB/T 2589-2020 7"), None),
        (same("E = Σ AD × EF"), None),
        (same("国环规气候〔2024〕1号"), None),
        (same("5.2 eq.(1)"), "zh"),
        (Text("chapter 3", "chapter 3"), "zh"),
        (Text("第3章", "第3章"), "en"),
        (Text("chapter 3", "第3章"), None),
        (Text("国环规气候〔2024〕1号, annex", "国环规气候〔2024〕1号，附件"), None),
    ],
)
def test_which_language_is_lacking(text: Text, language: str | None) -> None:
    assert lacking(text) == language


def test_a_clause_in_both_languages(tmp_path: Path) -> None:
    book = load_rulebook(write_book(tmp_path / "b", chapter=BOTH))
    clause = book.rules["emission"][0].clause
    assert clause.text == Text("amount times factor", "数量乘以因子")
    assert clause.cited == Text("S-1 1 eq.(1)", "S-1 1 式(1)")
    assert str(clause) == "S-1 1 eq.(1)"


def test_a_plain_text_is_the_same_in_both(tmp_path: Path) -> None:
    clause = load_rulebook(write_book(tmp_path / "b")).rules["emission"][0].clause
    assert clause.text == same("amount times factor")


@pytest.mark.parametrize("wrong", ['{"zh": 1, "en": "x"}', '{"de": "x"}', "{}", "5"])
def test_anything_else_is_refused(tmp_path: Path, wrong: str) -> None:
    chapter = CHAPTER.replace('"amount times factor"', wrong)
    (found,) = [
        item
        for item in load_rulebook(write_book(tmp_path / "b", chapter=chapter)).findings
        if "eq1" not in item.says() and item.code == "rulebook.chapter-refused"
    ]
    assert found.where.line is not None


def test_the_documents_of_a_rulebook_are_cited_in_both(tmp_path: Path) -> None:
    about = (
        "id: b\nedition: '1'\nscope: s\ntotals: [emission]\n"
        "documents: [{number: {zh: 某办法, en: Some measures}, title: {zh: 名, en: title}, since: 2024-01-01}]\n"
    )
    chapter = BOTH.replace('document("S-1")', 'document("Some measures")')
    quantities = QUANTITIES.replace("clause: S-1 3", "clause: {zh: 某办法第3条, en: Some measures 3}")
    book = load_rulebook(write_book(tmp_path / "b", about=about, chapter=chapter, quantities=quantities))
    assert book.document.number == "Some measures"
    assert book.rules["emission"][0].clause.cited == Text("Some measures 1 eq.(1)", "某办法 1 式(1)")


@pytest.mark.parametrize("name", shipped_ids())
def test_every_shipped_rulebook_is_there_in_both(name: str) -> None:
    found = [item for item in check_rulebook(load_rulebook(name)) if item.code == "rulebook.clause-language"]
    assert [item.says() for item in found] == []


def test_a_shipped_clause_in_one_language_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mfg_operations_kpi"
    shutil.copytree(SHIPPED / folder.name, folder)
    chapter = folder / "s2_quality.py"
    text = chapter.read_text("utf-8")
    assert '"zh": "废品率 = 废品量 SQ / 产出量 PQ"' in text
    chapter.write_text(text.replace("废品率 = 废品量 SQ / 产出量 PQ", "Scrap ratio = SQ / PQ"), "utf-8")
    book = load_rulebook(folder)
    assert [item.code for item in check_rulebook(book)] == []  # a folder of one's own may be in one language
    monkeypatch.setattr(bilingual, "SHIPPED", tmp_path)
    (found,) = check_rulebook(book)
    assert found.code == "rulebook.clause-language"
    assert found.says() == "scrap_ratio: “Scrap ratio = SQ / PQ” is not there in Chinese."
    assert found.says("zh") == "scrap_ratio：“Scrap ratio = SQ / PQ”缺少中文。"
    assert (found.where.subject, found.where.file) == ("scrap_ratio", str(chapter))
    assert found.fix("en").startswith('Give it as {"zh": "…", "en": "…"}')


def test_the_reader_s_language_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_book(tmp_path / "b", chapter=BOTH)
    assert main(["rulebooks", str(folder), "--json"]) == 0
    (rule, *_) = json.loads(capsys.readouterr().out)["rules"]
    assert (rule["clause"], rule["clause_text"]) == ("S-1 1 eq.(1)", "amount times factor")
    assert rule["clause_label"] == {"zh": "S-1 1 式(1)", "en": "S-1 1 eq.(1)"}
    assert rule["clause_says"] == {"zh": "数量乘以因子", "en": "amount times factor"}
    for lang, here, elsewhere in (
        ("zh", "数量乘以因子", "amount times"),
        ("en", "amount times", "数量乘以因子"),
    ):
        assert main(["rulebooks", str(folder), "--lang", lang]) == 0
        said = capsys.readouterr().out
        assert here in said
        assert elsewhere not in said
