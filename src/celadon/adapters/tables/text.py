"""Text files of any encoding as pieces of plain UTF-8, line for line, so that line numbers stay exact.

A piece is a temporary file of whole lines ending in a single line feed. A quoted cell that runs over several lines is put
on its first line and leaves blank lines behind it; a line that does not decode is kept with a mark in front.
Memory is bounded by the piece, not by the file.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from celadon.adapters.tables import limits
from celadon.adapters.tables.kinds import LINE_TOO_LONG, SETTING_INVALID, TABLE_TOO_LARGE, TABLE_UNREADABLE
from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingError, Place
from celadon.core.text import Text, text_of

MARK_UNDECODED = "\x15"
MARK_QUOTE_OPEN = "\x11"
FIELD_MARK = "\x1f"
"""Delimiter of tables that are not text (workbooks, corrected rows)."""
LINE_MARK = "\x1e"
"""Never in a piece: the engine reads each line as one column by this delimiter."""

_OPENS = re.compile(rb'(?:^|[,;\t|])[ ]*"(?:[^"]|"")*$')
_CLOSES = re.compile(rb'^(?:[^"]|"")*"[ \r]*(?:[,;\t|]|$)')
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file in a temporary UTF-8 file; the first is line `first_line` of the file."""

    path: Path
    first_line: int
    lines: int
    quoted: bool
    marked: bool
    """Whether some line starts with a mark (undecoded, quote open)."""
    tidy: bool
    """Pure ASCII, no blanks around cells, no tabs inside them."""
    share: float
    """Of the file, read when this piece was complete."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes become text. `guessed` when nothing in the file proves it."""

    name: str
    bom: int = 0
    guessed: bool = False
    mac: bool = False
    """Lines end in a lone carriage return."""

    @property
    def wide(self) -> bool:
        """UTF-16 and UTF-32, where a line feed is more than one byte."""
        return self.name.startswith(("utf-16", "utf-32"))


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes, unpacked when it is gzip by content (FindingError when it cannot be opened)."""
    try:
        stream = path.open("rb")
    except OSError as error:
        kind, where = Text("a file", "文件"), Place(str(path))
        raise FindingError(TABLE_UNREADABLE.at(where, format=kind, reason=text_of(error))) from error
    if stream.read(2) == b"\x1f\x8b":
        stream.close()
        return gzip.open(path, "rb")  # type: ignore[return-value]
    stream.seek(0)
    return stream


def detect_encoding(path: Path, declared: str = "auto") -> Encoding:
    """The file's encoding: as declared, else by byte-order mark, else by what its non-ASCII lines decode as.

    Chinese exports are GBK (read as GB18030, its superset); what is neither UTF-8 nor likely GBK is taken as
    Windows-1252 and said to be guessed. FindingError for an encoding Python does not know.
    """
    with open_bytes(path) as stream:
        try:
            head = stream.read(1 << 16)
            bom, name = next(((len(mark), name) for mark, name in _BOMS if head.startswith(mark)), (0, ""))
            if declared.strip().lower() not in ("", "auto"):
                name = _known(declared, path, head)
            name = name or _wide_without_bom(head)
            mac = b"\r" in head and b"\n" not in head
            if name:
                return Encoding(name, bom, False, mac)
            sample = _telling_lines(stream, head)
        except (OSError, EOFError, zlib.error) as error:
            raise FindingError(
                TABLE_UNREADABLE.at(Place(str(path)), format="gzip", reason=text_of(error))
            ) from error
    name, guessed = _judge(sample)
    return Encoding(name, 0, guessed, mac)


def _known(declared: str, path: Path, head: bytes) -> str:
    try:
        codec = codecs.lookup(declared.strip())
        "".encode(codec.name)
        b"".decode(codec.name)
    except (LookupError, UnicodeError) as error:
        said = SETTING_INVALID.at(
            Place(str(path)),
            setting="encoding",
            value=declared,
            reason=Text("no such encoding", "没有这种编码"),
        )
        raise FindingError(said) from error
    name = {
        "gbk": "gb18030",
        "gb2312": "gb18030",
        "hz": "hz",
        "utf-8-sig": "utf-8",
        "utf_8_sig": "utf-8",
    }.get(codec.name, codec.name)
    if name in ("utf-16", "utf-32"):
        big = head.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
        name += "-be" if big else "-le"
    return name


def _wide_without_bom(head: bytes) -> str:
    """UTF-16 shows as a zero in every other byte of its ASCII characters."""
    if len(head) < 4 or b"\0" not in head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.1 * half else ""


def _telling_lines(stream: BinaryIO, head: bytes) -> list[bytes]:
    """Up to 2000 non-ASCII lines, from wherever in the file they begin."""
    found: list[bytes] = []
    block = head + stream.readline(limits.MAX_LINE_BYTES)
    while block and len(found) < 2000:
        if not block.isascii():
            found += [line for line in block.replace(b"\r", b"\n").split(b"\n") if not line.isascii()][:2000]
        block = stream.read(1 << 20)
        if block:
            block += stream.readline(limits.MAX_LINE_BYTES)
    return found


def _judge(sample: list[bytes]) -> tuple[str, bool]:
    """Encoding of these lines and whether it is a guess: whichever decodes most; GBK only if it looks Chinese."""
    utf8 = sum(_decodes(line, "utf-8") for line in sample)
    if utf8 * 2 >= len(sample):
        return "utf-8", False
    pairs = chinese = 0
    for line in sample:
        for pair in re.findall(rb"[\x81-\xfe][\x40-\xfe]", line):
            pairs += 1
            # Rows 0xA1..0xF7 of GB2312: punctuation, full-width forms and the 6763 common characters.
            chinese += 0xA1 <= pair[0] <= 0xF7 and pair[1] >= 0xA1
    decodable = sum(_decodes(line, "gb18030") for line in sample)
    if decodable * 2 >= len(sample) and chinese >= 0.8 * pairs > 0:
        return "gb18030", False
    return "cp1252", True


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


class TextPieces:
    """Cuts one text file into pieces (see the module). `undecoded` and `quote_open` count the marked lines."""

    def __init__(
        self, path: Path, encoding: Encoding, scratch: Path, delimiter: str = ",", size: int | None = None
    ) -> None:
        """`delimiter` is the file's, as far as it is known; `size` bounds a piece's bytes."""
        self.path, self.encoding, self.scratch = path, encoding, scratch
        self.size = size or limits.CHUNK_BYTES
        self.delimiter = delimiter.encode()
        self.line = 1
        self.total = max(path.stat().st_size, 1)

    def __iter__(self) -> Iterator[Piece]:
        with open_bytes(self.path) as stream:
            stream.seek(self.encoding.bom)
            try:
                yield from self._pieces(stream)
            except (OSError, EOFError, zlib.error) as error:
                place = Place(str(self.path), line=self.line)
                raise FindingError(
                    TABLE_UNREADABLE.at(place, format=Text("text", "文本"), reason=text_of(error))
                ) from error

    def _pieces(self, stream: BinaryIO) -> Iterator[Piece]:
        carry, read = b"", 0
        decode = self._wide_decoder() if self.encoding.wide else None
        while True:
            block = stream.read(self.size)
            read += len(block)
            self._bound(read)
            done = not block
            share = 1.0 if done else min(0.999, _consumed(stream, read) / self.total)
            if decode:
                block = decode(block, done)
            if self.encoding.mac:
                block = block.replace(b"\r", b"\n")
            carry += block
            cut = len(carry) if done else carry.rfind(b"\n") + 1
            if cut == 0 and len(carry) > limits.MAX_LINE_BYTES:
                limit = f"{limits.MAX_LINE_BYTES >> 20} MB"
                raise FindingError(LINE_TOO_LONG.at(Place(str(self.path), line=self.line), limit=limit))
            whole, carry = carry[:cut], carry[cut:]
            if whole:
                piece, left = self._piece(whole, share, done)
                carry = left + carry
                if piece:
                    yield piece
            if done:
                return

    def _bound(self, read: int) -> None:
        ratio = read > limits.MIN_RATIO_BYTES and read > limits.MAX_UNPACK_RATIO * self.total
        if read > max(limits.MAX_UNPACKED_BYTES, self.total) or ratio:
            limit = f"{min(read, limits.MAX_UNPACKED_BYTES) >> 20} MB"
            raise FindingError(TABLE_TOO_LARGE.at(Place(str(self.path)), what=self.path.name, limit=limit))

    def _wide_decoder(self) -> Callable[[bytes, bool], bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding.name)(errors="replace")
        return lambda block, final: decoder.decode(block, final).encode("utf-8", "replace")

    def _piece(self, data: bytes, share: float, done: bool) -> tuple[Piece | None, bytes]:
        """The piece of these whole lines, and the lines at its end that the next one must begin with."""
        data = self._utf8(data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b" ")
        for mark in (FIELD_MARK, LINE_MARK):
            if mark.encode() != self.delimiter and mark.encode() in data:
                data = data.replace(mark.encode(), b" ")
        quoted, left = b'"' in data, b""
        if quoted:
            data, left = join_quoted(data, done)
        if not data:
            return None, self._encoded(left)
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        marked = any(mark.encode() in data for mark in (MARK_UNDECODED, MARK_QUOTE_OPEN))
        path = self.scratch / f"piece-{self.line}.txt"
        path.write_bytes(data)
        piece = Piece(path, self.line, lines, quoted, marked, self._tidy(data), share)
        self.line += lines
        return piece, self._encoded(left)

    def _tidy(self, data: bytes) -> bool:
        if not data.isascii() or (self.delimiter != b"\t" and b"\t" in data):
            return False
        if b" " not in data:
            return True
        d = self.delimiter
        around = (
            re.compile(b' [ \n"' + re.escape(d) + b"]").search(data) or b"\n " in data or d + b" " in data
        )
        return not (
            around or data.startswith(b" ") or data.endswith(b" ") or (b'"' in data and b'" ' in data)
        )

    def _encoded(self, left: bytes) -> bytes:
        """Lines put back, in the encoding that the next call expects (wide text is UTF-8 by then)."""
        if not left or self.encoding.wide or self.encoding.name == "utf-8":
            return left
        return left.decode("utf-8").encode(self.encoding.name, "replace")

    def _utf8(self, data: bytes) -> bytes:
        """These lines as UTF-8; one that does not decode gets a mark."""
        if self.encoding.wide:
            broken = "\ufffd".encode()
            if broken not in data:
                return data.replace(codecs.BOM_UTF8, b"")
            mark = MARK_UNDECODED.encode()
            return b"\n".join(mark + line if broken in line else line for line in data.split(b"\n"))
        if data.isascii():
            return data
        if self.encoding.name == "utf-8" and _decodes(data, "utf-8"):
            return data.replace(codecs.BOM_UTF8, b"")
        return self._line_by_line(data)

    def _line_by_line(self, data: bytes) -> bytes:
        name, lines = self.encoding.name, data.split(b"\n")
        for number, line in enumerate(lines):
            if line.isascii() or (name == "utf-8" and _decodes(line, name)):
                continue
            try:
                if name == "gb18030" and _surely_utf8(line):
                    raise UnicodeDecodeError(name, line, 0, 1, "UTF-8 among GBK")
                lines[number] = line.decode(name).encode("utf-8")
            except UnicodeError:
                other = "utf-8" if name != "utf-8" else "gb18030"
                text = (
                    line.decode(other) if _decodes(line, other) else line.decode("utf-8", "backslashreplace")
                )
                lines[number] = (MARK_UNDECODED + text).encode("utf-8", "replace")
        return b"\n".join(lines)


def _consumed(stream: BinaryIO, read: int) -> int:
    """Bytes of the file on disk behind the `read` unpacked ones."""
    packed = getattr(stream, "fileobj", None)
    return int(packed.tell()) if packed is not None else read


def _surely_utf8(line: bytes) -> bool:
    """GBK text is valid UTF-8 now and then (联通), but hardly for three characters in a row."""
    return len(re.findall(rb"[\xc2-\xf4][\x80-\xbf]+", line)) >= 3 and _decodes(line, "utf-8")


def join_quoted(data: bytes, done: bool) -> tuple[bytes, bytes]:
    """Put each quoted cell that runs over lines on its first line, leaving blank lines.

    Returns the lines, and those at the end whose quote is still open (none when `done`). A line that opens a quote
    which never closes is marked.
    """
    lines = data.split(b"\n")
    tail = lines.pop() if lines[-1] == b"" else None
    at = 0
    while at < len(lines):
        line = lines[at]
        if not (line.count(b'"') & 1 and _OPENS.search(line)):
            at += 1
            continue
        until = min(len(lines), at + limits.MAX_QUOTED_LINES)
        end = next(
            (n for n in range(at + 1, until) if lines[n].count(b'"') & 1 and _CLOSES.match(lines[n])), None
        )
        if end is not None:
            lines[at] = b" ".join(lines[at : end + 1])
            lines[at + 1 : end + 1] = [b""] * (end - at)
            # What closed may open again in the same line: look at the joined line once more.
            continue
        if not done and len(lines) - at < limits.MAX_QUOTED_LINES:
            left = b"\n".join(lines[at:]) + (b"\n" if tail is not None else b"")
            return b"".join(line + b"\n" for line in lines[:at]), left
        lines[at] = MARK_QUOTE_OPEN.encode() + line
        at += 1
    return b"\n".join(lines) + (b"\n" if tail is not None else b""), b""
