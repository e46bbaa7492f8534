"""Embedded emissions of the imports, the free-allocation adjustment that is subtracted, certificates and their cost.

SEFA = CBAM factor × cross-sectoral factor × benchmark; certificates = max(0, embedded − SEFA). Amounts are those of the
period asked for: ask for the calendar year, and by enterprise for the threshold.
"""

from celadon.rules import at_key, choose, constant, document, maximum, minimum, option, total

regulation = document("Regulation (EU) 2023/956")
defaults = document("IR (EU) 2025/2621")
adjustment = document("IR (EU) 2025/2620")
pricing = document("IR (EU) 2025/2548")
default_route = defaults.clause(
    {"zh": "附件一与加成条款", "en": "Annex I and mark-up article"},
    {"zh": "SEE = 默认值 × （1 + 当年加成比例）", "en": "SEE = default value × (1 + mark-up of the year)"},
)
counted = regulation.clause(
    {"zh": "附件二", "en": "Annex II"},
    {
        "zh": "钢铁（2601 12 00 除外）、铝与氢：仅计直接排放",
        "en": "Iron and steel (but 2601 12 00), aluminium and hydrogen: direct emissions only",
    },
)
free = adjustment.clause(
    {"zh": "免费配额调整", "en": "free-allocation adjustment"},
    {
        "zh": "SEFA = F × CSCF × BM_A + Σ m_i × SEFA_i，外购前体的 SEFA_i = F × CSCF × BM_B,i；"
        "采用默认值时为 F × CSCF × BM_B",
        "en": "SEFA = F × CSCF × BM_A + Σ m_i × SEFA_i, SEFA_i of a bought precursor = F × CSCF × "
        "BM_B,i; with default values F × CSCF × BM_B",
    },
)
due = regulation.clause(
    {"zh": "第21、31条", "en": "Art. 21, 31"},
    {
        "zh": "证书数量 = 隐含排放减去免费配额调整，不低于零",
        "en": "Certificates = embedded emissions less the adjustment, never below zero",
    },
)
small = regulation.clause(
    {"zh": "第2a条", "en": "Art. 2a"},
    {
        "zh": "按质量计的各行业合计每年不超过 50 吨的免除义务；氢始终计入",
        "en": "Up to 50 t a year of the mass sectors together nothing is due; hydrogen always counts",
    },
)
paid = regulation.clause(
    {"zh": "第9条", "en": "Art. 9"},
    {
        "zh": "扣减 已支付碳价 ÷ 证书价格，不超过应缴数量",
        "en": "Carbon price paid ÷ certificate price is deducted, never more than what is due",
    },
)
price = pricing.clause(
    {"zh": "价格条款", "en": "price articles"},
    {"zh": "2026 年进口的货物按所在季度的证书价格", "en": "Imports of 2026 at the price of their quarter"},
)

actual = option("values") == "actual"
footnoted = option("benchmark_footnote").isin("1", "2")
nothing = constant("0", unit="tCO2e")
no_value = constant("0", unit="tCO2e/t")
no_price = constant("0", unit="EUR/tCO2e")


@default_route.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "按默认值的隐含排放", "en": "Embedded emission by default value"},
)
def default_embedded_emission(goods_imported, default_value, default_value_other, mark_up):
    """Mass × the country's default, or that of other countries, × (1 + mark-up)."""
    default = choose((default_value >= no_value, default_value), otherwise=default_value_other)
    return goods_imported * default * (1 + mark_up)


@counted.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "按实际值的隐含排放", "en": "Embedded emission by actual value"},
    adds=False,
)
def actual_embedded_emission(
    goods_imported, specific_direct_emission, specific_indirect_emission, indirect_counts
):
    """Mass × specific emission, the indirect part only where it counts."""
    specific = choose(
        (indirect_counts > 0, specific_direct_emission + specific_indirect_emission),
        (indirect_counts <= 0, specific_direct_emission),
    )
    return goods_imported * specific


@due.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "隐含排放", "en": "Embedded emission"},
    adds=False,
)
def embedded_emission(actual_embedded_emission, default_embedded_emission):
    """Actual where the account says so, else the default."""
    return choose((actual, actual_embedded_emission), otherwise=default_embedded_emission)


@free.rule(
    unit="tCO2e",
    per="site, month, good, purpose",
    label={"zh": "前体基准量", "en": "Benchmark amount of precursors"},
)
def precursor_benchmark_amount(precursor_used, precursor_benchmark):
    """Precursor used × its column B benchmark."""
    return precursor_used * precursor_benchmark


