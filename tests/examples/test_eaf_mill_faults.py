"""Every fault of the example plant stands where the truth says, and nothing else differs from the plant without faults."""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from celadon.examples.eaf_mill import Fault
from celadon.examples.eaf_mill import meters as table
from tests.examples.conftest import lines_of


@pytest.fixture(scope="module")
def faults(mill) -> dict[str, Fault]:
    return {fault.kind: fault for fault in mill.faults}


def text(mill, fault: Fault) -> list[str]:
    """The lines of a fault."""
    encoding = "gbk" if "fuel" in fault.file else "utf-8-sig"
    first, last = fault.lines or pytest.fail(f"{fault.kind} has no lines")
    return lines_of(mill, fault.file, encoding)[first - 1 : last]


def column(mill, fault: Fault, tag: str) -> int:
    return lines_of(mill, fault.file, "utf-8-sig")[0].split(",").index(tag)


KINDS = [
    "roll-over",
    "swap-declared",
    "transformer-change-declared",
    "late-file",
    "outage-with-catch-up",
    "outage-over-month-edge",
    "meter-dies",
    "reset-undeclared",
    "intervals-missing",
    "spike-register",
    "spike-interval",
    "zero-drop-out",
    "value-unreadable",
    "children-exceed-parent",
    "meter-unknown",
    "unit-wrong",
    "date-impossible",
    "out-of-order",
    "duplicate-conflicting",
    "duplicate-identical",
    "unit-change-in-file",
    "record-corrected-later",
    "record-unit-wrong",
    "record-decimal-slip",
]


def test_all_kinds_in_both_languages(mill, faults):
    assert set(faults) == set(KINDS)
    assert [fault.id for fault in mill.faults] == [f"F{n:02d}" for n in range(1, 27)]
    for fault in mill.faults:
        assert fault.zh
        assert fault.en
        assert (mill.directory / fault.file).exists()


def test_without_faults_only_what_is_declared_remains(clean_mill):
    assert [fault.kind for fault in clean_mill.faults] == [
        "roll-over",
        "swap-declared",
        "transformer-change-declared",
    ]
    assert clean_mill.reported == {}
    assert not (clean_mill.directory / "late").exists()


def test_what_is_lost_is_the_only_difference_to_the_truth(mill, clean_mill):
    """Meters below and above the over-reading rolling stands aside, the truth is that of the plant without faults."""
    touched = {"E302", "E30", "E02", "E03", "Q02"}
    for meter in set(mill.meters) - touched - {"E3063"}:  # the reset register rounds its counts anew
        assert mill.meters[meter] == clean_mill.meters[meter], meter
    assert mill.total("E3063") == pytest.approx(clean_mill.total("E3063"), abs=0.02)
    children = sum(map(mill.total, ("E3021", "E3022", "E3023", "E3024")))
    assert children / mill.total("E302") - 1 == pytest.approx(0.01626, abs=1e-4)


def gaps(mill, meter: str, source: str) -> list[tuple[datetime, datetime]]:
    """Last reading before and first reading after every gap of a quarter-hourly meter."""
    times = []
    for month in range(1, 13):
        lines = lines_of(mill, f"data/{source}/{source}-2024-{month:02d}.csv", "utf-8-sig")
        if source == "scada":
            at = lines[0].split(",").index(f"{meter}_EP")
            times += [line.split(",")[0] for line in lines[1:] if line.split(",")[at]]
        else:
            times += [
                line.split(",")[0] for line in lines[1:] if f",{meter}," in line and "/02/30" not in line
            ]
    read = sorted({datetime.strptime(time.replace("/", "-")[:16], "%Y-%m-%d %H:%M") for time in times})
    return [(a, b) for a, b in itertools.pairwise(read) if b - a > timedelta(minutes=15)]


