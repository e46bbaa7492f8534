"""The JSON shapes of what a region's commands print (see `shapes`)."""

from __future__ import annotations

from celadon.cli.shape import Shape

REGION_SHAPES: dict[str, Shape] = {
    "demo-region/1": Shape(
        "demo",
        "With --region: what came out of each step on the invented country; `screen` has how many of the planted were found.",
        {
            "folder": "text", "enterprises": "integer", "planted": "integer", "load": {"rows": "integer", "rejected": "integer"},
            "account": {"divisions": "integer", "sum": "number", "total": "number"}, "grades": "object",
            "peers": {"groups": "integer", "suppressed": "integer"},
            "screen": {"flagged": "integer", "planted": "integer", "found": "integer", "counts": "object"},
            "warn": {"quotas": "integer", "counts": "object"}, "seconds": "number",
        },
    ),
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
    "region-account/1": Shape(
        "account",
        "Of a region: quantities by groups of enterprises, at most 100 000 rows of `total`. `group` has a code (or id) for each word of "
        "`by`; an absent value is null. `shares`: parts of the value, 0 to 1, only those above 0 somewhere.",
        {
            "rulebook": {"id": "text", "document": "text", "edition": "text", "digest": "text"}, "options": "object", "period": "text",
            "by": ["text"], "per": "text?", "as_of": "time?", "facts_digest": "text", "enterprises": "integer", "total": "integer",
            "not_applicable": ["text"],
            "rows": [{
                "quantity": "text", "label": "both", "item": "text", "purpose": "text", "group": "object", "names": ["both"],
                "period": "text", "start": "text", "value": "number?", "unit": "text", "coverage": "number", "shares": "object",
            }],
        },
    ),
    "region-account-file/1": Shape("account", "Of a region with --output: the file and how many rows it has.", {"file": "text", "rows": "integer"}),
    "region-grade/1": Shape(
        "grade",
        "Carbon-efficiency grades: `counts` of all enterprises by level L and efficiency K (null = no grade), `rows` those most above "
        "their sector; rank 1 is the least intensive of the industry.",
        {
            "period": "text", "rulebook": "text", "digest": "text", "emission": {"rulebook": "text", "digest": "text", "quantity": "text"},
            "units": "object", "enterprises": "integer",
            "counts": [{"level": "integer?", "efficiency": "integer?", "enterprises": "integer"}],
            "rows": [{
                "enterprise": "text", "name": "text", "industry": "text", "region": "text", "emission": "number?",
                "denominator": "number?", "intensity": "number?", "level": "integer?", "over_mean": "number?",
                "efficiency": "integer?", "rank": "integer?", "peers": "integer",
            }],
        },
    ),
    "region-peers/1": Shape(
        "peers",
        "Benchmarks by group. `suppressed` is empty, primary or secondary; then all numbers are null, and a percentile is null too "
        "where too few enterprises lie beyond it. `percentiles` by name: p10, p25, p50, p75, p90.",
        {
            "period": "text", "rulebook": "text", "digest": "text", "quantity": "text", "over": "text", "by": ["text"], "units": "object",
            "standing": {"?": {"enterprise": "text", "group": ["text"], "ratio": "number", "rank": "integer", "peers": "integer"}},
            "groups": [{
                "group": "object", "names": ["both"], "suppressed": "text", "enterprises": "integer?", "total": "number?",
                "over": "number?", "mean": "number?", "percentiles": "object",
            }],
        },
    ),
    "region-warn/1": Shape(
        "warn",
        "Quotas at risk: `counts` by level of all, `warnings` the most pressing. `trace` has every step: used so far, what the same "
        "and the remaining months of last year were, growth and its spread, rest, forecast, low, high, quota, ratio; null = no forecast.",
        {
            "year": "integer", "month": "text", "band": "number", "quotas": "integer", "counts": "object",
            "levels": [{"id": "text", "name": "both", "share": "number"}],
            "warnings": [{
                "enterprise": "text", "name": "text", "industry": "text", "quantity": "text", "unit": "text", "level": "text",
                "trace": "object",
            }],
        },
    ),
}  # fmt: skip
