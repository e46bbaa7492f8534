"""The fixed texts of reports."""

from __future__ import annotations

from celadon.core.text import Text

QUANTITY = Text("Quantity", "指标")
PLACE = Text("Of", "对象")
VALUE = Text("Value", "数值")
UNIT = Text("Unit", "单位")
BEFORE = Text("Period before", "上期")
CHANGE = Text("Change", "变化")
COVERAGE = Text("Coverage", "覆盖率")
RESTS_ON = Text("Rests on", "数据构成")
TRACE = Text("Trace", "溯源号")
ABSENT = Text("absent", "缺失")
UNCHECKED = Text("unchecked factor", "含未核实因子")
CLAUSE = Text("Clause", "条款")
SOURCE = Text("Source", "来源")
CONFIDENCE = Text("Confidence", "可信度")
TOTAL = Text("Total", "合计")
ENTERPRISE = Text("Enterprise", "企业")
PERIOD = Text("Period", "报告期")
SITES = Text("Sites", "场所")
RULEBOOK = Text("Rulebook", "规则册")
KNOWN = Text("State of knowledge", "数据时点")
FACTS = Text("Digest of the facts", "数据摘要")
VERSION = Text("Made by", "生成工具")
CONFIDENCES = {
    "official": Text("official", "官方"),
    "verified2": Text("checked against two sources", "双源核实"),
    "verified1": Text("checked against one source", "单源核实"),
    "declared": Text("declared by the plant", "企业申报"),
    "recalled": Text("UNCHECKED (recalled)", "未核实（回忆值）"),
}
