"""A year of quarter-hours in a real browser: from the whole year into one bad night, by mouse and by keys, and to its figures."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from playwright.sync_api import Page

from tests.web.live.browser import PHONE, accessibility, wider_than_screen
from tests.web.live.conftest import SignedIn
from tests.web.live.serving import NIGHTS, Server

pytestmark = pytest.mark.xdist_group("console")
OVER = "figure[data-drawn] .u-over"
START, END = datetime(2024, 1, 1), datetime(2024, 12, 31, 23, 45)


def drag(page: Page, span: tuple[datetime, datetime], shown: tuple[datetime, datetime]) -> None:
    """Drag over `span` on a curve that shows the time `shown`."""
    box = page.locator(OVER).bounding_box()
    assert box is not None
    whole = shown[1] - shown[0]
    first, last = (box["x"] + box["width"] * ((moment - shown[0]) / whole) for moment in span)
    y = box["y"] + box["height"] / 2
    page.mouse.move(first, y)
    page.mouse.down()
    page.mouse.move((first + last) / 2, y, steps=4)
    page.mouse.move(last, y, steps=4)
    page.mouse.up()


def told(page: Page) -> tuple[datetime, datetime, str]:
    """What the caption says is shown: from when to when, and the highest value."""
    text = page.locator("[data-span] output").inner_text()
    found = re.fullmatch(r"(\S+ \S+) – (\S+ \S+): (.*)", text)
    assert found is not None, text
    first, last = (datetime.strptime(word, "%Y-%m-%d %H:%M") for word in found.groups()[:2])
    return first, last, found[3]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_a_year_of_quarter_hours_into_one_bad_night(console: Server, visit: SignedIn, lang: str) -> None:
    opened = visit(console, "anna", lang)
    page = opened.open(f"/plants/{NIGHTS}/load?period=2024")
    page.wait_for_selector(OVER)
    assert page.locator("[data-span]").is_hidden()  # the whole year: 35 136 quarter-hours
    most = "最高" if lang == "zh" else "at most"
    drag(page, (datetime(2024, 3, 10), datetime(2024, 3, 20)), (START, END))
    first, last, highest = told(page)
    assert datetime(2024, 3, 8) < first < datetime(2024, 3, 12)
    assert datetime(2024, 3, 18) < last < datetime(2024, 3, 22)
    assert highest == f"{most} 200 kW"
    # once more, into the night: 45 kWh in a quarter-hour are 180 kW, where 20 kW are usual
    drag(page, (datetime(2024, 3, 14, 22, 30), datetime(2024, 3, 15, 5)), (first, last))
    first, last, highest = told(page)
    assert datetime(2024, 3, 14, 22) <= first < last <= datetime(2024, 3, 15, 6)
    assert highest == f"{most} 180 kW"
    wrong = accessibility(page)
    page.emulate_media(color_scheme="dark")
    wrong += accessibility(page, only=["color-contrast"])
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert wrong + wider_than_screen(page) == []
    # and to the figures of those days: 2 × (16 h × 200 kW + 8 h × 20 kW) + 8 h × 160 kW = 8 000 kWh
    page.locator("[data-span] a").click()
    page.wait_for_url(lambda url: "period=2024-03-14..2024-03-15" in url)
    assert "8,000.00 kWh" in page.inner_text(".card")
    opened.quiet()


def test_the_same_by_keys_alone(console: Server, visit: SignedIn) -> None:
    opened = visit(console, "anna", "en")
    page = opened.open(f"/plants/{NIGHTS}/load?period=2024")
    page.wait_for_selector(OVER)
    page.locator("figure .uplot").focus()
    for _ in range(2):  # a quarter of the year, in the middle of it
        page.keyboard.press("+")
    first, last, _ = told(page)
    assert abs((last - first).days - 91) <= 1
    page.keyboard.press("ArrowLeft")  # a quarter of what is shown
    moved, _, _ = told(page)
    assert abs((first - moved).days - 22) <= 1
    page.keyboard.press("0")
    assert page.locator("[data-span]").is_hidden()
    opened.quiet()
