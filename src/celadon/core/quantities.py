"""Quantity: a named column with its unit and grain; a rulebook's quantities are its registry."""

from __future__ import annotations

from dataclasses import field
from enum import IntEnum
from functools import lru_cache

from celadon.core.dataclass import dataclass
from celadon.core.periods import Grain
from celadon.core.text import Text, TextError
from celadon.core.units import Unit


class Space(IntEnum):
    """How fine a place column is, coarse to fine."""

    ENTERPRISE = 1
    SITE = 2
    PROCESS = 3
    METER = 4

    @property
    def word(self) -> str:
        return self.name.lower()


SPACES = {space.word: space for space in Space}


@dataclass(frozen=True, slots=True)
class GrainKey:
    """What one row stands for: how fine in place, how fine in time, and the other keys (carrier, product …)."""

    space: Space
    time: Grain
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join((self.space.word, self.time.word, *self.keys))


@lru_cache(maxsize=1024)
def parse_grain(text: str) -> GrainKey:
    """Read `site, month, carrier` (TextError when place or time is missing or doubled)."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    space = [SPACES[word] for word in words if word in SPACES]
    time = [GRAINS_BY_WORD[word] for word in words if word in GRAINS_BY_WORD]
    keys = tuple(sorted(word for word in words if word not in SPACES and word not in GRAINS_BY_WORD))
    if len(space) != 1 or len(time) != 1 or len(set(keys)) != len(keys):
        raise TextError(
            Text(
                f"a grain names one place, one time and other keys once: {text!r}",
                f"粒度须各写一个空间、一个时间，其他键不得重复：{text!r}",
            )
        )
    return GrainKey(space[0], time[0], keys)


GRAINS_BY_WORD = {grain.word: grain for grain in Grain}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A named column: label in both languages, unit, what one row stands for, and whether rows may be added.

    `adds` is False for ratios, temperatures and prices: a coarser row is computed anew, never summed.
    """

    name: str
    label: Text
    unit: Unit
    grain: GrainKey
    adds: bool = True
    doc: str = ""
    aliases: tuple[str, ...] = field(default=())


HELD = frozenset({"anode_effect_minutes", "pump_head", "pump_head_per_stage"})
"""What describes a state in a unit that amounts have too: minutes of a cell and day, metres of head. As with a share or a ratio, a
record of it holds for the whole of its span and no part of it is cut off."""
