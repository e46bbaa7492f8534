"""Suppression, and the attack on it: subtraction from totals, alone and in any combination, must show nobody."""

import random
from fractions import Fraction
from itertools import product as pairs

import pytest

from celadon.region.model import Disclosure
from celadon.region.suppression import Cell, Relation, beyond, exposed_cells, joined, suppress, unsafe

RULE = Disclosure(minimum=3, largest=2, share=0.85)


def cell(*values):
    return Cell(len(values), sum(values), tuple(sorted(values, reverse=True)))


@pytest.mark.parametrize(
    ("values", "forbidden"),
    [
        ((), False),  # nobody
        ((5,), True),
        ((5, 5), True),
        ((5, 5, 5), False),  # two of three hold 67 %
        ((50, 35, 15), True),  # (50 + 35) / 100 = 85 %
        ((50, 34, 16), False),
        ((0, 0, 0), False),  # nothing to dominate
    ],
)
def test_the_rules(values, forbidden):
    assert unsafe(cell(*values), RULE) is forbidden


def table(rows):
    """A two-way table with all its totals: cells by (row, column), `*` = total."""
    cells, relations = {}, []
    columns = sorted({column for row in rows.values() for column in row})
    for row, column in pairs([*rows, "*"], [*columns, "*"]):
        values = [
            value for r, c in pairs(rows, columns) if row in (r, "*") and column in (c, "*") for value in rows[r].get(c, ())
        ]  # fmt: skip
        cells[row, column] = cell(*values)
    for row in [*rows, "*"]:
        relations.append(Relation((row, "*"), tuple((row, column) for column in columns)))
    for column in [*columns, "*"]:
        relations.append(Relation(("*", column), tuple((row, column) for row in rows)))
    return cells, relations


FOUR = (4, 3, 3, 2)


def test_a_single_firm_takes_partners_with_it():
    rows = {r: dict.fromkeys("abc", FOUR) for r in "xyz"} | {"x": {"a": (9,), "b": FOUR, "c": FOUR}}
    cells, relations = table(rows)
    found = suppress(cells, relations, RULE)
    assert found.primary == {("x", "a")}
    # row x and column a each need a second hole, and those close a rectangle of four
    assert len(found.all) == 4
    assert {row for row, _ in found.all} | {column for _, column in found.all} >= {"x", "a"}
    assert "*" not in str(found.all)


def test_two_hidden_cells_whose_sum_is_two_firms_are_not_enough():
    """Each firm of such a pair could subtract itself from the remainder and see the other."""
    cells = {"*": cell(7, 8, *FOUR, *FOUR), "a": cell(7), "b": cell(8), "c": cell(*FOUR), "d": cell(*FOUR)}
    found = suppress(cells, [Relation("*", ("a", "b", "c", "d"))], RULE)
    assert found.primary == {"a", "b"}
    assert found.secondary == {"c"}
    assert not unsafe(joined([cells[key] for key in found.all], 2), RULE)


def solve(relations, hidden, cells):
    """The attacker: exact rational elimination of everything published; which hidden cells have one possible value."""
    names = sorted(hidden, key=str)
    matrix = []
    for relation in relations:
        row = [Fraction(0)] * len(names)
        known = Fraction(0)
        for key, sign in [(relation.total, 1), *((part, -1) for part in relation.parts)]:
            if key in hidden:
                row[names.index(key)] += sign
            else:
                known -= sign * Fraction(cells[key].total)
        matrix.append([*row, known])
    rank = 0
    for place in range(len(names)):
        pivot = next((i for i in range(rank, len(matrix)) if matrix[i][place]), None)
        if pivot is None:
            continue
        matrix[rank], matrix[pivot] = matrix[pivot], matrix[rank]
        lead = matrix[rank][place]
        matrix[rank] = [value / lead for value in matrix[rank]]
        for i in range(len(matrix)):
            if i != rank and matrix[i][place]:
                times = matrix[i][place]
                matrix[i] = [a - times * b for a, b in zip(matrix[i], matrix[rank], strict=True)]
        rank += 1
    worked_out = {}
    for row in matrix[:rank]:
        holders = [place for place, value in enumerate(row[:-1]) if value]
        if len(holders) == 1:
            worked_out[names[holders[0]]] = row[-1]
    return worked_out


