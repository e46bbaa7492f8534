"""`celadon new`: a commented plant file with samples of its data, which works as it stands.

The plant is a small foundry in January 2024. Its numbers are made by rule, so that everybody gets the
same files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from celadon.adapters.plant_file.reader import FILE_NAME
from celadon.core.findings import FindingKind, Findings, Place, Severity
from celadon.core.text import Lang, Text, text_of

TEMPLATE_EXISTS = FindingKind(
    "plant.template-exists",
    Severity.ERROR,
    Text("Nothing is overwritten", "不覆盖已有文件"),
    Text("{file} is already there; nothing was written.", "{file} 已存在，未写入任何文件。"),
    Text("Choose another folder, or move the file away.", "请另选文件夹，或先移走该文件。"),
)
TEMPLATE_UNWRITABLE = FindingKind(
    "plant.template-unwritable",
    Severity.ERROR,
    Text("Folder cannot be written", "文件夹无法写入"),
    Text("{file} cannot be written: {reason}.", "无法写入 {file}：{reason}。"),
    Text("Choose a folder that you may write to.", "请选择有写入权限的文件夹。"),
)

_START, _HOURS = datetime(2024, 1, 1), 31 * 24
_METERS = {
    "en": "time,Incoming kWh,Furnace kWh,Compressors MWh",
    "zh": "时间,总进线 kWh,中频炉 kWh,空压站 MWh",
}
_FUEL = {
    "en": "date,kind,fuel,amount,unit,purpose,document",
    "zh": "日期,类别,品种,数量,单位,用途,单号",
}
_FUEL_ROWS = (
    ("2024-01-01", "opening stock", "bituminous coal", "120.5", "t", "combustion", "S-0101"),
    ("2024-01-09", "purchased", "bituminous coal", "60.2", "t", "combustion", "C-2401"),
    ("2024-01-12", "purchased", "diesel oil", "1850", "kg", "mobile", "D-2401"),
    ("2024-01-23", "purchased", "bituminous coal", "58.9", "t", "combustion", "C-2402"),
    ("2024-01-31", "closing stock", "bituminous coal", "95.1", "t", "combustion", "S-0131"),
)
_LABORATORY = {
    "en": "date,batch,fuel,analysis,result,unit,batch mass",
    "zh": "日期,批号,品种,项目,结果,单位,批次质量",
}
_LABORATORY_ROWS = (
    ("2024-01-09", "C-2401", "bituminous coal", "net calorific value", "21.35", "GJ/t", "60.2"),
    ("2024-01-09", "C-2401", "bituminous coal", "carbon per heat", "0.02637", "tC/GJ", "60.2"),
    ("2024-01-23", "C-2402", "bituminous coal", "net calorific value", "20.98", "GJ/t", "58.9"),
    ("2024-01-23", "C-2402", "bituminous coal", "carbon per heat", "0.02651", "tC/GJ", "58.9"),
)
_PRODUCTION = {"en": "date,tonnes", "zh": "日期,产量"}
_ZH = {
    "bituminous coal": "烟煤",
    "diesel oil": "柴油",
    "opening stock": "期初库存",
    "purchased": "购入",
    "closing stock": "期末库存",
    "combustion": "燃烧",
    "mobile": "运输",
    "net calorific value": "低位发热量",
    "carbon per heat": "单位热值含碳量",
}


def template_files(lang: Lang) -> dict[str, str]:
    """The files of a new plant by their path below its folder, `plant.yaml` first."""
    plant = Path(__file__).parent / "template" / f"plant.{lang}.yaml"
    return {
        FILE_NAME: plant.read_text("utf-8"),
        "data/meters_2024-01.csv": _csv(_METERS[lang], _registers()),
        "data/fuel_2024-01.csv": _csv(_FUEL[lang], _words(_FUEL_ROWS, lang)),
        "data/laboratory_2024-01.csv": _csv(_LABORATORY[lang], _words(_LABORATORY_ROWS, lang)),
        "data/production_2024-01.csv": _csv(_PRODUCTION[lang], _output()),
    }


def write_template(
    directory: str | Path, lang: Lang = "en", contents: Mapping[str, str] | None = None
) -> tuple[tuple[Path, ...], Findings]:
    """Writes a new plant (its files by name; None = the template) into `directory` (made where it is missing); the files
    written, and what was in the way.

    Where one of the files is already there, nothing is written."""
    folder = Path(directory)
    contents = template_files(lang) if contents is None else contents
    findings = Findings()
    for name in contents:
        if (folder / name).exists():
            shown = (folder / name).as_posix()
            findings.add(TEMPLATE_EXISTS.at(Place(file=shown), file=shown))
    written: list[Path] = []
    for name, text in contents.items() if not findings else ():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            shown, reason = path.as_posix(), text_of(error)
            findings.add(TEMPLATE_UNWRITABLE.at(Place(file=shown), file=shown, reason=reason))
            break
        written.append(path)
    return tuple(written), findings


def _csv(header: str, rows: Iterable[Iterable[str]]) -> str:
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def _words(rows: Iterable[tuple[str, ...]], lang: Lang) -> Iterable[list[str]]:
    return ([_ZH.get(cell, cell) if lang == "zh" else cell for cell in row] for row in rows)


def _registers() -> Iterable[list[str]]:
    """Displays at every full hour: two shifts of melting; the incoming meter counts 80 kWh per step of one.

    The furnace runs from 06:00 to 22:00, on Sundays not at all; lamps and cranes take what no sub-meter
    sees."""
    furnace, compressors, rest = 1_204_310, 88_412, 402_117  # kWh at the start
    for hour in range(_HOURS + 1):
        moment = _START + timedelta(hours=hour)
        incoming = furnace + compressors + rest
        shown = [f"{incoming / 80:.2f}", f"{furnace:.1f}", f"{compressors / 1000:.4f}"]
        yield [f"{moment:%Y-%m-%d %H:%M}", *shown]
        working = 6 <= moment.hour < 22 and moment.weekday() != 6
        furnace += 860 + hour * 37 % 91 if working else 35
        compressors += 118 + hour * 13 % 17 if working else 22
        rest += 42 if 7 <= moment.hour < 19 else 30


def _output() -> Iterable[list[str]]:
    """Tonnes of castings per day; none is cast on Sundays, which is a zero that is known."""
    for day in range(31):
        moment = _START + timedelta(days=day)
        tenths = 0 if moment.weekday() == 6 else 214 + day * 7 % 23
        yield [f"{moment:%Y-%m-%d}", f"{tenths // 10}.{tenths % 10}"]
