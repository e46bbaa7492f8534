"""Where the parts of one store are kept: all in its folder, or as `store.json` in the folder says.

    {"store": 1, "catalogue": "postgresql://db/energy?schema=mill", "segments": "s3://plant/mill", "identity": "…"}

The file is written when the store is made with a part elsewhere, so that every later command finds the parts by itself and
a folder is never read with a catalogue that is not its own.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from celadon.core.dataclass import dataclass
from celadon.store import faults, segments, sqlite
from celadon.store.database import Home
from celadon.store.files import Files
from celadon.store.objects import Objects, check_address
from celadon.store.postgresql import PostgreSQLHome, check_url
from celadon.store.sqlite import SQLiteHome

NAME = "store.json"
_SHAPE = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """Addresses; '' = in the store's folder."""

    catalogue: str = ""
    segments: str = ""
    """Of an object store; the folder is then its cache."""
    identity: str = ""
    """Of the catalogue on a server: one server may hold many."""


def parts_of(folder: Path, catalogue: str | None, objects: str | None, *, create: bool) -> tuple[Home, Files]:
    """Catalogue and files of the store in `folder`; `catalogue` and `objects` are the addresses asked for (None = as the
    store was made).

    FindingError `store.kept-elsewhere` when folder and addresses do not belong together.
    """
    if catalogue is not None:
        check_url(catalogue)
    if objects is not None:
        check_address(objects)
    known = read_kept(folder)
    if known is not None:
        for found, asked in ((known.catalogue, catalogue), (known.segments, objects)):
            if asked is not None and asked != found:
                raise faults.kept_elsewhere(folder, found or str(folder), asked)
    wanted = known or Kept(catalogue or "", objects or "")
    if known is None and wanted != Kept() and (folder / sqlite.NAME).exists():
        raise faults.kept_elsewhere(folder, str(folder / sqlite.NAME), wanted.catalogue or wanted.segments)
    files = Files(folder, Objects(wanted.segments) if wanted.segments else None)
    if wanted.catalogue:
        return _on_server(folder, wanted, known, create), files
    if known is None and wanted.segments and create:
        write_kept(folder, wanted)
    return SQLiteHome(folder), files


def _on_server(folder: Path, wanted: Kept, known: Kept | None, create: bool) -> Home:
    home = PostgreSQLHome(wanted.catalogue)
    seen = home.look()
    if seen is None:
        if known is not None or not create:  # an empty catalogue in its place would disown the segments
            raise faults.absent(home.place)
        home.create()
        seen = home.look()
    identity, has_segments = seen or ("", False)
    if known is None and has_segments and not wanted.segments:
        known = read_kept(folder)  # another host may have written it since
        if known is None:  # a folder that is not mounted looks like an empty one
            raise faults.kept_elsewhere(folder, "—", home.place)
    if known is None:
        write_kept(folder, replace(wanted, identity=identity))
    elif known.identity != identity:
        place = home.place
        raise faults.kept_elsewhere(folder, f"{place} ({known.identity[:8]})", f"{place} ({identity[:8]})")
    return home


def still_at(folder: Path, place: str) -> None:
    """FindingError `store.catalogue-moved` where the catalogue of the store in `folder` is not at `place` (any more)."""
    known = read_kept(folder)
    found = known.catalogue if known is not None and known.catalogue else str(folder)
    if found != place:
        raise faults.catalogue_moved(folder, found)


def read_kept(folder: Path) -> Kept | None:
    """What the folder says; None where it says nothing (FindingError `store.kept-unreadable`)."""
    try:
        found = json.loads((folder / NAME).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None  # said when the folder is made or opened
    except ValueError as error:
        raise faults.kept_unreadable(folder / NAME) from error
    if not isinstance(found, dict) or found.pop("store", None) != _SHAPE:
        raise faults.kept_unreadable(folder / NAME)
    if set(found) != {"catalogue", "segments", "identity"} or not all(
        isinstance(word, str) for word in found.values()
    ):
        raise faults.kept_unreadable(folder / NAME)
    return Kept(**found)


def write_kept(folder: Path, kept: Kept) -> None:
    """Say it from now on, in one step; where all is in the folder, by saying nothing."""
    with faults.as_findings(folder):
        segments.make_folder(folder)
        if not kept.catalogue and not kept.segments:
            (folder / NAME).unlink(missing_ok=True)
            segments.force_folder(folder)
            return
        text = json.dumps({"store": _SHAPE, **asdict(kept)}, ensure_ascii=False, indent=1)
        aside = folder / f"{NAME}.{os.getpid()}"
        aside.write_text(text + "\n", "utf-8")
        segments.force_and_digest(aside)
        aside.replace(folder / NAME)
        segments.force_folder(folder)
