"""Facts and findings in the console: uploads that go on, the mapping assistant, changes shown before they are made."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import celadon
from celadon.core.findings import FindingError
from celadon.web import uploads
from celadon.web.access import Grant, Role
from celadon.web.uploads import Uploads, plain_name
from tests.plant import small
from tests.web import consoles
from tests.web.consoles import Console, codes

FACTS, FINDINGS, MAPPING = "/plants/small/facts", "/plants/small/findings", "/plants/small/mapping"
DIESEL = 3.1451224933333326
"""tCO2 of a tonne of diesel: 43.33 GJ/t × 0.0202 tC/GJ × 0.98 × 44/12."""
FEBRUARY = small.rows(small.HOURS, small.HOURS + 24).replace("E1,E2", "总表,炉子").encode()


@pytest.fixture
def own(served: Path, tmp_path: Path) -> Iterator[Console]:
    """A console of a test's own, whose plants it may change."""
    made = consoles.open_console(consoles.copied(served, tmp_path / "served"))
    yield made
    made.close()


def engineer(console: Console, plant: str = "small"):
    return console.signed_in(
        f"erik-{plant}" if plant != "small" else "erik", Grant(Role.ENGINEER, "plant", plant)
    )


def announced(data: bytes, name: str = "february.csv") -> dict[str, object]:
    return {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def part(upload: str, data: bytes, offset: int = 0) -> dict[str, object]:
    return {"upload": upload, "offset": offset, "data": base64.b64encode(data).decode()}


def test_an_upload_goes_on_where_it_was_and_counts_only_whole(own: Console) -> None:
    client = engineer(own)
    begun = client.post(f"{FACTS}/begin.json", json=announced(FEBRUARY)).json()
    assert (begun["offset"], begun["whole"], begun["by"]) == (0, False, "erik")
    client.post(f"{FACTS}/part.json", json=part(begun["id"], FEBRUARY[:100]))
    again = client.post(f"{FACTS}/begin.json", json=announced(FEBRUARY)).json()
    assert (again["id"], again["offset"]) == (begun["id"], 100)
    wrong = client.post(f"{FACTS}/part.json", json=part(begun["id"], FEBRUARY[90:], 90))
    assert codes(wrong) == ["upload.offset"]
    assert wrong.json()["findings"][0]["says"]["en"] == "100 bytes are there, and the part begins at 90."
    assert wrong.json()["findings"][0]["says"]["zh"] == "已有 100 字节，而该分段从 90 开始。"
    missing = client.get(f"{MAPPING}.json?upload={begun['id']}", headers={"accept": "application/json"})
    assert codes(missing) == ["upload.unknown"]  # nothing half-done is looked at
    done = client.post(f"{FACTS}/part.json", json=part(begun["id"], FEBRUARY[100:], 100)).json()
    assert (done["offset"], done["whole"]) == (len(FEBRUARY), True)
    assert client.post(f"{FACTS}/part.json", json=part(begun["id"], FEBRUARY[100:], 100)).json() == done
    assert not list((own.folder / "small").rglob("february*"))
    client.post(f"{FACTS}/drop.json", json={"upload": begun["id"]})
    assert client.get(f"{FACTS}.json?period=2024-01").json()["uploads"] == []


def test_what_an_upload_may_not_be(own: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    client = engineer(own)
    false = {**announced(b"abc"), "sha256": "0" * 64}
    begun = client.post(f"{FACTS}/begin.json", json=false).json()
    refused = client.post(f"{FACTS}/part.json", json=part(begun["id"], b"abc"))
    assert codes(refused) == ["upload.digest"]
    assert (
        refused.json()["findings"][0]["says"]["zh"] == "收到的 february.csv 与声明的 SHA-256 不符，已丢弃。"
    )
    assert client.get(f"{FACTS}.json?period=2024-01").json()["uploads"] == []
    big = client.post(
        f"{FACTS}/begin.json", json={**announced(b"abc", "big.csv"), "size": uploads.LARGEST + 1}
    )
    assert codes(big) == ["upload.too-big"]
    assert big.json()["findings"][0]["values"]["limit"] == 2 << 30
    monkeypatch.setattr(uploads, "MOST", 1)
    client.post(f"{FACTS}/begin.json", json=announced(b"one"))
    many = client.post(f"{FACTS}/begin.json", json=announced(b"two"))
    assert codes(many) == ["upload.too-many"]
    assert many.json()["findings"][0]["says"]["zh"] == "本工厂已有 1 个待处理的上传。"
    assert codes(client.post(f"{FACTS}/part.json", json=part("f" * 24, b"x"))) == ["upload.unknown"]
    assert codes(client.post(f"{FACTS}/part.json", json=part("../small", b"x"))) == ["upload.unknown"]
    assert plain_name("C:\\data\\..\\厂 报表(1).csv") == "厂 报表(1).csv"
    assert plain_name("../../etc/*?") == "__"
    assert plain_name("...") == "file"


def test_what_a_kill_leaves_of_an_upload_is_nothing_or_goes_on(tmp_path: Path) -> None:
    """After each step a kill could fall behind: no about.json, half a part, all parts but no verdict."""
    there = Uploads(tmp_path, "small")
    (tmp_path / "uploads" / "small" / ".half").mkdir(parents=True)
    assert there.all() == []
    data = b"0123456789"
    begun = there.begin("a.csv", 10, hashlib.sha256(data).hexdigest(), "erik")
    with begun.path.open("ab") as stream:
        stream.write(data[:4])  # written, never acknowledged
    assert there.begin("a.csv", 10, begun.sha256, "erik").offset == 4
    with begun.path.open("ab") as stream:
        stream.write(data[4:])
    assert not there.get(begun.id).whole
    with pytest.raises(FindingError, match=r"upload\.unknown"):
        there.get(begun.id, whole=True)
    assert there.add(begun.id, 10, b"").whole
    old = (datetime.now(UTC) - timedelta(days=8)).isoformat(timespec="seconds")
    about = tmp_path / "uploads" / "small" / begun.id / "about.json"
    about.write_text(about.read_text().replace(begun.at, old))
    assert there.all() == []
    assert not about.exists()


def test_a_file_is_guessed_corrected_shown_and_added(own: Console) -> None:
    client = engineer(own)
    sent = client.post(
        f"{FACTS}/send",
        files={"file": ("february.csv", FEBRUARY)},
        data={"csrf": client.headers["x-csrf-token"]},
    )
    assert sent.status_code == 303
    address = sent.headers["location"]
    assert address.startswith(f"{MAPPING}?upload=")
    ident = address.partition("=")[2]
    model = client.get(f"{MAPPING}.json?upload={ident}").json()
    assert (model["good"], model["target"], model["usable"]) == (25, "uploads/february.csv", True)
    page = client.get(f"{address}&lang=zh")
    assert "可读取 25 条" in page.text
    assert "wide.炉子" in page.text
    asked = ["", "wide.炉子=E2"]
    model = client.get(f"{MAPPING}.json", params={"upload": ident, "set": asked}).json()
    assert model["good"] == 50
    shown = client.post(f"{MAPPING}/add.json", json={"upload": ident, "set": asked}).json()
    assert shown["asked"] == [
        {"rulebook": "cn_gbt_2589_2020", "period": "2024"},
        {"rulebook": "cn_gbt_32150_2015", "period": "2024"},
    ]
    moved = {one["quantity"]: one for one in shown["changes"]}
    # 24 hours of 10 kWh at 0.5 kgCO2/kWh
    assert moved["purchased_electricity_emission"]["difference"] == pytest.approx(0.12)
    assert not (own.folder / "small" / "uploads").exists()
    done = client.post(f"{FACTS}/commit.json", json={"change": shown["change"]}).json()
    assert done["goto"] == FACTS
    assert (own.folder / "small" / "uploads" / "february.csv").read_bytes() == FEBRUARY
    with celadon.open_plant(own.folder / "small") as plant:
        assert small.energy(plant, period="2024-02-01") == 240.0
    assert client.get(f"{FACTS}.json?period=2024-01").json()["uploads"] == []
    again = client.post(f"{FACTS}/commit.json", json={"change": shown["change"]})
    assert codes(again) == ["change.not-waiting"]
    assert "已提交" in again.json()["findings"][0]["says"]["zh"]


def test_a_file_of_nothing_is_refused(own: Console) -> None:
    client = engineer(own)
    data = b"time,temperature\n2024-01-01 00:00,3\n"
    begun = client.post(f"{FACTS}/begin.json", json=announced(data, "t.csv")).json()
    client.post(f"{FACTS}/part.json", json=part(begun["id"], data))
    model = client.get(f"{MAPPING}.json?upload={begun['id']}").json()
    assert [one["code"] for one in model["findings"]] == ["guess.nothing-mapped"]
    refused = client.post(f"{MAPPING}/add.json", json={"upload": begun["id"]})
    assert codes(refused) == ["change.source-not-usable"]
    assert refused.json()["findings"][0]["values"] == {"name": "t.csv"}


def test_a_wrong_record_is_fixed_and_its_figures_change(own: Console) -> None:
    """4 t bought become 3 t: under GB/T 32150 combustion and the total change, power does not; evidence is kept."""
    client = engineer(own)
    ticket = b"weighbridge ticket: 3 t"
    begun = client.post(f"{FACTS}/begin.json", json=announced(ticket, "ticket.txt")).json()
    client.post(f"{FACTS}/part.json", json=part(begun["id"], ticket))
    given = {
        "file": "fuel/fuel.csv",
        "line": 3,
        "value": 3.0,
        "reason": "typed wrong",
        "evidence": begun["id"],
    }
    form = client.post(f"{FACTS}/correct", data={**given, "csrf": client.headers["x-csrf-token"]})
    assert "Make the change" in form.text
    shown = client.post(f"{FACTS}/correct.json", json=given).json()
    carbon = [one for one in shown["changes"] if one["rulebook"] == "cn_gbt_32150_2015"]
    assert {one["quantity"] for one in carbon} == {"fuel_combustion_emission", "total_emission"}
    assert all(one["difference"] == pytest.approx(-DIESEL, rel=1e-9) for one in carbon)
    assert carbon[0]["trace"].startswith("/plants/small/explain?quantity=")
    other = own.administrator().post(f"{FACTS}/commit.json", json={"change": shown["change"]})
    assert codes(other) == ["change.not-waiting"]  # only whoever looked at it
    client.post(
        f"{FACTS}/commit.json", json={"change": shown["change"], "back": "https://elsewhere.example/"}
    ).json()
    facts = client.get(f"{FACTS}.json?period=2024-01&quantity=fuel_purchased").json()["facts"]
    versions = facts[0]["versions"]
    assert [(one["value"], one["status"], one["by"]) for one in versions] == [
        (4.0, "replaced", ""),
        (3.0, "in_force", "erik"),
    ]
    assert versions[1]["evidence"] == "ticket.txt"
    overview = client.get("/plants/small/overview.json?period=2024-01").json()
    assert overview["figures"][1]["value"] == pytest.approx(4 * DIESEL + 3.72, rel=1e-9)
    kept = (
        own.folder / "small" / "manual" / "evidence" / f"{hashlib.sha256(ticket).hexdigest()}.txt"
    ).read_bytes()
    assert kept == ticket


def test_a_change_is_refused_once_the_plant_has_moved_on(own: Console) -> None:
    client = engineer(own)
    record = {
        "quantity": "fuel_purchased",
        "item": "diesel",
        "value": 2,
        "unit": "t",
        "start": "2024-01-20",
        "purpose": "mobile",
    }
    first, second = (
        client.post(f"{FACTS}/enter.json", json={**record, "note": note}).json() for note in ("A", "B")
    )
    assert client.post(f"{FACTS}/commit.json", json={"change": first["change"]}).status_code == 200
    refused = client.post(f"{FACTS}/commit.json", json={"change": second["change"]})
    assert codes(refused) == ["draft.outdated"]
    unknown = client.post(f"{FACTS}/enter.json", json={**record, "item": "unobtainium"}).json()
    assert "table.item-unknown" in {one["code"] for one in unknown["found"]}
    assert unknown["changes"] == []


def test_readings_are_excluded_from_the_page(own: Console) -> None:
    client = engineer(own)
    given = {"meter": "E1", "start": "2024-01-10T05:00", "end": "2024-01-10T09:00", "reason": "display dead"}
    shown = client.post(f"{FACTS}/exclude.json", json=given).json()
    assert "excluded.facts" in {one["code"] for one in shown["found"]}
    client.post(f"{FACTS}/commit.json", json={"change": shown["change"]})
    text = (own.folder / "small" / "plant.yaml").read_text("utf-8")
    assert "reason: display dead, by: erik" in text
    facts = client.get(f"{FACTS}.json?period=2024-01-10&meter=E1").json()["facts"]
    assert [one["versions"][0]["status"] for one in facts].count("excluded") == 5


def test_findings_are_accepted_and_opened_again(own: Console) -> None:
    client = engineer(own)
    model = client.get(f"{FINDINGS}.json?period=2024-01").json()
    first = model["findings"][0]
    assert first["severity"] == "warning"
    assert sum(model["open_by_severity"].values()) == model["open"]
    overview = client.get("/plants/small/overview.json?period=2024-01").json()["findings"]
    given = {"finding": first["id"], "action": "accept", "period": "2024-01"}
    assert codes(client.post(f"{FINDINGS}/decide.json", json=given)) == ["triage.reason-needed"]
    client.post(f"{FINDINGS}/decide.json", json={**given, "reason": "known to the auditor"})
    after = client.get(f"{FINDINGS}.json?period=2024-01&show=accepted").json()
    assert [one["id"] for one in after["findings"]] == [first["id"]]
    assert (after["open"], after["accepted"]) == (model["open"] - 1, 1)
    assert after["open_by_severity"]["warning"] == model["open_by_severity"]["warning"] - 1
    left = client.get("/plants/small/overview.json?period=2024-01").json()["findings"]
    assert left == overview | {"warning": overview["warning"] - 1}
    assert after["findings"][0]["decisions"][0]["by"] == "erik"
    assert "known to the auditor" in client.get(f"{FINDINGS}.csv?period=2024-01").text
    client.post(f"{FINDINGS}/decide.json", json={**given, "action": "reopen"})
    assert client.get(f"{FINDINGS}.json?period=2024-01").json()["accepted"] == 0
    unknown = client.post(f"{FINDINGS}/decide.json", json={**given, "finding": "none", "reason": "x"})
    assert codes(unknown) == ["triage.no-such-finding"]


def test_a_row_in_quarantine_is_corrected_with_its_effect_first(own: Console) -> None:
    folder = own.folder / "small"
    (folder / "fuel" / "more.csv").write_text(
        small.FUEL.splitlines()[0] + "\n2024-01-15,bought,diesel,2x,t,D7\n", "utf-8"
    )
    with celadon.open_plant(folder) as plant:
        plant.load()
    client = engineer(own)
    (row,) = client.get(f"{FINDINGS}.json?period=2024-01").json()["quarantine"]
    assert (row["code"], row["cells"]["amount"]) == ("table.number-unreadable", "2x")
    shown = client.post(
        f"{FINDINGS}/correct.json", json={"row": row["id"], "field": "amount", "text": "2"}
    ).json()
    moved = {one["quantity"]: one["difference"] for one in shown["changes"]}
    assert moved["fuel_combustion_emission"] == pytest.approx(2 * DIESEL, rel=1e-9)
    assert len(client.get(f"{FINDINGS}.json?period=2024-01").json()["quarantine"]) == 1
    client.post(f"{FACTS}/commit.json", json={"change": shown["change"], "back": FINDINGS})
    assert client.get(f"{FINDINGS}.json?period=2024-01").json()["quarantine"] == []


def test_who_only_looks_changes_nothing(own: Console) -> None:
    client = own.signed_in("vera", Grant(Role.VERIFIER, "plant", "small"))
    page = client.get(f"{FACTS}?period=2024-01")
    assert page.status_code == 200
    assert "/facts/enter" not in page.text
    assert codes(client.post(f"{FACTS}/begin.json", json=announced(b"x"))) == ["access.not-allowed"]
    assert os.listdir(own.shared.workspace.memory).count("uploads") == 0


def test_the_folder_that_is_served_is_shown_to_nobody(own: Console) -> None:
    client = own.administrator()
    found = client.get("/plants/small/findings.json?period=2024-02").json()["findings"]
    places = [item["where"] for item in found if "plant.yaml" in item["where"]]
    assert places
    assert str(own.folder.resolve()) not in client.get("/plants/small/findings?period=2024-02").text
    assert all(place.startswith("small/") for place in places)


def test_a_plant_with_nothing_loaded_is_loaded_from_its_page(served: Path, tmp_path: Path) -> None:
    folder = consoles.copied(served, tmp_path / "served")
    small.write(folder / "fresh")
    made = consoles.open_console(folder)
    client = engineer(made, "fresh")
    where = "/plants/fresh/facts"
    page = client.get("/plants/fresh/overview", headers={"accept-language": "en"})
    assert (page.status_code, codes(page)) == (422, ["console.no-period"])
    assert f'href="{where}"' in page.text
    model = client.get(f"{where}.json").json()
    assert (model["waiting"], model["files"], model["facts"]) == (
        ["data/january.csv", "fuel/fuel.csv"],
        [],
        [],
    )
    assert "not loaded yet" in client.get(where, headers={"accept-language": "en"}).text
    shown = client.post(f"{where}/load.json", json={}).json()
    # 7.44 MWh × 0.1229 tce/MWh + 5 t × 1.4571 tce/t, of nothing before
    energy = next(one for one in shown["changes"] if one["quantity"] == "comprehensive_energy")
    assert (energy["before"], energy["after"]) == (None, pytest.approx(8.199876))
    assert client.get(f"{where}.json").json()["waiting"] == ["data/january.csv", "fuel/fuel.csv"], (
        "only shown"
    )
    assert client.post(f"{where}/commit.json", json={"change": shown["change"]}).status_code == 200
    after = client.get(f"{where}.json?period=2024-01").json()
    assert (after["waiting"], {one["name"] for one in after["files"]}) == (
        [],
        {"data/january.csv", "fuel/fuel.csv"},
    )
    assert client.get("/plants/fresh/overview.json?period=2024-01").json()["figures"][0][
        "value"
    ] == pytest.approx(8.199876)
    made.close()
