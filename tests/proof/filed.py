"""What tests of filings share: the small plant filed, and packages changed on purpose."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from celadon.core.findings import FindingError
from celadon.core.quantities import Space
from celadon.plant.account import Question
from celadon.plant.opened import open_file
from celadon.proof.bagging import bagged
from celadon.proof.filing import Asked, Filing, file_period
from celadon.proof.keys import Signer

BOOK = "cn_gbt_32150_2015"
SIGNER = Signer("acme", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Signer("acme", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


@contextmanager
def refused(code: str, says: str = "") -> Iterator[None]:
    """The work ends in one finding of that code, whose text has `says` (a pattern) in it."""
    with pytest.raises(FindingError) as error:
        yield
    (found,) = error.value.findings
    assert found.code == code
    assert re.search(says, found.says(), re.DOTALL), found.says()
    assert found.fix()
    assert re.search(r"[\u4e00-\u9fff]", found.says("zh"))


def file(
    folder: Path,
    period: str = "2024-01",
    rulebook: str | Path = BOOK,
    reports: Mapping[str, bytes] | None = None,
) -> Filing:
    """File a period of the plant in that folder."""
    question = Question(period, Space.SITE)
    return file_period(open_file(folder), Asked(rulebook, question, reports=reports or {}), SIGNER)


def contents(package: Path) -> dict[str, bytes]:
    """Path in the bag -> content."""
    with zipfile.ZipFile(package) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes], target: Path, folder: str = "bag") -> Path:
    """An archive of these files, as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(f"{folder}/{path}", content)
    target.write_bytes(out.getvalue())
    return target


def signed_again(
    package: Path, target: Path, change: Callable[[dict[str, bytes]], None], signer: Signer = SIGNER
) -> Path:
    """The package with its payload changed and everything about it made to fit: a firm's own lie."""
    files = contents(package)
    payload = {path: content for path, content in files.items() if path.startswith("data/")}
    change(payload)
    labels = dict(line.split(": ", 1) for line in files["bag-info.txt"].decode().splitlines())
    for name in ("Payload-Oxum", "Signing-Key"):
        labels.pop(name)
    target.write_bytes(bagged("bag", payload, labels, signer))
    return target
