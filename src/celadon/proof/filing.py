"""`celadon file`: freeze a period under a rulebook, sign it, check it from its own bytes, and enter it in the log."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, Place, Severity
from celadon.core.version import VERSION
from celadon.plant.account import Account, Question
from celadon.plant.opened import Opened, view
from celadon.proof import faults, verifier
from celadon.proof.bagging import bagged
from celadon.proof.checking import verify
from celadon.proof.crate import described, title_of
from celadon.proof.deriving import Keeping
from celadon.proof.keys import Signer
from celadon.proof.log import Entry, Filings
from celadon.proof.payload import FORMAT, REPORT, freeze
from celadon.proof.words import README
from celadon.rules.rulebook import Rulebook
from celadon.store.scratch import Scratch

Progress = Callable[[float, str], None]
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Filing:
    """A filing that is in the log; `new` is False where the same was filed before."""

    entry: Entry
    package: Path
    new: bool
    account: Account
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Shape `filing/1` without its findings."""
        return {**entry_json(self.entry), "file": str(self.package), "new": self.new}


@dataclass(frozen=True)
class Asked:
    """What is to be filed: the question, as it was known at `as_of` (None = now), with reports by file name."""

    rulebook: str | Path | Rulebook
    question: Question
    as_of: str | datetime | None = None
    reports: Mapping[str, bytes] = field(default_factory=dict)
    readings: bool = False
    """Whether the readings and records behind its facts are filed too."""


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry of the log."""
    return {"index": entry.index, **entry.body}


def file_period(opened: Opened, asked: Asked, signer: Signer, progress: Progress | None = None) -> Filing:
    """File a period: everything is in the store's folder and the log, or nothing is.

    Raises:
        FindingError: nothing loaded, an unknown quantity, option or period; registers or months that do not add up.
    """
    tell = progress or (lambda _share, _what: None)
    with opened.open_store() as store, Scratch(opened.store_path) as scratch:
        seen = view(opened, store, asked.as_of)
        work = Keeping.near(opened.store_path)
        try:
            book = work.book(asked.rulebook)
            tell(0.1, book.id)
            versions = {"celadon": VERSION, "duckdb": duckdb.__version__}
            frozen = freeze(work, seen, book, asked.question, versions, raw=asked.readings)
        finally:
            work.close()
        tell(0.6, book.id)
        package = packed(frozen.files, frozen.request, asked.reports, signer)
        id_ = _checked(package, scratch.path / "filing.zip")
        tell(0.9, id_[:12])
        body = {
            "filing": id_,
            "package": hashlib.sha256(package).hexdigest(),
            "filed_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "enterprise": frozen.request["enterprise"]["id"],
            "rulebook": book.id,
            "edition": book.edition,
            "period": frozen.request["period"],
            "as_of": frozen.request["as_of"],
            "key": str(signer.key),
        }
        filings = Filings(opened.store_path)
        entry, new = filings.add(package, body, signer)
    found = list(frozen.account.findings)
    if not new:
        found.append(faults.ALREADY.at(Place(subject=id_), filed_at=entry.body["filed_at"], id=id_[:12]))
    return Filing(entry, filings.package(entry), new, frozen.account, tuple(found))


def packed(
    files: Mapping[str, bytes], request: Mapping[str, Any], reports: Mapping[str, bytes], signer: Signer
) -> bytes:
    """The archive of these files with its reports, descriptions, the small verifier, and a signature."""
    whole = {**files, "data/README.txt": README.encode()}
    whole["data/verifier.py"] = Path(verifier.__file__).read_bytes()
    for name, content in reports.items():
        if not _PLAIN.fullmatch(name):
            raise FindingError(faults.REPORT_NAME.at(Place(file=name), name=name))
        whole[f"{REPORT}/{name}"] = content
    whole |= described(whole, request)
    labels = {
        "Bag-Software-Agent": f"Celadon {VERSION}",
        "Bagging-Date": str(request["as_of"])[:10],
        "Source-Organization": _line(request["enterprise"]["name"]["en"]),
        "External-Description": _line(title_of(request)),
        "Filing-Format": FORMAT,
    }
    parts = (request["enterprise"]["id"], request["rulebook"]["id"], request["period"])
    folder = "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", str(part)).strip("-.") or "x" for part in parts)
    return bagged(folder, whole, labels, signer)


def _line(text: str) -> str:
    return " ".join(text.split())


def _checked(package: bytes, file: Path) -> str:
    """The id of a package that holds; what does not hold when read back is not filed."""
    file.write_bytes(package)
    found = verify(file)
    broken = [item for item in found.findings if item.severity is Severity.ERROR]
    if broken:
        raise FindingError(broken)
    return found.id
