"""The console under load: one server over the example mill's year and a country, asked by one, then by fifty at once.

alone     every page by itself, warm and the first time: median and 95th percentile
crowd     50 people who open pages and look at each for a second or two, for a bounded time: the same, and errors
long      the same pages over and over: whether the server's memory grows
drawing   a year of quarter-hours in Chromium: from the click to the drawn chart
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

MILL, COUNTRY, PERSON = "mill", "country", "bench"
_LOOK_SECONDS = (0.5, 2.0)


def compare(folder: Path, firms: int, users: int, seconds: float, runs: int) -> dict[str, Any]:
    """`firms` in the country, `users` at once for `seconds`, every page `runs` times alone."""
    root = folder / "console"
    token = _make(root, firms)
    with _serving(root) as server:
        http = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
        pages = _pages()
        alone = asyncio.run(_alone(server, pages, http, runs))
        usable = {name: path for name, path in pages.items() if not alone[name]["errors"]}
        before = server.memory_mb()
        crowd = asyncio.run(_crowd(server, usable, http, users, seconds))
        after_crowd = server.memory_mb()
        asyncio.run(_crowd(server, usable, http, users, seconds))
        after_long = server.memory_mb()
        drawing = _drawing(server, token)
    return {
        "firms": firms, "users": users, "seconds": seconds, "alone": alone, "crowd": crowd, "drawing_ms": drawing,
        "memory_mb": {"before": before, "after": after_crowd, "after_twice": after_long},
    }  # fmt: skip


# -- what is served -------------------------------------------------------------------------------------------------------


def _make(root: Path, firms: int) -> str:
    """The mill's year, a country of a year, and an administrator's token."""
    from celadon.examples import country, eaf_mill
    from celadon.plant.facade import open_plant
    from celadon.region.facade import open_region
    from celadon.web import people, sessions
    from celadon.web.access import Action, Grant, Identity, Role
    from celadon.web.app import open_state
    from celadon.web.routing import folders
    from celadon.web.workspace import Workspace

    eaf_mill.generate(root / MILL)
    with open_plant(root / MILL) as plant:
        plant.load()
    country.generate(root / COUNTRY, firms, first_year=2024, years=1)
    with open_region(root / COUNTRY) as region:
        region.load()
    workspace = Workspace(root)
    state = open_state(workspace, folders())
    grants = (Grant(Role.ADMINISTRATOR),)
    person = people.add_person(state, "bench", PERSON, "only for this benchmark", grants)
    _, token = sessions.make_token(state, Identity(person, PERSON, grants), "bench", frozenset(Action), 1)
    state.close()
    workspace.close()
    return token


def _pages() -> dict[str, str]:
    """Every page that its place alone finds, by its folder's name."""
    from celadon.web.routing import folders

    parts = {"plant": MILL, "region": COUNTRY}
    paths = {
        item.name: re.sub(r"\{(\w+)\}", lambda part: parts.get(part[1], part[0]), item.page.path)
        for item in folders()
    }
    return {name: path for name, path in paths.items() if "{" not in path and name != "set_up"}


@dataclass(frozen=True)
class Server:
    """A running `celadon serve`."""

    address: str
    process: subprocess.Popen[str]

    def memory_mb(self) -> int:
        """What it holds now (VmRSS; Linux)."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0
        return int(re.findall(r"VmRSS:\s+(\d+)", status.read_text())[0]) // 1024

    def cpu_ms(self) -> float:
        """What it has used so far, which tells more than the clock on a busy machine (Linux)."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


@contextmanager
def _serving(root: Path) -> Iterator[Server]:
    words = [sys.executable, "-m", "celadon", "serve", str(root), "--port", "0", "--json"]
    with (root.parent / "console.log").open("w") as log:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            try:
                address = json.loads(said)["address"]
                break
            except ValueError:
                continue
        else:
            raise SystemExit(f"the console did not start: {(root.parent / 'console.log').read_text()}")
        try:
            yield Server(address, process)
        finally:
            process.terminate()
            process.wait(30)


# -- asking ---------------------------------------------------------------------------------------------------------------


@dataclass
class Answers:
    """Milliseconds of one page's answers, and how many were errors."""

    ms: list[float] = field(default_factory=list)
    errors: int = 0

    def figures(self) -> dict[str, Any]:
        if not self.ms:
            return {"count": 0, "errors": self.errors}
        late = quantiles(self.ms, n=20)[-1] if len(self.ms) > 1 else self.ms[0]
        return {"count": len(self.ms), "median_ms": round(median(self.ms), 1), "p95_ms": round(late, 1), "errors": self.errors}  # fmt: skip


async def _ask(http: Any, address: str, answers: Answers) -> None:
    import httpx

    begun = time.perf_counter()
    try:
        answer = await http.get(address)
        wrong = answer.status_code != 200
    except httpx.HTTPError:
        wrong = True
    answers.ms.append((time.perf_counter() - begun) * 1000)
    answers.errors += wrong


async def _alone(
    server: Server, pages: Mapping[str, str], headers: Mapping[str, str], runs: int
) -> dict[str, Any]:
    """Each page by itself: the first time, then warm."""
    import httpx

    found = {}
    async with httpx.AsyncClient(headers=headers, timeout=120, follow_redirects=True) as http:
        for name, path in pages.items():
            first, warm = Answers(), Answers()
            begun = server.cpu_ms()
            await _ask(http, server.address + path, first)
            between = server.cpu_ms()
            for _ in range(runs):
                await _ask(http, server.address + path, warm)
            cpu = {
                "first_cpu_ms": round(between - begun),
                "cpu_ms": round((server.cpu_ms() - between) / runs, 1),
            }
            kind = (
                "plant"
                if path.startswith("/plants/")
                else "region"
                if path.startswith("/regions/")
                else "console"
            )
            found[name] = {"kind": kind, "first_ms": round(first.ms[0], 1), **warm.figures(), **cpu}
    return found


async def _crowd(
    server: Server, pages: Mapping[str, str], headers: Mapping[str, str], users: int, seconds: float
) -> dict[str, Any]:
    """Many people at once, each with a connection of their own; who opens what is drawn from a fixed seed."""
    import httpx

    answers = {name: Answers() for name in pages}
    until = time.perf_counter() + seconds

    async def person(number: int) -> None:
        chance = random.Random(number)
        async with httpx.AsyncClient(headers=headers, timeout=120, follow_redirects=True) as http:
            await asyncio.sleep(chance.uniform(0, _LOOK_SECONDS[1]))
            while time.perf_counter() < until:
                name = chance.choice(list(pages))
                await _ask(http, server.address + pages[name], answers[name])
                await asyncio.sleep(chance.uniform(*_LOOK_SECONDS))

    await asyncio.gather(*(person(number) for number in range(users)))
    every = Answers(
        [ms for one in answers.values() for ms in one.ms], sum(one.errors for one in answers.values())
    )
    return {"pages": {name: one.figures() for name, one in answers.items()}, "all": every.figures()}


# -- drawing ----------------------------------------------------------------------------------------------------------------


def _drawing(server: Server, token: str) -> dict[str, Any]:
    """Milliseconds from asking for a year of quarter-hours to the drawn chart; what is missing where it cannot be measured."""
    try:
        from benchmarks.drawing import draw
    except ImportError as error:
        return {"left_out": str(error)}
    return draw(server.address, f"/plants/{MILL}/load?period=2024", token)
