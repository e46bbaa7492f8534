"""Corporate Standard, chapter 4: scope 1, with the IPCC 2006 factors the calculation tools use.

Shares of the organisational boundary (chapter 3) are taken where an emission arises, so every total already has them.
"""

from celadon.rules import choose, constant, document, first_given, key, option, sum_of, total

standard = document("GHG Protocol Corporate Standard")
ipcc = document("IPCC 2006 Guidelines")
gases = document("GHG Protocol Required Gases Amendment")
fuels = standard.clause(
    {"zh": "第6章", "en": "chapter 6"},
    {
        "zh": "采用可得的最准确数据：实测低位发热量优先于缺省值",
        "en": "The most accurate data available: measured calorific values before defaults",
    },
)
stationary = ipcc.clause(
    {"zh": "第2卷第2章（方法一）", "en": "Volume 2 Chapter 2 (Tier 1)"},
    {
        "zh": "排放量 = 燃料燃烧量 × 低位发热量 × 各气体的排放因子",
        "en": "Emission = fuel burnt × net calorific value × factor of each gas",
    },
)
mobile = ipcc.clause(
    {"zh": "第2卷第3章（方法一）", "en": "Volume 2 Chapter 3 (Tier 1)"},
    {
        "zh": "道路交通：燃料热量 × 各气体的排放因子",
        "en": "Road transport: fuel by energy × factor of each gas",
    },
)
scope1 = standard.clause(
    {"zh": "第4章（范围一）", "en": "chapter 4 (scope 1)"},
    {
        "zh": "企业拥有或控制的排放源的直接排放，分气体计算",
        "en": "Direct emissions from sources owned or controlled, gas by gas",
    },
)
outside = standard.clause(
    {"zh": "第4、9章（范围之外）", "en": "chapters 4 and 9 (outside the scopes)"},
    {
        "zh": "生物质燃烧的 CO2 与《京都议定书》清单外的气体单独报告；生物质的 CH4 与 N2O 计入范围一",
        "en": "CO2 from burning biomass and gases outside the Kyoto list are reported apart; CH4 and "
        "N2O of biomass stay in scope 1",
    },
)
potentials = gases.clause(
    {"zh": "百年增温潜势", "en": "100-year potentials"},
    {
        "zh": "各气体排放量 × 所选评估报告的百年增温潜势",
        "en": "Each gas × its 100-year potential from the assessment report the account names",
    },
)

fuel = ~key("carrier").isin(
    "electricity", "heat", "fresh_water", "softened_water", "deaerated_water", "compressed_air", "blast_air", "oxygen",
    "nitrogen_byproduct", "nitrogen_main", "argon", "carbon_dioxide_gas", "acetylene", "calcium_carbide",
)  # fmt: skip
biogenic = key("carrier").isin(
    "biomass", "biogas", "ethanol", "black_liquor", "other_solid_biomass", "charcoal", "biogasoline", "biodiesel",
    "other_liquid_biofuel", "landfill_gas", "sludge_gas", "msw_biogenic",
)  # fmt: skip
on_road = key("purpose") == "mobile"
is_gasoline = key("carrier") == "gasoline"
is_blend = key("gas").isin(
    "R-401A", "R-404A", "R-407A", "R-407B", "R-407C", "R-407F", "R-410A", "R-410B", "R-417A", "R-422D", "R-427A", "R-438A",
    "R-507A",
)  # fmt: skip
is_ozone_depleting = key("gas") == "HCFC-22"
by_equity = option("consolidation") == "equity_share"
whole = constant("1", unit="1")


@fuels.rule(
    unit="GJ/carrier_unit",
    per="site, month, carrier",
    label={"zh": "采用的低位发热量", "en": "Net calorific value in effect"},
    adds=False,
)
def applied_net_calorific_value(net_calorific_value, default_net_calorific_value):
    """The laboratory's value, else the default, shown as one."""
    return first_given(net_calorific_value, default_net_calorific_value)


