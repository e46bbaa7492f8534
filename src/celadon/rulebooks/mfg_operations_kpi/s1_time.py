"""Time indicators: availability and performance. The number in the file's name is the order, not a clause."""

from celadon.rules import document, total

standard = document("ISO 22400-2:2014")
elements = standard.clause(
    {"zh": "时间要素", "en": "time elements"},
    {
        "zh": "计划单件运行时间乘以数量，为该数量的计划用时",
        "en": "Planned run time per item times a quantity is the time that quantity was planned to take",
    },
)
available = standard.clause(
    {"zh": "可用率", "en": "availability"},
    {"zh": "可用率 = 实际生产时间 APT / 计划忙碌时间 PBT", "en": "Availability = APT / PBT"},
)
effective = standard.clause(
    {"zh": "表现率", "en": "effectiveness"},
    {
        "zh": "表现率= 计划单件运行时间 PRI × 产出量 PQ / 实际生产时间 APT，按产品求和",
        "en": "Effectiveness (performance) = PRI × PQ / APT, summed over the products made",
    },
)


@elements.rule(
    unit="h",
    per="site, month, product",
    label={"zh": "产出量的计划时间", "en": "Planned time of the quantity produced"},
)
def planned_time_of_produced(planned_run_time_per_item, produced_quantity):
    """Planned run time per item × quantity produced."""
    return planned_run_time_per_item * produced_quantity


@elements.rule(
    unit="h",
    per="site, month, product",
    label={"zh": "合格品的计划时间", "en": "Planned time of the good quantity"},
)
def planned_time_of_good(planned_run_time_per_item, product_output):
    """Planned run time per item × good quantity."""
    return planned_run_time_per_item * product_output


@available.rule(unit="1", per="site, month", label={"zh": "可用率", "en": "Availability"}, adds=False)
def availability(actual_production_time, planned_busy_time):
    """Actual production time ÷ planned busy time."""
    return actual_production_time / planned_busy_time


@effective.rule(unit="1", per="site, month", label={"zh": "表现率", "en": "Performance"}, adds=False)
def performance(planned_time_of_produced, actual_production_time):
    """Planned time of what was produced ÷ actual production time."""
    return total(planned_time_of_produced, over="product") / actual_production_time
