"""A filing's archive: a BagIt bag (RFC 8493) in a zip, the same bytes for the same content and key.

Nothing is compressed in it: what deflating gives depends on the library, and Parquet is compressed already.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

from celadon.proof.verifier import DECLARATION, INFO, KEY_LABEL, MANIFEST, SIGNATURE, TAGS

if TYPE_CHECKING:
    from celadon.proof.keys import Signer

_DECLARED = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The first moment a zip can name: a file's time says nothing here, and must not differ."""


def bagged(folder: str, payload: Mapping[str, bytes], labels: Mapping[str, str], signer: Signer) -> bytes:
    """The archive of a payload (paths that begin with `data/`) under one top folder, signed."""
    size = sum(len(content) for content in payload.values())
    told = {**labels, "Payload-Oxum": f"{size}.{len(payload)}", KEY_LABEL: str(signer.key)}
    tags = {
        INFO: "".join(f"{label}: {value}\n" for label, value in told.items()).encode(),
        DECLARATION: _DECLARED,
        MANIFEST: _manifest(payload),
    }
    manifest = _manifest(tags)
    files = {**tags, TAGS: manifest, SIGNATURE: signer.note(manifest), **payload}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            item = zipfile.ZipInfo(f"{folder}/{path}", _LONG_AGO)
            item.create_system, item.external_attr = 3, 0o100644 << 16  # a plain file, on whatever system
            archive.writestr(item, files[path])
    return out.getvalue()


def _manifest(files: Mapping[str, bytes]) -> bytes:
    lines = (f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files))
    return "".join(lines).encode()
