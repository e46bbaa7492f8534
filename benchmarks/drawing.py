"""How long a browser needs to draw a year of quarter-hours: the page of load curves in Chromium."""

from __future__ import annotations

import os
import shutil
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# When the chart says that it is drawn, and the two frames after that are painted.
_WATCH = """
document.addEventListener('DOMContentLoaded', () => new MutationObserver((found, observer) => {
    if (!document.querySelector('figure[data-drawn]')) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.painted = performance.now(); }));
}).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['data-drawn']}));
"""
_FOUND = """() => {
    const asked = document.querySelector('figure[data-series]').dataset.series;
    const sent = performance.getEntriesByType('resource').find(item => item.name.endsWith(asked));
    return {drawn: Number(document.documentElement.dataset.painted), arrived: sent.responseEnd, bytes: sent.encodedBodySize};
}"""


def draw(address: str, path: str, token: str, runs: int = 5) -> dict[str, Any]:
    """Medians of milliseconds: from the data's arrival to the painted chart, and from opening the page."""
    program = os.environ.get("CELADON_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        return {"left_out": "Chromium is not installed (tools/system_packages.sh)"}
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    drawn, opened, points, size = [], [], 0, 0
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=flags)
        context = browser.new_context(extra_http_headers={"Authorization": f"Bearer {token}"})
        context.add_init_script(_WATCH)
        for _ in range(runs + 1):  # the first fills the server's answers and the browser's files
            page = context.new_page()
            page.goto(address + path)
            page.wait_for_selector(
                "html[data-painted]", state="attached"
            )  # the policy forbids eval, so no predicate
            found = page.evaluate(_FOUND)
            drawn.append(found["drawn"] - found["arrived"])
            opened.append(found["drawn"])
            size = found["bytes"]
            page.close()
        points = len(context.request.get(address + path.replace("?", ".json?")).json()["times"])
        browser.close()
    return {
        "points": points,
        "median_ms": round(median(drawn[1:])),
        "opened_ms": round(median(opened[1:])),
        "bytes": size,
    }
