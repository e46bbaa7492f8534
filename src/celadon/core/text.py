"""Text that a user reads, in Chinese and English."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from typing import Literal

from celadon.core.dataclass import dataclass

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages; braces are filled from named values."""

    en: str
    zh: str

    def say(self, lang: Lang, values: Mapping[str, object] | None = None) -> str:
        """The text in `lang`, with `{name}` filled from `values`."""
        template = self.zh if lang == "zh" else self.en
        return template.format_map(dict(values)) if values is not None else template

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True, slots=True)
class Named(Text):
    """A name in both languages of what machines know by `word`."""

    word: str

    @classmethod
    def of(cls, word: str, name: Text) -> Named:
        return cls(name.en, name.zh, word)

    @classmethod
    def joined(cls, names: Iterable[Named]) -> Named:
        """A list of names, each once; its word lists the words."""
        kept = list(dict.fromkeys(names))
        en, zh = dict.fromkeys(name.en for name in kept), dict.fromkeys(name.zh for name in kept)
        return cls(", ".join(en), "、".join(zh), ", ".join(name.word for name in kept))


def same(word: str) -> Text:
    """What both languages write alike: a number, a name, a citation as printed."""
    return Text(word, word)


class TextError(ValueError):
    """A fault in what the user wrote, told in both languages; str() is the English."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.en)


_SYSTEM = {
    errno.ENOENT: Text("No such file or directory", "文件或文件夹不存在"),
    errno.EACCES: Text("Permission denied", "没有权限"),
    errno.EPERM: Text("Operation not permitted", "操作不被允许"),
    errno.EEXIST: Text("File exists", "文件已存在"),
    errno.ENOTDIR: Text("a file has the name of the folder", "有文件与文件夹同名"),
    errno.EISDIR: Text("Is a directory", "是文件夹，不是文件"),
    errno.ENOTEMPTY: Text("Directory not empty", "文件夹不为空"),
    errno.ENOSPC: Text("No space left on device", "磁盘空间不足"),
    errno.EDQUOT: Text("Disk quota exceeded", "超出磁盘配额"),
    errno.EROFS: Text("Read-only file system", "文件系统只读"),
    errno.EIO: Text("Input/output error", "读写错误"),
    errno.ENAMETOOLONG: Text("File name too long", "文件名过长"),
    errno.ELOOP: Text("Too many levels of symbolic links", "符号链接层级过多"),
    errno.EMFILE: Text("Too many open files", "打开的文件过多"),
    errno.EBUSY: Text("Device or resource busy", "设备或资源正忙"),
}


def text_of(error: BaseException) -> Text:
    """What an error says in both languages; a library's own words are quoted in the Chinese, as they were said."""
    if isinstance(error, TextError):
        return error.text
    if isinstance(error, OSError) and error.errno in _SYSTEM:
        return _SYSTEM[error.errno]
    if isinstance(error, UnicodeDecodeError):
        return Text(
            f"byte {error.start + 1} is not {error.encoding}",
            f"第 {error.start + 1} 字节不是 {error.encoding} 编码",
        )
    if isinstance(error, NameError) and error.name:
        return Text(f"name {error.name!r} is not defined", f"名称 {error.name!r} 未定义")
    if isinstance(error, SyntaxError):
        return Text(error.msg, f"语法错误，原文“{error.msg}”")
    said = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0][:200]
    return Text(said, f"原文“{said}”")


def text_from(value: object) -> Text:
    """Read `{zh: …, en: …}` or one plain string used for both languages (TextError otherwise)."""
    if isinstance(value, str):
        return Text(en=value, zh=value)
    if isinstance(value, Mapping) and set(value) <= {"zh", "en"} and value:
        en, zh = value.get("en"), value.get("zh")
        return Text(en=str(en if en is not None else zh), zh=str(zh if zh is not None else en))
    raise TextError(
        Text(
            f"expected a string or {{zh: …, en: …}}, got {value!r}",
            f"应为字符串或 {{zh: …, en: …}}，实为 {value!r}",
        )
    )
