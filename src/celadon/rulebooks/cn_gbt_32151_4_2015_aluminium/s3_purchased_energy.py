"""Purchased and exported electricity and heat. The text was not seen; clauses are named by chapter. The number in the file's name is the order, not a clause."""

from celadon.rules import choose, constant, document, key, option

standard = document("GB/T 32151.4-2015")
notices = document("MEE grid factor notices")
grid = notices.clause(
    {"zh": "各行注明文号", "en": "each row names its notice"},
    {
        "zh": "采用所选系列中活动数据当年的电力排放因子；当年尚未公布的，沿用最近一年",
        "en": "The factor of the activity year, from the series the account names; where the year has "
        "none yet, the latest earlier",
    },
)
purchased = standard.clause(
    {"zh": "核算方法（净购入电力和热力：购入）", "en": "accounting method (purchased electricity and heat)"},
    {"zh": "E = AD × EF：购入量乘以排放因子", "en": "E = AD × EF: amount bought × emission factor"},
)
exported = standard.clause(
    {"zh": "核算方法（净购入电力和热力：输出）", "en": "accounting method (exported electricity and heat)"},
    {
        "zh": "E = AD × EF：输出量乘以相同的排放因子，从总量中扣除",
        "en": "E = AD × EF with the same factors; subtracted from the total",
    },
)

is_electricity = key("carrier") == "electricity"
is_heat = key("carrier") == "heat"
electricity_amount = constant("1", unit="MWh/carrier_unit")  # electricity is kept in MWh (core/carriers)
heat_amount = constant("1", unit="GJ/carrier_unit")  # heat is kept in GJ
no_emission = constant("0", unit="tCO2/MWh")


@grid.rule(
    unit="tCO2/MWh",
    per="site, month",
    label={"zh": "采用的电力排放因子", "en": "Grid factor in effect"},
    adds=False,
)
def applied_grid_emission_factor(grid_emission_factor, national_grid_emission_factor):
    """The plant's own factor first; then the national series, or the one of the site's region."""
    own_or_national = choose(
        (grid_emission_factor >= no_emission, grid_emission_factor), otherwise=national_grid_emission_factor
    )
    is_national = option("grid_factor").isin("national_statistical", "national_notice")
    return choose((is_national, own_or_national), otherwise=grid_emission_factor)


@purchased.rule(
    unit="tCO2",
    per="site, month, carrier",
    label={"zh": "购入电力对应的排放", "en": "Purchased electricity"},
    when=is_electricity,
)
def purchased_electricity_emission(energy_purchased, applied_grid_emission_factor):
    """Electricity bought × grid factor."""
    return energy_purchased * electricity_amount * applied_grid_emission_factor


@purchased.rule(
    unit="tCO2",
    per="site, month, carrier",
    label={"zh": "购入热力对应的排放", "en": "Purchased heat"},
    when=is_heat,
)
def purchased_heat_emission(energy_purchased, heat_emission_factor):
    """Heat bought × factor of heat."""
    return energy_purchased * heat_amount * heat_emission_factor


@exported.rule(
    unit="tCO2",
    per="site, month, carrier",
    label={"zh": "输出电力对应的排放（扣减）", "en": "Exported electricity (subtracted)"},
    when=is_electricity,
)
def exported_electricity_emission(energy_exported, applied_grid_emission_factor):
    """Electricity sold × the same grid factor."""
    return energy_exported * electricity_amount * applied_grid_emission_factor


@exported.rule(
    unit="tCO2",
    per="site, month, carrier",
    label={"zh": "输出热力对应的排放（扣减）", "en": "Exported heat (subtracted)"},
    when=is_heat,
)
def exported_heat_emission(energy_exported, heat_emission_factor):
    """Heat sold × the same factor of heat."""
    return energy_exported * heat_amount * heat_emission_factor
