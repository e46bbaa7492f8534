"""A plant file's text as a tree in which every value still knows its line and column.

Scalars keep the text as written: `010`, `no` and `2024-02-30` reach the schema unchanged, which then
says what they should have been. Nothing here knows what a plant is. Limits keep a broken or hostile
file from using up the machine.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from yaml.events import MappingEndEvent as _MappingEnd
from yaml.events import SequenceEndEvent as _SequenceEnd
from yaml.reader import ReaderError

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingError, FindingKind, Findings, Place, Severity
from celadon.core.text import Text, text_of

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 4_000_000
MAX_VALUES = 400_000
MAX_DEPTH = 24

FILE_MISSING = FindingKind(
    "plant.file-missing",
    Severity.ERROR,
    Text("No plant file", "没有工厂文件"),
    Text("There is no file {file}.", "文件 {file} 不存在。"),
    Text(
        "Give the path of a plant file, or make one with `celadon new DIR`.",
        "请给出工厂文件的路径，或用 `celadon new DIR` 新建。",
    ),
)
FILE_UNREADABLE = FindingKind(
    "plant.file-unreadable",
    Severity.ERROR,
    Text("Plant file cannot be opened", "工厂文件无法打开"),
    Text("{file} cannot be opened: {reason}.", "无法打开 {file}：{reason}。"),
    Text(
        "Check the file's permissions and whether another program holds it.",
        "请检查文件权限以及是否被其他程序占用。",
    ),
)
FILE_EMPTY = FindingKind(
    "plant.file-empty",
    Severity.ERROR,
    Text("Plant file is empty", "工厂文件为空"),
    Text("The file says nothing.", "文件中没有任何内容。"),
    Text(
        "Write at least `celadon: 1`, `enterprise` and `sites`; `celadon new DIR` writes an example.",
        "至少写明 `celadon: 1`、`enterprise` 和 `sites`；`celadon new DIR` 会生成样例。",
    ),
)
FILE_TOO_BIG = FindingKind(
    "plant.file-too-big",
    Severity.ERROR,
    Text("Plant file is too big", "工厂文件过大"),
    Text(
        "The file has {size} bytes; a plant file has at most {limit}.",
        "文件有 {size} 字节，工厂文件最多 {limit} 字节。",
    ),
    Text(
        "Readings and records belong in files of their own, named under `sources`; a centre that meters many firms writes several plant "
        "files, of some thousand firms each.",
        "读数和台账应放在单独的文件中，并在 `sources` 下列出；为众多企业计量的单位请分写为数个工厂文件，每个数千家企业。",
    ),
)
FILE_ENCODING = FindingKind(
    "plant.file-encoding",
    Severity.ERROR,
    Text("Plant file is not UTF-8", "工厂文件不是 UTF-8 编码"),
    Text(
        "The file is not UTF-8 (first at byte {byte}); it was read as {encoding}.",
        "文件不是 UTF-8 编码（首个错误在第 {byte} 字节），按 {encoding} 读取。",
    ),
    Text("Save the file as UTF-8 in your editor.", "请在编辑器中将文件另存为 UTF-8。"),
)
YAML_SYNTAX = FindingKind(
    "plant.yaml-syntax",
    Severity.ERROR,
    Text("Not readable as YAML", "YAML 语法错误"),
    Text("The file stops being YAML here: {problem}.", "此处不符合 YAML 语法：{problem}。"),
    Text(
        "Indent with spaces, put a space after each `:`, and quote texts that hold `: `, `#` or begin "
        "with `*`, `&`, `%`, `@`.",
        "请用空格缩进，`:` 后加一个空格；含 `: `、`#` 或以 `*`、`&`、`%`、`@` 开头的文字要加引号。",
    ),
)
SEVERAL_DOCUMENTS = FindingKind(
    "plant.several-documents",
    Severity.ERROR,
    Text("More than one document", "含有多个文档"),
    Text(
        "A second YAML document begins here; what follows was not read.",
        "此处开始了第二个 YAML 文档，其后内容未读取。",
    ),
    Text("Remove the line `---`, or keep one plant per file.", "请删除 `---` 行，或每个文件只写一个企业。"),
)
TOO_MUCH = FindingKind(
    "plant.limit",
    Severity.ERROR,
    Text("Plant file is too large inside", "工厂文件内部过大"),
    Text(
        "With its aliases written out, the file passes {limit} values or {depth} levels.",
        "展开别名后，文件超过 {limit} 个值或 {depth} 层。",
    ),
    Text("Use fewer `*aliases` and less nesting.", "请减少 `*别名` 和嵌套层数。"),
)
ALIAS_BAD = FindingKind(
    "plant.alias",
    Severity.ERROR,
    Text("Alias leads nowhere", "别名无效"),
    Text(
        "`*{alias}` refers to nothing that is complete above this line.",
        "`*{alias}` 在此行之前没有完整的定义。",
    ),
    Text(
        "Define it above with `&{alias}`, and not around the place that uses it.",
        "请先在上文用 `&{alias}` 定义，且不能包含自身。",
    ),
)
MERGE_BAD = FindingKind(
    "plant.merge",
    Severity.ERROR,
    Text("Nothing to merge", "无法合并"),
    Text("`<<` takes the keys of a mapping, and this is none.", "`<<` 只能合并键值映射，此处不是。"),
    Text(
        "Write `<<: *name` where `&name` marks a mapping above.",
        "请写 `<<: *name`，其中 `&name` 标在上文的一个映射上。",
    ),
)
TAG_UNKNOWN = FindingKind(
    "plant.tag",
    Severity.ERROR,
    Text("YAML tag not allowed", "不允许的 YAML 标签"),
    Text(
        "The tag `{tag}` has no meaning in a plant file and was ignored.",
        "标签 `{tag}` 在工厂文件中没有意义，已忽略。",
    ),
    Text("Remove the tag.", "请删除该标签。"),
)
KEY_TWICE = FindingKind(
    "plant.key-twice",
    Severity.ERROR,
    Text("Key given twice", "键重复"),
    Text(
        "`{key}` is already given on line {first}; this one was not read.",
        "`{key}` 已在第 {first} 行给出，此处未读取。",
    ),
    Text("Keep one of the two.", "请保留其中一个。"),
)
KEY_UNREADABLE = FindingKind(
    "plant.key-unreadable",
    Severity.ERROR,
    Text("Key is not a text", "键不是文字"),
    Text("A list or mapping stands where a key is expected.", "应为键名之处是列表或映射。"),
    Text(
        "Write `key: value`; quote a text that begins with `[`, `{{` or `?`.",
        "请写 `键: 值`；以 `[`、`{{` 或 `?` 开头的文字要加引号。",
    ),
)

_NULLS = {"", "~", "null", "Null", "NULL"}
_CORE_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp")
}


@dataclass(slots=True)
class Scalar:
    """One value as written; `plain` when it has no quotes."""

    text: str
    line: int
    column: int
    plain: bool = True
    size: int = 1

    @property
    def is_null(self) -> bool:
        """Nothing was written, or `~`, or `null`."""
        return self.plain and self.text in _NULLS


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Mapping:
    """Keys and values in the order written, each key once."""

    line: int
    column: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    size: int = 1

    def get(self, key: str) -> Node | None:
        """The value of `key`, None where it is not written."""
        found = self.entries.get(key)
        return found[1] if found else None


Node = Scalar | Sequence | Mapping


def read_bytes(path: Path, shown: str) -> bytes:
    """The file's bytes (FindingError when it is not there, cannot be opened, or is too big)."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)  # a device says that it is empty and never ends
        if len(data) > MAX_BYTES:
            size = max(len(data), path.stat().st_size)
            raise FindingError(FILE_TOO_BIG.at(Place(file=shown), size=size, limit=MAX_BYTES))
        return data
    except FileNotFoundError as error:
        raise FindingError(FILE_MISSING.at(Place(file=shown), file=shown)) from error
    except OSError as error:
        place = Place(file=shown)
        raise FindingError(FILE_UNREADABLE.at(place, file=shown, reason=text_of(error))) from error


