"""`docs/plant-file.md`, written from the schema, so that it says what the reader does.

`python -m celadon.adapters.plant_file.reference > docs/plant-file.md` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from celadon.adapters.plant_file.nodes import MAX_BYTES
from celadon.adapters.plant_file.schema import PLANT
from celadon.adapters.plant_file.shapes import Either, Items, Key, Named, Shape, Table, Value
from celadon.core.text import Text

_INTRODUCTION = f"""\
# The plant file · 工厂文件

One YAML file says what a plant is, how its meters nest, what its energy costs and how its data files read.
`celadon new DIR` writes one that works, with comments and sample data; `celadon check` lists everything that is
wrong with a file, each with its line and what to do. This page is generated from the schema that the reader uses.

一个 YAML 文件说明企业的组成、表计层级、能源价格以及数据文件的写法。`celadon new DIR` 生成可直接运行的带注释样例；
`celadon check` 列出文件中的全部问题、所在行及处理办法。本页由读取程序所用的格式定义生成。

- Unknown keys are errors: a misspelt key never passes in silence. 未知的键会报错，拼错的键不会被忽略。
- Keys in **bold** have to be given. **粗体**的键必须写明。
- A key that is left out has its default; there are no other defaults. 省略的键取默认值，此外没有别的默认。
- Values are taken as written: `010` is an id, `no` is a text. 值按原样读取：`010` 是编号，`no` 是文字。
- `&name`, `*name` and `<<: *name` may be used for what repeats. 重复内容可用 `&name`、`*name`、`<<: *name`。
- The file is UTF-8 and at most {MAX_BYTES // 1_000_000} MB. 文件为 UTF-8 编码，最大 {MAX_BYTES // 1_000_000} MB。
- Paths begin at the file's folder; `..` may not lead out of it. 路径从文件所在文件夹算起，`..` 不能超出该文件夹。

## Values · 值的写法

| kind · 类型 | written · 写法 |
|---|---|
"""
_NOTHING = '""'
_KINDS: dict[str, Text] = {
    "text": Text("any text; in quotes where YAML would read it otherwise", "任意文字，必要时加引号"),
    "id": Text(
        "letters, digits, Chinese characters and `. _ - # /`, no spaces",
        "字母、数字、汉字和 `. _ - # /`，无空格",
    ),
    "number": Text(
        "`12345.6`, with a decimal point, without thousands separators", "`12345.6`，用小数点，无千位分隔符"
    ),
    "integer": Text("`7`", "`7`"),
    "boolean": Text("`true` or `false`", "`true` 或 `false`"),
    "percentage": Text("`2%`; without the sign a share of at most 1", "`2%`；无百分号时为不大于 1 的份额"),
    "uncertainty": Text(
        "the half-width at 95 %, `2%`; or the class of a meter, `class 0.5S`",
        "95% 置信半宽 `2%`；或计量器具的准确度等级 `class 0.5S`",
    ),
    "duration": Text("`30s`, `15min`, `2h`, `1d`", "`30s`、`15min`、`2h`、`1d`"),
    "interval": Text("a duration, or `until-next`", "时长，或 `until-next`"),
    "unit": Text(
        "as the standards print it: `kWh`, `10^4 m3`, `GJ/t`, `万千瓦时`",
        "按标准写法：`kWh`、`10^4 m3`、`GJ/t`、`万千瓦时`",
    ),
    "amount": Text(
        "a number with its unit, `4000 kW`; a bare number is in the unit named",
        "带单位的数值 `4000 kW`；无单位时为所注单位",
    ),
    "multiplier": Text("`4000`, `400/5`, `40 × 100`, exact", "`4000`、`400/5`、`40 × 100`，精确"),
    "date": Text("`2024-02-29`", "`2024-02-29`"),
    "instant": Text(
        "`2024-05-02` (its first moment) or `2024-05-02T10:00`, local to the site, or with an offset",
        "`2024-05-02`（当日零时）或 `2024-05-02T10:00`，站点当地时间，或带时差",
    ),
    "zone": Text("an IANA name: `Asia/Shanghai`", "IANA 名称：`Asia/Shanghai`"),
    "carrier": Text(
        "id or usual name of a built-in carrier or of `carriers`", "内置或 `carriers` 中品种的编号或常用名称"
    ),
    "hours": Text(
        "`10:00-12:00, 16:00-24:00`; over midnight `22:00-06:00`",
        "`10:00-12:00, 16:00-24:00`；跨零点 `22:00-06:00`",
    ),
    "months": Text("`1-3, 7` or, over the year's end, `11-2`", "`1-3, 7`；跨年 `11-2`"),
    "days": Text("`workday`, `weekend`, `holiday`, or `all`", "`workday`、`weekend`、`holiday` 或 `all`"),
    "time_format": Text(
        "as strptime: `%d/%m/%Y %H:%M`; or `excel`, `unix`, `unix_ms` for counted days, seconds, milliseconds",
        "strptime 写法：`%d/%m/%Y %H:%M`；或 `excel`、`unix`、`unix_ms`（Excel 天数、Unix 秒、毫秒）",
    ),
    "encoding": Text("`auto`, `utf-8`, `gbk`, `utf-16` …", "`auto`、`utf-8`、`gbk`、`utf-16` 等"),
    "delimiter": Text("`auto`, `tab`, or one character", "`auto`、`tab` 或单个字符"),
    "path": Text("a path or pattern, `data/*.csv`", "路径或通配模式 `data/*.csv`"),
    "formula": Text("meters with factors, added and subtracted", "带系数的表计加减"),
}


def plant_file_reference() -> str:
    """The page as Markdown, both languages side by side."""
    values = [f"| {kind} | {text.en} · {text.zh} |\n" for kind, text in _KINDS.items()]
    return _INTRODUCTION + "".join(values) + "".join(_section("", PLANT))


def _section(path: str, table: Table) -> Iterator[str]:
    """One table's keys, then the tables below it."""
    title = path or "The whole file · 全文件"
    yield f"\n## {title}\n\n"
    if table.doc:
        yield f"{table.doc.en} {table.doc.zh}\n\n"
    yield "| key · 键 | value · 值 | meaning | 含义 |\n|---|---|---|---|\n"
    for key in table.keys:
        yield _row(path, key)
    for key in table.keys:
        yield from _words(key)
    for key in table.keys:
        for inner in _tables(key.shape):
            yield from _section(_below(path, key.name), inner)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _row(path: str, key: Key) -> str:
    name = f"**`{key.name}`**" if key.required else f"`{key.name}`"
    default = "" if key.default is None else f", default `{key.default or _NOTHING}`"
    return f"| {name} | {_shape(path, key.name, key.shape)}{default} | {key.doc.en} | {key.doc.zh} |\n"


def _shape(path: str, name: str, shape: Shape) -> str:
    """The shape in words, with a link to the table it holds."""
    match shape:
        case Value(words=words) if words:
            return "one of the words below"
        case Value(refers=refers) if refers:
            return "id from " + " or ".join(f"`{section}`" for section in refers)
        case Value():
            return shape.kind + _limits(shape)
        case Items():
            return ("one or a list of: " if shape.single else "list of: ") + _shape(path, name, shape.of)
        case Named():
            return f"{_shape(path, name, shape.keys)} → {_shape(path, name, shape.of)}"
        case Table(name="name"):
            return "`{zh: …, en: …}`"
        case Table():
            target = _below(path, name)
            return f"[{target}](#{target.replace('.', '').replace(' ', '-').lower()})"
        case Either():
            parts = [part for part in (shape.value, shape.items, shape.table) if part is not None]
            return ", or ".join(_shape(path, name, part) for part in parts)


def _limits(shape: Value) -> str:
    if shape.low is None or shape.high is None:
        return ""
    if shape.kind in ("percentage", "uncertainty"):
        return f", {shape.low * 100:g}% to {shape.high * 100:g}%"
    return f", {shape.low:g} to {shape.high:g}"


def _words(key: Key) -> Iterator[str]:
    """What the allowed words of a key mean."""
    if not isinstance(key.shape, Value) or not key.shape.words:
        return
    yield f"\n`{key.name}`:\n\n"
    for word, text in key.shape.words:
        said = "" if text.zh == word else f": {text.en} · {text.zh}"
        yield f"- `{word or _NOTHING}`{said}\n"


def _tables(shape: Shape | None) -> Iterator[Table]:
    """The tables inside a shape that have a section of their own."""
    match shape:
        case Table(name=name):
            if name != "name":
                yield shape
        case Items(of=inner) | Named(of=inner):
            yield from _tables(inner)
        case Either():
            for part in (shape.items, shape.table):
                yield from _tables(part)


if __name__ == "__main__":
    sys.stdout.write(plant_file_reference())