@pytest.mark.parametrize("seed", range(25))
def test_attack_by_subtraction(seed):
    """Random tables of few and uneven enterprises: without the secondary holes the attack works out true values; with
    them it works out none, and no remainder it can form in a row or column is of too few or dominated."""
    draw = random.Random(seed)
    rows = {
        f"r{r}": {
            f"c{c}": tuple(draw.randint(1, 1000) for _ in range(draw.choice([0, 1, 2, 4, 6, 9, 9, 12])))
            for c in range(draw.randint(3, 7))
        }
        for r in range(draw.randint(3, 7))
    }
    cells, relations = table(rows)
    found = suppress(cells, relations, RULE)
    naive = solve(relations, found.primary, cells)
    for key, value in naive.items():
        assert value == cells[key].total
    assert set(naive) == exposed_cells(relations, found.primary)
    assert solve(relations, found.all, cells) == {}
    for relation in relations:
        out = [key for key in relation.parts if key in found.all]
        if out and relation.total not in found.all:
            assert not unsafe(joined([cells[key] for key in out], 2), RULE)


def test_the_attack_does_work_where_nothing_is_done():
    rows = {r: dict.fromkeys("abc", FOUR) for r in "xyz"} | {"x": {"a": (9,), "b": FOUR, "c": FOUR}}
    cells, relations = table(rows)
    assert solve(relations, {("x", "a")}, cells) == {("x", "a"): 9}


def test_two_rings_joined_by_a_bridge_hold_two_or_more_holes_a_line_and_still_show_the_bridge():
    """Why lines are not enough: hidden cells as edges between rows and columns; an edge on no ring is determined."""
    hidden = {(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3), (1, 2)}
    relations = [Relation((row, "*"), tuple((row, column) for column in range(4))) for row in range(4)]
    relations += [Relation(("*", column), tuple((row, column) for row in range(4))) for column in range(4)]
    assert exposed_cells(relations, hidden) == {(1, 2)}
    cells = {(row, column): cell(*FOUR) for row, column in pairs(range(4), range(4))}
    cells |= {(row, "*"): cell(*(FOUR * 4)) for row in range(4)} | {
        ("*", column): cell(*(FOUR * 4)) for column in range(4)
    }
    cells |= {key: cell(5) for key in hidden}
    assert exposed_cells(relations, suppress(cells, relations, RULE).all) == set()


@pytest.mark.parametrize(
    ("count", "share", "told"),
    [(30, 0.1, True), (29, 0.1, False), (12, 0.75, True), (6, 0.5, True), (5, 0.5, False)],
)
def test_percentiles_need_enterprises_beyond_them(count, share, told):
    assert beyond(count, share, RULE) is told


@pytest.mark.parametrize("seed", range(15))
def test_what_follows_in_tables_of_two_hierarchies(seed):
    """Counties in provinces by trades in divisions, any cells hidden: what the attacker works out is what is found."""
    draw = random.Random(100 + seed)
    places, trades = (
        {f"{name}{n}": f"{name.upper()}{draw.randint(0, 1)}" for n in range(draw.randint(3, 5))}
        for name in "pt"
    )
    levels = [({one: one for one in tree}, tree, dict.fromkeys(tree, "*")) for tree in (places, trades)]
    relations = []
    for of, other in ((0, 1), (1, 0)):
        for fine, coarse in pairs((0, 1), (0, 1, 2)):
            for side in sorted(set(levels[other][coarse].values())):
                parts = {}
                for leaf in levels[of][0]:
                    parts.setdefault(levels[of][fine + 1][leaf], set()).add(levels[of][fine][leaf])
                for total, members in parts.items():
                    named = [(one, side) if of == 0 else (side, one) for one in (total, *sorted(members))]
                    relations.append(Relation(named[0], tuple(named[1:])))
    keys = sorted({key for relation in relations for key in (relation.total, *relation.parts)})
    leaves = {key: draw.randint(1, 99) for key in pairs(places, trades)}
    cells = {
        (p, t): cell(
            *(v for (a, b), v in leaves.items() if p in (a, places[a], "*") and t in (b, trades[b], "*"))
        )
        for p, t in keys
    }
    hidden = {key for key in keys if draw.random() < draw.choice([0.3, 0.6, 0.9])}
    worked_out = solve(relations, hidden, cells)
    assert exposed_cells(relations, hidden) == set(worked_out)
    assert all(value == cells[key].total for key, value in worked_out.items())
    assert exposed_cells(relations, suppress(cells, relations, RULE).all) == set()


def test_many_thousand_hidden_cells_are_looked_through():
    """A ladder of 20 000 rungs: each two cells of a row, each row tied to the next; one published cell at its foot opens it all."""
    size = 20_000
    relations = [Relation(("sum", n), (("left", n), ("right", n))) for n in range(size)]
    relations += [Relation(("step", n), (("right", n), ("left", n + 1))) for n in range(size)]
    hidden = {(side, n) for side in ("left", "right") for n in range(size)} | {("left", size)}
    assert exposed_cells(relations, hidden) == set()
    assert exposed_cells(relations, hidden - {("left", 0)}) == hidden - {("left", 0)}
