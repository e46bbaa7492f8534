#!/usr/bin/env python3
"""Checks a filing with nothing but Python: `python verifier.py FILING.zip [--key KEY] [--proof FILE] [--revoked FILE]`.

It checks that the archive is safe to read; that BagIt manifests (RFC 8493) name every file and every file has its SHA-256; the
Ed25519 signature (RFC 8032) over the tag manifest (a C2SP signed note); that registers add up in whole ticks, and months to
the figures; and that an inclusion proof (RFC 9162, C2SP tlog-proof) leads to a signed checkpoint. It cannot tell whose key it
is, nor whether the rulebook gives these figures: `celadon verify FILING.zip` computes them anew.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import json
import math
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

MOST_BYTES, MOST_FILES, MOST_READ = 2_000_000_000, 5_000, 200_000_000
MANIFEST, TAGS, SIGNATURE = "manifest-sha256.txt", "tagmanifest-sha256.txt", "signature.note"
INFO, KEY_LABEL, DECLARATION = "bag-info.txt", "Signing-Key", "bagit.txt"
REVOCATION = "celadon/key-revocation@v1"
SAYS = {
    "filing.unreadable": "{path} is no whole zip archive. | {path} 不是完整的 zip 归档。",
    "filing.unsafe-name": "It holds “{path}”, which no filing has; nothing was unpacked. | 归档含有申报包不应有的“{path}”；未解包任何内容。",
    "filing.over-limit": "It unpacks to more than {bytes} bytes or {files} files. | 解包后超过 {bytes} 字节或 {files} 个文件。",
    "filing.not-a-bag": "{path} is missing, or not as a filing has it. | 缺少 {path}，或其内容不符合申报包格式。",
    "filing.file-missing": "{path} is in {manifest}, but not in the archive. | {manifest} 列有 {path}，归档中却没有。",
    "filing.file-unlisted": "{path} is in no manifest. | {path} 不在任何清单中。",
    "filing.file-changed": "{path} is not as it was filed. | {path} 与申报时不一致。",
    "filing.signature": "The signature over {path} is not that of {key}. | {path} 的签名与密钥 {key} 不符。",
    "filing.other-key": "It names {found} as its key, not {key}. | 其所列密钥为 {found}，而非 {key}。",
    "filing.content": "{path} is not what it should be: {why}. | {path} 的内容有误：{why}。",
    "filing.conservation": "Meter {meter}: {found} ticks by its readings, {told} attributed or in gaps. | 计量点 {meter}：读数为 {found} 刻度，已归属与缺口为 {told}。",
    "filing.sum": "{quantity} {place}: the months add up to {found}, the figure says {told}. | {quantity} {place}：各月合计 {found}，申报值为 {told}。",
    "filing.key-revoked": "The key {key} was withdrawn at {at}: {reason}. | 密钥 {key} 已于 {at} 撤销：{reason}。",
    "filing.log-proof": "{path} does not prove that this filing is in a log of {key}. | {path} 不能证明本申报在 {key} 的日志中。",
}


class Problem(NamedTuple):
    """One thing that is wrong: a key of SAYS and what fills its texts (English | Chinese)."""

    code: str
    values: dict[str, str]


def problem(code: str, **values: object) -> Problem:
    return Problem(code, {name: str(value) for name, value in values.items()})


class Refused(Exception):  # noqa: N818  (it carries a problem and is none itself)
    """The archive is not read on."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.problem = problem(code, **values)


# Ed25519 as in RFC 8032, section 5.1: verification only, so nothing here is secret.
_P, _L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_BASE = (4 * pow(5, -1, _P) % _P).to_bytes(32, "little")
_Point = tuple[int, int, int, int]


def _add(a: _Point, b: _Point) -> _Point:
    left, right = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    cross, double = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = right - left, double - cross, double + cross, right + left
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: _Point) -> _Point:
    found: _Point = (0, 1, 1, 0)
    while number:
        found = _add(found, point) if number & 1 else found
        point, number = _add(point, point), number >> 1
    return found


def _point(data: bytes) -> _Point:
    number = int.from_bytes(data, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    x = x if (x * x - square) % _P == 0 else x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and odd):
        raise ValueError("no point of the curve")
    x = _P - x if x & 1 != odd else x
    return x, y, 1, x * y % _P


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is that of `message` under the key `public` (32 bytes)."""
    try:
        key, nonce, base = _point(public), _point(signature[:32]), _point(_BASE)
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    a, b = _times(s, base), _add(nonce, _times(h, key))
    same = (a[0] * b[2] - b[0] * a[2]) % _P == 0 and (a[1] * b[2] - b[1] * a[2]) % _P == 0
    return same and s < _L and (len(public), len(signature)) == (32, 64)


class Key(NamedTuple):
    """A verifier key of a signed note, written `name+id+base64`."""

    name: str
    id: bytes
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+" + base64.b64encode(b"\1" + self.public).decode()


def key_of(name: str, public: bytes) -> Key:
    """The verifier key of an Ed25519 public key under a name."""
    return Key(name, hashlib.sha256(name.encode() + b"\n\1" + public).digest()[:4], public)


def read_key(text: str) -> Key:
    """Read `name+id+base64` (ValueError where it is none, or its id is not its own)."""
    name, _, rest = text.strip().partition("+")
    found = key_of(name, base64.b64decode(rest.partition("+")[2], validate=True)[1:])
    if str(found) != text.strip() or len(found.public) != 32:
        raise ValueError(text[:120])
    return found


def note_holds(note: bytes, key: Key) -> bytes | None:
    """The text of a signed note where one of its signatures is the key's; None otherwise."""
    text, split, lines = note.rpartition(b"\n\n")
    for line in lines.decode("utf-8", "replace").splitlines() if split else ():
        dash, name, encoded = (*line.split(" "), "", "", "")[:3]
        try:
            data = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        mine = (dash, name, data[:4]) == ("—", key.name, key.id)
        if mine and ed25519_holds(key.public, text + b"\n", data[4:]):
            return text + b"\n"
    return None


