"""People: who may sign in, how they prove it, and what they were granted.

Passwords are kept as Argon2id hashes (argon2-cffi's defaults, RFC 9106); a second factor is a time-based code (RFC 6238)
that counts once. There is no default password: the first administrator is made through a one-time link (`new_link`).
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.web import audit
from celadon.web.access import EVERYWHERE, Grant, Role
from celadon.web.state import State, now, stamp

PASSWORD_SHORT = FindingKind(
    "people.password-short",
    Severity.ERROR,
    Text("Password too short", "密码太短"),
    Text(
        "The password has {length} characters; it needs {least}.",
        "密码有 {length} 个字符，至少需要 {least} 个。",
    ),
    Text("Use several words; no mixture of signs is asked for.", "可用几个词组成；不要求混用符号。"),
)
PASSWORD_COMMON = FindingKind(
    "people.password-common",
    Severity.ERROR,
    Text("Password easy to guess", "密码容易被猜中"),
    Text(
        "The password is the name, or one sign repeated, or a row of the keyboard.",
        "密码与姓名相同、由同一字符重复而成或为键盘上的连续字符。",
    ),
    Text("Choose another.", "请另选密码。"),
)
NAME_TAKEN = FindingKind(
    "people.name-taken",
    Severity.ERROR,
    Text("Name taken", "名称已被使用"),
    Text("Somebody is called “{name}” already.", "已有名为“{name}”的人员。"),
    Text("Choose another name.", "请另选名称。"),
)
NAME_WRONG = FindingKind(
    "people.name-wrong",
    Severity.ERROR,
    Text("Name not usable", "名称不可用"),
    Text("“{name}” cannot be a name to sign in with.", "“{name}”不能作为登录名。"),
    Text(
        "Use 2 to 64 letters, digits and . _ - @ without spaces.",
        "请用 2 至 64 个字母、汉字、数字或 . _ - @，不含空格。",
    ),
)
LINK_SPENT = FindingKind(
    "people.link-spent",
    Severity.ERROR,
    Text("Set-up link not valid", "设置链接无效"),
    Text(
        "This set-up link was used already, has run out, or was never given.",
        "该设置链接已使用、已过期或从未发出。",
    ),
    Text(
        "Use the newest link; `celadon serve FOLDER --new-administrator` prints another.",
        "请使用最新的链接；`celadon serve FOLDER --new-administrator` 可再生成一个。",
    ),
)
LAST_ADMINISTRATOR = FindingKind(
    "people.last-administrator",
    Severity.ERROR,
    Text("Last administrator", "最后一名管理员"),
    Text(
        "“{name}” is the only administrator: nobody could grant anything any more.",
        "“{name}”是唯一的管理员：此后将无人可以授权。",
    ),
    Text("Grant the role to somebody else first.", "请先将该角色授予他人。"),
)
CODE_WRONG = FindingKind(
    "people.code-wrong",
    Severity.ERROR,
    Text("Code wrong", "验证码错误"),
    Text("The code does not fit.", "验证码不符。"),
    Text(
        "Enter the code shown now; check that the telephone's clock is right.",
        "请输入当前显示的验证码，并检查手机时钟是否准确。",
    ),
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS person (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, hash TEXT NOT NULL, made TEXT NOT NULL,
    language TEXT, code_secret TEXT, code_step INTEGER NOT NULL DEFAULT 0, left_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS granted (
    person TEXT NOT NULL REFERENCES person(id), role TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (person, role, kind, key)
) STRICT;
CREATE TABLE IF NOT EXISTS setup_link (hash TEXT PRIMARY KEY, until TEXT NOT NULL) STRICT;
"""
PASSWORD_LEAST = 12
_PASSWORD_MOST = 1024  # hashing reads all of it
_LINK_HOURS = 24
_ROWS = ("1234567890123456", "qwertyuiopasdfghjkl", "abcdefghijklmnopqrstuvwxyz")
_HASHER = PasswordHasher()
# Somebody unknown costs as much time as a wrong password, so that the time tells nothing.
_NOBODY = _HASHER.hash(secrets.token_hex())


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in."""

    id: str
    name: str
    grants: tuple[Grant, ...]
    language: str | None
    second_factor: bool
    left: bool


def digest(secret: str) -> str:
    """What is kept of a random secret (a session, token or link): its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()


# -- the first administrator ---------------------------------------------------------------------------------------------


def has_administrator(state: State) -> bool:
    """Whether anybody administers everything."""
    return bool(_administrators(state))


def new_link(state: State) -> str:
    """The secret of a one-time link by which one administrator can be made; valid for a day, and only the newest is."""
    secret = secrets.token_urlsafe(24)
    until = stamp(datetime.now(UTC) + timedelta(hours=_LINK_HOURS))
    with state.writing() as con:
        con.execute("DELETE FROM setup_link")
        con.execute("INSERT INTO setup_link VALUES (?, ?)", (digest(secret), until))
    return secret


