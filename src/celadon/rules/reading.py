"""A rulebook's files, read with limits: nothing outside its folder, nothing over-long, no trap of the format.

A rulebook may come from anybody. What is read here is bytes of ordinary files; what they mean is for `rulebook`,
`chapters` and `factors`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text, text_of

RULEBOOK_UNREADABLE = FindingKind(
    "rulebook.unreadable",
    Severity.ERROR,
    Text(en="Rulebook file cannot be read", zh="规则册文件无法读取"),
    Text(en="The rulebook cannot be used: {why}.", zh="规则册不可用：{why}。"),
    Text(
        en="Correct the file named; the house of a rulebook is described in docs/adding-a-standard.md.",
        zh="请更正所列文件；规则册结构见 docs/adding-a-standard.md。",
    ),
)
RULEBOOK_OVER_LIMIT = FindingKind(
    "rulebook.over-limit",
    Severity.ERROR,
    Text(en="Rulebook over a limit", zh="规则册超出限制"),
    Text(en="{what}: {found}, and at most {limit} are read.", zh="{what}：{found}，上限为 {limit}。"),
    Text(
        en="Split the rulebook; no standard that is known needs more.",
        zh="请拆分规则册；已知标准均无需超出此限。",
    ),
)
RULEBOOK_OUTSIDE = FindingKind(
    "rulebook.outside-folder",
    Severity.ERROR,
    Text(en="Rulebook reaches out of its folder", zh="规则册越出自身文件夹"),
    Text(
        en="{name} is a link to something outside the rulebook's folder, or no ordinary file.",
        zh="{name} 链接到规则册文件夹之外，或不是普通文件。",
    ),
    Text(en="Put a copy of the file into the folder.", zh="请将该文件复制到文件夹内。"),
)

MAX_FILES = 500
MAX_FILE_BYTES = {".yaml": 1_000_000, ".py": 200_000, ".csv": 20_000_000, ".lock": 20_000_000}
MAX_YAML_DEPTH = 40
LOCK = "published.lock"
"""Digests of published rows; no answer depends on it."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_folder(folder: Path) -> dict[str, bytes]:
    """What an answer depends on, and the lock: name below the folder -> content, in the order of their digest.

    Raises:
        FindingError: a file is no ordinary file of this folder, or over a limit.
    """
    fixed = [name for name in ("about.yaml", "quantities.yaml", LOCK) if os.path.lexists(folder / name)]
    names = [*fixed, *_listed(folder, "", ".py"), *_listed(folder / "tables", "tables/", ".csv")]
    if len(names) > MAX_FILES:
        raise FindingError(over_limit(folder, Text("files", "文件数"), len(names), MAX_FILES))
    home = os.path.realpath(folder)
    tables = os.path.realpath(folder / "tables")
    return {
        name: _content(os.path.join(folder, name), tables if name.startswith("tables/") else home, home)
        for name in sorted(names)
    }


def digest_of(contents: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents of everything but cases and lock: what an answer depends on."""
    digest = hashlib.sha256()
    for name, content in contents.items():
        if name != LOCK:
            digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def over_limit(path: Path | str, what: Text, found: object, limit: object, line: int | None = None) -> Any:
    """The Finding for something there is too much of."""
    return RULEBOOK_OVER_LIMIT.at(Place(file=str(path), line=line), what=what, found=found, limit=limit)


def _listed(folder: Path, within: str, suffix: str) -> list[str]:
    """The files of a folder, named from the rulebook's."""
    if not folder.is_dir():
        return []
    return [within + name for name in os.listdir(folder) if name.endswith(suffix)]


def _content(path: str, parent: str, home: str) -> bytes:
    """A file's bytes; `parent` and `home` are the real places of its folder and of the rulebook."""
    name = os.path.basename(path)
    limit = MAX_FILE_BYTES[os.path.splitext(name)[1]]
    try:
        status, real = os.lstat(path), os.path.join(parent, name)
        if stat.S_ISLNK(status.st_mode):
            real = os.path.realpath(path)
            status = os.stat(real)
        if not real.startswith(home + os.sep) or not stat.S_ISREG(status.st_mode):
            raise FindingError(RULEBOOK_OUTSIDE.at(Place(file=path), name=name))
        if status.st_size > limit:
            raise FindingError(over_limit(path, Text("bytes", "字节数"), status.st_size, limit))
        with open(path, "rb", buffering=0) as file:
            return file.read(status.st_size) or b""
    except OSError as error:
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=path), why=text_of(error))) from error


