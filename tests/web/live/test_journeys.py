"""What each role does in a day, in a real browser."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page

from tests.plant import small
from tests.web.live.conftest import SignedIn
from tests.web.live.serving import (
    COUNTRY,
    ENVIRONMENT,
    MILL,
    MONTH,
    OTHER,
    PASSWORD,
    Server,
    serving,
)

pytestmark = pytest.mark.xdist_group("console")
LINE = re.compile(r"data/\S+:\d+")
EVERYTHING = "document.querySelectorAll('details').forEach(item => item.open = true)"


def numbers(page: Page, selector: str) -> list[str]:
    """The texts of some elements."""
    return [item.strip() for item in page.locator(selector).all_inner_texts()]


# -- the first start ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_first_start_makes_an_administrator_by_a_link_that_works_once(
    tmp_path: Path, visit: SignedIn, lang: str
) -> None:
    root = tmp_path / "works"
    small.write(root / OTHER)
    with serving(root) as server:
        link = server.setup_link().removeprefix(server.address)
        opened = visit(server, "", lang)
        page = opened.open(link)
        # by keyboard alone: the first field has the focus
        page.keyboard.type("marie")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{server.address}/")
        assert numbers(page, "h1") == ["工厂与区域" if lang == "zh" else "Plants and regions"]
        assert "甲厂" in page.inner_text("main") if lang == "zh" else "Acme" in page.inner_text("main")
        opened.open(link, status=403)
        assert "people.link-spent" in page.inner_text("main")
        # somebody else, who has not signed in, is asked to, and comes back to where they wanted to go
        other = visit(server, "", lang)
        other.open(f"/plants/{OTHER}/overview")
        assert "/sign-in?next=" in other.page.url
        other.page.fill("input[name=name]", "marie")
        other.page.fill("input[name=password]", "not this one at all")
        other.page.keyboard.press("Enter")
        other.page.wait_for_selector("[role=alert]")
        other.page.wait_for_load_state()  # what is typed into a page that still loads may be lost
        other.page.fill("input[name=name]", "marie")
        other.page.fill("input[name=password]", PASSWORD)
        other.page.keyboard.press("Enter")
        other.page.wait_for_url(lambda url: "/sign-in" not in url)
        # nothing is loaded yet, and the page says so
        assert "console.no-period" in other.page.inner_text("main")
        other.page.click("header form button")
        other.page.wait_for_url(lambda url: "/sign-in" in url)


# -- the engineer ---------------------------------------------------------------------------------------------------------


def test_an_engineer_follows_a_monthly_total_down_to_a_meters_line(console: Server, visit: SignedIn) -> None:
    opened = visit(console, "erik", "zh")
    page = opened.open(f"/plants/{MILL}/overview?period={MONTH}")
    total = page.locator("main a.trace").first
    shown = total.inner_text()
    # by keyboard alone: a link is reached by Tab and opened by Enter
    total.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/explain?" in url)
    assert shown in page.inner_text("main")
    assert "GB/T 2589-2020" in page.inner_text("main")
    page.evaluate(EVERYTHING)
    lines = LINE.findall(page.inner_text("main"))
    assert any("scada-2024-09.csv" in line for line in lines), lines[:5]
    assert any("fuel-2024.csv" in line for line in lines), lines[:5]
    # a summary opens and closes by keyboard
    first = page.locator("main summary").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is False
    opened.quiet()


def test_an_engineer_sees_what_bounded_a_gap(console: Server, visit: SignedIn) -> None:
    opened = visit(console, "erik", "en")
    page = opened.open(f"/plants/{MILL}/balance?period={MONTH}")
    # F08: the register of E3063 fell from 210427.85 to 9.49 within a quarter-hour, and nobody had declared it
    page.locator("tr", has_text="E3063").get_by_role("link", name="Readings around it").first.click()
    page.wait_for_url(lambda url: "/readings?" in url)
    text = page.inner_text("main")
    assert "210427.85" in text
    assert "9.49" in text
    assert "data/gateway/gateway-2024-09.csv:" in text
    opened.quiet()


ENERGY = "GB/T 2589-2020 General rules for calculation of the comprehensive energy consumption"
CARBON = (
    "GB/T 32150-2015 General guideline of greenhouse gas accounting and reporting for industrial enterprises"
)
CHANGED = {
    # 9 t less × 28.095 GJ/t ÷ 29.3076 GJ/tce = 8.628 tce less
    (ENERGY, "Comprehensive energy", "tce", "−8.628"),
    (ENERGY, "Energy by carrier, in standard coal", "tce", "−8.628"),
    # 9 t × 28.095 GJ/t × 0.02749 tC/GJ × 0.94 × 44/12 = 23.958 tCO2 less
    (CARBON, "Total emission", "tCO₂", "−23.958"),
    (CARBON, "Fossil fuel combustion", "tCO₂", "−23.958"),
}
"""What a weighing that was entered 9 t too high changes, besides the two products' intensities."""


