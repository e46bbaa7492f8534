"""How wide a text is, in the font of the reports (Noto Sans CJK SC); pages have other fonts, a little narrower or wider."""

from __future__ import annotations

_ASCII = (
    "224 323 474 555 555 921 680 278 338 338 467 555 278 347 278 392 555 555 555 555 555 555 555 555 555 555 278 278 555 "
    "555 555 474 946 608 657 638 688 589 552 689 728 293 535 646 543 812 723 742 633 742 635 596 599 721 575 878 573 531 "
    "603 338 392 338 555 559 606 563 618 510 620 554 325 564 607 275 275 552 284 926 610 606 620 620 388 468 377 607 521 "
    "802 498 521 475 338 270 338 555"
)
_WIDTHS = {chr(32 + index): int(width) / 1000 for index, width in enumerate(_ASCII.split())}
_WIDTHS |= {"–": 0.536, "—": 0.894, "°": 0.37, "²": 0.411, "³": 0.411, "₂": 0.307, "₃": 0.307, "₄": 0.307}


def text_width(text: str, size: float) -> float:
    """Width of one line in the unit of `size`; what is not in the table (Chinese) is one em wide."""
    return size * sum(_WIDTHS.get(character, 1.0) for character in text)


def shortened(text: str, size: float, room: float) -> str:
    """The text, or as much of its start as has room, with an ellipsis."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def wrapped(text: str, size: float, room: float) -> list[str]:
    """Lines no wider than `room`: broken at spaces, and before any Chinese character."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and text_width((line + piece).rstrip(), size) > room:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """What may not be broken: a word with the space after it, or one Chinese character with the marks after it."""
    pieces: list[str] = []
    for character in text:
        wide = ord(character) >= 0x2E80
        closing = character in "，。；：、）》”’！？%）"
        joined = pieces and (
            closing or (not wide and not pieces[-1].endswith(" ") and ord(pieces[-1][-1]) < 0x2E80)
        )
        if joined or (pieces and character == " "):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces
