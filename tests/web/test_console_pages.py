"""Every page: its case, both languages, its JSON twin, its ETag; and that adding a page is adding a folder."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars
import pyarrow.parquet
import pytest
import yaml

import celadon
from celadon.charts.palette import stylesheet
from celadon.rules.rulebook import load_rulebook
from celadon.web import pages
from celadon.web.exports import as_arrow, as_csv, as_parquet
from celadon.web.page import Table
from celadon.web.parts import parts_of
from celadon.web.rendering import STATIC, static
from celadon.web.routing import folders
from tests.web import consoles
from tests.web.consoles import Console

PAGES = {item.name: item for item in folders()}
CASES = [
    pytest.param(name, case, id=f"{name}: {case['name']}")
    for name in PAGES
    for case in yaml.safe_load((Path(pages.__path__[0]) / name / "case.yaml").read_text("utf-8"))
]


def at(model: Any, path: str) -> Any:
    """`figures.0.value` of a model."""
    for part in path.split("."):
        model = len(model) if part == "length" else model[int(part) if isinstance(model, list) else part]
    return model


def in_language(path: str, lang: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={lang}"


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case(console: Console, name: str, case: dict[str, Any]) -> None:
    """`path` with `expect` (of the model: at, is; numbers to 1e-9) and `shows` (words on the page in each language), or the
    `problem` it must say."""
    client = console.administrator()
    stem, _, query = case["path"].partition("?")
    found = client.get(
        f"{stem if stem != '/' else '/index'}.json?{query}", headers={"accept": "application/json"}
    )
    if "problem" in case:
        assert found.json()["code"] == case["problem"]
    else:
        assert found.status_code == 200, found.text
        for expected in case.get("expect", []):
            value = at(found.json(), expected["at"])
            wanted = expected["is"]
            assert value == (pytest.approx(wanted, rel=1e-9) if isinstance(wanted, float) else wanted), (
                expected["at"]
            )
    for lang, words in case["shows"].items():
        page = client.get(in_language(case["path"], lang))
        assert page.headers["content-language"] == lang if "problem" not in case else True
        text = re.sub(r"\s+", " ", page.text)
        for word in words:
            assert word in text, f"{lang}: {word}"


class _Checker(HTMLParser):
    """Finds what the content security policy would block, and what a screen reader would stumble over."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.headings: list[str] = []
        self.lang = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.lang = given.get("lang") or self.lang if tag == "html" else self.lang
        self.faults += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not given.get("src", "").startswith("/static/")):
            self.faults.append(f"inline {tag}")
        for name in ("src", "href", "action"):
            if re.match(r"(https?:)?//|javascript:", given.get(name) or ""):
                self.faults.append(f"{tag} {name}={given[name]}")
        if tag == "img" and "alt" not in given:
            self.faults.append("img without alt")
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)


