"""The reference data is found, skipped or insisted on, as the place demands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import shared_data


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CELADON_SHARED", str(tmp_path))
    return tmp_path


def test_default_is_next_to_the_checkout(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CELADON_SHARED", raising=False)
    assert shared_data.shared_folder() == Path(__file__).resolve().parents[2] / "shared"


def test_what_is_there_is_found(empty_folder: Path, shared: Callable[[str], Path]):
    (empty_folder / "data").mkdir()
    (empty_folder / "data" / "a.csv").write_text("1\n")
    assert shared("data/a.csv").read_text() == "1\n"
    assert shared("data") == empty_folder / "data"


@pytest.mark.parametrize("ci", [None, "false"])
def test_absent_is_one_clear_skip_outside_ci(empty_folder, monkeypatch, shared, ci):
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.skip.Exception) as skipped:
        shared("data/none.csv")
    assert str(skipped.value) == (
        f"reference data absent: data/none.csv is not in {empty_folder}; "
        "put the folder `shared` next to the checkout, or name it in CELADON_SHARED"
    )
    assert skipped.value.allow_module_level


def test_absent_is_a_failure_in_ci(empty_folder, monkeypatch, shared):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"reference data absent: data/none\.csv is not in"):
        shared("data/none.csv")
