"""Faulty plant files, first part: the tree, keys and shapes, single values, references."""

from tests.adapters.plant_file_tools import HEAD

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
        {"key": "unit", "table": "product", "doc": "Unit its output is counted in"},
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
    (
        "plant.bad-percentage",
        f"meters: [{E}, tolerance: 2}}]  #!\n",
        {"key": "tolerance", "value": "2"},
        HEAD,
    ),
    (
        "plant.bad-percentage",
        f"meters:\n  - {E}, share: {{by: fixed, to: {{eaf: 60, rolling: 40%}}}}}}  #!\n",
        {"key": "eaf", "value": "60"},
        HEAD,
    ),
    (
        "plant.bad-uncertainty",
        f"meters: [{E}, uncertainty: class A}}]  #!\n",
        {"key": "uncertainty", "value": "class A"},
        HEAD,
    ),
    (
        "plant.bad-duration",
        f"meters: [{E}, max_gap: 2 hours}}]  #!\n",
        {"key": "max_gap", "value": "2 hours"},
        HEAD,
    ),
    ("plant.bad-duration", "grid: 15  #!\n", {"key": "grid", "value": "15"}, HEAD),
    (
        "plant.bad-amount",
        f"meters: [{E}, max_rate: fast}}]  #!\n",
        {"key": "max_rate", "value": "fast"},
        HEAD,
    ),
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
        TARIFF
        + "    periods:\n      - {period: flat, hours: '0:00-24:00', months: 0-3}  #!\n    prices: [{price: 1, since: 2024-01-01}]\n",
        {"key": "months", "value": "0-3"},
        HEAD,
    ),
    (
        "plant.bad-days",
        TARIFF
        + "    periods:\n      - {period: flat, hours: '0:00-24:00', days: sunday}  #!\n    prices: [{price: 1, since: 2024-01-01}]\n",
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
        "plant.bad-time-format",
        SOURCE + "    role: readings\n    time: {format: '%m/%Y'}  #!\n    wide: {kWh: E}\n",
        {"key": "format", "value": "%m/%Y"},
        HEAD,
    ),
    (
        "plant.bad-time-format",
        SOURCE + "    role: readings\n    time: {format: '%Y-%m-%d %I:%M'}  #!\n    wide: {kWh: E}\n",
        {"key": "format", "value": "%Y-%m-%d %I:%M"},
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
    (
        "plant.out-of-range",
        "meters:\n  - {id: E, carrier: electricity, digits: 0}  #!\n",
        {"key": "digits", "value": "0"},
        HEAD,
    ),
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
        SOURCE
        + "    role: records\n    quantity: fuel_purchased\n    fields:\n      {date: d, value: v, site: =mall}  #!\n",
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
        SOURCE
        + "    role: records\n    quantity: product_output\n    fields: {date: d, value: v, item: =bilet}  #!\n",
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
]
