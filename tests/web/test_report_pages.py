"""Reports and regions in the console: what is downloaded and shown is what the Python interface says."""

from __future__ import annotations

import base64
import hashlib
import io

import openpyxl
import pytest

import celadon
from celadon.core.version import VERSION
from celadon.reports.gather import Asked
from celadon.reports.write import make, write
from celadon.web.access import Grant, Role
from tests.web.consoles import Console, codes

ADDRESS = "http://localhost:8710/plants/small/explain"
QUERY = "kind=energy-carbon&period=2024-01&rulebook=cn_gbt_32150_2015&language=zh"


@pytest.mark.parametrize("form", ["xlsx", "pdf"])
def test_a_downloaded_report_is_the_report(console: Console, form: str) -> None:
    found = console.administrator().get(f"/plants/small/reports?{QUERY}&format={form}")
    assert found.status_code == 200
    asked = Asked("2024-01", ("cn_gbt_32150_2015",), address=ADDRESS)
    with celadon.open_plant(console.folder / "small") as plant:
        expected = write(make(plant, "energy-carbon", asked, "zh", VERSION), form, "zh")  # type: ignore[arg-type]
    assert found.content == expected
    digest = base64.b64encode(hashlib.sha256(expected).digest()).decode()
    assert found.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert (
        found.headers["content-disposition"]
        == f'attachment; filename="small-energy-carbon-2024-01-zh.{form}"'
    )
    assert found.headers["content-security-policy"]


def test_its_figures_link_to_the_console(console: Console) -> None:
    found = console.administrator().get(f"/plants/small/reports?{QUERY}&format=xlsx")
    workbook = openpyxl.load_workbook(io.BytesIO(found.content))
    links = [row[4].value for row in workbook["溯源"].iter_rows(min_row=4)]
    assert links
    assert all(link.startswith(f"{ADDRESS}?rulebook=cn_gbt_32150_2015&quantity=") for link in links)


def test_a_report_without_its_rulebook_is_refused(console: Console) -> None:
    found = console.administrator().get("/plants/small/reports?kind=evidence&period=2024-01")
    assert found.status_code == 422
    assert codes(found) == ["report.no-rulebook"]


def test_a_viewer_gets_no_traces(console: Console) -> None:
    viewer = console.signed_in("looks", Grant(Role.VIEWER, "plant", "small"))
    assert viewer.get(f"/plants/small/reports?{QUERY}").status_code == 403
