"""The mapping assistant: what it guesses, why, and that a person's answer goes before it."""

import gzip
from pathlib import Path

import pytest

from celadon.adapters.guess import guess_source
from celadon.adapters.guess.source import NO_TIME, NOTHING_MAPPED
from celadon.adapters.plant_file import read_plant_text
from celadon.plant.guessing import try_guess
from celadon.plant.opened import open_file
from tests.plant import small
from tests.shared_data import shared

PLANT = """celadon: 1
enterprise: {id: acme}
zone: ZONE
sites: [{id: works}]
products: [{id: billet, name: {zh: 钢坯, en: Billet}, unit: t}]
meters:
  - {id: E1, name: {zh: 总进线, en: Incoming}, carrier: electricity, flow: purchased, kind: interval, interval: 15min, unit: kWh}
  - {id: E2, name: {zh: 加热炉, en: Reheating furnace}, carrier: electricity, parent: E1, kind: interval, interval: 15min, unit: kWh}
"""


def plant(zone: str = "Asia/Shanghai"):
    found, findings = read_plant_text(PLANT.replace("ZONE", zone))
    assert found is not None
    assert not findings.errors
    return found


def guessed(
    tmp_path: Path,
    text: str,
    encoding: str = "utf-8",
    name: str = "file.csv",
    zone: str = "Asia/Shanghai",
    **answers: str,
):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return guess_source(
        plant(zone), path, name, {key.replace("__", "."): word for key, word in answers.items()}
    )


def choice(guess, key: str):
    (found,) = [item for item in guess.choices if item.key == key]
    return found


