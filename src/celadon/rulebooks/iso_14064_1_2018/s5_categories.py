"""Clause 5.2.4 and Annex B: the six categories, each a sum of what the GHG Protocol rulebook computes."""

from celadon.rules import document, option, sum_of, total

standard = document("ISO 14064-1:2018")
direct = standard.clause(
    {"zh": "5.2.4、附录B.2", "en": "5.2.4 and Annex B.2"},
    {"zh": "类别 1：直接排放，并分气体量化", "en": "Category 1: direct emissions, quantified by gas as well"},
)
energy = standard.clause(
    {"zh": "5.2.4、附录B.3、附录E", "en": "5.2.4, Annex B.3 and Annex E"},
    {
        "zh": "类别 2：输入能源，按基于位置的方法；其他方法单独说明",
        "en": "Category 2: energy imported, location-based; another approach is told apart",
    },
)
transport = standard.clause(
    {"zh": "5.2.4、附录B.4", "en": "5.2.4 and Annex B.4"},
    {
        "zh": "类别 3：上下游货物运输、商务差旅、员工通勤与客户出行",
        "en": "Category 3: transport of goods up and down, business travel, commuting, clients",
    },
)
used = standard.clause(
    {"zh": "5.2.4、附录B.5", "en": "5.2.4 and Annex B.5"},
    {
        "zh": "类别 4：组织使用的货物、资本品、服务、废弃物处理与租入资产",
        "en": "Category 4: goods, capital goods, services, waste and leased assets that the "
        "organisation uses",
    },
)
sold = standard.clause(
    {"zh": "5.2.4、附录B.6", "en": "5.2.4 and Annex B.6"},
    {
        "zh": "类别 5：产品的使用、加工与寿命终止，出租资产与投资",
        "en": "Category 5: use, processing and end of its products, assets it leases out, investments",
    },
)
other = standard.clause(
    {"zh": "5.2.4、附录B.7", "en": "5.2.4 and Annex B.7"},
    {"zh": "类别 6：不属于其他类别的排放", "en": "Category 6: what fits no other category"},
)
report = standard.clause(
    "9.3.1", {"zh": "按类别报告直接与间接排放", "en": "Direct and indirect emissions by category"}
)

reported = option("scope_3") == "reported"


@direct.rule(
    unit="tCO2e", per="site, month", label={"zh": "类别 1：直接排放", "en": "Category 1: direct emission"}
)
def direct_emission(scope_1):
    """What the organisation itself emits."""
    return scope_1


@direct.rule(unit="tCO2", per="site, month", label={"zh": "直接排放：CO2", "en": "Direct emission of CO2"})
def direct_carbon_dioxide(stationary_carbon_dioxide, mobile_carbon_dioxide):
    """Of stationary and mobile combustion, biomass apart."""
    return sum_of(
        total(stationary_carbon_dioxide, over="carrier, purpose"),
        total(mobile_carbon_dioxide, over="carrier, purpose"),
    )


@direct.rule(unit="tCH4", per="site, month", label={"zh": "直接排放：CH4", "en": "Direct emission of CH4"})
def direct_methane(stationary_methane, mobile_methane):
    """Of stationary and mobile combustion, biomass included."""
    return sum_of(
        total(stationary_methane, over="carrier, purpose"), total(mobile_methane, over="carrier, purpose")
    )


@direct.rule(unit="tN2O", per="site, month", label={"zh": "直接排放：N2O", "en": "Direct emission of N2O"})
def direct_nitrous_oxide(stationary_nitrous_oxide, mobile_nitrous_oxide):
    """Of stationary and mobile combustion, biomass included."""
    return sum_of(
        total(stationary_nitrous_oxide, over="carrier, purpose"),
        total(mobile_nitrous_oxide, over="carrier, purpose"),
    )


@direct.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "直接排放：含氟气体", "en": "Direct emission of fluorinated gases"},
)
def direct_fluorinated(fugitive_emission):
    """Refrigerants and insulating gases."""
    return total(fugitive_emission, over="gas")


@energy.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "类别 2：外购能源", "en": "Category 2: imported energy, location-based"},
)
def imported_energy_emission(scope_2_location_based):
    """By the grid where it is used."""
    return scope_2_location_based


@energy.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "外购能源（基于市场，另行披露）", "en": "Imported energy, market-based, told apart"},
    adds=False,
)
def imported_energy_market_based(scope_2_market_based):
    """By the instruments that convey a factor; in no total."""
    return scope_2_market_based


@transport.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "类别 3：运输", "en": "Category 3: transport"},
    when=reported,
)
def transport_emission(upstream_transport, downstream_transport, business_travel, employee_commuting):
    """Goods up and down, business travel, commuting."""
    return sum_of(upstream_transport, downstream_transport, business_travel, employee_commuting)


@used.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "类别 4：组织使用的产品与服务", "en": "Category 4: products and services used"},
    when=reported,
)
def products_used_emission(
    purchased_goods_and_services,
    capital_goods,
    fuel_and_energy_related,
    waste_in_operations,
    upstream_leased_assets,
):
    """Goods, services, capital goods, upstream of energy, waste, leased assets."""
    return sum_of(
        purchased_goods_and_services,
        capital_goods,
        fuel_and_energy_related,
        waste_in_operations,
        upstream_leased_assets,
    )


@sold.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "类别 5：与组织产品的使用相关", "en": "Category 5: use of the organisation's products"},
    when=reported,
)
def products_sold_emission(
    processing_of_sold_products,
    use_of_sold_products,
    end_of_life_of_sold_products,
    downstream_leased_assets,
    investments,
):
    """Processing, use and end of what was sold, assets leased out, investments."""
    return sum_of(
        processing_of_sold_products,
        use_of_sold_products,
        end_of_life_of_sold_products,
        downstream_leased_assets,
        investments,
    )


@other.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "类别 6：其他", "en": "Category 6: other sources"},
    when=reported,
)
def other_indirect(other_indirect_emission, franchises):
    """Franchises and what else there is."""
    return sum_of(total(other_indirect_emission, over="source"), franchises)


@report.rule(
    unit="tCO2e",
    per="site, month",
    label={"zh": "排放合计（类别 1–6）", "en": "Total emission, categories 1 to 6"},
)
def total_emission(
    direct_emission,
    imported_energy_emission,
    transport_emission,
    products_used_emission,
    products_sold_emission,
    other_indirect,
):
    """The six categories; biogenic CO2 is apart."""
    return sum_of(
        direct_emission,
        imported_energy_emission,
        transport_emission,
        products_used_emission,
        products_sold_emission,
        other_indirect,
    )
