"""The code lists are the reference's, and a code is found whatever its level."""

import pytest

from celadon.region.lists import area_of, industries, regions
from tests.shared_data import shared
from tools import import_region_lists


def test_lists_are_in_step_with_the_reference(capsys):
    folder = shared("reference/programmes")
    assert import_region_lists.main([str(folder), "--check"]) == 0


def test_a_list_out_of_step_is_told(monkeypatch, tmp_path, capsys):
    folder = shared("reference/programmes")
    monkeypatch.setattr(import_region_lists, "TABLES", import_region_lists.ROOT / "tests")
    assert import_region_lists.main([str(folder), "--check"]) == 1
    assert capsys.readouterr().out == "tests/industries.csv: out of step\ntests/regions.csv: out of step\n"


def test_industries():
    assert len(industries()) == 914
    assert industries()["3011"].name.zh == "水泥制造"
    assert industries()["30"].high_energy
    assert industries()["3011"].level == 4


@pytest.mark.parametrize(
    ("code", "listed", "grid"),
    [("370100", "370100", "CN-SD"), ("370102", "370100", "CN-SD"), ("110105", "110000", "CN-BJ"), ("990000", None, None)],
)  # fmt: skip
def test_areas(code, listed, grid):
    found = area_of(code)
    assert (found.code if found else None) == listed
    assert (found.grid if found else None) == grid
    assert len(regions()) == 400
