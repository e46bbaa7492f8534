"""A period frozen in a browser, looked at in both languages, downloaded, and confirmed from its file alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import celadon
from celadon.proof import keys
from celadon.proof.checking import verify
from tests.plant import small
from tests.web.live import serving
from tests.web.live.browser import CJK, DESKTOP, PHONE, accessibility, texts, wider_than_screen
from tests.web.live.conftest import SignedIn
from tests.web.live.serving import MILL, PEOPLE, Server

pytestmark = pytest.mark.xdist_group("console")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server over the small plant, whose user has a key to sign with."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setitem(serving.ENVIRONMENT, "XDG_CONFIG_HOME", str(tmp_path / "config"))
    keys.new()
    folder = tmp_path / "works"
    small.loaded(folder / MILL).close()
    serving.register(folder, PEOPLE)
    with serving.serving(folder) as server:
        yield server


def test_a_period_is_filed_and_confirmed(own: Server, visit: SignedIn, tmp_path: Path) -> None:
    opened = visit(own, "erik")
    page = opened.open(f"/plants/{MILL}/filings")
    page.select_option("select[name=rulebook]", "cn_gbt_32150_2015")
    page.fill("main input[name=period]", "2024-01")
    page.click("main form.stack button")
    page.wait_for_url("**/filings/*")
    where = page.url.removeprefix(own.address)
    assert "digests, signature and sums checked" in page.inner_text("main")
    with page.expect_download() as package:
        page.click("text=Package (zip)")
    package.value.save_as(tmp_path / "sent.zip")
    with page.expect_download() as proof:
        page.click("text=Proof of inclusion")
    proof.value.save_as(tmp_path / "sent.tlog-proof")
    done = verify(tmp_path / "sent.zip", keys.load().key, tmp_path / "sent.tlog-proof")
    assert done.findings == ()
    assert len(done.figures) == 3

    (own.folder / MILL / "fuel" / "fuel.csv").write_text(small.FUEL + "2024-01-20,bought,diesel,2,t,D2\n")
    with celadon.open_plant(own.folder / MILL) as plant:
        plant.load()
    wrong = []
    for lang in ("zh", "en"):
        page = opened.open(f"{where}?lang={lang}")
        wrong += accessibility(page)
        wrong += [text for text in texts(page) if lang == "en" and CJK.search(text)]
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        wrong += wider_than_screen(page)
        page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    assert wrong == []
    assert "Energy consumed" in page.inner_text("main")
    assert page.inner_text(".card .big") == "2"
    opened.quiet()