@free.rule(
    unit="tCO2e",
    per="site, month, good, purpose",
    label={"zh": "自产前体基准量", "en": "Benchmark amount of own precursors"},
    adds=False,
)
def own_precursor_benchmark_amount(own_precursor_used, process_benchmark):
    """Own precursor used × its own benchmark, with that of its precursors."""
    return own_precursor_used * at_key(process_benchmark, good="purpose")


@free.rule(
    unit="tCO2e/t",
    per="site, month, good",
    label={"zh": "按工序累加的基准", "en": "Benchmark of the process and its precursors"},
    adds=False,
)
def process_benchmark(
    benchmark_a,
    benchmark_a_footnote,
    precursor_benchmark_amount,
    own_precursor_benchmark_amount,
    good_produced,
):
    """Column A of the good itself, and what its bought and own precursors bring, per tonne."""
    own = choose(
        (benchmark_a >= no_value, benchmark_a), (footnoted, benchmark_a_footnote), otherwise=benchmark_a
    )
    bought = total(precursor_benchmark_amount, over="purpose")
    made = total(own_precursor_benchmark_amount, over="purpose")
    return (own * good_produced + bought + made) / good_produced


@free.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "免费配额调整（扣减）", "en": "Free-allocation adjustment (subtracted)"},
    adds=False,
)
def free_allocation_adjustment(
    goods_imported,
    cbam_factor,
    cross_sectoral_factor,
    benchmark_b,
    benchmark_b_footnote,
    process_benchmark,
):
    """Mass × factor × factor × benchmark: column B with default values, column A plus precursors with actual ones."""
    whole_chain = choose(
        (benchmark_b >= no_value, benchmark_b), (footnoted, benchmark_b_footnote), otherwise=benchmark_b
    )
    benchmark = choose((actual, process_benchmark), otherwise=whole_chain)
    return goods_imported * cbam_factor * cross_sectoral_factor * benchmark


@small.rule(
    unit="t",
    per="site, month, good",
    label={"zh": "计入门槛的质量", "en": "Mass that counts for the threshold"},
)
def threshold_mass(goods_imported, mass_counts):
    """Mass of goods of the four mass sectors."""
    return goods_imported * mass_counts


@small.rule(
    unit="t",
    per="site, month",
    label={"zh": "门槛质量合计", "en": "Mass counted for the threshold, all goods"},
)
def imported_mass(threshold_mass):
    """All goods together."""
    return total(threshold_mass, over="good")


@due.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "应缴证书", "en": "Certificates due"},
    adds=False,
)
def certificates_due(
    embedded_emission, free_allocation_adjustment, imported_mass, mass_threshold, mass_counts
):
    """Embedded − adjustment, never below zero; nothing up to the threshold, but for goods the threshold does not know."""
    net = maximum(embedded_emission - free_allocation_adjustment, nothing)
    return choose(
        (mass_counts <= 0, net),
        (imported_mass > mass_threshold, net),
        (imported_mass <= mass_threshold, nothing),
    )


@price.rule(
    unit="EUR·t/tCO2e",
    per="site, month, good",
    label={"zh": "货物量 × 证书价格", "en": "Mass times certificate price"},
)
def priced_mass(goods_imported, certificate_price):
    """Mass of the month × the price of its quarter."""
    return goods_imported * certificate_price


@price.rule(
    unit="t",
    per="site, month, good",
    label={"zh": "已有证书价格的货物量", "en": "Mass whose certificate price is published"},
)
def mass_with_price(goods_imported, certificate_price):
    """Mass of the months of quarters that have a price."""
    return choose((certificate_price >= no_price, goods_imported))


@price.rule(
    unit="EUR/tCO2e",
    per="site, month, good",
    label={"zh": "平均证书价格", "en": "Mean certificate price"},
    adds=False,
)
def mean_certificate_price(priced_mass, mass_with_price, goods_imported):
    """Weighted with the mass imported in each quarter; absent until every quarter with imports has its price."""
    return choose((mass_with_price >= goods_imported, priced_mass / goods_imported))


@paid.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "已付碳价抵扣的证书", "en": "Certificates deducted for a carbon price paid"},
    adds=False,
)
def certificates_deducted(carbon_price_paid, mean_certificate_price, certificates_due):
    """Paid ÷ price, at most what is due."""
    return minimum(carbon_price_paid / mean_certificate_price, certificates_due)


@due.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "须清缴证书", "en": "Certificates to surrender"},
    adds=False,
)
def certificates_to_surrender(certificates_due, certificates_deducted):
    """Due − deducted."""
    return certificates_due - certificates_deducted


@price.rule(
    unit="EUR", per="site, month, good", label={"zh": "证书费用", "en": "Cost of certificates"}, adds=False
)
def certificate_cost(certificates_to_surrender, mean_certificate_price):
    """Certificates × price."""
    return certificates_to_surrender * mean_certificate_price
