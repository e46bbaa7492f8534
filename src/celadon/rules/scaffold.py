"""A new rulebook's folder: commented, valid as it stands, with one case that passes; to be filled from the document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Lang, Text, text_of
from celadon.rules.rule import word_of

FOLDER_TAKEN = FindingKind(
    "rulebook.folder-taken",
    Severity.ERROR,
    Text(en="Not written", zh="未写入"),
    Text(en="{file} cannot be written: {why}.", zh="{file} 无法写入：{why}。"),
    Text(
        en="Name a folder that is empty or not there yet; nothing is overwritten.",
        zh="请指定空文件夹或尚不存在的文件夹；不会覆盖任何文件。",
    ),
)
ID_REFUSED = FindingKind(
    "rulebook.id-refused",
    Severity.ERROR,
    Text(en="Id cannot be used", zh="编号不可用"),
    Text(en="The rulebook's id: {why}.", zh="规则册编号：{why}。"),
    Text(en="Give one with --id, such as cn_gbt_12345_2024.", zh="请用 --id 给出，例如 cn_gbt_12345_2024。"),
)

# Comments by language; the rest of a file is the same in both.
_WORDS: dict[str, Text] = {
    "about": Text(
        "What this rulebook is. `celadon rulebooks ./FOLDER` shows it; unknown keys are refused.",
        "规则册说明。`celadon rulebooks ./文件夹` 可查看；未知键会被拒绝。",
    ),
    "documents": Text(
        "Everything that rules cite; the first is the standard itself. until: is the last day it is in force.",
        "规则引用的全部文件；第一个是标准本身。until: 为有效期最后一天。",
    ),
    "totals": Text("What `celadon account` shows when nothing is asked for by name.", "未指定指标时 `celadon account` 显示的主要指标。"),
    "options": Text(
        "A choice that the standard leaves open; delete it if there is none, and its column in the table.",
        "标准留给用户的选择；若没有，连同因子表中的该列一并删除。",
    ),
    "not_modelled": Text(
        "Every clause that is left out, and why: users see it.", "未建模的每个条款及原因：用户可见。"
    ),
    "facts": Text(
        "What the plant is asked for: unit and what one row stands for. carrier_unit is each carrier's own unit.",
        "向工厂要的数据：单位，以及一行代表什么。carrier_unit 为各能源品种自己的单位。",
    ),
    "factors": Text(
        "What is looked up in tables/: which column, and which cells select the row.",
        "在 tables/ 中查取的因子：取哪一列，用哪些单元格选行。",
    ),
    "on_missing": Text(
        "a plant that declares no such flow leaves the term out, because the clause says so",
        "工厂未申报该流时此项不计，依据所列条款",
    ),
    "chapter": Text("Chapter 5, calculation. One file per chapter, in the document's order.", "第 5 章 计算。每章一个文件，按原文顺序。"),
    "product": Text("Amount times factor; the engine converts units exactly.", "数量乘以因子；单位由引擎精确换算。"),
    "sum": Text("Sum over carriers.", "各品种之和。"),
    "paraphrase": Text("E = Σ AD × EF: amount of each carrier times its factor", "E = Σ AD × EF：各品种数量乘以其因子"),
    "source": Text("example; from no document: replace", "示例，非任何文件数值：请替换"),
    "case": Text("diesel of one month", "一个月的柴油"),
    "vouched": Text(
        "by: published (the document's own example), recomputed, or constructed, and source: where it stands.",
        "by: published（原文算例）、recomputed（复算）或 constructed（自拟）；source: 出处。",
    ),
    "arithmetic": Text("20 t × 3 kg/kg", "20 t × 3 kg/kg"),
    "unchecked": Text("the example row is marked recalled, and the answer says so", "示例行标为 recalled，结果会提示"),
}  # fmt: skip


def new_rulebook(folder: Path, ident: str | None, number: str, title: str, lang: Lang = "en") -> list[Path]:
    """Write the folder and return its files.

    Raises:
        FindingError: the id is no name, a file is there already, or the folder cannot be written.
    """
    try:
        name = word_of(ident or folder.resolve().name.lower().replace("-", "_"))
    except ValueError as error:
        raise FindingError(ID_REFUSED.at(Place(subject=ident or folder.name), why=text_of(error))) from error
    texts = {folder / inside: text for inside, text in _files(name, number, title, lang).items()}
    for path in texts:
        if path.exists():
            why = Text("it is there already", "已存在")
            raise FindingError(FOLDER_TAKEN.at(Place(file=str(path)), file=str(path), why=why))
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FindingError(
            FOLDER_TAKEN.at(Place(file=str(folder)), file=str(folder), why=text_of(error))
        ) from error
    return list(texts)


def _files(name: str, number: str, title: str, lang: Lang) -> Mapping[str, str]:
    say, paraphrase = {key: text.say(lang) for key, text in _WORDS.items()}, _WORDS["paraphrase"]
    cited, called = json.dumps(number, ensure_ascii=False), json.dumps(title, ensure_ascii=False)
    clause = json.dumps(f"{number} 5.2", ensure_ascii=False)
    return {
        "about.yaml": f"""# {say["about"]}
