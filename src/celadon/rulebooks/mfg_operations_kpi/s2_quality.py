"""Quality indicators, and overall equipment effectiveness, which is made of all three."""

from celadon.rules import document, total

standard = document("ISO 22400-2:2014")
good = standard.clause("quality ratio", "Quality ratio = GQ / PQ")
overall = standard.clause(
    "overall equipment effectiveness index", "OEE = availability × effectiveness × quality ratio"
)
scrap = standard.clause("scrap ratio", "Scrap ratio = SQ / PQ")
rework = standard.clause("rework ratio", "Rework ratio = RQ / PQ")


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
