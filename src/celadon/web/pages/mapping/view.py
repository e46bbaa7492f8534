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
from celadon.rules.names import fact_names
from celadon.web import changes
from celadon.web.access import Action, on_plant
from celadon.web.asked import Asked
from celadon.web.changes import Said, Shown
from celadon.web.names import Names
from celadon.web.page import Both, Page, both, write
from celadon.web.uploads import Uploads

page = Page("/plants/{plant}/mapping", Text("Mapping assistant", "文件读法"), on_plant(Action.CHANGE))
_SETTINGS = {
    "id": Text("Name of the source", "数据源名称"),
    "role": Text("What the file holds", "文件内容"),
    "format": Text("Kind of file", "文件格式"),
    "encoding": Text("Encoding of the text", "文字编码"),
    "delimiter": Text("What parts the columns", "列分隔符"),
    "decimal": Text("Decimal mark", "小数点"),
    "thousands": Text("Mark between thousands", "千位分隔符"),
    "missing": Text("What stands for no value", "缺失值写法"),
    "sheet": Text("Sheet of the workbook", "工作表"),
    "header_row": Text("Row of the headers", "表头所在行"),
    "layout": Text("How meters lie in the file", "表计排列方式"),
    "time.column": Text("Column of the time", "时间列"),
    "time.format": Text("How the time is written", "时间写法"),
    "time.midnight": Text("What 0:00 means", "0:00 的含义"),
    "time.stamp": Text("What a time stamp marks", "时间戳含义"),
    "time.zone": Text("Time zone of the file", "文件时区"),
    "long.meter": Text("Column of the meter", "表计列"),
    "long.value": Text("Column of the reading", "读数列"),
    "long.unit": Text("Column of the unit", "单位列"),
    "quantity": Text("What the records are", "台账内容"),
    "fields.date": Text("Day", "日期"),
    "fields.start": Text("First day", "起始日"),
    "fields.end": Text("Last day", "截止日"),
    "fields.value": Text("Amount", "数量"),
    "fields.quantity": Text("Kind of record", "台账类别"),
    "fields.item": Text("Carrier or product", "品种或产品"),
    "fields.unit": Text("Unit", "单位"),
    "fields.weight": Text("Weight of a mean", "加权量"),
    "fields.weight_unit": Text("Unit of the weight", "加权量单位"),
    "fields.site": Text("Site", "站点"),
    "fields.process": Text("Process", "工序"),
    "fields.purpose": Text("Purpose", "用途"),
    "fields.note": Text("Number of the document", "单号"),
}
_PARTS = {
    "wide.": Text("Column “{0}” is the meter", "列“{0}”对应的表计"),
    "map.meter.": Text("“{0}” is the meter", "“{0}”对应的表计"),
    "map.quantity.": Text("“{0}” means", "“{0}”表示"),
    "map.item.": Text("“{0}” is", "“{0}”即"),
    "": Text("{0}", "{0}"),
}
Setting = Annotated[str, Field(max_length=400)]


class Other(BaseModel):
    """Another value a setting could have."""

    value: str
    why: Both


class Guessed(BaseModel):
    """One setting: '' = left out. `sure`: the file itself decides it; `asked`: a person gave it. `called`: what the value names
    (a meter, a site, a quantity), '' where it is a word of the file."""

    key: str
    name: Both
    value: str
    called: Both
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
    names = Names(asked.plant.model)
    made = guess_limited(file, found.path, target, answers(set))
    return Mapping(
        upload=found.id, name=found.name, target=target, role=made["role"],
        settings=[
            Guessed(**one, name=both(_setting(one["key"])), called=both(_called(names, one["key"], one["value"])))
            for one in sorted(made["choices"], key=lambda one: one["sure"])
        ],
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


def _setting(key: str) -> Text:
    """What a setting of a source is called."""
    if key in _SETTINGS:
        return _SETTINGS[key]
    prefix = next(word for word in _PARTS if key.startswith(word))
    word, form = key.removeprefix(prefix), _PARTS[prefix]
    return Text(form.en.format(word), form.zh.format(word))


def _called(names: Names, key: str, value: str) -> Text:
    """What a value names; '' where it names nothing but itself."""
    if not (key.startswith(("wide.", "map.")) or key == "quantity" or value.startswith("=")):
        return Text("", "")
    word = value.removeprefix("=")
    found = fact_names().get(word) or names.word(word)
    return Text("", "") if found == Text(word, word) else found


def _said(item: dict[str, Any]) -> Said:
    where = " ".join(str(word) for word in item["where"].values())
    return Said(
        code=item["code"],
        severity=item["severity"],
        where=where,
        says=Both(**item["says"]),
        fix=Both(**item["fix"]),
    )
