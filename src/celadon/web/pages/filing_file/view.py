"""A filing's package, or its proof of inclusion, as a file to keep."""

from __future__ import annotations

from typing import Literal

from starlette.responses import FileResponse, Response

from celadon.core.text import Text
from celadon.proof.log import Filings
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.page import Page

# A package holds facts down to a file's line.
page = Page(
    "/plants/{plant}/filings/{filing}/file", Text("Filing's file", "申报文件"), on_plant(Action.EXPLAIN)
)


def view(asked: Asked, filing: str, part: Literal["package", "proof"] = "package") -> Response:
    """The zip that was filed, byte for byte; `part=proof`: its tlog-proof."""
    with asked.plant.watched() as plant:
        filings = Filings(plant.opened.store_path)
    entry = filings.find(filing, asked.plant.model.enterprise)
    name = f"{entry.id[:12]}.{'zip' if part == 'package' else 'tlog-proof'}"
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if part == "proof":
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(filings.proof(entry), 200, headers, "text/plain; charset=utf-8")
    return FileResponse(filings.package(entry), 200, headers, "application/zip", filename=name)
