"""Every page in a real browser, in both languages: no complaint, accessible, by light and by dark, on a phone and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from celadon.web.access import On
from celadon.web.routing import folders
from tests.web.live.browser import A4, CJK, DESKTOP, PHONE, accessibility, tab_stops, texts, wider_than_screen
from tests.web.live.conftest import SignedIn
from tests.web.live.serving import COUNTRY, MILL, MONTH, Server

pytestmark = pytest.mark.xdist_group("console")
PARTS = {"plant": MILL, "region": COUNTRY}
QUERY: dict[str, str] = {
    "explain": f"quantity=comprehensive_energy&rulebook=cn_gbt_2589_2020&period={MONTH}&site=mill",
    "readings": "meter=E3063&start=2024-09-11T05:00:00Z&end=2024-09-11T06:00:00Z",
}
"""What a page must be asked to show something, where its address alone is not enough."""


def addresses() -> list[tuple[str, str, On]]:
    """Name, path with its parts filled in, and whom it is for, of every page that needs no further part."""
    found = []
    for folder in folders():
        path = re.sub(r"\{(\w+)\}", lambda part: PARTS.get(part[1], part[0]), folder.page.path)
        if "{" in path or folder.name in (
            "set_up",
            "mapping",
            "region_public",
            "oidc",
            "oidc_back",
        ):  # want a link, an upload, a publication, an identity provider
            continue
        asked = QUERY.get(folder.name, f"period={MONTH}" if folder.page.need.on is On.PLANT else "")
        found.append((folder.name, f"{path}?{asked}" if asked else path, folder.page.need.on))
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("name", "path", "on"), addresses(), ids=lambda item: str(item))
def test_every_page_holds_in_a_browser(
    console: Server, visit: SignedIn, name: str, path: str, on: On, lang: str
) -> None:
    opened = visit(console, "" if on is On.ANYONE else "anna", lang)
    page = opened.open(path)
    assert page.evaluate("document.documentElement.lang") == ("zh-CN" if lang == "zh" else "en")
    assert page.title().endswith("Celadon")
    wrong = [f"light: {item}" for item in accessibility(page)]
    wrong += language(page, lang)
    page.emulate_media(color_scheme="dark")
    wrong += [f"dark: {item}" for item in accessibility(page, only=["color-contrast"])]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    wrong += [f"phone: {item}" for item in wider_than_screen(page)]
    wrong += [
        f"phone: {item}" for item in accessibility(page, only=["scrollable-region-focusable", "target-size"])
    ]
    page.emulate_media(media="print")
    page.set_viewport_size(A4)  # type: ignore[arg-type]
    wrong += [f"print: {item}" for item in wider_than_screen(page)]
    if page.locator("header.top").is_visible():
        wrong.append("print: the navigation is printed")
    page.emulate_media(media="screen")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    if lang == "en":  # the keys are the same in both
        wrong += keyboard(page)
    assert not wrong, f"{path}\n" + "\n".join(wrong)
    opened.quiet()


QUOTED = re.compile(r"[\u3000-\u9fff]+\d{8}|“[^”]*”|《[^》]*》|\([^()]*\)|（[^（）]*）")
"""What stays as it was written: an enterprise of the example country, what is quoted, a cell of a file, the title of a document."""
UNITS = ("万元", "万千瓦时")
"""Units that the example's reports are written in."""
RAW = re.compile(r"(?<![/.])\b(?!max_)[a-z]{2,}[0-9]*(?:_[a-z0-9]+)+\b(?![/.(])|~rest|\bNone\b")
"""A word of rulebooks or of the program that people should see a name for; a path, and what is quoted or in brackets beside its
name, is none."""
SENTENCE = re.compile(r"(?:\b[a-z]{2,}\b[ ,]+){4}")


def language(page: Page, lang: str) -> list[str]:
    """Words of a program, and texts in the other language: Chinese on an English page, which is not the plant's own data; an English sentence on a
    Chinese one."""
    plain = [QUOTED.sub("", text) for text in texts(page)]
    raw = [f"a program's word: {word} in {text[:80]}" for text in plain for word in RAW.findall(text)]
    return raw + foreign(page, plain, lang)


def foreign(page: Page, plain: list[str], lang: str) -> list[str]:
    """Texts in the other language."""
    if lang == "zh":
        return [f"English: {text[:80]}" for text in plain if SENTENCE.search(text) and not CJK.search(text)]
    address, _, query = page.url.partition("?")
    answer = page.request.get(f"{address}.json?{query}") if not address.endswith("/") else None
    own = " ".join([*UNITS, *data(answer.json())]) if answer is not None and answer.ok else ""
    return [f"Chinese: {text[:80]}" for text in plain if any(word not in own for word in CJK.findall(text))]


def data(model: object, key: str = "") -> Iterator[str]:
    """Every text of a page's model that is in no language: names of files and cells, notes, what is not under zh or en."""
    if isinstance(model, dict):
        if "zh" in model and model.get("zh") == model.get("en"):  # a name that has one form
            yield str(model["zh"])
        for name, part in model.items():
            yield name
            yield from data(part, name)
    elif isinstance(model, list):
        for part in model:
            yield from data(part, key)
    elif isinstance(model, str) and key not in ("zh", "en"):
        yield model


def keyboard(page: Page) -> list[str]:
    """What the Tab key shows to be wrong."""
    stops = tab_stops(page)
    wrong = [f"keyboard: no visible focus on {stop.what}" for stop in stops if not stop.ring]
    wrong += [f"keyboard: focus on what cannot be seen: {stop.what}" for stop in stops if not stop.seen]
    places = [stop.at for stop in stops]
    if places != sorted(places):
        wrong.append("keyboard: the order of Tab is not the order of the page")
    if not stops or "skip" not in str(page.evaluate("document.querySelector('a').className")):
        wrong.append("keyboard: the first stop is not the link to the content")
    return wrong
