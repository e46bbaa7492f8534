"""OpenID Connect: signing in with an organisation's own identity provider (authorization code flow with PKCE).

Set up by `FOLDER/.celadon/oidc.yaml`; the client's secret is in an environment variable and never in a file:

    issuer: https://login.example.com/realms/works
    client_id: celadon
    secret_variable: CELADON_OIDC_SECRET
    claim: preferred_username        # whose value is the name of a person of this console
    label: {zh: 集团账号, en: Works account}

The provider proves who somebody is; what they may do is still what an administrator granted to the person of that name.
Nobody is made here. Checked of the token: signature by the provider's keys, issuer, audience, time, and the nonce of this attempt.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import yaml
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text, TextError, text_from, text_of
from celadon.web import audit
from celadon.web.people import digest
from celadon.web.state import State, now, stamp

NOT_SET_UP = FindingKind(
    "oidc.not-set-up",
    Severity.ERROR,
    Text("No identity provider", "未配置身份提供方"),
    Text("Signing in with another account is not set up here: {why}.", "此处未配置外部账号登录：{why}。"),
    Text(
        "Write .celadon/oidc.yaml (docs/console.md), or sign in with a password.",
        "请编写 .celadon/oidc.yaml（见 docs/console.md），或用密码登录。",
    ),
)
UNREACHABLE = FindingKind(
    "oidc.unreachable",
    Severity.ERROR,
    Text("Identity provider not reached", "无法连接身份提供方"),
    Text("{issuer} does not answer as it should: {why}.", "{issuer} 未正确响应：{why}。"),
    Text(
        "Try again; whoever runs the server checks the address and the network.",
        "请重试；服务器管理者应检查地址与网络。",
    ),
)
REFUSED = FindingKind(
    "oidc.refused",
    Severity.ERROR,
    Text("Sign-in not proven", "登录未获证明"),
    Text(
        "The identity provider's answer does not prove who you are: {why}.",
        "身份提供方的答复不能证明您的身份：{why}。",
    ),
    Text("Start again from the sign-in page.", "请从登录页重新开始。"),
)
NOBODY = FindingKind(
    "oidc.person-unknown",
    Severity.ERROR,
    Text("No person of that name", "没有该名称的人员"),
    Text(
        "The provider calls you “{name}”, and this console has no such person.",
        "身份提供方称您为“{name}”，而本控制台没有此人员。",
    ),
    Text("Ask an administrator to add you under that name.", "请管理员以该名称添加您。"),
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS oidc_attempt (hash TEXT PRIMARY KEY, nonce TEXT NOT NULL, verifier TEXT NOT NULL, next TEXT NOT NULL, at TEXT NOT NULL) STRICT;
"""
COOKIE = "celadon_oidc"
_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")  # never "none", never a shared secret
_ATTEMPT = timedelta(minutes=10)
_LEEWAY = 60  # seconds that clocks may differ


@dataclass(frozen=True)
class Provider:
    """What oidc.yaml says."""

    issuer: str
    client_id: str
    secret: str
    claim: str
    label: Text


@dataclass(frozen=True)
class Attempt:
    """A sign-in under way: where the browser goes, and the secret that its cookie must bring back."""

    address: str
    state: str


def provider_of(memory: Path) -> Provider | None:
    """The provider set up in a served folder's memory, None without one (FindingError where it cannot be used)."""
    file = memory / "oidc.yaml"
    if not file.is_file():
        return None
    try:
        body = yaml.safe_load(file.read_text("utf-8"))
        given = {str(name): value for name, value in body.items()} if isinstance(body, dict) else {}
        label = text_from(given.pop("label", given.get("issuer", "")))
    except (yaml.YAMLError, UnicodeDecodeError, TextError) as error:
        raise _not_set_up(file, text_of(error)) from error
    known = {"issuer", "client_id", "secret_variable", "claim"}
    for name in sorted(set(given) - known):
        raise _not_set_up(file, Text(f"unknown key {name}", f"未知键 {name}"))
    for name in ("issuer", "client_id", "secret_variable"):
        if not isinstance(given.get(name), str):
            raise _not_set_up(file, Text(f"{name} is missing", f"缺少 {name}"))
    issuer = str(given["issuer"]).rstrip("/")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
        raise _not_set_up(file, Text("the issuer is not an https address", "issuer 不是 https 地址"))
    variable = str(given["secret_variable"])
    secret = os.environ.get(variable)
    if not secret:
        raise _not_set_up(
            file, Text(f"the environment variable {variable} is empty", f"环境变量 {variable} 为空")
        )
    return Provider(
        issuer, str(given["client_id"]), secret, str(given.get("claim", "preferred_username")), label
    )


