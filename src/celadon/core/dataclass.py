"""`dataclass` as the standard library has it, made in a fifth of its time.

CPython before 3.13 compiles up to six functions for each data class, a millisecond of CPU; with the 240 of a command that was
half of what importing took. Here one function is compiled, `__init__`; the others are the same for all classes. What else a
data class is (fields, replace, asdict, match) stays the standard library's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

_set = object.__setattr__


def _dataclass(
    given: type | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    eq: bool = True,
    repr: bool = True,
    kw_only: bool = False,
) -> Any:
    """A class with fields made a data class, or what makes it one; the words are the standard library's."""

    def made(given: type) -> type:
        return _made(given, frozen, slots, eq, repr, kw_only)

    return made if given is None else made(given)


def _made(given: type, frozen: bool, slots: bool, eq: bool, repr: bool, kw_only: bool) -> type:
    own = set(vars(given))
    if not given.__doc__:
        # Else the standard library works out a signature, as dear as all the rest.
        given.__doc__ = given.__name__
    made: type = dataclasses.dataclass(given, init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
    fields = dataclasses.fields(made)
    new: dict[str, Any] = {"__init__": _init(made, fields, frozen)}
    if repr:
        new["__repr__"] = _repr
    if eq:
        key = _key([field.name for field in fields if field.compare])
        new["__eq__"] = _eq(key)
        new["__hash__"] = _hash(key) if frozen else None
    if frozen:
        new |= {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
        if slots:
            new |= {"__getstate__": _state, "__setstate__": _restore}
    for name, value in new.items():
        if name not in own or (name == "__hash__" and "__eq__" in own and vars(made)[name] is None):
            setattr(made, name, value)
    return made


def _init(made: type, fields: tuple[dataclasses.Field[Any], ...], frozen: bool) -> Callable[..., None]:
    """The one function that is compiled: what it takes is checked by Python itself, at its full speed."""
    space: dict[str, Any] = {"__name__": made.__module__, "_set": _set}
    plain: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for field in fields:
        name, parameter, value = field.name, field.name, field.name
        if field.default is not dataclasses.MISSING:
            space[f"_of_{name}"] = field.default
            parameter = f"{name}=_of_{name}"
            value = name if field.init else f"_of_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            space[f"_of_{name}"] = field.default_factory
            # `_set` stands for what was not given: nobody has it to give.
            parameter = f"{name}=_set"
            value = f"_of_{name}() if {name} is _set else {name}" if field.init else f"_of_{name}()"
        elif not field.init:
            continue
        if field.init:
            (named if field.kw_only else plain).append(parameter)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(["self", *plain, *(["*", *named] if named else ())])
    exec(f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), space)  # noqa: S102  (names of fields only)
    init: Callable[..., None] = space["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _key(names: list[str]) -> Callable[[Any], object]:
    """What two of a class are compared by."""
    return attrgetter(*names) if names else lambda _: ()


def _eq(key: Callable[[Any], object]) -> Callable[[Any, object], bool]:
    def equal(self: Any, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return equal


def _hash(key: Callable[[Any], object]) -> Callable[[Any], int]:
    return lambda self: hash(key(self))


@recursive_repr()
def _repr(self: Any) -> str:
    shown = [
        f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr
    ]
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_set(_self: Any, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        _set(self, field.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    dataclass = _dataclass