def revocation(note: bytes) -> tuple[Key, str, str] | None:
    """The key that a note withdraws, when and why; None where it is no such note, or not signed by that key itself."""
    try:
        version, key, at, reason, *more = note.partition(b"\n\n")[0].decode("utf-8").split("\n")
        found = read_key(key.removeprefix("key "))
    except ValueError:
        return None
    whole = version == REVOCATION and not more and note_holds(note, found) is not None
    return (found, at.removeprefix("at "), reason.removeprefix("reason ")) if whole else None


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry of a log (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` (a hash) is entry `index` of the tree of `size` entries with that root (section 2.1.3.2)."""
    at, last, found = index, size - 1, leaf
    for item in proof if 0 <= index < size else ():
        if last == 0:
            return False
        right = bool(at & 1) or at == last
        found = node_hash(item, found) if right else node_hash(found, item)
        while right and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return 0 <= index < size and last == 0 and found == root and len(leaf) == 32


class Bag:
    """A filing's archive, open. What is not safe to read is refused before a byte of it is unpacked."""

    def __init__(self, file: str | Path) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise Refused("filing.unreadable", path=Path(file).name) from error
        items = [item for item in self._zip.infolist() if not item.is_dir()]
        if len(items) > MOST_FILES or sum(item.file_size for item in items) > MOST_BYTES:
            raise Refused("filing.over-limit", bytes=MOST_BYTES, files=MOST_FILES)
        self.items: dict[str, zipfile.ZipInfo] = {}
        for item in items:
            parts = PurePosixPath(item.filename).parts
            plain = item.filename == "/".join(parts) and ".." not in parts and item.filename.isprintable()
            plain = plain and len(parts) > 1 and parts[0] == items[0].filename.partition("/")[0]
            linked = item.external_attr >> 16 & 0o170000 not in (0, 0o100000)
            known = (
                item.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) and not item.flag_bits & 1
            )
            path = "/".join(parts[1:])
            if (
                not plain
                or linked
                or not known
                or path in self.items
                or set(item.filename) & set('\\:*?"<>|')
            ):
                raise Refused("filing.unsafe-name", path=item.filename[:200])
            self.items[path] = item

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file's bytes in pieces, and no more of them than the archive says there are."""
        try:
            with self._zip.open(self.items[path]) as stream:
                while block := stream.read(1 << 20):
                    yield block
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise Refused("filing.file-changed", path=path) from error

    def read(self, path: str) -> bytes:
        """A file that fits in memory (Refused `filing.not-a-bag` where there is none)."""
        if path not in self.items or self.items[path].file_size > MOST_READ:
            raise Refused("filing.not-a-bag", path=path)
        return b"".join(self.chunks(path))

    def sha256(self, path: str) -> str:
        made = hashlib.sha256()
        for block in self.chunks(path):
            made.update(block)
        return made.hexdigest()

    @property
    def id(self) -> str:
        """What a filing is known by: the SHA-256 of its tag manifest, and so of everything in it."""
        return hashlib.sha256(self.read(TAGS)).hexdigest()

    @property
    def key(self) -> Key:
        """The key that it says it is signed with."""
        lines = self.read(INFO).decode("utf-8", "replace").splitlines()
        try:
            return read_key(dict(line.partition(": ")[::2] for line in lines)[KEY_LABEL])
        except (ValueError, KeyError) as error:
            raise Refused("filing.not-a-bag", path=INFO) from error


def _manifest(bag: Bag, name: str) -> dict[str, str]:
    lines = [line.partition("  ")[::2] for line in bag.read(name).decode("utf-8", "replace").splitlines()]
    found = {path: digest for digest, path in lines}
    if len(found) != len(lines) or not all(len(digest) == 64 and path for path, digest in found.items()):
        raise Refused("filing.not-a-bag", path=name)
    return found


def _files(bag: Bag) -> Iterator[Problem]:
    payload, tags = _manifest(bag, MANIFEST), _manifest(bag, TAGS)
    for manifest, path, digest in [(TAGS, *one) for one in tags.items()] + [
        (MANIFEST, *one) for one in payload.items()
    ]:
        try:
            if path not in bag.items:
                yield problem("filing.file-missing", path=path, manifest=manifest)
            elif bag.sha256(path) != digest:
                yield problem("filing.file-changed", path=path)
        except Refused as error:
            yield error.problem
    for path in [*bag.items, DECLARATION]:
        listed = payload if path.startswith("data/") else (*tags, TAGS, SIGNATURE)
        if path not in listed:
            yield problem("filing.file-unlisted", path=path)


def _signature(bag: Bag, key: Key) -> Iterator[Problem]:
    if key != bag.key:
        yield problem("filing.other-key", found=bag.key, key=key)
    if note_holds(bag.read(SIGNATURE), key) != bag.read(TAGS):
        yield problem("filing.signature", path=TAGS, key=key)


def _cell(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("quantity", "item", "purpose", "site", "process", "meter"))


def _sums(bag: Bag) -> Iterator[Problem]:
    """Whole ticks per meter: readings, roll-overs and edges = attributed + gaps; and months = figures, where they add."""
    path = "data/facts/conservation.csv"
    try:
        for row in csv.DictReader(io.StringIO(bag.read(path).decode("utf-8"))):
            found = sum(int(row[name]) for name in ("counted", "rolled", "edges", "intervals"))
            told = sum(int(row[name]) for name in ("attributed", "gaps"))
            if found != told:
                yield problem("filing.conservation", meter=row["meter"], found=found, told=told)
        results = json.loads(bag.read(path := "data/results.json"))
        parts: dict[tuple[str, ...], list[float]] = {}
        for row in results["months"]["rows"] if results["months"] else ():
            parts.setdefault(_cell(row), []).append(float(row["value"] or 0))
        for row in results["figures"]["rows"] if results["months"] else ():
            value, total = float(row["value"] or 0), math.fsum(parts.get(_cell(row), ()))
            if row["quantity"] in results["adds"] and not abs(value - total) <= 1e-9 * abs(total):
                place = " ".join(word for word in _cell(row)[1:] if word)
                yield problem("filing.sum", quantity=row["quantity"], place=place, found=total, told=value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield problem("filing.content", path=path, why=type(error).__name__)


def _logged(bag: Bag, key: Key, file: Path) -> Iterator[Problem]:
    """Whether a tlog-proof shows that the log has this filing: its entry, the path to the root, a signed checkpoint."""
    try:
        head, _, checkpoint = file.read_bytes().partition(b"\n\n")
        version, extra, index, *path = head.decode("ascii").split("\n")
        entry = base64.b64decode(extra.removeprefix("extra "), validate=True)
        _, size, root, *_ = (note_holds(checkpoint, key) or b"").decode("utf-8").split("\n")
        hashes = [base64.b64decode(item, validate=True) for item in (*path, root)]
        place = int(index.removeprefix("index ")), int(size)
        fits = version == "c2sp.org/tlog-proof@v1" and json.loads(entry)["filing"] == bag.id
        fits = fits and included(leaf_hash(entry), *place, hashes[:-1], hashes[-1])
    except (ValueError, KeyError, TypeError, OSError):
        fits = False
    if not fits:
        yield problem("filing.log-proof", path=file.name, key=key)


def _withdrawn(bag: Bag, notes: Sequence[bytes]) -> Iterator[Problem]:
    for found in map(revocation, notes):
        if found is not None and found[0] == bag.key:
            yield problem("filing.key-revoked", key=found[0], at=found[1], reason=found[2])


def problems(
    bag: Bag, trusted: Key | None = None, proof: Path | None = None, revoked: Sequence[bytes] = ()
) -> Iterator[Problem]:
    """Everything that is wrong with a filing. `trusted`: the key it must be signed with; `proof`: a tlog-proof file; `revoked`:
    notes that withdraw keys."""
    try:
        yield from _files(bag)
        key = trusted or bag.key
        yield from _signature(bag, key)
        yield from _sums(bag)
        yield from _logged(bag, key, proof) if proof else ()
        yield from _withdrawn(bag, revoked)
    except Refused as error:
        yield error.problem


def main() -> int:
    """Prints what is wrong, or that nothing is; 0 where nothing is."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("filing", type=Path)
    asked.add_argument("--key", type=read_key, help="the signer's verifier key, from somewhere you trust")
    asked.add_argument("--proof", type=Path, help="a .tlog-proof of the filing")
    asked.add_argument(
        "--revoked", type=Path, action="append", default=[], help="a note that withdraws a key"
    )
    given = asked.parse_args()
    try:
        bag = Bag(given.filing)
        notes = [path.read_bytes() for path in given.revoked]
        found, said = list(problems(bag, given.key, given.proof, notes)), len(bag.items)
        whose = (
            ""
            if found
            else f"OK {bag.id}\n  {said} files, signed with {bag.key}\n  {said} 个文件，签名密钥 {bag.key}"
        )
    except Refused as error:
        found, whose = [error.problem], ""
    for code, values in found:
        print(code, *(part.format_map(values) for part in SAYS[code].split(" | ")), sep="\n  ")
    print(whose, end="\n" if whose else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
