"""The JSON shapes of the command line: what `--json` prints, by name and version.

A shape's fields never change meaning or disappear within one version; new fields may come. `problems` says where a
document differs from its shape, and `python -m celadon.cli.shapes docs/json.md` writes the reference from this module.

A type is a word (text, number, integer, boolean, time, both, object, any), with `?` where null stands for absent; or a
mapping of fields; or a list of one type. A field whose name ends in `?` may be left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from celadon.cli.facts_shapes import FACTS_SHAPES
from celadon.cli.region_shapes import REGION_SHAPES
from celadon.cli.shape import Shape

Type = str | Mapping[str, Any] | list[Any]

_WORDS = {
    "text": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "time": "an ISO 8601 instant with its offset",
    "both": "`{zh, en}`",
    "object": "names and values",
    "any": "any value",
    "node": "a node like this one",
}

FINDING: dict[str, Any] = {
    "code": "text", "severity": "text", "where": "object", "says": "both", "fix": "both", "message": "text", "values": "object",
    "clause?": "text", "clause_label?": "both",
}  # fmt: skip
_FILE = {
    "source": "text", "name": "text", "status": "text", "bytes": "integer", "readings": "integer", "records": "integer",
    "repeated": "integer", "quarantined": "integer", "batch": "integer?",
}  # fmt: skip
_BOOK = {"id": "text", "document": "text", "edition": "text", "digest": "text"}
_PLACED = {"file": "text?", "line": "integer?"}
_READING = {"time": "time", "value": "number", **_PLACED}
_BALANCE = {
    "meter": "text", "site": "text", "carrier": "text", "unit": "text", "start": "time", "end": "time", "own": "number?",
    "low": "number?", "high": "number?", "children": "number?", "remainder": "number?", "share": "number?", "coverage": "number",
    "estimated": "number?", "status": "text", "missing": ["text"],
}  # fmt: skip
_SHARES = {
    "measured": "number", "calculated": "number", "declared": "number", "estimated": "number", "defaulted": "number",
    "factorless": "number", "verified2": "number", "verified1": "number", "own": "number", "recalled": "number",
}  # fmt: skip
_ORIGIN = {"kind": "text", "id": "text", "label": "both", "sensitivity": "number?"}
_UNCERTAINTY = {
    "standard": "number", "half_width": "number", "relative": "number?",
    "sources": [{**_ORIGIN, "uncertainty": "number", "half_width": "number", "share": "number"}],
    "treated_as_exact": [_ORIGIN],
}  # fmt: skip
_ENTRY = {
    "index": "integer", "filing": "text", "package": "text", "filed_at": "time", "enterprise": "text", "rulebook": "text",
    "edition": "text", "period": "text", "as_of": "time?", "key": "text",
}  # fmt: skip
_NODE = {
    "kind": "text", "quantity": "text", "value": "number?", "unit": "text", "label?": "both", "where?": "object", "formula?": "text", "effective?": "text",
    "doc?": "text", "clause?": "text", "clause_label?": "both", "clause_text?": "text", "clause_says?": "both", "chapter?": "text", "detail?": "object", "coverage?": "number", "uncertainty?": "number",
    "quality?": _SHARES,
    "inputs": ["node"],
}  # fmt: skip
_SIDE = {
    "rulebook": "text", "edition": "text", "digest": "text", "options": "object", "factors_as_of": "text?", "facts_digest": "text",
    "as_of": "time?", "pending": "boolean",
}  # fmt: skip
_HEAD = {
    "id": "text", "document": "text", "document_label": "both", "title": "both", "edition": "text", "scope": "both", "totals": ["text"],
}  # fmt: skip
_COUNTS = {
    "clauses": "integer", "not_modelled": "integer", "recalled": "number?",
    "cases": {"published": "integer", "recomputed": "integer", "constructed": "integer"},
    "factor_rows": {"official": "integer", "verified2": "integer", "verified1": "integer", "recalled": "integer", "declared": "integer"},
}  # fmt: skip
_CITED = {"clause": "text", "clause_label": "both?"}
_SPEC = {"name": "text", "label": "both", "unit": "text", **_CITED}
_UPKEEP = {
    "ok": "boolean", "batches": "integer", "segments_before": "integer", "segments_after": "integer", "bytes_before": "integer",
    "bytes_after": "integer",
}  # fmt: skip
_COPIED = {
    "folder": "text", "batch": "integer", "facts_digest": "text", "files": "integer", "bytes": "integer", "new_files": "integer",
    "new_bytes": "integer",
}  # fmt: skip

_PLANT_SHAPES: dict[str, Shape] = {
    "error/1": Shape("any", "Work could not go on; the findings say why. The exit status is 1, or 2 for a wrong call (`command.usage`).", {}),
    "new/1": Shape("new", "The files written.", {"folder": "text", "files": ["text"]}),
    "check/1": Shape(
        "check",
        "What the plant file and its files hold. `period` is what readings cover; a file's `status` is readable or failed.",
        {"ok": "boolean", "plant": "object", "period": "text?", "files": [_FILE]},
    ),
    "load/1": Shape(
        "load",
        "What became of every file: loaded, known (loaded before), failed. `repeated` readings said what the store knew.",
        {
            "preview": "boolean", "store": "text", "plant_changed": "boolean", "readings": "integer", "records": "integer",
            "ledger_parts": "integer", "files": [_FILE],
        },
    ),
    "balance/1": Shape(
        "balance",
        "The conservation proof of every meter over the period, and balance rows per calendar unit. "
        "expected = Σ pieces (counted + rolled + edges) + intervals; difference_ticks (10^-6 of the unit) "
        "= expected − attributed − Σ gaps, and is 0.",
        {
            "by": "text", "period": "text", "per": "text", "as_of": "time?", "conserved": "boolean",
            "proofs": [{
                "meter": "text", "unit": "text", "period": "text",
                "pieces": [{"first": {"?": _READING}, "last": {"?": _READING}, "counted": "number", "rollovers": "integer",
                            "rolled": "number", "edges": "number"}],
                "intervals": "number", "expected": "number", "attributed": "number",
                "gaps": [{"code": "text", "start": "time", "end": "time", "amount": "number?"}], "difference_ticks": "integer",
            }],
            "meters": [_BALANCE], "sites": [_BALANCE],
            "processes": [{"site": "text", "carrier": "text", "process": "text", "unit": "text", "value": "number?",
                           "share": "number?", "coverage": "number", "estimated": "number"}],
        },
    ),
    "account/1": Shape(
        "account",
        "Quantities under a rulebook. Shares and coverage run from 0 to 1: measured, calculated, declared, estimated and "
        "defaulted data add to 1, and so do factors that are verified by two sources (or official), by one, the plant's "
        "own, recalled (unchecked), and factorless; an absent value is null, never 0, and its shares are 0. With --uncertainty "
        "each row that has a value says how wide it is: half_width (95 %, two standard uncertainties) in its unit, relative to the "
        "value, and the origins with their share of the variance; what nobody states is treated as exact and listed. `coverage` names "
        "the quantities the rulebook asks to speak about. `facts_digest` and the rulebook's `digest` say what the numbers rest on, and so does "
        "`calculated_by`: the rulebooks that calculated some of the facts.",
        {
            "rulebook": _BOOK, "options": "object", "period": "text", "zone": "text", "by": "text", "per": "text?", "as_of": "time?",
            "factors_as_of": "text?", "facts_digest": "text", "calculated_by": [{"id": "text", "digest": "text"}], "not_applicable": ["text"],
            "coverage": {"computed": ["text"], "excluded": [{"quantity": "text", "reason": "text"}], "no_data": ["text"]},
            "rows": [{
                "quantity": "text", "label": "both", "item": "text", "purpose": "text", "enterprise": "text", "site": "text",
                "process": "text", "meter": "text", "period": "text", "start": "time", "end": "time", "value": "number?",
                "unit": "text", "coverage": "number", **_SHARES, "uncertainty?": _UNCERTAINTY,
            }],
        },
    ),
    "trace/1": Shape(
        "explain",
        "One number as a tree. Leaves are factor rows (source, confidence, table, line), readings and records (file, line).",
        {
            "rulebook": {"id": "text", "edition": "text", "digest": "text", "options": "object"}, "facts_digest": "text",
            "as_of": "time?", "period": "text", "trace": "node", "uncertainty?": _UNCERTAINTY,
        },
    ),
    "comparison/1": Shape(
        "compare",
        "Rows that differ; the differences of a row's causes (kind: fact, factor, option, rule) sum to its difference. "
        "Findings are those of the second side only.",
        {
            "before": _SIDE, "after": _SIDE, "unchanged": "integer",
            "lines": [{
                "quantity": "text", "item": "text", "purpose": "text", "site": "text", "process": "text", "meter": "text",
                "period": "text", "unit": "text", "before": "number?", "after": "number?", "difference": "number",
                "causes": [{"kind": "text", "name": "text", "difference": "number", "detail": "text"}],
            }],
        },
    ),
    "reconciliation/1": Shape(
        "reconcile",
        "Why two rulebooks' totals differ; `difference` is after − before, and the lines' differences sum to it. "
        "`kind`: boundary, factor, biogenic or interaction.",
        {
            "before": {"rulebook": "text", "quantity": "text", "total": "number"},
            "after": {"rulebook": "text", "quantity": "text", "total": "number"},
            "unit": "text", "difference": "number",
            "lines": [{
                "kind": "text", "fact": "text", "item": "text", "purpose": "text", "site": "text", "amount": "number?",
                "amount_unit": "text", "before": "number", "after": "number", "difference": "number",
                "before_factors": ["text"], "after_factors": ["text"],
            }],
        },
    ),
    "report/1": Shape(
        "report",
        "A report that was written: the file with its digest, and each figure in it with its trace id; an absent value is null.",
        {
            "kind": "text", "format": "text", "language": "text", "period": "text", "file": "text", "bytes": "integer", "sha256": "text",
            "figures": [{
                "trace": "text", "rulebook": "text", "quantity": "text", "where": "object", "value": "number?", "unit": "text",
                "coverage": "number", "recalled": "number",
            }],
        },
    ),
    "bill/1": Shape(
        "bill",
        "Monthly bills; amounts, prices and money are decimal texts, null where they cannot be told.",
        {
            "period": "text",
            "bills": [{
                "tariff": "text", "month": "text", "currency": "text",
                "lines": [{"kind": "text", "period": "text", "quantity": "text?", "unit": "text", "price": "text?", "money": "text?"}],
                "funds": "text?", "power_factor": "text?",
                "adjustment": {"?": {"percent": "text?", "source": "text", "clause": "text", "confidence": "text"}}, "total": "text?",
            }],
        },
    ),
    "quarantine/1": Shape(
        "quarantine list",
        "Rows kept out, with the texts as they stand in the file; `units`: of a column whose header names one.",
        {"rows": [{
            "id": "integer", "status": "text", "source": "text", "file": "text", "sheet": "text?", "line": "integer", "column": "text?",
            "code": "text", "raw": "object", "meter": "text?", "t": "time?", "span": "integer", "time_text": "text?", "units": "object",
        }]},
    ),
    "quarantine-export/1": Shape("quarantine export", "How many rows went to the file.", {"rows": "integer", "file": "text"}),
    "replay/1": Shape(
        "quarantine replay",
        "Row ids by what became of them.",
        {"readings": "integer", "records": "integer", "replayed": ["integer"], "dismissed": ["integer"], "still_bad": ["integer"],
         "batch": "integer?"},
    ),
    "rulebooks/1": Shape(
        "rulebooks",
        "The rulebooks there are. `counts`: clauses that rules hang on, clauses listed as not modelled, cases by who vouches for "
        "them, factor rows by confidence and the share that is recalled.",
        {"rulebooks": [{**_HEAD, "counts": _COUNTS}]},
    ),
    "rulebook/1": Shape(
        "rulebooks ID",
        "One rulebook: what it models with which clause and formula, and what it does not. A clause's `cases` expect one of its "
        "quantities by name.",
        {
            **_HEAD,
            "counts": _COUNTS,
            "clauses": [{"clause": "text", "clause_label": "both", "text": "text", "says": "both", "quantities": ["text"], "cases": "integer"}],
            "digest": "text",
            "documents": [{"number": "text", "number_label": "both", "title": "both", "since": "text", "until": "text?"}],
            "rules": [{"name": "text", "label": "both", "unit": "text", "grain": "text", **_CITED, "clause_text": "text", "clause_says": "both",
                       "formula": "text", "inputs": ["text"], "adds": "boolean"}],
            "facts": [{**_SPEC, "grain": "text", "on_missing": "text"}],
            "factors": [{**_SPEC, "table": "text", "column": "text", "on_gap": "text"}],
            "options": [{"name": "text", "label": "both", "default": "text", **_CITED, "choices": "object"}],
            "builds_on": ["text"], "coverage": {"names": ["text"], **_CITED},
            "not_modelled": [{**_CITED, "what": "both", "why": "both"}],
            "doubts": ["both"],
        },
    ),
    "cases/1": Shape(
        "test",
        "The worked examples of a rulebook and what came of them.",
        {"rulebook": "text", "digest": "text", "passed": "integer", "failed": "integer",
         "cases": [{"name": "text", "file": "text", "vouched": "object", "passed": "boolean", "failures": ["text"]}]},
    ),
    "publish/1": Shape(
        "publish",
        "Rows of a rulebook's own tables that are sealed now, and how many were not before.",
        {"rulebook": "text", "tables": [{"table": "text", "rows": "integer", "added": "integer"}]},
    ),
    "verify/1": Shape("verify", "Whether every stored segment is as it was written.", _UPKEEP),
    "filing/1": Shape(
        "file",
        "What was filed: the entry of the log, where the package is, and the account in it (shape account/1). `new` is false where "
        "the same was filed before.",
        {**_ENTRY, "file": "text", "new": "boolean", "output": "text?", "account": "object"},
    ),
    "filings/1": Shape(
        "filings",
        "The filings of a plant, each figure as filed and as it would be now, with the causes of the difference. `checkpoint`: the "
        "signed head of the log; `grown_by`: entries since the checkpoint given with --since.",
        {
            "plant": "text", "checkpoint": "text?", "grown_by": "integer?",
            "filings": [{
                **_ENTRY, "changed": "integer",
                "lines": [{
                    "quantity": "text", "label": "both", "item": "text", "purpose": "text", "site": "text", "process": "text",
                    "meter": "text", "period": "text", "unit": "text", "filed": "number?", "now": "number?", "changed": "boolean",
                    "causes": [{"kind": "text", "name": "text", "difference": "number", "detail": "text"}],
                }],
            }],
        },
    ),
    "filing-verification/1": Shape(
        "verify FILING.zip",
        "What came of checking a filing's file. `request` is what was asked, {} where it could not be read; `differs_in` names the "
        "first part of a figure that differs, '' where none does. `reports`: those filed with it, a workbook's figures counted (`other`: not "
        "to be answered from this filing), null where a file states none that can be read. `readings`, `records`: how many it carries, and its "
        "facts were made anew from; null where it was filed without.",
        {
            "file": "text", "filing": "text", "key": "text?", "request": "object", "equal": "integer", "different": "integer",
            "figures": [{
                "quantity": "text", "item": "text", "purpose": "text", "enterprise": "text", "site": "text", "process": "text",
                "meter": "text", "period": "text", "label": "both", "unit": "text", "filed": "number?", "computed": "number?",
                "equal": "boolean", "differs_in": "text",
            }],
            "reports": [{"file": "text", "sha256": "text", "equal": "integer?", "different": "integer?", "other": "integer?"}],
            "readings": "integer?", "records": "integer?",
        },
    ),
    "keys/1": Shape("keys", "Verifier keys, which are for others, and the folder of the private ones.",
                    {"folder": "text", "keys": [{"name": "text", "key": "text", "revoked": {"?": {"at": "time", "reason": "text", "file": "text"}}}]}),
    "serving/1": Shape(
        "serve",
        "Printed once the console can be reached. `setup`: the one-time link for an administrator, null where there is one.",
        {"address": "text", "setup": "text?"},
    ),
    "audit/1": Shape(
        "audit",
        "Whether every entry of the audit log follows from all before it. `digest`: of the last entry, to be noted elsewhere.",
        {"ok": "boolean", "entries": "integer", "digest": "text"},
    ),
    "compact/1": Shape("compact", "What merging saved.", _UPKEEP),
    "retain/1": Shape(
        "retain",
        "Replaced readings that go (or, not applied, would go). `since`: answers as of this instant or later can be told afterwards, "
        "`kept_since`: before; null = all of history.",
        {
            "keep": "text?", "since": "time?", "applied": "boolean", "kept_since": "time?", "readings": "integer",
            "held_back": "integer", "months": [{"month": "text", "readings": "integer"}],
        },
    ),
    "doctor/1": Shape(
        "doctor",
        "What was looked at, and what was mended (null without --repair); the findings say what is wrong still.",
        {
            "ok": "boolean", "store": "text", "batches": "integer", "segments": "integer", "ledger_parts": "integer",
            "ledger_parts_compared": "integer",
            "mended": {"?": {"removed": "integer", "segments_put_back": "integer", "ledger_segments_dropped": "integer",
                             "ledger_parts_derived": "integer"}},
        },
    ),
    "move/1": Shape(
        "move",
        "Where the catalogue was and is (`folder`: in the store's folder); `moved` is false when it was there already; rows compared.",
        {"before": "text", "now": "text", "moved": "boolean", "batch": "integer", "facts_digest": "text", "rows": "integer"},
    ),
    "backup/1": Shape("backup", "What the backup holds, and what of it is new.", _COPIED),
    "restore/1": Shape(
        "restore", "What was put in place; `new_files` were copied by this run, others by one that was stopped.", _COPIED
    ),
    "demo/1": Shape(
        "demo",
        "What came out of each step of the demonstration.",
        {
            "folder": "text", "faults": "integer", "check": "object", "load": "object", "balance": "object", "accounts": "object",
            "explained": "object", "late": "object", "seconds": "number",
        },
    ),
}  # fmt: skip
SHAPES: dict[str, Shape] = {**_PLANT_SHAPES, **FACTS_SHAPES, **REGION_SHAPES}


def problems(body: Mapping[str, Any]) -> list[str]:
    """Where a document differs from the shape it names; empty when it fits."""
    shape = SHAPES.get(str(body.get("shape")))
    if shape is None:
        return [f"shape: {body.get('shape')!r} is not known"]
    whole = {"shape": "text", **shape.fields, "findings": [FINDING]}
    return list(_differences("", body, whole))


def _differences(path: str, value: Any, kind: Type) -> Iterator[str]:
    if isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for number, item in enumerate(value):
            yield from _differences(f"{path}[{number}]", item, kind[0])
    elif isinstance(kind, Mapping):
        yield from _mapping(path, value, kind)
    elif kind == "node":
        yield from _mapping(path, value, _NODE)
    elif not _fits(value, kind):
        yield f"{path}: {value!r} is no {kind}"


def _mapping(path: str, value: Any, kind: Mapping[str, Any]) -> Iterator[str]:
    if set(kind) == {"?"}:
        if value is not None:
            yield from _differences(path, value, kind["?"])
        return
    if not isinstance(value, Mapping):
        yield f"{path}: no mapping"
        return
    names = {name.removesuffix("?"): name for name in kind}
    for name, declared in names.items():
        if name in value:
            yield from _differences(f"{path}.{name}", value[name], kind[declared])
        elif not declared.endswith("?"):
            yield f"{path}.{name}: missing"
    for name in value:
        if name not in names:
            yield f"{path}.{name}: not in the shape"


def _fits(value: Any, kind: str) -> bool:
    if kind.endswith("?"):
        return value is None or _fits(value, kind[:-1])
    if kind == "both":
        return isinstance(value, Mapping) and set(value) == {"zh", "en"}
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "object":
        return isinstance(value, Mapping)
    return kind == "any" or isinstance(value, str)


def markdown() -> str:
    """docs/json.md."""
    lines = [
        "# JSON shapes",
        "",
        "Every command takes `--json` and prints one document. `shape` names its kind and version; `findings` holds what was found",
        "(below). Within one version fields keep their meaning and stay; new ones may come. Absent is `null`, never 0. The exit",
        "status is 0, or 1 where a finding is an error, 2 for a wrong call, 130 when interrupted.",
        "",
        "From Python the same documents come from `.to_json()` of what each verb of `celadon.open_plant(path)` returns (without",
        "`shape` and `findings`).",
        "",
        "Written from `celadon.cli.shapes`; `python -m celadon.cli.shapes docs/json.md` writes it again.",
        "",
        "Types: "
        + "; ".join(f"*{word}* {says}" for word, says in _WORDS.items())
        + ". `?` after a type: or null; `?` after a name: may be missing.",
        "",
        "## A finding",
        "",
        "`where` holds the set ones of file, sheet, line, column, subject, period; `severity` is error, warning or notice;",
        "`message` is `says` in the language asked for.",
        "",
        *_fields(FINDING, 0),
        "",
    ]
    for name, shape in SHAPES.items():
        lines += [
            f"## {name}",
            "",
            f"`celadon {shape.command}`: {shape.says}" if shape.command != "any" else shape.says,
            "",
        ]
        fields = list(_fields(shape.fields, 0))
        lines += [*fields, ""] if fields else []
    lines += [
        "## A trace's node",
        "",
        "`kind`: rule, sum, term, fact, factor, meter, ledger, reading, record, excluded, event, rest, not_applicable.",
        "",
    ]
    lines += [*_fields(_NODE, 0), ""]
    return "\n".join(lines).rstrip() + "\n"


def _fields(fields: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, kind in fields.items():
        many, inner = (" list of", kind[0]) if isinstance(kind, list) else ("", kind)
        nullable = isinstance(inner, Mapping) and set(inner) == {"?"}
        if nullable:
            inner = inner["?"]
        lead = "  " * depth + f"- `{name}`"
        if isinstance(inner, Mapping):
            yield f"{lead}{many}{' or null' if nullable else ''}:" if many or nullable else f"{lead}:"
            yield from _fields(inner, depth + 1)
        else:
            yield f"{lead}{many} *{inner}*"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
