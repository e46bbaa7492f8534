"""Isolation: who may do what where, decided in one place and tested for every route there is."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI

from celadon.web.access import (
    ANYONE,
    CONSOLE,
    ONESELF,
    PERSON,
    ROLES,
    Action,
    Grant,
    Identity,
    Need,
    On,
    Place,
    Role,
    Verdict,
    actions_at,
    decide,
    on_console,
    on_plant,
    on_region,
)
from celadon.web.app import check_needs
from tests.web import consoles
from tests.web.consoles import BASE, Console, codes

MILL, OTHER, LAND = Place("plant", "small"), Place("plant", "other"), Place("region", "land")


def who(*grants: Grant, token: str | None = None, scopes: frozenset[Action] = frozenset(Action)) -> Identity:
    return Identity("1", "p", grants, None, token, scopes)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_a_role_at_one_plant_is_a_role_there_alone(role: Role, action: Action) -> None:
    """The table in web/access.py, written down once more."""
    table = {
        "viewer": "see",
        "verifier": "see explain",
        "engineer": "see explain change file",
        "officer": "see explain oversee",
        "administrator": "see explain change file oversee administer",
    }
    person = who(Grant(role, "plant", "small"))
    expected = Verdict.ALLOWED if action in table[role].split() else Verdict.REFUSED
    assert decide(person, on_plant(action), MILL) is expected
    assert decide(person, on_plant(action), OTHER) is Verdict.HIDDEN
    assert decide(person, on_region(action), Place("region", "small")) is Verdict.HIDDEN
    assert decide(person, on_console(action), None) is Verdict.REFUSED
    assert decide(None, on_plant(action), MILL) is Verdict.SIGN_IN


def test_grants_for_everything_and_tokens_that_may_less() -> None:
    everywhere = who(Grant(Role.ADMINISTRATOR))
    assert actions_at(everywhere, CONSOLE) == actions_at(everywhere, LAND) == frozenset(Action)
    # all plants, and not the regions or the console
    plants = who(Grant(Role.ENGINEER, "plant", "*"))
    assert [actions_at(plants, place) for place in (MILL, LAND, CONSOLE)] == [
        ROLES[Role.ENGINEER],
        frozenset(),
        frozenset(),
    ]
    token = who(Grant(Role.ADMINISTRATOR), token="t", scopes=frozenset({Action.SEE}))
    assert actions_at(token, MILL) == {Action.SEE}
    assert decide(token, on_plant(Action.CHANGE), MILL) is Verdict.REFUSED
    # a token says nothing about its owner's password or tokens
    assert decide(token, PERSON, None) is Verdict.ALLOWED
    assert decide(token, ONESELF, None) is Verdict.REFUSED
    assert decide(everywhere, ONESELF, None) is Verdict.ALLOWED
    assert decide(None, ANYONE, None) is Verdict.ALLOWED


def test_a_need_that_names_no_place_or_action_lets_nobody_in() -> None:
    everywhere = who(Grant(Role.ADMINISTRATOR))
    assert decide(everywhere, on_plant(), None) is Verdict.HIDDEN
    assert decide(everywhere, Need(On.PLANT), MILL) is Verdict.HIDDEN


def test_a_route_without_a_need_stops_the_start() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.needs = {}
    check_needs(app)
    app.add_api_route("/open", lambda: "everybody")
    with pytest.raises(RuntimeError, match="GET /open has no need"):
        check_needs(app)


# -- every route × every role × own and foreign places ------------------------------------------------------------------

PEOPLE = {
    "nobody": None,
    "stranger": (),
    **{f"{role}-small": (Grant(role, "plant", "small"),) for role in Role},
    **{f"{role}-land": (Grant(role, "region", "land"),) for role in Role},
    "administrator": (Grant(Role.ADMINISTRATOR),),
}


def filled(path: str, key: str) -> str:
    """A route's address at a place; other parts of it get a word that names nothing."""
    return re.sub(r"\{\w+\}", "nothing", path.replace("{plant}", key).replace("{region}", key))


def expected(need: Need, grants: tuple[Grant, ...] | None, place: Place | None) -> int | None:
    """The status the gate must give, None where it must let them through."""
    verdict = decide(None if grants is None else who(*grants), need, place)
    return {Verdict.ALLOWED: None, Verdict.SIGN_IN: 401, Verdict.HIDDEN: 404, Verdict.REFUSED: 403}[verdict]


GATE = {"access.sign-in-needed", "access.not-allowed", "access.not-there", "access.not-from-here"}


