"""Symbolic columns with unit: what a rule's formula is made of.

A formula is built once, when its rulebook is loaded, by calling the rule's function with `Ref` nodes. The nodes are
immutable; `rules.check` gives each its unit and keys, `engine.compile` turns them into SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from celadon.core.dataclass import dataclass
from celadon.core.text import Text, TextError, text_of
from celadon.core.units import ONE, Unit, UnitError, parse_unit


class FormulaError(TextError):
    """A formula that cannot be: the loader turns it into a Finding at the rule's line."""


class Node:
    """Anything in a formula: expressions (columns) and conditions."""

    def __bool__(self) -> bool:
        raise FormulaError(
            Text(
                "a formula is symbolic and has no truth value: use choose() or when= instead of if/and/or/not",
                "公式是符号式，没有真假值：请用 choose() 或 when= 代替 if/and/or/not",
            )
        )

    def __iter__(self) -> Iterator[object]:
        raise FormulaError(
            Text(
                "a formula is symbolic and cannot be looped over: use total()",
                "公式是符号式，不能循环遍历：请用 total()",
            )
        )

    def __repr__(self) -> str:
        # Never what is below: a part used twice at every level would be written out 2^n times.
        return f"<{type(self).__name__}>"

    def children(self) -> tuple[Node, ...]:
        """The nodes directly below this one."""
        known: tuple[Node, ...] | None = self.__dict__.get(_BELOW)
        if known is None:
            found: list[Node] = []
            for value in self.__dict__.values():
                if isinstance(value, Node):
                    found.append(value)
                elif type(value) is tuple:
                    _collect(value, found)
            known = self.__dict__[_BELOW] = tuple(found)
        return known

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, top down."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children()))


_BELOW, _INPUTS = "_below", "_inputs"
"""What a node never has to look for twice: planning asks for the same formula's inputs over and over."""


def _collect(value: object, found: list[Node]) -> None:
    if isinstance(value, Node):
        found.append(value)
    elif isinstance(value, tuple):
        for item in value:
            _collect(item, found)


class Condition(Node):
    """True or false per row."""

    def __and__(self, other: object) -> Condition:
        return All((self, _condition(other)))

    def __or__(self, other: object) -> Condition:
        return Any((self, _condition(other)))

    def __invert__(self) -> Condition:
        return Not(self)


class Expr(Node):
    """A number per row, with a unit."""

    def __add__(self, other: object) -> Expr:
        return Binary("+", self, expression(other))

    def __radd__(self, other: object) -> Expr:
        return Binary("+", expression(other), self)

    def __sub__(self, other: object) -> Expr:
        return Binary("-", self, expression(other))

    def __rsub__(self, other: object) -> Expr:
        return Binary("-", expression(other), self)

    def __mul__(self, other: object) -> Expr:
        return Binary("*", self, expression(other))

    def __rmul__(self, other: object) -> Expr:
        return Binary("*", expression(other), self)

    def __truediv__(self, other: object) -> Expr:
        return Binary("/", self, expression(other))

    def __rtruediv__(self, other: object) -> Expr:
        return Binary("/", expression(other), self)

    def __neg__(self) -> Expr:
        return Binary("*", Number(Fraction(-1), ONE), self)

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return Compare("=", self, expression(other))

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return Compare("<>", self, expression(other))

    def __lt__(self, other: object) -> Condition:
        return Compare("<", self, expression(other))

    def __le__(self, other: object) -> Condition:
        return Compare("<=", self, expression(other))

    def __gt__(self, other: object) -> Condition:
        return Compare(">", self, expression(other))

    def __ge__(self, other: object) -> Condition:
        return Compare(">=", self, expression(other))

    __hash__ = Node.__hash__


@dataclass(frozen=True, eq=False, repr=False)
class Ref(Expr):
    """An input by name: a fact, a factor or another rule."""

    name: str


