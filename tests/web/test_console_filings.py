"""The pages of filings: freeze, list, restated beside, download; and that only those who may file do."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import celadon
from celadon.proof import keys
from celadon.proof.checking import verify
from celadon.web.access import Grant, Role
from tests.plant import small
from tests.web import consoles
from tests.web.consoles import Console, codes

GIVEN = {"rulebook": "cn_gbt_32150_2015", "period": "2024-01"}
WHERE = "/plants/small/filings"


@pytest.fixture
def own(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """A console of this test's own, whose user has no key yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = consoles.open_console(consoles.copied(served, tmp_path / "served"))
    yield made
    made.close()


def test_a_period_is_frozen_and_stays(own: Console, tmp_path: Path) -> None:
    client = own.signed_in("engineer", Grant(Role.ENGINEER, "plant", "small"))
    assert "celadon keys new" in client.get(WHERE).text
    assert codes(client.post(f"{WHERE}/freeze.json", json=GIVEN, headers={"accept": "application/json"})) == [
        "key.absent"
    ]
    assert client.post(f"{WHERE}/key.json", json={}).json()["en"] == "There is a key to sign with now."
    signer = keys.load()
    assert codes(client.post(f"{WHERE}/key.json", json={})) == ["key.exists"]
    csrf = client.headers["x-csrf-token"]
    form = client.post(f"{WHERE}/freeze", data={**GIVEN, "csrf": csrf})
    assert form.status_code == 303
    where = form.headers["location"]
    page = client.get(where, headers={"accept-language": "en"})
    assert "digests, signature and sums checked" in page.text
    model = client.get(f"{where}.json").json()
    assert (model["holds"], model["changed"], len(model["figures"])) == (True, 0, 3)
    again = client.post(f"{WHERE}/freeze.json", json=GIVEN).json()
    assert (again["goto"], again["en"]) == (where, "The same was filed before; nothing was added.")

    package = client.get(f"{where}/file")
    assert package.headers["content-type"] == "application/zip"
    (tmp_path / "sent.zip").write_bytes(package.content)
    (tmp_path / "sent.tlog-proof").write_bytes(client.get(f"{where}/file?part=proof").content)
    done = verify(tmp_path / "sent.zip", signer.key, tmp_path / "sent.tlog-proof")
    assert done.findings == ()
    assert done.id == model["filing"]["id"]

    (own.folder / "small" / "fuel" / "fuel.csv").write_text(small.FUEL + "2024-01-20,bought,diesel,2,t,D2\n")
    with celadon.open_plant(own.folder / "small") as plant:
        plant.load()
    model = client.get(f"{where}.json").json()
    diesel = next(figure for figure in model["figures"] if figure["item"] == "diesel")
    # 5 t were burnt when it was filed, 7 t with the invoice that came late.
    assert diesel["now"] == pytest.approx(diesel["filed"] * 7 / 5, rel=1e-12)
    assert [cause["name"] for cause in diesel["causes"]] == ["energy_consumed"]
    assert (model["changed"], [item["code"] for item in model["findings"]]) == (2, ["filing.restated"])
    assert client.get(f"{where}/file").content == package.content
    assert "Energy consumed" in client.get(where, headers={"accept-language": "en"}).text
    before, now = (
        client.get(diesel[name].replace("/explain?", "/explain.json?")).json()
        for name in ("filed_trace", "now_trace")
    )
    assert [before["trace"]["trace"]["value"], now["trace"]["trace"]["value"]] == pytest.approx(
        [diesel["filed"], diesel["now"]], rel=1e-12
    )

    client.post(f"{WHERE}/freeze.json", json=GIVEN)
    listed = client.get(f"{WHERE}.json").json()
    assert [item["index"] for item in listed["filings"]] == [1, 0]
    assert listed["checkpoint"].startswith("celadon/acme/filings\n2\n")
    assert client.get(f"{WHERE}.csv").text.splitlines()[1].startswith("1,")
    rows = own.shared.state.rows("SELECT action FROM audit WHERE action LIKE 'filing.%'")
    assert [row["action"] for row in rows] == ["filing.key", "filing.made", "filing.made"]


