"""Reports and regions in the console: what is downloaded and shown is what the Python interface says."""

from __future__ import annotations

import base64
import hashlib
import io

import openpyxl
import pytest

import celadon
import celadon.region.facade
from celadon.core.version import VERSION
from celadon.reports.gather import Asked
from celadon.reports.write import make, write
from celadon.web.access import Grant, Role
from celadon.web.region_figures import disclosed
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


# -- regions --------------------------------------------------------------------------------------------------------------


def test_a_region_is_public_only_after_an_officer_has_published_it(console: Console) -> None:
    nobody, officer = console.client(), console.signed_in("officer", Grant(Role.OFFICER, "region", "land"))
    viewer = console.signed_in("reads", Grant(Role.VIEWER, "region", "land"))
    assert nobody.get("/public/land").status_code == 404
    given = {"period": "2024", "public": True}
    assert viewer.post("/regions/land/overview/publish.json", json=given).status_code == 403
    assert officer.post("/regions/land/overview/publish.json", json=given).status_code == 200
    shown = nobody.get("/public/land.json")
    assert shown.status_code == 200
    body = shown.json()
    assert body["enterprises"] == 60
    assert body["periods"] == ["2024"]
    assert {item["rulebook"] for item in body["rulebooks"]} >= {"eu_cbam", "cn_gbt_2589_2020"}
    page = nobody.get("/public/land?lang=zh").text
    assert "企业过少或由少数企业主导，不公布" in page
    assert "E00000" not in page, "no enterprise is named"
    assert nobody.get("/public/land?period=2023").status_code == 404, "only what was published"
    assert (
        nobody.get("/public/land.csv").text.splitlines()[0]
        == "by,code,name,kept_back,enterprises,total,mean,median,total_unit,mean_unit"
    )
    assert (
        officer.post("/regions/land/overview/publish.json", json=given | {"public": False}).status_code == 200
    )
    assert nobody.get("/public/land").status_code == 404


def test_a_group_that_is_kept_back_shows_no_number(console: Console) -> None:
    officer = console.signed_in("officer", Grant(Role.OFFICER, "region", "land"))
    body = officer.get("/regions/land/overview.json?period=2024").json()
    hidden = [item for item in (*body["provinces"], *body["divisions"]) if item["kept_back"]]
    assert hidden
    for item in hidden:
        assert {item[name] for name in ("enterprises", "total", "mean", "median", "trace")} == {None}
    with celadon.region.facade.open_region(console.folder / "land") as region:
        found = region.peers("2024", by="division", beside=["province"])
    shown = {item["code"]: item for item in body["divisions"]}
    for group in found.groups:
        assert shown[group.group[0]]["mean"] == (None if group.mean is None else pytest.approx(group.mean))


def test_counts_that_would_show_few_enterprises_are_kept_back() -> None:
    def told(counts: dict[int, int]) -> dict[int | None, int | None]:
        return {item.level: item.enterprises for item in disclosed(counts, 3)}

    assert told({1: 10, 2: 20, 3: 5}) == {1: 10, 2: 20, 3: 5}
    # 2 is too few; the next smallest goes too, or 2 could be had by subtracting from the whole
    assert told({1: 10, 2: 2, 3: 5}) == {1: 10, 2: None, 3: None}
    assert told({0: 1, 1: 10, 2: 2, 3: 5}) == {None: None, 1: 10, 2: None, 3: 5}
    assert told({1: 4}) == {1: 4}
    # 16 less the published 15 would be two levels of one enterprise each
    assert told({1: 1, 2: 1, 3: 5, 4: 10}) == {1: None, 2: None, 3: None, 4: 10}


def test_enterprises_come_in_pages(console: Console) -> None:
    officer = console.signed_in("officer", Grant(Role.OFFICER, "region", "land"))
    first = officer.get("/regions/land/enterprises.json?period=2024&level=3").json()
    assert first["found"] == 13
    assert {row["level"] for row in first["rows"]} == {3}
    assert first["next"] is None
    last = officer.get("/regions/land/enterprises.json?period=2024&first=51").json()
    assert len(last["rows"]) == 10
    assert "first=1" in last["previous"]
    trace = officer.get(first["rows"][0]["trace"].replace("/explain?", "/explain.json?")).json()
    assert trace["trace"]["trace"]["value"] == pytest.approx(first["rows"][0]["emission"])
