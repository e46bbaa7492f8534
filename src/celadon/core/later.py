"""Modules that are imported when something of them is first asked for.

For the verbs of a front, of which one call needs one: their names stand at the top as ever, and importing the front costs
what it needs itself. Never a way around a cycle.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """A module by its full name; what it holds is got from it as from the module."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)