id: {name}
edition: "1"
documents:   # {say["documents"]}
  - number: {cited}
    title: {{zh: {called}, en: {called}}}
    since: 2024-01-01
scope: {{zh: {called}, en: {called}}}
totals: [emission]   # {say["totals"]}
options:   # {say["options"]}
  basis:
    label: {{zh: 口径, en: Basis}}
    choices: {{net: {{zh: 净, en: net}}, gross: {{zh: 毛, en: gross}}}}
    default: net
    clause: {clause}
not_modelled:   # {say["not_modelled"]}
  - clause: {json.dumps(f"{number} 6", ensure_ascii=False)}
    what: {{zh: 过程排放, en: process emissions}}
    why: {{zh: 尚未录入, en: not entered yet}}
""",
        "quantities.yaml": f"""facts:   # {say["facts"]}
  energy_consumed:
    label: {{zh: 能源消耗量, en: Energy consumed}}
    unit: carrier_unit
    grain: site, month, carrier, purpose
  energy_exported:
    label: {{zh: 外供能源量, en: Energy passed on}}
    unit: carrier_unit
    grain: site, month, carrier
    on_missing: not_applicable   # {say["on_missing"]}
    clause: {clause}
factors:   # {say["factors"]}
  emission_factor:
    label: {{zh: 排放因子, en: Emission factor}}
    unit: tCO2/carrier_unit
    table: factors
    column: value
    keys: {{carrier: carrier, basis: "option:basis"}}
    on_gap: error   # error | absent | latest_earlier | next
    clause: {clause}
""",
        "s5_calculation.py": f'''"""{say["chapter"]}"""

from celadon.rules import document, sum_of, total

standard = document({cited})
eq1 = standard.clause(
    {{"zh": "5.2 式(1)", "en": "5.2 eq.(1)"}},
    {{"zh": "{paraphrase.zh}", "en": "{paraphrase.en}"}},
)


@eq1.rule(unit="tCO2", per="site, month, carrier", label={{"zh": "分品种排放", "en": "Emission by carrier"}})
def carrier_emission(energy_consumed, energy_exported, emission_factor):
    """{say["product"]}"""
    used = sum_of(total(energy_consumed, over="purpose"), -energy_exported)
    return used * emission_factor


@eq1.rule(unit="tCO2", per="site, month", label={{"zh": "排放总量", "en": "Total emission"}})
def emission(carrier_emission):
    """{say["sum"]}"""
    return total(carrier_emission, over="carrier")
''',
        "tables/factors.csv": f"""carrier,basis,value,unit,valid_from,valid_to,published,source,clause,confidence,note
diesel,net,3,kgCO2/kg,2024-01-01,,2024-01-01,{say["source"]},,recalled,
diesel,gross,2.8,kgCO2/kg,2024-01-01,,2024-01-01,{say["source"]},,recalled,
""",
        "cases/s5.yaml": f"""- name: {say["case"]}
  vouched: {{by: constructed}}   # {say["vouched"]}
  period: 2024-08
  facts: [{{quantity: energy_consumed, carrier: diesel, value: 20, unit: t}}]
  expect:
    - {{quantity: emission, value: 60, unit: tCO2}}   # {say["arithmetic"]}
    - {{finding: factor.unchecked}}   # {say["unchecked"]}
""",
    }
