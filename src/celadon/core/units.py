"""Units: parse, multiply, compare and convert with exact factors.

A unit is an exact ratio to the base of its dimension, and a dimension is a product of base quantities.
What carbon accounting must never mix has a base quantity of its own: the mass of carbon, of CO2, of CO2e, of CH4
and of N2O, standard coal, and the amount of a carrier in that carrier's own unit (`carrier_unit`).
An own registry, checked in the tests against pint: importing pint and its registry costs 0.6 s, a whole command's budget.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

from celadon.core.dataclass import dataclass
from celadon.core.findings import FindingKind, Severity
from celadon.core.text import Text, TextError

UNIT_UNKNOWN = FindingKind(
    "unit.unknown",
    Severity.ERROR,
    Text(en="Unknown unit", zh="未知单位"),
    Text(en="“{unit}” is not a unit Celadon knows{hint}.", zh="“{unit}”不是已知单位{hint}。"),
    Text(
        en="Write the unit as the standards print it, for example kWh, MWh, t, Nm3, 10^4 m3, GJ, kgce, tCO2/MWh.",
        zh="请按标准写法书写单位，例如 kWh、MWh、t、Nm3、10^4 m3、GJ、kgce、tCO2/MWh。",
    ),
)
UNIT_MISMATCH = FindingKind(
    "unit.mismatch",
    Severity.ERROR,
    Text(en="Unit of another kind", zh="单位量纲不符"),
    Text(
        en="{what} is in {unit}, which measures {dimension}; expected {expected}.",
        zh="{what} 的单位为 {unit}（量纲 {dimension}），应为 {expected}。",
    ),
    Text(
        en="Correct the unit, or the column it stands for; or write the unit with what converts it: "
        "“GJ/(38.93 MJ/m3)” for gas metered by its heat, “0.84 kg/L·L” for litres kept in tonnes.",
        zh="请更正单位或对应的列；或在单位中写明换算量：按热量计量的燃气写“GJ/(38.93 MJ/m3)”，以吨计的油品用升时写“0.84 kg/L·L”。",
    ),
)


MAX_EXPONENT = 24
MAX_TEXT = 200
MAX_POWER = 100
"""Of ten, that a unit raised to a power may reach: brackets can raise a power to a power."""
"""Larger powers are typing errors, and would take long to compute."""


class UnitError(TextError):
    """A unit text that cannot be read, or two units that do not measure the same."""


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_PREFIXES = {
    "": Fraction(1), "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
    "m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "µ": Fraction(1, 10**6), "h": Fraction(100),
}  # fmt: skip
_NOTHING: dict[str, int] = {}


def _base(name: str) -> tuple[Fraction, dict[str, int]]:
    return Fraction(1), {name: 1}


# name -> (ratio to base, dimension); prefixable names are listed in _PREFIXABLE.
_J = {"energy": 1}
_DEFS: dict[str, tuple[Fraction, dict[str, int]]] = {
    "1": (Fraction(1), _NOTHING),
    "%": (Fraction(1, 100), _NOTHING),
    "‰": (Fraction(1, 1000), _NOTHING),
    "ppm": (Fraction(1, 10**6), _NOTHING),
    "g": (Fraction(1, 1000), {"mass": 1}),
    "t": (Fraction(1000), {"mass": 1}),
    "jin": (Fraction(1, 2), {"mass": 1}),
    "lb": (Fraction(45359237, 10**8), {"mass": 1}),
    "short_ton": (Fraction(45359237 * 2000, 10**8), {"mass": 1}),
    "long_ton": (Fraction(45359237 * 2240, 10**8), {"mass": 1}),
    "m": _base("length"),
    "km": (Fraction(1000), {"length": 1}),
    "mile": (Fraction(1609344, 1000), {"length": 1}),
    "m2": (Fraction(1), {"length": 2}),
    "mu": (Fraction(2000, 3), {"length": 2}),
    "ha": (Fraction(10**4), {"length": 2}),
    "m3": _base("volume"),
    "L": (Fraction(1, 1000), {"volume": 1}),
    "gal": (Fraction(3785411784, 10**12), {"volume": 1}),
    "ft3": (Fraction(28316846592, 10**12), {"volume": 1}),
    "bbl": (Fraction(158987294928, 10**12), {"volume": 1}),
    "s": (Fraction(1), {"time": 1}),
    "min": (Fraction(60), {"time": 1}),
    "h": (Fraction(3600), {"time": 1}),
    "d": (Fraction(86400), {"time": 1}),
    "month": _base("month"),
    "a": _base("year"),
    "J": (Fraction(1), _J),
    "Wh": (Fraction(3600), _J),
    "W": (Fraction(1), {"energy": 1, "time": -1}),
    "cal": (Fraction(41868, 10**4), _J),
    "Btu": (Fraction(105505585262, 10**8), _J),
    "therm": (Fraction(105505585262, 10**3), _J),
    "var": _base("reactive_power"),
    "varh": (Fraction(3600), {"reactive_power": 1, "time": 1}),
    "VA": _base("apparent_power"),
    "V": _base("voltage"),
    "A": _base("current"),
    "Hz": (Fraction(1), {"time": -1}),
    "Pa": _base("pressure"),
    "bar": (Fraction(10**5), {"pressure": 1}),
    "K": _base("temperature_difference"),
    "degC": _base("celsius"),
    "degF": _base("fahrenheit"),
    "gce": (Fraction(1, 1000), {"standard_coal": 1}),
    "tce": (Fraction(1000), {"standard_coal": 1}),
    "goe": (Fraction(1, 1000), {"oil_equivalent": 1}),
    "toe": (Fraction(1000), {"oil_equivalent": 1}),
    "CNY": _base("cny"),
    "USD": _base("usd"),
    "EUR": _base("eur"),
    "GBP": _base("gbp"),
    "KRW": _base("krw"),
    "piece": _base("piece"),
    "person": _base("person"),
    "vehicle": _base("vehicle"),
    "carrier_unit": _base("carrier_amount"),
    "product_unit": _base("product_amount"),
}
for _gas in ("C", "CO2", "CO2e", "CH4", "N2O"):
    _DEFS[f"g{_gas}"] = (Fraction(1, 1000), {f"{_gas}_mass": 1})
    _DEFS[f"t{_gas}"] = (Fraction(1000), {f"{_gas}_mass": 1})
_KIND_WORDS = {
    "mass": "质量", "length": "长度", "volume": "体积", "time": "时间", "month": "月", "year": "年", "energy": "能量",
    "reactive_power": "无功功率", "apparent_power": "视在功率", "voltage": "电压", "current": "电流", "pressure": "压力",
    "temperature_difference": "温差", "celsius": "摄氏温度", "fahrenheit": "华氏温度", "standard_coal": "标准煤",
    "oil_equivalent": "油当量", "cny": "人民币", "usd": "美元", "eur": "欧元", "gbp": "英镑", "krw": "韩元", "piece": "件数",
    "person": "人数", "vehicle": "车辆数", "carrier_amount": "能源数量", "product_amount": "产品数量", "C_mass": "碳质量",
    "CO2_mass": "CO2 质量", "CO2e_mass": "CO2 当量质量", "CH4_mass": "CH4 质量", "N2O_mass": "N2O 质量",
}  # fmt: skip
_PREFIXABLE = {
    "g", "t", "L", "J", "Wh", "W", "cal", "Btu", "var", "varh", "VA", "V", "A", "Hz", "Pa", "gce", "tce", "goe", "toe",
    *(f"{p}{g}" for p in "gt" for g in ("C", "CO2", "CO2e", "CH4", "N2O")),
}  # fmt: skip
_ALIASES = {
    "ton": "t", "tonne": "t", "tonnes": "t", "吨": "t", "千克": "kg", "公斤": "kg", "斤": "jin", "克": "g", "万吨": "10^4 t",
    "度": "kWh", "千瓦时": "kWh", "兆瓦时": "MWh", "万千瓦时": "10^4 kWh", "万度": "10^4 kWh", "亿千瓦时": "10^8 kWh", "千瓦": "kW",
    "Nm3": "m3", "Sm3": "m3", "立方米": "m3", "标准立方米": "m3", "标方": "m3", "万立方米": "10^4 m3", "万标方": "10^4 m3",
    "万Nm3": "10^4 m3", "万m3": "10^4 m3", "升": "L", "l": "L", "litre": "L", "litres": "L", "liter": "L", "liters": "L",
    "吉焦": "GJ", "百万千焦": "GJ", "兆焦": "MJ", "千焦": "kJ", "大卡": "kcal", "千卡": "kcal",
    "kgoe": "kgoe", "吨标准煤": "tce", "吨标煤": "tce", "千克标准煤": "kgce", "万吨标准煤": "10^4 tce",
    "kg_CO2": "kgCO2", "kg_CO2e": "kgCO2e", "t_CO2": "tCO2", "t_CO2e": "tCO2e", "tCO2eq": "tCO2e", "kgCO2eq": "kgCO2e",
    "tc": "tC", "hour": "h", "hours": "h", "hr": "h", "小时": "h", "day": "d", "days": "d", "天": "d", "minute": "min",
    "second": "s", "year": "a", "yr": "a", "年": "a", "月": "month", "RMB": "CNY", "元": "CNY", "万元": "10^4 CNY", "yuan": "CNY",
    "percent": "%", "dimensionless": "1", "pcs": "piece", "件": "piece", "台": "piece", "个": "piece", "unit": "piece",
    "units": "piece", "人": "person", "辆": "vehicle", "kwh": "kWh", "KWH": "kWh", "Kwh": "kWh", "KWh": "kWh", "kWH": "kWh", "mwh": "MWh", "MWH": "MWh",
    "gj": "GJ", "kvarh": "kvarh", "kVarh": "kvarh", "kVArh": "kvarh", "kvar": "kvar", "kVAr": "kvar", "℃": "degC", "°C": "degC",
    "°F": "degF", "T_mass": "t", "MMBtu": "10^6 Btu", "公里": "km", "亩": "mu", "scf": "ft3", "short ton": "short_ton",
    "short tons": "short_ton", "long ton": "long_ton", "long tons": "long_ton", "lbs": "lb", "therms": "therm", "gallon": "gal",
    "gallons": "gal", "£": "GBP", "€": "EUR", "$": "USD",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """An exact ratio to the base of a dimension; compare dimensions with `same_kind`, convert with `factor_to`."""

    text: str
    ratio: Fraction
    dimension: tuple[tuple[str, int], ...]

    def same_kind(self, other: Unit) -> bool:
        return self.dimension == other.dimension

    def factor_to(self, other: Unit) -> Fraction:
        """x in self = x · factor in `other`, exactly (UnitError when they measure different things)."""
        if not self.same_kind(other):
            ours, theirs = self.kind, other.kind
            raise UnitError(
                Text(
                    f"{self.text} measures {ours.en}, not {theirs.en} ({other.text})",
                    f"{self.text} 的量纲为{ours.zh}，而非{theirs.zh}（{other.text}）",
                )
            )
        return self.ratio / other.ratio

    @property
    def kind_text(self) -> str:
        """The dimension in words: `energy·time^-1`, or `number`."""
        parts = [name if power == 1 else f"{name}^{power}" for name, power in self.dimension]
        return "·".join(parts) or "number"

    @property
    def kind(self) -> Text:
        """The dimension in words of both languages."""
        parts = [
            _KIND_WORDS.get(name, name) + (f"^{power}" if power != 1 else "")
            for name, power in self.dimension
        ]
        return Text(self.kind_text, "·".join(parts) or "纯数")

    def __mul__(self, other: Unit) -> Unit:
        return _combine(self, other, 1)

    def __truediv__(self, other: Unit) -> Unit:
        return _combine(self, other, -1)

    def __pow__(self, power: int) -> Unit:
        dims = tuple((name, p * power) for name, p in self.dimension)
        return Unit(f"({self.text})^{power}", self.ratio**power, dims if power else ())

    def __str__(self) -> str:
        return self.text


def _combine(left: Unit, right: Unit, sign: int) -> Unit:
    dims = dict(left.dimension)
    for name, power in right.dimension:
        dims[name] = dims.get(name, 0) + sign * power
    ratio = left.ratio * right.ratio if sign > 0 else left.ratio / right.ratio
    text = _product_text(left.text, right.text, "·" if sign > 0 else "/")
    return Unit(text, ratio, tuple(sorted((n, p) for n, p in dims.items() if p)))


def _product_text(left: str, right: str, sign: str) -> str:
    if right == "1":
        return left
    right = f"({right})" if sign == "/" and ("/" in right or "·" in right) else right
    return right if left == "1" and sign == "·" else f"{left}{sign}{right}"


_TOKEN = re.compile(
    r"\s*(?:(?P<power>10\s*(?:\^|\*\*)\s*\d+|1[eE]\d+)|(?P<number>\d+(?:\.\d+)?)(?![A-Za-z])|(?P<op>[*/·()×])|(?P<exp>\^-?\d+)"
    r"|(?P<name>[^\W\d][\w]*|[%‰℃£€$]|°[CF]))"
)


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit:
    """Read a unit such as `kgce/kWh`, `tC/TJ`, `10^4 Nm3` or `万kWh` (UnitError when it cannot be read)."""
    if len(text) > MAX_TEXT:
        raise UnitError(Text(f"a unit of {len(text)} characters", f"单位长达 {len(text)} 个字符"))
    source = re.sub(r"(?<=\d)(?=[⁰¹²³⁴⁵⁶⁷⁸⁹⁻])", "^", text.strip()).translate(_SUPERSCRIPTS)
    source = re.sub(r"\s+CO2", "CO2", source).replace("（", "(").replace("）", ")")
    if source == "":
        raise UnitError(Text("a unit is missing", "缺少单位"))
    if source in _ALIASES:
        return _named(text, _parse(_ALIASES[source]))
    return _named(text, _parse(source))


def _named(text: str, unit: Unit) -> Unit:
    return Unit(text.strip(), unit.ratio, unit.dimension)


def _parse(source: str) -> Unit:
    tokens, position = [], 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if not match or match.end() == position:
            raise _unreadable(source)
        tokens.append(match)
        position = match.end()
    unit, rest = _product(tokens, source)
    if rest:
        raise _unreadable(source)
    return unit


def _product(tokens: list[re.Match[str]], source: str) -> tuple[Unit, list[re.Match[str]]]:
    unit, sign = Unit("1", Fraction(1), ()), 1
    expecting = True
    while tokens:
        match, tokens = tokens[0], tokens[1:]
        op = match["op"]
        if op in ("*", "·", "×", "/"):
            if expecting:
                raise _unreadable(source)
            sign, expecting = (-1 if op == "/" else 1), True
            continue
        if op == ")":
            return unit, [match, *tokens]
        if op == "(":
            part, tokens = _product(tokens, source)
            if not tokens or tokens[0]["op"] != ")":
                raise UnitError(Text(f"a bracket is not closed in “{source}”", f"“{source}”中括号未闭合"))
            tokens = tokens[1:]
        else:
            part = _atom(match, source)
        if tokens and tokens[0]["exp"]:
            exponent = int(tokens[0]["exp"][1:])
            if abs(exponent) > MAX_EXPONENT:
                raise UnitError(
                    Text(
                        f"“{source}”: no unit has the power {exponent}",
                        f"“{source}”：没有 {exponent} 次方的单位",
                    )
                )
            size = max(part.ratio.numerator, part.ratio.denominator)
            if abs(exponent) * len(str(size)) > MAX_POWER:
                raise _unreadable(source)
            part, tokens = part**exponent, tokens[1:]
        unit = _combine(unit, part, sign)
        expecting = False  # what follows without an operator stays on this side: GJ/10^4 m3
    if expecting:
        raise _unreadable(source)
    return unit, tokens


def _atom(match: re.Match[str], source: str) -> Unit:
    if power := match["power"]:
        exponent = int(re.split(r"[\^*eE]+", power.replace(" ", ""))[-1])
        if exponent > MAX_EXPONENT:
            raise UnitError(
                Text(
                    f"“{source}”: 10^{exponent} is no factor of a unit",
                    f"“{source}”：10^{exponent} 不能作为单位的倍数",
                )
            )
        return Unit(power, Fraction(10) ** exponent, ())
    if number := match["number"]:
        return Unit(number, Fraction(number), ())
    name = match["name"]
    if name is None:
        raise _unreadable(source)
    return _lookup(name)


def _lookup(name: str) -> Unit:
    if name in _ALIASES and _ALIASES[name] != name:
        return _parse(_ALIASES[name])
    if name in _DEFS:
        ratio, dims = _DEFS[name]
        return Unit(name, ratio, tuple(sorted(dims.items())))
    for prefix, scale in _PREFIXES.items():
        stem = name[len(prefix) :]
        if prefix and name.startswith(prefix) and stem in _PREFIXABLE:
            ratio, dims = _DEFS[stem]
            return Unit(name, ratio * scale, tuple(sorted(dims.items())))
    if name.startswith("万") and len(name) > 1:
        return Unit("10^4", Fraction(10**4), ()) * _lookup(name[1:])
    if name.startswith("亿") and len(name) > 1:
        return Unit("10^8", Fraction(10**8), ()) * _lookup(name[1:])
    hint = did_you_mean(name, _known_names())
    raise UnitError(Text(f"“{name}” is not a known unit{hint.en}", f"“{name}”不是已知单位{hint.zh}"))


def _unreadable(source: str) -> UnitError:
    return UnitError(Text(f"cannot read “{source}” as a unit", f"无法将“{source}”识别为单位"))


def _known_names() -> list[str]:
    return [*_DEFS, *_ALIASES, "kWh", "MWh", "GJ", "MJ", "kJ", "kg", "kgce", "kgCO2", "kgCO2e"]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to a misspelt one."""
    names = list(known)
    near = _nearest(name, [item for item in names if _alike(name, item)])
    return next(iter(near or [item for item in names if item.lower() == name.lower()]), None)


