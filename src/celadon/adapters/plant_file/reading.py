"""Walks a file's tree along the schema: every value read, every problem a finding with its place, in
one pass.

What cannot be read counts as not written, so that the rest of its table survives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from difflib import get_close_matches
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from celadon.adapters.plant_file.nodes import Mapping, Node, Scalar, Sequence
from celadon.adapters.plant_file.shapes import Either, Items, Key, Named, Shape, Table, Value
from celadon.adapters.plant_file.values import READERS
from celadon.core.carriers import CARRIERS, find_carrier
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.text import Text
from celadon.core.units import UNIT_UNKNOWN, UnitError

KEY_UNKNOWN = FindingKind(
    "plant.key-unknown",
    Severity.ERROR,
    Text("Unknown key", "未知的键"),
    Text("`{key}` is not a key of `{table}`{hint}.", "`{table}` 没有键 `{key}`{hint}。"),
    Text("Correct or remove it; the keys are: {known}.", "请更正或删除；可用的键：{known}。"),
)
KEY_MISSING = FindingKind(
    "plant.key-missing",
    Severity.ERROR,
    Text("Key missing", "缺少键"),
    Text("`{table}` has no `{key}`.", "`{table}` 缺少 `{key}`。"),
    Text("Add `{key}:` ({doc}).", "请补充 `{key}:`（{doc}）。"),
)
NOT_A_VALUE = FindingKind(
    "plant.not-a-value",
    Severity.ERROR,
    Text("Not a single value", "应为单个值"),
    Text("`{key}` is a {found}, where one value is expected.", "`{key}` 是{found}，应为单个值。"),
    Text(
        "Write `{key}: value`; quote a text that begins with `[`, `{{` or `- `.",
        "请写 `{key}: 值`；以 `[`、`{{` 或 `- ` 开头的文字要加引号。",
    ),
)
NOT_A_LIST = FindingKind(
    "plant.not-a-list",
    Severity.ERROR,
    Text("Not a list", "应为列表"),
    Text("`{key}` is a {found}, where a list is expected.", "`{key}` 是{found}，应为列表。"),
    Text("Begin each entry with `- `, or write `[a, b]`.", "每项以 `- ` 开头，或写 `[a, b]`。"),
)
NOT_A_MAPPING = FindingKind(
    "plant.not-a-mapping",
    Severity.ERROR,
    Text("Not a mapping", "应为键值映射"),
    Text(
        "`{key}` is a {found}, where `key: value` pairs are expected.",
        "`{key}` 是{found}，应为 `键: 值`。",
    ),
    Text(
        "Write `key: value` lines below it, or {{key: value}}.",
        "请在其下写 `键: 值` 各行，或写 {{键: 值}}。",
    ),
)
WORD_UNKNOWN = FindingKind(
    "plant.word-unknown",
    Severity.ERROR,
    Text("Word not allowed here", "不允许的取值"),
    Text("`{key}: {value}` is not allowed{hint}.", "`{key}: {value}` 不在允许的取值中{hint}。"),
    Text("Write one of: {known}.", "请从中选择：{known}。"),
)
OUT_OF_RANGE = FindingKind(
    "plant.out-of-range",
    Severity.ERROR,
    Text("Number out of range", "数值超出范围"),
    Text("`{key}: {value}` is outside {low} … {high}.", "`{key}: {value}` 超出 {low} … {high}。"),
    Text("Correct the number.", "请更正数值。"),
)
CARRIER_UNKNOWN = FindingKind(
    "plant.carrier-unknown",
    Severity.ERROR,
    Text("Unknown energy carrier", "未知能源品种"),
    Text(
        "`{key}: {value}` is no energy carrier that Celadon or `carriers` knows{hint}.",
        "`{key}: {value}` 不是内置或 `carriers` 中的能源品种{hint}。",
    ),
    Text("Correct it, or declare it under `carriers`.", "请更正，或在 `carriers` 下声明。"),
)
REFERENCE_UNKNOWN = FindingKind(
    "plant.reference-unknown",
    Severity.ERROR,
    Text("Refers to nothing", "引用不存在"),
    Text(
        "`{key}: {value}` is not declared under `{section}`{hint}.",
        "`{key}: {value}` 未在 `{section}` 下声明{hint}。",
    ),
    Text("Correct it, or declare it.", "请更正，或补充声明。"),
)
ID_TWICE = FindingKind(
    "plant.id-twice",
    Severity.ERROR,
    Text("Id used twice", "编号重复"),
    Text(
        "The id {id} of `{section}` is already used on line {first}; this entry was not read.",
        "`{section}` 的编号 {id} 已在第 {first} 行使用，此项未读取。",
    ),
    Text("Give each its own id.", "请使用不同的编号。"),
)
PATH_ESCAPES = FindingKind(
    "plant.path-escapes",
    Severity.ERROR,
    Text("Path leads out of the plant's folder", "路径超出工厂文件夹"),
    Text(
        "`{key}: {value}` leads out of the folder of the plant file.",
        "`{key}: {value}` 指向工厂文件所在文件夹之外。",
    ),
    Text(
        "Put the files below the plant file's folder, or write the whole path.",
        "请把文件放在工厂文件所在文件夹之下，或写完整路径。",
    ),
)
PATH_ABSOLUTE = FindingKind(
    "plant.path-absolute",
    Severity.NOTICE,
    Text("Path holds on this machine only", "路径仅在本机有效"),
    Text(
        "`{key}: {value}` is a whole path: the plant file cannot be moved to another machine with its data.",
        "`{key}: {value}` 是绝对路径，工厂文件连同数据换机后将失效。",
    ),
    Text(
        "Put the files below the plant file's folder where you can.",
        "可能时请把文件放在工厂文件所在文件夹之下。",
    ),
)

_FOUND = {
    Scalar: Text("value", "单个值"),
    Sequence: Text("list", "列表"),
    Mapping: Text("mapping", "键值映射"),
}


@dataclass(frozen=True, slots=True)
class Got:
    """A value that was read, and where it stands."""

    value: Any
    node: Node


@dataclass(slots=True)
class Entry:
    """A table that was read: its sound values by key, defaults included."""

    table: Table
    node: Mapping
    subject: str | None
    got: dict[str, Got] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    complete: bool = True
    """Whether every required key is there and sound."""

    def __getitem__(self, key: str) -> Any:
        """The value of `key`: as written, else its default, else None."""
        found = self.got.get(key)
        return found.value if found else self.defaults.get(key)

    def given(self, key: str) -> bool:
        """Whether `key` is written with something behind it, sound or not."""
        node = self.node.get(key)
        return node is not None and not (isinstance(node, Scalar) and node.is_null)

    def at(self, key: str) -> Node:
        """The node of `key`, or the whole table where it is not written."""
        found = self.node.get(key)
        return found if found is not None else self.node

    def entries(self, key: str) -> list[Entry]:
        """The tables in the list `key`; none where it is not written."""
        return [got.value for got in self[key] or ()]

    def values(self, key: str) -> list[Any]:
        """The values in the list `key`; none where it is not written."""
        return [got.value for got in self[key] or ()]

    def pairs(self, key: str) -> list[tuple[Got, Got]]:
        """The keys and values of the free mapping `key`."""
        return list(self[key] or ())


def near(word: str, known: Iterable[str]) -> str:
    """` → “nearest”?`, read alike in both languages, or an empty text."""
    names = sorted(set(known))
    lower = {name.lower(): name for name in names}
    found = get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f" → “{lower[found[0]]}”?" if found else ""


class Reading:
    """One reading of one file: the findings so far, and the ids that may be referred to."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings = Findings()
        self.subject: str | None = None
        self.ids: dict[str, dict[str, Node]] = {}
        self.carrier_words: dict[str, str] = {}
        self.dropped: set[int] = set()  # id() of nodes whose id is taken

    def place(self, node: Node, subject: str | None = None) -> Place:
        """Where `node` stands, about the subject now being read unless another is named."""
        return Place(file=self.file, line=node.line, column=str(node.column), subject=subject or self.subject)

    def add(self, kind: FindingKind, node: Node, subject: str | None = None, /, **values: Any) -> None:
        """A finding of `kind` at `node`."""
        self.findings.add(kind.at(self.place(node, subject), **values))

    # -- ids -----------------------------------------------------------------------------------------------

    def collect(self, node: Node | None, shape: Shape, space: Callable[[str], str]) -> None:
        """Notes every id that tables with a section declare, so that references may point down the file.

        `space` maps a section to the one it shares its ids with."""
        if isinstance(shape, Items) and isinstance(node, Sequence):
            for item in node.items:
                self.collect(item, shape.of, space)
        elif isinstance(shape, Table) and isinstance(node, Mapping):
            if shape.section:
                self._declare(node, shape.section, space(shape.section))
            for key in shape.keys:
                if key.name in node.entries and isinstance(key.shape, Items):
                    self.collect(node.entries[key.name][1], key.shape, space)

    def _declare(self, node: Mapping, section: str, space: str) -> None:
        named = node.get("id")
        if not isinstance(named, Scalar) or named.is_null:
            return
        taken = self.ids.setdefault(f"={space}", {})
        if (first := taken.get(named.text)) is not None:
            self.dropped.add(id(node))
            self.add(
                ID_TWICE, named, f"{section}:{named.text}", id=named.text, section=section, first=first.line
            )
            return
        taken[named.text] = named
        self.ids.setdefault(section, {})[named.text] = named
        if section == "carriers":
            self.carrier_words |= {word.lower(): named.text for word in _words(node)}

    def known(self, sections: Iterable[str]) -> dict[str, Node]:
        """The ids of `sections` and where they are declared."""
        return {name: node for section in sections for name, node in self.ids.get(section, {}).items()}

    # -- shapes --------------------------------------------------------------------------------------------

    def read(self, name: str, node: Node, shape: Shape) -> Got | None:
        """What stands at `node`, None (with a finding) where it is not of `shape`. `name`: its key."""
        match shape:
            case Value():
                return self._scalar(name, node, shape)
            case Items():
                return self._items(name, node, shape)
            case Table():
                return self._table(name, node, shape)
            case Named():
                return self._named(name, node, shape)
            case Either():
                return self._either(name, node, shape)

    def _wrong(self, kind: FindingKind, name: str, node: Node) -> None:
        self.add(kind, node, key=name, found=_FOUND[type(node)])

    def _either(self, name: str, node: Node, shape: Either) -> Got | None:
        options = {Scalar: shape.value, Sequence: shape.items, Mapping: shape.table}
        chosen = options[type(node)]
        if chosen is not None:
            return self.read(name, node, chosen)
        self._wrong(NOT_A_MAPPING if shape.table else NOT_A_LIST, name, node)
        return None

    def _items(self, name: str, node: Node, shape: Items) -> Got | None:
        if not isinstance(node, Sequence):
            one = shape.single and (isinstance(node, Mapping) == isinstance(shape.of, Table))
            if not one:
                self._wrong(NOT_A_LIST, name, node)
                return None
            item = self.read(name, node, shape.of)
            return Got([item] if item else [], node)
        read = [self.read(name, item, shape.of) for item in node.items if id(item) not in self.dropped]
        return Got([item for item in read if item], node)

    def _named(self, name: str, node: Node, shape: Named) -> Got | None:
        if not isinstance(node, Mapping):
            self._wrong(NOT_A_MAPPING, name, node)
            return None
        pairs = []
        for word, (key_node, value_node) in node.entries.items():
            key, value = self.read(name, key_node, shape.keys), self.read(word, value_node, shape.of)
            if key and value:
                pairs.append((key, value))
        return Got(pairs, node)

    def _table(self, name: str, node: Node, table: Table) -> Got | None:
        if not isinstance(node, Mapping):
            self._wrong(NOT_A_MAPPING, name, node)
            return None
        outer, named = self.subject, node.get("id")
        if table.section and isinstance(named, Scalar):
            self.subject = f"{table.name}:{named.text}"
        entry = Entry(table, node, self.subject)
        self._unknown_keys(node, table)
        for key in table.keys:
            self._key(entry, key)
        self.subject = outer
        return Got(entry, node)

    def _unknown_keys(self, node: Mapping, table: Table) -> None:
        known = [key.name for key in table.keys]
        for word, (key_node, _) in node.entries.items():
            if word not in known:
                values = {
                    "key": word,
                    "table": table.name,
                    "hint": near(word, known),
                    "known": ", ".join(known),
                }
                self.add(KEY_UNKNOWN, key_node, **values)

    def _key(self, entry: Entry, key: Key) -> None:
        if key.default is not None and isinstance(key.shape, Value):
            entry.defaults[key.name] = READERS[key.shape.kind][0](key.default)
        if entry.given(key.name):
            got = self.read(key.name, entry.at(key.name), key.shape)
            if got:
                entry.got[key.name] = got
            elif key.required:
                entry.complete = False
        elif key.required:
            entry.complete = False
            values = {"key": key.name, "table": entry.table.name, "doc": key.doc}
            self.add(KEY_MISSING, entry.node, **values)

    # -- scalars -------------------------------------------------------------------------------------------

    def _scalar(self, name: str, node: Node, shape: Value) -> Got | None:
        if not isinstance(node, Scalar):
            self._wrong(NOT_A_VALUE, name, node)
            return None
        if shape.words:
            return self._word(name, node, shape)
        if shape.kind == "carrier":
            return self._carrier(name, node)
        if shape.refers:
            return self._reference(name, node, shape)
        read, kind = READERS[shape.kind]
        try:
            value = read(node.text)
        except UnitError as error:
            hint = error.text.en.partition("did you mean “")[2].partition("”")[0]
            self.add(UNIT_UNKNOWN, node, unit=node.text, hint=f" → “{hint}”?" if hint else "")
            return None
        except ValueError:
            if kind is not None:
                self.add(kind, node, key=name, value=node.text, zone=node.text)
            return None
        return self._within(name, node, shape, value)

    def _within(self, name: str, node: Scalar, shape: Value, value: Any) -> Got | None:
        low, high = shape.low, shape.high
        if (low is not None and value < low) or (high is not None and value > high):
            self.add(OUT_OF_RANGE, node, key=name, value=node.text, low=low, high=high)
            return None
        if shape.kind == "path" and not self._path(name, node):
            return None
        return Got(value, node)

    def _word(self, name: str, node: Scalar, shape: Value) -> Got | None:
        known = [word for word, _ in shape.words]
        if node.text in known:
            return Got(node.text, node)
        self.add(
            WORD_UNKNOWN, node, key=name, value=node.text, hint=near(node.text, known), known=", ".join(known)
        )
        return None

    def _carrier(self, name: str, node: Scalar) -> Got | None:
        own = self.carrier_words.get(node.text.strip().lower())
        if own is not None:
            return Got(own, node)
        found = find_carrier(node.text)
        if found is not None:
            return Got(found.id, node)
        known = [*self.carrier_words, *(word for c in CARRIERS.values() for word in (c.id, c.label.zh))]
        self.add(CARRIER_UNKNOWN, node, key=name, value=node.text, hint=near(node.text, known))
        return None

    def _reference(self, name: str, node: Scalar, shape: Value) -> Got | None:
        if any(node.text in self.ids.get(section, {}) for section in shape.refers):
            return Got(node.text, node)
        known = self.known(shape.refers)
        section, hint = "` / `".join(shape.refers), near(node.text, known)
        self.add(REFERENCE_UNKNOWN, node, key=name, value=node.text, section=section, hint=hint)
        return None

    def _path(self, name: str, node: Scalar) -> bool:
        """Whether the path may be used: below the plant file's folder, or (with a notice) absolute."""
        text = node.text
        if PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute():
            self.add(PATH_ABSOLUTE, node, key=name, value=text)
            return True
        depth = 0
        for part in text.replace("\\", "/").split("/"):
            depth += -1 if part == ".." else part not in ("", ".")
            if depth < 0:
                self.add(PATH_ESCAPES, node, key=name, value=text)
                return False
        return True


def _words(node: Mapping) -> Iterator[str]:
    """The id, names and aliases of a carrier as written, before anything is checked."""
    for key in ("id", "name", "aliases"):
        value = node.get(key)
        if isinstance(value, Scalar):
            yield value.text
        elif isinstance(value, Sequence):
            yield from (item.text for item in value.items if isinstance(item, Scalar))
        elif isinstance(value, Mapping):
            yield from (part.text for _, part in value.entries.values() if isinstance(part, Scalar))
