"""Keys that filings are signed with: Ed25519, in the user's own configuration folder, never in the plant's.

A private key is a PEM file (PKCS 8) that only its owner may read; its verifier key, `name+id+base64`, is what others are given.
"""

from __future__ import annotations

import base64
import os
import re
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, Place
from celadon.core.text import Text, text_of
from celadon.proof import faults
from celadon.proof.key_folder import REVOKED, key_folder
from celadon.proof.verifier import REVOCATION, Key, key_of, revocation
from celadon.store.faults import extra_missing

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
except ImportError as error:
    raise extra_missing("filings", "cryptography") from error

USUAL = "celadon"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Signer:
    """A private key under its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> Key:
        """What others check its signatures with."""
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        return key_of(self.name, self.private.public_key().public_bytes(*raw))

    def note(self, text: bytes) -> bytes:
        """`text` (ending in a newline) as a signed note (C2SP signed-note)."""
        signature = base64.b64encode(self.key.id + self.private.sign(text)).decode()
        return text + f"\n— {self.name} {signature}\n".encode()


def folder() -> Path:
    """The user's folder of keys: of XDG_CONFIG_HOME or APPDATA where set, else ~/.config."""
    return key_folder()


@dataclass(frozen=True)
class Withdrawn:
    """That a key counts no longer: since when, why, and the note that says so, signed by the key itself."""

    at: str
    reason: str
    file: Path

    def to_json(self) -> dict[str, str]:
        return {"at": self.at, "reason": self.reason, "file": str(self.file)}


def withdrawn(name: str) -> Withdrawn | None:
    """Whether the user's key of that name was withdrawn."""
    file = _file(name).with_suffix(REVOKED)
    found = revocation(file.read_bytes()) if file.is_file() else None
    return Withdrawn(found[1], found[2], file) if found else None


def revoke(which: str, reason: str) -> tuple[Signer, Withdrawn]:
    """Withdraw a key, named by its name, its id or its verifier key; once withdrawn it stays so, with its first reason.

    Raises:
        FindingError: `key.absent`.
    """
    place = Place(file=str(folder()))
    found = [one for one in known() if which in (one.name, one.key.id.hex(), str(one.key))]
    if len(found) != 1:
        raise FindingError(faults.KEY_ABSENT.at(place, name=which[:120], folder=str(folder())))
    signer = found[0]
    if (before := withdrawn(signer.name)) is not None:
        return signer, before
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = f"{REVOCATION}\nkey {signer.key}\nat {at}\nreason {' '.join(reason.split())}\n"
    file = _file(signer.name).with_suffix(REVOKED)
    draft = file.with_suffix(".part")
    draft.write_bytes(signer.note(text.encode()))
    draft.replace(file)
    return signer, Withdrawn(at, " ".join(reason.split()), file)


def _file(name: str) -> Path:
    if not _NAME.fullmatch(name):
        why = Text("a name is letters, digits, dots, hyphens", "名称应由字母、数字、点、连字符组成")
        raise FindingError(faults.KEY_UNREADABLE.at(Place(subject=name[:80]), name=name[:80], why=why))
    return folder() / f"{name}.pem"


def new(name: str = USUAL) -> Signer:
    """Make a key; only its owner may read the file (FindingError `key.exists`)."""
    file = _file(name)
    signer = Signer(name, Ed25519PrivateKey.generate())
    pem = signer.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        place = Place(file=str(file))
        raise FindingError(faults.KEY_EXISTS.at(place, name=name, folder=str(file.parent))) from error
    with os.fdopen(handle, "wb") as stream:
        stream.write(pem)
        stream.flush()
        os.fsync(handle)
    return signer


def load(name: str = USUAL) -> Signer:
    """The key of that name, to sign with.

    Raises:
        FindingError: `key.absent`, `key.open` where others may read it, `key.unreadable`, `key.revoked`.
    """
    signer = _load(name)
    if (gone := withdrawn(name)) is not None:
        place = Place(file=str(gone.file))
        raise FindingError(faults.KEY_WITHDRAWN.at(place, name=name, at=gone.at, reason=gone.reason))
    return signer


def _load(name: str) -> Signer:
    file = _file(name)
    place = Place(file=str(file))
    try:
        pem = file.read_bytes()
    except FileNotFoundError as error:
        raise FindingError(faults.KEY_ABSENT.at(place, name=name, folder=str(file.parent))) from error
    if sys.platform != "win32" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise FindingError(faults.KEY_OPEN.at(place, path=str(file)))
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FindingError(faults.KEY_UNREADABLE.at(place, name=name, why=text_of(error))) from error
    if not isinstance(private, Ed25519PrivateKey):
        why = Text("it is not an Ed25519 key", "不是 Ed25519 密钥")
        raise FindingError(faults.KEY_UNREADABLE.at(place, name=name, why=why))
    return Signer(name, private)


def known() -> list[Signer]:
    """The user's keys, by name; those that were withdrawn too."""
    return [_load(file.stem) for file in sorted(folder().glob("*.pem")) if _NAME.fullmatch(file.stem)]