def test_an_engineer_corrects_a_record_and_exactly_its_figures_change(own: Server, visit: SignedIn) -> None:
    opened = visit(own, "erik", "en")
    page = opened.open(f"/plants/{MILL}/facts?period=2024-09-03&item=anthracite")
    assert "41.060 t" in page.inner_text("main")
    page.evaluate(EVERYTHING)
    form = page.locator("form[action$='/correct']:has(input[name=line][value='232'])")
    form.locator("input[name=value]").fill("32.06")
    form.locator("input[name=reason]").fill("the weighing was entered 9 t too high")
    form.locator("button").click()
    page.wait_for_url(lambda url: url.endswith("/correct"))
    rows = [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in page.locator("table.effect tbody tr").all()
    ]
    found = {(book, name, row[6], row[5]) for row in rows for name, book in [row[0].split("\n", 1)]}
    intensities = {item for item in found if item[1] == "Energy per unit of product"}
    worldwide = {item for item in found if item[0].startswith("The Greenhouse Gas Protocol")}
    assert found - intensities - worldwide == CHANGED
    assert len(intensities) == 2
    assert {item[1] for item in worldwide} == {
        "Scope 1",
        "Scopes 1 and 2, location-based",
        "Scopes 1 and 2, market-based",
    }
    assert len(rows) == 9
    page.get_by_role("button", name="Make the change").click()
    page.wait_for_url(lambda url: "/correct" not in url)
    text = opened.open(f"/plants/{MILL}/facts?period=2024-09-03&item=anthracite").inner_text("main")
    assert "replaced" in text
    assert "32.060 t" in text
    assert "the weighing was entered 9 t too high" in text
    opened.quiet()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_wrong_record_is_fixed_and_exactly_three_figures_change(
    own: Server, visit: SignedIn, lang: str
) -> None:
    """The walk of docs/quickstart.md: whoever comes second finds it corrected, and puts back nothing."""
    opened = visit(own, "erik", lang)
    page = opened.open(f"/plants/{MILL}/facts?period=2024-07-09&item=HFC-134a")
    page.evaluate(EVERYTHING)
    form = page.locator("form[action$='/correct']")
    assert form.count() == 1
    text = page.inner_text("main")
    first = "12.000 kg" not in text
    assert "120.00 kg" in text or not first, text
    form.locator("input[name=value]").fill("12.0" if first else "120.0")
    form.locator("input[name=reason]").fill("WX-0709")
    form.locator("button").click()
    page.wait_for_url(lambda url: url.endswith("/correct"))
    cells = [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in page.locator("table.effect tbody tr").all()
    ]
    # (120 − 12) kg × 1530 kgCO2e/kg (HFC-134a, AR6) = 165.24 tCO2e
    moved = "−165.24" if first else "+165.24"
    names = [row[0].split("\n")[0] for row in cells]
    assert (
        names
        == {
            "zh": ["范围一排放", "范围一加范围二（基于位置）", "范围一加范围二（基于市场）"],
            "en": ["Scope 1", "Scopes 1 and 2, location-based", "Scopes 1 and 2, market-based"],
        }[lang]
    )
    assert [row[5] for row in cells] == [moved] * 3
    if first:
        page.locator("form[action$='/commit'] button").click()
        page.wait_for_url(lambda url: "/correct" not in url)
        text = opened.open(f"/plants/{MILL}/facts?period=2024-07-09&item=HFC-134a").inner_text("main")
        assert {"zh": "已被替换", "en": "replaced"}[lang] in text
        assert "12.000 kg" in text
    opened.quiet()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_engineer_takes_a_report_home(own: Server, visit: SignedIn, lang: str) -> None:
    opened = visit(own, "erik", lang, accept_downloads=True)
    page = opened.open(f"/plants/{MILL}/reports?period={MONTH}")
    with page.expect_download() as taken:
        page.locator("button[value=xlsx]").first.click()
    book = openpyxl.load_workbook(io.BytesIO(Path(taken.value.path()).read_bytes()))
    words = {
        str(cell.value) for sheet in book for row in sheet.iter_rows(max_row=60) for cell in row if cell.value
    }
    assert any(("鲁河特钢" if lang == "zh" else "Luhe Special Steel") in word for word in words)
    with page.expect_download() as taken:
        page.locator("button[value=pdf]").first.click()
    paper = Path(taken.value.path()).read_bytes()
    assert paper.startswith(b"%PDF-")
    assert len(paper) > 20_000
    opened.quiet()


