"""Sources and factors in the plant file: which files there are, how their columns read, the plant's own
factors."""

from __future__ import annotations

from celadon.adapters.plant_file.schema_tariffs import CITED, DATE, ID, NUMBER, TEXT, VALID
from celadon.adapters.plant_file.shapes import Either, Items, Named, Table, Value, key
from celadon.core.text import Text

METER = Value("id", refers=("meters",))
RECORD_FIELDS = (
    ("date", Text("day of the record", "日期")),
    ("start", Text("first day or instant of its span", "起始日或时刻")),
    ("end", Text("last day or end of its span", "截止日或时刻")),
    ("item", Text("carrier, product, gas or contract", "品种、产品、气体或合同")),
    ("quantity", Text("what the value is", "数值的含义")),
    ("value", Text("the number", "数值")),
    ("unit", Text("its unit", "单位")),
    ("site", Text("site", "站点")),
    ("process", Text("process", "工序")),
    ("purpose", Text("combustion, mobile or feedstock", "用途：combustion、mobile 或 feedstock")),
    ("weight", Text("what a mean is weighted with: batch mass", "加权量：批次质量")),
    ("weight_unit", Text("unit of the weight", "加权量单位")),
    ("note", Text("invoice, batch or laboratory number", "单号、批号或化验号")),
)
UNCERTAINTY = Value("uncertainty", low=0, high=10)
TIME = Table(
    "time",
    (
        key(
            "column",
            TEXT,
            "Header of the time column; of date and clock in two columns: date + clock",
            "时间列的表头；日期与钟点分两列时写“日期 + 时间”",
            default="time",
        ),
        key(
            "format",
            Value("time_format"),
            "As strptime: %d/%m/%Y %H:%M; ISO 8601 where left out",
            "strptime 格式：%d/%m/%Y %H:%M；省略为 ISO 8601",
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
            "What a time stamp says; the meter's own where left out",
            "时间戳的含义；省略时用表计的",
        ),
        key("zone", Value("zone"), "Time zone; the site's where left out", "时区；省略时用站点的"),
        key(
            "midnight",
            Value(
                words=(
                    ("opens", Text("0:00 begins the day printed with it", "0:00 为所印日期的开始")),
                    (
                        "closes",
                        Text("0:00 ends the day printed with it (24:00)", "0:00 为所印日期的结束（24:00）"),
                    ),
                )
            ),
            "Which day 0:00 belongs to",
            "0:00 属于哪一天",
            default="opens",
        ),
        key(
            "fold",
            Value(
                words=(
                    ("order", Text("by the order of rows", "按行的顺序")),
                    ("first", Text("always the first", "总是第一次")),
                    ("second", Text("always the second", "总是第二次")),
                )
            ),
            "Which of a clock hour that comes twice",
            "重复的钟点取哪一次",
            default="order",
        ),
    ),
)
WIDE_METER = Table(
    "wide meter",
    (
        key("meter", METER, "Meter", "表计", required=True),
        key(
            "unit",
            Value("unit"),
            "Unit in this file, where not the meter's",
            "本文件中的单位（与表计不同时）",
        ),
    ),
)
LONG = Table(
    "long",
    (
        key("meter", TEXT, "Header of the column of meter ids", "表计编号列的表头", required=True),
        key("value", TEXT, "Header of the column of values", "数值列的表头", required=True),
        key("unit", TEXT, "Header of the column of units", "单位列的表头"),
    ),
)
FIELDS = Table(
    "fields",
    tuple(
        key(name, TEXT, f"Header or =constant: {doc.en}", f"表头或 =常量：{doc.zh}")
        for name, doc in RECORD_FIELDS
    ),
)
SOURCES = Table(
    "source",
    (
        key("id", ID, "Id", "编号", required=True),
        key(
            "role",
            Value(
                words=(
                    ("readings", Text("values of meters", "表计读数")),
                    (
                        "records",
                        Text("purchases, stocks, laboratory values, output", "采购、库存、化验、产量等台账"),
                    ),
                )
            ),
            "What the files hold",
            "文件内容",
            required=True,
        ),
        key(
            "files",
            Items(Value("path"), single=True),
            "Files or patterns, from the plant file's folder",
            "文件或通配模式，相对工厂文件所在文件夹",
            required=True,
        ),
        key(
            "format",
            Value(
                words=(
                    ("auto", Text("by the name's ending", "按扩展名")),
                    ("csv", Text("text with delimiters", "分隔文本")),
                    ("xlsx", Text("Excel workbook", "Excel 工作簿")),
                    ("parquet", Text("Parquet", "Parquet")),
                )
            ),
            "Format of the files",
            "文件格式",
            default="auto",
        ),
        key(
            "encoding",
            Value("encoding"),
            "auto, utf-8, gbk, utf-16 …",
            "auto、utf-8、gbk、utf-16 等",
            default="auto",
        ),
        key(
            "delimiter",
            Value("delimiter"),
            "auto, tab, or one character",
            "auto、tab 或单个字符",
            default="auto",
        ),
        key(
            "decimal",
            Value(words=((".", Text("point", "点")), (",", Text("comma", "逗号")))),
            "Decimal mark",
            "小数点",
            default=".",
        ),
        key(
            "thousands",
            Value(
                words=(
                    ("", Text("none", "无")),
                    (",", Text("comma", "逗号")),
                    (".", Text("point", "点")),
                    (" ", Text("space", "空格")),
                    ("'", Text("apostrophe", "撇号")),
                )
            ),
            "Thousands separator",
            "千位分隔符",
            default="",
        ),
        key("sheet", TEXT, "Sheet of a workbook; the first where left out", "工作表；省略为第一个"),
        key(
            "header_row",
            Value("integer", low=1, high=1000),
            "Row of the headers, counted from 1",
            "表头所在行，从 1 起",
        ),
        key("time", TIME, "How times read", "时间的写法"),
        key(
            "wide",
            Named(Either(value=METER, table=WIDE_METER)),
            "One column per meter: header → meter",
            "每表一列：表头 → 表计",
        ),
        key("long", LONG, "One row per reading", "每个读数一行"),
        key(
            "quantity",
            ID,
            "What the records' values are, unless a column says",
            "台账数值的含义（无对应列时）",
        ),
        key(
            "uncertainty",
            UNCERTAINTY,
            "Of the records' values: the scale, the laboratory",
            "台账数值的不确定度：衡器、化验室",
        ),
        key("fields", FIELDS, "Where each field of a record stands", "台账各字段所在的列"),
        key(
            "map",
            Table(
                "map",
                tuple(
                    key(name, Named(TEXT), f"Words of the file → {what}", f"文件用词 → {zh}")
                    for name, what, zh in (
                        ("meter", "meter ids", "表计编号"),
                        ("item", "carriers or products", "品种或产品"),
                        ("quantity", "quantities", "量"),
                        ("unit", "units", "单位"),
                        ("site", "sites", "站点"),
                        ("process", "processes", "工序"),
                        ("purpose", "purposes", "用途"),
                    )
                ),
            ),
            "Words of the file and what they stand for",
            "文件用词的含义",
        ),
        key(
            "missing",
            Items(TEXT, single=True),
            "Cells that mean no value; these are the default",
            "表示无数值的单元格",
            default='["", NA, N/A, "null", "NULL", "-", "--"]',
        ),
    ),
    section="sources",
)
FACTORS = Table(
    "factor",
    (
        key("factor", ID, "Name of the factor in the rulebook", "规则集中的因子名", required=True),
        key("value", NUMBER, "Value", "数值", required=True),
        key("unit", Value("unit"), "Unit: kgCO2/kWh", "单位：kgCO2/kWh", required=True),
        key("keys", Named(TEXT), "What it is for: site, carrier …", "适用对象：站点、品种等"),
        *VALID,
        key("rulebook", ID, "Only for this rulebook", "仅用于此规则集"),
        key("published", DATE, "Day it was published", "发布日期"),
        key("uncertainty", UNCERTAINTY, "Of the value", "数值的不确定度"),
        *CITED,
    ),
)
DERIVED = Table(
    "derived",
    (
        key(
            "quantity",
            ID,
            "The fact, as the rulebook that needs it names it",
            "事实量，按需要它的规则集的名称",
            required=True,
        ),
        key(
            "item",
            TEXT,
            "Its first key: product, production line, good …",
            "其第一个键：产品、生产线、货物等",
        ),
        key("purpose", TEXT, "Its second key: indicator, source stream …", "其第二个键：指标、源流等"),
        key("rulebook", TEXT, "The rulebook that calculates it", "计算它的规则集", required=True),
        key(
            "of",
            ID,
            "What of that rulebook it is: a result or a fact",
            "取该规则集的哪个结果或事实",
            required=True,
        ),
        key("where", Named(TEXT), "Only the rows of this carrier, purpose …", "仅取该品种、用途等的行"),
        key("site", Value("id", refers=("sites",)), "Only at this site", "仅该站点"),
        key("process", Value("id", refers=("processes",)), "Only of this process", "仅该工序"),
    ),
)
EXCLUDED = Table(
    "excluded",
    (
        key("meter", METER, "Meter whose readings do not count", "读数不计入的表计"),
        key(
            "quantity",
            ID,
            "Of records: the quantity; with it the words below that tell the record from others",
            "台账的量；与下列各项一起确定是哪条台账",
        ),
        key("item", TEXT, "Its carrier, product …, as the store has it", "其品种、产品等，按存储中的编号"),
        key("purpose", TEXT, "Its purpose", "其用途"),
        key("site", Value("id", refers=("sites",)), "Its site", "其站点"),
        key("process", Value("id", refers=("processes",)), "Its process", "其工序"),
        key("note", TEXT, "Its number: invoice, batch", "其单号、批号"),
        key(
            "value",
            NUMBER,
            "Its value, where several have the same words",
            "其数值（其余各项相同时用以区分）",
        ),
        key(
            "start",
            Value("instant"),
            "First reading that does not count, or start of the record; local time of the site",
            "首个不计入的读数，或台账的起始；站点当地时间",
            required=True,
        ),
        key(
            "end",
            Value("instant"),
            "Last reading that does not count, or end of the record; of readings `start` where left out",
            "最后一个不计入的读数，或台账的截止；读数省略时同 `start`",
        ),
        key("reason", TEXT, "Why it does not count", "不计入的理由", required=True),
        key("by", TEXT, "Who decided it", "决定人"),
        key("at", TEXT, "When it was decided", "决定时间"),
    ),
)
