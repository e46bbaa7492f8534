"""The benchmarks run, and their contenders give the same answers; how fast, no test says."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_contenders_agree() -> None:
    """`compare` stops at the first cell in which Celadon, SQL by hand and Polars by hand differ."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "pipeline", "restating"],
        cwd=ROOT,
        env={**os.environ, "QUICK": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "| SQL by hand |" in done.stdout
    assert "changed factor" in done.stdout