# -- the verifier -----------------------------------------------------------------------------------------------------------


def test_a_verifier_checks_a_filing_from_its_file_alone(own: Server, visit: SignedIn, tmp_path: Path) -> None:
    engineer = visit(own, "erik", "en")
    page = engineer.open(f"/plants/{MILL}/filings")
    page.select_option("select[name=rulebook]", "cn_gbt_32150_2015")
    page.fill("input[name=period]", MONTH)
    page.check("input[name=reports][value=energy-carbon]")
    page.locator("form[action$='/freeze'] button").click()
    page.wait_for_url(lambda url: re.search(r"/filings/\w+", url) is not None)
    where = page.url.removeprefix(own.address)

    opened = visit(own, "vera", "zh", accept_downloads=True)
    page = opened.open(where)
    assert page.locator("form[action$='/freeze']").count() == 0  # they look, and change nothing
    with page.expect_download() as taken:
        page.locator("a[download]").first.click()
    package = tmp_path / "sent.zip"
    package.write_bytes(Path(taken.value.path()).read_bytes())
    assert zipfile.is_zipfile(package)
    report = tmp_path / "for-the-director.pdf"
    with page.expect_download() as taken:
        page.get_by_role("link", name="energy-carbon-en.pdf").click()
    report.write_bytes(Path(taken.value.path()).read_bytes())
    key = re.findall(r"--key (\S+)", page.inner_text("main"))[0]
    # another machine: an empty folder, nothing but the file
    words = [
        sys.executable,
        "-m",
        "celadon",
        "verify",
        str(package),
        "--key",
        key,
        "--report",
        str(report),
        "--lang",
        "en",
    ]
    said = subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.search(
        r"energy-carbon-en\.xlsx.*\n.* (\d+)/\1 figures computed anew are the same", said.stdout
    ), said.stdout
    whole = bytearray(package.read_bytes())
    whole[len(whole) // 2] ^= 1
    package.write_bytes(whole)
    said = subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert said.returncode != 0
    opened.open(
        f"/plants/{MILL}/explain?quantity=total_emission&rulebook=cn_gbt_32150_2015&period={MONTH}&site=mill"
    )
    opened.quiet()


# -- those who may less -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_viewer_sees_figures_and_no_way_to_change_or_explain_them(
    console: Server, visit: SignedIn, lang: str
) -> None:
    opened = visit(console, "vik", lang)
    page = opened.open(f"/plants/{MILL}/overview?period={MONTH}")
    assert page.locator("a.trace").count() == 0
    assert page.locator("main form[method=post]").count() == 0
    for name in ("explain", "facts", "findings"):
        opened.open(f"/plants/{MILL}/{name}", status=403)
        assert "access.not-allowed" in page.inner_text("main")
    # another enterprise, and a country, are as if they were not there
    for path in (f"/plants/{OTHER}/overview", f"/regions/{COUNTRY}", "/plants/nowhere/overview"):
        opened.open(path, status=404)
        assert "access.not-there" in page.inner_text("main")
    assert numbers(page, "header .menu li") == [] or OTHER not in page.inner_text("header")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_language_is_switched_and_stays(console: Server, visit: SignedIn, lang: str) -> None:
    opened = visit(console, "erik", lang)
    page = opened.open(f"/plants/{MILL}/overview?period={MONTH}")
    page.get_by_role("link", name="English" if lang == "zh" else "中文").click()
    other = "en" if lang == "zh" else "zh-CN"
    page.wait_for_selector(f"html[lang='{other}']", state="attached")
    assert f"period={MONTH}" in page.url
    opened.open("/")
    assert page.evaluate("document.documentElement.lang") == other
