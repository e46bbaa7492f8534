"""A plant as JSON: exact in both directions, the same text for the same plant, a digest of what it means."""

import json
import types
import typing
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celadon.adapters.plant_file import (
    plant_digest,
    plant_from_json,
    plant_to_json,
    read_plant,
    read_plant_text,
)
from celadon.core.model import Plant
from celadon.core.units import Unit, parse_unit
from tests.adapters.plant_file_tools import HEAD, SAMPLES

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))])
LEAVES = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    date: st.dates(),
    time: st.times(),
    datetime: st.datetimes(timezones=ZONES),
    Fraction: st.fractions(),
    Unit: st.sampled_from(["t", "m3", "万标方", "GJ/10^4 m3", "kgCO2/kWh", "%"]).map(parse_unit),
}


def of(kind: typing.Any) -> st.SearchStrategy:
    """Any value of a declared type of the model."""
    args = typing.get_args(kind)
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return st.none() | of(next(arg for arg in args if arg is not types.NoneType))
    if typing.get_origin(kind) is tuple:
        if args[1:] == (...,):
            return st.lists(of(args[0]), max_size=2).map(tuple)
        return st.tuples(*map(of, args))
    if kind in LEAVES:
        return LEAVES[kind]
    if issubclass(kind, StrEnum):
        return st.sampled_from(list(kind))
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{item.name: of(hints[item.name]) for item in fields(kind)})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(of(Plant))
def test_any_plant_comes_back_equal(plant):
    text = plant_to_json(plant)
    again = plant_from_json(text)
    assert again == replace(
        plant, catalogue="", segments=""
    )  # where facts are listed does not belong to them
    assert plant_to_json(again) == text
    assert "\n" not in text


def steelworks() -> Plant:
    plant, _ = read_plant(SAMPLES / "steelworks.yaml")
    assert plant is not None
    return plant


def test_the_sample_comes_back_equal():
    plant = steelworks()
    assert plant_from_json(plant_to_json(plant)) == plant


def test_the_text_is_canonical():
    plant, _ = read_plant_text(HEAD + "meters: [{id: E, carrier: electricity, multiplier: 1/3, digits: 7}]\n")
    assert plant is not None
    assert plant_to_json(plant) == (
        '{"plant":{"enterprise":"luhe","file":"plant.yaml","grid_seconds":3600,'
        '"meters":[{"carrier":"electricity","digits":7,"id":"E","kind":"register","multiplier":"1/3",'
        '"name":{"en":"E","zh":"E"},"site":"mill",'
        '"where":{"file":"plant.yaml","line":4,"subject":"meter:E"}}],'
        '"name":{"en":"luhe","zh":"luhe"},'
        '"sites":[{"id":"mill","name":{"en":"mill","zh":"mill"},"processes":['
        '{"id":"eaf","name":{"en":"eaf","zh":"eaf"},"site":"mill"},'
        '{"id":"rolling","name":{"en":"rolling","zh":"rolling"},"site":"mill"}]}],'
        '"zone":"Asia/Shanghai"},"shape":"plant/1"}'
    )


def test_the_digest_is_of_the_meaning():
    text = (SAMPLES / "steelworks.yaml").read_text("utf-8")
    moved, _ = read_plant_text(
        "# a comment above\n" + text.replace("store: data/store", "store: elsewhere"), "b.yaml"
    )
    changed, _ = read_plant_text(text.replace("digits: 6", "digits: 7"), "b.yaml")
    assert moved is not None
    assert changed is not None
    plant = steelworks()
    assert plant_digest(moved) == plant_digest(plant)
    assert plant_digest(changed) != plant_digest(plant)
    assert plant_digest(replace(plant, zone="Asia/Seoul")) != plant_digest(plant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"shape": "plant/2", "plant": {}}',
        '{"shape": "plant/1", "plant": {}}',
        '{"shape": "plant/1", "plant": 3}',
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"plant|Expecting"):
        plant_from_json(text)


def test_unknown_fields_are_refused():
    data = json.loads(plant_to_json(steelworks()))
    data["plant"]["colour"] = "red"
    with pytest.raises(ValueError, match="colour"):
        plant_from_json(json.dumps(data))
