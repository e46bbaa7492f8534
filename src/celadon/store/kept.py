"""Where the parts of one store are kept: all in its folder, or as `store.json` in the folder says.

    {"store": 1, "catalogue": "postgresql://db/energy?schema=mill", "identity": "…"}

The file is written when the store is made with a catalogue on a server, so that every later command finds the
catalogue by itself and a folder is never read with a catalogue that is not its own.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from celadon.store import faults, segments, sqlite
from celadon.store.database import Home
from celadon.store.postgresql import PostgreSQLHome, check_url
from celadon.store.sqlite import SQLiteHome

NAME = "store.json"
_SHAPE = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """Addresses; '' = in the store's folder."""

    catalogue: str = ""
    identity: str = ""
    """Of the catalogue on a server: one server may hold many."""


def home_of(folder: Path, catalogue: str | None, *, create: bool) -> Home:
    """The catalogue of the store in `folder`; `catalogue` is the address asked for (None = as the store was made).

    FindingError `store.kept-elsewhere` when folder and address do not belong together.
    """
    if catalogue is not None:
        check_url(catalogue)
    known = _read(folder)
    if known is not None and catalogue is not None and known.catalogue != catalogue:
        raise faults.kept_elsewhere(folder, known.catalogue or str(folder / sqlite.NAME), catalogue)
    address = known.catalogue if known is not None else catalogue
    if not address:
        return SQLiteHome(folder)
    home = PostgreSQLHome(address)
    if known is None and (folder / sqlite.NAME).exists():
        raise faults.kept_elsewhere(folder, str(folder / sqlite.NAME), address)
    seen = home.look()
    if seen is None:
        if known is not None or not create:  # an empty catalogue in its place would disown the segments
            raise faults.absent(home.place)
        home.create()
        seen = home.look()
    _belong(folder, home.place, seen or ("", False), known)
    return home


def _belong(folder: Path, place: str, seen: tuple[str, bool], known: Kept | None) -> None:
    identity, has_segments = seen
    if known is None and has_segments:
        known = _read(folder)  # another host may have written it since
        if known is None:  # a folder that is not mounted looks like an empty one
            raise faults.kept_elsewhere(folder, "—", place)
    if known is None:
        _write(folder, Kept(place, identity))
    elif known.identity != identity:
        raise faults.kept_elsewhere(
            folder, f"{known.catalogue} ({known.identity[:8]})", f"{place} ({identity[:8]})"
        )


def _read(folder: Path) -> Kept | None:
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
    if set(found) != {"catalogue", "identity"} or not all(isinstance(word, str) for word in found.values()):
        raise faults.kept_unreadable(folder / NAME)
    return Kept(**found)


def _write(folder: Path, kept: Kept) -> None:
    with faults.as_findings(folder):
        segments.make_folder(folder)
        text = json.dumps({"store": _SHAPE, **asdict(kept)}, ensure_ascii=False, indent=1)
        aside = folder / f"{NAME}.{os.getpid()}"
        aside.write_text(text + "\n", "utf-8")
        segments.force_and_digest(aside)
        aside.replace(folder / NAME)
        segments.force_folder(folder)
