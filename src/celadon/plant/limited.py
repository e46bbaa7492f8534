"""Files from strangers are parsed in a process of their own, with limits on time and memory that end it, not us.

    found = guess_limited(plant_file, path, name, answers)      # what `guessing.try_guess` gives, as JSON (shape `guess/1`)

The process sets its own limits before it opens the file; past its time it is killed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.plant.guessing import try_guess
from celadon.plant.opened import open_file
from celadon.store.faults import MEMORY_VARIABLE

TOO_LONG = FindingKind(
    "upload.too-long",
    Severity.ERROR,
    Text(en="Reading the file took too long", zh="读取文件超时"),
    Text(
        en="{file} was not read within {seconds} s; reading was stopped.",
        zh="{file} 在 {seconds} 秒内未读完，已停止读取。",
    ),
    Text(
        en="Split the file, or put it into the plant's folder and use `celadon load` there, which has no limit.",
        zh="请拆分文件，或放入工厂文件夹后用 `celadon load` 载入（不限时）。",
    ),
)
TOO_MUCH = FindingKind(
    "upload.too-much-memory",
    Severity.ERROR,
    Text(en="Reading the file needs too much memory", zh="读取文件所需内存过多"),
    Text(
        en="{file} cannot be read within {megabytes} MB; reading was stopped.",
        zh="{file} 无法在 {megabytes} MB 内存内读取，已停止。",
    ),
    Text(
        en="Split the file, or put it into the plant's folder and use `celadon load` there.",
        zh="请拆分文件，或放入工厂文件夹后用 `celadon load` 载入。",
    ),
)
STOPPED = FindingKind(
    "upload.reader-stopped",
    Severity.ERROR,
    Text(en="Reading the file stopped", zh="读取文件中断"),
    Text(en="The process that read {file} ended early ({why}).", zh="读取 {file} 的进程提前结束（{why}）。"),
    Text(
        en="The file may be damaged, made to do harm, or need more memory than there is: open it where it comes from, save it anew or in parts, and try again.",
        zh="文件可能已损坏、含恶意内容，或所需内存过多：请在来源处打开，另存或拆分后重试。",
    ),
)
_OUT_OF_MEMORY = 77


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost."""

    seconds: int = 120
    megabytes: int = 4096
    """Of address space, which is more than what is used: threads and mapped libraries count."""


def guess_limited(
    plant_file: Path,
    path: Path,
    name: str,
    answers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """`try_guess` in a process of its own; its answer as JSON with `findings`.

    Raises:
        FindingError: a limit was reached, or the process ended early.
    """
    limits = limits or Limits()
    asked = {
        "plant": str(plant_file), "path": str(path), "name": name, "answers": dict(answers or {}),
        "seconds": limits.seconds, "megabytes": limits.megabytes,
    }  # fmt: skip
    command = [sys.executable, "-m", "celadon.plant.limited"]
    place = Place(name)
    environment = {**os.environ, MEMORY_VARIABLE: f"{limits.megabytes // 2}MB", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=limits.seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FindingError(TOO_LONG.at(place, file=name, seconds=limits.seconds)) from error
    if done.returncode == _OUT_OF_MEMORY:
        raise FindingError(TOO_MUCH.at(place, file=name, megabytes=limits.megabytes))
    if done.returncode:
        why = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise FindingError(STOPPED.at(place, file=name, why=why))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _restrict(seconds: int, megabytes: int) -> None:
    """Limits of this process, where the system has them; the time on the wall is the parent's to watch."""
    try:
        import resource  # noqa: PLC0415  (not on Windows)
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """The process: a question on standard input, the answer on standard output."""
    asked = json.load(sys.stdin)
    _restrict(asked["seconds"], asked["megabytes"])
    try:
        opened = open_file(asked["plant"])
        tried = try_guess(opened, Path(asked["path"]), asked["name"], asked["answers"])
        findings = [item.to_json() for item in tried.findings]
        sys.stdout.write(
            json.dumps({**tried.to_json(), "findings": findings}, ensure_ascii=False, default=str)
        )
    except MemoryError:
        return _OUT_OF_MEMORY
    except FindingError as error:
        if any(
            item.code in ("system.memory", "store.memory", "system.out-of-memory") for item in error.findings
        ):
            return _OUT_OF_MEMORY
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
