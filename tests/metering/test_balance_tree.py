"""Linking meters: every wrong link is a finding and is cut; virtual meters are weights of real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

from celadon.core.findings import Place
from celadon.core.model import Flow, Meter, Site, VirtualMeter
from celadon.metering.boundary import find_boundary
from celadon.metering.tree import Tree, build_tree
from tests.metering.plants import label, main_meter, meter, plant, virtual


def _tree(*meters: Meter, virtuals: tuple[VirtualMeter, ...] = (), sites: int = 1) -> Tree:
    names = ["S", "T"][:sites]
    return build_tree(plant(meters, virtuals, sites=tuple(Site(name, label(name)) for name in names)))


def _said(tree: Tree) -> list[tuple[str, str]]:
    return [(finding.code, finding.says()) for finding in tree.findings]


def test_a_tree_links_children_and_inherits_processes() -> None:
    tree = _tree(
        main_meter("E0"), meter("E1", "E0", process="a"), meter("E2", "E1"), meter("E3", "E2", process="b")
    )
    assert tree.findings == ()
    assert tree.children == {"E0": ("E1",), "E1": ("E2",), "E2": ("E3",)}
    assert [tree.nodes[name].process for name in ("E0", "E1", "E2", "E3")] == [None, "a", "a", "b"]
    assert tree.path("E3") == ["E2", "E1", "E0"]
    assert tree.top("E3") == "E0"
    assert tree.below("E1") == ["E1", "E2", "E3"]


def test_an_id_used_twice() -> None:
    tree = _tree(meter("E1"), meter("E1", unit="MWh"), virtuals=(virtual("E1", {"E1": 1}),))
    assert (
        _said(tree)
        == [("balance.meter-duplicate", "The id “E1” is used twice; the second one is left out.")] * 2
    )
    assert tree.nodes["E1"].meter.unit == "kWh"


def test_an_unknown_parent_is_cut_with_a_hint_and_its_place() -> None:
    tree = _tree(main_meter("main"), meter("E1", "mian", where=Place(file="plant.yaml", line=7)))
    assert _said(tree) == [
        ("balance.parent-unknown", "E1 hangs under “mian”, which is not a meter (did you mean “main”?).")
    ]
    assert str(tree.findings[0].where) == "plant.yaml:7 meter:E1"
    assert tree.findings[0].says("zh") == "E1 的上级表“mian”不存在（是否指“main”？）。"
    assert tree.nodes["E1"].parent is None


def test_a_cycle_is_cut_and_what_hangs_on_it_stays() -> None:
    tree = _tree(meter("A", "C"), meter("B", "A"), meter("C", "B"), meter("D", "A"))
    assert _said(tree) == [("balance.parent-cycle", "The meters feed each other in a circle: A → C → B → A.")]
    assert [tree.nodes[name].parent for name in "ABCD"] == [None, None, None, "A"]


def test_a_meter_is_not_its_own_parent() -> None:
    tree = _tree(meter("A", "A"))
    assert _said(tree) == [("balance.parent-cycle", "The meters feed each other in a circle: A → A.")]


def test_a_parent_of_another_carrier() -> None:
    tree = _tree(
        main_meter("E0"),
        meter("G1", "E0", carrier="natural_gas", unit="m3"),
        meter("T", carrier=None, unit="degC"),
        meter("E2", "T"),
    )
    assert _said(tree) == [
        ("balance.parent-carrier", "G1 counts natural_gas (m3), its parent E0 counts electricity (kWh)."),
        ("balance.parent-carrier", "E2 counts electricity (kWh), its parent T counts register."),
    ]
    assert tree.nodes["G1"].parent is None


def test_a_parent_at_another_site() -> None:
    tree = _tree(main_meter("E0"), meter("E1", "E0", site="T"), sites=2)
    assert _said(tree) == [("balance.parent-site", "E1 is at site T, its parent E0 at S.")]


def test_sources_do_not_hang_below_meters() -> None:
    tree = _tree(main_meter("E0"), meter("PV", "E0", flow=Flow.GENERATED), main_meter("E1", parent="E0"))
    assert _said(tree) == [
        (
            "balance.source-below-meter",
            "PV (generated) hangs under E0, but E0 does not feed it; the link is left out.",
        ),
        (
            "balance.source-below-meter",
            "E1 (purchased) hangs under E0, but E0 does not feed it; it is taken as a sub-meter.",
        ),
    ]
    assert (tree.nodes["PV"].parent, tree.nodes["E1"].parent, tree.nodes["E1"].flow) == (
        None,
        "E0",
        Flow.USED,
    )


def test_an_unreadable_unit() -> None:
    tree = _tree(meter("E1", unit="kWx"), virtuals=(virtual("V", {}, unit="kWx"),))
    assert [finding.code for finding in tree.findings] == ["unit.unknown", "unit.unknown"]
    assert tree.nodes == {}


def test_virtual_meters_may_use_virtual_meters_declared_later() -> None:
    half = Fraction(1, 2)
    tree = _tree(
        meter("E1"), meter("E2"), meter("E3"),
        virtuals=(virtual("V2", {"V1": 2, "E3": half}), virtual("V1", {"E1": 1, "E2": -1}), virtual("V0", {"V1": 1, "E2": 1})),
    )  # fmt: skip
    assert tree.findings == ()
    assert tree.nodes["V2"].terms == (("E1", Fraction(2)), ("E2", Fraction(-2)), ("E3", half))
    assert tree.nodes["V0"].terms == (("E1", Fraction(1)),)


def test_virtual_meters_are_due_while_a_term_is() -> None:
    first, last = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)
    tree = _tree(
        meter("E1", installed_at=first),
        meter("E2", installed_at=last),
        virtuals=(virtual("V", {"E1": 1, "E2": 1}),),
    )
    assert (tree.nodes["V"].due_from, tree.nodes["V"].due_to) == (first, None)


def test_formula_faults_leave_the_virtual_meter_out_and_its_children_loose() -> None:
    tree = _tree(
        meter("E1"), meter("G1", carrier="natural_gas", unit="m3"), meter("E2", "V1"),
        virtuals=(virtual("V1", {"E9": 1}), virtual("V2", {"E1": 1, "G1": 1}), virtual("V3", {"V1": 1})),
    )  # fmt: skip
    assert _said(tree) == [
        ("balance.term-unknown", "The formula of V1 uses “E9”, which is not a meter."),
        ("balance.term-unit", "V2 counts kWh, but its term G1 counts m3."),
    ]
    assert set(tree.nodes) == {"E1", "G1", "E2"}
    assert tree.nodes["E2"].parent is None


def test_formulas_in_a_circle() -> None:
    tree = _tree(
        meter("E1"),
        virtuals=(virtual("V1", {"V2": 1}), virtual("V2", {"V3": 1}), virtual("V3", {"V1": 1, "E1": 1})),
    )
    assert _said(tree) == [("balance.formula-cycle", "The formulas refer to each other: V1 → V2 → V3 → V1.")]
    assert set(tree.nodes) == {"E1"}


def test_the_boundary_of_a_plain_tree() -> None:
    boundary = find_boundary(
        _tree(main_meter("E0"), meter("E1", "E0"), meter("X", "E0", flow=Flow.EXPORTED), meter("X1", "X"))
    )
    assert boundary.findings == []
    assert boundary.sources == {"E0": 1, "X": -1}
    assert boundary.tops == {"E0": 1}
    assert boundary.passed_on == {"X"}


def test_what_hangs_below_an_exported_meter_is_the_receiver_s() -> None:
    exported = [meter("X", "E0", flow=Flow.EXPORTED), meter("X1", "X", flow=Flow.EXPORTED)]
    boundary = find_boundary(_tree(main_meter("E0"), *exported))
    assert boundary.sources == {"E0": 1, "X": -1}


def test_a_bus_covers_what_it_adds_up() -> None:
    tree = _tree(
        main_meter("P"), meter("G", flow=Flow.GENERATED), meter("X", flow=Flow.EXPORTED), meter("E1", "V"),
        virtuals=(virtual("V", {"P": 1, "G": 1, "X": -1}),),
    )  # fmt: skip
    boundary = find_boundary(tree)
    assert boundary.findings == []
    assert boundary.tops == {"V": 1}
    assert boundary.bus_purchases == {"V": ("P",)}


def test_a_bus_that_differs_from_the_boundary_is_not_counted() -> None:
    tree = _tree(
        main_meter("P"),
        meter("X", flow=Flow.EXPORTED),
        meter("E1", "V"),
        virtuals=(virtual("V", {"P": 1, "X": 1}),),
    )
    boundary = find_boundary(tree)
    assert [(f.code, f.says()) for f in boundary.findings] == [
        ("balance.bus-differs", "V heads a tree and uses X with the weight 1; at the boundary it counts -1.")
    ]
    assert boundary.tops == {"P": 1, "X": -1}


def test_a_source_counts_in_one_bus_only() -> None:
    tree = _tree(
        main_meter("P"),
        meter("E1", "V"),
        meter("E2", "W"),
        virtuals=(virtual("V", {"P": 1}), virtual("W", {"P": 1})),
    )
    boundary = find_boundary(tree)
    assert [f.says() for f in boundary.findings] == [
        "W heads a tree and uses P with the weight 1; at the boundary it counts 0."
    ]
    assert boundary.tops == {"V": 1}


def test_a_sub_meter_under_nothing_is_found_and_not_counted() -> None:
    boundary = find_boundary(_tree(main_meter("E0"), meter("E1")))
    assert [(f.code, f.says()) for f in boundary.findings] == [
        (
            "balance.orphan-meter",
            "E1 hangs under no purchase, generation or bus meter of electricity at site S; it is "
            "not counted.",
        )
    ]
    assert boundary.tops == {"E0": 1}


def test_without_a_purchase_meter_the_heads_are_the_consumption() -> None:
    tree = _tree(meter("E0"), meter("E1", "E0"), virtuals=(virtual("report", {"E0": 1, "E1": 1}),))
    boundary = find_boundary(tree)
    assert [(f.code, f.says()) for f in boundary.findings] == [
        (
            "balance.no-boundary-meter",
            "Site S has no purchase meter or record of electricity; E0 are taken as its consumption.",
        )
    ]
    assert (boundary.tops, boundary.used_only) == ({"E0": 1}, {"E0"})
    recorded = find_boundary(tree, lambda: {("S", "electricity")})
    assert (recorded.tops, recorded.findings) == ({}, [])
