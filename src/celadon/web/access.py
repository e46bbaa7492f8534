"""Access: the one place that says who may do what where. Nothing else in the console decides that.

Every route declares a `Need`; the gate (web/gate.py) asks `decide` before a handler runs, and a route without a need
stops the program from starting. A person holds *grants*: a role at one plant, one region, or everywhere (`*`).

| role | see | explain | change | file | oversee | administer |
|---|---|---|---|---|---|---|
| viewer | ✓ | | | | | |
| verifier | ✓ | ✓ | | | | |
| engineer | ✓ | ✓ | ✓ | ✓ | | |
| officer | ✓ | ✓ | | | ✓ | |
| administrator | ✓ | ✓ | ✓ | ✓ | ✓ | ✓ |
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from celadon.core.dataclass import dataclass
from celadon.core.text import Text


class Action(StrEnum):
    """What a person may do at a place."""

    SEE = "see"  # pages, figures, exports
    EXPLAIN = "explain"  # traces down to a file's line, evidence
    CHANGE = "change"  # load, enter, correct, triage
    FILE = "file"  # freeze a period
    OVERSEE = "oversee"  # single enterprises of a region, screening, publishing
    ADMINISTER = "administer"  # people, grants, settings


class Role(StrEnum):
    """What a person is at a place."""

    VIEWER = "viewer"
    VERIFIER = "verifier"
    ENGINEER = "engineer"
    OFFICER = "officer"
    ADMINISTRATOR = "administrator"


ROLES: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.SEE}),
    Role.VERIFIER: frozenset({Action.SEE, Action.EXPLAIN}),
    Role.ENGINEER: frozenset({Action.SEE, Action.EXPLAIN, Action.CHANGE, Action.FILE}),
    Role.OFFICER: frozenset({Action.SEE, Action.EXPLAIN, Action.OVERSEE}),
    Role.ADMINISTRATOR: frozenset(Action),
}
ACTION_TEXT = {
    Action.SEE: Text("see pages and figures", "查看页面与数值"),
    Action.EXPLAIN: Text("explain: traces, evidence, packages", "溯源：计算过程、凭证、申报包"),
    Action.CHANGE: Text("change: load, enter, correct, decide", "更改：载入、录入、更正、处理"),
    Action.FILE: Text("file a period", "申报期间"),
    Action.OVERSEE: Text("oversee single enterprises of a region", "监管区域内的单个企业"),
    Action.ADMINISTER: Text("administer people and roles", "管理人员与角色"),
}
ROLE_TEXT = {
    Role.VIEWER: Text("viewer", "查看者"),
    Role.VERIFIER: Text("verifier", "核查员"),
    Role.ENGINEER: Text("engineer", "工程师"),
    Role.OFFICER: Text("officer", "监管员"),
    Role.ADMINISTRATOR: Text("administrator", "管理员"),
}


class On(StrEnum):
    """What a need is about."""

    ANYONE = "anyone"  # also who is not signed in
    PERSON = "person"  # whoever is signed in, about themselves
    PLANT = "plant"
    REGION = "region"
    CONSOLE = "console"  # the console as a whole


@dataclass(frozen=True)
class Need:
    """What a route asks for."""

    on: On
    action: Action | None = None


ANYONE = Need(On.ANYONE)
PERSON = Need(On.PERSON)
ONESELF = Need(On.PERSON, Action.ADMINISTER)
"""About one's own password and tokens: only from a session, never by a token."""


def on_plant(action: Action = Action.SEE) -> Need:
    """The need of a page under /plants/{plant}."""
    return Need(On.PLANT, action)


def on_region(action: Action = Action.SEE) -> Need:
    """The need of a page under /regions/{region}."""
    return Need(On.REGION, action)


def on_console(action: Action = Action.ADMINISTER) -> Need:
    """The need of a page about the console as a whole."""
    return Need(On.CONSOLE, action)


EVERYWHERE = "*"


@dataclass(frozen=True)
class Grant:
    """A role at a place: `kind` plant or region with its key, or `*` for both."""

    role: Role
    kind: str = EVERYWHERE
    key: str = EVERYWHERE

    def covers(self, place: Place) -> bool:
        return self.kind in (EVERYWHERE, place.kind) and self.key in (EVERYWHERE, place.key)


@dataclass(frozen=True)
class Place:
    """A plant or region that is served, or the console itself (kind `console`, no key)."""

    kind: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.key else self.kind


CONSOLE = Place("console")


@dataclass(frozen=True)
class Identity:
    """Whoever asks: a person, by a session or by a token, which may do no more than its person and its scopes."""

    person: str
    name: str
    grants: tuple[Grant, ...]
    language: str | None = None
    token: str | None = None
    """Id of the token it came by, None for a session."""
    scopes: frozenset[Action] = frozenset(Action)
    csrf: str = ""
    """What a form of this session must carry."""


class Verdict(StrEnum):
    """What the gate does."""

    ALLOWED = "allowed"
    SIGN_IN = "sign_in"  # nobody is signed in
    HIDDEN = "hidden"  # the place is none of theirs: as if it were not there
    REFUSED = "refused"  # they know the place, and may not do this


def actions_at(who: Identity | None, place: Place) -> frozenset[Action]:
    """What somebody may do at a place."""
    if who is None:
        return frozenset()
    return frozenset(_granted(who.grants, place)) & who.scopes


def _granted(grants: Iterable[Grant], place: Place) -> Iterable[Action]:
    for grant in grants:
        if grant.covers(place):  # the console itself only by a grant for everything
            yield from ROLES[grant.role]


def decide(who: Identity | None, need: Need, place: Place | None) -> Verdict:
    """Whether a need is met; `place`: the plant or region named in the address, None where it names none."""
    if need.on is On.ANYONE:
        return Verdict.ALLOWED
    if who is None:
        return Verdict.SIGN_IN
    if need.on is On.PERSON:
        return Verdict.REFUSED if need.action is not None and who.token is not None else Verdict.ALLOWED
    where = CONSOLE if need.on is On.CONSOLE else place
    if where is None or need.action is None:
        return Verdict.HIDDEN
    allowed = actions_at(who, where)
    if need.action in allowed:
        return Verdict.ALLOWED
    return Verdict.REFUSED if allowed or need.on is On.CONSOLE else Verdict.HIDDEN
