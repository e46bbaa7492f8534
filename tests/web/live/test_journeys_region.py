"""A park officer's day, and what the public sees of it, in a real browser."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.web.live.browser import PHONE, accessibility, tab_stops, wider_than_screen
from tests.web.live.conftest import SignedIn
from tests.web.live.serving import COUNTRY, MILL, Server

pytestmark = pytest.mark.xdist_group("console")
ENTERPRISE = re.compile(r"E\d{8}")


def planted(folder: Path) -> set[str]:
    """The enterprises of the example country whose reports are spoiled."""
    with (folder / COUNTRY / "truth.csv").open(encoding="utf-8") as stream:
        return {row["enterprise"] for row in csv.DictReader(stream)}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_officer_sees_ranks_and_grades_and_asks_about_one(
    console: Server, visit: SignedIn, lang: str
) -> None:
    opened = visit(console, "otto", lang)
    page = opened.open(f"/regions/{COUNTRY}/overview?period=2024")
    assert page.locator(".card .big").first.inner_text() == "300"
    counts = [int(text) for text in page.locator(".card").nth(1).locator("strong").all_inner_texts()]
    assert sum(counts) == 300
    page.get_by_role("link", name="企业" if lang == "zh" else "Enterprises", exact=True).click()
    page.wait_for_url("**/enterprises*")
    rows = page.locator("main tbody tr")
    assert rows.count() == 100  # a page of them
    cells = rows.first.locator("td").all_inner_texts()
    assert re.fullmatch(r"\d+ / \d+", cells[7].strip())
    # the least efficient against its sector comes first, and is of the worst grade
    over = [
        float(row.replace(",", ""))
        for row in page.locator("main tbody td:nth-child(7)").all_inner_texts()[:20]
    ]
    assert over == sorted(over, reverse=True)
    assert cells[5].strip() == "3"
    # its emission is explained down to its own reports
    enterprise = ENTERPRISE.findall(cells[0])[-1]
    rows.first.locator("a.trace").click()
    page.wait_for_url("**/explain?*")
    assert enterprise in page.url
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert re.search(r"facts/\S+\.parquet", page.inner_text("main"))
    # another's plant is as if it were not there
    opened.open(f"/plants/{MILL}/overview", status=404)
    opened.quiet()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_officer_is_warned_and_sees_the_evidence_of_an_anomaly(
    console: Server, visit: SignedIn, lang: str
) -> None:
    opened = visit(console, "otto", lang)
    page = opened.open(f"/regions/{COUNTRY}/warnings?year=2024")
    shares = [
        float(text.rstrip("%"))
        for text in page.locator("main tbody td:last-child").all_inner_texts()
        if text.endswith("%")
    ]
    assert shares
    assert shares == sorted(shares, reverse=True)
    # a level's threshold: red from 110 %, orange from 105 %, yellow from 100 %, blue from 95 % of the quota
    assert shares[-1] >= 95
    worst = page.locator("main tbody tr").first.locator("td").first.inner_text()
    assert worst == {"zh": "红色", "en": "red"}[lang] if shares[0] >= 110 else worst
    page = opened.open(f"/regions/{COUNTRY}/screening?period=2024")
    named = page.locator("main .finding a").all_inner_texts()
    assert named
    found = set(named) & planted(console.folder)
    assert len(found) >= 0.8 * len(set(named)), (named, planted(console.folder))
    evidence = page.locator("main .finding").first.inner_text()
    assert re.search(r"\d", evidence)
    assert "screen." not in page.inner_text("main")
    assert not re.search(r"\b(copy-month|last-digit|own-need)\b", page.inner_text("main"))
    page.locator("main .finding a").first.click()
    page.wait_for_url("**/enterprises?*")
    assert named[0] in page.locator("main tbody tr").first.inner_text()
    opened.quiet()


def test_the_public_sees_what_was_published_and_no_single_enterprise(own: Server, visit: SignedIn) -> None:
    public = visit(own, "", "zh")
    public.open(f"/public/{COUNTRY}", status=404)  # nothing was published
    officer = visit(own, "otto", "en")
    page = officer.open(f"/regions/{COUNTRY}/overview?period=2024")
    known = page.locator("section", has_text="By province").locator("tbody tr").all_inner_texts()
    page.get_by_role("button", name="Publish 2024").click()
    page.wait_for_selector(".note.done")
    wrong = []
    for lang in ("zh", "en"):
        page = public.open(f"/public/{COUNTRY}?lang={lang}")
        text = page.inner_text("main")
        assert "300" in text
        kept_back = {"zh": "不公布", "en": "not shown"}[lang]
        rows = page.locator("section").first.locator("tbody tr").all_inner_texts()
        assert len(rows) == len(known)
        assert 0 < sum(kept_back in row for row in rows) < len(rows)
        wrong += accessibility(page)
        page.emulate_media(color_scheme="dark")
        wrong += accessibility(page, only=["color-contrast"])
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        wrong += wider_than_screen(page)
        wrong += (
            [f"no visible focus: {stop.what}" for stop in tab_stops(page) if not stop.ring]
            if lang == "en"
            else []
        )
        page.set_viewport_size({"width": 1280, "height": 900})
    assert wrong == []
    # nothing that names an enterprise, in any form of the page; and what is kept back has no number in any of them
    for form in ("", ".json", ".csv"):
        answer = public.page.request.get(f"{own.address}/public/{COUNTRY}{form}?period=2024")
        assert answer.status == 200
        assert not ENTERPRISE.search(answer.text()), form
    model = public.page.request.get(f"{own.address}/public/{COUNTRY}.json").json()
    hidden = [group for group in (*model["provinces"], *model["divisions"]) if group["kept_back"]]
    assert hidden
    assert all(
        group[name] is None
        for group in hidden
        for name in ("enterprises", "total", "mean", "median", "trace")
    )
    shown = [group for group in model["provinces"] if not group["kept_back"]]
    assert all(group["enterprises"] >= model["minimum"] for group in shown)
    # the officer's pages stay the officer's
    for path in ("overview", "enterprises", "warnings", "screening"):
        public.open(f"/regions/{COUNTRY}/{path}")
        assert "/sign-in" in public.page.url
    public.open(f"/public/{COUNTRY}?period=2023", status=404)
    page = officer.open(f"/regions/{COUNTRY}/overview?period=2024")
    page.get_by_role("button", name="Withdraw 2024").click()
    page.wait_for_selector(".note.done")
    public.open(f"/public/{COUNTRY}", status=404)
    public.quiet()
    officer.quiet()
