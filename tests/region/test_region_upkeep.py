"""Upkeep of a region's store: merged, verified, backed up, restored, thinned out; every answer stays what it was."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.findings import FindingError
from celadon.examples.country import generate
from celadon.region.doctor import examine
from celadon.region.facade import open_region
from celadon.region.opened import open_file
from celadon.region.upkeep import compact, retain_region
from tests.store.servers import schema
from tests.store.store_tools import only

BOOK = "cn_gbt_2589_2020"
ASKED = {"by": "province", "per": "month"}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Forty enterprises and five months, corrected twice: April 2024 of three and of two of these again."""
    folder = tmp_path_factory.mktemp("made") / "region"
    generate(folder, 40, 2024, 1, anomalies=0)
    for file in folder.glob("*/2024-*.parquet"):
        if file.stem > "2024-05":
            file.unlink()
    load(folder)
    for number in (1, 2):
        corrected(folder, number)
        load(folder)
    return folder


@pytest.fixture
def region(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "region"))


def corrected(folder: Path, number: int) -> None:
    """The `number`-th correction of April: electricity of the first enterprises, fewer each time, times a hundred."""
    source, target = folder / "facts" / "2024-04.parquet", folder / "facts" / f"2024-04b{number}.parquet"
    duckdb.sql(
        f"COPY (SELECT * REPLACE (electricity_consumed * {100 * number} AS electricity_consumed) FROM '{source}' "
        f"ORDER BY enterprise LIMIT {4 - number}) TO '{target}' (FORMAT PARQUET)"
    )


def load(folder: Path):
    with open_region(folder) as region:
        done = region.load()
        assert [item.code for item in done.findings.errors] == []
        return region.store.batches()[-1]


def moments(folder: Path) -> list[datetime]:
    """When each batch was recorded."""
    with open_region(folder) as region:
        return [batch.recorded_at for batch in region.store.batches()]


def answers(folder: Path, as_of: datetime | None = None) -> tuple[object, ...]:
    with open_region(folder) as region:
        found = region.account(BOOK, "2024", as_of=as_of, **ASKED)
        # sums are the same but for the order of their terms
        rows = [
            (row.quantity, row.group, row.start, row.value and f"{row.value:.12g}", row.coverage)
            for row in found.rows
        ]
        return found.facts_digest, [item.code for item in found.findings], rows


def said(capsys, *words: object) -> dict:
    code = main([*(str(word) for word in words), "--json", "--lang", "en"])
    found = json.loads(capsys.readouterr().out)
    assert problems(found) == []
    found["exit"] = code
    return found


def segments(folder: Path, kind: str) -> list[Path]:
    return sorted((folder / "celadon-store" / "segments" / kind).glob("*/*.parquet"))


def test_compaction_keeps_every_answer_of_every_moment(region, capsys):
    times = moments(region)
    before = [answers(region, at) for at in [*times[-3:], None]]
    assert len({str(item[2]) for item in before}) == 3  # before the corrections, after one, after two
    done = said(capsys, "compact", region)
    # one month had three segments, which are two now: what counts and what was replaced; the old stay for an hour
    assert (done["exit"], done["segments_after"] - done["segments_before"]) == (0, 2)
    assert [answers(region, at) for at in [*times[-3:], None]] == before
    assert said(capsys, "compact", region)["segments_after"] == done["segments_after"]
    # three reports replaced by the first correction, two of them by the second as well
    [old] = segments(region, "replaced-reports")
    assert duckdb.sql(f"SELECT count(*), count(DISTINCT batch) FROM '{old}'").fetchall() == [(5, 2)]
    corrected(region, 3)
    load(region)
    assert [answers(region, at) for at in times[-3:]] == before[:-1]
    after = answers(region)
    compact(region)
    assert answers(region) == after
    assert [answers(region, at) for at in times[-3:]] == before[:-1]
    assert examine(region, deep=True).findings == ()


def test_restored_on_an_empty_place_it_answers_the_same_with_the_same_digests(region, tmp_path, capsys):
    compact(region)
    times, before = moments(region), answers(region)
    earlier = answers(region, times[-2])
    made = said(capsys, "backup", region, tmp_path / "backup")
    shutil.rmtree(region)
    placed = said(capsys, "restore", tmp_path / "backup", region)
    assert (made["exit"], placed["exit"]) == (0, 0)
    assert placed["facts_digest"] == made["facts_digest"] == before[0]
    assert answers(region) == before
    assert answers(region, times[-2]) == earlier
    assert not (region / "facts").exists()  # what was read of the files is restored, not the files
    checked = said(capsys, "verify", region)
    assert (checked["ok"], checked["batches"]) == (True, len(times))


