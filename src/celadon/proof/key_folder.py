"""Where the user's keys are, and the notes beside them that withdraw keys: read without what signing needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

REVOKED = ".revoked"
"""Ending of a note that withdraws a key, in the folder of keys."""


def key_folder() -> Path:
    """The user's folder of keys: of XDG_CONFIG_HOME or APPDATA where set, else ~/.config."""
    home = os.environ.get("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "celadon" / "keys"


def key_notes() -> list[bytes]:
    """The notes in the user's folder that withdraw keys: their own, and those that others sent."""
    return [file.read_bytes() for file in sorted(key_folder().glob(f"*{REVOKED}"))]
