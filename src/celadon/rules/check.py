"""Lint a rulebook before it is used: names, units, grains, dates, overlaps, cycles, clauses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise

from celadon.core.findings import FindingError, FindingKind, Findings, Place, Severity
from celadon.core.text import Text, TextError
from celadon.core.units import ONE, Unit, did_you_mean
from celadon.rules.bilingual import check_languages
from celadon.rules.chapters import extent
from celadon.rules.expr import (
    AtKey,
    Binary,
    Choose,
    Compare,
    Expr,
    Extreme,
    FirstGiven,
    KeyIn,
    Ln,
    Node,
    Number,
    OptionIn,
    Power,
    Ref,
    Rounded,
    SumOf,
    Total,
    refs,
    refs_here,
)
from celadon.rules.factors import check_table
from celadon.rules.reading import over_limit
from celadon.rules.rule import Rule
from celadon.rules.rulebook import SHIPPED, Rulebook

RULE_NAME = FindingKind(
    "rule.unknown-name",
    Severity.ERROR,
    Text(en="Unknown input", zh="未知输入"),
    Text(
        en="{rule} asks for “{name}”, which is no rule, fact or factor here{hint}.",
        zh="{rule} 需要“{name}”，但本规则册没有此规则、事实或因子{hint}。",
    ),
    Text(
        en="Correct the parameter name, or declare it in quantities.yaml.",
        zh="请更正参数名，或在 quantities.yaml 中声明。",
    ),
)
RULE_DIMENSION = FindingKind(
    "rule.dimension",
    Severity.ERROR,
    Text(en="Units do not fit", zh="量纲不符"),
    Text(en="The formula of {rule}: {why}.", zh="{rule} 的公式：{why}。"),
    Text(
        en="Check the formula against the clause, and the units of its inputs in quantities.yaml.",
        zh="请对照条款检查公式，并检查 quantities.yaml 中输入的单位。",
    ),
)
RULE_GRAIN = FindingKind(
    "rule.grain",
    Severity.ERROR,
    Text(en="Rows do not fit", zh="行粒度不符"),
    Text(en="The rows of {rule}: {why}.", zh="{rule} 的行：{why}。"),
    Text(
        en="Sum the extra key with total(…, over=…), or name it in per=.",
        zh="请用 total(…, over=…) 汇总多余的键，或写入 per=。",
    ),
)
RULE_CYCLE = FindingKind(
    "rule.cycle",
    Severity.ERROR,
    Text(en="Rules that need each other", zh="规则循环引用"),
    Text(en="The rules go round in a circle: {path}.", zh="规则循环引用：{path}。"),
    Text(en="Break the circle; a quantity cannot need itself.", zh="请打破循环；数量不能依赖自身。"),
)
RULE_EDITIONS = FindingKind(
    "rule.editions",
    Severity.ERROR,
    Text(en="Editions overlap or leave a gap", zh="版本重叠或断档"),
    Text(en="The editions of {rule}: {why}.", zh="{rule} 的版本：{why}。"),
    Text(
        en="Give each edition since= and until= so that one holds on every day.",
        zh="请为各版本设置 since= 与 until=，使每一天只有一个版本有效。",
    ),
)
RULE_NAME_TAKEN = FindingKind(
    "rule.name-taken",
    Severity.ERROR,
    Text(en="Name used twice", zh="名称重复"),
    Text(en="“{name}” is both a {first} and a {second}.", zh="“{name}”同时是{first}和{second}。"),
    Text(en="Rename one of them.", zh="请重命名其一。"),
)


MAX_CHAIN = 30
LEVELS_OF_A_RULE = 5
MAX_LEVELS = 300
"""Of formulas below a formula, all told: the engine goes down them by recursion."""


class UnitsDifferError(TextError):
    """Two units that cannot meet in a formula."""


def check_rulebook(book: Rulebook) -> Findings:
    """All findings about a rulebook: those of loading, then names, cycles, editions, units and grains, tables."""
    findings = Findings(list(book.findings))
    _names(book, findings)
    _cycles(book, findings)
    _editions(book, findings)
    for rules in book.rules.values():
        for rule in rules:
            _units_and_grain(book, rule, findings)
    _tables(book, findings)
    findings.extend(check_languages(book))
    return findings


def sound(book: Rulebook) -> Rulebook:
    """The rulebook itself where nothing is wrong with it: one with errors would answer with what is left of it.

    Raises:
        FindingError: its errors. Shipped rulebooks are checked before they are shipped, not again.
    """
    if book.folder.parent == SHIPPED:
        return book
    errors = check_rulebook(book).errors
    if errors:
        raise FindingError(errors)
    return book


def _names(book: Rulebook, findings: Findings) -> None:
    known = book.known_names()
    kinds: dict[str, Text] = {}
    for kind, names in (
        (Text("rule", "规则"), book.rules),
        (Text("fact", "事实"), book.facts),
        (Text("factor", "因子"), book.factors),
    ):
        for name in names:
            if name in kinds:
                findings.add(
                    RULE_NAME_TAKEN.at(
                        Place(file=str(book.folder)), name=name, first=kinds[name], second=kind
                    )
                )
            kinds[name] = kind
    for rules in book.rules.values():
        for rule in rules:
            for name in rule.needs:
                if name not in kinds:
                    findings.add(
                        RULE_NAME.at(
                            rule.place,
                            clause=rule.clause.cited,
                            rule=rule.name,
                            name=name,
                            hint=did_you_mean(name, known),
                        )
                    )
            for node in _all_nodes(rule):
                if isinstance(node, OptionIn):
                    _option(book, rule, node, findings)
    for name in (*book.totals, *book.coverage.names):
        if name not in book.rules:
            findings.add(
                RULE_NAME.at(
                    Place(file=str(book.folder / "about.yaml")),
                    rule="totals",
                    name=name,
                    hint=did_you_mean(name, known),
                )
            )


def _option(book: Rulebook, rule: Rule, node: OptionIn, findings: Findings) -> None:
    spec = book.options.get(node.name)
    wrong = [node.name] if spec is None else [value for value in node.values if value not in spec.choices]
    for name in wrong:
        known = list(spec.choices) if spec else list(book.options)
        findings.add(
            RULE_NAME.at(
                rule.place,
                clause=rule.clause.cited,
                rule=rule.name,
                name=name,
                hint=did_you_mean(name, known),
            )
        )


def _all_nodes(rule: Rule) -> list[Node]:
    nodes = list(rule.formula.walk())
    return [*nodes, *rule.when.walk()] if rule.when is not None else nodes


def _cycles(book: Rulebook, findings: Findings) -> None:
    """On one row no quantity may need itself; on another row (at_key) it may, if a fact says which rows those are. A
    chain of rules too long to be followed down is refused."""
    height: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> int:
        """How many levels of formulas are below and at `name`."""
        if name in path:
            circle = (*path[path.index(name) :], name)
            findings.add(RULE_CYCLE.at(book.rules[name][0].place, path=" → ".join(circle)))
            return 0
        if name in height or name not in book.rules:
            return height.get(name, 0)
        if len(path) > MAX_CHAIN:
            return MAX_LEVELS + 1
        height[name] = max(
            LEVELS_OF_A_RULE
            + extent(rule.formula)[1]
            + max((visit(need, (*path, name)) for need in _needs_here(rule)), default=0)
            for rule in book.rules[name]
        )
        return height[name]

    for name, rules in book.rules.items():
        levels = visit(name, ())
        if levels > MAX_LEVELS:
            place, what = rules[0].place, Text("levels of rules upon rules", "规则逐层引用的层数")
            findings.add(over_limit(place.file or "", what, f"> {MAX_LEVELS}", MAX_LEVELS, place.line))
            return
        for rule in rules:
            for node in rule.formula.walk():
                if isinstance(node, AtKey) and _leads_to(book, node.expr.name, name):
                    _bounded(book, rule, node, findings)


def _needs_here(rule: Rule) -> list[str]:
    here = refs_here(rule.formula)
    away = {name for name in refs(rule.formula) if name not in here}
    return [
        *(name for name in rule.needs if name not in away),
        *(refs(rule.when) if rule.when is not None else ()),
    ]


def _leads_to(book: Rulebook, name: str, wanted: str) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name == wanted:
            return True
        if name not in seen:
            seen.add(name)
            waiting += [ref for rule in book.rules.get(name, ()) for ref in refs(rule.formula)]
    return False


def _bounded(book: Rulebook, rule: Rule, node: AtKey, findings: Findings) -> None:
    """A rule that needs itself on other rows needs a fact with both keys on the way round, or it would never end."""
    keys = {word for pair in node.keys for word in pair}
    around = [
        other
        for other in book.rules
        if _leads_to(book, node.expr.name, other) and _leads_to(book, other, rule.name)
    ]
    facts = [name for other in around for one in book.rules[other] for name in refs_here(one.formula)]
    linked = any(name in book.facts and keys <= set(book.facts[name].grain.keys) for name in facts)
    if len(node.keys) != 1 or not linked:
        path = f"{rule.name} → {node.expr.name} ({', '.join(sorted(keys))})"
        findings.add(RULE_CYCLE.at(rule.place, clause=rule.clause.cited, path=path))


def _editions(book: Rulebook, findings: Findings) -> None:
    """Editions without conditions must follow on each other; with conditions the rows decide, at run time."""
    for name, rules in book.rules.items():
        first = rules[0]
        for other in rules[1:]:
            if other.grain != first.grain or not other.unit.same_kind(first.unit) or other.adds != first.adds:
                findings.add(
                    RULE_EDITIONS.at(
                        other.place,
                        clause=other.clause.cited,
                        rule=name,
                        why=Text("they differ in unit, rows or adds", "单位、行粒度或可加性不一致"),
                    )
                )
        plain = sorted(
            (rule for rule in rules if rule.when is None and not rule.exception_to),
            key=lambda r: r.validity.since or date.min,
        )
        for earlier, later in pairwise(plain):
            if earlier.validity.overlaps(later.validity):
                one, two = earlier.clause.cited, later.clause.cited
                why = Text(
                    f"{one.en} ({earlier.validity}) and {two.en} ({later.validity}) hold at once",
                    f"{one.zh}（{earlier.validity}）与 {two.zh}（{later.validity}）同时有效",
                )
                findings.add(RULE_EDITIONS.at(later.place, rule=name, why=why))
            elif (
                earlier.validity.until
                and later.validity.since
                and (later.validity.since - earlier.validity.until).days > 1
            ):
                end, start = earlier.validity.until, later.validity.since
                why = Text(f"none holds between {end} and {start}", f"{end} 与 {start} 之间没有有效版本")
                findings.add(RULE_EDITIONS.at(later.place, rule=name, why=why))


def _units_and_grain(book: Rulebook, rule: Rule, findings: Findings) -> None:
    try:
        unit, keys = infer(book, rule.formula)
        if not unit.same_kind(rule.unit):
            raise UnitsDifferError(
                Text(
                    f"it gives {unit.kind.en}, the rule promises {rule.unit} ({rule.unit.kind.en})",
                    f"结果量纲为{unit.kind.zh}，规则声明为 {rule.unit}（{rule.unit.kind.zh}）",
                )
            )
    except UnitsDifferError as error:
        findings.add(RULE_DIMENSION.at(rule.place, clause=rule.clause.cited, rule=rule.name, why=error.text))
        return
    except GrainError as error:
        findings.add(RULE_GRAIN.at(rule.place, clause=rule.clause.cited, rule=rule.name, why=error.text))
        return
    except KeyError:
        return  # an unknown name, already a Finding
    extra, lacking = keys - set(rule.grain.keys), set(rule.grain.keys) - keys
    if extra or lacking:
        listed = ", ".join(sorted(keys))
        why = Text(
            f"the formula's are per {listed or 'place and time'}, the rule says {rule.grain}",
            f"公式的行按{f' {listed} ' if listed else '空间与时间'}区分，规则声明为 {rule.grain}",
        )
        findings.add(RULE_GRAIN.at(rule.place, clause=rule.clause.cited, rule=rule.name, why=why))
    for node in rule.when.walk() if rule.when is not None else ():
        if isinstance(node, KeyIn) and node.name not in rule.grain.keys:
            findings.add(
                RULE_GRAIN.at(
                    rule.place,
                    clause=rule.clause.cited,
                    rule=rule.name,
                    why=Text(
                        f"when= tests {node.name}, which is no key of the rule",
                        f"when= 检查的 {node.name} 不是本规则的键",
                    ),
                )
            )


class GrainError(TextError):
    """Rows that cannot meet in a formula."""


def unit_of(book: Rulebook, name: str) -> Unit:
    """The declared unit of a rule, fact or factor (KeyError when there is none)."""
    if name in book.rules:
        return book.rules[name][0].unit
    spec = book.facts.get(name) or book.factors.get(name)
    if spec is None:
        raise KeyError(name)
    return spec.unit


def keys_of(book: Rulebook, name: str) -> frozenset[str]:
    """The keys, besides place and time, that tell the rows of an input apart."""
    if name in book.rules:
        return frozenset(book.rules[name][0].grain.keys)
    if name in book.facts:
        return frozenset(book.facts[name].grain.keys)
    return frozenset(book.factors[name].row_keys)


def infer(book: Rulebook, expr: Expr) -> tuple[Unit, frozenset[str]]:
    """Unit and keys of a formula, from where each input is declared (UnitsDifferError, GrainError, KeyError)."""
    if isinstance(expr, Ref):
        return unit_of(book, expr.name), keys_of(book, expr.name)
    if isinstance(expr, AtKey):
        return _at_key(book, expr)
    if isinstance(expr, Number):
        return expr.unit, frozenset()
    if isinstance(expr, Binary):
        (left, left_keys), (right, right_keys) = infer(book, expr.left), infer(book, expr.right)
        if expr.op in "+-":
            return _same(left, right, Text(f"“{expr.op}”", f"“{expr.op}”")), left_keys | right_keys
        return (left * right if expr.op == "*" else left / right), left_keys | right_keys
    if isinstance(expr, Total):
        unit, keys = infer(book, expr.expr)
        if missing := set(expr.over) - keys:
            over, lacking = ", ".join(expr.over), ", ".join(sorted(missing))
            raise GrainError(
                Text(
                    f"total(over={over}) but the rows have no {lacking}",
                    f"total(over={over})，但行中没有 {lacking}",
                )
            )
        _keys_only(expr, keys)
        return unit, keys - set(expr.over)
    if isinstance(expr, Rounded):
        return infer(book, expr.expr)
    if isinstance(expr, Ln):
        return _number(book, expr.expr, "ln()")
    if isinstance(expr, Power):
        base, exponent = _number(book, expr.base, "power()"), _number(book, expr.exponent, "power()")
        return ONE, base[1] | exponent[1]
    if isinstance(expr, SumOf | FirstGiven | Extreme):
        return _terms(book, expr.terms, _JOINERS[type(expr)])
    if isinstance(expr, Choose):
        return _choose(book, expr)
    raise TypeError(f"no unit for {type(expr).__name__}")


def _keys_only(expr: Total, keys: frozenset[str]) -> None:
    for node in expr.when.walk() if expr.when is not None else ():
        if isinstance(node, Compare | OptionIn) or (isinstance(node, KeyIn) and node.name not in keys):
            what = node.op if isinstance(node, Compare) else node.name
            raise GrainError(
                Text(
                    f"total(when=…) tests {what}, which is no key of its rows",
                    f"total(when=…) 检查的 {what} 不是其行的键",
                )
            )


def _at_key(book: Rulebook, expr: AtKey) -> tuple[Unit, frozenset[str]]:
    unit, keys = infer(book, expr.expr)
    theirs, ours = {there for there, _ in expr.keys}, {here for _, here in expr.keys}
    if not theirs <= keys or ours & (keys - theirs) or expr.expr.name in book.factors:
        listed = ", ".join(f"{there}={here}" for there, here in expr.keys)
        raise GrainError(
            Text(
                f"at_key({expr.expr.name}, {listed}) but its rows are per {', '.join(sorted(keys)) or 'place and time'}",
                f"at_key({expr.expr.name}, {listed})，但其行按 {', '.join(sorted(keys)) or '空间与时间'} 区分",
            )
        )
    return unit, (keys - theirs) | ours


def _number(book: Rulebook, expr: Expr, what: str) -> tuple[Unit, frozenset[str]]:
    unit, keys = infer(book, expr)
    if unit.dimension:
        raise UnitsDifferError(
            Text(
                f"{what} takes a plain number, not {unit} ({unit.kind.en})",
                f"{what} 需要纯数，而非 {unit}（{unit.kind.zh}）",
            )
        )
    return ONE, keys


_JOINERS: dict[type[Expr], Text] = {
    SumOf: Text("sum_of()", "sum_of()"),
    FirstGiven: Text("first_given()", "first_given()"),
    Extreme: Text("minimum() or maximum()", "minimum() 或 maximum()"),
}


def _terms(book: Rulebook, terms: tuple[Expr, ...], what: Text) -> tuple[Unit, frozenset[str]]:
    unit, keys = infer(book, terms[0])
    for term in terms[1:]:
        other, other_keys = infer(book, term)
        unit, keys = _same(unit, other, what), keys | other_keys
    return unit, keys


def _choose(book: Rulebook, expr: Choose) -> tuple[Unit, frozenset[str]]:
    branches = tuple(value for _, value in expr.cases) + (
        (expr.otherwise,) if expr.otherwise is not None else ()
    )
    unit, keys = _terms(book, branches, Text("choose()", "choose()"))
    for condition, _ in expr.cases:
        for node in condition.walk():
            if isinstance(node, Compare):
                left, right = infer(book, node.left), infer(book, node.right)
                _same(left[0], right[0], Text("a comparison", "比较"))
                keys |= left[1] | right[1]
            elif isinstance(node, KeyIn):
                keys |= {node.name}
    return unit, keys


def _same(left: Unit, right: Unit, what: Text) -> Unit:
    if not left.same_kind(right):
        raise UnitsDifferError(
            Text(
                f"{what.en} joins {left} ({left.kind.en}) and {right} ({right.kind.en})",
                f"{what.zh} 两侧为 {left}（{left.kind.zh}）与 {right}（{right.kind.zh}）",
            )
        )
    return left


def _tables(book: Rulebook, findings: Findings) -> None:
    """A table is checked once, with the keys and columns of all factors that read it."""
    keys: dict[str, set[str]] = {}
    columns: dict[str, set[str]] = {}
    for spec in book.factors.values():
        table = book.tables.get(spec.table)
        if table is None:
            continue
        keys.setdefault(spec.table, set()).update(column for column, _ in spec.keys)
        columns.setdefault(spec.table, set()).add(spec.column)
        for column in (spec.column, *(column for column, _ in spec.keys)):
            if column not in table.columns:
                where = Place(file=table.file, line=1, column=column)
                findings.add(
                    RULE_NAME.at(
                        where, rule=spec.name, name=column, hint=did_you_mean(column, list(table.columns))
                    )
                )
    for name, table in book.tables.items():
        check_table(table, tuple(sorted(keys.get(name, ()))), tuple(sorted(columns.get(name, ()))), findings)


def option_choices(book: Rulebook, chosen: Mapping[str, str]) -> dict[str, str]:
    """Every option's choice: the account's, else the default."""
    return {name: chosen.get(name, spec.default) for name, spec in book.options.items()}


__all__ = [
    "ONE",
    "GrainError",
    "UnitsDifferError",
    "check_rulebook",
    "infer",
    "keys_of",
    "option_choices",
    "sound",
    "unit_of",
]
