"""Faulty plant files, second part: meters, shares, the tree of meters, tariffs, sources."""

from tests.adapters.plant_file_tools import HEAD

E = "{id: E, carrier: electricity, digits: 8"
FURTHER = "celadon: 1\nenterprise: {id: luhe}\n"
TARIFF = "tariffs:\n  - id: t\n    carrier: electricity\n    unit: CNY/kWh\n"
SOURCE = "meters: [{id: E, carrier: electricity}]\nsources:\n  - id: s\n    files: a.csv\n"

# code, text below the head with the expected line marked, values, head
CASES: list[tuple[str, str, dict[str, object], str]] = [
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
    (
        "plant.measures-two",
        "meters:\n  - {id: E, carrier: electricity, quantity: reactive_energy}  #!\n",
        {},
        HEAD,
    ),
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
    (
        "plant.interval-needed",
        "meters:\n  - {id: E, carrier: electricity, kind: interval, stamp: end}  #!\n",
        {},
        HEAD,
    ),
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
        {"by": "fixed", "form": "a percentage for each process"},
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
        TARIFF
        + "    prices:\n      - {price: 1, since: 2024-01-01}\n      - {price: 2, since: 2025-01-01}  #!\n",
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
    (
        "plant.meter-cycle",
        "meters:\n  - {id: A, carrier: electricity, parent: A}  #!\n",
        {"path": "A → A"},
        HEAD,
    ),
    (
        "plant.virtual-cycle",
        "virtual_meters:\n  - {id: V, carrier: electricity, formula: W + 1}\n".replace("W + 1", "W").replace(
            "}\n", "}  #!\n"
        )
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
        TARIFF + "    periods:\n      - {period: a, hours: '00:00-24:00', days: workday}  #!\n"
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
        TARIFF + "    periods: [{period: peak, hours: '0:00-24:00'}]\n    prices:\n"
        "      - {period: peak, price: 1, since: 2024-01-01}  #!\n      - {period: peek, price: 1, since: 2024-01-01}\n",
        {"period": "peek", "hint": " → “peak”?"},
        HEAD,
    ),
    (
        "plant.day-type-twice",
        TARIFF
        + "    prices: [{price: 1, since: 2024-01-01}]\n    holidays: [2024-02-10]\n    workdays: [2024-02-10]  #!\n",
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
        {"role": "readings", "columns": "`wide` or `long`, one of the two"},
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
        {"role": "records", "columns": "`fields`"},
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
        {"key": "date", "field": "day of the record"},
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
    (
        "plant.excluded-what",
        f"meters: [{E}}}]\nexcluded:\n  - {{start: 2024-01-01, reason: dead}}  #!\n",
        {},
        HEAD,
    ),
    (
        "plant.excluded-key",
        f"meters: [{E}}}]\nexcluded:\n  - {{meter: E, note: A7, start: 2024-01-01, reason: dead}}  #!\n",
        {"key": "note"},
        HEAD,
    ),
    (
        "plant.excluded-reversed",
        f"meters: [{E}}}]\nexcluded:\n  - {{meter: E, start: 2024-01-02, end: 2024-01-01, reason: dead}}  #!\n",
        {"start": "2024-01-01 16:00:00+00:00", "end": "2023-12-31 16:00:00+00:00"},
        HEAD,
    ),
]
