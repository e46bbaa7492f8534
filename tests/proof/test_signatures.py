"""The small verifier's Ed25519 against the vectors of RFC 8032 section 7.1 and another implementation; signed notes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from celadon.proof import keys, verifier
from celadon.proof.checking import verifier_key
from celadon.proof.verifier import ed25519_holds, key_of, note_holds, read_key
from tests.proof import filed

# RFC 8032, 7.1: (public key, message, signature) of TEST 1, TEST 2, TEST 3 and TEST SHA(abc).
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_rfc_8032_vectors(public: str, message: str, signature: str) -> None:
    parts = [bytes.fromhex(text) for text in (public, message, signature)]
    assert ed25519_holds(*parts)
    for place, part in enumerate(parts):
        for bit in (0, 7, 8 * len(part) - 1) if part else ():
            changed = bytearray(part)
            changed[bit // 8] ^= 1 << bit % 8
            assert not ed25519_holds(*parts[:place], bytes(changed), *parts[place + 1 :])


def test_what_another_implementation_signs_holds_and_an_equal_signature_is_not_taken_twice() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key().public_bytes_raw()
    for size in (0, 1, 64, 1000):
        message = bytes(size)
        signature = private.sign(message)
        assert ed25519_holds(public, message, signature)
        # RFC 8032, 5.1.7: S not below the order of the group is refused, though the equation would hold.
        s = int.from_bytes(signature[32:], "little") + ORDER
        assert not ed25519_holds(public, message, signature[:32] + s.to_bytes(32, "little"))
        assert not ed25519_holds(public, message, signature[:-1])
        assert not ed25519_holds(public[:-1], message, signature)


def test_the_published_example_of_a_signed_note() -> None:
    """The key and note that the documentation of golang.org/x/mod/sumdb/note prints."""
    key = read_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    assert note_holds(f"{text}\n{line}".encode(), key) == text.encode()
    assert note_holds(f"{text}\n— Somebody x08go/ZJ\n{line}".encode(), key) == text.encode()
    assert note_holds(f"{text.upper()}\n{line}".encode(), key) is None
    assert note_holds(text.encode(), key) is None
    assert note_holds(b"", key) is None


def test_keys_stay_with_their_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with filed.refused("key.absent", r"“mill” in .*celadon/keys"):
        keys.load("mill")
    signer = keys.new("mill")
    file = tmp_path / "celadon" / "keys" / "mill.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert keys.load("mill").key == signer.key
    assert [one.name for one in keys.known()] == ["mill"]
    with filed.refused("key.exists", r"“mill”"):
        keys.new("mill")
    text = b"celadon\n"
    assert note_holds(signer.note(text), signer.key) == text
    assert note_holds(signer.note(text), key_of("other", signer.key.public)) is None
    file.chmod(0o640)
    with filed.refused("key.open", r"mill\.pem"):
        keys.load("mill")
    file.chmod(0o600)
    file.write_text("no key")
    with filed.refused("key.unreadable", r"“mill”"):
        keys.load("mill")
    with filed.refused("key.unreadable", r"“\.\./x”"):
        keys.new("../x")


def test_verifier_keys_are_read_whole(tmp_path: Path) -> None:
    written = str(key_of("mill", bytes.fromhex(RFC_8032[0][0])))
    (tmp_path / "mill.pub").write_text(written + "\n")
    assert verifier_key(written) == verifier_key(str(tmp_path / "mill.pub")) == read_key(written)
    for wrong in ("mill", written[:-2] + "==", written.replace("mill", "kiln"), ""):
        with filed.refused("key.unreadable", r"is no key: not name\+id\+base64"):
            verifier_key(wrong)


def test_the_verifier_is_small_and_needs_nothing() -> None:
    file = Path(verifier.__file__)
    lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
    assert len(lines) < 330
    code = f"import runpy, sys; runpy.run_path({str(file)!r}); print({{n.split('.')[0] for n in sys.modules}} - set(sys.stdlib_module_names))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() in ("{'__main__'}", "set()")