def link_holds(state: State, secret: str) -> bool:
    """Whether the set-up link is still good."""
    return (
        state.row("SELECT 1 FROM setup_link WHERE hash = ? AND until > ?", digest(secret), now()) is not None
    )


def make_administrator(state: State, secret: str, name: str, password: str) -> str:
    """Spend a set-up link on an administrator; their id.

    Raises:
        FindingError: the link is not good, or name or password cannot be used; the link then stays.
    """
    if not link_holds(state, secret):
        raise FindingError(LINK_SPENT.at(Place(subject="setup")))
    hashed = _hash(name, password)
    with state.writing() as con:
        spent = con.execute("DELETE FROM setup_link WHERE hash = ? AND until > ?", (digest(secret), now()))
        if spent.rowcount != 1:
            raise FindingError(LINK_SPENT.at(Place(subject="setup")))
        person = _insert(con, name, hashed)
        grant = Grant(Role.ADMINISTRATOR)
        _grant(con, person, grant)
        audit.append(con, name, "person.first-administrator", "console", {"name": name})
    return person


# -- people and grants ---------------------------------------------------------------------------------------------------


def people(state: State) -> list[Person]:
    """Everybody, by name."""
    grants: dict[str, list[Grant]] = {}
    for row in state.rows("SELECT * FROM granted ORDER BY kind, key, role"):
        grants.setdefault(row["person"], []).append(Grant(Role(row["role"]), row["kind"], row["key"]))
    rows = state.rows("SELECT * FROM person ORDER BY name")
    return [_person(row, grants.get(row["id"], [])) for row in rows]


def find(state: State, person: str) -> Person | None:
    """The person with an id."""
    row = state.row("SELECT * FROM person WHERE id = ?", person)
    return None if row is None else _person(row, grants_of(state, person))


def grants_of(state: State, person: str) -> list[Grant]:
    """What somebody was granted."""
    rows = state.rows("SELECT role, kind, key FROM granted WHERE person = ?", person)
    return [Grant(Role(row["role"]), row["kind"], row["key"]) for row in rows]


def add_person(state: State, by: str, name: str, password: str, grants: Sequence[Grant] = ()) -> str:
    """Somebody new; their id.

    Raises:
        FindingError: the name or the password cannot be used.
    """
    hashed = _hash(name, password)
    with state.writing() as con:
        person = _insert(con, name, hashed)
        for grant in grants:
            _grant(con, person, grant)
        said = {"name": name, "grants": [f"{item.role} {item.kind} {item.key}" for item in grants]}
        audit.append(con, by, "person.add", "console", said)
    return person


def set_grants(state: State, by: str, person: Person, grants: Sequence[Grant]) -> None:
    """What somebody is granted from now on, in place of what they were (FindingError for the last administrator)."""
    _not_the_last(state, person, grants)
    with state.writing() as con:
        con.execute("DELETE FROM granted WHERE person = ?", (person.id,))
        for grant in grants:
            _grant(con, person.id, grant)
        said = {"name": person.name, "grants": [f"{item.role} {item.kind} {item.key}" for item in grants]}
        audit.append(con, by, "person.grant", "console", said)


def remove(state: State, by: str, person: Person) -> None:
    """They can no longer sign in; what they did stays on record under their name."""
    _not_the_last(state, person, ())
    with state.writing() as con:
        con.execute("UPDATE person SET left_at = ? WHERE id = ?", (now(), person.id))
        con.execute("DELETE FROM granted WHERE person = ?", (person.id,))
        con.execute("DELETE FROM session WHERE person = ?", (person.id,))
        con.execute("DELETE FROM token WHERE person = ?", (person.id,))
        audit.append(con, by, "person.remove", "console", {"name": person.name})


def set_password(state: State, by: str, person: Person, password: str) -> None:
    """Another password; every session of theirs ends."""
    hashed = _hash(person.name, password)
    with state.writing() as con:
        con.execute("UPDATE person SET hash = ? WHERE id = ?", (hashed, person.id))
        con.execute("DELETE FROM session WHERE person = ?", (person.id,))
        audit.append(con, by, "person.password", "console", {"name": person.name})


def set_language(state: State, person: str, language: str) -> None:
    """The language somebody's pages come in."""
    with state.writing() as con:
        con.execute("UPDATE person SET language = ? WHERE id = ?", (language, person))


# -- proving it ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proof:
    """What a name and password (and code) proved: `person` where they are who they say; `code_missing` where a code is due."""

    person: str | None
    code_missing: bool = False


def prove(state: State, name: str, password: str, code: str = "") -> Proof:
    """Check a sign-in. It takes as long for somebody unknown."""
    row = state.row("SELECT * FROM person WHERE name = ? AND left_at IS NULL", name.strip())
    right = _matches(row["hash"] if row else _NOBODY, password)
    if row is None or not right:
        return Proof(None)
    if _HASHER.check_needs_rehash(row["hash"]):
        with state.writing() as con:
            con.execute("UPDATE person SET hash = ? WHERE id = ?", (_HASHER.hash(password), row["id"]))
    if row["code_secret"]:
        if not code.strip():
            return Proof(None, code_missing=True)
        if not _spend_code(state, row["id"], row["code_secret"], code):
            return Proof(None)
    return Proof(row["id"])