_NEAR = 0.6


def _alike(name: str, item: str) -> bool:
    """Whether two names share letters enough to be near at all: most pairs do not, and need no closer look."""
    shared = sum(min(name.count(letter), item.count(letter)) for letter in set(name))
    return 2 * shared >= _NEAR * (len(name) + len(item))


def _nearest(name: str, names: list[str]) -> list[str]:
    if not names:
        return []
    import difflib  # noqa: PLC0415  (only on the error path)

    return difflib.get_close_matches(name, names, n=1, cutoff=_NEAR)


def did_you_mean(name: str, known: Iterable[str]) -> Text:
    """` (did you mean “…”?)` for the nearest known name, or an empty text."""
    near = nearest(name, known)
    return Text(f" (did you mean “{near}”?)", f"（是否指“{near}”？）") if near else Text("", "")


def recorded_factor(given: Unit, wanted: Unit) -> Fraction:
    """As `factor_to`, for values people record: where a mass of one substance is wanted (kgCH4, tC/t), a plain mass or share
    (kg, %) is taken too, as scales and laboratories print it. Formulas stay strict."""
    if given.dimension != wanted.dimension and given.dimension == _of_no_substance(wanted):
        return given.ratio / wanted.ratio
    return given.factor_to(wanted)


def _of_no_substance(unit: Unit) -> tuple[tuple[str, int], ...]:
    """The dimension with every mass of a substance as plain mass."""
    powers: dict[str, int] = {}
    for name, power in unit.dimension:
        plain = "mass" if name.endswith("_mass") else name
        powers[plain] = powers.get(plain, 0) + power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def conversion(source: str, target: str) -> Fraction:
    """The exact factor from `source` to `target` (UnitError when there is none)."""
    return parse_unit(source).factor_to(parse_unit(target))


ONE = parse_unit("1")
