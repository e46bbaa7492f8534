"""A filing: what is in it, by other people's tools too; the same bytes every time; computed anew from the file alone."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import bagit
import duckdb
import pytest
import rdflib
from rocrate.rocrate import ROCrate

import celadon
from celadon.examples import cement_works
from celadon.plant.backup import restore
from celadon.plant.new import new_plant
from celadon.proof import verifier
from celadon.proof.checking import verify
from celadon.proof.filing import Filing
from celadon.proof.log import Filings
from celadon.proof.opening import open_bag
from tests.plant import small
from tests.proof import filed

# January of the small plant (see tests/plant/small.py): 744 h × 10 kWh = 7,440 kWh at the supplier's 0.5 kgCO2/kWh.
ELECTRICITY = 7440 * 0.5 / 1000


@pytest.fixture(scope="module")
def filing(tmp_path_factory: pytest.TempPathFactory) -> Filing:
    folder = tmp_path_factory.mktemp("plant")
    small.loaded(folder).close()
    return filed.file(folder, reports={"report.txt": b"Total: 19.4 tCO2\n"})


@pytest.fixture(scope="module")
def unzipped(filing: Filing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bag")
    with zipfile.ZipFile(filing.package) as archive:
        archive.extractall(folder)
    return next(folder.iterdir())


def table(filing: Filing, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(filed.contents(filing.package)[path].decode())))


def test_other_tools_read_it(filing: Filing, unzipped: Path) -> None:
    bag = bagit.Bag(str(unzipped))
    bag.validate()
    assert bag.info["Bag-Software-Agent"] == f"Celadon {celadon.__version__}"
    assert bag.info["External-Description"] == "Acme: GB/T 32150-2015, 2024-01"
    crate = ROCrate(str(unzipped / "data"))
    assert crate.root_dataset["name"] == "Acme: GB/T 32150-2015, 2024-01"
    listed = {item.id for item in crate.data_entities}
    files = {
        path.relative_to(unzipped / "data").as_posix()
        for path in (unzipped / "data").rglob("*")
        if path.is_file()
    }
    assert listed == files - {"ro-crate-metadata.json"}
    for item in crate.data_entities:
        assert item["sha256"] == hashlib.sha256((unzipped / "data" / item.id).read_bytes()).hexdigest()
    (action,) = [item for item in crate.contextual_entities if item.type == "CreateAction"]
    assert {item.id for item in action["result"]} == {"results.json", "report/report.txt"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_provenance_is_prov(filing: Filing) -> None:
    graph = rdflib.Graph().parse(
        data=filed.contents(filing.package)["data/provenance.jsonld"].decode(),
        format="json-ld",
        publicID="http://example.org/data/",
    )
    prov, base = rdflib.Namespace("http://www.w3.org/ns/prov#"), rdflib.Namespace("http://example.org/data/")
    assert set(graph.objects(base["results.json"], prov.wasDerivedFrom)) == {base["facts/facts.parquet"]}
    (account,) = graph.objects(base["results.json"], prov.wasGeneratedBy)
    used = set(graph.objects(account, prov.used))
    assert {base["facts/facts.parquet"], base["plant.json"]} < used
    (deriving,) = graph.objects(base["facts/facts.parquet"], prov.wasGeneratedBy)
    assert base["facts/sources.csv"] in set(graph.objects(deriving, prov.used))


def test_what_is_in_it(filing: Filing, tmp_path: Path) -> None:
    files = filed.contents(filing.package)
    results = json.loads(files["data/results.json"])
    rows = {row["quantity"]: row["value"] for row in results["figures"]["rows"]}
    assert rows["purchased_electricity_emission"] == pytest.approx(ELECTRICITY, rel=1e-12)
    assert results["months"] is None
    (january,) = [row for row in table(filing, "data/facts/readings.csv") if row["meter"] == "E1"]
    # The reading of 2024-02-01 00:00 (line 746: a header and 745 readings) closes January: it stands in February.
    assert (january["month"], january["readings"]) == ("2024-01", "744")
    assert (january["first_value"], january["first_file"], january["first_line"]) == (
        "1000.0",
        "data/january.csv",
        "2",
    )
    assert (january["last_value"], january["last_line"]) == ("8430.0", "745")
    (sums,) = [row for row in table(filing, "data/facts/conservation.csv") if row["meter"] == "E1"]
    assert int(sums["attributed"]) == 7440 * 10**6
    assert sum(int(sums[name]) for name in ("counted", "rolled", "edges", "intervals")) == 7440 * 10**6
    (bought,) = [
        row for row in table(filing, "data/facts/records.csv") if row["quantity"] == "fuel_purchased"
    ]
    assert (bought["value"], bought["unit"], bought["note"], bought["file"], bought["line"]) == (
        "4.0", "t", "D1", "fuel/fuel.csv", "3",
    )  # fmt: skip
    sources = {row["name"]: row["sha256"] for row in table(filing, "data/facts/sources.csv")}
    folder = filing.package.parents[2]
    for name in ("data/january.csv", "fuel/fuel.csv"):
        assert sources[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (supplier,) = [
        row for row in table(filing, "data/factors.csv") if row["factor"] == "grid_emission_factor"
    ]
    assert (supplier["value"], supplier["source"], supplier["month"]) == ("0.5", "supplier", "2024-01")
    (tmp_path / "f.parquet").write_bytes(files["data/facts/facts.parquet"])
    with duckdb.connect() as con:
        found = con.execute(
            f"SELECT sum(value), any_value(unit) FROM '{tmp_path}/f.parquet' WHERE quantity = 'energy_purchased'"
        ).fetchone()
    assert found == (7.44, "MWh")
    request = json.loads(files["data/request.json"])
    assert request["versions"]["celadon"] == celadon.__version__
    assert request["rulebook"]["digest"] == filing.account.result.book.digest
    assert not [path for path, content in files.items() if str(folder).encode() in content]


def test_the_readings_digest_is_what_it_says(filing: Filing) -> None:
    """`time|seconds|value|file|line` of every reading of E2 in January, in the order of time."""
    moments = duckdb.sql(
        "SELECT strftime(TIMESTAMP '2024-01-01' - INTERVAL 8 HOUR + to_hours(i), '%Y-%m-%d %H:%M:%S') FROM range(744) t(i)"
    ).fetchall()
    text = "\n".join(
        f"{moment}|0|{500 + 4 * hour}.0|data/january.csv|{hour + 2}" for hour, (moment,) in enumerate(moments)
    )
    (row,) = [row for row in table(filing, "data/facts/readings.csv") if row["meter"] == "E2"]
    assert row["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_it_is_computed_anew_from_the_file_alone(filing: Filing, tmp_path: Path) -> None:
    """In another process, with no plant, no store and no home to look into."""
    elsewhere = tmp_path / "sent.zip"
    shutil.copy(filing.package, elsewhere)
    (tmp_path / "sent.tlog-proof").write_bytes(Filings(filing.package.parents[1]).proof(filing.entry))
    key = str(filed.SIGNER.key)
    args = [str(elsewhere), "--key", key, "--proof", str(tmp_path / "sent.tlog-proof")]
    environment = {"PYTHONPATH": str(Path(celadon.__file__).parent.parent), "HOME": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-m", "celadon", "verify", *args, "--json"],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    body = json.loads(done.stdout)
    assert (done.returncode, body["different"], body["findings"]) == (0, 0, [])
    assert body["filing"] == filing.entry.id
    assert body["equal"] == len(filing.account.rows) == len(body["figures"])
    told = {figure["quantity"]: figure for figure in body["figures"]}["purchased_electricity_emission"]
    assert told["filed"] == told["computed"] == pytest.approx(ELECTRICITY, rel=1e-12)
    small_one = subprocess.run(
        [sys.executable, "-I", "-S", verifier.__file__, *args], capture_output=True, text=True, check=False
    )
    assert small_one.returncode == 0, small_one.stdout + small_one.stderr
    assert small_one.stdout.startswith(f"OK {filing.entry.id}\n")


def test_the_same_is_filed_once_and_with_the_same_bytes_anywhere(filing: Filing, tmp_path: Path) -> None:
    folder = filing.package.parents[2]
    again = filed.file(folder, reports={"report.txt": b"Total: 19.4 tCO2\n"})
    assert (again.new, again.entry) == (False, filing.entry)
    (said,) = [item for item in again.findings if item.code == "filing.already"]
    assert said.values["id"] == filing.entry.id[:12]
    copy = small.copy(folder, tmp_path / "copy")
    shutil.rmtree(copy / "celadon-store" / "filings")
    anew = filed.file(copy, reports={"report.txt": b"Total: 19.4 tCO2\n"})
    assert anew.package.read_bytes() == filing.package.read_bytes()
    assert anew.entry.id == filing.entry.id == hashlib.sha256(
        filed.contents(filing.package)["tagmanifest-sha256.txt"]
    ).hexdigest()  # fmt: skip


def test_a_year_is_filed_with_months_that_add_up(tmp_path: Path) -> None:
    small.loaded(tmp_path / "plant").close()
    year = filed.file(tmp_path / "plant", "2024-01..2024-03")
    results = json.loads(filed.contents(year.package)["data/results.json"])
    assert "purchased_electricity_emission" in results["adds"]
    assert {row["period"] for row in results["months"]["rows"]} == {"2024-01", "2024-02", "2024-03"}

    def lie(payload: dict[str, bytes]) -> None:
        body = json.loads(payload["data/results.json"])
        row = next(
            row for row in body["figures"]["rows"] if row["quantity"] == "purchased_electricity_emission"
        )
        row["value"] += 1
        payload["data/results.json"] = json.dumps(body).encode()

    lied = filed.signed_again(year.package, tmp_path / "lied.zip", lie)
    found = verify(lied, filed.SIGNER.key).findings
    assert [item.code for item in found] == ["filing.sum", "filing.different"]
    assert found[0].says() == (
        f"purchased_electricity_emission electricity works: the months add up to {ELECTRICITY}, the figure says {ELECTRICITY + 1}."
    )
    assert found[1].says() == (
        "purchased_electricity_emission electricity works 2024-01-01..2024-03-31: filed "
        f"{ELECTRICITY + 1} tCO2, computed anew from the file {ELECTRICITY} tCO2 (value)."
    )


def test_a_later_load_leaves_it_as_it_was(tmp_path: Path) -> None:
    from celadon.plant.opened import open_file
    from celadon.proof.restating import restated

    folder = tmp_path / "plant"
    small.loaded(folder).close()
    made = filed.file(folder)
    before = made.package.read_bytes()
    # A late invoice: two more tonnes of diesel bought in January.
    (folder / "fuel" / "fuel.csv").write_text(small.FUEL + "2024-01-20,bought,diesel,2,t,D2\n")
    with celadon.open_plant(folder) as plant:
        plant.load()
    assert made.package.read_bytes() == before
    (now,) = restated(open_file(folder))
    lines = {line.row.quantity: line for line in now.lines}
    assert not lines["purchased_electricity_emission"].changed
    diesel = next(line for line in now.lines if line.row.item == "diesel")
    # 5 t were burnt (1.5 + 4 − 0.5), now 7 t: the emission grows by 7/5.
    assert diesel.changed
    assert diesel.row.value is not None
    assert diesel.now == pytest.approx(diesel.row.value * 7 / 5, rel=1e-12)
    assert sum(part for _, _, part, _ in diesel.causes) == pytest.approx(diesel.row.value * 2 / 5, rel=1e-9)
    assert [cause[:2] for cause in diesel.causes] == [("fact", "energy_consumed")]
    (said,) = now.findings
    assert said.code == "filing.restated"
    assert (said.values["count"], said.values["all"]) == (2, 3)
    second = filed.file(folder)
    assert second.entry.index == 1
    assert [item.id for item in Filings(folder / "celadon-store").entries()] == [
        made.entry.id,
        second.entry.id,
    ]


def test_a_rulebook_of_ones_own_goes_along_with_what_it_builds_on(tmp_path: Path) -> None:
    """On the other machine there is no such rulebook, and the one it builds on may be another edition."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "about.yaml").write_text(
        "id: own\nedition: '1'\nbuilds_on: [cn_gbt_32150_2015]\nscope: own\ntotals: [purchased_electricity_emission]\n"
        "documents: [{number: OWN-1, title: own}]\n"
    )
    (own / "quantities.yaml").write_text("facts: {}\nfactors: {}\n")
    folder = tmp_path / "plant"
    small.loaded(folder).close()
    made = filed.file(folder, rulebook=own)
    files = filed.contents(made.package)
    assert "data/rulebooks/own/about.yaml" in files
    assert "data/rulebooks/cn_gbt_32150_2015/about.yaml" in files
    shutil.rmtree(own)
    done = verify(made.package, filed.SIGNER.key)
    assert done.findings == ()
    assert [figure.equal for figure in done.figures] == [True]

    def edit(payload: dict[str, bytes]) -> None:
        name = "data/rulebooks/cn_gbt_32150_2015/about.yaml"
        payload[name] = payload[name] + b"# another edition\n"

    (found,) = verify(filed.signed_again(made.package, tmp_path / "x.zip", edit), filed.SIGNER.key).findings
    assert found.code == "filing.content"
    assert "the digest of own is" in found.says()
    from celadon.plant.opened import open_file
    from celadon.proof.restating import restated

    (now,) = restated(open_file(folder))
    (said,) = now.findings
    assert said.code == "filing.rulebook-as-filed"
    assert said.values["rulebook"] == "own"
    assert [line.changed for line in now.lines] == [False]


