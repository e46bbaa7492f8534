"""Idempotency: a change that is sent twice with one key is made once, and answered twice alike.

The key is remembered with its answer for a day, per person and address. A key whose first request was killed half-way is
free again after a restart: what it changed is either committed or not there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from celadon.core.findings import FindingError, Place
from celadon.web import problems
from celadon.web.access import Identity
from celadon.web.state import State, now, stamp

SCHEMA = """
CREATE TABLE IF NOT EXISTS repeated (
    person TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, at TEXT NOT NULL, status INTEGER, answer TEXT,
    PRIMARY KEY (person, path, key)
) STRICT;
"""
_KEPT = timedelta(days=1)
Work = Callable[[], tuple[int, str]]


def forget_unfinished(state: State) -> None:
    """At start: nobody works on the requests of an earlier server."""
    with state.writing() as con:
        con.execute("DELETE FROM repeated WHERE status IS NULL")


def once(
    state: State, who: Identity | None, path: str, key: str | None, content: str, work: Work
) -> tuple[int, str, bool]:
    """Status and text of `work`, and whether they are an earlier answer.

    Raises:
        FindingError: `request.repeated-otherwise`, or what `work` raises (the key is free again then).
    """
    if key is None or who is None:
        return (*work(), False)
    own = (who.person, path, key)
    found = _take(state, own, content)
    if found is not None:
        return (*found, True)
    try:
        status, answer = work()
    except BaseException:
        with state.writing() as con:
            con.execute("DELETE FROM repeated WHERE person = ? AND path = ? AND key = ?", own)
        raise
    with state.writing() as con:
        sql = "UPDATE repeated SET status = ?, answer = ? WHERE person = ? AND path = ? AND key = ?"
        con.execute(sql, (status, answer, *own))
    return status, answer, False


def _take(state: State, own: tuple[str, str, str], content: str) -> tuple[int, str] | None:
    """Claim the key; the earlier answer where it was claimed before."""
    old = stamp(datetime.now(UTC) - _KEPT)
    with state.writing() as con:
        con.execute("DELETE FROM repeated WHERE at < ?", (old,))
        try:
            con.execute("INSERT INTO repeated VALUES (?, ?, ?, ?, ?, NULL, NULL)", (*own, content, now()))
        except sqlite3.IntegrityError:
            sql = "SELECT content, status, answer FROM repeated WHERE person = ? AND path = ? AND key = ?"
            row = con.execute(sql, own).fetchone()
            if row["content"] != content or row["status"] is None:
                raise FindingError(problems.REPEATED.at(Place(subject=own[1]), key=own[2])) from None
            return int(row["status"]), str(row["answer"])
    return None
