"""`celadon new`: what it writes works at once, shows every key, and overwrites nothing."""

import csv
import re

import pytest

from celadon.adapters.plant_file import read_plant, read_plant_text, source_files
from celadon.adapters.plant_file.reference import plant_file_reference
from celadon.adapters.plant_file.schema import PLANT
from celadon.adapters.plant_file.shapes import Either, Items, Named, Table, Value
from celadon.adapters.plant_file.template import template_files, write_template
from celadon.adapters.plant_file.values import READERS
from celadon.core.carriers import find_carrier
from celadon.core.units import parse_unit
from tests.shared_data import ROOT

LANGS = ["en", "zh"]


def uncommented(text: str) -> str:
    """The examples switched on: lines that begin with # and no space, or with # and several."""
    return "\n".join(re.sub(r"^(\s*)#(?!( \S)|$)", r"\1", line) for line in text.splitlines()) + "\n"


def tables(shape: object) -> list[Table]:
    match shape:
        case Table():
            return [shape, *(inner for key in shape.keys for inner in tables(key.shape))]
        case Items() | Named():
            return tables(shape.of)
        case Either():
            return [table for part in (shape.items, shape.table) if part for table in tables(part)]
    return []


@pytest.mark.parametrize("lang", LANGS)
def test_it_works_as_it_stands(tmp_path, lang):
    written, findings = write_template(tmp_path / "new" / "plant", lang)
    assert list(findings) == []
    assert [path.relative_to(tmp_path / "new" / "plant").as_posix() for path in written] == [
        "plant.yaml",
        "data/meters_2024-01.csv",
        "data/fuel_2024-01.csv",
        "data/laboratory_2024-01.csv",
        "data/production_2024-01.csv",
    ]
    plant, findings = read_plant(tmp_path / "new" / "plant")
    assert list(findings) == []
    assert plant is not None
    assert [meter.id for meter in plant.meters] == ["E00", "E01", "E02"]
    for source in plant.sources:
        files, findings = source_files(plant, source)
        assert list(findings) == []
        headers = set(next(csv.reader(files[0].open(encoding="utf-8"))))
        named = {header for header, _ in source.columns} | {source.time_column}
        if source.role == "records":
            named = {header for _, header in source.columns if not header.startswith("=")}
        assert named <= headers


@pytest.mark.parametrize("lang", LANGS)
def test_its_numbers(tmp_path, lang):
    """432 working hours and 312 others: all three meters agree with each other."""
    write_template(tmp_path, lang)
    rows = list(csv.reader((tmp_path / "data/meters_2024-01.csv").open(encoding="utf-8")))[1:]
    assert len(rows) == 31 * 24 + 1
    first, last = rows[0], rows[-1]
    assert (first[0], last[0]) == ("2024-01-01 00:00", "2024-02-01 00:00")
    bought = (float(last[1]) - float(first[1])) * 80
    furnace, compressors = float(last[2]) - float(first[2]), (float(last[3]) - float(first[3])) * 1000
    assert (round(bought), round(furnace), round(compressors)) == (489810, 401720, 61307)
    # what no sub-meter sees: 31 days of 12 h at 42 kWh and 12 h at 30 kWh, on a display of 0.8 kWh
    assert bought - furnace - compressors == pytest.approx(31 * 12 * (42 + 30), abs=0.8)
    plant, _ = read_plant(tmp_path)
    assert plant is not None
    words = {field: dict(words) for source in plant.sources for field, words in source.maps}
    fuel = list(csv.reader((tmp_path / "data/fuel_2024-01.csv").open(encoding="utf-8")))[1:]
    for row in fuel:
        assert find_carrier(row[2]) is not None
        assert parse_unit(row[4]).same_kind(parse_unit("t"))
        assert lang == "en" or row[5] in words["purpose"]
    coal = [float(row[3]) for row in fuel if find_carrier(row[2]).id == "bituminous"]
    assert coal == [120.5, 60.2, 58.9, 95.1]  # opening, two deliveries, closing: 144.5 t burnt
    output = list(csv.reader((tmp_path / "data/production_2024-01.csv").open(encoding="utf-8")))[1:]
    assert len(output) == 31
    assert [row[1] for row in output[:7]] == ["21.4", "22.1", "22.8", "23.5", "21.9", "22.6", "0.0"]


@pytest.mark.parametrize("lang", LANGS)
def test_its_examples_work_when_switched_on(lang):
    plant, findings = read_plant_text(uncommented(template_files(lang)["plant.yaml"]))
    assert [str(item) for item in findings] == []
    assert plant is not None
    assert (len(plant.meters), len(plant.virtual_meters), len(plant.tariffs), len(plant.sources)) == (
        6,
        1,
        2,
        5,
    )
    assert (len(plant.carriers), len(plant.factors), len(plant.options), len(plant.excluded)) == (1, 1, 1, 3)


@pytest.mark.parametrize("lang", LANGS)
def test_every_key_of_the_format_is_shown(lang):
    text = uncommented(template_files(lang)["plant.yaml"])
    for table in tables(PLANT):
        for key in table.keys:
            assert re.search(rf"[\s{{]{key.name}: ?", "\n" + text), f"{table.name}.{key.name}"


def test_both_languages_say_the_same_plant():
    plants = [read_plant_text(template_files(lang)["plant.yaml"])[0] for lang in LANGS]
    english, chinese = plants
    assert english is not None
    assert chinese is not None
    assert (english.sites, english.products) == (chinese.sites, chinese.products)
    assert [meter.id for meter in english.meters] == [meter.id for meter in chinese.meters]
    assert [tariff.prices for tariff in english.tariffs] == [tariff.prices for tariff in chinese.tariffs]


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fuel_2024-01.csv").write_text("mine")
    written, findings = write_template(tmp_path)
    assert written == ()
    assert [(item.code, item.values["file"]) for item in findings] == [
        ("plant.template-exists", f"{tmp_path.as_posix()}/data/fuel_2024-01.csv")
    ]
    assert not (tmp_path / "plant.yaml").exists()
    assert (tmp_path / "data" / "fuel_2024-01.csv").read_text() == "mine"


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    written, findings = write_template(tmp_path / "file")
    assert written == ()
    [finding] = findings
    assert (finding.code, str(finding.values["reason"])) == ("plant.template-unwritable", "File exists")
    assert finding.says("zh") == f"无法写入 {tmp_path.as_posix()}/file/plant.yaml：文件已存在。"


# -- the reference -------------------------------------------------------------------------------------------


def test_the_reference_is_what_the_schema_says():
    written = (ROOT / "docs" / "plant-file.md").read_text("utf-8")
    remedy = "python -m celadon.adapters.plant_file.reference > docs/plant-file.md"
    assert written == plant_file_reference(), remedy


def test_the_schema_is_whole():
    """Every key is documented in both languages, every kind of value has a reader, every default reads."""
    for table in tables(PLANT):
        names = [key.name for key in table.keys]
        assert len(names) == len(set(names))
        for key in table.keys:
            assert key.doc.en
            assert key.doc.zh
            if isinstance(key.shape, Value):
                assert key.shape.kind in {*READERS, "carrier"}
                if key.shape.words and key.default is not None:
                    assert key.default in dict(key.shape.words)