def test_rulebooks_of_one_folder_name_are_refused(tmp_path: Path) -> None:
    body = "id: {0}\nedition: '1'\n{1}scope: own\ntotals: [purchased_electricity_emission]\ndocuments: [{{number: X, title: own}}]\n"
    for path, more in (
        ("a/book", "builds_on: [../b/book]\n"),
        ("b/book", "builds_on: [cn_gbt_32150_2015]\n"),
    ):
        (tmp_path / path).mkdir(parents=True)
        more = more.replace("../b", "../../b")
        (tmp_path / path / "about.yaml").write_text(body.format(path[0] + "book", more))
        (tmp_path / path / "quantities.yaml").write_text("facts: {}\nfactors: {}\n")
    small.loaded(tmp_path / "plant").close()
    with filed.refused("filing.rulebook-names", r"folders called book"):
        filed.file(tmp_path / "plant", rulebook=tmp_path / "a" / "book")


def test_reports_have_plain_names(filing: Filing) -> None:
    with filed.refused("filing.report-name", r"“\.\./x\.pdf”"):
        filed.file(filing.package.parents[2], reports={"../x.pdf": b""})


def test_facts_that_another_rulebook_calculates_are_calculated_anew(tmp_path: Path) -> None:
    new_plant(tmp_path / "works", contents=cement_works.texts())
    with celadon.open_plant(tmp_path / "works") as plant:
        plant.load()
    made = filed.file(tmp_path / "works", "2025-01..2025-03", "cn_product_energy_quota")
    files = filed.contents(made.package)
    measured = [path for path in files if path.startswith("data/facts/measured-")]
    assert measured
    assert "data/rulebooks/cn_gbt_2589_2020/about.yaml" in files
    assert open_bag(made.package).id == made.entry.id
    found = verify(made.package, filed.SIGNER.key)
    assert found.figures
    assert all(figure.equal for figure in found.figures)
    assert found.findings == ()

    # The firm lies: the kiln's energy that GB/T 2589 gives is filed a tenth lower, and all figures follow from it.
    def lie(payload: dict[str, bytes]) -> None:
        file = tmp_path / "facts.parquet"
        file.write_bytes(payload["data/facts/facts.parquet"])
        with duckdb.connect() as con:
            con.execute(f"CREATE TABLE f AS SELECT * FROM '{file}'")
            count = con.execute(
                "UPDATE f SET value = value * 0.9 WHERE source LIKE 'derived:%' AND value > 0"
            ).fetchone()
            assert count[0] > 0
            con.execute(f"COPY f TO '{file}' (FORMAT PARQUET)")
        payload["data/facts/facts.parquet"] = file.read_bytes()

    codes = [
        item.code
        for item in verify(
            filed.signed_again(made.package, tmp_path / "x.zip", lie), filed.SIGNER.key
        ).findings
    ]
    assert codes[-1] == "filing.calculated-facts"

    def forget(payload: dict[str, bytes]) -> None:
        for path in measured:
            payload.pop(path)

    (said,) = verify(filed.signed_again(made.package, tmp_path / "x.zip", forget), filed.SIGNER.key).findings
    assert said.code == "filing.content"


def test_a_backup_holds_what_was_filed(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    small.loaded(folder).close()
    first = filed.file(folder)
    with celadon.open_plant(folder) as plant:
        plant.back_up(tmp_path / "backup")
    second = filed.file(folder, reports={"report.txt": b"1"})
    (folder / "celadon-store" / "filings" / "log").open("ab").write(b'{"filing": "half')
    with celadon.open_plant(folder) as plant:
        plant.back_up(tmp_path / "backup")
    bagit.Bag(str(tmp_path / "backup")).validate()
    restore(tmp_path / "backup", tmp_path / "restored")
    there = Filings(tmp_path / "restored" / "celadon-store")
    assert [entry.body for entry in there.entries()] == [first.entry.body, second.entry.body]
    for made in (first, second):
        assert there.package(made.entry).read_bytes() == made.package.read_bytes()
        assert there.proof(made.entry).startswith(b"c2sp.org/tlog-proof@v1")
    assert filed.file(tmp_path / "restored").entry.index == 0