def decode(data: bytes, file: str, findings: Findings) -> str:
    """The bytes as text: UTF-8, with or without its mark; else a finding, and read as what it looks like."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            if encoding == "utf-16":
                findings.add(FILE_ENCODING.at(Place(file=file, line=1), byte=1, encoding=encoding))
            return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
    line = data.count(b"\n", 0, at) + 1
    try:
        text, encoding = data.decode("gb18030"), "gb18030"
    except UnicodeDecodeError:
        text, encoding = data.decode("utf-8", errors="replace"), "utf-8"
    findings.add(FILE_ENCODING.at(Place(file=file, line=line), byte=at + 1, encoding=encoding))
    return text


def parse(text: str, file: str, findings: Findings) -> Node | None:
    """The tree of the first document, None where there is nothing in it (FindingError when it is no YAML).

    Keys given twice, tags and dead aliases are added to `findings`, and what is sound beside them is kept."""
    builder = _Builder(file, findings)
    try:
        return builder.build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (
            Place(file=file, line=mark.line + 1, column=str(mark.column + 1)) if mark else Place(file=file)
        )
        problem = _syntax(error.problem or error.context or "")
        raise FindingError(YAML_SYNTAX.at(place, problem=problem)) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        sign = f"U+{int(error.character):04X}"
        problem = Text(f"character {sign}", f"字符 {sign}")
        raise FindingError(YAML_SYNTAX.at(Place(file=file, line=line), problem=problem)) from error


_YAML_WORDS = {
    "did not find expected key": "此处应为键",
    "did not find expected ',' or ']'": "缺少 , 或 ]",
    "did not find expected ',' or '}'": "缺少 , 或 }",
    "did not find expected '-' indicator": "此处应为列表项 -",
    "did not find expected node content": "此处应有内容",
    "did not find expected <document start>": "内容在文档结束之后",
    "found character that cannot start any token": "此字符不能作为开头",
    "found a tab character that violates indentation": "缩进中有制表符",
    "found unexpected end of stream": "文件提前结束",
    "found unexpected document indicator": "文档标记位置不对",
    "mapping values are not allowed in this context": "此处不能再有“键: 值”",
    "block sequence entries are not allowed in this context": "此处不能有列表项",
    "could not find expected ':'": "缺少冒号",
    "found undefined tag handle": "标签未定义",
    "found unknown escape character": "转义字符未知",
}


def _syntax(said: str) -> Text:
    """The parser's words; what it says most often is also there in Chinese."""
    return Text(said, _YAML_WORDS.get(said, f"原文“{said}”"))


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    node: Sequence | Mapping
    key: Scalar | None = None
    skip: bool = False  # the key was no scalar: its value is read and dropped
    merged: list[Mapping] = field(default_factory=list)


