"""Mapping assistant: how an upload could be read as a source of the plant, each setting with its reason and alternatives.

The file is read in a process of its own, within limits. Nothing is applied: `add` answers with what adding it changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from celadon.core.text import Text
from celadon.plant.drafts import free_name
from celadon.plant.limited import guess_limited
from celadon.web import changes
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.changes import Said, Shown
from celadon.web.page import Both, Page, write
from celadon.web.uploads import Uploads

page = Page("/plants/{plant}/mapping", Text("Mapping assistant", "文件读法"), on_plant(Action.CHANGE))
Setting = Annotated[str, Field(max_length=400)]


class Other(BaseModel):
    """Another value a setting could have."""

    value: str
    why: Both


class Guessed(BaseModel):
    """One setting: '' = left out. `sure`: the file itself decides it; `asked`: a person gave it."""

    key: str
    value: str
    why: Both
    sure: bool
    asked: bool
    others: list[Other]


class Refused(BaseModel):
    """A row that would be refused."""

    line: int
    code: str
    text: str


class Mapping(BaseModel):
    """How a file could be read, and what reading it so gives."""

    upload: str
    name: str
    target: str
    role: str
    settings: list[Guessed]
    text: str
    usable: bool
    good: int
    bad: int
    first: str | None
    last: str | None
    columns: list[str]
    sample: list[list[str]]
    refused: list[Refused]
    findings: list[Said]


class Accepted(BaseModel):
    """An upload, and the settings a person has given (`key=value`)."""

    upload: Annotated[str, Field(max_length=40)]
    set: list[Setting] = Field(default=[], max_length=2000)


def view(asked: Asked, upload: str = "", set: Annotated[list[str], Query()] = []) -> Mapping:  # noqa: B006 - only read
    """The guess for an upload, with the settings given in `set` (`key=value`, repeated); without an upload nothing is guessed."""
    if not upload:
        return Mapping(
            upload="", name="", target="", role="", settings=[], text="", usable=False, good=0, bad=0, first=None, last=None,
            columns=[], sample=[], refused=[], findings=[],
        )  # fmt: skip
    found = Uploads(asked.workspace.memory, asked.plant.key).get(upload, whole=True)
    with asked.plant.lent() as plant:
        target, file = free_name(plant.opened, found.name), plant.file
    made = guess_limited(file, found.path, target, answers(set))
    return Mapping(
        upload=found.id, name=found.name, target=target, role=made["role"],
        settings=[Guessed(**one) for one in sorted(made["choices"], key=lambda one: one["sure"])],
        text=made["text"], usable=made["usable"], good=made["good"], bad=made["bad"], first=made["first"], last=made["last"],
        columns=made["columns"], sample=made["sample"], refused=[Refused(**one) for one in made["refused"]],
        findings=[_said(one) for one in made["findings"]],
    )  # fmt: skip


@write(page, "add", need=on_plant(Action.CHANGE))
def add(asked: Asked, given: Accepted) -> Shown:
    """Make the file ready to be added as it is mapped, and say what it changes."""
    body = {"upload": given.upload, "answers": answers(given.set)}
    return changes.show(asked, "source", body, asked.at("facts"))


def answers(settings: Iterable[str]) -> dict[str, str]:
    """`key=value` words as settings; empty ones are no answer."""
    pairs = (word.partition("=") for word in settings)
    return {key.strip(): value.strip() for key, sign, value in pairs if sign and key.strip()}


def _said(item: dict[str, Any]) -> Said:
    where = " ".join(str(word) for word in item["where"].values())
    return Said(
        code=item["code"],
        severity=item["severity"],
        where=where,
        says=Both(**item["says"]),
        fix=Both(**item["fix"]),
    )
