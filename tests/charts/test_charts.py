"""Charts: where things are drawn is what the numbers say; nothing leaves the picture; nothing a strict page refuses."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest
import typst
import vl_convert

from celadon.charts.bars import Bars, Group
from celadon.charts.chart import Chart
from celadon.charts.heat import HeatMap, by_day_and_hour
from celadon.charts.lines import Line, LoadDuration, TimeSeries
from celadon.charts.measure import shortened, text_width, wrapped
from celadon.charts.palette import SERIES, THEMES, stylesheet
from celadon.charts.sankey import Flow, Sankey
from celadon.charts.scale import linear, number, time_ticks
from celadon.charts.scene import Label, Path, Rect
from celadon.charts.shares import Part, Shares
from celadon.charts.tiles import PLACES, Tile, Tiles
from celadon.charts.waterfall import Step, Waterfall, joined
from celadon.core.periods import zone
from celadon.core.text import Text
from celadon.region.lists import regions

START = datetime(2023, 12, 31, 16, tzinfo=UTC)  # midnight of 2024-01-01 in Shanghai
QUARTERS = tuple(START + timedelta(minutes=15 * index) for index in range(35_040))
LOAD = tuple(
    None if 9000 <= i < 9400 else 5 + 3 * (8 <= i // 4 % 24 < 20) + (i % 7) / 10 for i in range(35_040)
)


def charts() -> dict[str, Chart]:
    both = (
        Group(Text("coal", "原煤"), (100.0, None, 50.0)),
        Group(Text("power", "电力"), (300.0, None, 150.0)),
    )
    months = ("2024-01", "2024-02", "2024-03")
    provinces = [area for area in regions().values() if area.level == "province"]
    return {
        "stacked": Bars(
            title=Text("Energy", "能耗"), unit="tce", periods=months, groups=both, target=(Text("target", "目标"), 350.0)
        ),
        "beside": Bars(title=Text("Energy", "能耗"), unit="tce", periods=months, groups=both, stacked=False),
        "series": TimeSeries(
            title=Text("Load", "负荷"), unit="MW", times=QUARTERS, lines=(Line(Text("E00", "总表"), LOAD),), zone="Asia/Shanghai"
        ),
        "duration": LoadDuration(title=Text("Load duration", "负荷持续"), unit="MW", values=LOAD),
        "heat": HeatMap(
            title=Text("Load", "负荷"), unit="MW", days=(date(2024, 1, 1), date(2024, 1, 2)),
            values=(tuple(map(float, range(24))), (None,) * 24),
        ),
        "waterfall": Waterfall(
            title=Text("Why", "原因"), unit="tCO2", before=(Text("2023", "2023 年"), 1000.0), after=(Text("2024", "2024 年"), 700.0),
            steps=(Step(Text("less power", "电量减少"), -400.0), Step(Text("more gas", "天然气增加"), 100.0)),
        ),
        "shares": Shares(
            title=Text("Data", "数据"), kinds=(Text("measured", "实测"), Text("estimated", "估算")),
            parts=(Part(Text("power", "电力"), (0.75, 0.05)), Part(Text("gas", "天然气"), (1.0, 0.0))),
        ),
        "sankey": Sankey(
            title=Text("Flow", "流向"), unit="MWh",
            nodes={"grid": Text("grid", "电网"), "bus": Text("bus", "母线"), "eaf": Text("furnace", "电炉"), "rest": Text("rest", "未计量")},
            flows=(Flow("grid", "bus", 100.0), Flow("bus", "eaf", 90.0), Flow("bus", "rest", 10.0)), rests=frozenset({"rest"}),
        ),
        "tiles": Tiles(
            title=Text("Intensity", "强度"), unit="t",
            tiles=tuple(Tile(area.code, area.name, float(i), hidden=i == 3) for i, area in enumerate(provinces)),
            note=Text("Values of few enterprises are kept back, so that none can be made out. " * 3, "企业过少的地区不予公布，以免识别单个企业。" * 5),
        ),
    }  # fmt: skip


CHARTS = charts()
each = pytest.mark.parametrize("name", sorted(CHARTS))


def rects(chart: Chart, title: str) -> list[Rect]:
    return [shape for shape in chart.scene("en").shapes if isinstance(shape, Rect) and title in shape.title]


@each
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [340.0, 720.0])
def test_everything_is_inside_the_picture(name, lang, width):
    scene = CHARTS[name].scene(lang, width)
    for shape in scene.shapes:
        if isinstance(shape, Rect):
            assert shape.x >= -0.5, shape
            assert shape.x + shape.width <= width + 0.5, shape
            assert shape.y + shape.height <= scene.height + 0.5, shape
        elif isinstance(shape, Label):
            wide = text_width(shape.text, shape.size) * (1.06 if shape.bold else 1)
            left = shape.x - {"start": 0, "middle": wide / 2, "end": wide}[shape.anchor]
            assert left >= -3, shape
            assert left + wide <= width + 8, shape
            assert shape.y <= scene.height, shape


@each
def test_svg_is_well_formed_and_holds_nothing_that_a_strict_page_refuses(name):
    for theme in ("page", "print", "dark"):
        text = CHARTS[name].to_svg("zh", theme)
        root = ET.fromstring(text)
        tags = {element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in root.iter()}
        assert tags <= {"svg", "title", "desc", "rect", "path", "text"}
        assert not any(
            key == "style" or key.startswith("on") for element in root.iter() for key in element.attrib
        )
        assert root.attrib["role"] == "img"
        ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        assert root.attrib["aria-labelledby"].split() == ids
        assert root[0].text == CHARTS[name].title.zh
        assert root[1].text
        assert root[1].text == CHARTS[name].summary("zh")
        assert ("var(--chart-" in text) == (theme == "page")
    assert CHARTS[name].to_svg("zh") == charts()[name].to_svg("zh"), "the same chart, the same bytes"


def test_every_colour_of_a_page_is_in_its_stylesheet():
    css = stylesheet()
    used = {
        role for chart in CHARTS.values() for role in re.findall(r"var\(--chart-([\w-]+)", chart.to_svg("en"))
    }
    assert used
    assert all(css.count(f"--chart-{role}:") == 3 for role in used), (
        "light, dark by the system, dark by choice"
    )


@each
def test_vega_draws_the_same_shapes_in_the_same_places(name):
    chart = CHARTS[name]
    drawn = ET.fromstring(vl_convert.vega_to_svg(chart.to_vega("en")))
    found = {element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert found == {shape.text for shape in chart.scene("en").shapes if isinstance(shape, Label)}
    boxes = [
        tuple(float(part) for part in found)
        for element in drawn.iter("{http://www.w3.org/2000/svg}path")
        for found in re.findall(r"^M([\d.e-]+),([\d.e-]+)h([\d.e-]+)v([\d.e-]+)", element.get("d", ""))
        if element.get("class") != "background"
    ]
    ours = [(s.x, s.y, s.width, s.height) for s in chart.scene("en").shapes if isinstance(s, Rect)]
    missing = [one for one in ours if not any(box == pytest.approx(one, abs=0.11) for box in boxes)]
    assert not missing


def test_bars_are_as_high_as_their_values():
    chart = CHARTS["stacked"]
    coal, power = rects(chart, "2024-01 coal"), rects(chart, "2024-01 power")
    assert power[0].height / coal[0].height == pytest.approx(3.0)
    assert power[0].y + power[0].height == pytest.approx(coal[0].y), "stacked on each other"
    assert rects(chart, "2024-01 coal")[0].height == pytest.approx(2 * rects(chart, "2024-03 coal")[0].height)
    absent = rects(chart, "2024-02")
    assert {rect.fill for rect in absent} == {"absent"}, (
        "a month without data is drawn as such and not as zero"
    )
    beside = rects(CHARTS["beside"], "2024-01 coal")[0], rects(CHARTS["beside"], "2024-01 power")[0]
    assert beside[0].x + beside[0].width == pytest.approx(beside[1].x)
    assert chart.table("en").rows[1] == ("2024-02", None, None)
    assert chart.summary("en") == (
        "coal: from 50 tce (2024-03) to 100 tce (2024-01); power: from 150 tce (2024-03) to 300 tce (2024-01)"
    )
    with pytest.raises(ValueError, match="every period"):
        Bars(title=Text("", ""), periods=("a",), groups=(Group(Text("", ""), ()),))


def test_a_thinned_line_keeps_every_peak_and_the_gap():
    chart = CHARTS["series"]
    spiked = TimeSeries(
        title=chart.title,
        times=QUARTERS,
        lines=(Line(Text("a", "a"), (*LOAD[:20_000], 50.0, *LOAD[20_001:])),),
    )
    scene = spiked.scene("en")
    (path,) = [shape for shape in scene.shapes if isinstance(shape, Path) and shape.title == "a"]
    heights = [float(y) for _, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.d)]
    lines = [s.y for s in scene.shapes if isinstance(s, Label) and s.text == "50"]
    assert min(heights) == pytest.approx(lines[0] - 4, abs=0.1), "the one value of 50 is drawn at 50"
    assert path.d.count("M") == 2, "broken once, where 400 values are absent"
    assert len(path.d) < 60_000
    columns = chart.to_columns("zh")
    assert columns["x"][:2] == [1704038400.0, 1704039300.0]
    assert columns["series"][0]["values"] == list(LOAD)
    assert columns["series"][0]["label"] == "总表"


def test_load_duration_falls_from_the_peak():
    chart = LoadDuration(title=Text("d", "d"), unit="MW", values=(1.0, None, 4.0, 3.0))
    assert chart.falling == [4.0, 3.0, 1.0]
    assert chart.marks("en") == [("peak", 4.0), ("mean", pytest.approx(8 / 3)), ("lowest", 1.0)]
    assert chart.table("en").rows[0] == ("0 %", 4.0)
    assert chart.table("en").rows[-1] == ("100 %", 1.0)
    assert chart.to_columns("en")["x"] == pytest.approx([100 / 6, 50.0, 500 / 6])


def test_heat_map_stands_on_the_local_calendar():
    # Warsaw, 2024-10-27: the hour from 2 to 3 comes twice, with 10 and 20.
    first = datetime(2024, 10, 26, 22, tzinfo=UTC)
    hours = [(first + timedelta(hours=i), 10.0 if i == 2 else 20.0 if i == 3 else 1.0) for i in range(25)]
    days, rows = by_day_and_hour(hours, "Europe/Warsaw")
    assert days == (date(2024, 10, 27),)
    assert rows[0] == (1.0, 1.0, 15.0, *(1.0,) * 21)
    # 2024-03-31: the hour from 2 to 3 is not there.
    first = datetime(2024, 3, 30, 23, tzinfo=UTC)
    days, rows = by_day_and_hour([(first + timedelta(hours=i), 1.0) for i in range(23)], "Europe/Warsaw")
    assert rows[0][1:4] == (1.0, None, 1.0)
    assert by_day_and_hour([], "UTC") == ((), ())
    assert CHARTS["heat"].summary("en") == "From 0 to 23 MW; on average highest at 23:00 and lowest at 0:00."
    with pytest.raises(ValueError, match="24 values"):
        HeatMap(title=Text("", ""), days=days, values=((1.0,),))


def test_a_waterfall_leads_where_it_says():
    chart = CHARTS["waterfall"]
    less, more = rects(chart, "less power")[0], rects(chart, "more gas")[0]
    assert (less.fill, more.fill) == ("good", "bad")
    assert less.width == pytest.approx(4 * more.width)
    assert more.x == pytest.approx(less.x), "the second begins where the first ended"
    assert chart.table("en").rows == (
        ("2023", 1000.0),
        ("less power", -400.0),
        ("more gas", 100.0),
        ("2024", 700.0),
    )
    with pytest.raises(ValueError, match="lead to 600"):
        Waterfall(title=Text("", ""), before=chart.before, after=chart.after, steps=chart.steps[:1])
    many = [Step(Text(str(index), str(index)), float(index)) for index in range(12)]
    kept = joined(many, 4)
    assert [step.difference for step in kept] == [9.0, 10.0, 11.0, 36.0]  # 0 + 1 + … + 8 = 36
    assert kept[-1].label.zh == "其余 9 项"


def test_shares_are_parts_of_a_whole():
    chart = CHARTS["shares"]
    measured, missing = rects(chart, "power: measured")[0], rects(chart, "power: no data")[0]
    assert measured.width / missing.width == pytest.approx(0.75 / 0.2)
    assert chart.table("zh").header == ("", "实测", "估算", "无数据")
    assert chart.table("zh").rows[0] == ("电力", 0.75, 0.05, pytest.approx(0.2))
    with pytest.raises(ValueError, match="parts of a whole"):
        Shares(title=Text("", ""), kinds=chart.kinds, parts=(Part(Text("", ""), (0.9, 0.2)),))


def test_a_sankey_keeps_amounts():
    chart = CHARTS["sankey"]
    assert chart.columns() == {"grid": 0, "bus": 1, "eaf": 2, "rest": 2}
    grid, furnace, rest = (rects(chart, f"{name}:")[0] for name in ("grid", "furnace", "rest"))
    assert furnace.height / grid.height == pytest.approx(0.9)
    assert rest.fill == "edge"
    assert chart.table("zh").rows[0] == ("电网", "母线", 100.0)
    with pytest.raises(ValueError, match="circle"):
        Sankey(
            title=Text("", ""),
            nodes={"a": Text("", ""), "b": Text("", "")},
            flows=(Flow("a", "b", 1), Flow("b", "a", 1)),
        )
    with pytest.raises(ValueError, match="without a name"):
        Sankey(title=Text("", ""), nodes={}, flows=(Flow("a", "b", 1),))


def test_every_province_has_one_tile():
    codes = {area.code[:2] for area in regions().values() if area.level == "province"}
    assert set(PLACES) == codes
    assert len(set(PLACES.values())) == len(codes) == 34
    chart = CHARTS["tiles"]
    places = chart.places()
    column, row = places["110000"]
    assert places["440000"][1] > row, "Guangdong lies south of Beijing"
    assert places["650000"][0] < column < places["310000"][0], "Xinjiang west, Shanghai east"
    hidden = next(tile for tile in chart.tiles if tile.hidden)
    assert hidden.name.en in rects(chart, "not shown")[0].title
    assert not any(
        str(hidden.value) == s.text
        for s in chart.scene("en").shapes
        if isinstance(s, Label) and "." in s.text
    )
    assert ("*") in [row[2] for row in chart.table("en").rows]
    cities = Tiles(
        title=Text("", ""), tiles=tuple(Tile(f"3702{i:02d}", Text("x", "x"), 1.0) for i in range(10))
    )
    assert cities.places()["370209"] == (1, 1)


def test_numbers_and_steps():
    assert [number(value) for value in (None, 0, 1234567.8, 12.3456, 0.00123456, -5.0, 2e-7)] == [
        "—", "0", "1,234,568", "12.35", "0.001235", "-5", "2.000e-07",
    ]  # fmt: skip
    assert linear([3.0, 97.0], 0, 100).ticks == (0, 20, 40, 60, 80, 100)
    assert linear([-4.0, 9.0], 0, 1).ticks == (-5, 0, 5, 10)
    assert linear([], 0, 1).ticks == pytest.approx((0, 0.2, 0.4, 0.6, 0.8, 1.0))
    assert linear([7.0, 7.0], 0, 1).ticks[0] == 0
    shanghai = zone("Asia/Shanghai")
    year = time_ticks(START, START + timedelta(days=366), shanghai, 12, "zh")
    assert [word for _, word in year][:3] == ["2024", "2月", "3月"]
    assert year[1][0].astimezone(UTC) == datetime(2024, 1, 31, 16, tzinfo=UTC)
    week = time_ticks(START, START + timedelta(days=7), shanghai, 10, "en")
    assert [word for _, word in week] == [f"01-0{day}" for day in range(1, 8)]
    assert [word for _, word in time_ticks(START, START + timedelta(hours=12), shanghai, 5, "en")] == [
        "01-01",
        "03:00",
        "06:00",
        "09:00",
    ]


def test_texts_are_cut_and_broken_where_they_may_be():
    assert shortened("工序能耗", 10, 35) == "工序…"
    assert wrapped("one two three", 10, 45) == ["one two", "three"]
    assert wrapped("综合能耗，折标煤", 10, 45) == ["综合能", "耗，折标", "煤"]
    assert text_width("电kWh", 10) == pytest.approx(10 + 10 * (0.552 + 0.878 + 0.607))


def test_widths_are_those_of_the_font():
    import json

    from celadon.charts.image import fonts

    words = ["Energy", "CO2 (t/MWh)", "0123456789", "综合能耗 tce"]
    source = (
        '#set text(font: "Noto Sans CJK SC", size: 100pt, kerning: false, cjk-latin-spacing: none)\n#context {'
        + "\n".join(
            f"[#metadata(measure(text({json.dumps(word, ensure_ascii=False)})).width.pt())<wide>]"
            for word in words
        )
    )
    found = json.loads(typst.query((source + "}").encode(), "<wide>", field="value", font_paths=fonts()))
    assert found == pytest.approx([text_width(word, 100) for word in words], rel=0.01)


# What people with each kind of colour vision see: Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB.
VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear_rgb(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def lab(rgb: list[float]) -> tuple[float, float, float]:
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [
        sum(m * c for m, c in zip(row, rgb, strict=True)) / white
        for row, white in zip(matrix, (0.9505, 1.0, 1.089), strict=True)
    ]
    f = [max(v, 0) ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("vision", sorted(VISIONS))
def test_series_are_told_apart_with_any_colour_vision(theme, vision):
    seen = []
    for index in range(SERIES):
        rgb = linear_rgb(THEMES[theme][f"series-{index + 1}"])
        seen.append(
            lab(
                [
                    min(1.0, max(0.0, sum(m * c for m, c in zip(row, rgb, strict=True))))
                    for row in VISIONS[vision]
                ]
            )
        )
    far = {
        (i + 1, j + 1): sum((a - b) ** 2 for a, b in zip(seen[i], seen[j], strict=True)) ** 0.5
        for i, j in combinations(range(SERIES), 2)
    }
    worst = min(far, key=lambda pair: far[pair])
    assert far[worst] > 12, (worst, far[worst])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out(theme):
    colours = THEMES[theme]

    def contrast(one: str, other: str) -> float:
        bright = sorted(
            sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear_rgb(x), strict=True)) + 0.05
            for x in (one, other)
        )
        return bright[1] / bright[0]

    for role in ("ink", "muted", "good", "bad"):  # WCAG 2.2, 1.4.3: at least 4.5
        assert contrast(colours[role], colours["surface"]) >= 4.5, role
    for index in range(
        SERIES
    ):  # 1.4.11: shapes at least 3, or told apart by their edges; light tints are edged
        name = f"series-{index + 1}"
        assert contrast(colours[name], colours["surface"]) >= 2.4, name
        assert contrast(colours[f"on-{name}"], colours[name]) >= 4.3, name
