"""A filing's package, its proof of inclusion, or a report filed with it, as a file to keep."""

from __future__ import annotations

import mimetypes
from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import FileResponse, Response

from celadon.core.findings import FindingError, Place
from celadon.core.text import Text
from celadon.proof.log import Filings
from celadon.proof.opening import open_bag
from celadon.proof.reports import paths
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.page import Page
from celadon.web.problems import NOT_THERE

# A package holds facts down to a file's line.
page = Page(
    "/plants/{plant}/filings/{filing}/file", Text("Filing's file", "申报文件"), on_plant(Action.EXPLAIN)
)


def view(
    asked: Asked,
    filing: str,
    part: Literal["package", "proof", "report"] = "package",
    name: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The zip that was filed, byte for byte; `part=proof`: its tlog-proof; `part=report`: the report `name` that is in it."""
    with asked.plant.watched() as plant:
        filings = Filings(plant.opened.store_path)
    entry = filings.find(filing, asked.plant.model.enterprise)
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if part == "package":
        file = f"{entry.id[:12]}.zip"
        return FileResponse(filings.package(entry), 200, headers, "application/zip", filename=file)
    if part == "proof":
        data, file, media = filings.proof(entry), f"{entry.id[:12]}.tlog-proof", "text/plain; charset=utf-8"
    else:
        bag = open_bag(filings.package(entry))
        path = next((path for path in paths(bag) if path.rpartition("/")[2] == name), None)
        if path is None:
            raise FindingError(NOT_THERE.at(Place(subject=name), path=asked.path))
        data, file, media = bag.read(path), name, mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return Response(data, 200, headers, media)