def read_yaml(path: Path) -> Any:
    """A YAML file's plain content (FindingError when it cannot be read, or is no file of its folder)."""
    if not path.is_file():
        why = Text("there is no such file", "文件不存在")
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=why))
    home = os.path.realpath(path.parent)
    return parse_yaml(_content(str(path), home, home), path)


def read_mapping(folder: Path, name: str, contents: Mapping[str, bytes]) -> dict[str, Any]:
    """What one of a rulebook's own YAML files says (FindingError when it is not there, or is no mapping)."""
    path = folder / name
    if name not in contents:
        why = Text("there is no such file", "文件不存在")
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=why))
    value = parse_yaml(contents[name], path)
    if not isinstance(value, dict):
        why = Text("the file is no mapping", "文件不是键值映射")
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=why))
    return value


def parse_yaml(content: bytes, path: Path) -> Any:
    """The plain content of YAML bytes; C speed where libyaml is there (FindingError when it cannot be read)."""
    try:
        return _build(iter(_LOADER(content.decode("utf-8")).get_event, None), path)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        why = text_of(error)
        if isinstance(error, yaml.YAMLError):
            words = " ".join(str(error).split())[:300]
            why = Text(words, f"YAML 语法错误，原文“{words}”")
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=why)) from error


def _build(events: Iterator[Any], path: Path) -> Any:
    """One document's value out of parse events: half the time of building nodes first.

    Aliases can stand for millions of values and deep nesting overflows the C parser's stack: both are refused, as are tags
    and keys written twice, of which all but the last would be lost.
    """
    top: list[Any] = []
    inner: Any = top
    key: Any = None
    around: list[tuple[Any, Any]] = []
    for event in events:
        kind = type(event)
        if kind is _SCALAR:
            if event.tag is not None:
                raise _tagged(path, event)
            value: Any = _plain(event.value) if event.implicit[0] else event.value
            if type(inner) is list:
                inner.append(value)
            elif key is not _NO_KEY:
                inner[key], key = value, _NO_KEY
            elif value in inner:
                raise _no_key(path, event, value)
            else:
                key = value
        elif kind in _OPENING:
            if event.tag is not None:
                raise _tagged(path, event)
            value = _OPENING[kind]()
            if type(inner) is list:
                inner.append(value)
            elif key is not _NO_KEY:
                inner[key] = value
            else:
                raise _no_key(path, event, value)
            around.append((inner, _NO_KEY))
            inner, key = value, _NO_KEY
            if len(around) > MAX_YAML_DEPTH:
                levels = Text("levels of nesting", "嵌套层数")
                raise FindingError(over_limit(path, levels, len(around), MAX_YAML_DEPTH, _line(event)))
        elif kind in _CLOSING:
            inner, key = around.pop()
        elif kind is yaml.AliasEvent:
            en, zh = (
                "YAML aliases are not read here: write the value out",
                "此处不读取 YAML 别名：请直接写出数值",
            )
            raise _refused(path, event, en, zh)
        elif kind is yaml.DocumentStartEvent and top:
            raise _refused(path, event, "a file holds one YAML document", "每个文件只含一个 YAML 文档")
    return top[0] if top else None


def _tagged(path: Path, event: Any) -> FindingError:
    tag = event.tag[:80]
    return _refused(path, event, f"the YAML tag {tag} is not read here", f"此处不读取 YAML 标签 {tag}")


def _no_key(path: Path, event: Any, value: Any) -> FindingError:
    said = str(value)[:80]
    en, zh = f"the key “{said}” stands there twice, or is no plain word", f"键“{said}”重复或不是普通词"
    return _refused(path, event, en, zh)


_NO_KEY = object()
_SCALAR = yaml.ScalarEvent
_OPENING: dict[type, type] = {yaml.SequenceStartEvent: list, yaml.MappingStartEvent: dict}
_CLOSING = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR: Any = yaml.constructor.SafeConstructor()


_COMMON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
"""Numbers that mean in YAML what they mean in Python; most there are."""


@lru_cache(maxsize=4096)
def _plain(text: str) -> Any:
    """What an unquoted scalar means in YAML 1.1: a number, a day, true or false, nothing, or itself."""
    if _COMMON_NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    if tag == "tag:yaml.org,2002:str":
        return text
    return _CONSTRUCTOR.construct_object(yaml.ScalarNode(tag, text)) if tag in _VALUES else text


_VALUES = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null", "timestamp"))


def _refused(path: Path, event: Any, en: str, zh: str) -> FindingError:
    return FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path), line=_line(event)), why=Text(en, zh)))


def _line(event: Any) -> int | None:
    return event.start_mark.line + 1 if event.start_mark is not None else None
