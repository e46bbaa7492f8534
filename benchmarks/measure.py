"""Runs one contender in a process of its own and says what it used: CPU seconds of the whole process, peak memory, wall.

Times are medians over several runs; contenders of one comparison take turns, so that a busy moment hits all of them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Used:
    """What a process used. `work_cpu` and `work_wall` cover what it was asked to measure, without start and set-up."""

    cpu: float
    wall: float
    peak_mb: float
    work_cpu: float = 0.0
    work_wall: float = 0.0
    answer: Any = field(default=None, compare=False)


def run(contender: str, python: str = sys.executable, **given: Any) -> Used:
    """Run `module:function` of this package in a fresh process with these keyword arguments (JSON)."""
    module, function = contender.split(":")
    command = [python, "-m", "benchmarks.measure", module, function, json.dumps(given)]
    with tempfile.TemporaryFile("w+") as out:
        used = _spawn(command, out.fileno())
        out.seek(0)
        said = json.loads(out.read().splitlines()[-1])
    return Used(used.cpu, used.wall, used.peak_mb, said["cpu"], said["wall"], said["answer"])


def command(words: Sequence[str], cwd: Path | None = None) -> Used:
    """Run any command, its output thrown away."""
    with Path(os.devnull).open("w") as nothing:
        return _spawn(words, nothing.fileno(), cwd)


def _spawn(words: Sequence[str], out: int, cwd: Path | None = None) -> Used:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    # As installed: modules are compiled once, not at every start.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**inherited, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    reading, writing = os.pipe()
    command = [sys.executable, "-SE", "-c", _STARTER, str(writing), json.dumps(list(words))]
    done = subprocess.run(
        command, stdout=out, env=environment, cwd=cwd or ROOT, pass_fds=(writing,), check=False
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}")
        used, wall, peak = json.loads(told.read())
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Used(used, wall, peak / scale)


_STARTER = """
import json, os, subprocess, sys, time
begun = time.perf_counter()
child = subprocess.Popen(json.loads(sys.argv[2]))
_, status, usage = os.wait4(child.pid, 0)
told = [usage.ru_utime + usage.ru_stime, time.perf_counter() - begun, usage.ru_maxrss]
os.write(int(sys.argv[1]), json.dumps(told).encode())
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts a contender from a small process: what a process is started from counts in its peak memory."""


def in_turns(runs: int, contenders: Mapping[str, Callable[[], Used]]) -> dict[str, Used]:
    """Each contender `runs` times, taking turns; the median of each figure, and the last answer."""
    found: dict[str, list[Used]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, contender in contenders.items():
            found[name].append(contender())
    return {name: middle(several) for name, several in found.items()}


def middle(several: Sequence[Used]) -> Used:
    """Median of each figure."""
    figures = [name for name in asdict(several[0]) if name != "answer"]
    return Used(
        **{name: median(getattr(one, name) for one in several) for name in figures}, answer=several[-1].answer
    )


def cpu() -> float:
    """CPU seconds of this process so far, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass
class Watch:
    """CPU and wall of a stretch of this process."""

    cpu: float = 0.0
    wall: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        cpu_before, wall_before = cpu(), time.perf_counter()
        yield
        self.cpu += cpu() - cpu_before
        self.wall += time.perf_counter() - wall_before


def main() -> None:
    """In the child: call the contender with a watch, and print what it answered."""
    from importlib import import_module

    module, function, given = sys.argv[1:4]
    watch = Watch()
    answer = getattr(import_module(f"benchmarks.{module}"), function)(watch, **json.loads(given))
    print(json.dumps({"cpu": watch.cpu, "wall": watch.wall, "answer": answer}))


if __name__ == "__main__":
    main()
