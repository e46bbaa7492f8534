"""A real server for the console's tests: `celadon serve` as a process of its own on a free port, gone afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx

import celadon
from celadon.examples import country, eaf_mill
from celadon.plant.facade import open_plant
from celadon.region.facade import open_region
from celadon.web import people, sessions
from celadon.web.access import Action, Grant, Identity, Role
from celadon.web.app import open_state
from celadon.web.routing import folders
from celadon.web.workspace import Workspace
from tests.plant import small

MILL, OTHER, COUNTRY, NIGHTS = "mill", "acme", "country", "nights"
PASSWORD = "seven quiet furnaces"
PEOPLE: Mapping[str, Grant] = {
    "anna": Grant(Role.ADMINISTRATOR),
    "erik": Grant(Role.ENGINEER, "plant", MILL),
    "vera": Grant(Role.VERIFIER, "plant", MILL),
    "vik": Grant(Role.VIEWER, "plant", MILL),
    "otto": Grant(Role.OFFICER, "region", COUNTRY),
    "olga": Grant(Role.ENGINEER, "plant", OTHER),
}
"""One person for each role, and one of another enterprise."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(celadon.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
MONTH = "2024-09"
"""What of the mill is loaded: the month whose weighing of 3 September was entered 9 t too high (truth F24)."""


def make(root: Path) -> Path:
    """A workspace with a month of the mill, a small plant of another enterprise, a small country, and its people."""
    mill(root / MILL)
    small.loaded(root / OTHER).close()
    nights(root / NIGHTS)
    country.generate(root / COUNTRY, 300, first_year=2024, years=1)
    with open_region(root / COUNTRY) as region:
        region.load()
    register(root, PEOPLE)
    return root


def mill(folder: Path) -> None:
    """The example mill, of whose readings only one month is kept; its records are of the whole year."""
    eaf_mill.generate(folder)
    quarter = f"{MONTH[:4]}-Q{(int(MONTH[5:]) + 2) // 3}"
    for name in ("scada", "gateway", "gas"):
        for file in (folder / "data" / name).iterdir():
            if MONTH not in file.name and quarter not in file.name:
                file.unlink()
    for file in (folder / "data").glob(
        "[ueo]*/*.csv"
    ):  # utilities, furnace states, office: a year in one file
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join([lines[0], *(line for line in lines if line.startswith(MONTH.encode()))]))
    with open_plant(folder) as plant:
        plant.load()


BAD_NIGHT = datetime(2024, 3, 14, 22)
"""When the compressors of the plant NIGHTS were left on, for eight hours."""


def nights(folder: Path) -> None:
    """A plant with a year of quarter-hours of one meter: 200 kW by day, 20 kW from 22:00 to 6:00, but for one night at 180 kW."""
    folder.mkdir(parents=True)
    (folder / "plant.yaml").write_text(NIGHTS_PLANT, encoding="utf-8")
    start, lines = datetime(2024, 1, 1), ["time,A1"]
    for quarter in range(366 * 96):
        moment = start + timedelta(minutes=15 * quarter)
        bad = BAD_NIGHT <= moment < BAD_NIGHT + timedelta(hours=8)
        lines.append(f"{moment:%Y-%m-%d %H:%M},{45 if bad else 50 if 6 <= moment.hour < 22 else 5}")
    (folder / "air.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_plant(folder) as plant:
        plant.load()


NIGHTS_PLANT = """\
celadon: 1
enterprise: {id: nights, name: {zh: 夜班厂, en: Night works}}
zone: Asia/Shanghai
grid: 15min
sites: [{id: hall, name: {zh: 车间, en: Hall}, region: CN-SD}]
meters:
  - {id: A1, name: {zh: 空压站, en: Compressors}, kind: interval, interval: 15min, stamp: start, site: hall, carrier: electricity, unit: kWh, flow: purchased}
sources:
  - {id: air, role: readings, files: air.csv, time: {column: time}, wide: {A1: A1}}
"""


def register(root: Path, wanted: Mapping[str, Grant]) -> None:
    """People as an administrator would make them, before the server starts."""
    workspace = Workspace(root)
    state = open_state(workspace, folders())
    try:
        for name, grant in wanted.items():
            people.add_person(state, "tests", name, PASSWORD, [grant])
    finally:
        state.close()
        workspace.close()


def token(root: Path, name: str) -> str:
    """A token of somebody's, with all that they may do; before the server starts."""
    workspace = Workspace(root)
    state = open_state(workspace, folders())
    try:
        person = next(item for item in people.people(state) if item.name == name)
        who = Identity(person.id, person.name, tuple(person.grants))
        return sessions.make_token(state, who, "tests", frozenset(Action), 1)[1]
    finally:
        state.close()
        workspace.close()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running `celadon serve`."""

    folder: Path
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}-{self.port}.log"

    def start(self, *more: str) -> None:
        """Start it and wait until it answers; what it prints goes to the log."""
        words = [sys.executable, "-m", "celadon", "serve", str(self.folder), "--port", str(self.port), *more]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=log, start_new_session=True, env=dict(self.environment)
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said()
            with suppress(httpx.TransportError):
                httpx.get(self.address + "/sign-in", timeout=10)
                return
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"no answer within a minute:\n{self.said()}")

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; its exit code."""
        return self._end(signal.SIGINT)

    def kill(self) -> None:
        """As a power cut: it gets no word in."""
        self._end(signal.SIGKILL)

    def _end(self, by: signal.Signals) -> int:
        process = self.process
        assert process is not None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, by)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"did not end within 20 s:\n{self.said()}") from None
        finally:
            self.process = None

    def said(self) -> str:
        """Everything it printed."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def setup_link(self) -> str:
        """The one-time link printed at the first start."""
        found = re.findall(rf"{re.escape(self.address)}/\S+", self.said())
        links = [item for item in found if "set-up" in item or "setup" in item]
        assert links, self.said()
        return links[-1]


@contextmanager
def serving(folder: Path, *more: str, environment: Mapping[str, str] = ENVIRONMENT) -> Iterator[Server]:
    """A server over a folder, while the context lasts."""
    server = Server(folder, environment=environment)
    server.start(*more)
    try:
        yield server
    finally:
        if server.process is not None:
            server.kill()


def copied(source: Path, target: Path) -> Path:
    """The same workspace elsewhere, for a test that changes it."""
    shutil.copytree(source, target)
    return target
