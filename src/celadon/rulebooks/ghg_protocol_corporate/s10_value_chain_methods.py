"""Scope 3, how an activity's emission is found: reported by the partner, from its energy, amount, distance or spend.

Each activity is recorded once, by the best method there are data for. The number in the file's name is the order.
"""

from celadon.rules import choose, constant, document, key, sum_of

guidance = document("GHG Protocol Scope 3 Guidance")
goods = guidance.clause(
    {
        "zh": "第1、2章（供应商特定法与平均数据法）",
        "en": "chapters 1 and 2 (supplier-specific and average-data methods)",
    },
    {
        "zh": "各类货物数量 × 供应商的从摇篮到大门因子，否则采用平均因子",
        "en": "Amount of each good × its supplier's cradle-to-gate factor, else an average one",
    },
)
spend = guidance.clause(
    {"zh": "第1、2、4、6章（支出法）", "en": "chapters 1, 2, 4 and 6 (spend-based method)"},
    {
        "zh": "采购金额 × 单位金额排放因子，按因子的价格年份与货币折算",
        "en": "Value of what was bought × emission per monetary value, in the price year and currency "
        "of the factor",
    },
)
fuel_based = guidance.clause(
    {
        "zh": "第4、8、9、10、13、14章（燃料法、特定资产法与场地特定法）",
        "en": "chapters 4, 8, 9, 10, 13 and 14 (fuel-based, asset-specific and site-specific methods)",
    },
    {"zh": "他人使用的能源 × 其排放因子", "en": "Energy that the others used × its emission factor"},
)
distance = guidance.clause(
    {"zh": "第4、6、7、9章（距离法）", "en": "chapters 4, 6, 7 and 9 (distance-based method)"},
    {
        "zh": "质量 × 距离，或人数 × 距离，再乘以运输方式的因子",
        "en": "Mass × distance, or persons × distance, × factor of the mode",
    },
)
treatment = guidance.clause(
    {"zh": "第5、12章（废弃物类型特定法）", "en": "chapters 5 and 12 (waste-type-specific method)"},
    {"zh": "废弃物数量 × 按类型与处理方式的因子", "en": "Waste × factor of its type and treatment"},
)
energy = guidance.clause(
    {"zh": "第3章", "en": "chapter 3"},
    {
        "zh": "购入能源 × 上游因子；电力另乘以输配损失；不含范围一、范围二的排放",
        "en": "Energy bought × upstream factors; electricity also × what is lost on its way; nothing "
        "of scopes 1 and 2",
    },
)
sold = guidance.clause(
    {"zh": "第10、11章", "en": "chapters 10 and 11"},
    {
        "zh": "售出产品 × 后续加工或使用寿命内的排放",
        "en": "Products sold × what processing, or a lifetime of use, emits",
    },
)
invested = guidance.clause(
    {"zh": "第15章", "en": "chapter 15"},
    {
        "zh": "各被投资方的范围一、范围二排放 × 持有份额",
        "en": "Scope 1 and 2 of each investee × the share of it that is owned",
    },
)

is_electricity = key("carrier") == "electricity"
is_heat = key("carrier") == "heat"
no_factor = constant("0", unit="tCO2e/product_unit")
no_spend_factor = constant("0", unit="tCO2e/CNY")
electricity_amount = constant("1", unit="MWh/carrier_unit")
heat_amount = constant("1", unit="GJ/carrier_unit")


@goods.rule(
    unit="tCO2e",
    per="site, month, product, purpose",
    label={"zh": "采购货物排放", "en": "Emission of goods bought"},
)
def goods_emission(purchased_goods, supplier_factor, average_factor):
    """Amount × the supplier's factor, else the average one."""
    return purchased_goods * choose((supplier_factor >= no_factor, supplier_factor), otherwise=average_factor)


@spend.rule(
    unit="tCO2e",
    per="site, month, activity, purpose",
    label={"zh": "按金额估算的排放", "en": "Emission by spend"},
)
def spend_emission(activity_spend, spend_factor, foreign_spend_factor, exchange_rate, price_index):
    """Spend × factor per CNY; or in the currency and prices of a foreign factor × that factor."""
    abroad = foreign_spend_factor * exchange_rate * price_index
    return activity_spend * choose((spend_factor >= no_spend_factor, spend_factor), otherwise=abroad)