@pytest.mark.parametrize("name", PEOPLE)
def test_every_route_asks_the_gate(console: Console, name: str) -> None:
    grants = PEOPLE[name]
    client = console.client() if grants is None else console.signed_in(name, *grants)
    client.headers["accept"] = "application/json"
    tried = 0
    for (method, path), need in console.app.state.needs.items():
        if path.startswith("/sign-in/leave"):
            continue  # ends the session this test goes by
        kind = "plant" if "{plant}" in path else "region" if "{region}" in path else ""
        keys = {"plant": ("small", "other", "absent"), "region": ("land", "absent")}.get(kind, ("",))
        for key in keys:
            there = key != "absent"
            wanted = expected(need, grants, Place(kind, key) if kind else None)
            if not there and wanted is None:
                wanted = 404
            found = client.request(method, filled(path, key), json={} if method == "POST" else None)
            tried += 1
            said = (
                set(codes(found)) & GATE
                if found.headers.get("content-type", "").startswith("application/problem")
                else set()
            )
            if wanted is None:
                assert not said - {"access.not-there"}, (
                    f"{name} {method} {path} {key}: {found.status_code} {found.text[:200]}"
                )
                assert found.status_code != 500
            else:
                assert found.status_code == wanted, (
                    f"{name} {method} {path} {key}: {found.status_code} {found.text[:200]}"
                )
                assert said == {
                    {401: "access.sign-in-needed", 403: "access.not-allowed", 404: "access.not-there"}[wanted]
                }
    assert tried >= 2 * len(console.app.state.needs) - 40


def test_a_foreign_plant_looks_like_none_at_all(console: Console) -> None:
    client = console.signed_in("engineer-small", Grant(Role.ENGINEER, "plant", "small"))
    client.headers["accept"] = "application/json"
    foreign, absent = (client.get(f"/plants/{key}/overview.json") for key in ("other", "absent"))
    assert foreign.status_code == absent.status_code == 404
    assert foreign.text.replace("other", "…") == absent.text.replace("absent", "…")
    # nor is it in any list
    assert [item["key"] for item in client.get("/index.json").json()["places"]] == ["small"]
    assert "other" not in client.get("/", headers={"accept": "text/html"}).text


def test_a_viewer_gets_numbers_without_their_traces(console: Console) -> None:
    seen = console.signed_in("viewer-small", Grant(Role.VIEWER, "plant", "small")).get(
        "/plants/small/overview.json?period=2024-01"
    )
    traced = console.signed_in("verifier-small", Grant(Role.VERIFIER, "plant", "small")).get(
        "/plants/small/overview.json?period=2024-01"
    )
    assert {item["trace"] for item in seen.json()["figures"]} == {None}
    assert traced.json()["figures"][0]["trace"] == (
        "/plants/small/explain?quantity=comprehensive_energy&rulebook=cn_gbt_2589_2020&period=2024-01&enterprise=acme"
    )


# -- how a request proves whose it is --------------------------------------------------------------------------------------


def test_a_change_must_come_from_a_page_of_the_session(console: Console) -> None:
    client = console.signed_in("engineer-small", Grant(Role.ENGINEER, "plant", "small"))
    client.headers["accept"] = "application/json"
    target = {"rulebook": "cn_gbt_32150_2015", "quantity": "total_emission", "period": "2024", "value": 40.0}
    where = "/plants/small/overview/target.json"
    right = client.headers.pop("x-csrf-token")
    for headers in (
        {},
        {"x-csrf-token": "guessed"},
        {"x-csrf-token": right, "origin": "http://elsewhere.example"},
    ):
        refused = client.post(where, json=target, headers=headers)
        assert (refused.status_code, codes(refused)) == (403, ["access.not-from-here"])
    by_other_site = client.post(where, json=target, headers={"x-csrf-token": right, "origin": "null"})
    assert by_other_site.status_code == 403
    assert client.post(where, json=target, headers={"x-csrf-token": right}).status_code == 200
    # a form carries it as a field
    form = {key: str(value) for key, value in target.items()}
    assert client.post(where.removesuffix(".json"), data={**form, "csrf": right}).status_code == 303
    assert client.post(where.removesuffix(".json"), data={**form, "csrf": "guessed"}).status_code == 403


def test_nobody_signs_in_from_another_site(console: Console) -> None:
    for headers in (
        {"origin": "http://elsewhere.example"},
        {"origin": BASE.replace("8710", "9")},
        {"origin": ""},
    ):
        client = console.client()
        found = client.post(
            "/sign-in/enter", data={"name": "boss", "password": consoles.PASSWORD}, headers=headers
        )
        assert found.status_code == 403
        assert "set-cookie" not in found.headers
    # an old browser that says neither Origin nor Sec-Fetch-Site
    client = console.client()
    del client.headers["origin"]
    assert (
        client.post("/sign-in/enter", data={"name": "boss", "password": consoles.PASSWORD}).status_code == 403
    )


def test_tokens_do_what_their_scopes_say(console: Console) -> None:
    console.person("robot", Grant(Role.ENGINEER, "plant", "small"))
    target = {"rulebook": "cn_gbt_32150_2015", "quantity": "total_emission", "period": "2023", "value": 1.0}

    def status(token: str) -> tuple[int, int]:
        client = console.client()
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        read = client.get("/plants/small/overview.json?period=2024-01", headers=headers)
        changed = client.post("/plants/small/overview/target.json", json=target, headers=headers)
        return read.status_code, changed.status_code

    assert status(console.token("robot")) == (200, 200)
    assert status(console.token("robot", Action.SEE)) == (200, 403)
    assert status("celadon_guessed") == (401, 401)
    # a session's cookie is of no use beside a wrong token
    client = console.signed_in("robot")
    assert client.get("/index.json", headers={"authorization": "Bearer celadon_guessed"}).status_code == 401
