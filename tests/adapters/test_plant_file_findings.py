"""Every finding of the plant file is made to appear: its code, its line, its values, its texts in both languages."""

import importlib
import pkgutil
import string

import pytest

import celadon.adapters.plant_file as package
from celadon.core.findings import FindingKind
from tests.adapters import plant_file_faults_in_parts, plant_file_faults_in_values
from tests.adapters.plant_file_tools import marked_line, read, told

CASES = plant_file_faults_in_values.CASES + plant_file_faults_in_parts.CASES
ELSEWHERE = {  # test_plant_file_reader.py and test_plant_file_template.py, which need real files
    "plant.file-missing",
    "plant.file-unreadable",
    "plant.file-too-big",
    "plant.file-encoding",
    "plant.yaml-syntax",
    "plant.limit",
    "plant.no-files",
    "plant.template-exists",
    "plant.template-unwritable",
}
WITHOUT_LINE = {"plant.file-empty"}
# What unavoidably comes with it.
ALONG = {"plant.alias": {"plant.not-a-mapping"}}


def kinds() -> dict[str, FindingKind]:
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, FindingKind)]
    return {kind.code: kind for kind in found}


@pytest.mark.parametrize(
    ("code", "text", "values", "head"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)]
)
def test_each_finding(code, text, values, head):
    _, findings = read(text, head)
    found = [item for item in findings if item.code == code]
    assert len(found) == 1, [str(item) for item in findings]
    if code not in WITHOUT_LINE:
        assert found[0].where.line == marked_line(text, head)
    assert found[0].where.file == "plant.yaml"
    assert {key: str(found[0].values[key]) for key in values} == {
        key: str(value) for key, value in values.items()
    }
    others = {item.code for item in told(findings)} - {code} - ALONG.get(code, set())
    assert others == set()


@pytest.mark.parametrize(
    ("code", "text", "values", "head"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)]
)
def test_each_finding_speaks_both_languages(code, text, values, head):
    _, findings = read(text, head)
    for item in findings:
        for said in (item.says("zh"), item.says("en"), item.fix("zh"), item.fix("en"), str(item)):
            assert said
            assert "{" not in said or code == "plant.key-unreadable" or "{" in item.kind.fix.en


def test_every_kind_is_made_to_appear():
    tested = {case[0] for case in CASES} | ELSEWHERE
    assert {code for code in kinds() if code.startswith("plant.")} <= tested
    assert tested <= set(kinds())


def test_titles_and_texts_are_in_both_languages():
    for kind in kinds().values():
        for text in (kind.title, kind.says, kind.fix):
            assert text.en != text.zh
            names = [
                {name for _, name, _, _ in string.Formatter().parse(said) if name}
                for said in (text.en, text.zh)
            ]
            assert names[0] - {"hint", "zone"} == names[1] - {"hint", "zone"}, kind.code
