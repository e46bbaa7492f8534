"""Serving: the console on an address of this machine, until it is told to stop."""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text, text_of
from celadon.examples import country, eaf_mill
from celadon.plant.facade import open_plant
from celadon.region.facade import open_region
from celadon.web import people
from celadon.web.app import create_app
from celadon.web.gate import Shared
from celadon.web.workspace import unfit

PORT_TAKEN = FindingKind(
    "console.address-taken",
    Severity.ERROR,
    Text("Address cannot be had", "地址不可用"),
    Text(
        "The console cannot listen on {host} port {port}: {why}.", "无法在 {host} 端口 {port} 上监听：{why}。"
    ),
    Text(
        "Stop what listens there, or give another --port (0 takes any that is free).",
        "请停止占用该端口的程序，或另给 --port（0 表示任选空闲端口）。",
    ),
)
DEMO_YEAR = 2024
DEMO_FIRMS = 3000
Progress = Callable[[float, str], None]


@dataclass
class Serving:
    """A console that has its port and is ready to run."""

    app: FastAPI
    listener: socket.socket
    address: str
    setup: str | None
    """The one-time link for an administrator, where one is due."""
    findings: tuple[Finding, ...] = ()
    """What of the folder is not served, and why."""

    def run(self) -> None:
        """Answer until a signal says to stop; then the folder is free again."""
        config = uvicorn.Config(
            self.app, log_level=logging.WARNING, access_log=False, server_header=False, proxy_headers=True,
            forwarded_allow_ips="127.0.0.1", timeout_graceful_shutdown=10,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[self.listener])


def prepare(
    folder: str | Path, host: str, port: int, address: str | None = None, new_administrator: bool = False
) -> Serving:
    """Open the folder and the port.

    Raises:
        FindingError: nothing to serve, another server has the folder, or the port cannot be had.
    """
    app = create_app(folder, address=address, hosts=[host])
    shared: Shared = app.state.shared
    try:
        listener = _listen(host, port)
    except BaseException:
        shared.workspace.close()
        shared.state.close()
        raise
    shown = f"[{host}]" if ":" in host else host
    reached = (address or f"http://{shown}:{listener.getsockname()[1]}").rstrip("/")
    due = new_administrator or not people.has_administrator(shared.state)
    link = f"{reached}/set-up?link={people.new_link(shared.state)}" if due else None
    return Serving(app, listener, reached, link, tuple(unfit(shared.workspace.root)))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(128)
    except OSError as error:
        made.close()
        where = Place(subject=f"{host}:{port}")
        raise FindingError(PORT_TAKEN.at(where, host=host, port=port, why=text_of(error))) from error
    return made


def make_demo(folder: Path, progress: Progress | None = None) -> None:
    """The example mill and a small example region, made and loaded in a folder; what is there already stays.

    A folder gets its name when its files are complete, and a load that was cut short goes on where it was."""
    say = progress or (lambda _share, _what: None)
    mill, region = folder / "mill", folder / "country"
    if not mill.exists():
        part = _fresh(folder / "mill.part")
        eaf_mill.generate(part, DEMO_YEAR, progress=lambda done, total, what: say(0.2 * done / total, what))
        part.rename(mill)
    with open_plant(mill) as plant:
        plant.load(lambda share, what: say(0.2 + 0.6 * share, what))
    if not region.exists():
        part = _fresh(folder / "country.part")
        country.generate(
            part, DEMO_FIRMS, progress=lambda done, total, what: say(0.8 + 0.1 * done / total, what)
        )
        part.rename(region)
    with open_region(region) as opened:
        opened.load(lambda share, what: say(0.9 + 0.1 * share, what))


def _fresh(folder: Path) -> Path:
    """An empty folder, without what a killed run left in it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder
