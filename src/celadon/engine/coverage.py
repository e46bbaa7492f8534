"""Which of the quantities an account must speak about are in it: computed, left out with a reason, or without data."""

from __future__ import annotations

from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.text import Text
from celadon.core.units import did_you_mean
from celadon.engine.active import ActiveRules
from celadon.engine.inputs import FACT_NOT_APPLICABLE
from celadon.engine.settled import settled
from celadon.engine.steps import Told

ACCOUNT_EXCLUDED = FindingKind(
    "account.excluded",
    Severity.NOTICE,
    Text(en="Left out with a reason", zh="不纳入并说明理由"),
    Text(en="{label} ({name}) is left out: “{reason}”.", zh="{label}（{name}）不纳入，理由：“{reason}”。"),
    Text(
        en="Disclose it with the result; take it out of exclusions: in the plant file when it becomes relevant.",
        zh="随结果一并披露；变为相关时请从工厂文件 exclusions: 中删除。",
    ),
)
ACCOUNT_UNCOVERED = FindingKind(
    "account.not-covered",
    Severity.NOTICE,
    Text(en="Nothing recorded and no reason given", zh="无数据也未说明理由"),
    Text(
        en="{names}: the plant has no data for these and no reason to leave them out; they are in no total.",
        zh="{names}：无数据，也未说明不纳入的理由；未计入任何合计。",
    ),
    Text(
        en="Record what there is, or give the reason under accounts: … exclusions: in the plant file.",
        zh="请补充数据，或在工厂文件 accounts: … exclusions: 中说明理由。",
    ),
)
ACCOUNT_EXCLUSION = FindingKind(
    "account.exclusion-unknown",
    Severity.ERROR,
    Text(en="Not to be left out", zh="不可不纳入"),
    Text(
        en="exclusions: names “{name}”, which {book} does not let a firm leave out{hint}.",
        zh="exclusions: 中的“{name}”不属于 {book} 允许不纳入的指标{hint}。",
    ),
    Text(
        en="`celadon rulebooks {book}` lists what may be left out with a reason.",
        zh="用 `celadon rulebooks {book}` 查看可说明理由后不纳入的指标。",
    ),
)
ACCOUNT_OPTION = FindingKind(
    "account.ruled-out",
    Severity.NOTICE,
    Text(en="Left out by an option", zh="按选项不计算"),
    Text(
        en="Under the options of this account ({options}) these are not computed: {names}.",
        zh="按本次核算的选项（{options}），不计算：{names}。",
    ),
    Text(
        en="Choose otherwise under accounts: … options: in the plant file, or with --option.",
        zh="可在工厂文件 accounts: … options: 或 --option 中另行选择。",
    ),
)


def tell_coverage(planner: ActiveRules) -> Told:
    """What of the rulebook's coverage is in the planned query; adds the findings, and takes out the notices of single
    facts where the whole quantity above them is told of."""
    book, where = planner.book, Place(period=planner.request.period.label)
    _ruled_out(planner)
    for name in planner.excluded:
        if name not in book.coverage.names:
            hint = did_you_mean(name, book.coverage.names)
            finding = ACCOUNT_EXCLUSION.at(
                Place(file=planner.plant.file or None), name=name, book=book.id, hint=hint
            )
            planner.findings.add(finding)
    asked = planner.reached(set())
    made = {step.quantity for step in planner.steps.values()}
    met = [name for name in book.coverage.names if name in asked and planner.rules_of(name)]
    excluded = [name for name in met if name in planner.excluded]
    uncovered = [name for name in met if name not in planner.excluded and name not in made]
    clause = book.coverage.clause
    for name in excluded:
        reason = planner.excluded[name]
        planner.findings.add(
            ACCOUNT_EXCLUDED.at(where, clause=clause, name=name, label=book.label(name), reason=reason)
        )
    if uncovered:
        labels = [book.label(name) for name in uncovered]
        names = Text("; ".join(label.en for label in labels), "；".join(label.zh for label in labels))
        planner.findings.add(ACCOUNT_UNCOVERED.at(where, clause=clause, names=names))
        _drop_told(planner, {*excluded, *uncovered})
    computed = tuple(name for name in met if name in made and name not in planner.excluded)
    return Told(computed, tuple((name, planner.excluded[name]) for name in excluded), tuple(uncovered))


def _drop_told(planner: ActiveRules, told: set[str]) -> None:
    """A fact that only quantities already told of would need is not told of again."""
    kept = planner.reached(told)
    planner.findings = Findings(
        [
            item
            for item in planner.findings
            if item.kind is not FACT_NOT_APPLICABLE or item.where.subject in kept
        ]
    )


def _ruled_out(planner: ActiveRules) -> None:
    book, options = planner.book, planner.request.options
    names = [
        name
        for name in planner.request.wanted
        if name in book.rules
        and all(rule.when is not None and settled(rule.when, options) is False for rule in book.rules[name])
    ]
    if not names:
        return
    chosen = ", ".join(f"{name}={choice}" for name, choice in options.items())
    labels = [book.label(name) for name in names]
    text = Text("; ".join(label.en for label in labels), "；".join(label.zh for label in labels))
    planner.findings.add(ACCOUNT_OPTION.at(Place(), options=chosen, names=text))