def password_fits(state: State, person: str, password: str) -> bool:
    """Whether somebody who is signed in knows their password."""
    row = state.row("SELECT hash FROM person WHERE id = ? AND left_at IS NULL", person)
    return row is not None and _matches(row["hash"], password)


def new_code_secret() -> str:
    """A secret for a telephone's code generator, not kept yet."""
    return pyotp.random_base32()


def code_address(secret: str, name: str) -> str:
    """The address that a telephone reads from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Celadon")


def enrol(state: State, person: Person, secret: str, code: str) -> None:
    """Ask for codes from now on, once the first fits (FindingError otherwise)."""
    step = _step_of(secret, code)
    if step is None:
        raise FindingError(CODE_WRONG.at(Place(subject="code")))
    with state.writing() as con:
        con.execute(
            "UPDATE person SET code_secret = ?, code_step = ? WHERE id = ?", (secret, step, person.id)
        )
        audit.append(con, person.name, "person.second-factor", "console", {"name": person.name})


def drop_second_factor(state: State, by: str, person: Person) -> None:
    """No code is asked for any more (a telephone was lost)."""
    with state.writing() as con:
        con.execute("UPDATE person SET code_secret = NULL, code_step = 0 WHERE id = ?", (person.id,))
        audit.append(con, by, "person.second-factor-dropped", "console", {"name": person.name})


def _spend_code(state: State, person: str, secret: str, code: str) -> bool:
    """Whether a code fits and was not used before; it is used then."""
    step = _step_of(secret, code)
    if step is None:
        return False
    with state.writing() as con:
        sql = "UPDATE person SET code_step = ? WHERE id = ? AND code_step < ?"
        return con.execute(sql, (step, person, step)).rowcount == 1


def _step_of(secret: str, code: str) -> int | None:
    """The time step a code belongs to: the one now, or a neighbour for clocks that are off."""
    generator, current = pyotp.TOTP(secret), int(time.time()) // 30
    given = code.replace(" ", "")
    for step in (current, current - 1, current + 1):
        if secrets.compare_digest(generator.generate_otp(step).encode(), given.encode()):
            return step
    return None


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password[:_PASSWORD_MOST])
    except (VerifyMismatchError, InvalidHashError):
        return False


def _hash(name: str, password: str) -> str:
    plain = name.strip()
    if not 2 <= len(plain) <= 64 or not all(sign.isalnum() or sign in "._-@" for sign in plain):
        raise FindingError(NAME_WRONG.at(Place(subject="name"), name=plain))
    if not PASSWORD_LEAST <= len(password) <= _PASSWORD_MOST:
        raise FindingError(
            PASSWORD_SHORT.at(Place(subject="password"), length=len(password), least=PASSWORD_LEAST)
        )
    lower = password.lower()
    if (
        lower == plain.lower()
        or len(set(lower)) < 4
        or any(lower in row or lower in row[::-1] for row in _ROWS)
    ):
        raise FindingError(PASSWORD_COMMON.at(Place(subject="password")))
    return _HASHER.hash(password)


def _insert(con: sqlite3.Connection, name: str, hashed: str) -> str:
    person = secrets.token_hex(8)
    try:
        con.execute(
            "INSERT INTO person (id, name, hash, made) VALUES (?, ?, ?, ?)",
            (person, name.strip(), hashed, now()),
        )
    except sqlite3.IntegrityError as error:
        raise FindingError(NAME_TAKEN.at(Place(subject="name"), name=name.strip())) from error
    return person


def _grant(con: sqlite3.Connection, person: str, grant: Grant) -> None:
    con.execute(
        "INSERT OR IGNORE INTO granted VALUES (?, ?, ?, ?)", (person, grant.role, grant.kind, grant.key)
    )


def _administrators(state: State) -> list[str]:
    sql = "SELECT person FROM granted WHERE role = ? AND kind = ? AND key = ?"
    return [row["person"] for row in state.rows(sql, Role.ADMINISTRATOR, EVERYWHERE, EVERYWHERE)]


def _not_the_last(state: State, person: Person, grants: Sequence[Grant]) -> None:
    if Grant(Role.ADMINISTRATOR) not in grants and _administrators(state) == [person.id]:
        raise FindingError(LAST_ADMINISTRATOR.at(Place(subject=f"person:{person.name}"), name=person.name))


def _person(row: sqlite3.Row, grants: Sequence[Grant]) -> Person:
    left, second = row["left_at"] is not None, row["code_secret"] is not None
    return Person(row["id"], row["name"], tuple(grants), row["language"], second, left)