@fuels.rule(
    unit="GJ",
    per="site, month, carrier, purpose",
    label={"zh": "燃料热量（按合并比例）", "en": "Heat of fuel burnt (consolidated share)"},
    when=fuel & ~(key("purpose") == "feedstock"),
)
def fuel_heat(energy_consumed, applied_net_calorific_value, equity_share):
    """Fuel burnt × net calorific value × the share of the site that is the company's."""
    return energy_consumed * applied_net_calorific_value * choose((by_equity, equity_share), otherwise=whole)


@stationary.rule(
    unit="tCO2",
    per="site, month, carrier, purpose",
    label={"zh": "固定燃烧 CO2", "en": "CO2 of stationary combustion"},
    when=~on_road & ~biogenic,
)
def stationary_carbon_dioxide(fuel_heat, stationary_carbon_dioxide_factor):
    """Heat × factor."""
    return fuel_heat * stationary_carbon_dioxide_factor


@stationary.rule(
    unit="tCH4",
    per="site, month, carrier, purpose",
    label={"zh": "固定燃烧 CH4", "en": "CH4 of stationary combustion"},
    when=~on_road,
)
def stationary_methane(fuel_heat, stationary_methane_factor):
    """Heat × factor; biomass counts in full."""
    return fuel_heat * stationary_methane_factor


@stationary.rule(
    unit="tN2O",
    per="site, month, carrier, purpose",
    label={"zh": "固定燃烧 N2O", "en": "N2O of stationary combustion"},
    when=~on_road,
)
def stationary_nitrous_oxide(fuel_heat, stationary_nitrous_oxide_factor):
    """Heat × factor; biomass counts in full."""
    return fuel_heat * stationary_nitrous_oxide_factor


@mobile.rule(
    unit="tCO2",
    per="site, month, carrier, purpose",
    label={"zh": "移动燃烧 CO2", "en": "CO2 of mobile combustion"},
    when=on_road & ~biogenic,
)
def mobile_carbon_dioxide(fuel_heat, mobile_carbon_dioxide_factor, gasoline_carbon_dioxide_factor):
    """Heat × road factor."""
    return fuel_heat * choose(
        (is_gasoline, gasoline_carbon_dioxide_factor), otherwise=mobile_carbon_dioxide_factor
    )


@mobile.rule(
    unit="tCH4",
    per="site, month, carrier, purpose",
    label={"zh": "移动燃烧 CH4", "en": "CH4 of mobile combustion"},
    when=on_road,
)
def mobile_methane(fuel_heat, mobile_methane_factor, gasoline_methane_factor):
    """Heat × road factor; gasoline by the technology the account names."""
    return fuel_heat * choose((is_gasoline, gasoline_methane_factor), otherwise=mobile_methane_factor)


@mobile.rule(
    unit="tN2O",
    per="site, month, carrier, purpose",
    label={"zh": "移动燃烧 N2O", "en": "N2O of mobile combustion"},
    when=on_road,
)
def mobile_nitrous_oxide(fuel_heat, mobile_nitrous_oxide_factor, gasoline_nitrous_oxide_factor):
    """Heat × road factor; gasoline by the technology the account names."""
    return fuel_heat * choose(
        (is_gasoline, gasoline_nitrous_oxide_factor), otherwise=mobile_nitrous_oxide_factor
    )


@potentials.rule(
    unit="tCO2e",
    per="site, month, carrier, purpose",
    label={"zh": "固定燃烧排放", "en": "Stationary combustion"},
)
def stationary_combustion_emission(
    stationary_carbon_dioxide,
    stationary_methane,
    stationary_nitrous_oxide,
    carbon_dioxide_gwp,
    methane_gwp,
    fossil_methane_gwp,
    non_fossil_methane_gwp,
    nitrous_oxide_gwp,
):
    """CO2 (none of biomass), CH4 and N2O, each × its potential."""
    potential = choose(
        (option("methane_gwp") == "single", methane_gwp),
        (biogenic, non_fossil_methane_gwp),
        otherwise=fossil_methane_gwp,
    )
    return sum_of(
        stationary_carbon_dioxide * carbon_dioxide_gwp,
        stationary_methane * potential,
        stationary_nitrous_oxide * nitrous_oxide_gwp,
    )