def test_reports_are_filed_with_it(own: Console) -> None:
    keys.new()
    client = own.signed_in("engineer", Grant(Role.ENGINEER, "plant", "small"))
    assert 'name="reports" value="evidence"' in client.get(WHERE).text
    form = {**GIVEN, "reports": ["energy-carbon"], "csrf": client.headers["x-csrf-token"]}
    where = client.post(f"{WHERE}/freeze?lang=zh", data=form).headers["location"]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{where}/file").content)) as archive:
        paths = {name.rsplit("/", 1)[-1]: name for name in archive.namelist() if "/report/" in name}
        inside = archive.read(paths["energy-carbon-zh.pdf"])
    alone = client.get(f"{where}/file", params={"part": "report", "name": "energy-carbon-zh.pdf"})
    assert (alone.content, alone.headers["content-type"]) == (inside, "application/pdf")
    assert "energy-carbon-zh.pdf" in client.get(where).text
    assert client.get(f"{where}/file", params={"part": "report", "name": "../plant.json"}).status_code == 404
    reports = sorted(paths)
    assert reports == ["energy-carbon-zh.pdf", "energy-carbon-zh.xlsx"]


def test_who_may_file_and_who_may_have_the_file(own: Console) -> None:
    keys.new()
    viewer = own.signed_in("viewer", Grant(Role.VIEWER, "plant", "small"))
    verifier = own.signed_in("verifier", Grant(Role.VERIFIER, "plant", "small"))
    engineer = own.signed_in("engineer", Grant(Role.ENGINEER, "plant", "small"))
    where = engineer.post(f"{WHERE}/freeze.json", json=GIVEN).json()["goto"]
    for client in (viewer, verifier):
        assert client.post(f"{WHERE}/freeze.json", json=GIVEN).status_code == 403
        page = client.get(where)
        assert page.status_code == 200
        assert client.get(WHERE).status_code == 200
        assert '<form method="post" action="/plants/small/filings/freeze"' not in client.get(WHERE).text
    assert verifier.get(f"{where}/file").status_code == 200
    assert viewer.get(f"{where}/file").status_code == 403
    stranger = own.signed_in("stranger", Grant(Role.ENGINEER, "plant", "other"))
    for path in (WHERE, where, f"{where}/file"):
        assert stranger.get(path).status_code == 404
    # the other plant's pages know nothing of this one's filings
    assert codes(stranger.get(where.replace("small", "other"))) == ["filing.unknown"]


def test_a_filing_that_was_changed_on_the_disk_is_said(own: Console) -> None:
    keys.new()
    client = own.signed_in("engineer", Grant(Role.ENGINEER, "plant", "small"))
    where = client.post(f"{WHERE}/freeze.json", json=GIVEN).json()["goto"]
    (package,) = (own.folder / "small" / "celadon-store" / "filings").glob("*.zip")
    content = package.read_bytes()
    package.write_bytes(content.replace(b'"value": 3.72', b'"value": 2.72'))
    model = client.get(f"{where}.json").json()
    assert (model["holds"], model["figures"]) == (False, [])
    assert model["findings"][0]["code"] == "filing.file-changed"
    assert "核对未通过" in client.get(f"{where}?lang=zh").text


def test_readings_are_filed_with_it_and_their_size_is_told_before(own: Console, tmp_path: Path) -> None:
    client = own.signed_in("engineer", Grant(Role.ENGINEER, "plant", "small"))
    client.post(f"{WHERE}/key.json", json={})
    # two meters, hourly, 0:00 of the 1st to 23:00 of the 31st; 8 bytes each
    due = client.get(f"{WHERE}.json?period=2024-01").json()["due"]
    assert due == {"readings": 2 * small.HOURS, "bytes": 16 * small.HOURS, "most": 10_000_000}
    assert (
        f"2024-01: {2 * small.HOURS:,} readings, about 0.0 MB"
        in client.get(f"{WHERE}?period=2024-01&lang=en").text
    )
    assert client.get(f"{WHERE}.json?period=soon").json()["due"] is None
    csrf = client.headers["x-csrf-token"]
    other = client.post(
        f"{WHERE}/size", data={**GIVEN, "period": "2024-01-01..2024-01-10", "reports": "cbam", "csrf": csrf}
    )
    assert other.headers["location"] == f"{WHERE}?period=2024-01-01..2024-01-10&report=cbam"
    assert client.get(other.headers["location"].replace("?", ".json?")).json()["due"]["readings"] == 2 * 240
    where = client.post(f"{WHERE}/freeze", data={**GIVEN, "readings": "true", "csrf": csrf}).headers[
        "location"
    ]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{where}/file").content)) as package:
        names = {name.split("/", 1)[1] for name in package.namelist()}
    assert {"data/facts/raw-readings.parquet", "data/facts/raw-records.parquet"} <= names
    plain = client.post(f"{WHERE}/freeze.json", json=GIVEN).json()["goto"]
    assert plain != where, "the same period without them is another filing"
    viewer = own.signed_in("viewer", Grant(Role.VIEWER, "plant", "small"))
    assert viewer.get(f"{WHERE}.json?period=2024-01").json()["due"] is None
