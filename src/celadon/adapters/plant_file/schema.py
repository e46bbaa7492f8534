"""The plant file's keys, declared as data: what may be written, what must be, what it means, and the
defaults."""

from __future__ import annotations

from celadon.adapters.plant_file.schema_files import DERIVED, EXCLUDED, FACTORS, SOURCES, UNCERTAINTY
from celadon.adapters.plant_file.schema_tariffs import TARIFFS
from celadon.adapters.plant_file.shapes import Either, Items, Named, Table, Value, key
from celadon.core.text import Text

VERSION = 1
RECORD_STOCKS = ("fuel_purchased", "fuel_opening_stock", "fuel_closing_stock", "fuel_resold", "fuel_consumed")

ID = Value("id")
TEXT = Value()
NUMBER = Value("number")
DATE = Value("date")
INSTANT = Value("instant")
PERCENTAGE = Value("percentage", low=0, high=1)
PROCESS = Value("id", refers=("processes",))
METER = Value("id", refers=("meters",))
ANY_METER = Value("id", refers=("meters", "virtual_meters"))
NAME = Either(
    value=TEXT,
    table=Table(
        "name", (key("zh", TEXT, "Chinese name", "中文名称"), key("en", TEXT, "English name", "英文名称"))
    ),
)
FLOW = Value(
    words=(
        ("purchased", Text("bought, at the boundary", "外购，位于边界")),
        ("exported", Text("sold or passed on, at the boundary", "外供，位于边界")),
        ("generated", Text("made on site without fuel, such as solar", "站内自产（不耗燃料，如光伏）")),
        ("used", Text("a sub-meter inside the boundary", "边界内的分表")),
    )
)

