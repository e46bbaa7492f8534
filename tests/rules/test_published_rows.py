"""A published row stays as it was: changing it is refused with its line; a later row takes its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.findings import FindingError
from celadon.rules.check import check_rulebook
from celadon.rules.rulebook import load_rulebook, shipped_ids
from celadon.testing import run_cases
from tests.rules.books import TABLE, write_book

OLD = "diesel,3.1,kgCO2/kg,2020-01-01,2022-12-31,2020-06-01,Notice 1,A.1,verified2,"
CASES = """
- name: a day when two rows hold
  vouched: {by: constructed}
  period: 2023-05
  options: {}
  facts: [{quantity: fuel, carrier: diesel, value: 10, unit: t}]
  expect: [{quantity: emission, value: 32.5, unit: tCO2}]   # 10 t × 3.25 t/t: published later
- name: the same, as it was known before the later row was published
  vouched: {by: constructed}
  period: 2023-05
  factors_as_of: 2023-12-31
  facts: [{quantity: fuel, carrier: diesel, value: 10, unit: t}]
  expect: [{quantity: emission, value: 32.0, unit: tCO2}]   # 10 t × 3.2 t/t
"""
LATER = "diesel,3.25,kgCO2/kg,2023-01-01,,2024-02-01,Notice 3,A.1,verified1,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_book(tmp_path / "b", cases=CASES)
    load_rulebook(folder).publish()
    return folder


def edit(folder: Path, old: str, new: str) -> list[tuple[str, int | None, str]]:
    path = folder / "tables" / "factors.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return [(item.code, item.where.line, item.says("en")) for item in load_rulebook(folder).findings]


CHANGED = "rulebook.published-row-changed"


def test_a_sealed_rulebook_is_clean_and_its_digest_does_not_depend_on_the_lock(folder: Path) -> None:
    book = load_rulebook(folder)
    assert list(check_rulebook(book)) == []
    assert book.unsealed() == {"factors": 0}
    (folder / "published.lock").unlink()
    assert load_rulebook(folder).digest == book.digest
    assert load_rulebook(folder).unsealed() == {"factors": 3}


@pytest.mark.parametrize(
    ("old", "new", "line", "row"),
    [
        ("diesel,3.1,", "diesel,3.11,", 2, "diesel, 3.11, kgCO2/kg, 2020-01-01, 2022-12-31, 2020-06-01"),
        ("2022-12-31", "2021-12-31", 2, "diesel, 3.1, kgCO2/kg, 2020-01-01, 2021-12-31, 2020-06-01"),
        ("raw_coal,,", "raw_coal,2,", 4, "raw_coal, 2, kgCO2/kg, 2020-01-01, 2020-06-01"),
        (OLD + "\n", "", 1, "—"),
        ("diesel,3.2,kgCO2/kg,2023-01-01,,2023-06-01,Notice 2,A.1,recalled,\n", "", 2, "diesel, 3.1, kgCO2/kg, 2020-01-01, 2022-12-31, 2020-06-01"),
    ],
)  # fmt: skip
def test_a_changed_or_removed_row_is_told_with_its_line(
    folder: Path, old: str, new: str, line: int, row: str
) -> None:
    said = f"Table factors: a row that was published is no longer as it was; at its place stands “{row}”."
    assert edit(folder, old, new) == [(CHANGED, line, said)]
    with pytest.raises(FindingError) as refused:
        load_rulebook(folder).publish()
    assert [item.code for item in refused.value.findings] == [CHANGED]


def test_a_table_that_is_gone_is_told(folder: Path) -> None:
    (folder / "tables" / "factors.csv").unlink()
    assert CHANGED in [item.code for item in load_rulebook(folder).findings]


def test_where_a_row_stands_and_how_sure_it_is_may_be_corrected(folder: Path) -> None:
    assert edit(folder, "Notice 2,A.1,recalled,", "Notice 2 of 2023,A.2,verified1,read") == []
    assert edit(folder, "carrier,value", "carrier,value") == []


def test_a_later_row_takes_the_place_of_an_earlier_one(folder: Path) -> None:
    path = folder / "tables" / "factors.csv"
    path.write_text(path.read_text("utf-8") + LATER, "utf-8")
    book = load_rulebook(folder)
    assert list(check_rulebook(book)) == []
    assert book.unsealed() == {"factors": 1}
    assert [outcome.failures for outcome in run_cases(book)] == [(), ()]
    assert book.publish().added == {"factors": 1}
    assert load_rulebook(folder).unsealed() == {"factors": 0}


def test_two_rows_of_one_day_of_publication_are_no_choice(tmp_path: Path) -> None:
    for number, day in enumerate(("2023-06-01", "")):
        table = TABLE + LATER.replace("2024-02-01", day)
        found = list(check_rulebook(load_rulebook(write_book(tmp_path / str(number), table=table))))
        assert [(item.code, item.where.line) for item in found] == [("factor-table.overlap", 5)]


def test_a_gap_is_seen_past_a_row_that_holds_longer(tmp_path: Path) -> None:
    inner = "diesel,3.3,kgCO2/kg,2021-01-01,2021-12-31,2021-06-01,Notice 4,A.1,verified1,\n"
    assert list(check_rulebook(load_rulebook(write_book(tmp_path / "b", table=TABLE + inner)))) == []


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "tables" / "factors.csv"
    path.write_text(path.read_text("utf-8") + LATER, "utf-8")
    assert main(["publish", str(folder), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert body["tables"] == [{"table": "factors", "rows": 4, "added": 1}]
    edit(folder, "diesel,3.1,", "diesel,3.11,")
    assert main(["publish", str(folder), "--lang", "zh"]) == 1
    assert "已发布的一行与发布时不同" in capsys.readouterr().err
    (folder / "published.lock").write_text("a b c\n", "utf-8")
    assert main(["publish", str(folder)]) == 1
    assert "a line holds a table and its digest" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", shipped_ids())
def test_shipped_rows_are_sealed(name: str) -> None:
    loose = {table: count for table, count in load_rulebook(name).unsealed().items() if count}
    assert loose == {}, f"seal new rows with `celadon publish {name}`"
