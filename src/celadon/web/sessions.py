"""Sessions and tokens: how a request proves whose it is, after the sign-in.

Both are random secrets of which only a digest is kept, on the server; a session also has a second secret that its forms
must carry. Sessions end 12 hours after their last use and 7 days after the sign-in; tokens when they say.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.web import audit
from celadon.web.access import Action, Identity
from celadon.web.people import Proof, digest, find, password_fits, prove
from celadon.web.state import State, now, stamp

TOO_MANY = FindingKind(
    "session.too-many-attempts",
    Severity.ERROR,
    Text("Too many attempts", "尝试次数过多"),
    Text(
        "There were {count} failed attempts to sign in as this name or from this address.",
        "以该名称或从该地址登录已失败 {count} 次。",
    ),
    Text("Wait {minutes} minutes, then try again.", "请等待 {minutes} 分钟后再试。"),
)
PASSWORD_WRONG = FindingKind(
    "session.password-wrong",
    Severity.ERROR,
    Text("Password wrong", "密码错误"),
    Text("That is not the password of {name}.", "这不是 {name} 的密码。"),
    Text("Enter the password you signed in with.", "请输入登录时使用的密码。"),
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS session (
    hash TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES person(id), csrf TEXT NOT NULL, made TEXT NOT NULL, used TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS token (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, person TEXT NOT NULL REFERENCES person(id), label TEXT NOT NULL,
    scopes TEXT NOT NULL, made TEXT NOT NULL, until TEXT NOT NULL, used TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS failed (who TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS failed_by ON failed (who, at);
"""
COOKIE = "celadon_session"
TOKEN_START = "celadon_"  # noqa: S105 - what tokens begin with, so that scanners recognise a leaked one
_IDLE = timedelta(hours=12)
_WHOLE = timedelta(days=7)
_USED_EVERY = timedelta(minutes=1)  # a session is written at most so often
_WINDOW = timedelta(minutes=15)
_NAME_FAILS, _ADDRESS_FAILS = 5, 50


# -- sessions ------------------------------------------------------------------------------------------------------------


def begin(state: State, person: str) -> str:
    """A new session; its secret, for the cookie."""
    secret, moment = secrets.token_urlsafe(32), now()
    old = stamp(datetime.now(UTC) - _WHOLE)
    with state.writing() as con:
        con.execute("DELETE FROM session WHERE made < ?", (old,))
        con.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
            (digest(secret), person, secrets.token_urlsafe(24), moment, moment),
        )
    return secret


def end(state: State, secret: str) -> None:
    """Sign out."""
    with state.writing() as con:
        con.execute("DELETE FROM session WHERE hash = ?", (digest(secret),))


def of_session(state: State, secret: str) -> Identity | None:
    """Whose session this is, None when it is nobody's or over."""
    row = state.row("SELECT * FROM session WHERE hash = ?", digest(secret))
    if row is None:
        return None
    moment = datetime.now(UTC)
    made, used = datetime.fromisoformat(row["made"]), datetime.fromisoformat(row["used"])
    if moment - used > _IDLE or moment - made > _WHOLE:
        return None
    person = find(state, row["person"])
    if person is None or person.left:
        return None
    if moment - used > _USED_EVERY:
        with state.writing() as con:
            con.execute("UPDATE session SET used = ? WHERE hash = ?", (stamp(moment), row["hash"]))
    return Identity(person.id, person.name, person.grants, person.language, csrf=row["csrf"])


# -- tokens --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    """A token as its owner sees it; its secret is shown once, when it is made."""

    id: str
    label: str
    scopes: tuple[Action, ...]
    made: str
    until: str
    used: str | None


def make_token(
    state: State, who: Identity, label: str, scopes: Collection[Action], days: int
) -> tuple[str, str]:
    """A token that may do `scopes`, where its owner may, for `days`; its id and its secret."""
    name, secret = secrets.token_hex(6), TOKEN_START + secrets.token_urlsafe(32)
    until = stamp(datetime.now(UTC) + timedelta(days=days))
    words = ",".join(sorted(scopes))
    with state.writing() as con:
        con.execute(
            "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
            (name, digest(secret), who.person, label, words, now(), until),
        )
        said = {"token": name, "label": label, "scopes": words, "until": until}
        audit.append(con, who.name, "token.make", "console", said)
    return name, secret


