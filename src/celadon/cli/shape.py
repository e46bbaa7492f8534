"""What describes one kind of document that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celadon.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of document: which command prints it, and its fields besides `shape` and `findings`."""

    command: str
    says: str
    fields: Mapping[str, Any]
