"""Every finding of the plant package appears, in both languages, with what to do."""

import threading
from pathlib import Path

import pytest

import celadon
from celadon.core.findings import FindingError
from celadon.plant import balance, keeping, loading
from celadon.plant.asked import NO_DATA
from celadon.plant.bill import NO_TARIFF
from celadon.plant.facade import WORD_UNKNOWN
from celadon.plant.intake import ROW_KEPT_OUT
from celadon.plant.quarantine import CORRECTION_UNKNOWN, CORRECTIONS_UNREADABLE, NOTHING_CORRECTED
from celadon.plant.sources import FILE_UNREADABLE
from celadon.plant.unasked import PURPOSE_UNKNOWN, QUANTITY_UNASKED
from celadon.plant.workspace import QUARANTINE_OPEN
from celadon.store import Store
from tests.plant import small

BAD = small.rows(0, small.HOURS).replace("2024-01-05 00:00,1960,884", "2024-01-05 00:00,1x60,884")


def of(findings, kind):
    return [item for item in findings if item.kind is kind]


def test_quarantine_is_said_listed_corrected_and_replayed(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=BAD)
    (said,) = of(plant.account("cn_gbt_32150_2015", "2024-01").findings, QUARANTINE_OPEN)
    assert said.says("en") == "1 rows of data/january.csv are not counted: they wait in quarantine."
    assert said.says("zh") == "data/january.csv 中有 1 行未计入：仍在隔离区。"
    (kept,) = plant.quarantine()
    assert kept.row.finding.code == ROW_KEPT_OUT.code
    assert kept.row.finding.where.line == 98
    assert kept.row.finding.says("en").startswith(
        "This row or cell was not loaded (table.number-unreadable): "
    )
    assert kept.row.finding.says("zh").startswith("该行或单元格未载入（table.number-unreadable）：")
    before = plant.view().snapshot.recorded_at
    assert small.energy(plant, period="2024-01-05") == 240.0  # its hours are known from the readings around
    table = tmp_path / "corrections.csv"
    assert plant.export_quarantine(table) == 1
    table.write_text(table.read_text("utf-8-sig").replace(",1x60,,", ",1x60,1960,"), "utf-8")
    done = plant.replay(table)
    assert (done.readings, done.replayed, done.still_bad) == (1, [kept.row.id], [])
    assert plant.quarantine() == []
    assert [item.row.status for item in plant.quarantine(None)] == ["replayed"]
    assert not of(plant.account("cn_gbt_32150_2015", "2024-01").findings, QUARANTINE_OPEN)
    assert plant.balance("2024-01").proofs[0].pieces[0].last.value == 1000 + 10 * small.HOURS
    assert small.energy(plant, as_of=before) == 7440.0
    assert plant.verify().findings == ()


def test_an_error_is_over_once_none_of_its_rows_waits(tmp_path: Path) -> None:
    """Two rows of one kind of fault: told while one waits, and in every view of before."""
    two = BAD.replace("2024-01-06 00:00,2200,", "2024-01-06 00:00,2x00,")
    plant = small.loaded(tmp_path, readings=two)
    table = tmp_path / "corrections.csv"

    def codes(**when):
        return {item.code for item in plant.account("cn_gbt_32150_2015", "2024-01", **when).findings}

    def mend(wrong, right):
        plant.export_quarantine(table)
        table.write_text(table.read_text("utf-8-sig").replace(f",{wrong},,", f",{wrong},{right},"), "utf-8")
        return plant.replay(table)

    before = plant.view().snapshot.recorded_at
    assert "table.number-unreadable" in codes()
    assert mend("1x60", "1960").still_bad == []
    assert "table.number-unreadable" in codes()
    assert mend("2x00", "2y00").readings == 0
    assert "table.number-unreadable" in codes()
    assert mend("2x00", "2200").readings == 1
    assert "table.number-unreadable" not in codes()
    assert "table.number-unreadable" in codes(as_of=before)


def test_rows_of_one_place_in_two_versions_of_a_file_are_told_apart(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=BAD)
    again = BAD.replace("1x60", "1z60")
    (tmp_path / "data" / "january.csv").write_text(again, "utf-8")
    plant.load()
    rows = {kept.kept_out.raw["E1"]: kept.row.id for kept in plant.quarantine()}
    assert set(rows) == {"1x60", "1z60"}
    table = tmp_path / "corrections.csv"
    plant.export_quarantine(table)
    text = table.read_text("utf-8-sig").replace(",1x60,,", ",1x60,19y60,").replace(",1z60,,", ",1z60,1960,")
    table.write_text(text, "utf-8")
    done = plant.replay(table)
    assert (done.replayed, done.still_bad) == ([rows["1z60"]], [rows["1x60"]])


