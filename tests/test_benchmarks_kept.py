"""What a run of the benchmarks leaves behind: usual, full and console figures each in their own file and place on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as bench

PAGE = """# Performance

<!-- measured: written by make bench -->
usual figures
<!-- end of measured -->

between

<!-- full: written by FULL=1 make bench -->
<!-- end of full -->

after
"""
MACHINE = {
    "cores": 2, "machine": "x86_64", "python": "3.11.7", "packages": {"duckdb": "2.0.0"}, "load_before": 0.1,
}  # fmt: skip


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "performance.md")
    bench.PAGE.write_text(PAGE, encoding="utf-8")
    return bench.PAGE


def region(enterprises: int) -> dict[str, Any]:
    used = {"cpu_s": 11.34, "wall_s": 5.67, "peak_mb": 321}
    return {"enterprises": enterprises, "rows": 12 * enterprises, "commands": {"load": used}, "made": used}


def full(**parts: Any) -> dict[str, Any]:
    return {"size": "full", "machine": MACHINE, **parts}


def test_parts_at_full_size_are_kept_beside_each_other_and_the_usual_figures_stay(page: Path) -> None:
    growth = {"loading": {"slope": 1.04}}
    bench.keep_full(full(region=region(1_600_000)))
    bench.keep_full(full(growth=growth))
    text = page.read_text("utf-8")
    assert text.startswith(PAGE.split("<!-- full")[0])
    assert text.endswith("<!-- end of full -->\n\nafter\n")
    assert "| 1 600 000 enterprises, 19 200 000 reports | CPU s | wall s | peak MB |" in text
    assert "| `celadon load` | 11.3 | 5.7 | 321 |" in text
    assert "| growth of loading (1 = linear) | ≤ 1.1 | 1.04 | met |" in text
    kept = json.loads((bench.RESULTS / "full.json").read_text("utf-8"))
    assert kept["parts"].keys() == {"region", "growth"}
    assert kept["parts"]["growth"] == {"machine": MACHINE, "found": growth}
    assert [path.name for path in bench.RESULTS.iterdir()] == ["full.json"]


def test_a_part_that_is_run_again_takes_its_own_place(page: Path) -> None:
    bench.keep_full(full(region=region(100_000)))
    bench.keep_full(full(region=region(1_600_000)))
    text = page.read_text("utf-8")
    assert "100 000 enterprises" not in text
    assert text.count("1 600 000 enterprises") == 1
