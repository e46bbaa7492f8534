"""Quality indicators, and overall equipment effectiveness, which is made of all three."""

from celadon.rules import document, total

standard = document("ISO 22400-2:2014")
good = standard.clause(
    {"zh": "质量率", "en": "quality ratio"},
    {"zh": "质量率 = 合格品产量 GQ / 产出量 PQ", "en": "Quality ratio = GQ / PQ"},
)
overall = standard.clause(
    {"zh": "设备综合效率指数", "en": "overall equipment effectiveness index"},
    {
        "zh": "设备综合效率 OEE = 可用率 × 表现率 × 质量率",
        "en": "OEE = availability × effectiveness × quality ratio",
    },
)
scrap = standard.clause(
    {"zh": "废品率", "en": "scrap ratio"},
    {"zh": "废品率 = 废品量 SQ / 产出量 PQ", "en": "Scrap ratio = SQ / PQ"},
)
rework = standard.clause(
    {"zh": "返工率", "en": "rework ratio"},
    {"zh": "返工率 = 返工量 RQ / 产出量 PQ", "en": "Rework ratio = RQ / PQ"},
)


@good.rule(
    unit="1",
    per="site, month, product",
    label={"zh": "分产品质量率", "en": "Quality ratio by product"},
    adds=False,
)
def product_quality(product_output, produced_quantity):
    """Good quantity ÷ quantity produced."""
    return product_output / produced_quantity


@good.rule(unit="1", per="site, month", label={"zh": "质量率", "en": "Quality ratio"}, adds=False)
def quality(planned_time_of_good, planned_time_of_produced):
    """Good ÷ produced, each product counted with its planned time."""
    return total(planned_time_of_good, over="product") / total(planned_time_of_produced, over="product")


@overall.rule(
    unit="1",
    per="site, month",
    label={"zh": "设备综合效率", "en": "Overall equipment effectiveness"},
    adds=False,
)
def overall_equipment_effectiveness(availability, performance, quality):
    """Product of the three."""
    return availability * performance * quality


@scrap.rule(unit="1", per="site, month, product", label={"zh": "废品率", "en": "Scrap ratio"}, adds=False)
def scrap_ratio(scrap_quantity, produced_quantity):
    """Scrap ÷ quantity produced."""
    return scrap_quantity / produced_quantity


@rework.rule(unit="1", per="site, month, product", label={"zh": "返工率", "en": "Rework ratio"}, adds=False)
def rework_ratio(rework_quantity, produced_quantity):
    """Rework ÷ quantity produced."""
    return rework_quantity / produced_quantity
