"""The log: append-only, whole after any kill, its growth provable to whoever kept an earlier head."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from celadon.proof.log import Entry, Filings, read_checkpoint
from celadon.proof.verifier import note_holds
from tests.plant import small
from tests.proof import filed

ROOT = Path(__file__).parent.parent.parent
BODY = {
    "filed_at": "2026-01-01T00:00:00+00:00",
    "enterprise": "acme",
    "key": str(filed.SIGNER.key),
    "package": "",
}


def add(filings: Filings, name: str) -> Entry:
    return filings.add(name.encode(), {**BODY, "filing": name * 64}, filed.SIGNER)[0]


def test_entries_stay_and_the_head_is_signed(tmp_path: Path) -> None:
    filings = Filings(tmp_path)
    assert filings.entries() == []
    assert filings.checkpoint() is None
    heads = []
    for name in "abcde":
        entry = add(filings, name)
        heads.append(filings.checkpoint())
        assert filings.package(entry).read_bytes() == name.encode()
    assert [entry.id[0] for entry in filings.entries()] == list("abcde")
    for size, head in enumerate(heads, 1):
        assert head is not None
        assert head.size == size
        assert (
            note_holds(head.note, filed.SIGNER.key)
            == f"celadon/acme/filings\n{size}\n".encode() + head.note.split(b"\n")[2] + b"\n"
        )
        assert filings.consistency(head, filed.SIGNER.key, "kept") == 5 - size
    entry, new = filings.add(b"other", {**BODY, "filing": "b" * 64}, filed.SIGNER)
    assert (entry.index, new) == (1, False)
    assert filings.package(entry).read_bytes() == b"b"


def test_ids_are_found_by_their_beginning(tmp_path: Path) -> None:
    filings = Filings(tmp_path)
    add(filings, "a")
    assert filings.find("a" * 8, "acme").index == 0
    for wrong in ("a" * 7, "b" * 12, ""):
        with filed.refused("filing.unknown", r"No filing of acme is"):
            filings.find(wrong, "acme")


def test_a_rewritten_log_is_found_out(tmp_path: Path) -> None:
    """Entry 1 is exchanged and everything after it signed anew: only who kept an earlier head can tell, and does."""
    filings = Filings(tmp_path / "one")
    for name in "abc":
        add(filings, name)
    kept = filings.checkpoint()
    assert kept is not None
    other = Filings(tmp_path / "other")
    for name in "axcd":
        add(other, name)
    with filed.refused("filing.log-not-consistent", r"4 entries does not begin with the 3"):
        other.consistency(kept, filed.SIGNER.key, "kept")
    with filed.refused("filing.log-not-consistent"):
        filings.consistency(kept, filed.OTHER.key, "kept")
    with filed.refused("filing.log-not-consistent"):
        Filings(tmp_path / "empty").consistency(kept, filed.SIGNER.key, "kept")


@pytest.mark.parametrize("name", ["log", "checkpoint"])
def test_a_changed_log_is_damaged(name: str, tmp_path: Path) -> None:
    filings = Filings(tmp_path)
    for entry in "abc":
        add(filings, entry)
    file = tmp_path / "filings" / name
    content = file.read_bytes()
    for changed in (content[:-40], content.replace(b"acme", b"bcme"), b""):
        file.write_bytes(changed)
        with filed.refused("filing.log-damaged"):
            filings.entries()
        with filed.refused("filing.log-damaged"):
            add(filings, "d")
    file.write_bytes(content)
    assert len(filings.entries()) == 3
    for wrong in (b"", b"a\nb\nc\n", b"a\n1\nAA==\n"):
        with pytest.raises(ValueError):  # noqa: PT011  (of several kinds, all of them refusals)
            read_checkpoint(wrong)


def test_unfinished_work_is_not_seen_and_goes(tmp_path: Path) -> None:
    filings = Filings(tmp_path)
    add(filings, "a")
    log = tmp_path / "filings" / "log"
    with log.open("ab") as stream:
        stream.write(b'{"filing": "half')
    assert len(filings.entries()) == 1
    with log.open("ab") as stream:
        stream.write(b'"}\n{"filing": "more"}\n')
    assert len(filings.entries()) == 1
    add(filings, "b")
    assert [entry.id[0] for entry in filings.entries()] == ["a", "b"]
    assert log.read_bytes().count(b"\n") == 2


def test_two_at_once_both_get_in(tmp_path: Path) -> None:
    threads = [
        threading.Thread(
            target=lambda name=name: [add(Filings(tmp_path), f"{name}{number}") for number in range(5)]
        )
        for name in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Filings(tmp_path).entries()) == 10


@pytest.mark.stress
def test_killed_at_any_moment_nothing_half_done_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    small.loaded(folder).close()
    filed.file(folder)
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof.killed_filings", str(folder), "6", "30"],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    body = json.loads(done.stdout)
    assert body["entered"] > body["filed"] + 1 >= 2
    assert body["unfinished"] > 0, "no kill fell between a package and its entry"
    assert filed.file(folder).entry.index == 0
