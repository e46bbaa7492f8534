"""Packages that somebody changed: every file by one byte, another key, half an archive, archives made to do harm."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest

from celadon.proof import verifier
from celadon.proof.checking import verify
from celadon.proof.filing import Filing
from celadon.proof.log import Filings
from celadon.proof.opening import open_bag
from tests.plant import small
from tests.proof import filed

KEY = filed.SIGNER.key


@pytest.fixture(scope="module")
def filing(tmp_path_factory: pytest.TempPathFactory) -> Filing:
    folder = tmp_path_factory.mktemp("plant")
    small.loaded(folder).close()
    return filed.file(folder, reports={"report.txt": b"19.4\n"})


def problems(file: Path, proof: Path | None = None) -> list[verifier.Problem]:
    return list(verifier.problems(verifier.Bag(file), KEY, proof))


def test_every_file_changed_by_one_byte_is_named(filing: Filing, tmp_path: Path) -> None:
    files = filed.contents(filing.package)
    assert len(files) > 25
    chance = random.Random(8493)
    for path, content in files.items():
        changed = bytearray(content)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(7)
        target = filed.zipped({**files, path: bytes(changed)}, tmp_path / "x.zip")
        codes = {(item.code, item.values.get("path")) for item in problems(target)}
        if path == "signature.note":
            assert ("filing.signature", "tagmanifest-sha256.txt") in codes
        elif path == "tagmanifest-sha256.txt":
            assert "filing.signature" in {code for code, _ in codes} or ("filing.not-a-bag", path) in codes
        else:
            assert ("filing.file-changed", path) in codes, path
    whole = verify(filed.zipped(files, tmp_path / "same.zip"), KEY)
    assert (whole.findings, whole.id) == ((), filing.entry.id)


def test_a_changed_result_is_said_by_file_and_figure(filing: Filing, tmp_path: Path) -> None:
    files = filed.contents(filing.package)
    body = json.loads(files["data/results.json"])
    row = body["figures"]["rows"][0]
    row["value"] *= 0.9
    files["data/results.json"] = json.dumps(body).encode()
    done = verify(filed.zipped(files, tmp_path / "x.zip"), KEY)
    assert [item.code for item in done.findings] == ["filing.file-changed", "filing.different"]
    assert done.findings[0].says() == "data/results.json is not as it was filed."
    assert done.findings[0].says("zh") == "data/results.json 与申报时不一致。"
    assert [figure.what for figure in done.figures] == ["value", "", ""]


def test_files_that_are_missing_or_too_many(filing: Filing, tmp_path: Path) -> None:
    files = filed.contents(filing.package)
    report = files.pop("data/report/report.txt")
    files["data/report/other.txt"], files["note.txt"] = report, b"hello"
    found = verify(filed.zipped(files, tmp_path / "x.zip"), KEY).findings
    assert [(item.code, item.values["path"]) for item in found] == [
        ("filing.file-missing", "data/report/report.txt"),
        ("filing.file-unlisted", "data/report/other.txt"),
        ("filing.file-unlisted", "note.txt"),
    ]
    for path in ("manifest-sha256.txt", "signature.note", "bag-info.txt", "data/results.json"):
        some = {name: content for name, content in filed.contents(filing.package).items() if name != path}
        (first, *_) = verify(filed.zipped(some, tmp_path / "x.zip"), KEY).findings
        assert first.code in ("filing.not-a-bag", "filing.file-missing")
        assert first.values["path"] == path


def test_another_key(filing: Filing, tmp_path: Path) -> None:
    """Somebody else signs the same content, or puts this firm's key into what another one signed."""
    theirs = filed.signed_again(filing.package, tmp_path / "theirs.zip", lambda _: None, filed.OTHER)
    found = verify(theirs, KEY).findings
    assert [item.code for item in found] == ["filing.other-key", "filing.signature"]
    assert found[0].values == {"found": str(filed.OTHER.key), "key": str(KEY)}
    (said,) = verify(theirs).findings
    assert said.code == "filing.key-not-compared"
    assert said.values["key"] == filed.OTHER.key
    files = filed.contents(theirs)
    files["signature.note"] = filed.contents(filing.package)["signature.note"]
    codes = [
        item.code for item in verify(filed.zipped(files, tmp_path / "mixed.zip"), filed.OTHER.key).findings
    ]
    assert codes == ["filing.signature"]