def test_a_damaged_segment_is_named_and_the_rest_answers(region, tmp_path, capsys):
    said(capsys, "backup", region, tmp_path / "backup")
    before = answers(region)
    march = next(path for path in segments(region, "facts-reports") if path.parent.name == "2024-03")
    sound = march.read_bytes()
    march.write_bytes(sound[:500] + bytes(8) + sound[508:])
    found = said(capsys, "verify", region)
    assert (found["exit"], found["ok"]) == (1, False)
    [damage] = found["findings"]
    assert damage["code"] == "store.segment-damaged"
    assert damage["where"]["file"] == march.relative_to(region / "celadon-store").as_posix()
    assert "the reports in it are left out of every total" in damage["says"]["en"]
    digest, codes, rows = answers(region)
    assert digest == before[0]
    assert "store.segment-damaged" in codes
    others = [row for row in rows if row[2].month != 3]
    assert others == [row for row in before[2] if row[2].month != 3]
    assert len(others) > 50
    looked = said(capsys, "doctor", region, "--deep", "--repair", "--from", tmp_path / "backup")
    assert (looked["exit"], looked["ok"], looked["mended"]["segments_put_back"]) == (0, True, 1)
    assert march.read_bytes() == sound
    assert answers(region) == before


def test_damage_met_while_answering_is_named_too(region):
    """The catalogue still thinks the segment sound: it has the size it was written with."""
    before = answers(region)
    march = next(path for path in segments(region, "facts-reports") if path.parent.name == "2024-03")
    march.write_bytes(bytes(march.stat().st_size))
    _, codes, rows = answers(region)
    assert "store.segment-damaged" in codes
    assert [row for row in rows if row[2].month != 3] == [row for row in before[2] if row[2].month != 3]


def test_doctor_knows_a_region_by_its_store_alone(region):
    done = examine(region / "celadon-store", deep=True)
    assert (done.ok, done.findings, done.ledger_stored) == (True, (), 0)
    assert done.batches == len(moments(region))


def test_reports_that_fit_no_registry_are_told(region):
    """Reports whose enterprises no registry has: the registry's segment lost its first ten rows."""
    import hashlib
    import sqlite3

    [registry] = segments(region, "registry")
    made = registry.with_suffix(".new")
    duckdb.sql(f"COPY (FROM '{registry}' WHERE number > 10) TO '{made}' (FORMAT PARQUET)")
    made.replace(registry)
    with sqlite3.connect(region / "celadon-store" / "catalogue.sqlite") as catalogue:
        catalogue.execute(
            "UPDATE segment SET sha256 = ?, bytes = ?, rows = 30 WHERE kind = 'registry'",
            [hashlib.sha256(registry.read_bytes()).hexdigest(), registry.stat().st_size],
        )
    catalogue.close()
    assert examine(region).ok
    found = [item for item in examine(region, deep=True).findings if item.code == "doctor.reports-astray"]
    assert len(found) == 7 + 5  # reports of five months and two corrections, bills of five months
    first = next(item for item in found if "bill" in (item.where.file or ""))
    # the utility bills every enterprise every month: the ten that are gone
    assert first.says("en") == (
        "10 report(s) in this segment are of no enterprise of any registry, 0 enterprise(s) are in it twice."
    )


def test_retention_drops_what_was_replaced_and_says_so(region, capsys):
    times = moments(region)
    now, first = answers(region), answers(region, times[-2])
    would = said(capsys, "retain", region, "--keep-history", "1d")
    assert (would["readings"], would["applied"]) == (0, False)  # everything was replaced today
    opened = open_file(region)
    later = datetime.now(UTC) + timedelta(days=400)
    planned = retain_region(opened, "1y", now=later)
    assert planned.months == (("2024-04", 5),)  # 3 by the first correction, 2 more by the second
    assert answers(region, times[-2]) == first
    done = retain_region(opened, "1y", now=later, apply=True)
    assert (done.months, done.readings, done.since) == (planned.months, 5, times[-1])
    assert answers(region)[1:] == now[1:]  # the digest also covers that something was dropped
    with pytest.raises(FindingError) as raised:
        answers(region, times[-2])
    assert only(raised.value).code == "store.history-dropped"
    assert retain_region(opened, "1y", now=later).months == ()
    assert examine(region, deep=True).findings == ()


def test_what_was_replaced_after_the_horizon_stays(region):
    """The horizon is the first correction: what that replaced goes, what the second replaced stays tellable."""
    times = moments(region)
    between = answers(region, times[-2])
    now = times[-2] + timedelta(days=365) + (times[-1] - times[-2]) / 2
    done = retain_region(open_file(region), "365d", now=now, apply=True)
    assert (done.months, done.since) == ((("2024-04", 3),), times[-2])
    assert answers(region, times[-2]) == between
    compact(region)
    assert answers(region, times[-2]) == between


