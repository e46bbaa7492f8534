"""Corporate Standard, chapter 9, reporting: totals of scopes 1 and 2; both methods of scope 2 are always told."""

from celadon.rules import document, sum_of

standard = document("GHG Protocol Corporate Standard")
report = standard.clause(
    {"zh": "第9章", "en": "chapter 9"},
    {
        "zh": "范围一、范围二分别报告并给出合计；范围二按两种方法报告",
        "en": "Scopes 1 and 2 are reported each and together; scope 2 by both methods",
    },
)


@report.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围一加范围二（基于位置）", "en": "Scopes 1 and 2, location-based"},
)
def total_location_based(scope_1, scope_2_location_based):
    """Scope 1 and scope 2 by location."""
    return sum_of(scope_1, scope_2_location_based)


@report.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围一加范围二（基于市场）", "en": "Scopes 1 and 2, market-based"},
    adds=False,
)
def total_market_based(scope_1, scope_2_market_based):
    """Scope 1 and scope 2 by market."""
    return sum_of(scope_1, scope_2_market_based)
