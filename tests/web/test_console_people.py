"""People, sessions, tokens, the audit log and repeated changes: what the console keeps, and what it refuses."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from celadon.core.findings import FindingError
from celadon.web import audit, idempotency, people, sessions
from celadon.web.access import Action, Grant, Role
from celadon.web.state import State, stamp
from tests.web.conftest import AS_SHIPPED
from tests.web.consoles import PASSWORD, Console, codes

SCHEMAS = (people.SCHEMA, sessions.SCHEMA, audit.SCHEMA, idempotency.SCHEMA)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    (tmp_path / ".celadon").mkdir()
    made = State(tmp_path / ".celadon" / "console.sqlite", SCHEMAS)
    yield made
    made.close()


def code_of(error: pytest.ExceptionInfo[FindingError]) -> tuple[str, dict[str, object]]:
    found = error.value.findings[0]
    return found.code, found.values


# -- the first administrator and people -------------------------------------------------------------------------------


def test_a_set_up_link_makes_one_administrator(state: State) -> None:
    assert not people.has_administrator(state)
    old, link = people.new_link(state), people.new_link(state)
    assert not people.link_holds(state, old)
    with pytest.raises(FindingError) as short:
        people.make_administrator(state, link, "ada", "short")
    assert code_of(short) == ("people.password-short", {"length": 5, "least": 12})
    assert people.link_holds(state, link)  # a mistake does not spend it
    person = people.make_administrator(state, link, "ada", PASSWORD)
    assert people.find(state, person).grants == (Grant(Role.ADMINISTRATOR),)  # type: ignore[union-attr]
    with pytest.raises(FindingError) as spent:
        people.make_administrator(state, link, "eve", PASSWORD)
    assert code_of(spent)[0] == "people.link-spent"
    with state.writing() as con:
        con.execute(
            "INSERT INTO setup_link VALUES (?, ?)",
            (people.digest("old"), stamp(datetime.now(UTC) - timedelta(seconds=1))),
        )
    assert not people.link_holds(state, "old")


@pytest.mark.parametrize("password", ["aaaaaaaaaaaaaaa", "qwertyuiopas", "ADA.LOVELACE", "432109876543"[:12]])
def test_passwords_that_are_guessed_first(state: State, password: str) -> None:
    with pytest.raises(FindingError) as refused:
        people.add_person(state, "test", "ada.lovelace", password)
    assert code_of(refused)[0] in ("people.password-common",)


def test_names(state: State) -> None:
    people.add_person(state, "test", "李工", PASSWORD)
    people.add_person(state, "test", "Ada", PASSWORD)
    with pytest.raises(FindingError) as taken:
        people.add_person(state, "test", "ada", PASSWORD)
    assert code_of(taken) == ("people.name-taken", {"name": "ada"})
    for name in ("a", "two words", "x" * 65, "<b>"):
        with pytest.raises(FindingError) as wrong:
            people.add_person(state, "test", name, PASSWORD)
        assert code_of(wrong) == ("people.name-wrong", {"name": name})


def test_the_last_administrator_stays(state: State) -> None:
    ada = people.add_person(state, "test", "ada", PASSWORD, [Grant(Role.ADMINISTRATOR)])
    person = people.find(state, ada)
    assert person is not None
    for attempt in (
        lambda: people.set_grants(state, "ada", person, []),
        lambda: people.remove(state, "ada", person),
    ):
        with pytest.raises(FindingError) as refused:
            attempt()
        assert code_of(refused) == ("people.last-administrator", {"name": "ada"})
    people.add_person(state, "ada", "bob", PASSWORD, [Grant(Role.ADMINISTRATOR)])
    secret = sessions.begin(state, ada)
    people.remove(state, "bob", person)
    assert sessions.of_session(state, secret) is None
    assert people.prove(state, "ada", PASSWORD).person is None
    assert [(item.name, item.left) for item in people.people(state)] == [("ada", True), ("bob", False)]


def test_a_password_is_kept_as_a_hash_and_a_new_one_ends_the_sessions(state: State) -> None:
    ada = people.add_person(state, "test", "ada", PASSWORD)
    row = state.row("SELECT hash FROM person")
    assert row is not None
    assert row["hash"].startswith("$argon2id$")
    # what people use, as RFC 9106 has it for machines with little memory: 64 MiB, 3 passes, 4 lanes
    assert AS_SHIPPED.hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    secret = sessions.begin(state, ada)
    assert sessions.of_session(state, secret).name == "ada"  # type: ignore[union-attr]
    assert state.row("SELECT 1 FROM session WHERE hash = ?", secret) is None  # only its digest is kept
    person = people.find(state, ada)
    assert person is not None
    people.set_password(state, "ada", person, "another good password")
    assert sessions.of_session(state, secret) is None
    assert people.prove(state, "ada", PASSWORD).person is None
    assert people.prove(state, " ADA ", "another good password").person == ada


def test_a_code_is_asked_for_and_counts_once(state: State) -> None:
    ada = people.add_person(state, "test", "ada", PASSWORD)
    person, secret = people.find(state, ada), people.new_code_secret()
    assert person is not None
    step = int(time.time()) // 30
    code = pyotp.TOTP(secret).generate_otp
    with pytest.raises(FindingError) as wrong:
        people.enrol(state, person, secret, code(step + 50))
    assert code_of(wrong)[0] == "people.code-wrong"
    people.enrol(state, person, secret, code(step - 1))
    assert people.prove(state, "ada", PASSWORD) == people.Proof(None, code_missing=True)
    assert people.prove(state, "ada", "wrong password", code(step)).person is None
    assert people.prove(state, "ada", PASSWORD, code(step - 1)).person is None  # spent by enrolling
    assert people.prove(state, "ada", PASSWORD, code(step)).person == ada
    assert people.prove(state, "ada", PASSWORD, code(step)).person is None
    people.drop_second_factor(state, "boss", person)
    assert people.prove(state, "ada", PASSWORD).person == ada


# -- sessions, tokens, attempts ---------------------------------------------------------------------------------------


def test_sessions_and_tokens_run_out(state: State) -> None:
    ada = people.add_person(state, "test", "ada", PASSWORD, [Grant(Role.ENGINEER, "plant", "mill")])
    secret = sessions.begin(state, ada)
    who = sessions.of_session(state, secret)
    assert who is not None
    assert who.csrf
    for column, hours in (("used", 13), ("made", 24 * 8)):
        with state.writing() as con:
            con.execute(
                "UPDATE session SET made = ?, used = ?", (stamp(datetime.now(UTC)), stamp(datetime.now(UTC)))
            )
            con.execute(
                f"UPDATE session SET {column} = ?", (stamp(datetime.now(UTC) - timedelta(hours=hours)),)
            )
        assert sessions.of_session(state, secret) is None
    name, token = sessions.make_token(state, who, "robot", [Action.SEE], 1)
    found = sessions.of_token(state, token)
    assert found is not None
    assert (found.token, found.scopes, found.csrf) == (name, {Action.SEE}, "")
    assert [item.label for item in sessions.tokens(state, ada)] == ["robot"]
    with state.writing() as con:
        con.execute("UPDATE token SET until = ?", (stamp(datetime.now(UTC)),))
    assert sessions.of_token(state, token) is None
    assert sessions.drop_token(state, who, name)
    assert not sessions.drop_token(state, who, name)


def test_guessing_is_slowed_by_name_and_by_address(state: State) -> None:
    ada = people.add_person(state, "test", "ada", PASSWORD)
    for _ in range(5):
        assert sessions.sign_in(state, "Ada", "wrong", "", "10.0.0.1").person is None
    with pytest.raises(FindingError) as refused:  # even with the right password, from anywhere
        sessions.sign_in(state, "ada", PASSWORD, "", "10.0.0.2")
    assert code_of(refused) == ("session.too-many-attempts", {"count": 5, "minutes": 15})
    with state.writing() as con:
        con.execute("UPDATE failed SET at = ?", (stamp(datetime.now(UTC) - timedelta(minutes=16)),))
    assert sessions.sign_in(state, "ada", PASSWORD, "", "10.0.0.2").person == ada
    with state.writing() as con:
        moment = stamp(datetime.now(UTC))
        con.executemany("INSERT INTO failed VALUES ('address:10.0.0.9', ?)", [(moment,)] * 50)
    with pytest.raises(FindingError):
        sessions.sign_in(state, "ada", PASSWORD, "", "10.0.0.9")


def test_the_way_in_and_out(console: Console) -> None:
    console.person("walker")
    client = console.client()
    first = client.get("/plants/small/overview?period=2024")
    assert (first.status_code, first.headers["location"]) == (
        303,
        "/sign-in?next=/plants/small/overview%3Fperiod%3D2024",
    )
    wrong = client.post("/sign-in/enter", data={"name": "walker", "password": "wrong", "next": "/x"})
    assert wrong.headers["location"] == "/sign-in?next=%2Fx&said=wrong"
    right = client.post(
        "/sign-in/enter", data={"name": "walker", "password": PASSWORD, "next": "//evil.example"}
    )
    assert right.headers["location"] == "/"
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # http on the machine itself
    page = client.get("/").text
    csrf = page.split('name="csrf" content="')[1].split('"')[0]
    assert client.post("/sign-in/leave", data={"csrf": csrf}).headers["location"] == "/sign-in"
    assert client.get("/").headers["location"] == "/sign-in?next=/"


def test_after_too_many_attempts_the_answer_says_when(console: Console) -> None:
    client = console.client()
    answers = [client.post("/sign-in/enter", data={"name": "ghost", "password": "x"}) for _ in range(6)]
    assert [item.status_code for item in answers] == [303] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "900"
    assert codes(answers[-1]) == ["session.too-many-attempts"]


# -- audit ------------------------------------------------------------------------------------------------------------


def test_the_audit_log_shows_every_alteration(state: State, tmp_path: Path) -> None:
    for number in range(4):
        with state.writing() as con:
            audit.append(con, "ada", "target.set", "plant:mill", {"value": number})
    done = audit.verify(tmp_path)
    assert (done.entries, done.findings) == (4, ())
    third = [entry.digest for entry in audit.entries(sqlite3.connect(state.file))][2]
    for statement in ("UPDATE audit SET person = 'eve'", "DELETE FROM audit WHERE number = 4"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), state.writing() as con:
            con.execute(statement)
    con = sqlite3.connect(state.file, isolation_level=None)
    con.execute("DROP TRIGGER audit_stays")
    con.execute("DROP TRIGGER audit_keeps")
    con.execute("DELETE FROM audit WHERE number = 4")  # the end cut off: only a noted digest tells
    assert audit.verify(tmp_path).findings == ()
    assert audit.verify(tmp_path, third[:12]).findings == ()
    cut = audit.verify(tmp_path, done.digest).findings[0]
    assert (cut.code, cut.values) == ("audit.digest-missing", {"digest": done.digest})
    con.execute("""UPDATE audit SET detail = '{"value": 7}' WHERE number = 2""")
    altered = audit.verify(tmp_path).findings[0]
    assert (altered.code, altered.values["number"]) == ("audit.broken", 2)
    assert (
        altered.says("en")
        == "Entry 2 of the audit log is not what was written: its digest does not follow from what it says."
    )
    con.execute("DELETE FROM audit WHERE number = 1")
    assert audit.verify(tmp_path).findings[0].values["number"] == 2
    con.close()
    with pytest.raises(FindingError) as absent:
        audit.verify(tmp_path / "elsewhere")
    assert code_of(absent)[0] == "audit.absent"


def test_a_change_and_its_entry_are_one(console: Console) -> None:
    state = console.shared.state
    before = len(state.rows("SELECT 1 FROM audit"))
    client = console.administrator()
    target = {
        "rulebook": "cn_gbt_2589_2020",
        "quantity": "comprehensive_energy",
        "period": "2025",
        "value": 3.0,
    }
    client.post("/plants/other/overview/target.json", json=target)
    row = state.rows("SELECT * FROM audit")[before]
    assert (row["person"], row["action"], row["place"]) == ("boss", "target.set", "plant:other")
    assert '"value": 3.0' in row["detail"]

    def half() -> None:
        with state.writing() as con:
            audit.append(con, "x", "y", "z")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert len(state.rows("SELECT 1 FROM audit")) == before + 1


# -- repeated changes --------------------------------------------------------------------------------------------------


def test_a_change_sent_twice_is_made_once(console: Console) -> None:
    client, state = console.administrator(), console.shared.state
    target = {
        "rulebook": "cn_gbt_2589_2020",
        "quantity": "comprehensive_energy",
        "period": "2026",
        "value": 3.0,
    }
    where, key = "/plants/small/overview/target.json", {"idempotency-key": "k-1"}
    first = client.post(where, json=target, headers=key)
    entries = len(state.rows("SELECT 1 FROM audit"))
    again = client.post(where, json=target, headers=key)
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(state.rows("SELECT 1 FROM audit")) == entries
    other = client.post(where, json={**target, "value": 4.0}, headers=key)
    assert (other.status_code, codes(other)) == (409, ["request.repeated-otherwise"])
    # a refusal is not remembered: the key is free for the corrected request
    wrong = client.post(where, json={**target, "quantity": "nothing"}, headers={"idempotency-key": "k-2"})
    assert wrong.status_code == 422
    assert client.post(where, json=target, headers={"idempotency-key": "k-2"}).status_code == 200
    # one that was killed half-way keeps its key until the next start
    with state.writing() as con:
        con.execute(
            "INSERT INTO repeated SELECT person, path, 'k-3', content, at, NULL, NULL FROM repeated LIMIT 1"
        )
    assert client.post(where, json=target, headers={"idempotency-key": "k-3"}).status_code == 409
    idempotency.forget_unfinished(state)
    assert client.post(where, json=target, headers={"idempotency-key": "k-3"}).status_code == 200
