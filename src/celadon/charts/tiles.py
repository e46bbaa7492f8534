"""Tiles: one square for each province, roughly where it lies; every province can be read, however small its area."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from celadon.charts.chart import MARGIN, NO_DATA, Chart, Table
from celadon.charts.measure import shortened
from celadon.charts.palette import RAMP, ramp
from celadon.charts.scale import number
from celadon.charts.scene import Label, Rect, Scene
from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text

_PICTURE = """
65 .. .. .. 15 .. .. 23
.. .. .. .. .. .. 22 ..
.. .. 64 14 13 11 21 ..
54 63 62 61 41 12 37 ..
.. .. 51 50 42 34 32 31
.. .. 53 52 43 36 33 ..
.. .. .. 45 44 35 .. 71
.. .. .. 46 82 81 .. ..
"""
"""Provinces by the first two digits of their GB/T 2260 code."""
PLACES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        code: (column, row)
        for row, line in enumerate(_PICTURE.strip().splitlines())
        for column, code in enumerate(line.split())
        if code != ".."
    }
)
_IN_A_ROW = 8
_SUFFIXES = ("维吾尔自治区", "壮族自治区", "回族自治区", "特别行政区", "自治区", "省", "市")
_HIDDEN = Text("not shown (too few enterprises)", "不公布（企业过少）")


@dataclass(frozen=True, slots=True)
class Tile:
    """One area: its code (two digits, or six), name and value; None is absent. `hidden`: kept back so that no enterprise
    can be made out."""

    code: str
    name: Text
    value: float | None
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Tiles(Chart):
    """Provinces at their places; areas of any other kind in the order of their codes, in rows."""

    tiles: tuple[Tile, ...]

    def places(self) -> dict[str, tuple[int, int]]:
        """Column and row of every tile."""
        codes = [tile.code for tile in self.tiles]
        provinces = {code: PLACES.get(code[:2]) for code in codes if len(code) == 2 or code.endswith("0000")}
        if len(provinces) == len(codes) and all(provinces.values()):
            return {code: spot for code, spot in provinces.items() if spot is not None}
        return {code: (index % _IN_A_ROW, index // _IN_A_ROW) for index, code in enumerate(sorted(codes))}

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        spots = self.places()
        if not spots:
            return top
        first = min(row for _, row in spots.values())
        rows = max(row for _, row in spots.values()) - first + 1
        size = (scene.width - 2 * MARGIN) / _IN_A_ROW
        tall = min(58.0, size * 0.72)
        shown = [tile.value for tile in self.tiles if tile.value is not None and not tile.hidden]
        low, high = (min(shown), max(shown)) if shown else (0.0, 0.0)
        for tile in self.tiles:
            column, row = spots[tile.code]
            self._tile(
                scene,
                tile,
                MARGIN + size * column,
                top + tall * (row - first),
                (size, tall),
                (low, high),
                lang,
            )
        return self._scale(scene, top + tall * rows + 14, low, high, lang)

    def _tile(
        self,
        scene: Scene,
        tile: Tile,
        x: float,
        y: float,
        size: tuple[float, float],
        ends: tuple[float, float],
        lang: Lang,
    ) -> None:
        (wide, tall), (low, high) = size, ends
        name = tile.name.say(lang)
        if tile.value is None or tile.hidden:
            word = _HIDDEN.say(lang) if tile.hidden else NO_DATA.say(lang)
            role, ink, said, edge, dash = "absent", "muted", f"{name}: {word}", "edge", "2 2"
            value = "*" if tile.hidden else "—"
        else:
            role = ramp((tile.value - low) / (high - low) if high > low else 0.0)
            ink, said, edge, dash = f"on-{role}", f"{name}: {number(tile.value)} {self.unit}", "surface", ""
            value = number(tile.value)
        scene.add(Rect(x + 1, y + 1, wide - 2, tall - 2, role, edge, dash, said))
        brief = shortened(_brief(name), 11, wide - 8)
        scene.add(Label(x + wide / 2, y + tall / 2 - 2, brief, 11, ink, "middle", bold=True))
        scene.add(Label(x + wide / 2, y + tall / 2 + 13, value, 10.5, ink, "middle"))

    def _scale(self, scene: Scene, y: float, low: float, high: float, lang: Lang) -> float:
        scene.add(Label(MARGIN, y, number(low), 10.5, "muted"))
        x = MARGIN + 56
        for step in range(RAMP):
            scene.add(Rect(x + step * 18, y - 9, 18, 10, f"ramp-{step + 1}"))
        scene.add(Label(x + RAMP * 18 + 6, y, number(high), 10.5, "muted"))
        if any(tile.hidden for tile in self.tiles):
            scene.add(Label(scene.width - MARGIN, y, f"* {_HIDDEN.say(lang)}", 10.5, "muted", "end"))
        return y + 6

    def table(self, lang: Lang) -> Table:
        header = (Text("code", "代码").say(lang), Text("area", "地区").say(lang), self.unit)
        rows = tuple(
            (tile.code, tile.name.say(lang), "*" if tile.hidden else tile.value)
            for tile in sorted(self.tiles, key=lambda tile: tile.code)
        )
        return Table(header, rows)

    def summary(self, lang: Lang) -> str:
        shown = sorted(
            (
                (tile.value, tile.name.say(lang))
                for tile in self.tiles
                if tile.value is not None and not tile.hidden
            ),
            reverse=True,
        )
        if not shown:
            return NO_DATA.say(lang)
        ends = [*shown[:3], *shown[3:][-1:]]
        return "; ".join(f"{name} {number(value)} {self.unit}" for value, name in ends)


def _brief(name: str) -> str:
    """A province as people call it: 新疆 for 新疆维吾尔自治区."""
    return next(
        (name.removesuffix(end) for end in _SUFFIXES if name.endswith(end) and len(name) > len(end) + 1), name
    )
