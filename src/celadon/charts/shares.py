"""Shares: what each figure rests on, as parts of a whole; what is missing is drawn, never left out."""

from __future__ import annotations

from celadon.charts.chart import MARGIN, NO_DATA, Chart, Table, legend
from celadon.charts.measure import shortened, text_width
from celadon.charts.palette import series
from celadon.charts.scene import Label, Rect, Scene
from celadon.core.dataclass import dataclass
from celadon.core.text import Lang, Text

_ROW = 24.0


@dataclass(frozen=True, slots=True)
class Part:
    """One row: a name, and the share (0 to 1) of each kind in the chart's order; together at most 1."""

    label: Text
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Shares(Chart):
    """One bar from 0 to 100 % for each row; what its shares leave is without data."""

    kinds: tuple[Text, ...]
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if len(part.shares) != len(self.kinds) or min(part.shares) < 0 or sum(part.shares) > 1 + 1e-6:
                raise ValueError(f"shares of {part.label.en} are not parts of a whole: {part.shares}")

    def draw(self, scene: Scene, top: float, lang: Lang) -> float:
        used = [
            index for index in range(len(self.kinds)) if any(part.shares[index] > 0 for part in self.parts)
        ]
        entries = [(series(index), self.kinds[index].say(lang)) for index in used]
        if any(_missing(part) > 0.0005 for part in self.parts):
            entries.append(("absent", NO_DATA.say(lang)))
        top = legend(scene, top, entries) + 4
        names = [part.label.say(lang) for part in self.parts] or [""]
        left = MARGIN + min(scene.width * 0.38, max(text_width(name, 11) for name in names)) + 8
        right = scene.width - MARGIN
        for row, part in enumerate(self.parts):
            y, x = top + _ROW * row, left
            scene.add(Label(left - 8, y + 14, shortened(names[row], 11, left - MARGIN - 8), anchor="end"))
            for index, share in [*((i, part.shares[i]) for i in used), (-1, _missing(part))]:
                wide = share * (right - left)
                kind = NO_DATA if index < 0 else self.kinds[index]
                role, edge, dash = ("absent", "edge", "2 2") if index < 0 else (series(index), "surface", "")
                if share > 0.0005:
                    said = f"{names[row]}: {kind.say(lang)} {share:.1%}"
                    scene.add(Rect(x, y + 2, wide, _ROW - 7, role, edge, dash, said))
                if wide > 40:
                    fill = "ink" if index < 0 else f"on-{role}"
                    scene.add(Label(x + wide / 2, y + 14, f"{share:.0%}", 10.5, fill, "middle"))
                x += wide
        return top + _ROW * len(self.parts) + 2

    def table(self, lang: Lang) -> Table:
        header = ("", *(kind.say(lang) for kind in self.kinds), NO_DATA.say(lang))
        rows: list[tuple[str | float | None, ...]] = [
            (part.label.say(lang), *part.shares, _missing(part)) for part in self.parts
        ]
        return Table(header, tuple(rows))

    def summary(self, lang: Lang) -> str:
        said = []
        for part in self.parts:
            named = [(share, kind.say(lang)) for share, kind in zip(part.shares, self.kinds, strict=True)]
            largest = [f"{name} {share:.0%}" for share, name in sorted(named, reverse=True)[:3] if share > 0]
            said.append(f"{part.label.say(lang)}: {', '.join(largest) or NO_DATA.say(lang)}")
        return "; ".join(said)


def _missing(part: Part) -> float:
    return max(0.0, 1.0 - sum(part.shares))