def test_outages(mill, faults):
    outage = (datetime(2024, 3, 14, 8), datetime(2024, 3, 15, 8, 15))
    assert faults["outage-with-catch-up"].meters == table.GATEWAY
    assert gaps(mill, "E3041", "gateway") == [outage]
    late = (datetime(2024, 10, 24, 12), datetime(2024, 11, 6, 12, 15))
    assert gaps(mill, "E3052", "gateway") == [outage, late]
    assert gaps(mill, "E204", "scada") == [(datetime(2024, 4, 30, 18), datetime(2024, 5, 1, 6, 15))]
    fault = faults["outage-over-month-edge"]
    at = column(mill, fault, "E204_EP")
    assert [line.split(",")[at] for line in text(mill, fault)] == [""] * 23
    reported = mill.reported["E204"]
    gap = Decimal(str(reported["2024-04"].high)) - Decimal(str(reported["2024-04"].low))
    known = sum(Decimal(str(reported[month].low)) for month in ("2024-04", "2024-05"))
    true = sum(Decimal(str(mill.meters["E204"][month])) for month in ("2024-04", "2024-05"))
    assert known + gap == true
    for month in ("2024-04", "2024-05"):
        assert reported[month].low <= mill.meters["E204"][month] <= reported[month].high


def test_dead_meter(mill, faults):
    fault = faults["meter-dies"]
    at = column(mill, fault, "E2023_EP")
    assert {line.split(",")[at] for line in text(mill, fault)} == {""}
    before = lines_of(mill, fault.file, "utf-8-sig")[fault.lines[0] - 2].split(",")
    assert before[0] == "2024-07-19 14:00"
    assert before[at] != ""
    reported = mill.reported["E2023"]
    assert not reported["2024-07"].absent
    assert 0 < reported["2024-07"].low < mill.meters["E2023"]["2024-07"]
    assert [month for month, item in reported.items() if item.absent] == [
        f"2024-{m:02d}" for m in range(8, 13)
    ]


def test_reset_is_not_a_roll_over(mill, faults):
    fault = faults["reset-undeclared"]
    (line,) = text(mill, fault)
    time, meter, value, _ = line.split(",")
    assert (time, meter) == ("2024/09/11 13:45", "E3063")
    assert Decimal(value) < 10
    reported = mill.reported["E3063"]["2024-09"]
    assert reported.low < mill.meters["E3063"]["2024-09"] < reported.high


def test_roll_over(mill, faults):
    (line,) = text(mill, faults["roll-over"])
    assert line.split(",")[1] == "E3053"
    assert Decimal(line.split(",")[2]) < 5
    before = lines_of(mill, faults["roll-over"].file)[faults["roll-over"].lines[0] - 1 - 14]
    assert Decimal(before.split(",")[2]) > 99_990


def test_declared_changes_stand_at_their_lines(mill, faults):
    (line,) = text(mill, faults["swap-declared"])
    fault = faults["swap-declared"]
    assert line.startswith("2024-05-20 10:15,")
    assert Decimal(line.split(",")[column(mill, fault, "E2011_EP")]) < 1
    (line,) = text(mill, faults["transformer-change-declared"])
    assert line.startswith("2024/08/08 09:00,E305,")


def test_spikes(mill, faults):
    spikes = [fault for fault in mill.faults if fault.kind == "spike-register"]
    assert len(spikes) == 3
    for fault in spikes:
        lines = lines_of(mill, fault.file, "utf-8-sig")
        at = column(mill, fault, "E2051_EP")
        before, value, after = (Decimal(lines[fault.lines[0] - 1 + n].split(",")[at]) for n in (-1, 0, 1))
        assert before < after < before + 300
        assert abs(value - before) > 100_000
    (line,) = text(mill, faults["spike-interval"])
    assert line.split(";")[0] == "22.08.2024 10:15"
    assert line.split(";")[4] == "99999,9"
    reported = mill.reported["N13"]["2024-08"]
    assert reported.low < mill.meters["N13"]["2024-08"] < reported.high


def test_zero_drop_out(mill, faults):
    lines = [line for line in text(mill, faults["zero-drop-out"]) if ",E3065," in line]
    assert [line.split(",")[2] for line in lines] == ["0.00"] * 4


def test_missing_intervals(mill, faults):
    lines = text(mill, faults["intervals-missing"])
    assert [line.split(";")[5] for line in lines] == [""] * 12
    assert lines[0].startswith("19.11.2024 09:15;")
    assert lines[-1].startswith("19.11.2024 12:00;")


def test_rows_that_are_no_readings(mill, faults):
    (line,) = text(mill, faults["value-unreadable"])
    assert line.split(",")[column(mill, faults["value-unreadable"], "E203_EP")] == "#ERR"
    (line,) = text(mill, faults["unit-wrong"])
    assert line.startswith("2024/02/22 09:30,E3064,")
    assert line.endswith(",m3")
    (line,) = text(mill, faults["date-impossible"])
    assert line.startswith("2024/02/30 10:15,E3051,")
    assert {line.split(",")[1] for line in text(mill, faults["meter-unknown"])} == {"E399"}
    assert len(text(mill, faults["meter-unknown"])) == 4


