"""The API as its OpenAPI document says: no request ends in a fault, every answer has the documented shape, and a token of
one enterprise never sees a word of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from tests.web.live.serving import COUNTRY, MILL, MONTH, OTHER, Server, copied, serving, token

pytestmark = pytest.mark.xdist_group("console")
load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)
KNOWN: dict[str, list[str]] = {
    "period": [MONTH, "2024", "2024-09-11", "2024-W37", "", "2024-13", "now"],
    "rulebook": ["cn_gbt_2589_2020", "cn_gbt_32150_2015", "ghg_protocol_corporate", "no_such_book"],
    "quantity": ["comprehensive_energy", "total_emission", "energy_consumed", "no_such_quantity"],
    "site": ["mill", "office", "works", "nowhere"],
    "meter": ["E01", "E101", "E1", "X9"],
    "by": ["site", "process", "carrier", "enterprise", "nothing"],
    "per": ["month", "day", "year", "never"],
    "product": ["bar", "billet"],
    "carrier": ["electricity", "natural_gas"],
    "lang": ["zh", "en", "fr"],
}
"""Words that mean something in the plants served, and some that do not."""
WORDS = ("Luhe", "鲁河", "鲁钢", "E3052", "luhe", "轧钢", "Arc furnace")
"""Names of the mill that no other enterprise may ever read."""


class Api:
    """A server of its own, with a token for each of two people, and its OpenAPI document."""

    def __init__(self, server: Server, tokens: dict[str, str]) -> None:
        self.server, self.tokens = server, tokens
        self.http = httpx.Client(timeout=60)
        self.document: dict[str, Any] = self.get("/openapi.json", "anna").json()

    def get(self, path: str, name: str, **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[name]}"}
        return self.http.get(self.server.address + path, params=query, headers=headers)

    def operations(self) -> list[Any]:
        """Every operation that the document describes."""
        schema = schemathesis.openapi.from_dict(self.document)
        return [item.ok() for item in schema.get_all_operations() if isinstance(item, Ok)]


@pytest.fixture(scope="module")
def api(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    root = copied(workspace, tmp_path_factory.mktemp("api") / "works")
    tokens = {name: token(root, name) for name in ("anna", "olga")}
    with serving(root) as server:
        yield Api(server, tokens)
        said = server.said()
    assert "Traceback" not in said, said[-3000:]


def test_every_request_made_from_the_document_is_answered_as_it_says(api: Api) -> None:
    operations = api.operations()
    assert len(operations) >= 5
    faults: list[str] = []
    for operation in operations:
        try:
            _try(api, operation)
        except BaseExceptionGroup as group:  # several kinds of failure in one operation
            faults += [f"{operation.label}: {error}" for error in group.exceptions]
        except Exception as error:  # noqa: BLE001 - every operation is tried before the test fails
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)


def _try(api: Api, operation: Any) -> None:
    headers = {"Authorization": f"Bearer {api.tokens['anna']}"}

    exported = operation.path.endswith((".csv", ".parquet", ".arrow"))  # of the same view as its .json

    @settings(
        max_examples=3 if exported else 12, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(case=operation.as_strategy(), known=st.data())
    def requests(case: Any, known: Any) -> None:
        parts = case.path_parameters or {}
        if "plant" in parts:
            parts["plant"] = known.draw(st.sampled_from([MILL, OTHER, OTHER, parts["plant"]]))
        if "region" in parts:
            parts["region"] = known.draw(st.sampled_from([COUNTRY, COUNTRY, parts["region"]]))
        for name, words in KNOWN.items():
            if case.query and name in case.query:
                case.query[name] = known.draw(st.sampled_from([*words, case.query[name]]))
        answer = case.call(base_url=api.server.address, headers=headers, timeout=60)
        case.validate_response(answer, checks=CHECKED)

    requests()


def test_a_token_of_one_enterprise_never_sees_a_word_of_another(api: Api) -> None:
    seen = 0
    for path, verbs in api.document["paths"].items():
        for verb in verbs:
            for plant in (MILL, OTHER):
                address = path.replace("{plant}", plant).replace("{region}", COUNTRY)
                if "{" in address:
                    address = address.split("{")[0] + "E3052" + address.split("}", 1)[1]
                query = {item["name"]: KNOWN[item["name"]][0] for item in verbs[verb].get("parameters", ())
                         if item["in"] == "query" and item["name"] in KNOWN}  # fmt: skip
                headers = {"Authorization": f"Bearer {api.tokens['olga']}"}
                body = {"json": {}} if verb == "post" else {}
                answer = api.http.request(
                    verb, api.server.address + address, params=query, headers=headers, **body
                )
                if plant == MILL and "{plant}" in path:
                    assert answer.status_code == 404, f"{verb} {address}: {answer.status_code}"
                    assert answer.json()["code"] == "access.not-there"
                found = [word for word in WORDS if word in answer.text]
                # the address that was asked for is repeated to whoever asked for it
                found = [word for word in found if word not in address]
                assert not found, f"{verb} {address} says {found}"
                seen += 1
    assert seen >= 10
    # those who may see it do: the words are there to be leaked
    said = api.get(f"/plants/{MILL}/overview.json", "anna", period=MONTH).text
    assert "鲁河" in said
