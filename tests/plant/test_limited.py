"""Files from strangers: parsed in a process with limits, each limit a finding."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from celadon.core.findings import FindingError
from celadon.plant import limited
from celadon.plant.limited import Limits, guess_limited
from tests.plant import small


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "more.csv").write_text(small.rows(0, 40), "utf-8")
    return small.write(tmp_path)


def test_the_answer_is_that_of_a_guess(plant: Path) -> None:
    found = guess_limited(plant, plant / "more.csv", "data/more.csv", {"wide.E2": ""})
    assert (found["good"], found["usable"], found["block"]["wide"]) == (41, True, {"E1": "E1"})
    assert found["findings"] == []


def told(plant: Path, limits: Limits) -> tuple[str, str, str]:
    with pytest.raises(FindingError) as caught:
        guess_limited(plant, plant / "more.csv", "data/more.csv", limits=limits)
    (found,) = caught.value.findings
    return found.code, found.says("en"), found.says("zh")


def test_too_little_memory(plant: Path) -> None:
    code, en, zh = told(plant, Limits(megabytes=100))
    assert code == limited.TOO_MUCH.code
    assert en == "data/more.csv cannot be read within 100 MB; reading was stopped."
    assert zh == "data/more.csv 无法在 100 MB 内存内读取，已停止。"


def test_too_little_time(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("reader", timeout)

    monkeypatch.setattr(subprocess, "run", late)
    code, en, zh = told(plant, Limits(seconds=3))
    assert code == limited.TOO_LONG.code
    assert en == "data/more.csv was not read within 3 s; reading was stopped."
    assert zh == "data/more.csv 在 3 秒内未读完，已停止读取。"


def test_a_reader_that_dies(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    code, en, zh = told(plant, Limits())
    assert code == limited.STOPPED.code
    assert en == "The process that read data/more.csv ended early (status 1)."
    assert zh == "读取 data/more.csv 的进程提前结束（status 1）。"


def test_the_limits_are_the_process_own(plant: Path) -> None:
    """The process restricts itself before it opens anything; this one stays as it was."""
    code = "from celadon.plant.limited import _restrict; import resource; _restrict(7, 3000); print(*resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS)[0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["7", "8", str(3000 << 20)]
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != 7
