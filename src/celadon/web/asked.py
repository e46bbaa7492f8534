"""Asked: everything a page's view may want to know of one request. Whoever got this object has passed the gate.

def view(asked: Asked, period: str | None = None) -> Model:
    found = asked.plant.account("cn_gbt_2589_2020", period or asked.period())
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Severity
from celadon.core.findings import Place as Where
from celadon.core.periods import zone
from celadon.core.text import Lang, Text
from celadon.web import audit
from celadon.web.access import CONSOLE, Action, Identity, Place, actions_at
from celadon.web.desk import PlantDesk, RegionDesk
from celadon.web.state import State
from celadon.web.units import Units, asked_for, settled
from celadon.web.workspace import Workspace, address

NO_PERIOD = FindingKind(
    "console.no-period",
    Severity.ERROR,
    Text("Nothing is loaded yet", "尚未载入数据"),
    Text(
        "{place} holds no readings, so there is no period to show.",
        "{place} 中没有读数，因而没有可显示的期间。",
    ),
    Text(
        "Load its files with `celadon load`; those of a plant on its page “Facts” too.",
        "请用 `celadon load` 载入文件；工厂的文件也可在其“数据”页面载入。",
    ),
)


def nothing_yet(findings: Sequence[Finding]) -> bool:
    """Whether what was asked could not be answered because nothing is loaded yet."""
    first = findings[0]
    early = first.code == "plant.as-of-early" and first.values.get("as_of") == "—"
    return early or first.code in ("store.absent", NO_PERIOD.code)


@dataclass(frozen=True)
class Asked:
    """One request, let in: who asks, in which language, about which place."""

    workspace: Workspace
    state: State
    who: Identity | None
    lang: Lang
    place: Place | None
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    query_text: str = ""
    """The query as it was sent: `query` has only the last of several values."""
    client: str = ""
    """Address of whoever asks."""
    secure: bool = False
    """Whether the browser came by https."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The named parts of the path."""

    # -- the place ---------------------------------------------------------------------------------------------------

    @property
    def plant(self) -> PlantDesk:
        """The plant named in the address."""
        found = self.workspace.plant(self.place.key) if self.place and self.place.kind == "plant" else None
        if found is None:
            raise LookupError("this page is not about a plant")
        return found

    @property
    def region(self) -> RegionDesk:
        """The region named in the address."""
        found = self.workspace.region(self.place.key) if self.place and self.place.kind == "region" else None
        if found is None:
            raise LookupError("this page is not about a region")
        return found

    def may(self, action: Action, place: Place | None = None) -> bool:
        """Whether whoever asks may also do that here (to show a button or not; the gate decides when it is pressed)."""
        return action in actions_at(self.who, place or self.place or CONSOLE)

    def places(self) -> list[Place]:
        """What whoever asks may see."""
        return [item for item in self.workspace.places() if self.may(Action.SEE, item)]

    def where(self, finding: Finding) -> str:
        """The place of a finding, from the folder that is served on: where that lies is nobody's business."""
        return str(finding.where).replace(f"{self.workspace.root}/", "")

    def name(self, place: Place) -> str:
        """What a plant or region calls itself; its key where its file cannot be read."""
        try:
            if place.kind == "plant":
                plant = self.workspace.plant(place.key)
                return plant.model.name.say(self.lang) if plant else place.key
            region = self.workspace.region(place.key)
            return region.model.name.say(self.lang) if region else place.key
        except FindingError:
            return place.key

    # -- words and addresses -----------------------------------------------------------------------------------------

    def t(self, zh: str, en: str) -> str:
        """The one of two texts that is in the language asked for."""
        return zh if self.lang == "zh" else en

    def say(self, text: Text) -> str:
        """A text in the language asked for."""
        return text.say(self.lang)

    def at(self, page: str, **query: object) -> str:
        """The address of a page of this place: `at("explain", quantity="…")`; what is None is left out."""
        return with_query(address(self.place or CONSOLE, page), query)

    def trace(self, quantity: str, rulebook: str, period: str, **where: str) -> str | None:
        """The address of a number's trace, None for those who may not explain; `where`: site, carrier, meter …"""
        if not self.may(Action.EXPLAIN):
            return None
        asked = {"quantity": quantity, "rulebook": rulebook, "period": period, **where}
        return self.at("explain", **{name: word for name, word in asked.items() if word})

    @property
    def units(self) -> Units:
        """The units that figures are shown in: those asked for by `?units=`, else on pages those settled, else the rulebook's.

        Raises:
            FindingError: `?units=` asks for what is not offered.
        """
        if "units" in self.query:
            return asked_for(self.query["units"])
        program = self.path.endswith(".json") or (self.who is not None and self.who.token is not None)
        return Units() if program else settled(self.state, self.who, self.place)

    def period(self, given: str | None = None) -> str:
        """The period a page shows: as given, else the last whole year there are readings for, else the last year.

        Raises:
            FindingError: none was given and nothing is loaded.
        """
        if given:
            return given
        with self.plant.watched() as plant:
            seen = plant.view()
            span, zone_name = seen.snapshot.span(), seen.model.zone
        if span is None:
            raise FindingError(NO_PERIOD.at(Where(subject=str(self.place)), place=str(self.place)))
        tz = zone(zone_name)
        first, last = span[0].astimezone(tz), (span[1] - timedelta(microseconds=1)).astimezone(tz)
        ends_year = (last + timedelta(days=1)).year > last.year
        whole = last.year if ends_year else last.year - 1
        return str(
            whole
            if whole > first.year or (whole == first.year and first.timetuple().tm_yday == 1)
            else last.year
        )

    # -- changes -----------------------------------------------------------------------------------------------------

    @contextmanager
    def recording(self, action: str, detail: Mapping[str, Any] | None = None) -> Iterator[sqlite3.Connection]:
        """A transaction of the console's state with its entry in the audit log: both or neither."""
        with self.state.writing() as con:
            yield con
            audit.append(con, self.who.name if self.who else "", action, str(self.place or CONSOLE), detail)

    def record(self, action: str, detail: Mapping[str, Any] | None = None) -> None:
        """An entry in the audit log for a change made elsewhere (a plant's store)."""
        with self.recording(action, detail):
            pass


def with_query(path: str, query: Mapping[str, object]) -> str:
    """An address with its query; what is None or empty is left out."""
    given = {name: str(value) for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path