def test_the_proof_of_inclusion(filing: Filing, tmp_path: Path) -> None:
    proof = tmp_path / "x.tlog-proof"
    text = Filings(filing.package.parents[1]).proof(filing.entry)
    proof.write_bytes(text)
    assert verify(filing.package, KEY, proof).findings == ()
    other = filed.signed_again(filing.package, tmp_path / "x.zip", lambda files: files.pop("data/README.txt"))
    for package, content in (
        (other, text),
        (filing.package, text.replace(b"index 0", b"index 1")),
        (filing.package, text.replace(b"\n1\n", b"\n2\n")),
        (filing.package, b"nothing"),
        (filing.package, b"\xff\n\n"),
    ):
        proof.write_bytes(content)
        (said,) = verify(package, KEY, proof).findings
        assert said.code == "filing.log-proof"
        assert said.values == {"path": "x.tlog-proof", "key": str(KEY)}


def test_half_an_archive_and_no_archive(filing: Filing, tmp_path: Path) -> None:
    content = filing.package.read_bytes()
    target = tmp_path / "x.zip"
    for size in (0, 10, len(content) // 2, len(content) - 1):
        target.write_bytes(content[:size])
        with filed.refused("filing.unreadable", r"x\.zip is no whole zip archive"):
            open_bag(target)
    with filed.refused("filing.unreadable"):
        open_bag(tmp_path / "nowhere.zip")
    # The central directory is whole, and bytes in the middle are not: the file they belong to is named.
    spoilt = bytearray(content)
    at = content.index(b"PAR1") + 100
    spoilt[at : at + 40] = bytes(40)
    target.write_bytes(spoilt)
    assert ("filing.file-changed", {"path": "data/facts/facts.parquet"}) in problems(target)


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "bag/../../x",
        "/etc/x",
        "bag/./x",
        "bag//x",
        "C:/x",
        "bag\\..\\x",
        "bag/a\x07b",
        "x",
        "other/x",
        "bag/x:y",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("bag/bagit.txt", b"")
        item = zipfile.ZipInfo("y")
        item.filename = name
        archive.writestr(item, b"")
    (tmp_path / "x.zip").write_bytes(out.getvalue())
    with filed.refused("filing.unsafe-name", r"nothing was unpacked"):
        open_bag(tmp_path / "x.zip")


def test_links_doubles_and_secrets_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("bag/x")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    packed = zipfile.ZipInfo("bag/x")
    packed.compress_type = zipfile.ZIP_LZMA
    for items in ([link], [zipfile.ZipInfo("bag/x"), zipfile.ZipInfo("bag/x")], [packed]):
        with (
            pytest.warns(UserWarning, match="Duplicate name") if len(items) > 1 else nullcontext(),
            zipfile.ZipFile(tmp_path / "x.zip", "w") as archive,
        ):
            for item in items:
                archive.writestr(item, b"/etc/passwd")
        with filed.refused("filing.unsafe-name", r"“bag/x”"):
            open_bag(tmp_path / "x.zip")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "MOST_BYTES", 20_000_000)
    target = tmp_path / "x.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"bag/{number}", bytes(10_000_000))
    assert target.stat().st_size < 100_000
    with filed.refused("filing.over-limit", r"more than 20000000 bytes or 5000 files"):
        open_bag(target)
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(5001):
            archive.writestr(f"bag/{number}", b"")
    with filed.refused("filing.over-limit"):
        open_bag(target)


def test_a_bomb_that_lies_about_its_size_is_read_no_further(tmp_path: Path) -> None:
    target = tmp_path / "x.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bag/bag-info.txt", bytes(50_000_000))
    # Say 10 bytes where there are 50 million: in the local header and in the directory.
    content = target.read_bytes().replace(struct.pack("<L", 50_000_000), struct.pack("<L", 10))
    target.write_bytes(content)
    bag = verifier.Bag(target)
    with pytest.raises(verifier.Refused) as refused:
        bag.read("bag-info.txt")
    assert refused.value.problem == ("filing.file-changed", {"path": "bag-info.txt"})


