"""Adding to the plant file by program: comments and layout stay, and it is written whole or not at all.

An addition is a new item at the end of one of the file's lists. The new text is read again before anything is written, and
must say what the old one said and the new item: else nothing is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from celadon.adapters.plant_file import plant_digest, read_plant_text
from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.model import Plant as PlantModel
from celadon.core.text import Text, text_of
from celadon.plant.opened import Opened

NOT_EDITABLE = FindingKind(
    "plant.not-editable",
    Severity.ERROR,
    Text(en="Plant file cannot be added to", zh="无法向工厂文件添加"),
    Text(
        en="Nothing was added to `{section}:` of {file}: {why}.",
        zh="未向 {file} 的 `{section}:` 添加内容：{why}。",
    ),
    Text(en="Write it there by hand:\n{block}", zh="请手工写入：\n{block}"),
)
NOT_WRITTEN = FindingKind(
    "plant.not-written",
    Severity.ERROR,
    Text(en="File cannot be written", zh="文件无法写入"),
    Text(en="{file} was not written: {why}.", zh="{file} 未写入：{why}。"),
    Text(en="Check rights and room on the disk, then try again.", zh="请检查写入权限与磁盘空间后重试。"),
)
_SECTIONS = {"sources": "sources", "excluded": "excluded"}


def text_of_file(opened: Opened) -> str:
    """The plant file's text as it is now, UTF-8 (FindingError when it is in another encoding or cannot be read)."""
    try:
        return opened.file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        place = Place(file=opened.file.name)
        raise FindingError(
            NOT_EDITABLE.at(place, section="…", file=opened.file.name, why=text_of(error), block="…")
        ) from error


def digest_of(text: str) -> str:
    """SHA-256 of a plant file's text, to know whether it is still the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def added(text: str, file: Path, section: str, item: Mapping[str, Any]) -> str:
    """The plant file's text with `item` at the end of its list `section` (`sources` or `excluded`).

    Raises:
        FindingError: the list is written in a way that cannot be added to, or the result would not be sound.
    """
    block = as_yaml(item, flow=section == "excluded")
    new = _placed(text, section, block)
    if new is None:
        why = Text(
            "it is not written as a list with one line or block for each item", "它不是逐项分行书写的列表"
        )
        raise FindingError(_refused(file, section, why, block))
    before, _ = read_plant_text(text, file.as_posix())
    after, said = read_plant_text(new, file.as_posix())
    if said.errors:
        raise FindingError(said.errors)
    if before is None or after is None or not _only_added(before, after, section):
        why = Text("the file would say something else than before", "文件其余内容会因此改变")
        raise FindingError(_refused(file, section, why, block))
    return new


def as_yaml(item: Mapping[str, Any], *, flow: bool = False) -> str:
    """A list item as the plant file writes it; what is None or empty is left out."""
    given = {name: value for name, value in item.items() if value not in (None, "", (), {}, [])}
    if flow:
        # The file reads every value as it is written, so that a number or time needs no quotes of its own.
        line = yaml.safe_dump(
            given, allow_unicode=True, sort_keys=False, default_flow_style=True, width=10**6
        )
        return f"- {line.strip()}\n"
    return yaml.safe_dump([given], allow_unicode=True, sort_keys=False, width=110)


def _placed(text: str, section: str, block: str) -> str | None:
    """The text with the block at the end of the section; None where the section is no block list."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(newline)
    head = next((n for n, line in enumerate(lines) if re.match(rf"{section}\s*:", line)), None)
    if head is None:
        body = [f"{section}:", *_indented(block, "  ")]
        rest = lines[:-1] if lines and not lines[-1] else lines
        return newline.join([*rest, "", *body, ""])
    if not re.fullmatch(rf"{section}\s*:\s*(#.*)?", lines[head]):
        return None
    last, indent = head, None
    for n in range(head + 1, len(lines)):
        line = lines[n]
        if re.match(r"\S", line) and not line.startswith(("#", "- ")):
            break
        if indent is None and (found := re.match(r"( *)- ", line)):
            indent = found[1]
        if line.strip() and not line.startswith("#"):
            last = n
    if indent is None:
        return None
    return newline.join([*lines[: last + 1], *_indented(block, indent), *lines[last + 1 :]])


def _indented(block: str, indent: str) -> list[str]:
    return [indent + line for line in block.rstrip("\n").split("\n")]


def _only_added(before: PlantModel, after: PlantModel, section: str) -> bool:
    """Whether the plant is the same but for one more item at the end of the section."""
    name = _SECTIONS[section]
    items: tuple[Any, ...] = getattr(after, name)
    if len(items) != len(getattr(before, name)) + 1:
        return False
    changes: dict[str, Any] = {name: items[:-1]}
    if section == "excluded":  # which meters take over
        own = {meter.id: meter.left_out for meter in before.meters}
        changes["meters"] = tuple(replace(meter, left_out=own.get(meter.id, ())) for meter in after.meters)
    return plant_digest(replace(after, **changes)) == plant_digest(before)


def _refused(file: Path, section: str, why: Text, block: str) -> Any:
    return NOT_EDITABLE.at(Place(file=file.name), section=section, file=file.name, why=why, block=block)


def write_whole(path: Path, data: bytes, *, new: bool = False) -> None:
    """Write a file whole or not at all: a temporary file beside it takes its name once it is on the disk.

    `new`: the name must not be taken.

    Raises:
        FindingError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            place(Path(name), path, new=new)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
    except OSError as error:
        raise FindingError(
            NOT_WRITTEN.at(Place(file=path.name), file=path.name, why=text_of(error))
        ) from error


def place(staged: Path, path: Path, *, new: bool = False) -> None:
    """Give a finished file its name (OSError: FileExistsError where `new` and the name is taken)."""
    if new:
        os.link(staged, path)  # unlike a rename, this fails where the name is taken
        os.chmod(path, 0o644)
        staged.unlink()
    else:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        os.chmod(staged, mode)
        os.replace(staged, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
