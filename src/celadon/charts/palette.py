"""Colours by what they mean. Series are told apart by people with any common colour vision (tested), and never by colour alone.

The ramp of the heat map is cividis (Nuñez, Anderton, Renslow 2018), which also holds in greyscale.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Theme = Literal["page", "light", "dark", "print"]
"""`page`: colours are CSS custom properties, light where the page sets none."""

SERIES = 8
RAMP = 9

_LIGHT = {
    "surface": "#ffffff", "ink": "#1c2421", "muted": "#5d6b65", "grid": "#dde3e0", "absent": "#eef1ef", "edge": "#9aa8a1",
    "good": "#00786a", "bad": "#b8330f", "neutral": "#5c6f8c",
    "series-1": "#0077bb", "series-2": "#e8702a", "series-3": "#004d40", "series-4": "#33a6e0",
    "series-5": "#aa3377", "series-6": "#532908", "series-7": "#9a9a9a", "series-8": "#7350d0",
}  # fmt: skip
_DARK = {
    "surface": "#14201c", "ink": "#e8efeb", "muted": "#a3b3ab", "grid": "#2c3b35", "absent": "#202d28", "edge": "#6a7b73",
    "good": "#3fc1a8", "bad": "#ff7f5c", "neutral": "#93a8c9",
    "series-1": "#4aa8e8", "series-2": "#f28c4f", "series-3": "#1f9d8b", "series-4": "#a8e0f8",
    "series-5": "#e58fc0", "series-6": "#f9e08a", "series-7": "#d8d8d8", "series-8": "#9a5a2c",
}  # fmt: skip
_CIVIDIS = (
    "#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bbae6e", "#ddc95d", "#fee838",
)  # fmt: skip
_RAMP = {f"ramp-{index + 1}": colour for index, colour in enumerate(_CIVIDIS)}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 to 1 (WCAG 2.2)."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _with_texts(roles: Mapping[str, str]) -> Mapping[str, str]:
    """Also what text on each series and step is written in: black or white, whichever stands out more."""
    every = {**roles, **_RAMP}
    texts = {
        f"on-{role}": "#ffffff" if luminance(value) < 0.179 else "#101010"
        for role, value in every.items()
        if role.startswith(("series-", "ramp-"))
    }
    return MappingProxyType(every | texts)


_THEMES = {"light": _with_texts(_LIGHT), "dark": _with_texts(_DARK)}
THEMES: Mapping[str, Mapping[str, str]] = MappingProxyType(_THEMES | {"print": _THEMES["light"]})


def colour(role: str, theme: Theme) -> str:
    """The colour of a role; for a page its custom property, light where the property is not set. 'none' stays."""
    if role in ("", "none"):
        return "none"
    if theme == "page":
        return f"var(--chart-{role},{THEMES['light'][role]})"
    return THEMES[theme][role]


def series(index: int) -> str:
    """The role of the series with that number, from 0; after the last the first comes again."""
    return f"series-{index % SERIES + 1}"


def ramp(share: float) -> str:
    """The role of a share, 0 to 1, on the ramp from dark (little) to bright (much)."""
    return f"ramp-{min(RAMP, max(1, int(share * RAMP) + 1))}"


def stylesheet() -> str:
    """The custom properties for a page: light, dark where the reader asks for it, light again on paper."""

    def block(theme: str) -> str:
        return "".join(f"--chart-{role}:{value};" for role, value in THEMES[theme].items())

    return (
        f":root{{{block('light')}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{block('dark')}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{block('dark')}}}}}\n"
    )
