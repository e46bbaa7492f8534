"""A rulebook may come from anybody: whatever is in its folder, there is a Finding and never a traceback, a hang or a crash."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
import yaml

from celadon.core.findings import FindingError
from celadon.core.units import UnitError, parse_unit
from celadon.rules.chapters import extent
from celadon.rules.check import check_rulebook
from celadon.rules.expr import Ref
from celadon.rules.factors import read_table
from celadon.rules.rulebook import load_rulebook
from tests.rules.books import ABOUT, CHAPTER, QUANTITIES, TABLE, write_book

FORMULA = "return fuel * factor"
ASSIGN = 'eq1 = standard.clause("1 eq.(1)", "amount times factor")'


def found(folder: Path) -> dict[str, str]:
    """Code -> texts of what is found, however the rulebook is refused."""
    try:
        findings = list(check_rulebook(load_rulebook(folder)))
    except FindingError as error:
        findings = error.findings
    said: dict[str, str] = {}
    for finding in findings:
        said[finding.code] = " ".join((said.get(finding.code, ""), finding.says("en"))).strip()
    return said


def chapter(tmp_path: Path, old: str, new: str) -> dict[str, str]:
    assert old in CHAPTER
    return found(write_book(tmp_path / "b", chapter=CHAPTER.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("return fuel.__class__.__mro__", "attribute .__mro__"),
        ("return fuel.ﬁle", "attribute .file"),  # the parser folds names to NFKC before anything looks
        ("return __ｉｍｐｏｒｔ__('os')", "__import__() is no word"),
        ('return "{0.__class__}".format(fuel)', "attribute .format"),
        ('return f"{fuel.__class__}"', "JoinedStr"),
        ("return [x for x in (1, 2)]", "ListComp"),
        ("return (x for x in (1,))", "GeneratorExp"),
        ("return lambda f=fuel: f", "Lambda"),
        ("return (fuel := factor)", "NamedExpr"),
        ("return fuel ** 9 ** 9 ** 9", "numbers come from facts"),
        ("return fuel ** fuel", "Pow is not part"),
        ("return fuel << 10", "LShift"),
        ("return fuel % 10", "Mod"),
        ("return fuel[0]", "Subscript"),
        ("return total(*fuel)", "Starred"),
        ("return total(**{'value': fuel})", "** is not part"),
        ("return await_(fuel)", "await_() is no word"),
        ("return carrier_emission(fuel, factor)", "carrier_emission() is no word"),
        ("return eval('1')", "eval() is no word"),
        ("return __builtins__", "name __builtins__"),
        ("return 'x' * 10", "texts and lists are no operands"),
        ("return (1, 2) * 10", "texts and lists are no operands"),
        ("return 999999999999999 * 999999999999999", "numbers come from facts"),
        ("return fuel * 0x" + "f" * 9000, "beyond 10^15"),
        ("return fuel * " + "9" * 9000, "Exceeds the limit"),
        ("return fuel * 1j", "complex is no value"),
        ("return total(fuel, over=b'1')", "bytes is no value"),
        ("return fuel * constant('1e999999999', unit='1')", "no plain number"),
        ("return fuel * constant('9' , unit='((((10^24)^24)^24)^24)^24')", "as a unit"),
        ("return fuel * constant('1', unit='" + "(" * 3000 + "')", "a unit of 3000 characters"),
        ("return rounded(fuel, '0) FROM x; COPY x TO y; --')", "-15 to 15"),
        ("return key(fuel) == 'x'", "one name as text"),
        ("return at_key(fuel, carrier='x; DROP')", "which key is which"),
        ("return total(fuel, over='" + "x" * 5000 + "')", "a text of 5000 characters"),
        ("n = 10\n    return fuel * n", "a plain value is no intermediate"),
        ("a = b = fuel\n    return a", "one name of your own"),
        ("total = fuel\n    return total", "one name of your own"),
        ("return " + "(" * 500 + "fuel" + ")" * 500, "too many nested parentheses"),
        ("return " + "~" * 5000 + "fuel", "nested too deep"),
        ("return fuel" + " + fuel" * 3000, "nested too deep"),
        ("return -" + "-" * 70 + "fuel", "nested too deep"),
    ],
)
def test_formulas_that_are_tricks(tmp_path: Path, new: str, says: str) -> None:
    assert says in chapter(tmp_path, FORMULA, new)["rulebook.chapter-refused"]


HEAD = '@eq1.rule(unit="tCO2", per="site, month, carrier", label={"zh": "分品种", "en": "By carrier"})\ndef carrier_emission(fuel, factor):'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("def carrier_emission(fuel, factor):", "def carrier_emission(fuel, factor=total):", "inputs are plain names"),
        ("def carrier_emission(fuel, factor):", "def carrier_emission(*fuel):", "inputs are plain names"),
        ("def carrier_emission(fuel, factor):", "def total(fuel, factor):", "“total” is no name"),
        ("def carrier_emission(fuel, factor):", "def __init__(fuel, factor):", "“__init__” is no name"),
        ("def carrier_emission(fuel, factor):", "async def carrier_emission(fuel, factor):", "AsyncFunctionDef"),
        ("def carrier_emission", "@document\ndef carrier_emission", "hangs on one clause"),
        ("def carrier_emission", "@eq1.isin(1)\ndef carrier_emission", "hangs on one clause"),
        (HEAD, HEAD[HEAD.index("def") :], "hangs on one clause"),
        ("from celadon.rules import document, sum_of, total", "from celadon.rules import *", "no rule word '*'"),
        ("from celadon.rules import document, sum_of, total", "from celadon.rules import total as t", "no rule word"),
        ("from celadon.rules import", "from ..rules import", "import from rules"),
        ("from celadon.rules import document, sum_of, total", "import os", "Import is not part"),
        (ASSIGN, ASSIGN + "\nx = 'a'", "plain value"),
        (ASSIGN, ASSIGN + "\neq1.text = 'a'", "one name of your own"),
        (ASSIGN, ASSIGN + "\nwhile True:\n    pass", "While"),
        (ASSIGN, ASSIGN + "\nclass A:\n    pass", "ClassDef"),
        (ASSIGN, ASSIGN + "\ndel eq1", "Delete"),
        (ASSIGN, ASSIGN + "\nglobal eq1", "Global"),
        ('"amount times factor")', "total)", "described in texts"),
        ('per="site, month, carrier"', 'per="site, month, carrier FROM x"', "is no name"),
        ('label={"zh": "分品种", "en": "By carrier"}', "label=eq1", "described in texts"),
        ('"""Chapter 1."""', "\0", "null bytes"),
    ],
)  # fmt: skip
def test_chapters_that_are_tricks(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert says in chapter(tmp_path, old, new)["rulebook.chapter-refused"]


def test_a_formula_that_doubles_at_every_line_is_refused_before_anything_walks_it(tmp_path: Path) -> None:
    lines = "\n    ".join(f"x{n + 1} = x{n} + x{n}" for n in range(50))
    said = chapter(tmp_path, FORMULA, f"x0 = fuel * factor\n    {lines}\n    return x50")
    # 2^50 sums of three nodes: 2^50·3 + 2^50 − 1
    assert said["rulebook.over-limit"].startswith(f"terms of a formula: {2**52 - 1}, and at most 2000")
    doubled = "\n".join(f"c{n + 1} = c{n} & c{n}" for n in range(50))
    both = CHAPTER.replace(ASSIGN, f'{ASSIGN}\nc0 = key("carrier") == "diesel"\n{doubled}').replace(
        "import document", "import key, document"
    )
    when = both.replace('per="site, month, carrier",', 'per="site, month, carrier", when=c50,', 1)
    assert "terms of a formula" in found(write_book(tmp_path / "when", chapter=when))["rulebook.over-limit"]
    given = both.replace(FORMULA, "return c50")
    assert (
        "gives All, not a formula"
        in found(write_book(tmp_path / "given", chapter=given))["rulebook.chapter-refused"]
    )


def test_extent_counts_shared_parts_as_often_as_they_are_used() -> None:
    part = Ref("a") + Ref("b")  # 3 nodes, 2 levels
    assert extent(part * part) == (7, 3)


def rule(name: str, needs: str, formula: str) -> str:
    return f'\n\n@eq1.rule(unit="tCO2", per="site, month", label={{"zh": "量", "en": "x"}})\ndef {name}({needs}):\n    """As the one before."""\n    return {formula}\n'


def test_long_chains_and_too_many_rules(tmp_path: Path) -> None:
    chain = CHAPTER + "".join(
        rule(f"e{n}", f"e{n - 1}" if n else "emission", f"e{n - 1}" if n else "emission") for n in range(60)
    )
    assert (
        "levels of rules upon rules"
        in found(write_book(tmp_path / "chain", chapter=chain))["rulebook.over-limit"]
    )
    many = CHAPTER + "".join(rule(f"e{n}", "emission", "emission") for n in range(1000))
    said = found(write_book(tmp_path / "many", chapter=many))
    assert said["rulebook.over-limit"] == "rules: 1002, and at most 1000 are read."


@pytest.mark.parametrize(
    ("about", "code", "says"),
    [
        ("a: &a [1]\nb: *a\n" + ABOUT, "rulebook.unreadable", "aliases are not read"),
        ("a: &a [x,x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n" + ABOUT, "rulebook.unreadable", "aliases"),
        ("a: " + "[" * 100_000, "rulebook.over-limit", "levels of nesting: 41"),
        ("a:\n" + " " + "- " * 50_000 + "x", "rulebook.over-limit", "levels of nesting: 41"),
        ("a: " + "{a: " * 5_000, "rulebook.over-limit", "levels of nesting"),
        ("a: " + "9" * 9_000 + "\n" + ABOUT, "rulebook.unreadable", "Exceeds the limit"),
        ("a: 2024-13-45\n" + ABOUT, "rulebook.unreadable", "month must be in 1..12"),
        (
            "a: !!python/object/apply:os.system [id]\n" + ABOUT,
            "rulebook.unreadable",
            "tag tag:yaml.org,2002:python",
        ),
        ("a: !!str 1\n" + ABOUT, "rulebook.unreadable", "tag tag:yaml.org,2002:str is not read"),
        (ABOUT + "scope: twice\n", "rulebook.unreadable", "the key “scope” stands there twice"),
        (
            "? [a]\n: 1\n" + ABOUT,
            "rulebook.unreadable",
            "the key “[]” stands there twice, or is no plain word",
        ),
        (ABOUT + "---\na: 1\n", "rulebook.unreadable", "a file holds one YAML document"),
        ("x" * 1_000_001, "rulebook.over-limit", "bytes: 1000001, and at most 1000000"),
        ("- a\n- b\n", "rulebook.unreadable", "no mapping"),
        ("a: [\n", "rulebook.unreadable", "while parsing"),
        (ABOUT.replace("id: small", 'id: "x; DROP"'), "rulebook.key", "is no name"),
        (ABOUT.replace("  basis:", '  "a b":'), "rulebook.key", "is no name"),
        (ABOUT + "builds_on: [a, b, c, d, e, f]\n", "rulebook.over-limit", "builds_on: 6, and at most 5"),
        (ABOUT + "builds_on: [../../nowhere]\n", "rulebook.unreadable", "there is no such file"),
        (ABOUT + "builds_on: {a: 1}\n", "rulebook.unknown", "no rulebook"),
        (ABOUT.replace("[emission]", "[{a: 1}]"), "rulebook.key", "is no name"),
    ],
)
def test_about_files_that_are_traps(tmp_path: Path, about: str, code: str, says: str) -> None:
    assert says in found(write_book(tmp_path / "b", about=about))[code]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  fuel:", '  "fuel FROM x; --":', "is no name"),
        ('grain: "site, month, carrier"}', 'grain: "site, month, carrier || x"}', "is no name"),
        ("keys: {carrier: carrier}", 'keys: {carrier: "carrier; DROP"}', "is no name"),
        ("keys: {carrier: carrier}", "keys: {carrier: site.__class__}", "“__class__” is none of id, region"),
        ("keys: {carrier: carrier}", "keys: {carrier: 'file:x'}", "“file:” is none of"),
        ("keys: {carrier: carrier}", "keys: [1]", "cannot convert"),
        ("table: factors", "table: ../../secret", "is no name"),
        ("table: factors, column: value", 'table: "@site", column: processes', "“processes” is none of"),
        ("unit: tCO2/carrier_unit", "unit: " + "(" * 500, "a unit of 500 characters"),
        ("unit: tCO2/carrier_unit", "unit: ((10^24)^24)^24", "as a unit"),
        ("facts:\n", "facts: [1]\nfacts2:\n", "mapping of names"),
    ],
)
def test_quantities_that_are_traps(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in QUANTITIES
    assert (
        says in found(write_book(tmp_path / "b", quantities=QUANTITIES.replace(old, new, 1)))["rulebook.key"]
    )


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        (
            "diesel,3.1,",
            "diesel,1e999999999,",
            "factor-table.value",
            "“1e999999999” in column value is no number",
        ),
        ("diesel,3.1,", "diesel,nan,", "factor-table.value", "is no number"),
        ("kgCO2/kg,2020", "((((10^24)^24)^24)^24),2020", "factor-table.value", "is no unit"),
        ("2020-01-01,2022", "99999999999999999999-01-01,2022", "factor-table.value", "is no date"),
        ("2022-12-31", "2022-13", "factor-table.value", "is no date"),
        ("2022-12-31", "2022-12-31-01", "factor-table.value", "is no date"),
        ("known gap", "x" * 200_000, "factor-table.unreadable", "field larger than field limit"),
    ],
)
def test_tables_that_are_traps(tmp_path: Path, old: str, new: str, code: str, says: str) -> None:
    assert old in TABLE
    assert says in found(write_book(tmp_path / "b", table=TABLE.replace(old, new, 1)))[code]


def test_a_table_of_too_many_rows_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from celadon.core.findings import Findings

    monkeypatch.setattr("celadon.rules.factors.MAX_ROWS", 2)
    said = Findings()
    table = read_table("factors", TABLE, "factors.csv", said)
    assert len(table.rows) == 2
    assert [item.says("en") for item in said] == ["The table cannot be used: more than 2 rows."]


def test_files_outside_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(TABLE, "utf-8")
    folder = write_book(tmp_path / "linked")
    (folder / "tables" / "factors.csv").unlink()
    (folder / "tables" / "factors.csv").symlink_to(secret)
    assert found(folder)["rulebook.outside-folder"].startswith("factors.csv is a link to something outside")
    for name in ("about.yaml", "s1_small.py", "published.lock"):
        folder = write_book(tmp_path / name.replace(".", "_"))
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("/dev/zero")
        assert "rulebook.outside-folder" in found(folder)
    folder = write_book(tmp_path / "pipe")
    os.mkfifo(folder / "s2_pipe.py")
    assert "rulebook.outside-folder" in found(folder)
    folder = write_book(tmp_path / "tables_linked", table=None)
    (folder / "tables").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "factors.csv").write_text(TABLE, "utf-8")
    (folder / "tables").symlink_to(tmp_path / "elsewhere")
    assert "rulebook.outside-folder" in found(folder)


def test_rulebooks_that_build_on_rulebooks_without_end(tmp_path: Path) -> None:
    for level in range(6):
        write_book(
            tmp_path / f"b{level}", about=f"{ABOUT}builds_on: [../b{level + 1}]\n" if level < 5 else ABOUT
        )
    # b0 → b1 → b2 → b3 is the third level
    assert found(tmp_path / "b0")["rulebook.over-limit"] == "levels of builds_on: 4, and at most 3 are read."
    assert found(tmp_path / "b2") == {}


def test_too_many_files(tmp_path: Path) -> None:
    folder = write_book(tmp_path / "b")
    for number in range(500):
        (folder / f"s{number + 2}.py").write_text("", "utf-8")
    assert found(folder)["rulebook.over-limit"] == "files: 504, and at most 500 are read."


ODD = [
    None,
    [],
    {},
    "",
    "x",
    5,
    -1,
    1.5,
    True,
    [None],
    [[]],
    {"a": {}},
    {"zh": 1},
    "2024-01-01",
    [{"a": "b"}],
    "site, month",
]


@pytest.mark.parametrize("seed", range(60))
def test_any_value_anywhere_in_the_yaml_files(tmp_path: Path, seed: int) -> None:
    """Values of the wrong kind in random places: findings, and nothing else escapes."""
    rng = random.Random(seed)
    about, quantities = yaml.safe_load(ABOUT), yaml.safe_load(QUANTITIES)
    for _ in range(rng.randint(1, 3)):
        node = rng.choice([about, quantities])
        while True:
            here = list(node) if isinstance(node, dict) else list(range(len(node)))
            place = rng.choice(here) if here else None
            if place is None or not isinstance(node[place], dict | list) or rng.random() < 0.3:
                break
            node = node[place]
        if place is not None:
            node[place] = rng.choice(ODD)
    folder = write_book(tmp_path / "b", about=yaml.safe_dump(about), quantities=yaml.safe_dump(quantities))
    assert isinstance(found(folder), dict)


def test_powers_of_powers_of_units() -> None:
    with pytest.raises(UnitError):
        parse_unit("(((10^24)^24)^24)^24 kWh")
    assert parse_unit("(kWh)^2").dimension == (parse_unit("kWh") * parse_unit("kWh")).dimension