@fuel_based.rule(
    unit="tCO2e",
    per="site, month, carrier, purpose",
    label={"zh": "他方用能排放", "en": "Emission of energy used by others"},
)
def third_party_energy_emission(
    third_party_energy,
    applied_grid_emission_factor,
    heat_emission_factor,
    applied_net_calorific_value,
    stationary_carbon_dioxide_factor,
    stationary_methane_factor,
    stationary_nitrous_oxide_factor,
    carbon_dioxide_gwp,
    methane_gwp,
    nitrous_oxide_gwp,
):
    """Electricity × grid average, heat × its factor, fuel × calorific value × factor of each gas."""
    of_heat = (
        stationary_carbon_dioxide_factor * carbon_dioxide_gwp
        + stationary_methane_factor * methane_gwp
        + stationary_nitrous_oxide_factor * nitrous_oxide_gwp
    )
    return third_party_energy * choose(
        (is_electricity, electricity_amount * applied_grid_emission_factor),
        (is_heat, heat_amount * heat_emission_factor * carbon_dioxide_gwp),
        otherwise=applied_net_calorific_value * of_heat,
    )


@distance.rule(
    unit="tCO2e",
    per="site, month, mode, purpose",
    label={"zh": "货运排放", "en": "Emission of freight"},
)
def freight_emission(freight, freight_factor):
    """Tonne-kilometres × factor of the mode."""
    return freight * freight_factor


@distance.rule(
    unit="tCO2e",
    per="site, month, mode, purpose",
    label={"zh": "人员出行排放", "en": "Emission of passengers"},
)
def travel_emission(travel, travel_factor):
    """Passenger-kilometres × factor of the mode."""
    return travel * travel_factor


@treatment.rule(
    unit="tCO2e",
    per="site, month, waste, purpose",
    label={"zh": "废弃物处理排放", "en": "Emission of waste treated"},
)
def waste_emission(waste_treated, treatment_factor):
    """Mass × factor of its type and treatment."""
    return waste_treated * treatment_factor


@treatment.rule(
    unit="tCO2e",
    per="site, month, waste, purpose",
    label={"zh": "售出产品报废处理排放", "en": "Emission of sold products treated at their end"},
)
def end_of_life_emission(end_of_life_treated, treatment_factor):
    """Mass that is expected to be so treated × factor of its type and treatment."""
    return end_of_life_treated * treatment_factor


@energy.rule(
    unit="tCO2e",
    per="site, month, carrier, purpose",
    label={"zh": "燃料上游排放", "en": "Upstream emission of fuel"},
    when=~key("purpose").isin("feedstock") & ~is_electricity & ~is_heat,
)
def upstream_fuel_emission(energy_consumed, upstream_factor):
    """Fuel burnt × what getting it to the plant emits."""
    return energy_consumed * upstream_factor


@energy.rule(
    unit="tCO2e",
    per="site, month, carrier",
    label={"zh": "外购能源上游与输配损失排放", "en": "Upstream emission and losses of energy bought"},
    when=is_electricity | is_heat,
)
def upstream_energy_emission(energy_purchased, upstream_factor, loss_factor):
    """Energy bought × upstream factor, and × what is lost on the way."""
    return sum_of(energy_purchased * upstream_factor, energy_purchased * loss_factor)


@sold.rule(
    unit="tCO2e",
    per="site, month, product",
    label={"zh": "售出产品使用排放", "en": "Emission of the use of products sold"},
)
def use_emission(sold_products, lifetime_electricity, use_grid_factor, lifetime_direct_emission):
    """Units sold × (lifetime electricity × grid where it is used + what the product itself emits)."""
    return sum_of(
        sold_products * lifetime_electricity * use_grid_factor, sold_products * lifetime_direct_emission
    )


@sold.rule(
    unit="tCO2e",
    per="site, month, product",
    label={"zh": "售出中间产品加工排放", "en": "Emission of processing products sold"},
)
def processing_emission(sold_intermediates, processing_factor):
    """Amount sold × average emission of what it goes through."""
    return sold_intermediates * processing_factor


@invested.rule(
    unit="tCO2e",
    per="site, month, investee",
    label={"zh": "投资对应排放", "en": "Emission of investees, by share"},
)
def investee_share_emission(investee_emission, investment_share):
    """Scope 1 and 2 of the investee × share owned."""
    return investee_emission * investment_share
