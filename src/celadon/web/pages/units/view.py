"""Units: what the pages of all places, or of one, show figures in, for those who have chosen nothing themselves."""

from __future__ import annotations

from pydantic import BaseModel, Field

from celadon.core.findings import FindingError
from celadon.core.findings import Place as Where
from celadon.core.text import Text
from celadon.web import units
from celadon.web.access import CONSOLE, Action, on_console
from celadon.web.asked import Asked
from celadon.web.page import Both, Done, Page, both, write
from celadon.web.problems import NOT_THERE

page = Page("/units", Text("Units", "单位"), on_console(), order=82)
_ALL = str(CONSOLE)


class UnitsPage(BaseModel):
    """What a place shows figures in; `console` is all places together."""

    place: str
    places: dict[str, Both]
    units: list[units.KindLine]


class ChosenAt(units.Chosen):
    """Units for a place (`plant:mill`), or for all (`console`)."""

    place: str = Field(_ALL, max_length=300)


def view(asked: Asked, place: str = _ALL) -> UnitsPage:
    """What was chosen for a place (default: for all)."""
    known = _places(asked)
    return UnitsPage(
        place=_known(asked, place), places={name: both(text) for name, text in known.items()}, units=units.lines(asked.state, place),
    )  # fmt: skip


@write(page, "choose", need=on_console(Action.ADMINISTER))
def choose(asked: Asked, given: ChosenAt) -> Done:
    """Choose the units of a place, or of all."""
    chosen = given.model_dump(exclude={"place"})
    place = _known(asked, given.place)
    with asked.recording("units.set", {"place": place, **chosen}) as con:
        units.choose(con, place, chosen)
    goto = "/units" if place == _ALL else f"/units?place={place}"
    return Done(goto=goto, zh="单位已保存。", en="The units are saved.")


def _places(asked: Asked) -> dict[str, Text]:
    named = {str(place): asked.name(place) for place in asked.workspace.places()}
    return {_ALL: Text("all places", "所有地点"), **{key: Text(name, name) for key, name in named.items()}}


def _known(asked: Asked, place: str) -> str:
    if place not in _places(asked):
        raise FindingError(NOT_THERE.at(Where(subject=place), path=place))
    return place
