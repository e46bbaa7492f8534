"""Loads that are killed, loads that meet, and a disk that is full: nothing lost, nothing doubled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kills import kills
from tests.plant import killed_loads, small

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=check,
        env={**_environment()},
        timeout=600,
    )


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


@pytest.mark.slow
@pytest.mark.stress
def test_a_load_killed_at_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    count = kills(25)
    done = run("-m", "tests.plant.killed_loads", str(tmp_path), str(count), "20240101")
    body = json.loads(done.stdout.splitlines()[-1])
    assert body["killed"] == count
    for seen in body["seen"]:
        assert seen["verify"] == 0
        assert seen["conserved"]
        assert seen["files"] == killed_loads.FILES + 2
        assert seen["own"] == [7440 * 10**6, 2976 * 10**6]
        assert seen["readings"] == [2 * (small.HOURS + 1)] * 2  # each once
        assert "balance.stored-differs" not in seen["codes"]


def test_two_loaders_at_once_load_each_file_once(tmp_path: Path) -> None:
    folder = killed_loads.make(tmp_path)
    command = [sys.executable, "-m", "celadon", "load", str(folder), "--json"]
    loaders = [
        subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    bodies = [json.loads(loader.communicate(timeout=300)[0]) for loader in loaders]
    loaded = sorted(item["name"] for body in bodies for item in body["files"] if item["status"] == "loaded")
    assert len(loaded) == len(set(loaded)) == killed_loads.FILES + 2
    plant = small.celadon.open_plant(folder)
    assert small.energy(plant) == 7440.0
    assert not plant.load().changed
