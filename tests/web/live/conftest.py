"""One server, one browser and one person per role for all tests of the console."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.web.live import browser as browsers
from tests.web.live.browser import DESKTOP, Watched
from tests.web.live.serving import ENVIRONMENT, PASSWORD, Server, copied, make, serving


@pytest.fixture(scope="session", autouse=True)
def served_keys(own_keys: Path) -> Iterator[None]:
    """The same for servers that are processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENT, "XDG_CONFIG_HOME", str(own_keys))
        yield


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the mill, another enterprise's plant, a country, and people. Tests that change it take a copy."""
    return make(tmp_path_factory.mktemp("console") / "works")


@pytest.fixture(scope="session")
def console(workspace: Path) -> Iterator[Server]:
    """A running server over `workspace`; tests only look."""
    with serving(workspace) as server:
        yield server


@pytest.fixture(scope="package")
def own(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a copy, for journeys that change something; its user has one key to sign with."""
    folder = tmp_path_factory.mktemp("own")
    given = {**ENVIRONMENT, "XDG_CONFIG_HOME": str(folder / "config")}
    subprocess.run(
        [sys.executable, "-m", "celadon", "keys", "new"], env=given, check=True, capture_output=True
    )
    with serving(copied(workspace, folder / "works"), environment=given) as server:
        yield server


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A running Chromium."""
    with browsers.chromium() as started:
        yield started


SignedIn = Callable[..., Watched]


@pytest.fixture
def visit(chromium: Browser) -> Iterator[SignedIn]:
    """`visit(server, "erik", "zh")`: a browser's page in which a person has signed in (or nobody, for "")."""
    contexts: list[BrowserContext] = []

    def enter(server: Server, name: str = "", lang: str = "en", **more: object) -> Watched:
        locale = "zh-CN" if lang == "zh" else "en-GB"
        given = {"viewport": DESKTOP, "reduced_motion": "reduce", **more}
        context = chromium.new_context(locale=locale, **given)  # type: ignore[arg-type]
        contexts.append(context)
        opened = browsers.watched(context, server.address)
        if name:
            sign_in(opened, server, name)
        return opened

    yield enter
    for context in contexts:
        context.close()


_SESSIONS: dict[tuple[str, str], list[dict[str, object]]] = {}


def sign_in(opened: Watched, server: Server, name: str) -> None:
    """Sign in by the form, once for each server and person; later by the same session's cookie."""
    context, key = opened.page.context, (server.address, name)
    if key in _SESSIONS:
        context.add_cookies(_SESSIONS[key])  # type: ignore[arg-type]
        return
    page = opened.open("/sign-in")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    _SESSIONS[key] = [dict(item) for item in context.cookies() if "lang" not in item["name"]]
