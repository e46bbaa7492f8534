"""Every finding of the plant file is made to appear: its code, its line, its values, its texts in both languages."""

import importlib
import pkgutil
import string

import pytest

import celadon.adapters.plant_file as package
from celadon.core.findings import FindingKind
from tests.adapters.plant_file_tools import HEAD, marked_line, read, told

E = "{id: E, carrier: electricity, digits: 8"
FURTHER = "celadon: 1\nenterprise: {id: luhe}\n"
TARIFF = "tariffs:\n  - id: t\n    carrier: electricity\n    unit: CNY/kWh\n"
SOURCE = "meters: [{id: E, carrier: electricity}]\nsources:\n  - id: s\n    files: a.csv\n"

# code, text below the head with the expected line marked, values, head
CASES: list[tuple[str, str, dict[str, object], str]] = [
    # the tree
    ("plant.key-twice", "zone: UTC\nzone: UTC  #!\n", {"key": "zone", "first": 4}, HEAD),
    ("plant.key-unreadable", "? [a]  #!\n: 1\n", {}, HEAD),
    ("plant.tag", "zone: !!python/name UTC  #!\n", {"tag": "!!python/name"}, HEAD),
    ("plant.alias", "zone: *nowhere  #!\n", {"alias": "nowhere"}, HEAD),
    ("plant.alias", "products: &p [*p]  #!\n", {"alias": "p"}, HEAD),
    ("plant.merge", "products:\n  - {id: a, unit: t, <<: b}  #!\n", {}, HEAD),
    ("plant.several-documents", "---  #!\nnothing: more\n", {}, HEAD),
    # version, unusable plants
    ("plant.version-missing", "enterprise: {id: a}  #!\nsites: [{id: s}]\n", {"version": 1}, ""),
    ("plant.version-other", "celadon: 2  #!\nenterprise: {id: a}\nsites: [{id: s}]\n", {"value": "2"}, ""),
    ("plant.unusable", "celadon: 1  #!\nenterprise: {id: a}\nsites: []\n", {}, ""),
    ("plant.file-empty", "# only a comment  #!\n", {}, ""),
    # keys and shapes
    (
        "plant.key-unknown",
        "meters:\n  - id: E\n    carrier: electricity\n    multiplyer: 40  #!\n",
        {"key": "multiplyer", "table": "meter", "hint": " → “multiplier”?"},
        HEAD,
    ),
    ("plant.key-unknown", "metres: []  #!\n", {"key": "metres", "hint": " → “meters”?"}, HEAD),
    (
        "plant.key-missing",
        "products:\n  - {id: billet}  #!\n",
        {"key": "unit", "table": "product", "doc": "Unit its output is counted in", "doc_zh": "产量单位"},
        HEAD,
    ),
    ("plant.not-a-value", "zone: [UTC]  #!\n", {"key": "zone", "found": "list"}, HEAD),
    ("plant.not-a-list", "meters: {id: E}  #!\n", {"key": "meters", "found": "mapping"}, HEAD),
    ("plant.not-a-mapping", "meters: [E01]  #!\n", {"key": "meters", "found": "value"}, HEAD),
    ("plant.not-a-mapping", "- a list  #!\n", {"key": "plant", "found": "list"}, ""),
    (
        "plant.word-unknown",
        "meters:\n  - {id: E, carrier: electricity, flow: purchase}  #!\n",
        {
            "key": "flow",
            "value": "purchase",
            "hint": " → “purchased”?",
            "known": "purchased, exported, generated, used",
        },
        HEAD,
    ),
    # single values
    ("plant.bad-id", "products: [{id: a b, unit: t}]  #!\n", {"key": "id", "value": "a b"}, HEAD),
    (
        "plant.bad-number",
        "factors:\n  - {factor: f, value: '1,5', unit: kgCO2/kWh}  #!\n",
        {"key": "value", "value": "1,5"},
        HEAD,
    ),
    ("plant.bad-number", "factors:\n  - {factor: f, value: 1e999, unit: t}  #!\n", {"value": "1e999"}, HEAD),
    ("plant.bad-integer", f"meters: [{E}, decimals: 2.5}}]  #!\n", {"key": "decimals", "value": "2.5"}, HEAD),
    (
        "plant.bad-boolean",
        "carriers:\n  - {id: x, kind: gas, unit: m3, biogenic: maybe}  #!\n",
        {"key": "biogenic", "value": "maybe"},
        HEAD,
    ),
    ("plant.bad-percentage", f"meters: [{E}, tolerance: 2}}]  #!\n", {"key": "tolerance", "value": "2"}, HEAD),
    (
        "plant.bad-percentage",
        f"meters:\n  - {E}, share: {{by: fixed, to: {{eaf: 60, rolling: 40%}}}}}}  #!\n",
        {"key": "eaf", "value": "60"},
        HEAD,
    ),
    ("plant.bad-duration", f"meters: [{E}, max_gap: 2 hours}}]  #!\n", {"key": "max_gap", "value": "2 hours"}, HEAD),
    ("plant.bad-duration", "grid: 15  #!\n", {"key": "grid", "value": "15"}, HEAD),
    ("plant.bad-amount", f"meters: [{E}, max_rate: fast}}]  #!\n", {"key": "max_rate", "value": "fast"}, HEAD),
    (
        "plant.bad-multiplier",
        f"meters: [{E}, multiplier: 400//5}}]  #!\n",
        {"key": "multiplier", "value": "400//5"},
        HEAD,
    ),
    ("plant.bad-multiplier", f"meters: [{E}, multiplier: 0}}]  #!\n", {"value": "0"}, HEAD),
    (
        "plant.bad-date",
        "factors:\n  - {factor: f, value: 1, unit: t, since: 2023-02-29}  #!\n",
        {"key": "since", "value": "2023-02-29"},
        HEAD,
    ),
    (
        "plant.bad-instant",
        f"meters:\n  - {E}, installed: {{at: 2024-02-30T08:00}}}}  #!\n",
        {"key": "at", "value": "2024-02-30T08:00"},
        HEAD,
    ),
    (
        "plant.bad-hours",
        TARIFF + "    periods: [{period: flat, hours: 9-17}]  #!\n    prices: []\n",
        {"key": "hours", "value": "9-17"},
        HEAD,
    ),
    (
        "plant.bad-months",
        TARIFF + "    periods:\n      - {period: flat, hours: '0:00-24:00', months: 0-3}  #!\n    prices: [{price: 1, since: 2024-01-01}]\n",
        {"key": "months", "value": "0-3"},
        HEAD,
    ),
    (
        "plant.bad-days",
        TARIFF + "    periods:\n      - {period: flat, hours: '0:00-24:00', days: sunday}  #!\n    prices: [{price: 1, since: 2024-01-01}]\n",
        {"key": "days", "value": "sunday"},
        HEAD,
    ),
    (
        "plant.bad-time-format",
        SOURCE + "    role: readings\n    time: {format: '%H:%M'}  #!\n    wide: {kWh: E}\n",
        {"key": "format", "value": "%H:%M"},
        HEAD,
    ),
    (
        "plant.bad-encoding",
        SOURCE + "    role: readings\n    encoding: gkb  #!\n    wide: {kWh: E}\n",
        {"key": "encoding", "value": "gkb"},
        HEAD,
    ),
    (
        "plant.bad-delimiter",
        SOURCE + "    role: readings\n    delimiter: ';;'  #!\n    wide: {kWh: E}\n",
        {"key": "delimiter", "value": ";;"},
        HEAD,
    ),
    ("plant.out-of-range", "meters:\n  - {id: E, carrier: electricity, digits: 0}  #!\n", {"key": "digits", "value": "0"}, HEAD),
    ("period.zone-unknown", "zone: Asia/Beijing  #!\n", {"zone": "Asia/Beijing"}, HEAD),
    ("unit.unknown", "products: [{id: a, unit: kWhh}]  #!\n", {"unit": "kWhh", "hint": " → “kWh”?"}, HEAD),
    ("unit.unknown", f"meters: [{E}, max_rate: 5 kQ}}]  #!\n", {"unit": "5 kQ"}, HEAD),
    ("unit.unknown", "products: [{id: a, unit: 10^999999999 t}]  #!\n", {"hint": ""}, HEAD),
    ("plant.grid", "grid: 10min  #!\n", {"value": "10min"}, HEAD),
    ("plant.path-escapes", "store: ../store  #!\n", {"key": "store", "value": "../store"}, HEAD),
    (
        "plant.path-escapes",
        SOURCE.replace("a.csv", "data/../../a.csv  #!") + "    role: readings\n    wide: {kWh: E}\n",
        {"key": "files", "value": "data/../../a.csv"},
        HEAD,
    ),
    ("plant.path-absolute", "store: /var/celadon  #!\n", {"key": "store", "value": "/var/celadon"}, HEAD),
    ("plant.path-absolute", "store: 'D:\\celadon'  #!\n", {"value": "D:\\celadon"}, HEAD),
    # references
    (
        "plant.carrier-unknown",
        "meters:\n  - id: E\n    unit: m3\n    carrier: natural_gaz  #!\n",
        {"key": "carrier", "value": "natural_gaz", "hint": " → “natural_gas”?"},
        HEAD,
    ),
    *[
        (
            "plant.reference-unknown",
            f"meters:\n  - {E}}}\n  - id: E2\n    digits: 8\n    carrier: electricity\n    {key}: {value}  #!\n",
            {"key": key, "value": value, "section": section, "hint": hint},
            HEAD,
        )
        for key, value, section, hint in (
            ("site", "mil", "sites", " → “mill”?"),
            ("process", "eef", "processes", " → “eaf”?"),
            ("parent", "E22", "meters` / `virtual_meters", " → “E2”?"),
            ("tariff", "tou", "tariffs", ""),
            ("product", "billet", "products", ""),
        )
    ],
    (
        "plant.reference-unknown",
        "virtual_meters:\n  - {id: V, carrier: electricity, formula: E01 + E02}  #!\nmeters: [{id: E01, carrier: electricity}]\n",
        {"key": "formula", "value": "E02", "hint": " → “E01”?"},
        HEAD,
    ),
    (
        "plant.reference-unknown",
        f"meters:\n  - {E}, share: {{by: fixed, to: {{eef: 60%, rolling: 40%}}}}}}  #!\n",
        {"key": "to", "value": "eef", "section": "processes"},
        HEAD,
    ),
    (
        "plant.reference-unknown",
        f"meters:\n  - {E}, share: {{by: meters, to: {{eaf: E11}}}}}}  #!\n",
        {"key": "eaf", "value": "E11", "section": "meters"},
        HEAD,
    ),
    (
        "plant.reference-unknown",
        SOURCE + "    role: readings\n    wide:\n      kWh: E\n      kvarh: Q  #!\n",
        {"key": "kvarh", "value": "Q", "section": "meters"},
        HEAD,
    ),
    (
        "plant.reference-unknown",
        SOURCE + "    role: records\n    quantity: fuel_purchased\n    fields:\n      {date: d, value: v, site: =mall}  #!\n",
        {"key": "site", "value": "mall", "section": "sites", "hint": " → “mill”?"},
        HEAD,
    ),
    (
        "plant.reference-unknown",
        SOURCE
        + "    role: records\n    quantity: fuel_purchased\n    fields: {date: d, value: v, item: i}\n"
        + "    map:\n      item: {柴油: diesell}  #!\n",
        {"key": "item", "value": "diesell", "section": "carriers"},
        HEAD,
    ),
    (
        "plant.reference-unknown",
        SOURCE + "    role: records\n    quantity: product_output\n    fields: {date: d, value: v, item: =bilet}  #!\n",
        {"key": "item", "value": "bilet", "section": "products"},
        HEAD,
    ),
    (
        "plant.reference-unknown",
        "factors:\n  - {factor: f, value: 1, unit: t, keys: {site: mil}}  #!\n",
        {"key": "site", "value": "mil", "section": "sites"},
        HEAD,
    ),
    (
        "plant.id-twice",
        f"meters:\n  - {E}}}\n  - {E}, unit: MWh}}  #!\n",
        {"id": "E", "section": "meters", "first": 5},
        HEAD,
    ),
    (
        "plant.id-twice",
        f"meters:\n  - {E}}}\nvirtual_meters:\n  - {{id: E, carrier: electricity, formula: E}}  #!\n",
        {"id": "E", "section": "virtual_meters", "first": 5},
        HEAD,
    ),
    (
        "plant.id-twice",
        "sites:\n  - {id: a, processes: [{id: p}]}\n  - {id: b, processes: [{id: p}]}  #!\n",
        {"id": "p", "section": "processes", "first": 4},
        FURTHER,
    ),
    # meters
    (
        "plant.site-needed",
        "sites: [{id: a}, {id: b}]\nmeters:\n  - {id: E, carrier: electricity}  #!\n",
        {"subject": "meter:E"},
        FURTHER,
    ),
    (
        "plant.process-elsewhere",
        "sites: [{id: a, processes: [{id: p}]}, {id: b}]\nmeters:\n  - {id: E, carrier: electricity, site: b, process: p}  #!\n",
        {"process": "p", "at": "a", "site": "b"},
        FURTHER,
    ),
    ("plant.measures-nothing", "meters:\n  - {id: E, unit: kWh}  #!\n", {}, HEAD),
    ("plant.measures-two", "meters:\n  - {id: E, carrier: electricity, quantity: reactive_energy}  #!\n", {}, HEAD),
    ("plant.product-needed", "meters:\n  - {id: E, quantity: product_output, unit: t}  #!\n", {}, HEAD),
    ("plant.unit-needed", "meters:\n  - {id: G, carrier: natural_gas}  #!\n", {}, HEAD),
    (
        "unit.mismatch",
        "meters:\n  - {id: G, carrier: natural_gas, unit: kWh}  #!\n",
        {"what": "`unit`", "unit": "kWh", "dimension": "energy", "expected": "m3 (natural_gas)"},
        HEAD,
    ),
    (
        "unit.mismatch",
        "meters:\n  - {id: G, kind: rate, carrier: natural_gas, unit: m3}  #!\n",
        {"unit": "m3", "dimension": "volume", "expected": "m3/h (natural_gas)"},
        HEAD,
    ),
    (
        "unit.mismatch",
        f"meters: [{E}, max_rate: 5 t}}]  #!\n",
        {"what": "`max_rate`", "unit": "t", "dimension": "mass", "expected": "kWh/h"},
        HEAD,
    ),
    (
        "unit.mismatch",
        "products: [{id: billet, unit: t}]\nmeters:\n  - {id: P, quantity: product_output, product: billet, unit: piece}  #!\n",
        {"unit": "piece", "dimension": "piece", "expected": "t (billet)"},
        HEAD,
    ),
    (
        "unit.mismatch",
        f"meters:\n  - {E}, changes: [{{at: 2024-01-01, kind: unit, unit: t}}]}}  #!\n",
        {"unit": "t", "expected": "kWh"},
        HEAD,
    ),
    (
        "unit.mismatch",
        "sites: [{id: a, processes: [{id: p, area: 5 m}]}]  #!\n",
        {"what": "`area`", "unit": "m", "dimension": "length", "expected": "m2"},
        FURTHER,
    ),
    (
        "unit.mismatch",
        TARIFF.replace("CNY/kWh", "CNY/t  #!") + "    prices: [{price: 1, since: 2024-01-01}]\n",
        {"unit": "CNY/t", "dimension": "cny·mass^-1", "expected": "CNY/MWh"},
        HEAD,
    ),
    (
        "unit.mismatch",
        SOURCE + "    role: readings\n    wide:\n      kWh: {meter: E, unit: m3}  #!\n",
        {"what": "“kWh”", "unit": "m3", "dimension": "volume", "expected": "kWh (E)"},
        HEAD,
    ),
    ("plant.interval-needed", "meters:\n  - {id: E, carrier: electricity, kind: interval, stamp: end}  #!\n", {}, HEAD),
    (
        "plant.key-unfit",
        "meters:\n  - {id: E, carrier: electricity, kind: rate, digits: 8}  #!\n",
        {"key": "digits", "kind": "rate"},
        HEAD,
    ),
    (
        "plant.stamp-unfit",
        "meters:\n  - {id: E, carrier: electricity, kind: interval, interval: 15min, stamp: instant}  #!\n",
        {},
        HEAD,
    ),
    (
        "plant.stamp-assumed",
        "meters:\n  - {id: E, carrier: electricity, kind: interval, interval: 15min}  #!\n"
        "sources: [{id: s, role: readings, files: a.csv, wide: {kWh: E}}]\n",
        {},
        HEAD,
    ),
    (
        "plant.register-without-digits",
        "meters:\n  - {id: E1, carrier: electricity}  #!\n  - {id: E2, carrier: electricity}\n",
        {"count": 2, "meters": "E1, E2"},
        HEAD,
    ),
    (
        "plant.register-too-big",
        "meters:\n  - {id: E, carrier: electricity, digits: 4, installed: {at: 2024-01-01, register: 10000}}  #!\n",
        {"key": "register", "value": "10000", "digits": 4},
        HEAD,
    ),
    (
        "plant.register-too-big",
        "meters:\n  - id: E\n    carrier: electricity\n    digits: 4\n    changes:\n"
        "      - {at: 2024-01-01, kind: swap, removed_register: 9999.9, installed_register: 10000, digits: 5}\n"
        "      - {at: 2024-02-01, kind: reset, removed_register: 100000, installed_register: 0}  #!\n",
        {"key": "removed_register", "value": "100000", "digits": 5},
        HEAD,
    ),
    (
        "plant.changes-out-of-order",
        f"meters:\n  - {E}, changes: [\n      {{at: 2024-06-01, kind: multiplier, multiplier: 2}},\n"
        "      {at: 2024-05-01, kind: multiplier, multiplier: 3}  #!\n    ]}\n",
        {"at": "2024-05-01", "first": 6},
        HEAD,
    ),
    (
        "plant.change-outside-life",
        f"meters:\n  - {E}, installed: {{at: 2024-01-01}}, changes: [\n"
        "      {at: 2023-05-01, kind: multiplier, multiplier: 3}  #!\n    ]}\n",
        {"at": "2023-05-01"},
        HEAD,
    ),
    (
        "plant.change-incomplete",
        f"meters:\n  - {E}, changes: [{{at: 2024-01-01, kind: swap, removed_register: 5}}]}}  #!\n",
        {"kind": "swap", "key": "installed_register"},
        HEAD,
    ),
    (
        "plant.change-unused-key",
        f"meters:\n  - {E}, changes: [{{at: 2024-01-01, kind: multiplier, multiplier: 5, digits: 7}}]}}  #!\n",
        {"kind": "multiplier", "key": "digits"},
        HEAD,
    ),
    (
        "plant.removed-before-installed",
        f"meters:\n  - {E}, installed: {{at: 2024-01-01}}, removed: {{at: 2023-01-01}}}}  #!\n",
        {"removed": "2022-12-31T16:00:00+00:00", "installed": "2023-12-31T16:00:00+00:00"},
        HEAD,
    ),
    (
        "plant.clock-change",
        f"zone: Europe/Berlin\nmeters:\n  - {E}, installed: {{at: 2024-10-27T02:30}}}}  #!\n",
        {"key": "at", "value": "2024-10-27T02:30", "instant": "2024-10-27T00:30:00+00:00"},
        HEAD,
    ),
    # shares
    (
        "plant.share-form",
        f"meters:\n  - {E}, share: {{by: fixed, to: [eaf, rolling]}}}}  #!\n",
        {"by": "fixed", "en": "a percentage for each process", "zh": "各工序的比例"},
        HEAD,
    ),
    (
        "plant.share-sum",
        f"meters:\n  - {E}, share: {{by: fixed, to: {{eaf: 60%, rolling: 45%}}}}}}  #!\n",
        {"sum": "105"},
        HEAD,
    ),
    (
        "plant.share-key-missing",
        f"meters:\n  - {E}, share: {{by: area, to: [eaf, big]}}}}  #!\n"
        "sites: [{id: mill, processes: [{id: eaf}, {id: big, area: 5}]}]\n",
        {"process": "eaf", "key": "area"},
        FURTHER,
    ),
    (
        "plant.share-key-missing",
        f"meters:\n  - {E}, share: {{by: production, to: [eaf, made]}}}}  #!\n"
        "products: [{id: b, unit: t}]\nsites: [{id: mill, processes: [{id: eaf}, {id: made, products: b}]}]\n",
        {"process": "eaf", "key": "products"},
        FURTHER,
    ),
    (
        "plant.share-and-process",
        f"meters:\n  - {E}, process: eaf, share: {{by: fixed, to: {{eaf: 100%}}}}}}  #!\n",
        {"process": "eaf"},
        HEAD,
    ),
    (
        "plant.validity-overlap",
        f"meters:\n  - {E}, share: [\n      {{by: fixed, to: {{eaf: 100%}}, since: 2024-01-01, until: 2024-03-31}},\n"
        "      {by: fixed, to: {rolling: 100%}, since: 2024-03-31}  #!\n    ]}\n",
        {"what": "share", "since": "2024-03-31", "first": 6},
        HEAD,
    ),
    (
        "plant.validity-overlap",
        TARIFF + "    prices:\n      - {price: 1, since: 2024-01-01}\n      - {price: 2, since: 2025-01-01}  #!\n",
        {"what": "price flat", "since": "2025-01-01", "first": 9},
        HEAD,
    ),
    (
        "plant.validity-overlap",
        "factors:\n  - {factor: f, value: 1, unit: t}\n  - {factor: f, value: 2, unit: t, since: 2025-01-01}  #!\n",
        {"what": "factor f", "since": "2025-01-01", "first": 5},
        HEAD,
    ),
    (
        "plant.validity-reversed",
        "factors:\n  - {factor: f, value: 1, unit: t, since: 2025-01-01, until: 2024-01-01}  #!\n",
        {"since": "2025-01-01", "until": "2024-01-01"},
        HEAD,
    ),
    # the tree of meters, formulas
    (
        "plant.meter-cycle",
        "meters:\n  - {id: A, carrier: electricity, parent: C}  #!\n"
        "  - {id: B, carrier: electricity, parent: A}\n  - {id: C, carrier: electricity, parent: B}\n",
        {"path": "A → C → B → A"},
        HEAD,
    ),
    ("plant.meter-cycle", "meters:\n  - {id: A, carrier: electricity, parent: A}  #!\n", {"path": "A → A"}, HEAD),
    (
        "plant.virtual-cycle",
        "virtual_meters:\n  - {id: V, carrier: electricity, formula: W + 1}\n".replace("W + 1", "W")
        .replace("}\n", "}  #!\n")
        + "  - {id: W, carrier: electricity, formula: 0.5*V}\n",
        {"path": "V → W → V"},
        HEAD,
    ),
    (
        "plant.term-below-itself",
        "virtual_meters:\n  - {id: V, carrier: electricity, formula: A}\nmeters:\n"
        "  - {id: A, carrier: electricity, parent: V}  #!\n",
        {"meter": "A", "virtual": "V"},
        HEAD,
    ),
    (
        "plant.parent-carrier",
        f"meters:\n  - {E}}}\n  - {{id: G, carrier: natural_gas, unit: m3, parent: E}}  #!\n",
        {"parent": "E", "other": "electricity", "own": "natural_gas"},
        HEAD,
    ),
    (
        "plant.parent-elsewhere",
        "sites: [{id: a}, {id: b}]\nmeters:\n  - {id: E, carrier: electricity, site: a}\n"
        "  - {id: F, carrier: electricity, site: b, parent: E}  #!\n",
        {"parent": "E", "other": "a", "own": "b"},
        FURTHER,
    ),
    (
        "plant.term-carrier",
        "meters: [{id: G, carrier: natural_gas, unit: m3}]\nvirtual_meters:\n"
        "  - {id: V, carrier: electricity, formula: G}  #!\n",
        {"meter": "G", "other": "natural_gas", "own": "electricity"},
        HEAD,
    ),
    (
        "plant.term-kind",
        "meters: [{id: L, kind: level, carrier: diesel, unit: t}]\nvirtual_meters:\n"
        "  - {id: V, carrier: diesel, unit: t, formula: L}  #!\n",
        {"meter": "L", "kind": "level"},
        HEAD,
    ),
    (
        "plant.bad-formula",
        f"meters: [{E}}}]\nvirtual_meters:\n  - {{id: V, carrier: electricity, formula: E + (2}}  #!\n",
        {"value": "E + (2", "rest": "+ (2"},
        HEAD,
    ),
    # tariffs
    (
        "plant.bands-overlap",
        TARIFF
        + "    periods:  #!\n".replace("  #!", "")
        + "      - {period: a, hours: '00:00-12:30'}  #!\n      - {period: b, hours: '12:00-24:00', months: 7}\n"
        "      - {period: c, hours: '12:30-24:00', months: 8-6}\n"
        "    prices: [{period: a, price: 1, since: 2024-01-01}, {period: b, price: 1, since: 2024-01-01},\n"
        "      {period: c, price: 1, since: 2024-01-01}]\n",
        {"time": "12:00", "month": 7, "day": "workday", "first": "a", "second": "b"},
        HEAD,
    ),
    (
        "plant.bands-gap",
        TARIFF
        + "    periods:\n      - {period: a, hours: '00:00-24:00', days: workday}  #!\n"
        "      - {period: a, hours: '00:00-23:30', days: 'weekend, holiday'}\n"
        "    prices: [{period: a, price: 1, since: 2024-01-01}]\n",
        {"time": "23:30", "month": 1, "day": "weekend"},
        HEAD,
    ),
    (
        "plant.price-missing",
        TARIFF + "    periods: [{period: a, hours: '0:00-24:00'}]\n    prices: []  #!\n",
        {"period": "a"},
        HEAD,
    ),
    (
        "plant.price-unused",
        TARIFF
        + "    periods: [{period: peak, hours: '0:00-24:00'}]\n    prices:\n"
        "      - {period: peak, price: 1, since: 2024-01-01}  #!\n      - {period: peek, price: 1, since: 2024-01-01}\n",
        {"period": "peek", "hint": " → “peak”?"},
        HEAD,
    ),
    (
        "plant.day-type-twice",
        TARIFF + "    prices: [{price: 1, since: 2024-01-01}]\n    holidays: [2024-02-10]\n    workdays: [2024-02-10]  #!\n",
        {"day": "2024-02-10", "first": "holiday", "second": "workday"},
        HEAD,
    ),
    (
        "plant.day-type-twice",
        TARIFF + "    prices: [{price: 1, since: 2024-01-01}]\n    day_types: {2024-02-10: all}  #!\n",
        {"day": "2024-02-10", "first": "workday", "second": "weekend"},
        HEAD,
    ),
    (
        "plant.basic-incomplete",
        TARIFF + "    prices: [{price: 1, since: 2024-01-01}]\n    basic: {by: capacity, prices: []}  #!\n",
        {},
        HEAD,
    ),
    (
        "plant.tariff-carrier",
        TARIFF + "    prices: [{price: 1, since: 2024-01-01}]\nmeters:\n"
        "  - {id: G, carrier: natural_gas, unit: m3, tariff: t}  #!\n",
        {"tariff": "t", "other": "electricity", "own": "natural_gas"},
        HEAD,
    ),
    (
        "plant.reactive-unfit",
        TARIFF + "    prices: [{price: 1, since: 2024-01-01}]\n"
        "    power_factor: {standard: 0.90, reactive: E}  #!\nmeters: [{id: E, carrier: electricity}]\n",
        {"meter": "E"},
        HEAD,
    ),
    # sources
    (
        "plant.source-columns",
        "sources:\n  - {id: s, role: readings, files: a.csv}  #!\n",
        {"role": "readings", "en": "`wide` or `long`, one of the two", "zh": " `wide` 或 `long` 之一"},
        HEAD,
    ),
    (
        "plant.source-columns",
        "meters: [{id: E, carrier: electricity}]\nsources:\n"
        "  - {id: s, role: readings, files: a.csv, wide: {a: E}, long: {meter: m, value: v}}  #!\n",
        {"role": "readings"},
        HEAD,
    ),
    (
        "plant.source-columns",
        "sources:\n  - {id: s, role: records, files: a.csv, quantity: fuel_purchased}  #!\n",
        {"role": "records", "en": "`fields`"},
        HEAD,
    ),
    (
        "plant.source-key-unused",
        SOURCE + "    role: readings\n    wide: {kWh: E}\n    quantity: fuel_purchased  #!\n",
        {"key": "quantity", "role": "readings"},
        HEAD,
    ),
    (
        "plant.field-needed",
        SOURCE + "    role: records\n    quantity: fuel_purchased\n    fields: {value: v}  #!\n",
        {"key": "date", "en": "day of the record", "zh": "日期"},
        HEAD,
    ),
    (
        "plant.field-needed",
        SOURCE + "    role: records\n    fields: {value: v, start: a, end: b}  #!\n",
        {"key": "quantity"},
        HEAD,
    ),
    (
        "plant.same-mark",
        SOURCE + "    role: readings\n    wide: {kWh: E}\n    decimal: ','\n    thousands: ','  #!\n",
        {"mark": ",", "first": "decimal", "second": "thousands"},
        HEAD,
    ),
    (
        "plant.meter-twice-in-source",
        SOURCE + "    role: readings\n    wide:\n      kWh: E\n      kWh (2): E  #!\n",
        {"meter": "E", "first": "kWh", "second": "kWh (2)"},
        HEAD,
    ),
    (
        "plant.quantity-unknown",
        SOURCE + "    role: records\n    quantity: fuel_purchase  #!\n    fields: {date: d, value: v}\n",
        {"value": "fuel_purchase", "hint": " → “fuel_purchased”?"},
        HEAD,
    ),
    (
        "plant.meter-without-source",
        "meters:\n  - {id: E, carrier: electricity}\n  - {id: F, carrier: electricity}  #!\n"
        "sources: [{id: s, role: readings, files: a.csv, wide: {kWh: E}}]\n",
        {"count": 1, "meters": "F"},
        HEAD,
    ),
]  # fmt: skip
ELSEWHERE = {  # test_plant_file_reader.py and test_plant_file_template.py, which need real files
    "plant.file-missing",
    "plant.file-unreadable",
    "plant.file-too-big",
    "plant.file-encoding",
    "plant.yaml-syntax",
    "plant.limit",
    "plant.no-files",
    "plant.template-exists",
    "plant.template-unwritable",
}
WITHOUT_LINE = {"plant.file-empty"}
# What unavoidably comes with it.
ALONG = {
    "plant.alias": {"plant.not-a-mapping"},
    "plant.bad-hours": {"plant.key-missing"},
    "plant.basic-incomplete": set(),
}