@potentials.rule(
    unit="tCO2e",
    per="site, month, carrier, purpose",
    label={"zh": "移动燃烧排放", "en": "Mobile combustion"},
)
def mobile_combustion_emission(
    mobile_carbon_dioxide,
    mobile_methane,
    mobile_nitrous_oxide,
    carbon_dioxide_gwp,
    methane_gwp,
    fossil_methane_gwp,
    non_fossil_methane_gwp,
    nitrous_oxide_gwp,
):
    """CO2 (none of biofuel), CH4 and N2O, each × its potential."""
    potential = choose(
        (option("methane_gwp") == "single", methane_gwp),
        (biogenic, non_fossil_methane_gwp),
        otherwise=fossil_methane_gwp,
    )
    return sum_of(
        mobile_carbon_dioxide * carbon_dioxide_gwp,
        mobile_methane * potential,
        mobile_nitrous_oxide * nitrous_oxide_gwp,
    )


@potentials.rule(
    unit="kgCO2e/kg",
    per="site, month, gas",
    label={"zh": "混合制冷剂增温潜势", "en": "Warming potential of a blend"},
    adds=False,
)
def blend_gwp(
    hfc_32_share, hfc_125_share, hfc_134a_share, hfc_143a_share, hfc_152a_share,
    hfc_32_gwp, hfc_125_gwp, hfc_134a_gwp, hfc_143a_gwp, hfc_152a_gwp,
):  # fmt: skip
    """Mass share of each gas in the blend × that gas's potential."""
    return (
        hfc_32_share * hfc_32_gwp
        + hfc_125_share * hfc_125_gwp
        + hfc_134a_share * hfc_134a_gwp
        + hfc_143a_share * hfc_143a_gwp
        + hfc_152a_share * hfc_152a_gwp
    )


@scope1.rule(
    unit="tCO2e",
    per="site, month, gas",
    label={"zh": "逸散排放", "en": "Fugitive emission"},
    when=~is_ozone_depleting,
)
def fugitive_emission(refrigerant_leaked, fluorinated_gwp, blend_gwp, equity_share):
    """Gas leaked × its potential; a blend by its composition."""
    share = choose((by_equity, equity_share), otherwise=whole)
    return refrigerant_leaked * choose((is_blend, blend_gwp), otherwise=fluorinated_gwp) * share


@scope1.rule(
    unit="tCO2e",
    per="site, month, emission_source",
    label={"zh": "过程及其他直接排放（计入）", "en": "Process and other direct emission counted"},
)
def process_and_other_emission(other_direct_emission, equity_share):
    """What a sector's rulebook calculates or a verifier found: calcination, reduction, flaring …"""
    return other_direct_emission * choose((by_equity, equity_share), otherwise=whole)


@outside.rule(
    unit="tCO2e",
    per="site, month, gas",
    label={
        "zh": "消耗臭氧层气体泄漏（范围之外）",
        "en": "Leaks of ozone-depleting gases (outside the scopes)",
    },
    when=is_ozone_depleting,
)
def ozone_depleting_emission(refrigerant_leaked, ozone_depleting_gwp, equity_share):
    """Gas leaked × its potential; reported apart."""
    return refrigerant_leaked * ozone_depleting_gwp * choose((by_equity, equity_share), otherwise=whole)


@outside.rule(
    unit="tCO2",
    per="site, month, carrier, purpose",
    label={"zh": "生物源二氧化碳（范围之外）", "en": "Biogenic CO2 (outside the scopes)"},
    when=biogenic,
)
def biogenic_carbon_dioxide(fuel_heat, stationary_carbon_dioxide_factor):
    """Heat × CO2 factor of the biomass fuel, on the road or not."""
    return fuel_heat * stationary_carbon_dioxide_factor


@scope1.rule(unit="tCO2e", per="site, month", label={"zh": "范围一排放", "en": "Scope 1"})
def scope_1(
    stationary_combustion_emission, mobile_combustion_emission, process_and_other_emission, fugitive_emission
):
    """Stationary, mobile, process and fugitive."""
    return sum_of(
        total(stationary_combustion_emission, over="carrier, purpose"),
        total(mobile_combustion_emission, over="carrier, purpose"),
        total(process_and_other_emission, over="emission_source"),
        total(fugitive_emission, over="gas"),
    )
