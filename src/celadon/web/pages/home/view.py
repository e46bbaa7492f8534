"""The first page: every plant and region that whoever asks may see."""

from __future__ import annotations

from pydantic import BaseModel

from celadon.core.text import Text
from celadon.web.access import PERSON
from celadon.web.asked import Asked
from celadon.web.page import Page
from celadon.web.workspace import address

page = Page("/", Text("Plants and regions", "工厂与区域"), PERSON, order=0)


class ServedPlace(BaseModel):
    """A plant or region: its key in addresses, its name, its first page."""

    kind: str
    key: str
    name: str
    href: str


class Home(BaseModel):
    """What there is to see."""

    places: list[ServedPlace]


def view(asked: Asked) -> Home:
    """Plants and regions that whoever asks may see, in the language asked for."""
    return Home(
        places=[
            ServedPlace(
                kind=item.kind, key=item.key, name=asked.name(item), href=address(item, "overview")
            )
            for item in asked.places()
        ]
    )  # fmt: skip
