"""The typed client: written from the pages there are, and talking to a console."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import httpx
import pytest

from celadon.web.client import Client, ConsoleError
from celadon.web.client import transport as transports
from tests.web.consoles import BASE, Console
from tools import write_client


def client(console: Console, name: str = "boss") -> Client:
    """The client over the application itself, with a token of that person's."""
    http = console.client()
    return Client(BASE, console.token(name), http=http)


def test_the_client_is_what_the_pages_want() -> None:
    assert write_client.stale(write_client.written()) == [], "run `make docs`"


def test_every_address_of_the_document_has_a_method(console: Console) -> None:
    document = console.app.openapi_schema or client(console)._get("/openapi.json")
    calls = [
        text
        for text in (inspect.getdoc(member) or "" for _, member in inspect.getmembers(Client))
        if "(GET " in text or "(POST " in text
    ]
    for path, verbs in document["paths"].items():
        for verb, said in verbs.items():
            content = said.get("requestBody", {}).get("content", {"application/json": {}})
            if "application/json" in content:
                assert any(f"({verb.upper()} {path})" in text for text in calls), f"{verb} {path}"


def test_figures_come_with_their_keys_and_a_change_is_made(console: Console) -> None:
    with client(console) as talk:
        assert [item["key"] for item in talk.index()["places"]][:2] == ["other", "small"]
        said = talk.overview("small", period="2024-01")
        # diesel: 1.5 + 4 - 0.5 = 5 t; electricity 744 h × 10 kWh = 7440 kWh
        assert said["period"] == "2024-01"
        energy = said["figures"][0]
        assert (energy["quantity"], energy["unit"]) == ("comprehensive_energy", "tce")
        assert talk.overview_csv("small", period="2024-01").startswith(
            b"rulebook,quantity,period,value,unit\n"
        )
        target = {
            "rulebook": energy["rulebook"],
            "quantity": energy["quantity"],
            "period": "2024-01",
            "value": 10.0,
        }
        assert talk.overview_target("small", target)["en"] == "The target is set."  # type: ignore[arg-type]
        assert talk.overview("small", period="2024-01")["figures"][0]["target"] == 10.0


def test_a_refusal_says_its_code_and_findings(console: Console) -> None:
    with client(console) as talk, pytest.raises(ConsoleError) as refused:
        talk.overview("nowhere")
    assert (refused.value.status, refused.value.code) == (404, "access.not-there")
    assert [item["code"] for item in refused.value.findings] == ["access.not-there"]
    assert "There is nothing at /plants/nowhere/overview.json" in str(refused.value)


def failing(times: int, seen: list[httpx.Request]) -> Callable[[httpx.Request], httpx.Response]:
    """A server that is not there for some requests."""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) <= times:
            raise httpx.ConnectError("nobody there", request=request)
        return httpx.Response(200, json={"goto": "/", "zh": "", "en": "done"})

    return answer


def test_what_found_nobody_is_sent_again_with_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "_FIRST_WAIT", 0.0)
    seen: list[httpx.Request] = []
    http = httpx.Client(transport=httpx.MockTransport(failing(2, seen)))
    with Client("http://there", "celadon_x", http=http) as talk:
        body = {"rulebook": "b", "quantity": "q", "period": "2024", "value": 1.0}
        assert talk.overview_target("a/b", body)["en"] == "done"  # type: ignore[arg-type]
    keys = {request.headers["Idempotency-Key"] for request in seen}
    assert (len(seen), len(keys)) == (3, 1)
    assert seen[0].url.raw_path == b"/plants/a%2Fb/overview/target.json"
    assert seen[0].headers["Authorization"] == "Bearer celadon_x"


def test_a_server_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "_FIRST_WAIT", 0.0)
    seen: list[httpx.Request] = []
    http = httpx.Client(transport=httpx.MockTransport(failing(9, seen)))
    with Client("http://there", "celadon_x", http=http) as talk, pytest.raises(httpx.ConnectError):
        talk.index()
    assert len(seen) == 4
