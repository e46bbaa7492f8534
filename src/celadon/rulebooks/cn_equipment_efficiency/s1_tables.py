"""Grades from a tested figure and the table of its class. The number in the file's name is the order, not a clause.

1, 2, 3; 4 is below the minimum. Each grade lies between two limits that are both there, so a limit that was not read gives none.
"""

from celadon.rules import choose, document, key, maximum

motors = document("GB 18613-2020")
transformers = document("GB 20052-2024")
compressors = document("GB 19153-2019")
higher = motors.clause(
    {
        "zh": "表1（及 GB 24500-2020、GB 19761-2020 各表）",
        "en": "Table 1 (and the tables of GB 24500-2020 and GB 19761-2020)",
    },
    {"zh": "效率不低于该能效等级的规定值", "en": "Efficiency at or above the value of the grade"},
)
lower = transformers.clause(
    {"zh": "表1～表4", "en": "Tables 1-4"},
    {
        "zh": "空载损耗与负载损耗分别不高于该能效等级的规定值",
        "en": "No-load loss and load loss at or below the value of the grade, each by itself",
    },
)
both = transformers.clause(
    {"zh": "能效等级", "en": "grades"},
    {
        "zh": "空载损耗与负载损耗均不高于该能效等级的规定值",
        "en": "Both no-load loss and load loss at or below the values of the grade",
    },
)
power_input = compressors.clause(
    {"zh": "表1", "en": "Table 1"},
    {
        "zh": "机组输入比功率不高于该能效等级的规定值",
        "en": "Specific power input at or below the value of the grade",
    },
)

pump = key("purpose").isin(
    "pump single-stage end-suction water", "pump single-stage double-suction water", "pump in-line (pipeline) water",
    "pump multistage water", "pump light multistage vertical water", "pump light multistage horizontal water",
)  # fmt: skip


@higher.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "能效等级（效率）", "en": "Grade by efficiency"},
    adds=False,
    when=~pump,
)
def efficiency_grade(
    tested_efficiency, efficiency_grade_1_limit, efficiency_grade_2_limit, efficiency_grade_3_limit
):
    """The grade whose limits the figure lies between; a pump's limits are those of its formula."""
    return choose(
        (tested_efficiency >= efficiency_grade_1_limit, 1),
        ((tested_efficiency >= efficiency_grade_2_limit) & (tested_efficiency < efficiency_grade_1_limit), 2),
        ((tested_efficiency >= efficiency_grade_3_limit) & (tested_efficiency < efficiency_grade_2_limit), 3),
        (tested_efficiency < efficiency_grade_3_limit, 4),
    )


@lower.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "空载损耗等级", "en": "Grade by no-load loss"},
    adds=False,
)
def no_load_loss_grade(
    no_load_loss, no_load_loss_grade_1_limit, no_load_loss_grade_2_limit, no_load_loss_grade_3_limit
):
    """The grade whose limits the figure lies between."""
    return choose(
        (no_load_loss <= no_load_loss_grade_1_limit, 1),
        ((no_load_loss <= no_load_loss_grade_2_limit) & (no_load_loss > no_load_loss_grade_1_limit), 2),
        ((no_load_loss <= no_load_loss_grade_3_limit) & (no_load_loss > no_load_loss_grade_2_limit), 3),
        (no_load_loss > no_load_loss_grade_3_limit, 4),
    )


@lower.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "负载损耗等级", "en": "Grade by load loss"},
    adds=False,
)
def load_loss_grade(load_loss, load_loss_grade_1_limit, load_loss_grade_2_limit, load_loss_grade_3_limit):
    """The grade whose limits the figure lies between."""
    return choose(
        (load_loss <= load_loss_grade_1_limit, 1),
        ((load_loss <= load_loss_grade_2_limit) & (load_loss > load_loss_grade_1_limit), 2),
        ((load_loss <= load_loss_grade_3_limit) & (load_loss > load_loss_grade_2_limit), 3),
        (load_loss > load_loss_grade_3_limit, 4),
    )


@both.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "变压器能效等级", "en": "Grade of the transformer"},
    adds=False,
)
def transformer_grade(no_load_loss_grade, load_loss_grade):
    """The worse of the two; absent where either is."""
    return maximum(no_load_loss_grade, load_loss_grade)


@power_input.rule(
    unit="1",
    per="site, month, equipment, purpose",
    label={"zh": "比功率等级", "en": "Grade by specific power"},
    adds=False,
)
def specific_power_grade(
    specific_power, specific_power_grade_1_limit, specific_power_grade_2_limit, specific_power_grade_3_limit
):
    """The grade whose limits the figure lies between."""
    return choose(
        (specific_power <= specific_power_grade_1_limit, 1),
        (
            (specific_power <= specific_power_grade_2_limit)
            & (specific_power > specific_power_grade_1_limit),
            2,
        ),
        (
            (specific_power <= specific_power_grade_3_limit)
            & (specific_power > specific_power_grade_2_limit),
            3,
        ),
        (specific_power > specific_power_grade_3_limit, 4),
    )
