"""Rows that are kept out: each kind of fault, told once per file with how many rows and which."""

from __future__ import annotations

from celadon.core.findings import FindingKind, Severity
from celadon.core.text import Text

_FIX_ROW = Text(
    "Correct these rows at the source and load again; `celadon quarantine REGION` lists them.",
    "请在数据来源更正这些行后重新载入；`celadon quarantine REGION` 可列出。",
)


def _kind(code: str, title: Text, says: Text, fix: Text = _FIX_ROW) -> FindingKind:
    en, zh = (
        "{count} rows of {file} kept out (lines {lines}): ",
        "{file} 中有 {count} 行未载入（第 {lines} 行）：",
    )
    return FindingKind(code, Severity.ERROR, title, Text(en + says.en, zh + says.zh), fix)


ENTERPRISE_MISSING = _kind(
    "region.enterprise-missing",
    Text("Enterprise without id", "企业缺少编号"),
    Text("no enterprise id ({example}).", "没有企业编号（{example}）。"),
)
ENTERPRISE_TWICE = _kind(
    "region.enterprise-twice",
    Text("Enterprise registered twice", "企业重复登记"),
    Text(
        "the id is registered already ({example}); the first row counts.",
        "编号已登记（{example}），以第一行为准。",
    ),
)
INDUSTRY_UNKNOWN = _kind(
    "region.industry-unknown",
    Text("Unknown industry", "未知行业"),
    Text(
        "“{example}” is no four-digit code of GB/T 4754-2017.", "“{example}”不是 GB/T 4754-2017 的四位代码。"
    ),
)
REGION_UNKNOWN = _kind(
    "region.region-unknown",
    Text("Unknown administrative code", "未知行政区划代码"),
    Text(
        "“{example}” is in no listed province or prefecture.", "“{example}”不属于任何已列的省级或地级区划。"
    ),
)
PRODUCT_UNKNOWN = _kind(
    "region.product-unknown",
    Text("Unknown product", "未知产品"),
    Text("“{example}” is not declared under products.", "“{example}”未在 products 下声明。"),
)
ENTERPRISE_UNKNOWN = _kind(
    "region.enterprise-unknown",
    Text("Enterprise not in the registry", "企业不在名录中"),
    Text("“{example}” is not in the registry.", "“{example}”不在名录中。"),
    Text(
        "Add the enterprise to the registry and load again: the files are then read anew.",
        "请将企业加入名录后重新载入：相关文件会重新读取。",
    ),
)
MONTH_UNREADABLE = _kind(
    "region.month-unreadable",
    Text("Month cannot be read", "月份无法识别"),
    Text(
        "“{example}” is not a month (2024-03, 202403, 2024年3月 or a date without an offset).",
        "“{example}”不是月份（2024-03、202403、2024年3月，或不带时区偏移的日期）。",
    ),
)
MONTH_OUTSIDE = _kind(
    "region.month-outside",
    Text("Month outside the region's", "月份超出范围"),
    Text("“{example}” is outside the months of the region file.", "“{example}”超出区域文件所定月份。"),
)
VALUE_UNREADABLE = _kind(
    "region.value-unreadable",
    Text("Value is not a number", "数值无法识别"),
    Text("“{example}” is not a finite number.", "“{example}”不是有限数值。"),
)
VALUE_NEGATIVE = _kind(
    "region.value-negative",
    Text("Negative amount", "数量为负"),
    Text("{example}: an amount cannot be below zero.", "{example}：数量不能为负。"),
)
ROW_TWICE = _kind(
    "region.row-twice",
    Text("Reported twice in one file", "同一文件重复填报"),
    Text("{example} is there already; the first row counts.", "{example} 已有，以第一行为准。"),
)
FACT_UNKNOWN = _kind(
    "region.fact-unknown",
    Text("Fact that the region file does not list", "区域文件未列的数据项"),
    Text("{example} is not among the source's values.", "{example} 不在该来源的 values 之中。"),
)
UNIT_UNREADABLE = _kind(
    "region.unit-unreadable",
    Text("Unit cannot be used", "单位不可用"),
    Text("{example} does not convert to the unit it is kept in.", "{example} 不能换算为保存单位。"),
)
YEAR_UNREADABLE = _kind(
    "region.year-unreadable",
    Text("Year cannot be read", "年份无法识别"),
    Text("“{example}” is not a year.", "“{example}”不是年份。"),
)
KINDS: dict[str, FindingKind] = {
    kind.code: kind
    for kind in (
        ENTERPRISE_MISSING, ENTERPRISE_TWICE, INDUSTRY_UNKNOWN, REGION_UNKNOWN, PRODUCT_UNKNOWN, ENTERPRISE_UNKNOWN,
        MONTH_UNREADABLE, MONTH_OUTSIDE, VALUE_UNREADABLE, VALUE_NEGATIVE, ROW_TWICE, FACT_UNKNOWN, UNIT_UNREADABLE,
        YEAR_UNREADABLE,
    )
}  # fmt: skip

LEFT_OUT_NOW = FindingKind(
    "region.correction-shorter",
    Severity.WARNING,
    Text("A corrected report says less", "更正后的报表项目减少"),
    Text(
        "{count} reports of {file} replace earlier ones of the same month and leave {column} out, which had been reported.",
        "{file} 中有 {count} 份报表替换了同月先前的报表，却未再填报 {column}。",
    ),
    Text(
        "A report replaces the whole earlier one of its sender: give every value again, also those that stay.",
        "更正报表整体替换同一来源先前的报表：未变的数值也须重新填报。",
    ),
)
GONE_FROM_FILE = FindingKind(
    "region.gone-from-file",
    Severity.WARNING,
    Text("Reports that the file no longer has", "文件中已不再包含的月报"),
    Text(
        "{count} reports that an earlier {file} brought are not in it now ({example}): they still count.",
        "此前由 {file} 载入的 {count} 份月报现已不在该文件中（{example}）：仍计入。",
    ),
    Text(
        "Where they were wrong, give the enterprise and month with blank cells: that takes the report back.",
        "如原月报有误，请保留该企业和月份并将各项留空：即撤回该月报。",
    ),
)
GIVEN_DIFFERENTLY = FindingKind(
    "region.given-differently",
    Severity.WARNING,
    Text("Two senders say different things", "两个来源数值不一致"),
    Text(
        "{count} values of {column} are given by {first} and by {other}, and differ: those of {first} count.",
        "{first} 与 {other} 均填报了 {column}，其中 {count} 个数值不一致：以 {first} 为准。",
    ),
    Text(
        "Correct the one that is wrong; of one enterprise and month the sender that stands first in the region file counts.",
        "请更正有误的一方；同一企业同一月份以区域文件中排在前面的来源为准。",
    ),
)
REGISTRY_SHORTER = FindingKind(
    "region.registry-shorter",
    Severity.NOTICE,
    Text("Enterprises left the registry", "企业移出名录"),
    Text(
        "{count} enterprises of the earlier registry are not in this one; their facts no longer count.",
        "此前名录中的 {count} 家企业不在新名录中，其数据不再计入。",
    ),
    Text("Nothing, if they closed or moved; --as-of before this load still shows them.",
         "如已关停或迁出则无需处理；--as-of 取本次载入之前的时间仍可查看。"),
)  # fmt: skip
