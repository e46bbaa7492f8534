"""Shapes of the commands that change facts: each shows its effect first."""

from __future__ import annotations

from typing import Any

from celadon.cli.shape import Shape

_CHANGE = {
    "rulebook": "text", "quantity": "text", "label": "both", "where": "object", "period": "text", "unit": "text",
    "before": "number?", "after": "number?", "difference": "number?",
}  # fmt: skip
_FILE = {
    "source": "text", "name": "text", "status": "text", "bytes": "integer", "readings": "integer", "records": "integer",
    "repeated": "integer", "quarantined": "integer", "batch": "integer?",
}  # fmt: skip
_REPLAY = {
    "readings": "integer", "records": "integer", "replayed": ["integer"], "dismissed": ["integer"], "still_bad": ["integer"],
    "batch": "integer?",
}  # fmt: skip
_DRAFT: dict[str, Any] = {
    "what": "both", "state": "text", "figures": "integer", "asked": [{"rulebook": "text", "period": "text"}], "changes": [_CHANGE],
    "files": [_FILE], "gone": [{"code": "text", "says": "both"}], "replay": {"?": _REPLAY}, "committed": "boolean",
    "load": {"?": {
        "store": "text", "plant_changed": "boolean", "readings": "integer", "records": "integer", "ledger_parts": "integer",
        "files": [_FILE],
    }},
}  # fmt: skip

FACTS_SHAPES: dict[str, Shape] = {
    "draft/1": Shape(
        "enter, exclude, triage",
        "What a change does: every figure looked at that differs with it (absent is null), what is found no more (`gone`), and, "
        "where it was committed, what the load did. `state` marks what the effect was worked out from.",
        _DRAFT,
    ),
}
