"""How deep a rule that needs itself goes: a good is made of goods, those of others, until one is made of none.

The facts say which (a row per good and precursor), so the chain is unrolled when the query is compiled: one step per level,
no recursion in SQL. A circle among the goods has no answer and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.engine.steps import Summary, item_key
from celadon.rules.expr import AtKey, refs, refs_here
from celadon.rules.rulebook import Rulebook

CHAIN_CIRCLE = FindingKind(
    "chain.circle",
    Severity.ERROR,
    Text(en="Made of itself", zh="循环构成"),
    Text(
        en="By {facts}, what it is made of leads back to it: {path}. {rule} has no answer there.",
        zh="按 {facts}，构成链回到自身：{path}。{rule} 无解。",
    ),
    Text(
        en="Take the flow that goes back out of the records (a standard treats it inside its process), or name it apart.",
        zh="请从台账中去掉返回的物流（标准在工序内部处理），或另行命名。",
    ),
)
CHAIN_LONG = FindingKind(
    "chain.long",
    Severity.ERROR,
    Text(en="Chain too long", zh="链条过长"),
    Text(
        en="By {facts}, {rule} goes {depth} levels down; at most {most} are computed.",
        zh="按 {facts}，{rule} 需 {depth} 层；最多计算 {most} 层。",
    ),
    Text(
        en="Book the result of a deeper part as a bought precursor with its own value.",
        zh="请将较深部分的结果作为外购前体并记录其数值。",
    ),
)
CHAIN_OPEN = FindingKind(
    "chain.open",
    Severity.ERROR,
    Text(en="Own input that is not made here", zh="自产投入未见产出"),
    Text(
        en="By {facts}, {made} uses {used} of its own making, of which there is no record: {rule} stays absent there.",
        zh="按 {facts}，{made} 使用自产的 {used}，但没有其任何记录：{rule} 在该处缺失。",
    ),
    Text(
        en="Record what was made and what it took; or, if it was bought, record it as bought.",
        zh="请补充其产量与投入；如为外购，请按外购记录。",
    ),
)
MAX_LEVELS = 12


def loop_of(book: Rulebook, name: str) -> frozenset[str]:
    """The rules that need `name` and that `name` needs, itself included; empty where it does not need itself."""
    reached = _reached(book, name)
    if name not in reached:
        return frozenset()
    return frozenset(other for other in reached if name in _reached(book, other))


def _reached(book: Rulebook, name: str) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for rule in book.rules.get(waiting.pop(), ()):
            fresh = {ref for ref in refs(rule.formula) if ref in book.rules} - seen
            seen |= fresh
            waiting += fresh
    return seen


class Chains:
    """The depth of each loop of rules in one plant's facts."""

    def __init__(self, book: Rulebook, summary: Summary) -> None:
        self.book, self.summary = book, summary
        self.loops: dict[str, frozenset[str]] = {}
        self.depths: dict[frozenset[str], int] = {}

    def loop(self, name: str) -> frozenset[str]:
        """The loop a rule is in; empty for most."""
        if name not in self.loops:
            self.loops[name] = loop_of(self.book, name)
        return self.loops[name]

    def depth(self, loop: frozenset[str]) -> int:
        """How many levels a loop goes down (FindingError where it goes round, or too deep)."""
        if loop not in self.depths:
            self.depths[loop] = self._depth(loop)
        return self.depths[loop]

    def _depth(self, loop: frozenset[str]) -> int:
        edges = _edges(self.book, self.summary, loop)
        facts = ", ".join(dict.fromkeys(fact for fact, _, _ in edges))
        below: dict[str, list[str]] = {}
        for _, made, used in edges:
            below.setdefault(made, []).append(used)
        rule = sorted(loop)[0]
        depth = _longest(below)
        if isinstance(depth, tuple):
            path = " → ".join(depth)
            raise FindingError(CHAIN_CIRCLE.at(Place(subject=depth[0]), rule=rule, facts=facts, path=path))
        if depth > MAX_LEVELS:
            where = Place(subject=rule)
            raise FindingError(CHAIN_LONG.at(where, rule=rule, facts=facts, depth=depth, most=MAX_LEVELS))
        return depth

    def open_ends(self, loop: frozenset[str]) -> Iterator[tuple[str, str, str]]:
        """(fact, what is made, what it uses) where nothing is known of what is used."""
        edges = _edges(self.book, self.summary, loop)
        linking = {fact for fact, _, _ in edges}
        wanted = {item_key(self.book.facts[name]) for name in linking}
        known = {
            item
            for name, spec in self.book.facts.items()
            if name not in linking and item_key(spec) in wanted
            for item, _, _ in self.summary.of(name)
        }
        known |= {made for _, made, _ in edges}
        for fact, made, used in edges:
            if used not in known:
                yield fact, made, used


def _edges(book: Rulebook, summary: Summary, loop: frozenset[str]) -> list[tuple[str, str, str]]:
    """(fact, made, used): from the facts that carry both keys of an at_key() somewhere in the loop."""
    found: dict[tuple[str, str, str], None] = {}
    for fact, there in links_of(book, loop).items():
        by_item = item_key(book.facts[fact]) == there  # an input read at what this row's purpose names
        for item, purpose, _ in summary.of(fact):
            found.setdefault((fact, item, purpose) if by_item else (fact, purpose, item))
    return list(found)


def links_of(book: Rulebook, loop: frozenset[str]) -> dict[str, str]:
    """The facts that say what is made of what in a loop -> the key of the input that at_key() reads elsewhere."""
    formulas = [rule.formula for name in sorted(loop) for rule in book.rules[name]]
    pairs = {
        node.keys
        for formula in formulas
        for node in formula.walk()
        if isinstance(node, AtKey) and node.expr.name in loop
    }
    return {
        name: there
        for ((there, here),) in sorted(pairs)
        for formula in formulas
        for name in refs_here(formula)
        if name in book.facts and {there, here} <= set(book.facts[name].grain.keys)
    }


def _longest(below: Mapping[str, list[str]]) -> int | tuple[str, ...]:
    """Edges of the longest path, or the circle that was met."""
    depth: dict[str, int] = {}

    def visit(word: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        if word in path:
            return (*path[path.index(word) :], word)
        if word not in depth:
            for other in below.get(word, ()):
                circle = visit(other, (*path, word))
                if circle:
                    return circle
            depth[word] = max((1 + depth[other] for other in below.get(word, ())), default=0)
        return None

    for word in below:
        circle = visit(word, ())
        if circle:
            return circle
    return max(depth.values(), default=0)
