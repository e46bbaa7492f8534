"""Regions under kill -9: nothing acknowledged is lost, nothing is counted twice."""

import json
import os
import subprocess
import sys

from tests.kills import kills
from tests.shared_data import ROOT


def test_killed_at_random_moments_of_loading_compacting_and_dropping(tmp_path):
    """Nine kills; CELADON_KILLS gives more."""
    count = kills(9)
    script = ROOT / "tests" / "region" / "killed_regions.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path / "region", str(count), "11"],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, timeout=120 + 10 * count,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)
    assert sum(steps.values()) == count
    assert len(steps) >= 2  # killed at different stages