def series(form: str, days: int = 2, step: int = 60, shift: int = 0, month: int = 1) -> list[str]:
    from datetime import datetime, timedelta

    first = datetime(2024, month, 1) + timedelta(minutes=shift)
    return [(first + timedelta(minutes=step * n)).strftime(form) for n in range(days * 1440 // step)]


def wide(times: list[str], head: str = "time,总进线（kWh）,Reheating furnace") -> str:
    return head + "\n" + "".join(f"{t},{10 + n % 3}.5,{n % 7}.25\n" for n, t in enumerate(times))


def test_wide_chinese_export_in_gbk_with_semicolons(tmp_path: Path) -> None:
    text = "某厂能耗导出;;\n时间;总进线（kWh）;加热炉用电\n"
    text += "".join(f"{t};1.{n % 10}50,5;{n % 7},25\n" for n, t in enumerate(series("%d.%m.%Y %H:%M", 20)))
    guess = guessed(tmp_path, text, "gbk")
    assert guess.block is not None
    assert guess.block["delimiter"] == ";"
    assert guess.block["encoding"] in ("gb18030", "gbk")
    assert guess.block["header_row"] == 2
    assert guess.block["decimal"] == ","
    assert guess.block["time"]["format"] == "%d.%m.%Y %H:%M"
    assert guess.block["thousands"] == "."
    assert guess.block["wide"] == {"总进线(kWh)": "E1", "加热炉用电": "E2"}
    assert choice(guess, "wide.总进线(kWh)").sure
    assert not choice(guess, "wide.加热炉用电").sure
    assert choice(guess, "time.format").why.zh == "第一个数最大为 20：是日"


@pytest.mark.parametrize(
    ("form", "month", "found", "sure"),
    [
        ("%m/%d/%Y %H:%M", 1, "%m/%d/%Y %H:%M", False),  # two days of January: only the even steps tell
        ("%d/%m/%Y %H:%M", 1, "%d/%m/%Y %H:%M", False),
        ("%Y-%m-%d %H:%M", 1, "", True),
        ("%Y年%m月%d日 %H:%M", 1, "", True),
        ("%d-%b-%Y %H:%M", 3, "%d-%b-%Y %H:%M", True),
        ("%Y.%m.%d %H:%M", 1, "%Y.%m.%d %H:%M", True),
        ("%m/%d/%y %I:%M %p", 1, "%m/%d/%y %I:%M %p", False),
    ],
)
def test_formats_of_time(tmp_path: Path, form: str, month: int, found: str, sure: bool) -> None:
    guess = guessed(tmp_path, wide(series(form, 3, month=month)))
    made = choice(guess, "time.format")
    assert (made.value, made.sure) == (found, sure)
    assert (guess.block or {})["time"].get("format", "") == found


def test_day_and_month_that_nothing_tells_apart_are_asked(tmp_path: Path) -> None:
    text = wide(["01/02/2024", "02/03/2024", "03/04/2024"])
    made = choice(guessed(tmp_path, text), "time.format")
    assert not made.sure
    assert [other.value for other in made.others] in (["%d/%m/%Y"], ["%m/%d/%Y"])
    assert made.why.en == "no number is above 12, so day and month cannot be told apart"
    answered = guessed(tmp_path, text, time__format="%m/%d/%Y")
    assert (answered.block or {})["time"]["format"] == "%m/%d/%Y"
    assert choice(answered, "time.format").sure


def test_stamps_of_intervals(tmp_path: Path) -> None:
    opens = guessed(tmp_path, wide(series("%Y-%m-%d %H:%M", 2, 15)))
    assert (choice(opens, "time.stamp").value, choice(opens, "time.stamp").sure) == ("start", False)
    closes = guessed(tmp_path, wide(series("%Y-%m-%d %H:%M", 2, 15, shift=15)))
    assert choice(closes, "time.stamp").value == "end"
    named = guessed(tmp_path, wide(series("%Y-%m-%d %H:%M", 2, 15), "interval end,E1,E2"))
    assert (choice(named, "time.stamp").value, choice(named, "time.stamp").sure) == ("end", True)


def test_a_clock_that_does_not_change_and_a_midnight_that_closes(tmp_path: Path) -> None:
    times = series("%Y-%m-%d %H:%M", 31, month=3)
    fixed = choice(guessed(tmp_path, wide(times), zone="Europe/Berlin"), "time.zone")
    assert (fixed.value, fixed.sure) == ("Etc/GMT-1", False)
    assert (
        fixed.why.en
        == "2024-03-31 02:00 does not exist in Europe/Berlin: the logger does not change its clock"
    )
    closes = [
        time if "00:00" not in time else f"2024-03-{int(time[8:10]) - 1:02d} 00:00" for time in times[1:]
    ]
    found = guessed(tmp_path, wide(closes))
    assert (found.block or {})["time"]["midnight"] == "closes"


def test_date_and_clock_in_two_columns(tmp_path: Path) -> None:
    rows = "".join(f"{13 + n // 24:02d}/01/2024,{n % 24:02d}:00,{n}\n" for n in range(48))
    guess = guessed(tmp_path, "day,clock,E1\n" + rows)
    assert (guess.block or {})["time"] == {
        "column": "day + clock",
        "format": "%d/%m/%Y %H:%M",
        "stamp": "start",
    }


def test_long_readings_with_words_of_their_own(tmp_path: Path) -> None:
    text = "tag,stamp,value,unit,quality\n" + "".join(
        f"{tag},2024-01-{n + 1:02d}T00:00,{n}.5,kWh,good\n"
        for n in range(9)
        for tag in ("e1", "Reheating_furnace", "X9")
    )
    guess = guessed(tmp_path, text)
    assert (guess.block or {})["long"] == {"meter": "tag", "value": "value", "unit": "unit"}
    assert (guess.block or {})["map"] == {"meter": {"e1": "E1", "Reheating_furnace": "E2"}}
    assert choice(guess, "map.meter.X9").value == ""
    assert not choice(guess, "map.meter.X9").sure


def test_fuel_register(tmp_path: Path) -> None:
    text = "日期,业务,品种,数量(t),单号\n2024-02-01,期初库存,柴油,1.5,\n2024-02-10,采购入库,0号柴油,4,D1\n2024-02-29,期末盘点,柴油,0.5,\n"
    guess = guessed(tmp_path, text)
    assert guess.role == "records"
    assert guess.block is not None
    assert guess.block["fields"] == {
        "date": "日期", "value": "数量(t)", "quantity": "业务", "item": "品种", "note": "单号", "unit": "=t",
    }  # fmt: skip
    assert guess.block["map"]["quantity"] == {
        "期初库存": "fuel_opening_stock",
        "采购入库": "fuel_purchased",
        "期末盘点": "fuel_closing_stock",
    }
    assert guess.block["map"]["item"] == {"0号柴油": "diesel"}
    assert not choice(guess, "map.item.0号柴油").sure


def test_production_with_a_product_by_name(tmp_path: Path) -> None:
    text = "month,product,output (t)\n" + "".join(f"2024-{n:02d},Billet,{n * 100}\n" for n in range(1, 7))
    guess = guessed(tmp_path, text, name="production.csv")
    assert (guess.role, (guess.block or {})["quantity"]) == ("records", "product_output")
    assert (guess.block or {})["map"] == {"item": {"Billet": "billet"}}


def test_a_person_goes_before_every_guess(tmp_path: Path) -> None:
    text = wide(series("%Y-%m-%d %H:%M", 2, 15))
    guess = guessed(tmp_path, text, **{"wide.Reheating furnace": "", "time__stamp": "end", "id": "mine"})
    assert guess.block is not None
    assert (guess.block["id"], guess.block["wide"], guess.block["time"]["stamp"]) == (
        "mine",
        {"总进线(kWh)": "E1"},
        "end",
    )
    made = choice(guess, "time.stamp")
    assert (made.asked, made.others[0].value) == (True, "start")
    assert made.to_json()["why"] == {"zh": "按您的指定", "en": "as you said"}


def test_words_for_nothing_and_thousands(tmp_path: Path) -> None:
    rows = "".join(
        f'2024-01-{n + 10:02d} 01:00,"1,{n:03d}.5",{"offline" if n == 3 else n}\n' for n in range(12)
    )
    guess = guessed(tmp_path, "time,E1,E2\n" + rows)
    assert guess.block is not None
    assert guess.block["thousands"] == ","
    assert guess.block["missing"][-1] == "offline"


def test_what_cannot_be_guessed_is_said(tmp_path: Path) -> None:
    (said,) = guessed(tmp_path, "a,b\nx,1\ny,2\n").findings
    assert said.kind is NO_TIME
    assert said.says("en") == "No column of file.csv holds times: it has a, b."
    assert "没有时间列" in said.says("zh")
    nothing = guessed(tmp_path, "time,temperature\n2024-01-01 00:00,3\n2024-01-01 01:00,4\n")
    (said,) = nothing.findings
    assert said.kind is NOTHING_MAPPED
    assert said.values["columns"] == "time, temperature"
    assert "没有对应到" in said.says("zh")
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.4")
    assert guess_source(plant(), tmp_path / "x.pdf").findings[0].code == "table.format-unsupported"


def test_a_real_year_of_quarter_hours_reads_without_loss(tmp_path: Path) -> None:
    """35,040 quarter-hours of a steel works: midnight closes its day, and every row is taken."""
    packed = shared("data/steel_energy/steel_industry_2018.csv.gz")
    (tmp_path / "steel.csv").write_bytes(gzip.decompress(packed.read_bytes()))
    text = PLANT.replace("总进线", "Usage").replace("Incoming", "Usage kWh").replace("ZONE", "Asia/Seoul")
    (tmp_path / "plant.yaml").write_text(text, "utf-8")
    tried = try_guess(open_file(tmp_path), tmp_path / "steel.csv", "data/steel.csv")
    assert (tried.good, tried.bad) == (35040, 0)
    assert (tried.guess.block or {})["time"]["format"] == "%d/%m/%Y %H:%M"
    assert (tried.first, tried.last) == ("2017-12-31T15:15Z", "2018-12-31T15:00Z")
    assert tried.usable


def test_nothing_is_written_by_a_guess(tmp_path: Path) -> None:
    small.write(tmp_path)
    (tmp_path / "more.csv").write_text(small.rows(0, 40).replace("E1", "总表"), "utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    tried = try_guess(open_file(tmp_path), tmp_path / "more.csv")
    assert (tried.good, tried.bad, tried.usable) == (82, 0, True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
