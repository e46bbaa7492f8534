"""What a schema is made of: the shapes a value of the plant file may have, declared as data.

The reader, the reference in `docs/plant-file.md` and the tests all walk the same declaration.
"""

from __future__ import annotations

from celadon.core.dataclass import dataclass
from celadon.core.text import Text


@dataclass(frozen=True, slots=True)
class Value:
    """One scalar. `kind` names its reader in `values.READERS`; limits include their ends.

    `refers`: the sections one of whose ids it must be. `words`: the only values allowed, each with its
    meaning."""

    kind: str = "text"
    low: float | None = None
    high: float | None = None
    refers: tuple[str, ...] = ()
    words: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A list; with `single`, one value may stand for a list of one."""

    of: Shape
    single: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping whose keys are free (headers, ids): `keys` says what they are."""

    of: Shape
    keys: Value = Value()


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table. `default` is written as the file would have it."""

    name: str
    shape: Shape
    doc: Text
    required: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with exactly these keys. `section`: its `id` is unique among all tables of that section."""

    name: str
    keys: tuple[Key, ...]
    section: str = ""
    doc: Text | None = None

    def key(self, name: str) -> Key | None:
        """The key called `name`, None where the table has none."""
        return next((key for key in self.keys if key.name == name), None)


@dataclass(frozen=True, slots=True)
class Either:
    """Several ways to write one thing, told apart by what stands there: a value, a list or a mapping."""

    value: Value | None = None
    items: Items | None = None
    table: Table | Named | None = None


Shape = Value | Items | Named | Table | Either


def key(
    name: str, shape: Shape, en: str, zh: str, *, required: bool = False, default: str | None = None
) -> Key:
    """A key with its documentation in both languages."""
    return Key(name, shape, Text(en, zh), required, default)
