"""A rulebook's files, read with limits: nothing outside its folder, nothing over-long, no trap of the format.

A rulebook may come from anybody. What is read here is bytes of ordinary files; what they mean is for `rulebook`,
`chapters` and `factors`.
"""

from __future__ import annotations

import os
import re
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
_MANY_OPENED = 400
"""Brackets in a file that cannot nest deep enough to matter; with more, the nesting itself is counted."""
_INDENTED = re.compile(r"^[ \t\-?]{200}", re.MULTILINE)


def read_folder(folder: Path) -> dict[str, bytes]:
    """What an answer depends on, and the lock: name below the folder -> content, in the order of their digest.

    Raises:
        FindingError: a file is no ordinary file of this folder, or over a limit.
    """
    paths = [folder / "about.yaml", folder / "quantities.yaml", folder / LOCK]
    paths += [*_listed(folder, ".py"), *_listed(folder / "tables", ".csv")]
    if len(paths) > MAX_FILES:
        raise FindingError(over_limit(folder, Text("files", "文件数"), len(paths), MAX_FILES))
    home = os.path.realpath(folder)
    found = {
        path.relative_to(folder).as_posix(): _content(path, home) for path in paths if os.path.lexists(path)
    }
    return dict(sorted(found.items()))


def over_limit(path: Path | str, what: Text, found: object, limit: object, line: int | None = None) -> Any:
    """The Finding for something there is too much of."""
    return RULEBOOK_OVER_LIMIT.at(Place(file=str(path), line=line), what=what, found=found, limit=limit)


def _listed(folder: Path, suffix: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return [folder / name for name in os.listdir(folder) if name.endswith(suffix)]


def _content(path: Path, home: str) -> bytes:
    real = os.path.realpath(path)
    if not real.startswith(home + os.sep) or not os.path.isfile(real):
        raise FindingError(RULEBOOK_OUTSIDE.at(Place(file=str(path)), name=path.name))
    limit = MAX_FILE_BYTES[path.suffix]
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=text_of(error))) from error
    if len(content) > limit:
        raise FindingError(over_limit(path, Text("bytes", "字节数"), f"> {limit}", limit))
    return content


def read_yaml(path: Path) -> Any:
    """A YAML file's plain content (FindingError when it cannot be read, or is no file of its folder)."""
    if not path.is_file():
        why = Text("there is no such file", "文件不存在")
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=why))
    return parse_yaml(_content(path, os.path.realpath(path.parent)), path)


def parse_yaml(content: bytes, path: Path) -> Any:
    """The plain content of YAML bytes; C speed where libyaml is there (FindingError when it cannot be read)."""
    try:
        text = content.decode("utf-8")
        _refuse_traps(text, path)
        return yaml.load(text, Loader=_LOADER)  # noqa: S506  (both are safe loaders)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        why = text_of(error)
        if isinstance(error, yaml.YAMLError):
            words = " ".join(str(error).split())[:300]
            why = Text(words, f"YAML 语法错误，原文“{words}”")
        raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path)), why=why)) from error


def _refuse_traps(text: str, path: Path) -> None:
    """Aliases can stand for millions of values, and deep nesting overflows the C parser's stack: both are refused.

    Events are only looked at where the text could hold either, since that takes as long as reading it.
    """
    if "*" not in text and text.count("[") + text.count("{") <= _MANY_OPENED and not _INDENTED.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            why = Text(
                "YAML aliases are not read here: write the value out", "此处不读取 YAML 别名：请直接写出数值"
            )
            line = _line(event)
            raise FindingError(RULEBOOK_UNREADABLE.at(Place(file=str(path), line=line), why=why))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_YAML_DEPTH:
                line = _line(event)
                levels = Text("levels of nesting", "嵌套层数")
                raise FindingError(over_limit(path, levels, depth, MAX_YAML_DEPTH, line))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _line(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark is not None else None
