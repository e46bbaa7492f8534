"""People, roles, passwords, codes and tokens by the pages themselves."""

from __future__ import annotations

import re
import time

import pyotp

from celadon.web import people
from celadon.web.access import Grant, Role
from tests.web.consoles import PASSWORD, Console, codes


def find(console: Console, name: str) -> people.Person:
    return next(item for item in people.people(console.shared.state) if item.name == name)


def test_an_administrator_adds_somebody_and_changes_their_roles(console: Console) -> None:
    boss = console.administrator()
    done = boss.post("/people/add", data={"name": "李工", "password": PASSWORD, "role": "engineer", "place": "plant:small",
                                          "csrf": boss.headers["x-csrf-token"]})  # fmt: skip
    assert (done.status_code, done.headers["location"]) == (303, "/people")
    assert "李工 was added." in boss.get("/people?lang=en").text
    person = find(console, "李工")
    assert person.grants == (Grant(Role.ENGINEER, "plant", "small"),)
    change = {"person": person.id, "role": "verifier", "place": "plant:*"}
    assert boss.post("/people/grant.json", json=change).status_code == 200
    assert set(find(console, "李工").grants) == {
        Grant(Role.ENGINEER, "plant", "small"),
        Grant(Role.VERIFIER, "plant", "*"),
    }
    boss.post("/people/grant.json", json={**change, "change": "take"})
    assert find(console, "李工").grants == (Grant(Role.ENGINEER, "plant", "small"),)
    nowhere = boss.post(
        "/people/grant.json",
        json={**change, "place": "plant:elsewhere"},
        headers={"accept": "application/json"},
    )
    assert (nowhere.status_code, codes(nowhere)) == (404, ["access.not-there"])
    boss.post("/people/password.json", json={"person": person.id, "password": "another good password"})
    assert people.prove(console.shared.state, "李工", "another good password").person == person.id
    boss.post("/people/remove.json", json={"person": person.id})
    assert find(console, "李工").left
    last = boss.post(
        "/people/remove.json",
        json={"person": find(console, "boss").id},
        headers={"accept": "application/json"},
    )
    assert (last.status_code, codes(last)) == (422, ["people.last-administrator"])
    actions = [line["action"] for line in boss.get("/audit.json?limit=6").json()["lines"]]
    assert actions[:3] == ["person.remove", "person.password", "person.grant"]


def test_only_administrators_of_everything_manage_people(console: Console) -> None:
    local = console.signed_in("local", Grant(Role.ADMINISTRATOR, "plant", "small"))
    local.headers["accept"] = "application/json"
    for path in ("/people.json", "/audit.json"):
        assert local.get(path).status_code == 403
    person = find(console, "local").id
    assert (
        local.post(
            "/people/grant.json", json={"person": person, "role": "administrator", "place": "*:*"}
        ).status_code
        == 403
    )


def test_a_password_is_changed_with_the_old_one(console: Console) -> None:
    client = console.signed_in("changer")
    wrong = client.post("/me/password", data={"password": "guess", "new": "a completely new password"})
    assert (wrong.status_code, codes(wrong)) == (403, ["session.password-wrong"])
    weak = client.post("/me/password", data={"password": PASSWORD, "new": "short"})
    assert codes(weak) == ["people.password-short"]
    done = client.post("/me/password", data={"password": PASSWORD, "new": "a completely new password"})
    assert done.headers["location"] == "/sign-in"
    assert client.get("/me").headers["location"].startswith("/sign-in")


def test_a_telephone_is_enrolled_and_asked_for(console: Console) -> None:
    client = console.signed_in("caller")
    page = client.get("/me").text
    assert "<svg" in page
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)
    assert secret is not None
    code = pyotp.TOTP(secret[1]).generate_otp(int(time.time()) // 30)
    done = client.post("/me/enrol", data={"password": PASSWORD, "secret": secret[1], "code": code})
    assert done.headers["location"] == "/me"
    assert 'name="secret"' not in client.get("/me").text
    attempt = console.client().post("/sign-in/enter", data={"name": "caller", "password": PASSWORD})
    assert attempt.headers["location"].endswith("said=code")
    boss = console.administrator()
    boss.post("/people/drop-code.json", json={"person": find(console, "caller").id})
    assert (
        console.client()
        .post("/sign-in/enter", data={"name": "caller", "password": PASSWORD})
        .headers["location"]
        == "/"
    )


def test_a_token_is_shown_once_and_dropped(console: Console) -> None:
    client = console.signed_in("maker", Grant(Role.VIEWER, "plant", "small"))
    wanted = {"password": PASSWORD, "label": "nightly", "scopes": ["see", "explain"], "days": "30"}
    page = client.post("/me/token", data=wanted)
    assert page.headers["cache-control"] == "no-store"
    secret = re.search(r"<code>(celadon_[\w-]+)</code>", page.text)
    assert secret is not None
    robot = {"authorization": f"Bearer {secret[1]}", "accept": "application/json"}
    assert (
        console.client().get("/plants/small/overview.json?period=2024-01", headers=robot).status_code == 200
    )
    # a token knows its owner, and changes nothing about them
    assert console.client().get("/me.json", headers=robot).json()["name"] == "maker"
    refused = console.client().post(
        "/me/password", data={"password": PASSWORD, "new": "x" * 20}, headers=robot
    )
    assert (refused.status_code, codes(refused)) == (403, ["access.not-allowed"])
    (token,) = client.get("/me.json").json()["tokens"]
    assert (token["label"], token["scopes"]) == ("nightly", ["explain", "see"])
    assert secret[1] not in client.get("/me").text
    assert client.post("/me/drop", data={"id": "other"}).status_code == 404
    assert client.post("/me/drop", data={"id": token["id"]}).status_code == 303
    assert console.client().get("/me.json", headers=robot).status_code == 401


def test_the_language_of_a_person(console: Console) -> None:
    client = console.signed_in("speaker")
    assert client.post("/me/language", data={"language": "zh"}).headers["location"] == "/me?lang=zh"
    fresh = console.signed_in("speaker")
    assert "我的账户" in fresh.get("/me", headers={"accept-language": "en"}).text
    assert codes(client.post("/me/language", data={"language": "de"})) == ["request.parameter"]
