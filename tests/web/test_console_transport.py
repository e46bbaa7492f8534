"""The transport and the process: hosts, bodies, headers, faults; one server for a folder; the command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.findings import FindingError
from celadon.web import numbers
from celadon.web.asked import with_query
from celadon.web.desk import Answers
from celadon.web.security import host_name, same_origin
from celadon.web.serving import prepare
from celadon.web.workspace import Workspace, unfit
from tests.plant import small
from tests.web import consoles
from tests.web.consoles import Console, codes


def test_every_answer_has_its_headers(console: Console) -> None:
    client = console.client()
    for path in ("/sign-in", "/static/css/base.css", "/nowhere", "/index.json"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers


def test_behind_https_cookies_are_secure(served: Path, tmp_path: Path) -> None:
    folder = consoles.copied(served, tmp_path / "served")
    secure = consoles.open_console(folder, address="https://energy.example.com")
    secure.person("ada")
    client = secure.client()
    headers = {"host": "energy.example.com", "origin": "https://energy.example.com"}
    form = {"name": "ada", "password": consoles.PASSWORD}
    answer = client.post("/sign-in/enter", data=form, headers=headers)
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    secure.close()


def test_other_names_get_nothing(console: Console) -> None:
    for host in ("rebound.example", "localhost.example", "", "[::2]:8710", "localhost@evil"):
        found = console.client().get("/sign-in", headers={"host": host})
        expected = 200 if host == "localhost@evil" and host_name(host) == "localhost" else 421
        assert found.status_code == expected, host
        if expected == 421:
            assert codes(found) == ["request.host"]
    assert console.client().get("/sign-in", headers={"host": "127.0.0.1:9"}).status_code == 200
    assert [host_name(item) for item in ("[::1]:8710", "A.b:1", "[", "")] == ["::1", "a.b", "", ""]


def test_origin() -> None:
    assert same_origin("http://a:1", None, "A:1") is True
    assert same_origin("http://a:2", "same-origin", "a:1") is False
    assert same_origin("null", None, "a:1") is False
    assert same_origin("http://[", None, "a:1") is False
    assert same_origin(None, "cross-site", "a:1") is False
    assert same_origin(None, "none", "a:1") is True
    assert same_origin(None, None, "a:1") is None


def test_bodies_have_a_limit(console: Console) -> None:
    client = console.administrator()
    client.headers["accept"] = "application/json"
    where = "/plants/small/overview/target.json"
    said = client.post(where, content=b" " * (1 << 20) + b"{}")
    assert (said.status_code, codes(said)) == (413, ["request.too-large"])
    assert said.json()["findings"][0]["values"] == {"limit": "1,048,576"}

    def pieces() -> Any:
        for _ in range(40):
            yield b" " * 65536

    streamed = client.post(where, content=pieces())  # says no length beforehand
    assert (streamed.status_code, codes(streamed)) == (413, ["request.too-large"])


def test_what_goes_wrong_is_a_problem_with_a_code(console: Console) -> None:
    client = console.administrator()
    client.headers["accept"] = "application/json"
    unreadable = client.post(
        "/plants/small/overview/target.json", content=b"{", headers={"content-type": "application/json"}
    )
    assert (unreadable.status_code, codes(unreadable)) == (422, ["request.parameter"])
    missing = client.post("/plants/small/overview/target.json", json={})
    assert [item["values"]["name"] for item in missing.json()["findings"]] == [
        "rulebook",
        "quantity",
        "period",
        "value",
    ]
    assert missing.json()["findings"][0]["says"] == {
        "zh": "参数 rulebook 缺失。",
        "en": "Parameter rulebook is missing.",
    }
    method = client.delete("/index.json")
    assert (method.status_code, codes(method)) == (405, ["request.method"])
    nowhere = client.get("/nowhere")
    assert (nowhere.status_code, codes(nowhere)) == (404, ["access.not-there"])
    assert codes(
        console.client().post(
            "/sign-in/enter", content=b"\xff", headers={"content-type": "multipart/form-data"}
        )
    ) == ["request.unreadable"]


def test_a_fault_of_the_program_says_a_number_and_nothing_else(
    console: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> list[object]:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("celadon.web.asked.Asked.places", broken)
    found = console.administrator().get("/index.json", headers={"accept": "application/json"})
    assert (found.status_code, codes(found)) == (500, ["console.fault"])
    assert "secret" not in found.text
    number = found.json()["findings"][0]["values"]["number"]
    assert f"fault {number} at GET /index.json" in caplog.text
    assert "content-security-policy" in found.headers


def test_openapi_describes_every_json_route(console: Console) -> None:
    assert console.client().get("/openapi.json", headers={"accept": "application/json"}).status_code == 401
    described = console.administrator().get("/openapi.json").json()["paths"]
    needs = console.app.state.needs
    assert {path for _, path in needs if path.endswith(".json")} - {"/openapi.json"} == {
        path for path in described if path.endswith(".json")
    }
    parameters = described["/plants/{plant}/overview.json"]["get"]["parameters"]
    assert {(item["name"], item["in"]) for item in parameters} == {
        ("plant", "path"), ("period", "query"), ("energy", "query"), ("carbon", "query"), ("units", "query"),
    }  # fmt: skip


# -- the workspace -------------------------------------------------------------------------------------------------------


def test_two_servers_on_one_folder_are_refused(console: Console) -> None:
    with pytest.raises(FindingError) as refused:
        Workspace(console.folder)
    found = refused.value.findings[0]
    assert (found.code, found.values["folder"]) == ("console.served-already", str(console.folder))
    assert str(found.values["holder"]).startswith(f"pid {os.getpid()} @ ")


def test_what_is_served(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as empty:
        Workspace(tmp_path)
    assert empty.value.findings[0].code == "console.nothing-to-serve"
    small.write(tmp_path / "one")
    small.write(tmp_path / "my plant")
    (told,) = unfit(tmp_path)
    assert (told.code, told.values) == ("console.folder-name", {"folder": "my plant"})
    workspace = Workspace(tmp_path)
    assert [str(place) for place in workspace.places()] == ["plant:one"]
    small.write(tmp_path / "二厂")
    assert [str(place) for place in workspace.places()] == ["plant:one", "plant:二厂"]
    assert workspace.plant("my plant") is workspace.plant("../one") is workspace.region("one") is None
    workspace.close()
    alone = Workspace(tmp_path / "one")
    assert [str(place) for place in alone.places()] == ["plant:one"]
    alone.close()


def test_answers_are_worked_out_once_and_failures_are_not_kept() -> None:
    answers, asked = Answers(most=2), []

    def work(word: str) -> str:
        asked.append(word)
        if word == "bad":
            raise ValueError(word)
        return word.upper()

    assert [answers.get((word,), lambda word=word: work(word)) for word in ("a", "a", "b")] == ["A", "A", "B"]
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            answers.get(("bad",), lambda: work("bad"))
    assert asked == ["a", "b", "bad", "bad"]
    answers.get(("c",), lambda: work("c"))
    answers.get(("b",), lambda: work("b"))
    answers.get(("a",), lambda: work("a"))
    assert asked[4:] == ["c", "a"] or asked[4:] == ["c", "b", "a"]
    assert len(answers) == 2


def test_an_answer_follows_what_is_loaded(served: Path, tmp_path: Path) -> None:
    folder = consoles.copied(served, tmp_path / "served")
    console = consoles.open_console(folder)
    client = console.administrator()

    def energy() -> Any:
        return client.get("/plants/small/overview.json?period=2024-01").json()["figures"][0]["value"]

    before = energy()
    fuel = folder / "small" / "fuel" / "more.csv"
    fuel.write_text("date,kind,fuel,amount,unit,number\n2024-01-20,bought,diesel,2,t,D9\n", encoding="utf-8")
    assert energy() == before
    assert main(["load", str(folder / "small"), "--quiet"]) == 0
    assert energy() == pytest.approx(before + 2 * 1.4571, rel=1e-12)  # 2 t × 1.4571 tce/t
    console.close()


# -- numbers -------------------------------------------------------------------------------------------------------------


def test_numbers() -> None:
    values = [None, 0.0, 0.00012345, 3.14159, -48452.797, 123456.7, 1e9]
    assert [numbers.number(item) for item in values] == [
        "—",
        "0",
        "0.0001234",
        "3.142",
        "−48,452.8",
        "123,457",
        "1,000,000,000",
    ]
    assert numbers.number(-0.001, 1) == "0.0"
    assert [numbers.share(item) for item in (0.99999, 1.0, 0.0, 1e-6, 0.5, None)] == [
        ">99.9%",
        "100.0%",
        "0.0%",
        "<0.1%",
        "50.0%",
        "—",
    ]
    assert [numbers.change(item) for item in (0.0321, -0.5, 0.0)] == ["+3.2%", "−50.0%", "±0.0%"]
    assert [numbers.unit(item, "zh") for item in ("tCO2e/10^4 CNY", "CNY", "1", "10^6 m3")] == [
        "tCO₂e/万元",
        "元",
        "",
        "10⁶ m³",
    ]
    assert numbers.unit("kgCO2/kWh", "en") == "kgCO₂/kWh"
    assert with_query("/a", {"b": None, "c": "", "d": "x y"}) == "/a?d=x+y"


# -- the command ---------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken(served: Path, tmp_path: Path) -> None:
    folder = consoles.copied(served, tmp_path / "served")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(FindingError) as taken:
            prepare(folder, "127.0.0.1", port)
    found = taken.value.findings[0]
    assert (found.code, found.values["host"], found.values["port"]) == (
        "console.address-taken",
        "127.0.0.1",
        port,
    )
    Workspace(folder).close()  # the folder is free again


def test_without_its_packages_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = __import__("importlib").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "fastapi" else found(name))
    assert main(["serve", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)["findings"][0]
    assert (said["code"], said["values"]) == ("console.not-installed", {"names": "fastapi"})
    assert said["fix"]["en"] == "pip install 'celadon[console]'"


def test_serve_audit_and_stop(served: Path, tmp_path: Path) -> None:
    """The real process: it prints an address and a set-up link, serves, refuses a second, and ends on a signal."""
    folder = consoles.copied(served, tmp_path / "served")
    command = [sys.executable, "-m", "celadon", "serve", str(folder), "--port", "0", "--json"]
    environment = {**os.environ, "PYTHONPATH": "src", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        text = ""
        while "\n}" not in text:
            line = process.stdout.readline()
            assert line, "the server ended"
            text += line
        said = json.loads(text)
        assert problems(said) == []
        with httpx.Client(
            base_url=said["address"], headers={"origin": said["address"], "accept": "text/html"}
        ) as browser:
            assert browser.get(said["setup"]).status_code == 200
            link = said["setup"].split("link=")[1]
            form = {"link": link, "name": "ada", "password": consoles.PASSWORD}
            assert browser.post("/set-up/make", data=form).headers["location"] == "/"
            assert "甲厂" in browser.get("/?lang=zh").text
            assert browser.get(said["setup"]).status_code == 403
        assert main(["serve", str(folder), "--port", "0", "--quiet"]) == 1
        assert main(["audit", str(folder), "--quiet"]) == 0
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    Workspace(folder).close()


def test_audit_command(served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = consoles.open_console(consoles.copied(served, tmp_path / "served"))
    console.administrator()
    assert main(["audit", str(console.folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert problems(said) == []
    assert (said["ok"], said["entries"]) == (True, 1)
    assert main(["audit", str(console.folder), "--digest", "f" * 64, "--json"]) == 1
    console.close()
