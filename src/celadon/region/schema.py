"""The shape of a region file, in the same words as the plant file's (`adapters.plant_file.shapes`)."""

from __future__ import annotations

from celadon.adapters.plant_file.schema import ACCOUNTS, PRODUCTS
from celadon.adapters.plant_file.schema_files import FACTORS
from celadon.adapters.plant_file.shapes import Either, Items, Key, Named, Table, Value, key

VERSION = 1
_TEXT, _ID = Value(), Value("id")
_BOTH = Either(
    value=_TEXT,
    table=Table("name", (key("zh", _TEXT, "Chinese", "中文"), key("en", _TEXT, "English", "英文"))),
)
_SHARE = Value("percentage", low=0, high=10)
_PLACE: tuple[Key, ...] = (
    key("files", Items(Value("path"), single=True), "Parquet or CSV files or patterns, from this file's folder",
        "Parquet 或 CSV 文件或通配模式，相对本文件所在文件夹"),
    key("url", _TEXT, "A database instead: sqlite:///file.db or postgresql://host/name",
        "改用数据库：sqlite:///file.db 或 postgresql://host/name"),
    key("table", _TEXT, "Its table or view", "其中的表或视图"),
)  # fmt: skip


def _headers(name: str, *columns: tuple[str, str, str, bool]) -> Table:
    keys = (
        key(word, _TEXT, f"Header of the column: {en}", f"列名：{zh}", required=needed)
        for word, en, zh, needed in columns
    )
    return Table(name, tuple(keys))


REGISTRY = Table("registry", (
    *_PLACE,
    key("columns", _headers("columns", ("enterprise", "id", "编号", True), ("name", "name", "名称", False),
        ("industry", "four-digit code of GB/T 4754", "国民经济行业四位代码", True),
        ("region", "administrative code of six digits", "六位行政区划代码", True),
        ("product", "main product, an id under products", "主要产品（products 下的编号）", False),
        ("size", "size class", "规模", False)), "Which column is what", "各列的含义", required=True),
))  # fmt: skip
VALUE = Table("value", (
    key("column", _TEXT, "Header of the column; in long rows left out", "列名；长表省略"),
    key("quantity", _ID, "The quantity that rulebooks ask for", "规则册所用的量", required=True),
    key("item", _TEXT, "Carrier, product, gas …; without it product_output is of the registry's product",
        "能源品种、产品、气体等；product_output 省略时为名录中的主要产品"),
    key("purpose", _TEXT, "combustion, mobile, feedstock …", "用途：combustion、mobile、feedstock 等"),
    key("unit", Value("unit"), "Unit as reported", "填报单位", required=True),
))  # fmt: skip
SOURCES = Table("source", (
    key("id", _ID, "Id", "编号", required=True),
    *_PLACE,
    key("enterprise", _TEXT, "Header of the column of enterprise ids", "企业编号列", required=True),
    key("month", _TEXT, "Header of the column of months: 2024-03, 202403, 2024年3月, or a date in it",
        "月份列：2024-03、202403、2024年3月 或其中一日",
        required=True),
    key("values", Items(VALUE), "What is reported: a column each (wide rows), or what may occur (long rows)",
        "填报内容：每项一列（宽表），或可能出现的项（长表）", required=True),
    key("long", _headers("long", ("quantity", "quantity", "量", True), ("item", "item", "项", False),
        ("purpose", "purpose", "用途", False), ("value", "value", "数值", True), ("unit", "unit", "单位", False)),
        "Long rows: one fact a row", "长表：每行一项"),
), section="sources")  # fmt: skip
QUOTAS = Table("quotas", (
    *_PLACE,
    key("rulebook", _TEXT, "Rulebook that gives the quantities the quotas are about", "给出配额所限量的规则册", required=True),
    key("columns", _headers("columns", ("enterprise", "id", "编号", True), ("year", "year", "年份", True),
        ("quantity", "quantity", "量", True), ("value", "value", "数值", True), ("unit", "unit", "单位", True)),
        "Which column is what", "各列的含义", required=True),
))  # fmt: skip
DISCLOSURE = Table("disclosure", (
    key("minimum", Value("integer", low=2, high=1000), "Fewest enterprises in a published cell", "公布单元的最少企业数", default="3"),
    key("largest", Value("integer", low=1, high=10), "n of the (n, k) dominance rule", "(n, k) 主导规则的 n", default="2"),
    key("share", Value("percentage", low=0.01, high=1), "k: the n largest may not hold this share", "k：前 n 家占比不得达到",
        default="85%"),
))  # fmt: skip
SCREENING = Table("screening", (
    key("cross_check", _SHARE, "Allowed difference of reported and billed or metered electricity", "填报与账单、计量电量的允许差",
        default="5%"),
    key("band", _SHARE, "Allowed distance beyond a published or the peers' band", "超出公布或同行区间的允许幅度", default="50%"),
    key("jump", Value("number", low=0.05), "Smallest change told: 1 = doubling or halving", "提示的最小变化：1 为翻倍或减半",
        default="1"),
    key("false_discovery", Value("percentage", low=0.0001, high=0.5), "Expected share of false alarms among digit findings",
        "数字规律检验中误报的期望占比", default="1%"),
))  # fmt: skip
LEVEL = Table("level", (
    key("id", _ID, "blue, yellow, orange, red …", "blue、yellow、orange、red 等", required=True),
    key("name", _BOTH, "Name", "名称"),
    key("share", Value("percentage", low=0, high=100), "Share of the yearly quota from which the forecast is at this level",
        "预计全年用量达到年度配额的该比例即为此级", required=True),
), section="levels")  # fmt: skip
WARNINGS = Table("warnings", (
    key("levels", Items(LEVEL), "Levels, by rising share", "级别，按比例递增"),
    key("band", Value("percentage", low=0.5, high=0.99), "Share of outcomes the forecast's band is to hold", "预测区间的覆盖比例",
        default="80%"),
))  # fmt: skip
REGION = Table("region file", (
    key("celadon-region", Value("integer"), "Version of this format, 1", "本格式的版本 1", required=True),
    key("region", Table("region", (
        key("id", _ID, "Id", "编号", required=True), key("name", _BOTH, "Name", "名称"),
    )), "Whose region it is", "区域", required=True),
    key("zone", Value("zone"), "Time zone of its months", "月份所用时区", default="Asia/Shanghai"),
    key("store", Value("path"), "Folder for what is loaded", "数据存放文件夹", default="celadon-store"),
    key("months", _TEXT, "Months reports may be about, 2023-01..2024-12", "报表允许的月份，如 2023-01..2024-12"),
    key("products", Items(PRODUCTS), "Products of the registry and their units", "名录中的产品及其单位"),
    key("registry", REGISTRY, "Who reports", "企业名录", required=True),
    key("sources", Items(SOURCES), "Monthly facts", "月度数据", required=True),
    key("quotas", QUOTAS, "Yearly quotas", "年度配额"),
    key("disclosure", DISCLOSURE, "What may be published of few enterprises", "少量企业数据的公布规则"),
    key("screening", SCREENING, "How strict screening is", "筛查的严格程度"),
    key("warnings", WARNINGS, "Levels of early warning", "预警级别"),
    key("factors", Items(FACTORS), "The region's own factors, before the rulebook's", "区域自有因子，优先于规则册"),
    key("accounts", Named(ACCOUNTS), "Options per rulebook id", "按规则册编号给出的选项"),
))  # fmt: skip