def test_exported_cells_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    fuel = small.FUEL.replace("bought,diesel,4,t,D1", "bought,diesel,four,t,D1")
    plant = small.loaded(tmp_path, fuel=fuel)
    (kept,) = plant.quarantine()
    assert [name for name in fuel.splitlines()[0].split(",") if name in kept.kept_out.raw] == list(
        kept.kept_out.raw
    )


def test_a_correction_that_is_no_better_waits_on(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=BAD)
    table = tmp_path / "corrections.csv"
    plant.export_quarantine(table)
    text = table.read_text("utf-8-sig")
    table.write_text(text.replace(",1x60,,", ",1x60,19y60,"), "utf-8")
    done = plant.replay(table)
    assert (done.readings, len(done.still_bad)) == (0, 1)
    assert len(plant.quarantine()) == 1
    table.write_text(
        "\n".join(line + ("dismiss" if "1x60" in line else "") for line in text.splitlines()), "utf-8"
    )
    assert plant.replay(table).dismissed == done.still_bad
    assert plant.quarantine() == []


def test_two_deliveries_of_a_day_stay_two_when_one_is_mended(tmp_path: Path) -> None:
    fuel = small.FUEL.replace(",4,t,D1", ",4,t,") + "2024-01-10,bought,diesel,3x,t,\n"
    plant = small.loaded(tmp_path, fuel=fuel)
    table = tmp_path / "corrections.csv"
    plant.export_quarantine(table)
    table.write_text(table.read_text("utf-8-sig").replace(",3x,,", ",3x,3,"), "utf-8")
    assert plant.replay(table).records == 1
    found = plant.account("cn_gbt_2589_2020", "2024-01", quantities=["energy_consumed"])
    diesel = next(row.value for row in found.rows if row.item == "diesel")
    assert diesel == pytest.approx(1.5 + 4 + 3 - 0.5, abs=1e-12)


def test_a_file_mended_at_its_source_settles_its_rows(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=BAD, fuel=small.FUEL.replace(",4,t", ",4x,t"))
    assert len(plant.quarantine()) == 2
    small.write(tmp_path)
    done = plant.load()
    assert (done.readings, done.records) == (1, 1)  # the rows that stood already are repeated
    assert plant.quarantine() == []
    assert {row.row.status for row in plant.quarantine(None)} == {"dismissed"}
    assert not any(
        item.code.startswith("table.") for item in plant.account("cn_gbt_32150_2015", "2024-01").findings
    )


def test_a_file_that_rolls_on_settles_nothing(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=BAD)
    small.write(tmp_path, readings=small.rows(400, small.HOURS + 24))
    assert plant.load().readings == 2 * 24
    assert len(plant.quarantine()) == 1
    assert small.energy(plant) == 7440.0


def test_corrections_that_do_not_fit(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings=BAD)
    table = tmp_path / "corrections.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(FindingError) as caught:
        plant.replay(table)
    (finding,) = of(caught.value.findings, CORRECTIONS_UNREADABLE)
    assert finding.says("en") == "corrections.csv is no table of corrections: no column id, field, corrected."
    assert finding.says("zh") == "corrections.csv 不是更正表：缺少列 id, field, corrected。"
    plant.export_quarantine(table)
    (nothing,) = of(plant.replay(table).findings, NOTHING_CORRECTED)
    assert nothing.says("en") == "corrections.csv has nothing in the column `corrected`."
    assert "`corrected` 列为空" in nothing.says("zh")
    table.write_text("id,field,corrected\n99,E1,5\n")
    (unknown,) = of(plant.replay(table).findings, CORRECTION_UNKNOWN)
    assert unknown.says("en") == "Row 99, field “E1” does not wait in quarantine."
    assert unknown.says("zh") == "隔离区中没有编号 99、字段“E1”的待处理行。"
    assert unknown.where.line == 2


