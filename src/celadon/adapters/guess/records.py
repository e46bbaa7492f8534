"""Records in an unknown table: fuel, production, laboratory; which column is which field and what its words stand for."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from celadon.adapters.guess.choices import Choices, Other
from celadon.adapters.guess.clocks import Clock
from celadon.adapters.guess.columns import Column, Look, share
from celadon.core.carriers import CARRIERS, find_carrier
from celadon.core.model import Plant
from celadon.core.text import Text
from celadon.core.units import UnitError, parse_unit

_HEADERS: dict[str, str] = {
    "start": r"\bstart|\bfrom\b|begin|起始|开始|起\b",
    "end": r"\bend\b|\buntil\b|\bto\b|截止|结束|止\b",
    "quantity": r"kind|type|analysis|quantity name|类别|类型|业务|项目|收发",
    "item": r"fuel|item|carrier|material|product|energy|gas\b|品种|品名|燃料|名称|产品|物料|能源",
    "weight": r"batch mass|weight|batch size|批量|批次质量|代表量",
    "value": r"amount|value|result|tonnes|mass|volume|output|qty|quantity|consumption|数量|数值|结果|产量|用量|重量|净重|消耗|购入",
    "unit": r"unit|单位",
    "site": r"\bsite|plant|厂区|站点",
    "process": r"process|line|workshop|工序|车间|产线",
    "purpose": r"purpose|use\b|用途",
    "note": r"note|number|invoice|batch|ticket|no\.?$|单号|发票|批号|编号|化验号|备注",
}
_QUANTITIES: dict[str, tuple[str, Text]] = {
    "fuel_opening_stock": (r"opening|期初|月初", Text("opening stock", "期初库存")),
    "fuel_closing_stock": (r"closing|期末|月末|盘点", Text("closing stock", "期末库存")),
    "fuel_resold": (r"resold|resale|转售|外销|调出", Text("resold", "转售")),
    "net_calorific_value": (
        r"calorific|ncv|heating value|发热量|热值",
        Text("net calorific value", "低位发热量"),
    ),
    "carbon_content": (r"carbon per heat|单位热值含碳", Text("carbon per heat", "单位热值含碳量")),
    "carbon_content_by_mass": (r"carbon content|元素碳|含碳量", Text("carbon by mass", "元素碳含量")),
    "product_output": (r"output|production|produced|产量|产出|入库产品", Text("product output", "产品产量")),
    "fuel_consumed": (r"consum|burn|used|消耗|耗用|领用|用量", Text("consumed", "消耗")),
    "fuel_purchased": (
        r"purchas|bought|deliver|received|invoice|购|采购|进货|到货|入库",
        Text("purchased", "购入"),
    ),
}
_SITE_WORDS = ("site", "process")


def records_score(look: Look, plant: Plant) -> float:
    """How much of the table speaks of carriers, products and amounts, against readings of meters; about 0 to 2."""
    score = 0.0
    for column in look.columns:
        words = list(column.words)[:200]
        if words and len(words) < 200 and column.number_share < 0.2:
            score = max(score, share(words, lambda word: _is_item(word, plant)))
    units = [
        c
        for c in look.columns
        if c.given and c.number_share < 0.2 and share(list(c.words)[:50], _is_unit) > 0.8
    ]
    if any(
        re.search(pattern, look_name, re.IGNORECASE)
        for pattern in (_HEADERS["quantity"], r"产量|购入|purchase|output")
        for look_name in (c.name for c in look.columns)
    ):
        score += 0.5
    return score + (0.5 if units else 0.0)


def _is_item(word: str, plant: Plant) -> bool:
    if find_carrier(word, plant.carriers) is not None:
        return True
    return any(
        word.casefold() in (p.id.casefold(), p.name.zh.casefold(), p.name.en.casefold())
        for p in plant.products
    )


def _is_unit(word: str) -> bool:
    try:
        parse_unit(word)
    except UnitError:
        return False
    return not re.fullmatch(r"[\d\s.]+", word)


def guess_records(look: Look, clock: Clock, plant: Plant, choices: Choices, file: str) -> dict[str, Any]:
    """The part of the source block that says which column is which field."""
    used = {column.name for column in clock.columns}
    fields = _times(look, clock, choices, used)
    for name in ("value", "quantity", "item", "unit", "weight", "site", "process", "purpose", "note"):
        column, why, sure = _find(name, look, plant, used)
        others = [
            Other(c.name, Text("another column", "另一列"))
            for c in look.columns
            if c.name not in used and c is not column
        ]
        if column is None and name in ("item", "unit", "site", "quantity"):
            continue  # may be the same for all rows: see below
        said = choices.choose(f"fields.{name}", column.name if column else "", why, others[:8], sure=sure)
        if said:
            fields[name] = said
            used.add(said)
    block: dict[str, Any] = {"fields": fields}
    _quantity(block, look, plant, choices, file)
    _constants(block, look, plant, choices)
    maps = _maps(block, look, plant, choices)
    if maps:
        block["map"] = maps
    return block


def _times(look: Look, clock: Clock, choices: Choices, used: set[str]) -> dict[str, str]:
    ends = [
        c for c in look.columns if c.name not in used and re.search(_HEADERS["end"], c.name, re.IGNORECASE)
    ]
    starts = [c for c in clock.columns if re.search(_HEADERS["start"], c.name, re.IGNORECASE)]
    if starts and ends:
        used.add(ends[0].name)
        why = Text("start and end stand apart", "起止分列")
        return {
            "start": choices.choose("fields.start", starts[0].name, why),
            "end": choices.choose("fields.end", ends[0].name, why),
        }
    return {
        "date": choices.choose(
            "fields.date", clock.columns[0].name, Text("its cells are days", "其单元格为日期")
        )
    }


def _find(name: str, look: Look, plant: Plant, used: set[str]) -> tuple[Column | None, Text, bool]:
    """The column of a field, why, and whether that is sure."""
    free = [column for column in look.columns if column.name not in used and column.given]
    if name in ("value", "weight"):
        free = [column for column in free if column.number_share > 0.5]
    elif name in ("item", "unit", "quantity", "site", "process", "purpose"):
        free = [column for column in free if column.number_share < 0.5]
    tests = {
        "item": lambda word: _is_item(word, plant),
        "unit": _is_unit,
        "quantity": lambda word: _quantity_of(word) is not None,
        "site": lambda word: any(word in (s.id, s.name.zh, s.name.en) for s in plant.sites),
        "process": lambda word: any(
            word in (p.id, p.name.zh, p.name.en) for s in plant.sites for p in s.processes
        ),
    }
    if name in tests:
        ranked = sorted(
            ((share(list(c.words)[:100], tests[name]), -c.index, c) for c in free),
            reverse=True,
            key=lambda x: x[:2],
        )
        if ranked and ranked[0][0] >= 0.5:
            return (
                ranked[0][2],
                Text(f"{ranked[0][0]:.0%} of its words are known", f"{ranked[0][0]:.0%} 的内容可识别"),
                True,
            )
    named = [c for c in free if re.search(_HEADERS[name], c.name, re.IGNORECASE)]
    if named:
        return named[0], Text("its header says so", "表头如此说明"), name != "quantity"
    if name == "value" and free:
        return free[0], Text("the first column of numbers", "首个数字列"), len(free) == 1
    return None, Text("no column is like it", "没有相近的列"), name not in ("value",)


def _quantity_of(word: str) -> str | None:
    return next(
        (key for key, (pattern, _) in _QUANTITIES.items() if re.search(pattern, word, re.IGNORECASE)), None
    )


def _quantity(block: dict[str, Any], look: Look, plant: Plant, choices: Choices, file: str) -> None:
    """What the records are, where no column says it: by the names of the value column, the sheet and the file."""
    if "quantity" in block["fields"]:
        return
    places = [block["fields"].get("value", ""), look.table.sheet or "", file, *(c.name for c in look.columns)]
    found = next(((key, place) for place in places if place and (key := _quantity_of(place))), None)
    item = look.column(block["fields"].get("item", ""))
    products = bool(
        item and share(list(item.words)[:50], lambda w: find_carrier(w, plant.carriers) is None) > 0.5
    )
    value = found[0] if found else "product_output" if products else "fuel_consumed"
    why = (
        Text(f"“{found[1]}” says so", f"“{found[1]}”如此说明")
        if found
        else Text("nothing in the file says it", "文件未说明")
    )
    others = [Other(key, text) for key, (_, text) in _QUANTITIES.items() if key != value]
    block["quantity"] = choices.choose("quantity", value, why, others, sure=False)


def _constants(block: dict[str, Any], look: Look, plant: Plant, choices: Choices) -> None:
    """Item and unit that are the same for all rows."""
    fields, quantity = block["fields"], block.get("quantity", "")
    if "item" not in fields:
        known = (
            [product.id for product in plant.products]
            if quantity == "product_output"
            else [*(c.id for c in plant.carriers), *CARRIERS]
        )
        named = [
            c
            for word in re.split(r"[\W_]+", fields.get("value", ""))
            if (c := find_carrier(word, plant.carriers))
        ]
        value = (
            named[0].id
            if named and quantity != "product_output"
            else known[0]
            if quantity == "product_output" and len(known) == 1
            else ""
        )
        others = [Other(f"={word}", Text(word, word)) for word in known[:12] if word != value]
        why = (
            Text("the only one there is, or the header names it", "仅此一种，或表头写明")
            if value
            else Text("no column names it", "没有列写明")
        )
        if chosen := choices.choose(
            "fields.item", f"={value}" if value else "", why, others, sure=bool(value)
        ):
            fields["item"] = chosen
    if "unit" not in fields:
        column = look.column(fields.get("value", ""))
        unit = column.unit if column else None
        others = [
            Other(f"={word}", Text(word, word))
            for word in ("t", "kg", "m3", "10^4 Nm3", "kWh", "GJ", "L")
            if word != unit
        ]
        why = (
            Text("the header gives it in brackets", "表头括号中写明")
            if unit
            else Text("nothing in the file says it", "文件未说明")
        )
        if chosen := choices.choose("fields.unit", f"={unit}" if unit else "", why, others, sure=bool(unit)):
            fields["unit"] = chosen
    if "site" not in fields and len(plant.sites) > 1:
        others = [Other(f"={site.id}", site.name) for site in plant.sites]
        if chosen := choices.choose(
            "fields.site", "", Text("no column names the site", "没有站点列"), others, sure=False
        ):
            fields["site"] = chosen
    if "weight" in fields and "weight_unit" not in fields:
        column = look.column(fields["weight"])
        fields["weight_unit"] = choices.choose(
            "fields.weight_unit",
            f"={column.unit if column and column.unit else 't'}",
            Text("of the batch", "批次的单位"),
            sure=bool(column and column.unit),
        )


def _maps(block: dict[str, Any], look: Look, plant: Plant, choices: Choices) -> dict[str, dict[str, str]]:
    """What the file's own words stand for, where they are not ours already."""
    maps: dict[str, dict[str, str]] = {}
    quantity = look.column(block["fields"].get("quantity", ""))
    for word in list(quantity.words)[:40] if quantity else ():
        if word in _QUANTITIES:
            continue
        found = _quantity_of(word)
        others = [Other(key, text) for key, (_, text) in _QUANTITIES.items() if key != found]
        why = (
            _QUANTITIES[found][1]
            if found
            else Text("not known: these rows would be refused", "不认识：相应行将被拒")
        )
        if chosen := choices.choose(f"map.quantity.{word}", found or "", why, others, sure=bool(found)):
            maps.setdefault("quantity", {})[word] = chosen
    item = look.column(block["fields"].get("item", ""))
    for word in list(item.words)[:200] if item else ():
        if find_carrier(word, plant.carriers) is not None or any(
            word == product.id for product in plant.products
        ):
            continue
        ids = _items(plant)
        near = ids.get(word.casefold()) or next(
            (ids[w] for w in get_close_matches(word.casefold(), ids, n=1, cutoff=0.6)), ""
        )
        others = [
            Other(ids[w], Text(w, w))
            for w in get_close_matches(word.casefold(), ids, n=5, cutoff=0.3)
            if ids[w] != near
        ]
        why = (
            Text("the nearest name", "名称最接近")
            if near
            else Text("no carrier or product is called like it", "没有名称相近的品种或产品")
        )
        if chosen := choices.choose(f"map.item.{word}", near, why, others, sure=word.casefold() in ids):
            maps.setdefault("item", {})[word] = chosen
    return maps


def _items(plant: Plant) -> dict[str, str]:
    """Names of carriers and products → their ids."""
    found: dict[str, str] = {}
    for carrier in (*CARRIERS.values(), *plant.carriers):
        for name in (carrier.id, *carrier.aliases, carrier.label.en, carrier.label.zh):
            found[name.casefold()] = carrier.id
    for product in plant.products:
        for name in (product.id, product.name.en, product.name.zh):
            found[name.casefold()] = product.id
    return found