def test_duplicates(mill, faults):
    lines = text(mill, faults["duplicate-identical"])
    assert len(lines) == 96
    everything = lines_of(mill, faults["duplicate-identical"].file)
    assert all(everything.count(line) == 2 for line in lines)
    one, other = (line.split(",") for line in text(mill, faults["duplicate-conflicting"]))
    assert one[:2] == other[:2] == ["2024/06/06 12:00", "E3042"]
    assert Decimal(other[2]) - Decimal(one[2]) == Decimal("0.02")
    following = next(line for line in everything if line.startswith("2024/06/06 12:15,E3042,"))
    assert Decimal(following.split(",")[2]) > Decimal(other[2])  # either reading keeps the register rising


def test_out_of_order_block_is_complete(mill, clean_mill, faults):
    file = faults["out-of-order"].file
    lines = lines_of(mill, file)
    assert text(mill, faults["out-of-order"])[0].startswith("2024/04/17 02:15,E304,")
    assert len(text(mill, faults["out-of-order"])) == 24 * len(table.GATEWAY)
    assert sorted(lines) == sorted(lines_of(clean_mill, file))
    assert lines != lines_of(clean_mill, file)


def test_other_unit_is_the_same_amount(mill, clean_mill, faults):
    file = faults["unit-change-in-file"].file
    for line, clean in zip(lines_of(mill, file)[1:], lines_of(clean_mill, file)[1:], strict=True):
        if ",E3061," in line:
            _, _, value, unit = line.split(",")
            assert unit == "MWh"
            assert Decimal(value) * 1000 == Decimal(clean.split(",")[2])
        else:
            assert line == clean


def test_late_files_restore_the_truth(mill, clean_mill):
    assert mill.late == ("late/fuel-correction-2024.csv", "late/gateway-2024-late-E3052.csv")
    missing: list[str] = []
    for month in (10, 11):
        file = f"data/gateway/gateway-2024-{month}.csv"
        damaged = set(lines_of(mill, file))
        missing += [line for line in lines_of(clean_mill, file) if ",E3052," in line and line not in damaged]
    assert lines_of(mill, mill.late[1])[1:] == missing
    reported = mill.reported["E3052"]
    gap = Decimal(str(reported["2024-10"].high)) - Decimal(str(reported["2024-10"].low))
    true = sum(Decimal(str(mill.meters["E3052"][month])) for month in ("2024-10", "2024-11"))
    assert sum(Decimal(str(reported[month].low)) for month in ("2024-10", "2024-11")) + gap == true


def test_fuel_corrections(mill, clean_mill, faults):
    corrections = [line.split(",") for line in lines_of(mill, mill.late[0], "gbk")][1:]
    for kind, corrected in zip(("record-corrected-later", "record-unit-wrong"), corrections, strict=True):
        (line,) = text(mill, faults[kind])
        wrong = line.split(",")
        assert [wrong[n] for n in (0, 1, 2, 3, 6, 7)] == [corrected[n] for n in (0, 1, 2, 3, 6, 7)]
        right = lines_of(clean_mill, faults[kind].file, "gbk")[faults[kind].lines[0] - 1].split(",")
        assert corrected == right
        assert (wrong[5], corrected[5]) == (("t", "t") if kind == "record-corrected-later" else ("升", "t"))
    before = mill.records["fuel_reported_before_late"]
    fuel = mill.records["fuel"]
    assert before["anthracite"]["2024-09"] - fuel["anthracite"]["2024-09"]["consumed"] == pytest.approx(9.0)
    assert before["diesel"] == {"2024-11": None}


def test_a_refrigerant_entered_tenfold(mill, clean_mill, faults):
    fault = faults["record-decimal-slip"]
    (line,) = text(mill, fault)
    assert line == "2024-07-09,HFC-134a,120.0,kg,冷水机组 2#,WX-0709"
    assert (
        lines_of(clean_mill, fault.file)[fault.lines[0] - 1]
        == "2024-07-09,HFC-134a,12.0,kg,冷水机组 2#,WX-0709"
    )
    assert mill.records["refrigerant"] == clean_mill.records["refrigerant"]
    assert mill.records["refrigerant"]["HFC-134a"]["2024-07"] == 12.0