@dataclass(frozen=True, eq=False, repr=False)
class Number(Expr):
    """An exact constant; without a unit it must be a plain number such as 1 or 2."""

    value: Fraction
    unit: Unit


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Expr):
    """left op right, strict: absent in, absent out."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Total(Expr):
    """Sum over keys, of the rows that `when` keeps; adds what is there and carries coverage."""

    expr: Expr
    over: tuple[str, ...]
    when: Condition | None = None


@dataclass(frozen=True, eq=False, repr=False)
class AtKey(Expr):
    """An input's value on another row: the one whose key is what another key of this row says."""

    expr: Ref
    keys: tuple[tuple[str, str], ...]
    """(key of the input, key of this row)."""

    def there(self, row: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """This row's keys and words as the input's row has them."""
        moved = [(there, word) for there, here in self.keys for key_, word in row if key_ == here]
        kept = [pair for pair in row if pair[0] not in {name for pair_ in self.keys for name in pair_}]
        return tuple(sorted((*kept, *moved)))


@dataclass(frozen=True, eq=False, repr=False)
class SumOf(Expr):
    """Sum of terms; adds what is there and carries coverage."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, repr=False)
class FirstGiven(Expr):
    """The first term that is present; any but the first marks the value as a default."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Extreme(Expr):
    """Smallest or largest of terms; absent if one is absent."""

    which: str  # 'least' | 'greatest'
    terms: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Rounded(Expr):
    """Rounded half away from zero to `digits` decimals of the rule's own unit: a cited step, never a habit."""

    expr: Expr
    digits: int


@dataclass(frozen=True, eq=False, repr=False)
class Ln(Expr):
    """Natural logarithm of a plain number; absent where that is not above zero."""

    expr: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Power(Expr):
    """A plain number raised to a plain number; absent where the base is not above zero."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Choose(Expr):
    """The expression of the first condition that holds, else `otherwise`, else absent."""

    cases: tuple[tuple[Condition, Expr], ...]
    otherwise: Expr | None


@dataclass(frozen=True, eq=False, repr=False)
class Compare(Condition):
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, eq=False, repr=False)
class All(Condition):
    terms: tuple[Condition, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Any(Condition):
    terms: tuple[Condition, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Not(Condition):
    term: Condition


@dataclass(frozen=True, eq=False, repr=False)
class KeyIn(Condition):
    """The row's key is one of `values`."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class OptionIn(Condition):
    """The account's choice for an option is one of `values`; settled before any query is made."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Word:
    """A key or option before it is compared; it is no number and no condition."""

    name: str
    kind: type[KeyIn] | type[OptionIn]

    def isin(self, *values: str) -> Condition:
        if not values or not all(isinstance(value, str) for value in values):
            raise FormulaError(
                Text(f"{self.name}.isin() takes one or more texts", f"{self.name}.isin() 需要一个或多个文字")
            )
        return self.kind(self.name, values)

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        if not isinstance(value, str):
            raise FormulaError(Text(f"{self.name} is compared with a text", f"{self.name} 只能与文字比较"))
        return self.kind(self.name, (value,))

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return Not(self == value)

    def __bool__(self) -> bool:
        raise FormulaError(
            Text(
                f"compare {self.name} with a text inside choose() or when=",
                f"请在 choose() 或 when= 中将 {self.name} 与文字比较",
            )
        )

    __hash__ = object.__hash__


def expression(value: object) -> Expr:
    """Accept an Expr, or a plain whole number or exact fraction (FormulaError otherwise)."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise FormulaError(
            Text(
                f"{value!r} is no input of a formula: numbers come from facts, factor tables or constant()",
                f"{value!r} 不能作为公式输入：数值须来自事实、因子表或 constant()",
            )
        )
    return Number(Fraction(value), ONE)


def _condition(value: object) -> Condition:
    if isinstance(value, Condition):
        return value
    raise FormulaError(Text(f"{value!r} is no condition", f"{value!r} 不是条件"))


_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?(/\d{1,20}(\.\d{1,20})?)?\Z", re.ASCII)


def constant(value: object, unit: str) -> Expr:
    """An exact ratio with its unit, such as `constant("44/12", unit="tCO2/tC")`."""
    if not isinstance(value, str | int) or not _NUMBER.match(str(value)):
        said = str(value)[:40]
        raise FormulaError(
            Text(f"constant({said!r}) is no plain number or ratio", f"constant({said!r}) 不是普通数字或比值")
        )
    try:
        return Number(Fraction(str(value)), parse_unit(unit))
    except (ValueError, ZeroDivisionError, UnitError) as error:
        call, why = f"constant({value!r}, unit={unit!r})", text_of(error)
        raise FormulaError(Text(f"{call}: {why.en}", f"{call}：{why.zh}")) from error


def total(value: Expr, over: str, when: Condition | None = None) -> Expr:
    """Sum over keys (`over="carrier, purpose"`); what is absent is left out and lowers the coverage. `when` keeps some rows,
    by their keys (`when=key("purpose") == "mobile"`)."""
    keys = tuple(sorted(word.strip() for word in over.split(",") if word.strip()))
    if not keys:
        raise FormulaError(
            Text(
                'total() names the keys it sums over: over="carrier"',
                'total() 须写明汇总的键：over="carrier"',
            )
        )
    return Total(expression(value), keys, None if when is None else _condition(when))