ENTERPRISE = Table(
    "enterprise",
    (
        key("id", ID, "Short name used in results", "结果中使用的简称", required=True),
        key("name", NAME, "Name; the id where left out", "名称；省略时用编号"),
        key("industry", TEXT, "Industry code (GB/T 4754)", "行业代码（GB/T 4754）"),
    ),
)
PROCESSES = Table(
    "process",
    (
        key("id", ID, "Id, unique in the whole file", "编号，全文件唯一", required=True),
        key("name", NAME, "Name; the id where left out", "名称；省略时用编号"),
        key("products", Items(Value("id", refers=("products",)), single=True), "What it makes", "产品"),
        key("area", Value("amount"), "Floor area, m2 where no unit is written", "建筑面积，不写单位时为 m2"),
    ),
    section="processes",
)
SITES = Table(
    "site",
    (
        key("id", ID, "Id", "编号", required=True),
        key("name", NAME, "Name; the id where left out", "名称；省略时用编号"),
        key("region", TEXT, "Grid region as in the factor tables: CN-SD", "电网区域，与因子表一致：CN-SD"),
        key(
            "zone",
            Value("zone"),
            "IANA time zone; the file's where left out",
            "IANA 时区；省略时用全文件时区",
        ),
        key("equity_share", PERCENTAGE, "Share of equity held", "股权比例", default="100%"),
        key("processes", Items(PROCESSES), "Processes of the site", "站点的工序"),
    ),
    section="sites",
)
PRODUCTS = Table(
    "product",
    (
        key("id", ID, "Id", "编号", required=True),
        key("name", NAME, "Name; the id where left out", "名称；省略时用编号"),
        key("unit", Value("unit"), "Unit its output is counted in", "产量单位", required=True),
    ),
    section="products",
)
CARRIERS = Table(
    "carrier",
    (
        key("id", ID, "Id", "编号", required=True),
        key("name", NAME, "Name; the id where left out", "名称；省略时用编号"),
        key(
            "kind",
            Value(
                words=(
                    ("electricity", Text("electricity", "电力")),
                    ("heat", Text("heat, steam, hot water", "热力、蒸汽、热水")),
                    ("solid", Text("solid fuel", "固体燃料")),
                    ("liquid", Text("liquid fuel", "液体燃料")),
                    ("gas", Text("gaseous fuel", "气体燃料")),
                    (
                        "medium",
                        Text("energy-consuming medium: water, air, oxygen", "耗能工质：水、空气、氧气"),
                    ),
                )
            ),
            "What it is",
            "类别",
            required=True,
        ),
        key("unit", Value("unit"), "The one unit it is kept in", "统一计量单位", required=True),
        key(
            "biogenic", Value("boolean"), "Whether its carbon is biogenic", "碳是否为生物源", default="false"
        ),
        key("aliases", Items(TEXT, single=True), "Other words files use for it", "文件中的其他叫法"),
    ),
    section="carriers",
    doc=Text("Only what the built-in list lacks.", "只写内置清单中没有的能源品种。"),
)
INSTALLED = Table(
    "installed",
    (
        key("at", INSTANT, "Local time of the site", "站点当地时间", required=True),
        key("register", NUMBER, "What the display showed then", "当时的表底数"),
    ),
)
CHANGES = Table(
    "change",
    (
        key("at", INSTANT, "When, local time of the site", "时间，站点当地时间", required=True),
        key(
            "kind",
            Value(
                words=(
                    ("swap", Text("another device took its place", "换表")),
                    (
                        "multiplier",
                        Text("transformer ratio changed, same device", "倍率（互感器）变更，原表"),
                    ),
                    ("reset", Text("the display was set to another value", "表底被重置")),
                    ("unit", Text("the export changed its unit", "导出数据的单位变更")),
                )
            ),
            "What happened",
            "事件",
            required=True,
        ),
        key("removed_register", NUMBER, "Last display before", "之前的最后表底（swap、reset）"),
        key("installed_register", NUMBER, "First display after", "之后的最初表底（swap、reset）"),
        key("multiplier", Value("multiplier"), "The new multiplier", "新倍率（swap、multiplier）"),
        key("digits", Value("integer", low=1, high=15), "Digits of the new device", "新表整数位数（swap）"),
        key(
            "decimals", Value("integer", low=0, high=9), "Decimals of the new device", "新表小数位数（swap）"
        ),
        key("unit", Value("unit"), "The new unit", "新单位（unit）"),
    ),
)
SHARES = Table(
    "share",
    (
        key(
            "by",
            Value(
                words=(
                    ("fixed", Text("fixed percentages that make 100%", "固定比例，合计 100%")),
                    ("production", Text("output of the processes' products", "按各工序产量")),
                    ("area", Text("floor area of the processes", "按各工序面积")),
                    ("meters", Text("what other meters measured", "按其他表计的计量值")),
                )
            ),
            "Key of the allocation",
            "分摊依据",
            required=True,
        ),
        key(
            "to",
            Either(items=Items(PROCESS), table=Named(TEXT, keys=PROCESS)),
            "Processes; with their percentage (fixed) or meter (meters)",
            "工序；fixed 写比例，meters 写表计",
            required=True,
        ),
        key("since", DATE, "First day it holds", "起始日（含）"),
        key("until", DATE, "Last day it holds", "截止日（含）"),
    ),
)
_POINT = (
    key("id", ID, "Id, shared with `virtual_meters`", "编号，与 `virtual_meters` 共用", required=True),
    key("name", NAME, "Name; the id where left out", "名称；省略时用编号"),
)
_PLACED = (
    key(
        "flow", FLOW, "Which way the energy goes, seen from the site", "能量流向（从站点看）", default="used"
    ),
    key(
        "site",
        Value("id", refers=("sites",)),
        "Site; may be left out when there is one",
        "站点；只有一个时可省略",
    ),
    key("process", PROCESS, "Process it serves", "所属工序"),
    key("parent", ANY_METER, "Meter above it in the tree", "上级表计"),
    key("cost_centre", TEXT, "Cost centre", "成本中心"),
)
METERS = Table(
    "meter",
    (
        *_POINT,
        key(
            "kind",
            Value(
                words=(
                    ("register", Text("cumulative count; differences matter", "累计表底，取差值")),
                    ("interval", Text("amount per interval", "每个时段的量")),
                    ("rate", Text("amount per hour at an instant: kW, m3/h", "瞬时速率：kW、m3/h")),
                    ("level", Text("state of a thing, averaged: temperature", "状态量，取平均：温度")),
                    ("count", Text("pieces at an instant, summed", "计件，求和")),
                    ("state", Text("a code that holds until the next one", "状态码，持续到下一个")),
                )
            ),
            "What its values are",
            "数值的含义",
            default="register",
        ),
        key("carrier", Value("carrier"), "Energy carrier or medium it measures", "计量的能源品种或工质"),
        key("quantity", ID, "What it measures where that is no carrier", "不计量能源时，所计量的量"),
        key(
            "product", Value("id", refers=("products",)), "Product, where it counts output", "计产量时的产品"
        ),
        *_PLACED,
        key(
            "unit",
            Value("unit"),
            "Unit of the display, before the multiplier; kWh for electricity, else to be given",
            "表面单位（乘倍率前）；电力默认 kWh，其余须写明",
        ),
        key(
            "digits",
            Value("integer", low=1, high=15),
            "Integer digits: 7 rolls over at 10^7",
            "整数位数：7 位在 10^7 归零",
        ),
        key("decimals", Value("integer", low=0, high=9), "Decimals of the display", "小数位数", default="3"),
        key(
            "multiplier",
            Value("multiplier"),
            "4000, 400/5 or 40 × 100",
            "倍率：4000、400/5 或 40 × 100",
            default="1",
        ),
        key(
            "stamp",
            Value(
                words=(
                    ("instant", Text("the time of the reading", "读数时刻")),
                    ("end", Text("the end of the interval", "时段结束")),
                    ("start", Text("the start of the interval", "时段开始")),
                )
            ),
            "What a time stamp says; `instant`, but `end` for kind interval",
            "时间戳的含义；默认 `instant`，interval 类默认 `end`",
        ),
        key(
            "interval",
            Value("interval"),
            "Length of its intervals, or `until-next`",
            "时段长度，或 `until-next`（到下一时间戳）",
        ),
        key(
            "states", Items(TEXT), "Words of its states, for the codes 0, 1, 2 …", "状态词，依次为 0、1、2 …"
        ),
        key(
            "max_rate",
            Value("amount"),
            "Largest plausible rate: 20000 kW, or in unit per hour",
            "最大合理速率：20000 kW，或 单位/小时",
        ),
        key(
            "max_gap",
            Value("duration"),
            "Longer gaps keep their total, hours are estimated",
            "更长的间隔保留总量，分时为估计",
            default="2h",
        ),
        key("tolerance", PERCENTAGE, "How much children may exceed it", "分表之和可超出的比例", default="2%"),
        key("uncertainty", UNCERTAINTY, "Of its amounts", "计量的不确定度"),
        key("tariff", Value("id", refers=("tariffs",)), "Tariff it is billed by", "计费电价"),
        key("contract", ID, "Contract or certificate that covers it", "对应的合同或绿证"),
        key("installed", INSTALLED, "Start of its life", "装表"),
        key("removed", INSTALLED, "End of its life", "拆表"),
        key(
            "changes",
            Items(CHANGES),
            "Swaps, ratio changes, resets, in order",
            "换表、改倍率、重置，按时间顺序",
        ),
        key(
            "share",
            Items(SHARES, single=True),
            "Allocation of a shared meter to processes",
            "共用表向工序的分摊",
        ),
    ),
    section="meters",
)
VIRTUAL_METERS = Table(
    "virtual_meter",
    (
        *_POINT,
        key("carrier", Value("carrier"), "Energy carrier or medium", "能源品种或工质", required=True),
        key(
            "unit",
            Value("unit"),
            "Unit of its amounts; kWh for electricity",
            "单位；电力默认 kWh，其余须写明",
        ),
        *_PLACED,
        key("formula", Value("formula"), "E01 + E02 - 0.5*E03", "公式：E01 + E02 - 0.5*E03", required=True),
    ),
    section="virtual_meters",
)
ACCOUNTS = Table(
    "account",
    (
        key("options", Named(TEXT), "Choices the rulebook offers", "规则集提供的选项"),
        key(
            "exclusions",
            Named(TEXT),
            "Quantities left out, each with its reason, where the rulebook allows it",
            "不纳入的指标及其理由（规则集允许时）",
        ),
    ),
)
PLANT = Table(
    "plant",
    (
        key(
            "celadon",
            Value("integer"),
            "Version of this format, 1; always to be given",
            "本格式的版本 1，必填",
        ),
        key("enterprise", ENTERPRISE, "Whose plant it is", "企业", required=True),
        key(
            "zone", Value("zone"), "Time zone of sites and files", "站点和文件的时区", default="Asia/Shanghai"
        ),
        key(
            "grid",
            Value("duration"),
            "Ledger cells: 15min, 30min or 1h",
            "台账时格：15min、30min 或 1h",
            default="1h",
        ),
        key("store", Value("path"), "Folder for what is loaded", "数据存放文件夹", default="celadon-store"),
        key(
            "catalogue",
            TEXT,
            "PostgreSQL database that lists what is stored, when several hosts write: postgresql://user@host/database; "
            "the password comes from ~/.pgpass or PGPASSWORD",
            "多台主机写入时，登记存储内容的 PostgreSQL 数据库：postgresql://用户@主机/数据库；密码取自 ~/.pgpass 或 PGPASSWORD",
        ),
        key(
            "segments",
            TEXT,
            "Object store that keeps what is loaded: s3://bucket/plant; the store folder is then its cache",
            "保存已载入数据的对象存储：s3://桶/工厂；数据存放文件夹此时为缓存",
        ),
        key("sites", Items(SITES), "Places with a boundary of their own", "各有边界的站点", required=True),
        key("products", Items(PRODUCTS), "What is made", "产品"),
        key("carriers", Items(CARRIERS), "Energy carriers beyond the built-in ones", "内置以外的能源品种"),
        key("meters", Items(METERS), "Measuring points", "计量点"),
        key("virtual_meters", Items(VIRTUAL_METERS), "Points computed from others", "由其他点计算的虚拟表"),
        key("tariffs", Items(TARIFFS), "Energy prices", "能源价格"),
        key("sources", Items(SOURCES), "Where the files are and how they read", "文件位置及其格式"),
        key(
            "factors",
            Items(FACTORS),
            "The plant's own factors, before the rulebook's",
            "企业自有因子，优先于规则集",
        ),
        key(
            "derived",
            Items(DERIVED),
            "Facts that another rulebook calculates from the same data",
            "由其他规则集用同一数据推算的事实",
        ),
        key("accounts", Named(ACCOUNTS), "Options per rulebook id", "按规则集编号给出的选项"),
        key(
            "excluded",
            Items(EXCLUDED),
            "Readings and records that do not count, each with its reason",
            "不计入的读数与台账，及其理由",
        ),
    ),
)
SECTIONS = ("sites", "processes", "products", "carriers", "meters", "virtual_meters", "tariffs", "sources")
SAME_SPACE = {"virtual_meters": "meters"}
