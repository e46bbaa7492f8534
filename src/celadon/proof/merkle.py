"""Merkle trees as RFC 9162 section 2.1 has them: roots and proofs from a log's entries, and consistency checked.

Hashes are 32 bytes of SHA-256. What a third party needs to check an inclusion is in `verifier`, which needs nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from celadon.proof.verifier import leaf_hash, node_hash

EMPTY = hashlib.sha256().digest()
"""The root of a tree without entries."""


def root(entries: Sequence[bytes]) -> bytes:
    """The root of the tree over these entries."""
    return _root([leaf_hash(entry) for entry in entries])


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    split = _split(len(leaves))
    return node_hash(_root(leaves[:split]), _root(leaves[split:]))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(entries: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from entry `index` up to the root, lowest first (IndexError where there is none)."""
    if not 0 <= index < len(entries):
        raise IndexError(index)
    return _path([leaf_hash(entry) for entry in entries], index)


def _path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    if len(leaves) < 2:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*_path(leaves[:split], index), _root(leaves[split:])]
    return [*_path(leaves[split:], index - split), _root(leaves[:split])]


def consistency_proof(entries: Sequence[bytes], first: int) -> list[bytes]:
    """What shows that the tree of these entries begins with the tree of the `first` of them."""
    if not 0 <= first <= len(entries):
        raise IndexError(first)
    if first in (0, len(entries)):
        return []
    return _steps([leaf_hash(entry) for entry in entries], first, whole=True)


def _steps(leaves: Sequence[bytes], first: int, *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [_root(leaves)]
    split = _split(len(leaves))
    if first <= split:
        return [*_steps(leaves[:split], first, whole=whole), _root(leaves[split:])]
    return [*_steps(leaves[split:], first - split, whole=False), _root(leaves[:split])]


def consistent(first: int, second: int, proof: Sequence[bytes], before: bytes, after: bytes) -> bool:
    """Whether the tree of `second` entries with root `after` begins with that of `first` with root `before` (2.1.4.2)."""
    if first == second:
        return not proof and before == after and (first > 0 or before == EMPTY)
    if first == 0:
        return second > 0 and not proof and before == EMPTY
    if not 0 < first < second or not proof:
        return False
    path = list(proof) if first & (first - 1) else [before, *proof]
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for item in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(item, old), node_hash(item, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, item)
        at, last = at >> 1, last >> 1
    return last == 0 and old == before and new == after
