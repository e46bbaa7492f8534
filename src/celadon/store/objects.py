"""An object store that holds a store's segments: S3, OSS, Azure, a mounted share … whatever fsspec has a protocol for.

fsspec is the extra `celadon[objects]`; a protocol's own package comes besides (s3fs, ossfs, adlfs …). Secrets come from where
that package looks for them (environment, its configuration), never from the address.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celadon.core.text import text_of
from celadon.store import faults


class Objects:
    """The files below one address, by their paths relative to it."""

    def __init__(self, address: str) -> None:
        """FindingError for an address with a password, a protocol nobody knows, or a package that is missing."""
        check_address(address)
        self.address = address
        try:
            fsspec = importlib.import_module("fsspec")
        except ImportError as error:
            raise faults.extra_missing("objects", "fsspec") from error
        with self._told():
            self._files, root = fsspec.core.url_to_fs(address)
            self._root = str(root).rstrip("/")

    def put(self, source: Path, path: str) -> None:
        """Keep a local file's content as `path`; it is there, in full, when this returns."""
        with self._told():
            target = self._at(path)
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(source), target)
            found = self._files.size(target)
            if found != source.stat().st_size:
                raise OSError(f"{path} arrived with {found} bytes instead of {source.stat().st_size}")

    def get(self, path: str, target: Path) -> bool:
        """Copy `path` into a local file; False where there is none."""
        with self._told():
            try:
                self._files.get_file(self._at(path), str(target))
            except FileNotFoundError:
                return False
            return True

    def remove(self, path: str) -> bool:
        """Remove `path`; False where there was none."""
        with self._told():
            try:
                self._files.rm_file(self._at(path))
            except FileNotFoundError:
                return False
            return True

    def paths(self, folder: str) -> list[str]:
        """All paths below `folder`, sorted."""
        with self._told():
            try:
                found = self._files.find(self._at(folder))
            except FileNotFoundError:
                return []
        return sorted(str(path)[len(self._root) + 1 :] for path in found)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, ImportError) as error:
            raise faults.objects_refused(self.address, text_of(error)) from error


def check_address(address: str) -> None:
    """FindingError when an address of an object store holds a password, or is none."""
    try:
        split: Any = urlsplit(address)
    except ValueError as error:
        raise faults.objects_refused("—", text_of(error)) from error
    if split.password is not None:
        raise faults.objects_password(split.hostname or split.scheme)
