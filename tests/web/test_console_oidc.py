"""Signing in with an identity provider: a provider that signs real tokens, and everything a false one could try."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from celadon.core.findings import FindingError
from celadon.web import oidc
from tests.web import consoles
from tests.web.consoles import BASE, Console, codes

ISSUER = "https://login.example.com/works"
CONFIG = f"""\
issuer: {ISSUER}
client_id: celadon
secret_variable: CELADON_TEST_SECRET
label: {{zh: 集团账号, en: Works account}}
"""


@cache
def provider_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "k1"})


@dataclass
class Fake:
    """A provider: what it was asked, and what it will say instead of the truth."""

    key: RSAKey = field(default_factory=provider_key)
    claims: dict[str, Any] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    signing: Any = None
    algorithm: str = "RS256"
    asked: dict[str, list[str]] = field(default_factory=dict)
    token_form: dict[str, list[str]] = field(default_factory=dict)
    down: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("no route")
        if request.url.path.endswith("openid-configuration"):
            ends = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
            body = {
                "issuer": ISSUER,
                **{name: f"{ISSUER}/{end}" for name, end in ends.items()},
                **self.described,
            }
            return httpx.Response(200, json=body)
        if request.url.path.endswith("keys"):
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        self.token_form = parse_qs(request.content.decode())
        basic = base64.b64encode(b"celadon:hush").decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return httpx.Response(401)
        moment = int(time.time())
        claims = {
            "iss": ISSUER, "aud": "celadon", "sub": "7", "iat": moment, "exp": moment + 300, "nonce": self.asked["nonce"][0],
            "preferred_username": "walker", **self.claims,
        }  # fmt: skip
        token = jwt.encode(
            {"alg": self.algorithm, "kid": "k1"},
            claims,
            self.signing or self.key,
            algorithms=[self.algorithm],
        )
        return httpx.Response(200, json={"id_token": token})


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(oidc, "client", lambda: httpx.Client(transport=httpx.MockTransport(made.answer)))
    monkeypatch.setenv("CELADON_TEST_SECRET", "hush")
    return made


@pytest.fixture
def provided(console: Console) -> Iterator[Console]:
    """The console with a provider, and a person it knows."""
    file = console.folder / ".celadon" / "oidc.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    console.person("walker")
    yield console
    file.unlink()


def attempt(console: Console, fake: Fake, **instead: str) -> Any:
    """The whole way: to the provider and back; `instead`: what the browser brings back otherwise."""
    client = console.client()
    there = client.get("/sign-in/oidc?next=/me")
    assert there.status_code == 303, there.text
    fake.asked = parse_qs(urlsplit(there.headers["location"]).query)
    back = {"code": "c-1", "state": fake.asked["state"][0], **instead}
    return client, client.get("/sign-in/oidc/back", params=back)


def test_somebody_signs_in(provided: Console, fake: Fake) -> None:
    assert "Works account" in provided.client().get("/sign-in?lang=en").text
    client, done = attempt(provided, fake)
    assert (done.status_code, done.headers["location"]) == (303, "/me")
    assert client.get("/me.json").json()["name"] == "walker"
    # PKCE: the verifier that the token was asked with is the one whose digest went ahead
    verifier = fake.token_form["code_verifier"][0]
    sent = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert fake.asked["code_challenge"] == [sent]
    assert fake.token_form["redirect_uri"] == fake.asked["redirect_uri"] == [f"{BASE}/sign-in/oidc/back"]
    # the same answer a second time is nobody's
    again = client.get("/sign-in/oidc/back", params={"code": "c-1", "state": fake.asked["state"][0]})
    assert (again.status_code, codes(again)) == (403, ["oidc.refused"])


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"}, {"aud": "another"}, {"nonce": "older"}, {"exp": 1}, {"aud": ["celadon", "another"]},
        {"azp": "another"}, {"preferred_username": 7}, {"sub": None},
    ],
    ids=lambda item: json.dumps(item),
)  # fmt: skip
def test_tokens_that_prove_nothing(provided: Console, fake: Fake, claims: dict[str, Any]) -> None:
    fake.claims = claims
    client, refused = attempt(provided, fake)
    assert (refused.status_code, codes(refused)) == (403, ["oidc.refused"])
    assert client.get("/me").status_code == 303


def test_false_signatures(provided: Console, fake: Fake) -> None:
    fake.signing = RSAKey.generate_key(2048, {"kid": "k1"})
    assert codes(attempt(provided, fake)[1]) == ["oidc.refused"]
    # a shared secret in place of the provider's key (the library itself refuses its public key as one)
    fake.signing, fake.algorithm = OctKey.import_key("a shared secret of thirty-two signs"), "HS256"
    assert codes(attempt(provided, fake)[1]) == ["oidc.refused"]


def test_another_browser_cannot_finish_an_attempt(provided: Console, fake: Fake) -> None:
    attempt(provided, fake)
    state = fake.asked["state"][0]
    for client in (provided.client(), provided.administrator()):
        assert codes(client.get("/sign-in/oidc/back", params={"code": "c", "state": state})) == [
            "oidc.refused"
        ]
    assert codes(attempt(provided, fake, state="guessed")[1]) == ["oidc.refused"]
    assert codes(attempt(provided, fake, error="access_denied")[1]) == ["oidc.refused"]


def test_a_name_that_nobody_has(provided: Console, fake: Fake) -> None:
    fake.claims = {"preferred_username": "stranger@elsewhere"}
    refused = attempt(provided, fake)[1]
    assert (refused.status_code, codes(refused)) == (403, ["oidc.person-unknown"])


def test_an_address_must_be_verified(provided: Console, fake: Fake) -> None:
    file = provided.folder / ".celadon" / "oidc.yaml"
    file.write_text(CONFIG + "claim: email\n", encoding="utf-8")
    provided.person("ada@works.example")
    fake.claims = {"email": "ada@works.example", "email_verified": False}
    assert codes(attempt(provided, fake)[1]) == ["oidc.refused"]
    fake.claims["email_verified"] = True
    assert attempt(provided, fake)[1].status_code == 303


def test_a_provider_that_is_down_or_another(provided: Console, fake: Fake) -> None:
    fake.down = True
    found = provided.client().get("/sign-in/oidc")
    assert (found.status_code, codes(found)) == (502, ["oidc.unreachable"])
    fake.down, fake.described = False, {"issuer": "https://elsewhere.example"}
    assert codes(provided.client().get("/sign-in/oidc")) == ["oidc.unreachable"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("issuer: [", ""), ("issuer: https://x", "client_id is missing"), (CONFIG.replace("https:", "http:"), "the issuer is not an https address"),
        (CONFIG + "colour: red\n", "unknown key colour"), (CONFIG.replace("TEST_SECRET", "NO_SUCH"), "the environment variable CELADON_NO_SUCH is empty"),
    ],
)  # fmt: skip
def test_a_set_up_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    monkeypatch.setenv("CELADON_TEST_SECRET", "hush")
    assert oidc.provider_of(tmp_path) is None
    (tmp_path / "oidc.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(FindingError) as refused:
        oidc.provider_of(tmp_path)
    found = refused.value.findings[0]
    assert found.code == "oidc.not-set-up"
    assert why in found.says("en")


def test_without_a_provider_the_page_offers_none(console: Console) -> None:
    assert "/sign-in/oidc" not in console.client().get("/sign-in").text
    assert consoles.codes(console.client().get("/sign-in/oidc")) == ["oidc.not-set-up"]
