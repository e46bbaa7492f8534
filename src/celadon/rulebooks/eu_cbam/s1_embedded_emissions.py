"""Embedded emissions of a good from its own process and its precursors. The number in the file's name is the order."""

from celadon.rules import at_key, choose, constant, document, sum_of, total

method = document("IR (EU) 2025/2547")
streams = method.clause(
    {"zh": "源流", "en": "source streams"},
    {
        "zh": "按质量：数量 × 因子；按热值：数量 × 低位发热量 × 因子；扣除生物质比例",
        "en": "Amount × factor by mass, or amount × calorific value × factor by heat; less the biomass share",
    },
)
direct = method.clause(
    {"zh": "归属排放：直接", "en": "attributed emissions, direct"},
    {
        "zh": "AttrEm_dir = 直接排放 + 输入热力 − 输出热力 + 输入废气 − 输出废气 − 自产电力",
        "en": "AttrEm_dir = DirEm + heat imported − heat exported + waste gas imported − waste gas "
        "exported − electricity produced",
    },
)
indirect = method.clause(
    {"zh": "归属排放：间接", "en": "attributed emissions, indirect"},
    {"zh": "AttrEm_indir = E_el × EF_el：耗电量 × 电力排放因子", "en": "AttrEm_indir = E_el × EF_el"},
)
precursors = method.clause(
    {"zh": "前体", "en": "precursors"},
    {
        "zh": "各前体 M_i × SEE_i；前体无自身数值时采用加成后的默认值",
        "en": "M_i × SEE_i of each precursor; its default value, marked up, where it has no value of its own",
    },
)
specific = method.clause(
    {"zh": "单位隐含排放", "en": "specific embedded emissions"},
    {
        "zh": "SEE = (AttrEm + Σ M_i × SEE_i) / AL，直接与间接分别计算",
        "en": "SEE = (AttrEm + Σ M_i × SEE_i) / AL, direct and indirect apart",
    },
)
chain = method.clause(
    {"zh": "属于复杂货物的前体", "en": "precursors that are complex goods"},
    {
        "zh": "装置内自产的前体，其 SEE_i 按同一规则由自身生产过程及其前体逐级计算，不限层数",
        "en": "A precursor made in the installation has SEE_i by the same rule from its own process "
        "and its own precursors, to any depth",
    },
)

no_factor = constant("0", unit="tCO2e/t")


@streams.rule(
    unit="tCO2e",
    per="site, month, good, purpose",
    label={"zh": "源流排放", "en": "Emission of a source stream"},
)
def stream_emission(
    stream_amount, stream_mass_factor, stream_calorific_value, stream_heat_factor, stream_biomass_share
):
    """Amount × factor × what is not biomass."""
    factor = choose(
        (stream_mass_factor >= no_factor, stream_mass_factor),
        otherwise=stream_calorific_value * stream_heat_factor,
    )
    return stream_amount * factor * (1 - stream_biomass_share)


@direct.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "归属直接排放", "en": "Attributed direct emission"},
)
def attributed_direct_emission(
    stream_emission,
    heat_imported_emission,
    heat_exported_emission,
    waste_gas_imported_emission,
    waste_gas_exported_emission,
    electricity_produced_emission,
):
    """Source streams and what the process took in, less what it gave away."""
    own = sum_of(total(stream_emission, over="purpose"), heat_imported_emission, waste_gas_imported_emission)
    return own - heat_exported_emission - waste_gas_exported_emission - electricity_produced_emission


@indirect.rule(
    unit="tCO2e",
    per="site, month, good",
    label={"zh": "归属间接排放", "en": "Attributed indirect emission"},
)
def attributed_indirect_emission(electricity_used, electricity_emission_factor):
    """Electricity used × its factor: MWh times t per MWh, whatever the unit of the record."""
    return electricity_used * electricity_emission_factor


@precursors.rule(
    unit="tCO2e",
    per="site, month, good, purpose",
    label={"zh": "前体直接排放", "en": "Direct emission of precursors"},
)
def precursor_direct_emission(
    precursor_used,
    precursor_specific_direct,
    precursor_default_direct,
    precursor_default_direct_other,
    precursor_mark_up,
):
    """Amount × the precursor's own value, or its country's default (else that of other countries) with the mark-up."""
    default = choose(
        (precursor_default_direct >= no_factor, precursor_default_direct),
        otherwise=precursor_default_direct_other,
    )
    return precursor_used * choose(
        (precursor_specific_direct >= no_factor, precursor_specific_direct),
        otherwise=default * (1 + precursor_mark_up),
    )


@precursors.rule(
    unit="tCO2e",
    per="site, month, good, purpose",
    label={"zh": "前体间接排放", "en": "Indirect emission of precursors"},
)
def precursor_indirect_emission(
    precursor_used,
    precursor_specific_indirect,
    precursor_default_indirect,
    precursor_default_indirect_other,
    precursor_mark_up,
):
    """As the direct part."""
    default = choose(
        (precursor_default_indirect >= no_factor, precursor_default_indirect),
        otherwise=precursor_default_indirect_other,
    )
    return precursor_used * choose(
        (precursor_specific_indirect >= no_factor, precursor_specific_indirect),
        otherwise=default * (1 + precursor_mark_up),
    )


@chain.rule(
    unit="tCO2e",
    per="site, month, good, purpose",
    label={"zh": "自产前体直接排放", "en": "Direct emission of own precursors"},
    adds=False,
)
def own_precursor_direct_emission(own_precursor_used, specific_direct_emission):
    """Amount × the specific emission of the precursor as a good of this installation."""
    return own_precursor_used * at_key(specific_direct_emission, good="purpose")


@chain.rule(
    unit="tCO2e",
    per="site, month, good, purpose",
    label={"zh": "自产前体间接排放", "en": "Indirect emission of own precursors"},
    adds=False,
)
def own_precursor_indirect_emission(own_precursor_used, specific_indirect_emission):
    """As the direct part."""
    return own_precursor_used * at_key(specific_indirect_emission, good="purpose")


@specific.rule(
    unit="tCO2e/t",
    per="site, month, good",
    label={"zh": "直接单位隐含排放", "en": "Specific direct embedded emission"},
    adds=False,
)
def specific_direct_emission(
    attributed_direct_emission, precursor_direct_emission, own_precursor_direct_emission, good_produced
):
    """Own emission and that of bought and own precursors ÷ activity level."""
    bought = total(precursor_direct_emission, over="purpose")
    own = total(own_precursor_direct_emission, over="purpose")
    return (attributed_direct_emission + bought + own) / good_produced


@specific.rule(
    unit="tCO2e/t",
    per="site, month, good",
    label={"zh": "间接单位隐含排放", "en": "Specific indirect embedded emission"},
    adds=False,
)
def specific_indirect_emission(
    attributed_indirect_emission, precursor_indirect_emission, own_precursor_indirect_emission, good_produced
):
    """As the direct part."""
    bought = total(precursor_indirect_emission, over="purpose")
    own = total(own_precursor_indirect_emission, over="purpose")
    return (attributed_indirect_emission + bought + own) / good_produced
