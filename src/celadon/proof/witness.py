"""What outsiders hold a firm to: a head of its log that they kept, and keys that were withdrawn.

Whoever keeps a head of the log (a checkpoint, as `celadon filings PLANT --head` prints it) can have it shown later that a filing's
proof is of the same log: the roots are one, or a growth file (RFC 9162, section 2.1.4) leads from the smaller tree to the larger.
A key is withdrawn by a note that it signs itself; only what a kept head counts is then known to be older than the theft of a key.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from celadon.core.findings import Finding, Place
from celadon.proof import faults, merkle
from celadon.proof.log import Checkpoint, checkpoint_in, read_checkpoint
from celadon.proof.verifier import Problem

GROWTH = ".tlog-growth"
"""Ending of the file, beside a proof, that leads from a kept head to the proof's checkpoint, or the other way."""
_VERSION = "celadon/log-growth@v1"


def growth(lines: Sequence[bytes], first: int, second: int) -> bytes:
    """What shows that the log of `second` of these entries began as the log of `first`."""
    hashes = [base64.b64encode(item).decode() for item in merkle.consistency_proof(lines[:second], first)]
    return "\n".join([_VERSION, f"from {first}", f"to {second}", *hashes, ""]).encode()


def _grew(content: bytes, first: Checkpoint, second: Checkpoint) -> bool:
    """Whether a growth file leads from one checkpoint to another."""
    try:
        version, low, high, *hashes = content.decode("ascii").rstrip("\n").split("\n")
        path = [base64.b64decode(item, validate=True) for item in hashes]
    except ValueError:
        return False
    sizes = (f"from {first.size}", f"to {second.size}")
    proved = merkle.consistent(first.size, second.size, path, first.root, second.root)
    return (version, low, high) == (_VERSION, *sizes) and proved


def against_head(head: Path, proof: Path) -> tuple[list[Finding], bool]:
    """What is wrong between a kept head and a filing's proof (which holds), and whether the head counts the filing.

    The head counts because it was kept, whichever key of the firm had signed it.
    """
    try:
        kept = read_checkpoint(checkpoint_in(head.read_bytes()))
        told = proof.read_bytes()
        given = read_checkpoint(checkpoint_in(told))
        index = int(told.split(b"\n")[2].removeprefix(b"index "))
    except (ValueError, IndexError, OSError):
        return [faults.HEAD_UNREADABLE.at(Place(file=str(head)), path=head.name)], False
    place = Place(file=str(head))
    if kept.origin != given.origin:
        return [faults.HEAD_OTHER.at(place, path=head.name, found=kept.origin, log=given.origin)], False
    first, second = sorted((kept, given), key=lambda item: item.size)
    file = proof.with_suffix(GROWTH)
    if first.size == second.size:
        same = first.root == second.root
    elif not file.is_file():
        found = faults.HEAD_UNPROVED.at(
            place, path=head.name, head=kept.size, size=given.size, growth=file.name
        )
        return [found], False
    else:
        same = _grew(file.read_bytes(), first, second)
    if not same:
        return [faults.LOG_OTHER.at(place, size=given.size, earlier=kept.size, path=head.name)], False
    return [], index < kept.size


def softened(item: Problem, file: str, head: Path) -> Finding:
    """A withdrawn key's filing that a kept head counts: to be weighed, not refused."""
    return faults.KEY_REVOKED_LATER.at(Place(file=file), **item.values, path=head.name)