def at_key(value: Expr, **keys: str) -> Expr:
    """`at_key(specific_emission, good="purpose")`: the value of the good that this row's purpose names.

    A rule may so use itself: what a good is made of is made of something too. How deep that goes, the facts say."""
    if not isinstance(value, Ref) or not keys or not all(_is_word(word) for word in (*keys, *keys.values())):
        raise FormulaError(
            Text(
                'at_key() takes one input and says which key is which: at_key(x, good="purpose")',
                'at_key() 需要一个输入并写明键的对应：at_key(x, good="purpose")',
            )
        )
    return AtKey(value, tuple(sorted(keys.items())))


def sum_of(*terms: Expr) -> Expr:
    """Sum of terms; what is absent is left out and lowers the coverage."""
    if len(terms) < 2:
        raise FormulaError(Text("sum_of() takes two or more terms", "sum_of() 需要两项或更多"))
    return SumOf(tuple(expression(term) for term in terms))


def first_given(*terms: Expr) -> Expr:
    """The first term that is present; a later one is shown as a default."""
    if len(terms) < 2:
        raise FormulaError(Text("first_given() takes two or more terms", "first_given() 需要两项或更多"))
    return FirstGiven(tuple(expression(term) for term in terms))


def minimum(*terms: Expr | int) -> Expr:
    """The smallest; absent if one is absent."""
    return Extreme("least", tuple(expression(term) for term in terms))


def maximum(*terms: Expr | int) -> Expr:
    """The largest; absent if one is absent."""
    return Extreme("greatest", tuple(expression(term) for term in terms))


def rounded(value: Expr, digits: object) -> Expr:
    """Round half away from zero to `digits` decimals of the value's unit."""
    if not isinstance(digits, int) or isinstance(digits, bool) or abs(digits) > 15:
        raise FormulaError(
            Text("rounded() takes -15 to 15 decimals", "rounded() 的小数位须在 -15 至 15 之间")
        )
    return Rounded(expression(value), digits)


def ln(value: Expr) -> Expr:
    """Natural logarithm; the value has no unit (divide by `constant("1", unit="m3/h")` first)."""
    return Ln(expression(value))


def power(base: Expr, exponent: Expr | str | int) -> Expr:
    """Base to an exponent, both without unit; an exact exponent is written as text: `power(x, "3/4")`."""
    if isinstance(exponent, str):
        exponent = constant(exponent, "1")
    return Power(expression(base), expression(exponent))


def choose(*cases: tuple[Condition, Expr], otherwise: Expr | None = None) -> Expr:
    """`choose((condition, value), …, otherwise=value)`: the first that holds."""
    pairs = tuple((_condition(condition), expression(value)) for condition, value in cases)
    if not pairs:
        raise FormulaError(
            Text(
                "choose() takes one or more (condition, value) pairs",
                "choose() 需要一个或多个（条件, 值）对",
            )
        )
    return Choose(pairs, None if otherwise is None else expression(otherwise))


def key(name: str) -> Word:
    """A key of the row, to compare: `key("carrier") == "electricity"`."""
    return _named(name, KeyIn)


def option(name: str) -> Word:
    """An option of the rulebook, to compare: `option("gwp_set") == "AR6"`."""
    return _named(name, OptionIn)


def _is_word(name: object) -> bool:
    return isinstance(name, str) and name.isascii() and name.isidentifier()


def _named(name: object, kind: type[KeyIn] | type[OptionIn]) -> Word:
    if not isinstance(name, str) or not name.isidentifier():
        raise FormulaError(
            Text("key() and option() take one name as text", "key() 与 option() 需要一个文字名称")
        )
    return Word(name, kind)


def refs(node: Node) -> list[str]:
    """Names of all inputs, in the order they stand."""
    known: tuple[str, ...] | None = node.__dict__.get(_INPUTS)
    if known is None:
        found = dict.fromkeys(item.name for item in node.walk() if isinstance(item, Ref))
        known = node.__dict__[_INPUTS] = tuple(found)
    return list(known)


def refs_here(node: Node) -> list[str]:
    """Names of the inputs read on this row: all but those under at_key()."""
    if isinstance(node, AtKey):
        return []
    if isinstance(node, Ref):
        return [node.name]
    return list(dict.fromkeys(name for child in node.children() for name in refs_here(child)))