def test_a_file_that_cannot_be_read_is_told_and_the_others_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = celadon.open_plant(small.write(tmp_path))

    def fails(path: Path) -> tuple[int, str]:
        if path.name == "january.csv":
            raise OSError(5, "Input/output error")
        return original(path)

    original = loading.Hashes.sha256.__globals__["hash_file"]
    monkeypatch.setitem(loading.Hashes.sha256.__globals__, "hash_file", fails)
    done = plant.load()
    (finding,) = of(done.findings, FILE_UNREADABLE)
    assert finding.says("en") == "data/january.csv cannot be read: Input/output error."
    assert finding.says("zh") == "data/january.csv 无法读取：读写错误。"
    assert done.records == 3


def test_waiting_for_another_load_is_told(tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    plant = small.loaded(folder)
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with Store.open(folder / "celadon-store") as store, store.lock():
            held.set()
            go.wait(20)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(20)
    threading.Timer(0.5, go.set).start()
    (finding,) = of(plant.load().findings, loading.WAITING)
    other.join()
    assert finding.says("en").startswith("The store was being written by pid ")
    assert finding.says("zh").startswith("数据仓正由 pid ")


def test_a_ledger_that_does_not_conserve_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = small.loaded(tmp_path)
    honest = balance.derive

    def loses(con, readings, meters, ids, window, grid, into, events) -> None:
        honest(con, readings, meters, ids, window, grid, into, events)
        con.execute(
            f"UPDATE {into} SET amount = amount - 1500000 WHERE start = '2024-01-05' AND point = {ids['E1']}"
        )

    monkeypatch.setattr(balance, "derive", loses)
    found = plant.balance("2024-01")
    assert not found.conserved
    (finding,) = of(found.findings, balance.NOT_CONSERVED)
    assert finding.says("en") == (
        "E1: readings say 7440 kWh, the ledger holds 7438.5 kWh and names gaps of 0 kWh: 1.5 kWh are unaccounted for."
    )
    assert finding.says("zh").endswith("有 1.5 kWh 去向不明。")
    (stored,) = of(found.findings, balance.STORED_DIFFERS)  # what load has stored is still right
    assert stored.says("en") == "1 stored ledger cells of E1 are not what the readings give."
    assert stored.says("zh") == "E1 有 1 个已存台账单元与读数推导不符。"


def test_stored_parts_are_compared_with_the_readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = keeping.Deriver.derive

    def wrong(self, piece, into, events) -> None:
        honest(self, piece, into, events)
        self.con.execute(f"UPDATE {into} SET amount = 0 WHERE start = '2024-01-05'")

    monkeypatch.setattr(keeping.Deriver, "derive", wrong)
    plant = small.loaded(tmp_path)
    monkeypatch.undo()
    found = plant.balance("2024-01")
    assert found.conserved  # the proof is made from the readings
    assert [item.says("en") for item in of(found.findings, balance.STORED_DIFFERS)] == [
        "2 stored ledger cells of E1, E2 are not what the readings give."
    ]


def test_a_bill_without_a_tariff(tmp_path: Path) -> None:
    found = small.loaded(tmp_path).bill("2024-01")
    assert found.bills == ()
    (finding,) = of(found.findings, NO_TARIFF)
    assert finding.says("en") == "No meter that buys energy names a tariff."
    assert finding.says("zh") == "没有购入能源的计量点引用电价。"


def test_a_word_that_is_none(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path)
    with pytest.raises(FindingError) as caught:
        plant.account("cn_gbt_32150_2015", "2024-01", by="proces")
    (finding,) = of(caught.value.findings, WORD_UNKNOWN)
    assert (
        finding.says("en")
        == "“proces” is not one of enterprise, site, process, meter (did you mean “process”?)."
    )
    assert finding.says("zh").startswith("“proces”不在 enterprise, site, process, meter 之中")
    with pytest.raises(FindingError):
        plant.account("cn_gbt_32150_2015", "2024-01", per="weeks")


def test_without_data_there_is_no_period(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings="time,E1,E2\n", fuel="date,kind,fuel,amount,unit,number\n")
    with pytest.raises(FindingError) as caught:
        plant.balance()
    (finding,) = of(caught.value.findings, NO_DATA)
    assert (
        finding.says("en") == "The store holds neither readings nor records, so there is no period to take."
    )
    assert finding.says("zh") == "数据仓中没有读数和台账记录，无法确定期间。"
    assert plant.check().period is None


def test_records_alone_have_a_period(tmp_path: Path) -> None:
    plant = small.loaded(tmp_path, readings="time,E1,E2\n")
    assert plant.balance().period.label == "2024-01"
    assert plant.check().period == "2024-01"


def test_check_tells_what_balancing_would(tmp_path: Path) -> None:
    swapped = small.PLANT.replace("{E1: E1, E2: E2}", "{E1: E2, E2: E1}")
    plant = celadon.open_plant(small.write(tmp_path, plant=swapped))
    found = plant.check()
    assert "balance.children-exceed" in {item.code for item in found.findings}
    assert not (tmp_path / "celadon-store").exists()


def test_a_file_with_only_the_name_of_a_workbook_is_told_as_that(tmp_path: Path) -> None:
    small.write(tmp_path, plant=small.PLANT.replace("data/*.csv", "data/*.xlsx"))
    (tmp_path / "data" / "january.xlsx").write_text("no workbook\nat all\n", "utf-8")
    found = [item for item in celadon.open_plant(tmp_path).check().findings if item.code.startswith("table.")]
    assert [item.code for item in found] == ["table.format-misleads", "table.header-missing"]
    assert (
        found[0].says("en")
        == "By its name or the plant file this is xlsx, by its content csv; it is read as csv."
    )


def test_a_link_to_what_is_gone_is_told(tmp_path: Path) -> None:
    small.write(tmp_path)
    (tmp_path / "data" / "february.csv").symlink_to("elsewhere.csv")
    done = celadon.open_plant(tmp_path).load()
    (said,) = of(done.findings, FILE_UNREADABLE)
    assert said.where.file == "data/february.csv"
    assert said.says("en") == "data/february.csv cannot be read: No such file or directory."
    assert done.readings == 2 * (small.HOURS + 1)


def test_a_record_of_what_nothing_asks_for_is_told(tmp_path: Path) -> None:
    """3 t bought under a misspelt word count nowhere: 1.5 + 4 − 0.5 = 5 t of diesel stay what they were."""
    fuel = small.FUEL + "2024-01-11,fuel_purchasd,diesel,3,t,D2\n2024-01-12,fuel_purchasd,diesel,1,t,D3\n"
    small.write(tmp_path, fuel=fuel)
    plant = celadon.open_plant(tmp_path)
    (checked,) = of(plant.check().findings, QUANTITY_UNASKED)
    (said,) = of(plant.load().findings, QUANTITY_UNASKED)
    assert said.says("en") == checked.says("en")
    assert (said.where.file, said.where.line) == ("fuel/fuel.csv", 5)
    assert said.values["count"] == 2
    assert said.says("en").startswith(
        "“fuel_purchasd” is no quantity that a rulebook asks for (did you mean “fuel_purchased”?)"
    )
    assert "（是否指“fuel_purchased”？）：2 条" in said.says("zh")
    found = plant.account("cn_gbt_32150_2015", "2024-01")
    assert QUANTITY_UNASKED.code in [item.code for item in found.findings]
    # 5 t × 43.33 GJ/t × 0.0202 tC/GJ × 0.98 × 44/12
    (burnt,) = [row.value for row in found.rows if row.quantity == "fuel_combustion_emission"]
    assert burnt == pytest.approx(5 * 43.33 * 0.0202 * 0.98 * 44 / 12, rel=1e-12)


def test_a_purpose_that_no_rule_knows_is_told(tmp_path: Path) -> None:
    text = small.PLANT.replace("purpose: =mobile", "purpose: =mobil")
    plant = small.loaded(tmp_path, plant=text)
    (said,) = of(plant.check().findings, PURPOSE_UNKNOWN)
    assert (said.where.file, said.where.line, said.values["count"]) == ("fuel/fuel.csv", 2, 3)
    assert said.says("en") == (
        "“mobil” is no purpose of energy that rules tell apart (did you mean “mobile”?): 3 records of it count as combustion."
    )
    assert said.says("zh") == "“mobil”不是规则所区分的能源用途（是否指“mobile”？）：3 条台账按固定燃烧计入。"


def test_words_that_the_file_translates_and_facts_of_any_rulebook_are_known(tmp_path: Path) -> None:
    fuel = small.FUEL + "2024-01-11,material_consumed,soda_ash,3,t,S1\n"
    plant = small.loaded(tmp_path, fuel=fuel)
    assert not of(plant.check().findings, QUANTITY_UNASKED)
