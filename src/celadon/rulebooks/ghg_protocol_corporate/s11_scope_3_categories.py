"""Scope 3, the fifteen categories and their total. The number in the file's name is the order.

A category without data is absent and told of; it is never zero. One that is not relevant is named in the plant file under
exclusions with its reason, which the account shows.
"""

from celadon.rules import choose, constant, document, key, option, sum_of, total

standard = document("GHG Protocol Value Chain Standard")
guidance = document("GHG Protocol Scope 3 Guidance")
category_1 = guidance.clause(
    {"zh": "第1章", "en": "chapter 1"},
    {
        "zh": "类别 1：当年采购的货物与服务的从摇篮到大门排放",
        "en": "Category 1: Cradle-to-gate emissions of goods and services bought in the year",
    },
)
category_2 = guidance.clause(
    {"zh": "第2章", "en": "chapter 2"},
    {
        "zh": "类别 2：资本品的从摇篮到大门排放，于采购当年全部计入，不折旧",
        "en": "Category 2: Cradle-to-gate emissions of capital goods in the year they are bought, not "
        "depreciated",
    },
)
category_3 = guidance.clause(
    {"zh": "第3章", "en": "chapter 3"},
    {
        "zh": "类别 3：购入燃料与能源的上游排放及输配损失，不含范围一、范围二的部分",
        "en": "Category 3: Upstream of fuels and energy bought, and losses, that are in neither scope "
        "1 nor scope 2",
    },
)
category_4 = guidance.clause(
    {"zh": "第4章", "en": "chapter 4"},
    {
        "zh": "类别 4：由企业付费的运输与仓储",
        "en": "Category 4: Transport and storage that the company pays for",
    },
)
category_5 = guidance.clause(
    {"zh": "第5章", "en": "chapter 5"},
    {"zh": "类别 5：由他人处理的企业废弃物", "en": "Category 5: Treatment of the company's waste by others"},
)
category_6 = guidance.clause(
    {"zh": "第6章", "en": "chapter 6"},
    {
        "zh": "类别 6：员工乘坐非自有交通工具的商务差旅",
        "en": "Category 6: Transport of employees for business, in vehicles of others",
    },
)
category_7 = guidance.clause(
    {"zh": "第7章", "en": "chapter 7"},
    {"zh": "类别 7：员工通勤", "en": "Category 7: Transport of employees between home and work"},
)
category_8 = guidance.clause(
    {"zh": "第8章", "en": "chapter 8"},
    {
        "zh": "类别 8：企业租入且未计入自身范围的资产的范围一、范围二排放",
        "en": "Category 8: Scopes 1 and 2 of what the company leases and has not in its own scopes",
    },
)
category_9 = guidance.clause(
    {"zh": "第9章", "en": "chapter 9"},
    {
        "zh": "类别 9：售出产品的、非企业付费的运输与仓储",
        "en": "Category 9: Transport and storage of sold products that the company does not pay for",
    },
)
category_10 = guidance.clause(
    {"zh": "第10章", "en": "chapter 10"},
    {
        "zh": "类别 10：加工所售中间产品者的范围一、范围二排放",
        "en": "Category 10: Scopes 1 and 2 of those who process intermediate products sold",
    },
)
category_11 = guidance.clause(
    {"zh": "第11章", "en": "chapter 11"},
    {
        "zh": "类别 11：当年售出产品在预期寿命内的直接使用阶段排放",
        "en": "Category 11: Direct use-phase emissions over the expected lifetime of what was sold in "
        "the year",
    },
)
category_12 = guidance.clause(
    {"zh": "第12章", "en": "chapter 12"},
    {
        "zh": "类别 12：当年售出的全部产品的寿命终止处理",
        "en": "Category 12: Treatment of all products sold in the year at the end of their life",
    },
)
category_13 = guidance.clause(
    {"zh": "第13章", "en": "chapter 13"},
    {
        "zh": "类别 13：企业拥有并出租的资产的范围一、范围二排放",
        "en": "Category 13: Scopes 1 and 2 of what the company owns and leases out",
    },
)
category_14 = guidance.clause(
    {"zh": "第14章", "en": "chapter 14"},
    {"zh": "类别 14：加盟商的范围一、范围二排放", "en": "Category 14: Scopes 1 and 2 of franchisees"},
)
category_15 = guidance.clause(
    {"zh": "第15章", "en": "chapter 15"},
    {
        "zh": "类别 15：被投资方的范围一、范围二排放，按投资比例计入",
        "en": "Category 15: Scope 1 and 2 of investees in proportion to the investment",
    },
)
all_categories = standard.clause(
    {"zh": "第5、6、9章", "en": "chapters 5, 6 and 9"},
    {
        "zh": "范围三为各类别之和；未纳入的类别须列明并说明理由",
        "en": "Scope 3 is the sum of its categories; those left out are named with the reason",
    },
)

