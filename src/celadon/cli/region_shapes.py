"""The JSON shapes of what a region's commands print (see `shapes`)."""

from __future__ import annotations

from celadon.cli.shape import Shape

REGION_SHAPES: dict[str, Shape] = {
    "region-load/1": Shape(
        "load",
        "Of a region: what became of every file or table: loaded, known (loaded before), failed; `rejected` rows were kept out.",
        {
            "store": "text", "rows": "integer", "rejected": "integer",
            "files": [{
                "source": "text", "name": "text", "status": "text", "rows": "integer", "rejected": "integer", "batch": "integer?",
            }],
        },
    ),
    "region-quarantine/1": Shape(
        "quarantine",
        "Of a region: the rows that loads kept out, at most 1000; `code` is a finding's, `text` the cell.",
        {
            "count": "integer",
            "rows": [{
                "file": "text", "line": "integer", "enterprise": "text?", "month": "text?", "code": "text", "column": "text",
                "text": "text?", "batch": "integer",
            }],
        },
    ),
    "region-screen/1": Shape(
        "screen",
        "Anomalous reports: `counts` by rule of all, `alarms` the strongest, each with a finding that says its evidence.",
        {
            "period": "text", "enterprises": "integer", "flagged": "integer", "counts": "object",
            "alarms": [{
                "rule": "text", "enterprise": "text", "industry": "text", "region": "text", "column": "text", "months": ["text"],
                "score": "number",
            }],
        },
    ),
}  # fmt: skip
