"""What a filing says of itself for other programs: RO-Crate 1.1 metadata and W3C PROV-O, both as JSON-LD."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from celadon.proof.payload import FACTS, FORMAT, PLANT, REPORT, RESULTS, RULEBOOKS, as_json

CRATE, PROVENANCE = "data/ro-crate-metadata.json", "data/provenance.jsonld"
_TYPES = {
    "json": "application/json", "jsonld": "application/ld+json", "csv": "text/csv", "parquet": "application/vnd.apache.parquet",
    "py": "text/x-python", "yaml": "application/yaml", "lock": "text/plain", "txt": "text/plain", "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "html": "text/html",
}  # fmt: skip
_PROV = "http://www.w3.org/ns/prov#"


def described(files: Mapping[str, bytes], request: Mapping[str, Any]) -> dict[str, bytes]:
    """The two descriptions of these files (their paths begin with `data/`)."""
    provenance = as_json(_provenance(files, request))
    listed = {**files, PROVENANCE: provenance}
    return {PROVENANCE: provenance, CRATE: as_json(_crate(listed, request))}


def title_of(request: Mapping[str, Any]) -> str:
    """One line that says what was filed."""
    return f"{request['enterprise']['name']['en']}: {request['rulebook']['document']}, {request['period']}"


def _crate(files: Mapping[str, bytes], request: Mapping[str, Any]) -> dict[str, Any]:
    paths = sorted(path.removeprefix("data/") for path in files)
    enterprise = {"@id": f"#enterprise-{request['enterprise']['id']}"}
    software = {"@id": "#celadon"}
    used = [{"@id": path} for path in paths if _is_input(f"data/{path}")]
    made = [
        {"@id": path}
        for path in paths
        if f"data/{path}" == RESULTS or f"data/{path}".startswith(f"{REPORT}/")
    ]
    day = str(request["as_of"] or request["end"])[:10]
    graph: list[dict[str, Any]] = [
        {
            "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        {
            "@id": "./", "@type": "Dataset", "name": title_of(request), "datePublished": day,
            "description": "A period of a plant, frozen under a rulebook: facts, factors, rulebook, request and results.",
            "identifier": f"{FORMAT} {request['facts_digest']}", "license": {"@id": "#licence"}, "author": enterprise,
            "hasPart": [{"@id": path} for path in paths], "mentions": {"@id": "#account"},
            "temporalCoverage": f"{request['start']}/{request['end']}",
        },
        {
            "@id": "#licence", "@type": "CreativeWork", "name": "Not licensed for reuse",
            "description": "Data of the enterprise, given to whoever it was filed with. Rulebooks carry their own sources.",
        },
        {**enterprise, "@type": "Organization", "name": request["enterprise"]["name"]["en"],
         "alternateName": request["enterprise"]["name"]["zh"]},
        {**software, "@type": "SoftwareApplication", "name": "Celadon", "version": request["versions"]["celadon"]},
        {
            "@id": "#account", "@type": "CreateAction", "name": f"Account under {request['rulebook']['document']}",
            "instrument": software, "object": used, "result": made, "agent": enterprise, "endTime": request["as_of"],
        },
    ]  # fmt: skip
    for path in paths:
        content = files[f"data/{path}"]
        graph.append(
            {
                "@id": path,
                "@type": "File",
                "name": path.rsplit("/", 1)[-1],
                "contentSize": str(len(content)),
                "encodingFormat": _TYPES.get(path.rsplit(".", 1)[-1], "application/octet-stream"),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}


def _is_input(path: str) -> bool:
    return path in (FACTS, PLANT) or path.startswith(f"{RULEBOOKS}/")


def _provenance(files: Mapping[str, bytes], request: Mapping[str, Any]) -> dict[str, Any]:
    """Who made what from what: facts from sources, results from facts, plant and rulebooks."""
    software, account, deriving = {"@id": "#celadon"}, {"@id": "#account"}, {"@id": "#facts"}
    enterprise = {"@id": f"#enterprise-{request['enterprise']['id']}"}
    graph: list[dict[str, Any]] = [
        {**software, "@type": ["prov:Agent", "prov:SoftwareAgent"], "label": f"Celadon {request['versions']['celadon']}"},
        {**enterprise, "@type": ["prov:Agent", "prov:Organization"], "label": request["enterprise"]["name"]["en"]},
        {**deriving, "@type": "prov:Activity", "prov:wasAssociatedWith": software, "prov:used": [
            {"@id": path.removeprefix("data/")} for path in sorted(files) if path.startswith("data/facts/") and path != FACTS
        ]},
        {**account, "@type": "prov:Activity", "prov:wasAssociatedWith": [software, enterprise],
         "prov:used": [{"@id": path.removeprefix("data/")} for path in sorted(files) if _is_input(path)]},
    ]  # fmt: skip
    for path in sorted(files):
        entity: dict[str, Any] = {"@id": path.removeprefix("data/"), "@type": "prov:Entity"}
        entity["sha256"] = hashlib.sha256(files[path]).hexdigest()
        if path == FACTS:
            entity |= {"prov:wasGeneratedBy": deriving, "prov:wasAttributedTo": enterprise}
        elif path == RESULTS or path.startswith(f"{REPORT}/"):
            facts = {"@id": FACTS.removeprefix("data/")}
            entity |= {"prov:wasGeneratedBy": account, "prov:wasDerivedFrom": facts}
            entity["prov:wasAttributedTo"] = enterprise
        graph.append(entity)
    context = {
        "prov": _PROV, "label": "http://www.w3.org/2000/01/rdf-schema#label",
        "sha256": "https://schema.org/sha256",
    }  # fmt: skip
    return {"@context": context, "@graph": graph}