def test_a_regions_catalogue_on_a_server_and_back(made, tmp_path, postgresql_server, capsys):
    """Loaded with its catalogue on a server from the start: the answers of one in the folder; then moved back."""
    folder = tmp_path / "region"
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("celadon-store"))
    address = f"{postgresql_server}?schema={schema()}"
    assert said(capsys, "load", folder, "--catalogue", address)["exit"] == 0
    assert not (folder / "celadon-store" / "catalogue.sqlite").exists()
    there = answers(folder)
    assert there[2] == answers(made)[2]
    back = said(capsys, "move", folder, "--catalogue", "folder")
    assert (back["exit"], back["before"], back["moved"], back["facts_digest"]) == (0, address, True, there[0])
    assert answers(folder) == there
    assert said(capsys, "doctor", folder, "--deep")["ok"]


def test_memory_that_runs_out_is_said_and_changes_nothing(region, monkeypatch, capsys):
    """Less memory spills and gives the same answer, or is told; never a silent death, never another answer."""
    words = ("screen", region, "--period", "2024")
    expected = said(capsys, *words)
    codes = []
    for limit in ("200MB", "1MB"):
        monkeypatch.setenv("CELADON_MEMORY_LIMIT", limit)
        found = said(capsys, *words)
        codes += [item["code"] for item in found["findings"]] if found["exit"] else []
        assert found["exit"] or found["counts"] == expected["counts"]
    assert codes
    assert set(codes) == {"system.memory"}
    monkeypatch.delenv("CELADON_MEMORY_LIMIT")
    assert said(capsys, *words) == expected


def test_an_unreadable_span_is_refused(region, capsys):
    found = said(capsys, "retain", region, "--keep-history", "long")
    assert [item["code"] for item in found["findings"]] == ["retain.span-unreadable"]
    assert os.path.isdir(region)


def test_a_registry_that_is_gone_is_not_replaced_by_an_older_one(region):
    """Two registries, the second with ten enterprises less: without it nothing is answered, and no number is given anew."""
    with open_region(region) as found:
        whole = found.account(BOOK, "2024", by="").rows[0].value
    file = region / "registry.parquet"
    duckdb.sql(f"COPY (FROM '{file}' ORDER BY ALL LIMIT 30) TO '{region / 'fewer.parquet'}' (FORMAT PARQUET)")
    (region / "fewer.parquet").replace(file)
    load(region)
    with open_region(region) as found:
        fewer = found.account(BOOK, "2024", by="").rows[0].value
    assert fewer < whole - 2000  # ten with 2 300 tce among them
    newest = max(segments(region, "registry"))
    newest.rename(region / "aside")
    with open_region(region) as found:
        for ask in (lambda: found.account(BOOK, "2024", by=""), lambda: found.screen("2024"), found.load):
            with pytest.raises(FindingError) as raised:
                ask()
            assert only(raised.value).code == "region.registry-damaged"
            assert only(raised.value).values["segment"].endswith(newest.name)
    (region / "aside").rename(newest)
    with open_region(region) as found:
        assert found.account(BOOK, "2024", by="").rows[0].value == pytest.approx(fewer, rel=1e-12)


def test_a_footer_that_cannot_be_read_is_a_damaged_segment(region):
    """The same length, another footer: whatever class of error the engine raises, the segment is named and the rest answers."""
    victim = next(path for path in sorted(segments(region, "facts-reports")) if "2024-02" in path.as_posix())
    content = bytearray(victim.read_bytes())
    content[-400:-8] = bytes(255 - byte for byte in content[-400:-8])
    victim.write_bytes(content)
    with open_region(region) as found:
        answer = found.account(BOOK, "2024", by="", per="month", quantities=["comprehensive_energy"])
    [told] = [item for item in answer.findings if item.code == "store.segment-damaged"]
    assert told.where.file.endswith(victim.name)
    assert [row.label for row in answer.rows if row.value is not None] == [
        "2024-01",
        "2024-03",
        "2024-04",
        "2024-05",
    ]


def test_a_store_whose_catalogue_is_gone_is_not_begun_anew(region):
    kept = sorted((region / "celadon-store" / "segments").rglob("*.parquet"))
    for file in (region / "celadon-store").glob("catalogue.sqlite*"):
        file.unlink()
    with pytest.raises(FindingError) as raised:
        load(region)
    assert only(raised.value).code == "store.catalogue-damaged"
    assert "is gone, though its segments are there" in only(raised.value).says("en")
    assert sorted((region / "celadon-store" / "segments").rglob("*.parquet")) == kept