def test_content_that_is_not_what_it_should_be(filing: Filing, tmp_path: Path) -> None:
    """Signed by the firm itself, and wrong all the same: never a traceback."""

    def put(path: str, content: bytes) -> list[str]:
        target = filed.signed_again(
            filing.package, tmp_path / "x.zip", lambda files: files.update({path: content})
        )
        return [f"{item.code} {item.values.get('path')}" for item in verify(target, KEY).findings]

    results = filed.contents(filing.package)["data/results.json"]
    for path in ("data/request.json", "data/plant.json", "data/facts/facts.parquet"):
        assert put(path, b"{}") == [f"filing.content {path}"]
        assert put(path, b"\xff\x00") == [f"filing.content {path}"]
    assert put("data/results.json", b"[]") == ["filing.content data/results.json"] * 2
    assert put("data/results.json", results.replace(b'"rows": [', b'"rows": [3, ', 1)) == [
        "filing.content data/results.json"
    ]
    assert put("data/facts/conservation.csv", b"meter,counted\nE1,x\n") == [
        "filing.content data/facts/conservation.csv"
    ]
    request = json.loads(filed.contents(filing.package)["data/request.json"])
    for name, value in (("format", "celadon-filing/99"), ("start", "soon"), ("by", "moon"), ("options", [])):
        body = json.dumps({**request, name: value}).encode()
        assert put("data/request.json", body) == ["filing.content data/request.json"]
    nested = b"[" * 100_000
    assert put("data/request.json", nested) == ["filing.content data/request.json"]
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1 AS quantity) TO '{tmp_path}/f.parquet'")
    other = (tmp_path / "f.parquet").read_bytes()
    assert put("data/facts/facts.parquet", other) == ["filing.content data/facts/facts.parquet"]


def test_a_rulebook_in_a_filing_gets_no_further_than_any_other(filing: Filing, tmp_path: Path) -> None:
    name = "data/rulebooks/cn_gbt_32150_2015/s3_total.py"

    def put(content: bytes) -> list[str]:
        target = filed.signed_again(
            filing.package, tmp_path / "x.zip", lambda files: files.update({name: content})
        )
        return [item.code for item in verify(target, KEY).findings]

    marker = tmp_path / "harm"
    assert put(f"open({str(marker)!r}, 'w')\n".encode())[0].startswith("rulebook.")
    assert put(b"import os\n")[0].startswith("rulebook.")
    assert put(b"x" * 300_000) == ["rulebook.over-limit"]
    assert not marker.exists()


def test_registers_that_do_not_add_up(filing: Filing, tmp_path: Path) -> None:
    def lose(files: dict[str, bytes]) -> None:
        path = "data/facts/conservation.csv"
        files[path] = files[path].replace(b",7440000000,0\n", b",7430000000,0\n")

    target = filed.signed_again(filing.package, tmp_path / "x.zip", lose)
    (said,) = verify(target, KEY).findings
    assert said.code == "filing.conservation"
    assert said.says() == "Meter E1: 7440000000 ticks by its readings, 7430000000 attributed or in gaps."


def test_the_small_verifier_says_it_in_both_languages(
    filing: Filing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = filed.contents(filing.package)
    files["data/README.txt"] += b"!"
    target = filed.zipped(files, tmp_path / "x.zip")
    monkeypatch.setattr("sys.argv", ["verifier.py", str(target), "--key", str(KEY)])
    assert verifier.main() == 1
    assert capsys.readouterr().out == (
        "filing.file-changed\n  data/README.txt is not as it was filed.\n  data/README.txt 与申报时不一致。\n"
    )
    monkeypatch.setattr("sys.argv", ["verifier.py", str(tmp_path / "nowhere.zip")])
    assert verifier.main() == 1
    assert capsys.readouterr().out.startswith("filing.unreadable\n")


def test_whatever_bits_change_it_is_said_or_nothing_that_was_filed_changed(
    filing: Filing, tmp_path: Path
) -> None:
    """Anywhere in the archive, its own headers too: a refusal, a problem, or the same files."""
    content, chance = filing.package.read_bytes(), random.Random(8032)
    files, target = filed.contents(filing.package), tmp_path / "x.zip"
    untouched = 0
    for number in range(120):
        changed = bytearray(content)
        # Half of them at the end, where the archive's directory is.
        first = 0 if number % 2 else len(content) - 4000
        for _ in range(chance.choice((1, 1, 1, 4))):
            changed[chance.randrange(first, len(content))] ^= 1 << chance.randrange(8)
        target.write_bytes(changed)
        try:
            bag = verifier.Bag(target)
            found = list(verifier.problems(bag, KEY))
        except verifier.Refused as error:
            found = [error.problem]
        if not found:
            untouched += 1
            assert {path: bag.read(path) for path in bag.items} == files
        assert {code for code, _ in found} <= set(verifier.SAYS)
    assert untouched < 60