@pytest.mark.parametrize(("name", "case"), CASES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_are_sound(console: Console, name: str, case: dict[str, Any], lang: str) -> None:
    page = console.administrator().get(in_language(case["path"], lang))
    checker = _Checker()
    checker.feed(page.text)
    assert checker.faults == []
    assert checker.headings[:1] == ["h1"]
    assert checker.headings.count("h1") == 1
    assert checker.lang == {"zh": "zh-CN", "en": "en"}[lang]
    for label in re.findall(r"<label[^>]*>(.*?)</label>", page.text, re.DOTALL):
        assert re.sub(r"<[^>]+>|\s", "", label), "a label without words"


@pytest.mark.parametrize("name", PAGES)
def test_templates_speak_both_languages(name: str) -> None:
    """Chinese stands only in t(…, …): what is outside would be shown to everybody."""
    for file in (Path(pages.__path__[0]) / name).glob("*.html"):
        text = re.sub(r"\bt\(\s*(\"[^\"]*\"|'[^']*')", "", file.read_text("utf-8"))
        text = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
        text = re.sub(r"\(\"\w+\", \"[^\"]+\", ", "", text)
        assert not re.findall(r"[\u4e00-\u9fff]+", text), file


def test_etag_and_language(console: Console) -> None:
    client = console.administrator()
    first = client.get("/plants/small/overview.json?period=2024-01")
    tag = first.headers["etag"]
    again = client.get(
        "/plants/small/overview.json?period=2024-01", headers={"if-none-match": f'"other", {tag}'}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert (
        client.get("/plants/small/overview.json?period=2024", headers={"if-none-match": tag}).status_code
        == 200
    )
    # the language asked for once stays; before, the browser's own
    fresh = console.administrator()
    assert "Plants and regions" in fresh.get("/", headers={"accept-language": "de, en;q=0.5"}).text
    assert "工厂与区域" in fresh.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"}).text
    assert "工厂与区域" in fresh.get("/?lang=zh", headers={"accept-language": "en"}).text
    assert "工厂与区域" in fresh.get("/", headers={"accept-language": "en"}).text


def test_overview_is_what_the_library_says(console: Console) -> None:
    model = console.administrator().get("/plants/small/overview.json?period=2024-01").json()
    with celadon.open_plant(console.folder / "small") as plant:
        energy = plant.account(
            "cn_gbt_2589_2020", "2024-01", by="enterprise", quantities=("comprehensive_energy",)
        ).rows[0]
        carbon = plant.account(
            "cn_gbt_32150_2015", "2024-01", by="enterprise", quantities=("total_emission",)
        ).rows[0]
    assert [(item["value"], item["unit"]) for item in model["figures"]] == [
        (energy.value, "tce"),
        (carbon.value, "tCO2"),
    ]
    # 744 h × 10 kWh × 0.1229 kgce/kWh = 914.376 kgce; 5 t diesel × 1.4571 tce/t = 7.2855 tce
    assert model["figures"][0]["value"] == pytest.approx(0.914376 + 7.2855, rel=1e-12)
    assert model["figures"][0]["months"][0]["value"] == model["figures"][0]["value"]
    assert model["before_period"] == "2023-01"
    assert model["figures"][0]["before"] is None


def test_targets(console: Console) -> None:
    client = console.administrator()
    where = "/plants/small/overview"
    given = {
        "rulebook": "cn_gbt_2589_2020",
        "quantity": "comprehensive_energy",
        "period": "2024-01",
        "value": 16.399752,
    }
    done = client.post(f"{where}/target.json", json=given)
    assert done.json()["goto"] == f"{where}?period=2024-01"
    # 8.199876 tce of 16.399752
    figure = client.get(f"{where}.json?period=2024-01").json()["figures"][0]
    assert (figure["target"], figure["of_target"]) == (16.399752, pytest.approx(0.5, rel=1e-12))
    refused = client.post(f"{where}/target.json", json={**given, "quantity": "unit_product_energy"})
    assert (refused.status_code, refused.json()["code"]) == (422, "overview.no-such-target")
    assert (
        client.post(f"{where}/target.json", json={**given, "value": -1}).json()["code"] == "request.parameter"
    )


def test_exports(console: Console) -> None:
    client = console.administrator()
    model = client.get("/plants/small/overview.json?period=2024-01").json()
    rows = [["cn_gbt_2589_2020", "comprehensive_energy", "2024-01", model["figures"][0]["value"], "tce"]]
    text = client.get("/plants/small/overview.csv?period=2024-01")
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert [line.split(",") for line in text.text.splitlines()[:2]] == [
        ["rulebook", "quantity", "period", "value", "unit"],
        [str(cell) for cell in rows[0]],
    ]
    frame = polars.read_parquet(
        io.BytesIO(client.get("/plants/small/overview.parquet?period=2024-01").content)
    )
    assert [list(row) for row in frame.rows()[:1]] == rows
    assert frame.schema["value"] == polars.Float64
    stream = client.get("/plants/small/overview.arrow?period=2024-01")
    assert stream.headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert polars.read_ipc_stream(io.BytesIO(stream.content)).equals(frame)


def test_exported_tables_keep_absence_and_no_formula() -> None:
    table = Table(("a", 'b"', "c"), [["=1+1", 1, None], ["plain", None, 2.5]])
    assert as_csv(table) == 'a,"b""",c\n\'=1+1,1,\nplain,,2.5\n'
    frame = polars.read_parquet(io.BytesIO(as_parquet(table)))
    assert frame.rows() == [("=1+1", 1, None), ("plain", None, 2.5)]
    assert frame.equals(polars.read_ipc_stream(io.BytesIO(as_arrow(table))))
    empty = Table(("a",), [])
    for found in (polars.read_parquet(as_parquet(empty)), polars.read_ipc_stream(as_arrow(empty))):
        assert (found.schema, found.height) == (polars.Schema({"a": polars.String}), 0)


def test_an_arrow_stream_is_read_batch_by_batch_and_keeps_kinds() -> None:
    size = 70_000  # a batch has 65,536 rows
    rows = [[row, row / 4 if row % 2 else row, row % 3 == 0, None if row else "炉"] for row in range(size)]
    table = Table(("whole", "number", "truth", "text"), rows)
    reader = pyarrow.ipc.open_stream(as_arrow(table))
    assert [str(kind) for kind in reader.schema.types] == ["int64", "double", "bool", "string"]
    batches = list(reader)
    assert [batch.num_rows for batch in batches] == [65_536, 4_464]
    whole = pyarrow.Table.from_batches(batches)
    assert list(zip(*whole.to_pydict().values(), strict=True)) == [tuple(row) for row in rows]
    assert pyarrow.parquet.read_table(io.BytesIO(as_parquet(table))).to_pydict() == whole.to_pydict()


def test_static_files_may_be_kept_until_they_change(console: Console) -> None:
    kept = console.client().get(static("css/base.css"))
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert console.client().get("/static/css/base.css").headers["cache-control"] == "no-cache"
    assert console.client().get("/static/../app.py").status_code == 404


def test_the_charts_colours_are_those_of_the_charts() -> None:
    assert (STATIC / "css" / "charts.css").read_text("utf-8") == stylesheet()


def test_balance_explain_and_reconcile_are_what_the_library_says(console: Console) -> None:
    client = console.administrator()
    with celadon.open_plant(console.folder / "small") as plant:
        proofs = plant.balance("2024-01").proofs
        trace = plant.explain(
            "total_emission", "cn_gbt_32150_2015", "2024-01", where={"enterprise": "acme"}, lang="en"
        )
        lines = plant.reconcile(
            ("cn_gbt_32150_2015", "ghg_protocol_corporate"),
            "2024-01",
            quantities=("total_emission", "total_location_based"),
        ).reconciliation
    model = client.get("/plants/small/balance.json?period=2024-01").json()
    shown = [
        (item["meter"], item["expected"], item["attributed"], item["difference_ticks"])
        for item in model["meters"]
    ]
    assert shown == [
        (item.meter, item.expected / 1e6, item.attributed / 1e6, item.difference) for item in proofs
    ]
    link = client.get("/plants/small/overview.json?period=2024-01").json()["figures"][1]["trace"]
    shown_trace = client.get(link.replace("/explain?", "/explain.json?") + "&lang=en").json()["trace"]
    assert shown_trace == trace.to_json()
    told = client.get("/plants/small/reconcile.json?period=2024-01").json()
    assert [item["difference"] for item in told["lines"]] == [item.difference for item in lines.lines]
    assert sum(item["difference"] for item in told["lines"]) == pytest.approx(told["difference"], rel=1e-12)
    page = client.get("/plants/small/reconcile?period=2024-01").text
    assert 'class="chart" role="img"' in page
    assert "<text" in page


def test_explorer_flows_and_change_are_what_the_library_says(console: Console) -> None:
    client = console.administrator()
    with celadon.open_plant(console.folder / "small") as plant:
        rows = plant.account(
            "cn_gbt_2589_2020", "2024-01", by="process", per="day", quantities=("standard_coal_equivalent",)
        ).rows
        total = (
            plant.account("cn_gbt_32150_2015", "2024-01", by="enterprise", quantities=("total_emission",))
            .rows[0]
            .value
        )
        hours = plant.series(["E2"], "2024-01-05").lines[0].values
    where = "rulebook=cn_gbt_2589_2020&quantity=standard_coal_equivalent&period=2024-01&by=process&per=day"
    shown = client.get(f"/plants/small/explorer.json?{where}").json()
    assert [(row["place"], row["item"], row["period"], row["value"]) for row in shown["rows"]] == [
        (row.process, row.item, row.label, row.value) for row in rows
    ]
    # every link leads to the number it stands on
    linked = next(row for row in shown["rows"] if row["trace"] and row["value"])
    trace = client.get(linked["trace"].replace("/explain?", "/explain.json?")).json()["trace"]["trace"]
    assert trace["value"] == pytest.approx(linked["value"], rel=1e-12)
    carbon = client.get("/plants/small/flows.json?period=2024-01").json()["diagrams"][1]
    assert sum(flow["value"] for flow in carbon["flows"]) == pytest.approx(total, rel=1e-12)
    # 20 days × 24 h × 4 kWh, over several calendar units
    meters = client.get("/plants/small/flows.json?period=2024-01-01..2024-01-20").json()["diagrams"][-1]
    assert {flow["target"]: flow["value"] for flow in meters["flows"]} == {"E2": 1920.0, "E1~rest": 2880.0}
    change = client.get("/plants/small/change.json?period=2024-01&rulebook=cn_gbt_32150_2015").json()
    assert change["after"] == total
    assert sum(part["difference"] for part in change["parts"]) == pytest.approx(
        change["difference"], rel=1e-12
    )
    load = client.get("/plants/small/load.json?period=2024-01-05&meter=E2").json()
    assert tuple(load["lines"][0]["values"]) == hours  # kWh in an hour are kW


def test_the_parts_of_totals_are_those_of_their_formulas() -> None:
    day = date(2024, 1, 1)
    parts = {name: sign for sign, name in parts_of(load_rulebook("cn_gbt_32150_2015"), "total_emission", day)}
    assert parts == {
        "fuel_combustion_emission": 1, "purchased_electricity_emission": 1, "purchased_heat_emission": 1,
        "exported_electricity_emission": -1, "exported_heat_emission": -1,
    }  # fmt: skip
    energy = load_rulebook("cn_gbt_2589_2020")
    assert parts_of(energy, "comprehensive_energy", day) == [
        (1, "standard_coal_equivalent"),
        (1, "medium_equivalent"),
    ]
    assert parts_of(energy, "applied_coefficient", day) == [(1, "applied_coefficient")]  # a quotient


def test_vendored_files_are_as_they_were_published() -> None:
    lines = (STATIC / "vendor" / "SHA256SUMS").read_text("utf-8").splitlines()
    named = dict(reversed(line.split("  ")) for line in lines)
    found = {
        item.name: hashlib.sha256(item.read_bytes()).hexdigest() for item in (STATIC / "vendor").iterdir()
    }
    assert named == {name: digest for name, digest in found.items() if name != "SHA256SUMS"}


def test_a_plant_without_meters(served: Path, tmp_path: Path) -> None:
    from tests.plant import small

    head, tail = small.PLANT.split("meters:\n")
    plant = head + "sources:\n  - id: fuel\n" + tail.split("  - id: fuel\n")[1]
    with small.loaded(tmp_path / "served" / "papers", plant=plant):
        pass
    console = consoles.open_console(tmp_path / "served")
    client = console.administrator()
    client.headers["accept"] = "application/json"
    assert client.get("/plants/papers/load.json?period=2024-01").json()["code"] == "load.no-meter"
    assert client.get("/plants/papers/flows.json?period=2024-01").status_code == 200
    console.close()


def test_a_gap_leads_to_the_readings_around_it(served: Path, tmp_path: Path) -> None:
    """E1 is reset to 0 at hour 20 without a word: the hour is a named gap."""
    from tests.plant import small

    lines = small.rows(0, 19) + "".join(
        f"{small.START + timedelta(hours=hour):%Y-%m-%d %H:%M},{10 * (hour - 20)},{500 + 4 * hour}\n"
        for hour in range(20, 40)
    )
    with small.loaded(tmp_path / "served" / "reset", readings=lines):
        pass
    console = consoles.open_console(tmp_path / "served")
    client = console.administrator()
    model = client.get("/plants/reset/balance.json?period=2024-01").json()
    (gap,) = model["meters"][0]["gaps"]
    assert (gap["code"], gap["start"], gap["end"], gap["amount"]) == (
        "reset-undeclared", "2024-01-01T11:00:00Z", "2024-01-01T12:00:00Z", -1190.0,  # 0 after 1190
    )  # fmt: skip
    around = client.get(gap["readings"].replace("/readings?", "/readings.json?")).json()["readings"]
    # three before, the one at 19:00 inside, three from 20:00 on
    assert [(item["value"], item["inside"]) for item in around] == [
        (1160.0, False), (1170.0, False), (1180.0, False), (1190.0, True), (0.0, False), (10.0, False), (20.0, False),
    ]  # fmt: skip
    assert "Readings around it" in client.get("/plants/reset/balance?period=2024-01&lang=en").text
    console.close()


def test_a_plant_without_data_says_what_to_do(console: Console, tmp_path: Path) -> None:
    from tests.plant import small

    small.write(console.folder / "fresh", readings="time,E1,E2\n", fuel=None)
    client = console.administrator()
    client.headers["accept"] = "application/json"
    refused = client.get("/plants/fresh/overview.json").json()
    assert refused["code"] == "console.no-period"
    assert str(console.folder) not in str(refused), "where a store would be is nobody's business"
    with celadon.open_plant(console.folder / "fresh") as plant:
        plant.load()
    assert client.get("/plants/fresh/overview.json").json()["code"] == "console.no-period"