reported = option("scope_3") == "reported"
by_equity = option("consolidation") == "equity_share"
whole = constant("1", unit="1")
is_1 = key("purpose") == "purchased_goods_and_services"
is_2 = key("purpose") == "capital_goods"
is_3 = key("purpose") == "fuel_and_energy_related"
is_4 = key("purpose") == "upstream_transport"
is_5 = key("purpose") == "waste_in_operations"
is_6 = key("purpose") == "business_travel"
is_7 = key("purpose") == "employee_commuting"
is_8 = key("purpose") == "upstream_leased_assets"
is_9 = key("purpose") == "downstream_transport"
is_10 = key("purpose") == "processing_of_sold_products"
is_11 = key("purpose") == "use_of_sold_products"
is_12 = key("purpose") == "end_of_life_of_sold_products"
is_13 = key("purpose") == "downstream_leased_assets"
is_14 = key("purpose") == "franchises"
is_15 = key("purpose") == "investments"


@category_1.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 1：采购的货物与服务", "en": "Scope 3 category 1: purchased goods and services"},
    when=reported,
)
def purchased_goods_and_services(reported_emission, goods_emission, spend_emission, equity_share):
    """Reported by partners, goods by amount and by spend."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_1),
            total(goods_emission, over="product, purpose", when=is_1),
            total(spend_emission, over="activity, purpose", when=is_1),
        )
        * share
    )


@category_2.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 2：资本货物", "en": "Scope 3 category 2: capital goods"},
    when=reported,
)
def capital_goods(reported_emission, goods_emission, spend_emission, equity_share):
    """Reported by partners, goods by amount and by spend."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_2),
            total(goods_emission, over="product, purpose", when=is_2),
            total(spend_emission, over="activity, purpose", when=is_2),
        )
        * share
    )


@category_3.rule(
    unit="tCO2e",
    per="site, month",
    label={
        "zh": "范围三类别 3：燃料与能源相关活动",
        "en": "Scope 3 category 3: fuel- and energy-related activities",
    },
    when=reported,
)
def fuel_and_energy_related(
    reported_emission, upstream_fuel_emission, upstream_energy_emission, equity_share
):
    """Reported by partners, upstream of fuels and of energy bought."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_3),
            total(upstream_fuel_emission, over="carrier, purpose"),
            total(upstream_energy_emission, over="carrier"),
        )
        * share
    )


@category_4.rule(
    unit="tCO2e",
    per="site, month",
    label={
        "zh": "范围三类别 4：上游运输与配送",
        "en": "Scope 3 category 4: upstream transportation and distribution",
    },
    when=reported,
)
def upstream_transport(
    reported_emission, third_party_energy_emission, freight_emission, spend_emission, equity_share
):
    """Reported by partners, by the energy used and by distance and by spend."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_4),
            total(third_party_energy_emission, over="carrier, purpose", when=is_4),
            total(freight_emission, over="mode, purpose", when=is_4),
            total(spend_emission, over="activity, purpose", when=is_4),
        )
        * share
    )


@category_5.rule(
    unit="tCO2e",
    per="site, month",
    label={
        "zh": "范围三类别 5：运营中产生的废弃物",
        "en": "Scope 3 category 5: waste generated in operations",
    },
    when=reported,
)
def waste_in_operations(reported_emission, waste_emission, spend_emission, equity_share):
    """Reported by partners, by type and treatment and by spend."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_5),
            total(waste_emission, over="waste, purpose"),
            total(spend_emission, over="activity, purpose", when=is_5),
        )
        * share
    )


@category_6.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 6：商务旅行", "en": "Scope 3 category 6: business travel"},
    when=reported,
)
def business_travel(
    reported_emission, third_party_energy_emission, travel_emission, spend_emission, equity_share
):
    """Reported by partners, by the energy used and by distance and by spend."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_6),
            total(third_party_energy_emission, over="carrier, purpose", when=is_6),
            total(travel_emission, over="mode, purpose", when=is_6),
            total(spend_emission, over="activity, purpose", when=is_6),
        )
        * share
    )


