"""Tariffs in the plant file: bands of the clock, dated prices, basic charge, power factor."""

from __future__ import annotations

from celadon.adapters.plant_file.shapes import Items, Named, Table, Value, key
from celadon.core.text import Text

DATE = Value("date")
ID = Value("id")
NUMBER = Value("number")
TEXT = Value()

CONFIDENCE = Value(
    words=(
        ("declared", Text("as the plant says", "企业申报")),
        ("verified2", Text("checked twice against the source", "与来源核对两次")),
        ("verified1", Text("checked once against the source", "与来源核对一次")),
        ("recalled", Text("from memory; never official", "凭记忆，非正式")),
    )
)
VALID = (
    key("since", DATE, "First day it holds", "起始日（含）"),
    key("until", DATE, "Last day it holds; open where left out", "截止日（含）；省略为长期有效"),
)
CITED = (
    key("source", TEXT, "Notice or contract it comes from", "文件或合同出处"),
    key("clause", TEXT, "Place in it", "条款"),
    key("confidence", CONFIDENCE, "How well it is known", "可信程度", default="declared"),
)
_FROM = (key("since", DATE, "First day it holds", "起始日（含）", required=True), VALID[1])

BANDS = Table(
    "band",
    (
        key("period", ID, "Name of the tariff period: peak", "时段名称：peak", required=True),
        key(
            "hours",
            Value("hours"),
            "Clock hours: 10:00-12:00, 16:00-22:00",
            "钟点：10:00-12:00, 16:00-22:00",
            required=True,
        ),
        key("months", Value("months"), "Months: 1-3, 7, or 11-2", "月份：1-3, 7 或 11-2", default="1-12"),
        key(
            "days",
            Value("days"),
            "workday, weekend, holiday or all",
            "workday、weekend、holiday 或 all",
            default="all",
        ),
    ),
)
PRICES = Table(
    "price",
    (
        key(
            "period", ID, "Tariff period; left out for a flat tariff", "时段；单一电价可省略", default="flat"
        ),
        key("price", NUMBER, "Money per unit", "单价", required=True),
        *_FROM,
    ),
)
PLAIN_PRICES = Table("plain price", (key("price", NUMBER, "Price", "单价", required=True), *_FROM))
BASIC = Table(
    "basic",
    (
        key(
            "by",
            Value(
                words=(
                    ("demand", Text("maximum demand, per kW and month", "按最大需量，元/千瓦·月")),
                    (
                        "capacity",
                        Text("transformer capacity, per kVA and month", "按变压器容量，元/千伏安·月"),
                    ),
                )
            ),
            "What it is charged on",
            "计费方式",
            required=True,
        ),
        key("contract", Value("amount"), "Agreed demand, kW", "合同需量，kW"),
        key("capacity", Value("amount"), "Installed capacity, kVA", "变压器容量，kVA"),
        key(
            "prices",
            Items(PLAIN_PRICES),
            "Money per kW or kVA and month",
            "每 kW 或 kVA 每月的价格",
            required=True,
        ),
        key(
            "excess_over",
            Value("percentage", low=1, high=10),
            "Excess begins above this share of `contract`",
            "超过合同需量此比例起加收",
            default="105%",
        ),
        key(
            "excess_factor",
            Value("number", low=1, high=100),
            "Price factor of the excess",
            "超出部分的价格倍数",
            default="2",
        ),
    ),
)
POWER_FACTOR = Table(
    "power_factor",
    (
        key(
            "standard",
            Value(words=tuple((word, Text(word, word)) for word in ("0.90", "0.85", "0.80"))),
            "Standard the bill is adjusted to",
            "考核标准",
            required=True,
        ),
        key(
            "reactive",
            Items(Value("id", refers=("meters",)), single=True),
            "Meters of reactive energy",
            "无功电能表",
            required=True,
        ),
    ),
)
TARIFFS = Table(
    "tariff",
    (
        key("id", ID, "Id", "编号", required=True),
        key("name", TEXT, "Name; the id where left out", "名称；省略时用编号"),
        key("carrier", Value("carrier"), "What is priced", "计价的能源品种", required=True),
        key("unit", Value("unit"), "Unit of the prices: CNY/kWh", "价格单位：CNY/kWh", required=True),
        *CITED,
        key(
            "periods",
            Items(BANDS),
            "Bands of local clock time; none for a flat tariff",
            "当地钟点的时段；单一电价可省略",
        ),
        key("prices", Items(PRICES), "Energy prices by tariff period", "分时段电度价格", required=True),
        key(
            "funds",
            Items(PLAIN_PRICES),
            "Government funds inside the price, not adjusted by power factor",
            "价内政府性基金，不参与力调",
        ),
        key("holidays", Items(DATE), "Public holidays", "法定节假日"),
        key("workdays", Items(DATE), "Weekend days worked in exchange", "调休上班日"),
        key(
            "day_types",
            Named(Value("days"), keys=DATE),
            "Day types that win over the calendar",
            "指定日类型，优先于日历",
        ),
        key("basic", BASIC, "Basic charge", "基本电费"),
        key("power_factor", POWER_FACTOR, "Power-factor adjustment", "功率因数调整"),
    ),
    section="tariffs",
)
