"""The Merkle tree and its proofs, against the published test cases of transparency-dev/merkle and against each other."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celadon.proof import merkle
from celadon.proof.verifier import included, leaf_hash
from tests.shared_data import shared

pytestmark = pytest.mark.shared_data


def _cases(name: str) -> list[dict]:
    return [json.loads(line) for line in shared(f"data/merkle/{name}.jsonl").read_text("utf-8").splitlines()]


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def test_inclusion_cases_are_accepted_and_refused_as_published() -> None:
    wrong = [
        case
        for case in _cases("inclusion")
        if included(
            _bytes(case["leafHash"]),
            case["leafIdx"],
            case["treeSize"],
            [_bytes(item) for item in case["proof"] or ()],
            _bytes(case["root"]),
        )
        is case["wantErr"]
    ]
    assert len(_cases("inclusion")) == 65
    assert wrong == []


def test_consistency_cases_are_accepted_and_refused_as_published() -> None:
    wrong = [
        case
        for case in _cases("consistency")
        if merkle.consistent(
            case["size1"],
            case["size2"],
            [_bytes(item) for item in case["proof"] or ()],
            _bytes(case["root1"]),
            _bytes(case["root2"]),
        )
        is case["wantErr"]
    ]
    assert len(_cases("consistency")) == 65
    assert wrong == []


def test_roots_of_the_reference_leaves() -> None:
    expected = json.loads(shared("data/merkle/expected.json").read_text("utf-8"))
    # The classic leaves of the certificate-transparency reference tests.
    leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    entries = [bytes.fromhex(leaf) for leaf in leaves]
    roots = expected["roots_hex_size_0_to_8"]
    told = [roots[str(size)] for size in range(9)] if isinstance(roots, dict) else roots
    assert [merkle.root(entries[:size]).hex() for size in range(9)] == told


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=40), st.data())
def test_proofs_made_here_hold_and_any_changed_bit_breaks_them(
    entries: list[bytes], data: st.DataObject
) -> None:
    root = merkle.root(entries)
    index = data.draw(st.integers(0, len(entries) - 1))
    proof = merkle.inclusion_proof(entries, index)
    assert included(leaf_hash(entries[index]), index, len(entries), proof, root)
    assert not included(leaf_hash(entries[index] + b"x"), index, len(entries), proof, root)
    first = data.draw(st.integers(1, len(entries)))
    path, before = merkle.consistency_proof(entries, first), merkle.root(entries[:first])
    assert merkle.consistent(first, len(entries), path, before, root)
    other = hashlib.sha256(before).digest()
    assert not merkle.consistent(first, len(entries), path, other, root)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        path[at] = bytes([path[at][0] ^ 1]) + path[at][1:]
        assert not merkle.consistent(first, len(entries), path, before, root)


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        merkle.inclusion_proof([b"a"], 1)
    with pytest.raises(IndexError):
        merkle.consistency_proof([b"a"], 2)