def _position(event: Event) -> tuple[int, int]:
    """Line and column, counted from one."""
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Builder:
    """Nodes from the parser's events, without recursion, so that depth is a limit and not a crash."""

    def __init__(self, file: str, findings: Findings) -> None:
        self.file = file
        self.findings = findings
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.waiting: list[tuple[int, str]] = []  # anchors of containers still open: (depth, anchor)
        self.root: Node | None = None
        self.total = 0
        self.documents = 0

    def build(self, events: Iterator[Event]) -> Node | None:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    self._add(SEVERAL_DOCUMENTS, event)
                    return self.root
            elif isinstance(event, NodeEvent):
                self._node(event)
            elif isinstance(event, _MappingEnd | _SequenceEnd):
                self._close()
        return self.root

    def _node(self, event: NodeEvent) -> None:
        line, column = _position(event)
        if isinstance(event, AliasEvent):
            target = self.anchors.get(event.anchor or "")
            if target is None:
                self._add(ALIAS_BAD, event, alias=event.anchor)
            self._place(target or Scalar("", line, column), event)
            return
        tag = getattr(event, "tag", None)
        if tag and tag != "!" and str(tag) not in _CORE_TAGS:
            self._add(TAG_UNKNOWN, event, tag=str(tag).replace("tag:yaml.org,2002:", "!!"))
        if isinstance(event, ScalarEvent):
            node = Scalar(event.value, line, column, plain=event.style in (None, ""))
            if event.anchor:
                self.anchors[event.anchor] = node
            self._place(node, event)
        elif isinstance(event, SequenceStartEvent | MappingStartEvent):
            kind = Sequence if isinstance(event, SequenceStartEvent) else Mapping
            self.stack.append(_Open(kind(line, column)))
            if event.anchor:
                self.anchors.pop(event.anchor, None)
                self.waiting.append((len(self.stack), event.anchor))
            if len(self.stack) > MAX_DEPTH:
                raise FindingError(self._finding(TOO_MUCH, event, limit=MAX_VALUES, depth=MAX_DEPTH))

    def _close(self) -> None:
        opened = self.stack.pop()
        node = opened.node
        if isinstance(node, Mapping):
            for source in opened.merged:
                for key, entry in source.entries.items():
                    node.entries.setdefault(key, entry)
        if self.waiting and self.waiting[-1][0] == len(self.stack) + 1:
            self.anchors[self.waiting.pop()[1]] = node
        self._place(node, None)

    def _place(self, node: Node, event: NodeEvent | None) -> None:
        """Puts a finished node where it belongs: the root, an item, a key or a key's value."""
        if not self.stack:
            self.root = node
            return
        opened = self.stack[-1]
        opened.node.size += node.size
        self.total += node.size if event is not None else 0  # a container's parts were counted one by one
        if self.total > MAX_VALUES:
            where = Place(file=self.file, line=node.line, column=str(node.column))
            raise FindingError(TOO_MUCH.at(where, limit=MAX_VALUES, depth=MAX_DEPTH))
        if isinstance(opened.node, Sequence):
            opened.node.items.append(node)
        elif opened.skip:
            opened.skip = False
        elif opened.key is None:
            self._key(opened, node)
        else:
            self._value(opened, opened.key, node)
            opened.key = None

    def _key(self, opened: _Open, node: Node) -> None:
        if isinstance(node, Scalar):
            opened.key = node
        else:
            opened.skip = True
            self.findings.add(KEY_UNREADABLE.at(self._at(node)))

    def _value(self, opened: _Open, key: Scalar, node: Node) -> None:
        mapping = opened.node
        if not isinstance(mapping, Mapping):
            return
        if key.text == "<<" and key.plain:
            sources = node.items if isinstance(node, Sequence) else [node]
            opened.merged += [source for source in sources if isinstance(source, Mapping)]
            if not all(isinstance(source, Mapping) for source in sources):
                self.findings.add(MERGE_BAD.at(self._at(key)))
        elif key.text in mapping.entries:
            first = mapping.entries[key.text][0].line
            self.findings.add(KEY_TWICE.at(self._at(key), key=key.text, first=first))
        else:
            mapping.entries[key.text] = (key, node)

    def _at(self, node: Node) -> Place:
        return Place(file=self.file, line=node.line, column=str(node.column))

    def _finding(self, kind: FindingKind, event: Event, **values: Any) -> Finding:
        line, column = _position(event)
        return kind.at(Place(file=self.file, line=line, column=str(column)), **values)

    def _add(self, kind: FindingKind, event: Event, **values: Any) -> None:
        self.findings.add(self._finding(kind, event, **values))
