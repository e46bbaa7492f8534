"""How numbers and units look on a page: thousands separators, significant digits, units as they are printed."""

from __future__ import annotations

import re

from celadon.core.text import Lang, Text

MINUS, ABSENT = "\u2212", "—"
_UNIT_SIGNS = (
    ("CO2e", "CO₂e"), ("CO2", "CO₂"), ("CH4", "CH₄"), ("N2O", "N₂O"), ("Nm3", "Nm³"), ("m3", "m³"), ("m2", "m²"), ("*", "·"),
)  # fmt: skip
_WORDS = {
    "carrier_unit": Text("unit of the carrier", "能源计量单位"),
    "product_unit": Text("unit of product", "产品单位"),
}
_ZH = (("10^4 CNY", "万元"), ("10^4 kWh", "万kWh"), ("10^4 t", "万t"), ("CNY", "元"), ("piece", "件"))
_POWER = re.compile(r"10\^(\d+)")
_HIGH = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int | None = None) -> str:
    """With thousands separators; `digits` after the point, else about six significant ones. Absent is a dash, never zero."""
    if value is None:
        return ABSENT
    size = abs(value)
    if digits is None:
        digits = (
            0
            if value == 0 or size >= 100_000
            else 1
            if size >= 10_000
            else 2
            if size >= 100
            else 3
            if size >= 1
            else None
        )
    said = f"{size:,.{digits}f}" if digits is not None else f"{size:.4g}"
    return f"{MINUS if value < 0 and float(said.replace(',', '')) else ''}{said}"


def share(value: float | None, digits: int = 1) -> str:
    """A share 0..1 in per cent; never rounded up to 100 % or down to 0 %."""
    if value is None:
        return ABSENT
    edge = 0.5 * 10 ** -(digits + 2)
    if 1 - edge <= value < 1:
        return f">{1 - 10 ** -(digits + 2):.{digits}%}"
    if 0 < value < edge:
        return f"<{10 ** -(digits + 2):.{digits}%}"
    return f"{value:.{digits}%}".replace("-", MINUS)


def change(value: float | None, digits: int = 1) -> str:
    """A relative change with its sign: +3.2 %."""
    if value is None:
        return ABSENT
    return f"{'+' if value > 0 else MINUS if value < 0 else '±'}{abs(value):.{digits}%}"


def unit(text: str, lang: Lang) -> str:
    """A unit as it is printed: tCO₂, m³, 元; nothing for a bare number."""
    if text in ("1", ""):
        return ""
    for plain, said in _WORDS.items():
        text = text.replace(plain, said.say(lang))
    if lang == "zh":
        for plain, word in _ZH:
            text = text.replace(plain, word)
    for plain, sign in _UNIT_SIGNS:
        text = text.replace(plain, sign)
    return _POWER.sub(lambda found: "10" + found[1].translate(_HIGH), text)
