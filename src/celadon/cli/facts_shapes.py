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
    "facts/1": Shape(
        "facts",
        "Monthly facts; an absent value, or one that is not whole, is null; `coverage` and `estimated` run from 0 to 1. `values`: "
        "what occurs, as a region file lists it for long rows.",
        {
            "period": "text",
            "rows": [
                {
                    "enterprise": "text",
                    "month": "text",
                    "quantity": "text",
                    "item": "text",
                    "purpose": "text",
                    "value": "number?",
                    "unit": "text",
                    "coverage": "number",
                    "estimated": "number",
                }
            ],
            "values": ["object"],
            "file": "text?",
        },
    ),
    "guess/1": Shape(
        "guess",
        "How a file could be read: each setting with its value ('' = left out), why, whether the file itself decides it (`sure`), and "
        "what else it could be; the source block as data and as YAML; what reading the file by it gives (`good`, `bad`, first and "
        "last time, the first rows refused). Nothing is applied.",
        {
            "name": "text",
            "role": "text",
            "choices": [
                {
                    "key": "text",
                    "value": "text",
                    "why": "both",
                    "sure": "boolean",
                    "asked": "boolean",
                    "others": [{"value": "text", "why": "both"}],
                }
            ],
            "block": {"?": "object"},
            "columns": ["text"],
            "sample": [["text"]],
            "text": "text",
            "usable": "boolean",
            "good": "integer",
            "bad": "integer",
            "first": "time?",
            "last": "time?",
            "refused": [{"line": "integer", "code": "text", "text": "text"}],
        },
    ),
    "triage/1": Shape(
        "triage",
        "What the accounts of a period find (`judged`): each finding with its id and everything decided about it, oldest first.",
        {
            "period": "text",
            "judged": [
                {
                    "id": "text",
                    "accepted": "boolean",
                    "code": "text",
                    "severity": "text",
                    "where": "object",
                    "says": "both",
                    "fix": "both",
                    "values": "object",
                    "clause?": "text",
                    "clause_label?": "both",
                    "decisions": [
                        {
                            "finding": "text",
                            "action": "text",
                            "by": "text",
                            "reason": "text",
                            "code": "text",
                            "at": "time",
                        }
                    ],
                }
            ],
        },
    ),
    "history/1": Shape(
        "history",
        "Facts and every version of each, oldest first: when it was recorded, where it stands, its status (in_force, replaced, "
        "excluded, withdrawn), who entered it by hand, the exclusion that holds.",
        {
            "facts": [
                {
                    "what": "object",
                    "start": "time",
                    "end": "time",
                    "versions": [
                        {
                            "recorded_at": "time",
                            "batch": "integer",
                            "file": "text",
                            "line": "integer",
                            "value": "number?",
                            "unit": "text",
                            "status": "text",
                            "entered": {"?": "object"},
                            "excluded": {"?": {"reason": "text", "by": "text", "at": "text"}},
                        }
                    ],
                }
            ]
        },
    ),
    "draft/1": Shape(
        "enter, exclude, guess --add",
        "What a change does: every figure looked at that differs with it (absent is null), what is found no more (`gone`), and, "
        "where it was committed, what the load did. `state` marks what the effect was worked out from.",
        _DRAFT,
    ),
}
