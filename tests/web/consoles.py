"""A console over small plants and a small region, and people of every role, for tests."""

from __future__ import annotations

import re
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celadon.examples import country
from celadon.region.facade import open_region
from celadon.web import people, sessions
from celadon.web.access import Action, Grant, Role
from celadon.web.app import create_app
from celadon.web.gate import Shared
from tests.plant import small

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the framework would have its test client use the next httpx
    from fastapi.testclient import TestClient

BASE = "http://localhost:8710"
PASSWORD = "seven quiet mills by the river"


def make_folder(folder: Path) -> Path:
    """Plants `small` and `other` (loaded), region `land` (loaded, 60 firms)."""
    with small.loaded(folder / "small"):
        pass
    small.copy(folder / "small", folder / "other")
    country.generate(folder / "land", 60)
    with open_region(folder / "land") as region:
        region.load()
    return folder


@dataclass
class Console:
    """An application over a folder with its people; `client` is nobody's."""

    app: Any
    folder: Path

    @property
    def shared(self) -> Shared:
        return self.app.state.shared

    def client(self) -> TestClient:
        return TestClient(
            self.app, base_url=BASE, headers={"origin": BASE, "accept": "text/html"}, follow_redirects=False
        )

    def person(self, name: str, *grants: Grant) -> str:
        """The id of a person of that name, made with these grants when there is none."""
        found = [item for item in people.people(self.shared.state) if item.name == name]
        if found:
            return found[0].id
        return people.add_person(self.shared.state, "test", name, PASSWORD, grants)

    def signed_in(self, name: str, *grants: Grant) -> TestClient:
        """A browser with a session of that person."""
        client = self.client()
        secret = sessions.begin(self.shared.state, self.person(name, *grants))
        client.cookies.set(sessions.COOKIE, secret)
        who = sessions.of_session(self.shared.state, secret)
        assert who is not None
        client.headers["x-csrf-token"] = who.csrf
        return client

    def administrator(self) -> TestClient:
        return self.signed_in("boss", Grant(Role.ADMINISTRATOR))

    def token(self, name: str, *scopes: Action) -> str:
        """A token of that person with these scopes (all by default)."""
        secret = sessions.begin(self.shared.state, self.person(name))
        who = sessions.of_session(self.shared.state, secret)
        assert who is not None
        return sessions.make_token(self.shared.state, who, "test", scopes or tuple(Action), 1)[1]

    def close(self) -> None:
        self.shared.workspace.close()
        self.shared.state.close()


def open_console(folder: Path, **how: Any) -> Console:
    return Console(create_app(folder, **how), folder)


def copied(folder: Path, target: Path) -> Path:
    """The same plants without the console's memory."""
    return Path(shutil.copytree(folder, target, ignore=shutil.ignore_patterns(".celadon")))


def codes(response: Any) -> list[str]:
    """The finding codes of a problem+json answer, or of a page that says what went wrong."""
    if response.headers["content-type"].startswith("application/problem+json"):
        return [item["code"] for item in response.json()["findings"]]
    return re.findall(r"<code>([a-z-]+\.[a-z0-9-]+)</code>", response.text)