def tokens(state: State, person: str) -> list[Token]:
    """Somebody's tokens, the newest first."""
    rows = state.rows("SELECT * FROM token WHERE person = ? ORDER BY made DESC", person)
    return [
        Token(row["id"], row["label"], _scopes(row["scopes"]), row["made"], row["until"], row["used"])
        for row in rows
    ]


def drop_token(state: State, who: Identity, name: str) -> bool:
    """The token no longer holds; whether it was theirs."""
    with state.writing() as con:
        gone = con.execute("DELETE FROM token WHERE id = ? AND person = ?", (name, who.person)).rowcount == 1
        if gone:
            audit.append(con, who.name, "token.drop", "console", {"token": name})
    return gone


def of_token(state: State, secret: str) -> Identity | None:
    """Whose token this is, None when it is nobody's or over."""
    row = state.row("SELECT * FROM token WHERE hash = ? AND until > ?", digest(secret), now())
    person = find(state, row["person"]) if row is not None else None
    if row is None or person is None or person.left:
        return None
    if row["used"] is None or datetime.now(UTC) - datetime.fromisoformat(row["used"]) > _USED_EVERY:
        with state.writing() as con:
            con.execute("UPDATE token SET used = ? WHERE id = ?", (now(), row["id"]))
    return Identity(
        person.id, person.name, person.grants, person.language, row["id"], frozenset(_scopes(row["scopes"]))
    )


def _scopes(words: str) -> tuple[Action, ...]:
    return tuple(Action(word) for word in words.split(",") if word)


# -- attempts ------------------------------------------------------------------------------------------------------------


def sign_in(state: State, name: str, password: str, code: str, address: str) -> Proof:
    """Check a sign-in against the count of failures and the password, and remember how it went.

    Raises:
        FindingError: `session.too-many-attempts`.
    """
    with state.signing_in:
        _check_attempts(state, name, address)
        proof = prove(state, name, password, code)
        if proof.person is not None:
            _succeeded(state, name, address)
        elif not proof.code_missing:
            _failed(state, name, address)
    return proof


def confirm(state: State, who: Identity, password: str, address: str) -> None:
    """Whoever changes how they sign in says their password once more; wrong ones count like failed sign-ins.

    Raises:
        FindingError: `session.password-wrong`, `session.too-many-attempts`.
    """
    with state.signing_in:
        _check_attempts(state, who.name, address)
        if not password_fits(state, who.person, password):
            _failed(state, who.name, address)
            raise FindingError(PASSWORD_WRONG.at(Place(subject="password"), name=who.name))


def _check_attempts(state: State, name: str, address: str) -> None:
    """FindingError `session.too-many-attempts` when this name or address failed too often of late."""
    since = stamp(datetime.now(UTC) - _WINDOW)
    for who, most in ((_by_name(name), _NAME_FAILS), (f"address:{address}", _ADDRESS_FAILS)):
        row = state.row("SELECT count(*) AS count FROM failed WHERE who = ? AND at > ?", who, since)
        if row is not None and row["count"] >= most:
            minutes = int(_WINDOW.total_seconds() // 60)
            raise FindingError(TOO_MANY.at(Place(subject="sign-in"), count=row["count"], minutes=minutes))


def _failed(state: State, name: str, address: str) -> None:
    """Remember a failed attempt."""
    old, moment = stamp(datetime.now(UTC) - _WINDOW), now()
    with state.writing() as con:
        con.execute("DELETE FROM failed WHERE at < ?", (old,))
        con.executemany(
            "INSERT INTO failed VALUES (?, ?)", [(_by_name(name), moment), (f"address:{address}", moment)]
        )
        audit.append(con, name.strip()[:64], "session.failed", "console", {"address": address})


def _succeeded(state: State, name: str, address: str) -> None:
    """A right sign-in clears the name's failures."""
    with state.writing() as con:
        con.execute("DELETE FROM failed WHERE who = ?", (_by_name(name),))
        audit.append(con, name.strip(), "session.begin", "console", {"address": address})


def _by_name(name: str) -> str:
    return "name:" + digest(name.strip().lower())