def kinds() -> dict[str, FindingKind]:
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, FindingKind)]
    return {kind.code: kind for kind in found}


@pytest.mark.parametrize(
    ("code", "text", "values", "head"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)]
)
def test_each_finding(code, text, values, head):
    _, findings = read(text, head)
    found = [item for item in findings if item.code == code]
    assert len(found) == 1, [str(item) for item in findings]
    if code not in WITHOUT_LINE:
        assert found[0].where.line == marked_line(text, head)
    assert found[0].where.file == "plant.yaml"
    assert {key: str(found[0].values[key]) for key in values} == {
        key: str(value) for key, value in values.items()
    }
    others = {item.code for item in told(findings)} - {code} - ALONG.get(code, set())
    assert others == set()


@pytest.mark.parametrize(
    ("code", "text", "values", "head"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)]
)
def test_each_finding_speaks_both_languages(code, text, values, head):
    _, findings = read(text, head)
    for item in findings:
        for said in (item.says("zh"), item.says("en"), item.fix("zh"), item.fix("en"), str(item)):
            assert said
            assert "{" not in said or code == "plant.key-unreadable" or "{" in item.kind.fix.en


def test_every_kind_is_made_to_appear():
    tested = {case[0] for case in CASES} | ELSEWHERE
    assert {code for code in kinds() if code.startswith("plant.")} <= tested
    assert tested <= set(kinds())


def test_titles_and_texts_are_in_both_languages():
    for kind in kinds().values():
        for text in (kind.title, kind.says, kind.fix):
            assert text.en != text.zh
            names = [
                {name for _, name, _, _ in string.Formatter().parse(said) if name}
                for said in (text.en, text.zh)
            ]
            assert names[0] - {"en", "doc", "hint", "zone"} == names[1] - {"zh", "doc_zh", "hint", "zone"}, (
                kind.code
            )
