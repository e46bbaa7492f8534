"""A chart as PNG, for where no vector picture can go (workbooks). Drawn by typst with the font of the reports."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import manimgx_fonts_cjk
import typst

from celadon.charts.chart import WIDTH, Chart
from celadon.core.text import Lang

_POINTS = 72


@cache
def fonts() -> typst.Fonts:
    """The fonts of reports and pictures, found once: the package's own and none of the system's."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(Path(manimgx_fonts_cjk.__file__).parent)],
    )


def to_png(chart: Chart, lang: Lang, width: float = WIDTH, scale: float = 2.0) -> bytes:
    """The chart on white, `width` × `scale` pixels wide; the same chart gives the same bytes."""
    scene = chart.scene(lang, width)
    source = (
        f"#set page(width: {scene.width:g}pt, height: {scene.height:g}pt, margin: 0pt, fill: white)\n"
        f'#image(bytes(sys.inputs.picture), format: "svg", width: 100%)'
    )
    return typst.compile(
        source.encode(),
        format="png",
        ppi=_POINTS * scale,
        font_paths=fonts(),
        sys_inputs={"picture": chart.to_svg(lang, "print", width)},
    )