@category_7.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 7：员工通勤", "en": "Scope 3 category 7: employee commuting"},
    when=reported,
)
def employee_commuting(
    reported_emission, third_party_energy_emission, travel_emission, spend_emission, equity_share
):
    """Reported by partners, by the energy used and by distance and by spend."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_7),
            total(third_party_energy_emission, over="carrier, purpose", when=is_7),
            total(travel_emission, over="mode, purpose", when=is_7),
            total(spend_emission, over="activity, purpose", when=is_7),
        )
        * share
    )


@category_8.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 8：上游租赁资产", "en": "Scope 3 category 8: upstream leased assets"},
    when=reported,
)
def upstream_leased_assets(reported_emission, third_party_energy_emission, equity_share):
    """Reported by partners, by the energy used."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_8),
            total(third_party_energy_emission, over="carrier, purpose", when=is_8),
        )
        * share
    )


@category_9.rule(
    unit="tCO2e",
    per="site, month",
    label={
        "zh": "范围三类别 9：下游运输与配送",
        "en": "Scope 3 category 9: downstream transportation and distribution",
    },
    when=reported,
)
def downstream_transport(
    reported_emission, third_party_energy_emission, freight_emission, spend_emission, equity_share
):
    """Reported by partners, by the energy used and by distance and by spend."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_9),
            total(third_party_energy_emission, over="carrier, purpose", when=is_9),
            total(freight_emission, over="mode, purpose", when=is_9),
            total(spend_emission, over="activity, purpose", when=is_9),
        )
        * share
    )


@category_10.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 10：售出产品的加工", "en": "Scope 3 category 10: processing of sold products"},
    when=reported,
)
def processing_of_sold_products(
    reported_emission, third_party_energy_emission, processing_emission, equity_share
):
    """Reported by partners, by the energy used and by amount sold."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_10),
            total(third_party_energy_emission, over="carrier, purpose", when=is_10),
            total(processing_emission, over="product"),
        )
        * share
    )


@category_11.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 11：售出产品的使用", "en": "Scope 3 category 11: use of sold products"},
    when=reported,
)
def use_of_sold_products(reported_emission, use_emission, equity_share):
    """Reported by partners, by units sold."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_11), total(use_emission, over="product")
        )
        * share
    )


@category_12.rule(
    unit="tCO2e",
    per="site, month",
    label={
        "zh": "范围三类别 12：售出产品的报废处理",
        "en": "Scope 3 category 12: end-of-life treatment of sold products",
    },
    when=reported,
)
def end_of_life_of_sold_products(reported_emission, end_of_life_emission, equity_share):
    """Reported by partners, by type and treatment."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_12),
            total(end_of_life_emission, over="waste, purpose"),
        )
        * share
    )


@category_13.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 13：下游租赁资产", "en": "Scope 3 category 13: downstream leased assets"},
    when=reported,
)
def downstream_leased_assets(reported_emission, third_party_energy_emission, equity_share):
    """Reported by partners, by the energy used."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_13),
            total(third_party_energy_emission, over="carrier, purpose", when=is_13),
        )
        * share
    )


@category_14.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 14：特许经营", "en": "Scope 3 category 14: franchises"},
    when=reported,
)
def franchises(reported_emission, third_party_energy_emission, equity_share):
    """Reported by partners, by the energy used."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_14),
            total(third_party_energy_emission, over="carrier, purpose", when=is_14),
        )
        * share
    )


@category_15.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三类别 15：投资", "en": "Scope 3 category 15: investments"},
    when=reported,
)
def investments(reported_emission, investee_share_emission, equity_share):
    """Reported by partners, by share."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return (
        sum_of(
            total(reported_emission, over="partner, purpose", when=is_15),
            total(investee_share_emission, over="investee"),
        )
        * share
    )


@all_categories.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "范围三排放", "en": "Scope 3"},
    when=reported,
)
def scope_3(
    purchased_goods_and_services,
    capital_goods,
    fuel_and_energy_related,
    upstream_transport,
    waste_in_operations,
    business_travel,
    employee_commuting,
    upstream_leased_assets,
    downstream_transport,
    processing_of_sold_products,
    use_of_sold_products,
    end_of_life_of_sold_products,
    downstream_leased_assets,
    franchises,
    investments,
):
    """The fifteen categories; coverage says how far those that are due have data."""
    return sum_of(
        purchased_goods_and_services,
        capital_goods,
        fuel_and_energy_related,
        upstream_transport,
        waste_in_operations,
        business_travel,
        employee_commuting,
        upstream_leased_assets,
        downstream_transport,
        processing_of_sold_products,
        use_of_sold_products,
        end_of_life_of_sold_products,
        downstream_leased_assets,
        franchises,
        investments,
    )
