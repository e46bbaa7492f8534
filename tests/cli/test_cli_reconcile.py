"""`celadon reconcile`: lines that sum to the difference, in both languages and as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from tests.plant import small

BOOKS = "cn_gbt_32150_2015,ghg_protocol_corporate"


def test_reconcile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.loaded(tmp_path, readings=small.rows(0, small.HOURS)).close()
    capsys.readouterr()
    asked = ["reconcile", str(tmp_path), "--rulebooks", BOOKS, "--period", "2024-01"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert problems(found) == []
    assert found["shape"] == "reconciliation/1"
    assert math.isclose(sum(line["difference"] for line in found["lines"]), found["difference"], rel_tol=1e-9)
    assert ("boundary", "electricity") in {(line["kind"], line["item"]) for line in found["lines"]}
    for lang, word in (("zh", "边界"), ("en", "boundary")):
        assert main([*asked, "--lang", lang]) == 0
        assert word in capsys.readouterr().out
    assert main(["reconcile", str(tmp_path), "--rulebooks", "one", "--period", "2024-01"]) == 2