def begin(state: State, provider: Provider, back: str, after: str) -> Attempt:
    """A new attempt that comes back to the address `back`, and then goes on to `after`."""
    secret, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with state.writing() as con:
        con.execute("DELETE FROM oidc_attempt WHERE at < ?", (stamp(datetime.now(UTC) - _ATTEMPT),))
        con.execute(
            "INSERT INTO oidc_attempt VALUES (?, ?, ?, ?, ?)", (digest(secret), nonce, verifier, after, now())
        )
    asked = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": back, "scope": "openid profile email", "state": secret,
        "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    return Attempt(f"{_metadata(provider)['authorization_endpoint']}?{urlencode(asked)}", secret)


def finish(
    state: State, provider: Provider, back: str, cookie: str, returned: str, code: str, client: str
) -> tuple[str, str]:
    """Whose session begins, and the page to go on to.

    Raises:
        FindingError: the answer proves nobody, or somebody who is not a person of this console.
    """
    if not cookie or not secrets.compare_digest(cookie.encode(), returned.encode()):
        raise _refused(Text("it belongs to another browser or attempt", "它属于其他浏览器或其他尝试"))
    with state.writing() as con:
        row = con.execute(
            "DELETE FROM oidc_attempt WHERE hash = ? AND at > ? RETURNING nonce, verifier, next",
            (digest(returned), stamp(datetime.now(UTC) - _ATTEMPT)),
        ).fetchone()
    if row is None:
        raise _refused(Text("the attempt is over", "该次尝试已失效"))
    claims = _claims(provider, back, code, row["verifier"], row["nonce"])
    name = claims.get(provider.claim)
    if not isinstance(name, str) or (provider.claim == "email" and claims.get("email_verified") is not True):
        raise _refused(Text(f"it has no proven {provider.claim}", f"其中没有经证明的 {provider.claim}"))
    person = state.row("SELECT id FROM person WHERE name = ? AND left_at IS NULL", name)
    if person is None:
        raise FindingError(NOBODY.at(Place(subject="oidc"), name=name))
    with state.writing() as con:
        audit.append(con, name, "session.begin", "console", {"address": client, "issuer": provider.issuer})
    return str(person["id"]), str(row["next"])


def _claims(provider: Provider, back: str, code: str, verifier: str, nonce: str) -> Mapping[str, Any]:
    """What the provider's token says, after everything about it was checked."""
    found = _metadata(provider)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    answer = _ask(
        provider, "POST", str(found["token_endpoint"]), data=form, auth=(provider.client_id, provider.secret)
    )
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise _refused(Text("it has no identity token", "其中没有身份令牌"))
    try:
        keys = KeySet.import_key_set(_ask(provider, "GET", str(found["jwks_uri"])))  # type: ignore[arg-type]
        read = jwt.decode(token, keys, algorithms=list(_ALGORITHMS))
        rules = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY, iss={"essential": True, "value": provider.issuer}, aud={"essential": True, "value": provider.client_id},
            exp={"essential": True}, iat={"essential": True}, sub={"essential": True}, nonce={"essential": True, "value": nonce},
        )  # fmt: skip
        rules.validate(read.claims)
    except (JoseError, ValueError, KeyError) as error:
        raise _refused(text_of(error)) from error
    claims: Mapping[str, Any] = read.claims
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise _refused(Text("it was made for another program", "它是为其他程序签发的"))
    return claims


def _metadata(provider: Provider) -> Mapping[str, Any]:
    """The provider's own description; its issuer must be the one that was set up."""
    found = _ask(provider, "GET", f"{provider.issuer}/.well-known/openid-configuration")
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if str(found.get("issuer", "")).rstrip("/") != provider.issuer or not all(
        isinstance(found.get(name), str) for name in needed
    ):
        why = Text("its description is of another issuer, or incomplete", "其描述属于其他签发方或不完整")
        raise FindingError(UNREACHABLE.at(Place(subject="oidc"), issuer=provider.issuer, why=why))
    return found


def _ask(provider: Provider, method: str, address: str, **more: Any) -> Mapping[str, Any]:
    try:
        with client() as http:
            answer = http.request(method, address, **more)
            answer.raise_for_status()
            body = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise FindingError(
            UNREACHABLE.at(Place(subject="oidc"), issuer=provider.issuer, why=text_of(error))
        ) from error
    return body if isinstance(body, dict) else {}


def client() -> httpx.Client:
    """What talks to the provider."""
    return httpx.Client(timeout=10, follow_redirects=False)


def _refused(why: Text) -> FindingError:
    return FindingError(REFUSED.at(Place(subject="oidc"), why=why))


def _not_set_up(file: Path, why: Text) -> FindingError:
    return FindingError(NOT_SET_UP.at(Place(file=file.name), why=why))
