"""The first pages are worked out before anybody asks: nothing stale is shown, nothing is left when the console stops."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import celadon
from celadon.core.findings import FindingError
from celadon.web.asked import NO_PERIOD
from celadon.web.warming import Warming
from tests.plant import small
from tests.web import consoles


def test_the_overview_is_there_before_it_is_asked_and_follows_a_load(served: Path, tmp_path: Path) -> None:
    made = consoles.open_console(consoles.copied(served, tmp_path / "served"))
    answers = made.shared.workspace.answers
    client = made.administrator()
    with client:  # as a server starts and stops
        made.app.state.warming.wait()
        known = len(answers)
        assert known > 0
        for path in ("/plants/small/overview", "/plants/other/overview"):
            assert client.get(path).status_code == 200
        assert len(answers) == known, "nothing had to be worked out"
        before = client.get("/plants/small/overview.json").json()
        folder = made.folder / "small"
        (folder / "fuel" / "fuel.csv").write_text(small.FUEL + "2024-01-20,bought,diesel,2,t,D2\n")
        with celadon.open_plant(folder) as plant:
            plant.load()
        after = client.get("/plants/small/overview.json").json()
    assert not [one for one in threading.enumerate() if one.name == "warming"]
    # 2 t of diesel more, 42.652 GJ/t ÷ 29.3076 GJ/tce (printed as 1.4571 tce/t)
    grown = after["figures"][0]["value"] - before["figures"][0]["value"]
    assert grown == pytest.approx(2 * 1.4571)


def test_what_cannot_be_worked_out_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def empty() -> None:
        raise FindingError(NO_PERIOD.at(place="plant:a"))

    Warming([lambda: done.append("one"), empty, lambda: done.append("two")]).wait()
    assert done == ["one", "two"]
    assert caplog.records == []

    def broken() -> None:
        raise ZeroDivisionError

    Warming([broken, lambda: done.append("three")]).wait()
    assert done == ["one", "two"]
    assert [(one.levelname, one.exc_info is not None) for one in caplog.records] == [("ERROR", True)]


def test_it_stops_after_the_question_it_is_at() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def long() -> None:
        begun.set()
        go_on.wait(10)
        done.append("long")

    warming = Warming([long, lambda: done.append("never")])
    assert begun.wait(10)
    threading.Timer(0.05, go_on.set).start()
    warming.stop()
    assert done == ["long"]
