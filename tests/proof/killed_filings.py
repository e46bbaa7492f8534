"""A script: kill -9 filings at random moments and look at the log after each. Prints what it saw.

A process of its own because it forks, and a process that has used DuckDB must not. The child is a whole filing at first; then,
to hit the few milliseconds in which files are written, only the entering of packages, over and over.
"""

import json
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from celadon.proof import verifier
from celadon.proof.log import Filings
from tests.proof import filed


def enter(store: Path, number: int) -> None:
    """Enter packages that differ, one after another, until killed."""
    filings = Filings(store)
    template = dict(filings.entries()[0].body)
    payload = {"data/README.txt": b"x" * 200_000}
    while True:
        number += 1
        body = {**template, "filing": f"{number:064x}", "package": ""}
        filings.add(json.dumps(body).encode() + payload["data/README.txt"], body, filed.SIGNER)


def timed(store: Path) -> float:
    """How long it takes to enter one package, here and now."""
    filings = Filings(store)
    body = {**filings.entries()[0].body, "filing": "f" * 64, "package": ""}
    before = time.monotonic()
    filings.add(json.dumps(body).encode() + b"x" * 200_000, body, filed.SIGNER)
    return time.monotonic() - before


def in_child(work, after: float) -> None:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def look(store: Path, seen: list[str]) -> list[str]:
    """The ids there are; every one that was seen before is, in its place, and each is whole."""
    filings = Filings(store)
    entries = filings.entries()
    ids = [entry.id for entry in entries]
    assert ids[: len(seen)] == seen, "a filing went or moved"
    head = filings.checkpoint()
    assert head is not None
    assert head.size == len(entries)
    for entry in entries[len(seen) :]:
        content = filings.package(entry).read_bytes()
        if entry.body["package"]:
            bag = verifier.Bag(filings.package(entry))
            assert bag.id == entry.id
            assert not list(verifier.problems(bag, filed.SIGNER.key))
        else:
            assert len(content) > 200_000
            assert json.loads(content[: content.index(b"x" * 1000)])["filing"] == entry.id
        proof = filings.proof(entry)
        assert proof.startswith(b"c2sp.org/tlog-proof@v1\nextra ")
        note = proof.partition(b"\n\n")[2]
        assert verifier.note_holds(note, filed.SIGNER.key)
    return ids


def main(folder: Path, whole: int, quick: int) -> None:
    store, chance = folder / "celadon-store", random.Random(9162)
    seen = look(store, [])
    for number in range(whole):
        reports = {"report.txt": str(number).encode()}
        in_child(partial(filed.file, folder, reports=reports), chance.uniform(0.0, 0.9))
        seen = look(store, seen)
    by_filing = len(seen)
    usual = timed(store)
    seen = look(store, seen)
    for number in range(quick):
        in_child(partial(enter, store, number * 1000), chance.uniform(0.0, 4 * usual))
        seen = look(store, seen)
    unfinished = len(list((store / "filings").glob("*.zip*"))) - len(seen)
    print(json.dumps({"filed": by_filing, "entered": len(seen), "unfinished": unfinished}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
