"""A real browser for the console's tests: the system's Chromium driven by playwright, and what every page is checked for."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

INSTALL = "tools/system_packages.sh says how to install it (Debian: apt-get install chromium)"
NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
A4 = {"width": 718, "height": 1050}
"""An A4 page less 10 mm margins, in CSS pixels."""
CJK = re.compile(r"[\u3400-\u9fff]+")


def program() -> str:
    """Where Chromium is; skips without it, and fails in CI."""
    named = os.environ.get("CELADON_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None or importlib.util.find_spec("playwright") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no Chromium here; {INSTALL}")
        pytest.skip(f"no Chromium here; {INSTALL}")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium; in a container, where root runs it, without its sandbox (it opens only our own server)."""
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    place = program()
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=place, args=flags)
        try:
            yield started
        finally:
            started.close()


@dataclass
class Watched:
    """A page whose every complaint is kept: script errors, refused content, failed or foreign requests."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(60_000)
        self.page.set_default_navigation_timeout(180_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # a page that answers 4xx says so in the console too; the one who opened it checks the status
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https") and not request.url.startswith(self.address):
            self.complaints.append(f"foreign request: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.complaints.append(f"{response.status} {response.url}")

    def open(self, path: str, status: int = 200) -> Page:
        """Open a page of the console."""
        answer = self.page.goto(self.address + path)
        assert answer is not None, path
        assert answer.status == status, f"{path}: {answer.status}\n{self.page.inner_text('body')[:600]}"
        return self.page

    def quiet(self) -> None:
        """Fails when anything complained since the last time."""
        complaints, self.complaints = self.complaints, []
        assert not complaints, f"{self.page.url}:\n" + "\n".join(complaints)


def watched(context: BrowserContext, address: str) -> Watched:
    """A new page of a browser's context."""
    return Watched(context.new_page(), address)


# -- what every page is checked for ---------------------------------------------------------------------------------------


def accessibility(page: Page, only: Sequence[str] = ()) -> list[str]:
    """What axe-core finds wrong; `only`: these rules alone."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = {"type": "rule", "values": list(only)}
    if not page.evaluate("typeof axe === 'object'"):  # once for each page; half a megabyte
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {_first_line(node.get('failureSummary', ''))}"
        for rule in found
        for node in rule["nodes"][:5]
    ]


def _first_line(text: str) -> str:
    return " ".join(text.split())[:220]


WIDER = """() => {
    const most = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= most) return [];
    const scrolled = e => { for (let p = e.parentElement; p; p = p.parentElement) {
        if (p !== document.body && p !== document.documentElement && getComputedStyle(p).overflowX !== 'visible') return true;
    } return false; };
    const found = [...document.body.querySelectorAll('*')].filter(
        e => e.getBoundingClientRect().right > most + 1 && !scrolled(e));
    return [`page ${document.documentElement.scrollWidth} > ${most}`].concat(found.slice(-6).map(
        e => `${e.tagName.toLowerCase()}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`));
}"""


def wider_than_screen(page: Page) -> list[str]:
    """Elements that make the page scroll sideways (tables that scroll in a box of their own do not)."""
    return list(page.evaluate(WIDER))


FOREIGN = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) {
        const node = walker.currentNode, parent = node.parentElement;
        if (!node.data.trim() || parent.closest('script, style, [lang]:not(html), pre, code')) continue;
        found.push(node.data.trim());
    }
    for (const e of document.querySelectorAll('[title], [aria-label], [placeholder], [alt]')) {
        if (e.closest('[lang]:not(html)')) continue;
        for (const name of ['title', 'aria-label', 'placeholder', 'alt']) if (e.getAttribute(name)) found.push(e.getAttribute(name));
    }
    return found;
}"""


def texts(page: Page) -> list[str]:
    """Every text on the page and every label of its elements, but for what is marked as another language."""
    return list(page.evaluate(FOREIGN))


WATCH_FOCUS = """() => {
    document.activeElement && document.activeElement.blur();
    const places = new Map([...document.querySelectorAll('*')].map((e, at) => [e, at]));
    window.focused = [];
    document.addEventListener('focusin', ({target: e}) => {
        const style = getComputedStyle(e), box = e.getBoundingClientRect();
        const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
        window.focused.push({
            what: `${e.tagName.toLowerCase()} ${(e.innerText || e.getAttribute('aria-label') || e.name || '').trim().slice(0, 40)}`,
            ring: ring || style.boxShadow !== 'none', seen: box.width > 0 && box.height > 0, at: places.get(e)});
    });
}"""
"""Note what gets the focus, so that a page of many links is not asked after each key."""
FOCUSED = """() => {
    const e = document.activeElement;
    return {stops: window.focused, left: !e || e === document.body};
}"""


_KEYS_AT_ONCE = 20


@dataclass(frozen=True)
class Stop:
    """Where the Tab key stops: what it is, whether its focus can be seen, its place in the document."""

    what: str
    ring: bool
    seen: bool
    at: int


def tab_stops(page: Page, most: int = 400) -> list[Stop]:
    """Press Tab until the focus leaves the page; fails where it never does (a keyboard trap)."""
    page.evaluate(WATCH_FOCUS)
    stops: list[Stop] = []
    for _ in range(0, most, _KEYS_AT_ONCE):
        for _ in range(_KEYS_AT_ONCE):
            page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        stops = [Stop(**item) for item in found["stops"]]
        again = next((at for at, stop in enumerate(stops) if at and stop.at == stops[0].at), None)
        if again is not None or found["left"]:
            stops = stops[:again]
            first = min(range(len(stops)), key=lambda at: stops[at].at, default=0)
            return stops[first:] + stops[:first]  # a page may begin with the focus in a field
    raise AssertionError(
        f"Tab pressed {most} times never left the page: {[item.what for item in stops[-5:]]}"
    )
