"""Our data classes against the standard library's: the same declarations must behave alike."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import Any

import pytest

from celadon.core.dataclass import _dataclass

KINDS = [
    {},
    {"slots": True},
    {"frozen": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "kw_only": True},
    {"frozen": True, "eq": False, "repr": False},
]


class Body:
    """What both makers are given."""

    name: str
    size: float = 1.5
    tags: list[str] = field(default_factory=list, compare=False)
    hidden: int = field(default=7, repr=False)
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", len(self.name))


def both(**words: Any) -> tuple[Any, Any]:
    """The same body made by each, under one name."""
    given = {name: value for name, value in vars(Body).items() if name not in ("__dict__", "__weakref__")}
    return tuple(make(**words)(type("Body", (), dict(given))) for make in (_dataclass, dataclasses.dataclass))  # type: ignore[return-value]  (two, as the type says)


@pytest.mark.parametrize("words", KINDS)
def test_a_class_behaves_as_the_standard_librarys(words: dict[str, Any]) -> None:
    ours, theirs = both(**words)
    told = []
    for made in (ours, theirs):
        one = made(name="press")
        other = dataclasses.replace(one, name="kiln", tags=["hot"], size=2.0)
        alike = made(name="press", tags=["other"])
        shown = repr(one) if words.get("repr", True) else ""
        told.append(
            (shown.replace("both.<locals>.", ""), dataclasses.asdict(other), dataclasses.astuple(one),
             one == one, one == alike, one == other, one != alike, one == "press",
             [(item.name, item.init, item.compare) for item in dataclasses.fields(made)],
             made.__match_args__, hasattr(one, "__dict__"), one.tags is alike.tags, made.__doc__)
        )  # fmt: skip
    assert told[0] == told[1]
    assert told[0][1] == {"name": "kiln", "size": 2.0, "tags": ["hot"], "hidden": 7, "seen": 4}


@pytest.mark.parametrize("words", KINDS)
def test_what_the_standard_library_refuses_is_refused(words: dict[str, Any]) -> None:
    for made in both(**words):
        one = made(name="press")
        with pytest.raises(TypeError, match="name"):
            made()
        with pytest.raises(TypeError):
            made(name="press", seen=4)
        if words.get("kw_only"):
            with pytest.raises(TypeError):
                made("press")
        if words.get("frozen"):
            with pytest.raises(dataclasses.FrozenInstanceError, match="'size'"):
                one.size = 2.0
            with pytest.raises(dataclasses.FrozenInstanceError, match="'size'"):
                del one.size
            assert one.size == 1.5
        else:
            one.size = 2.0
            assert one.size == 2.0


@pytest.mark.parametrize("words", KINDS)
def test_equal_things_hash_alike_where_nothing_can_change(words: dict[str, Any]) -> None:
    ours, theirs = both(**words)
    for made in (ours, theirs):
        one, alike, other = made(name="press"), made(name="press", tags=["x"]), made(name="kiln")
        if words.get("frozen") and words.get("eq", True):
            assert hash(one) == hash(alike)
            assert len({one, alike, other}) == 2
        elif words.get("eq", True):
            with pytest.raises(TypeError, match="unhashable"):
                hash(one)
        else:
            assert len({one, alike, other}) == 3


@_dataclass(frozen=True, slots=True)
class Sealed:
    """One that can be found by its name, as pickle needs."""

    number: int
    words: tuple[str, ...] = ()


def test_a_frozen_one_is_copied_and_pickled() -> None:
    one = Sealed(3, ("a", "b"))
    for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert again == one
        assert again.words == ("a", "b")


def test_what_a_class_says_itself_stands() -> None:
    @_dataclass(frozen=True)
    class Said:
        number: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Said)

        def __repr__(self) -> str:
            return "said"

    assert Said(1) == Said(2)
    assert repr(Said(1)) == "said"
    assert hash(Said(5)) == hash(5)


def test_a_default_that_would_be_shared_is_refused() -> None:
    with pytest.raises(ValueError, match="mutable default"):

        @_dataclass(frozen=True)
        class Shared:
            items: list[int] = []  # noqa: RUF012  (what is refused)


def test_fields_of_a_base_come_first() -> None:
    @_dataclass(frozen=True, eq=False)
    class Base:
        first: int

    @_dataclass(frozen=True, eq=False)
    class More(Base):
        second: int = 2

    assert [(item.first, item.second) for item in (More(1), More(1, 3))] == [(1, 2), (1, 3)]
