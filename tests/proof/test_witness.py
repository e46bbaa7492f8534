"""Keys that were withdrawn, and heads of the log that outsiders kept: what verify makes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from celadon.cli import main
from celadon.cli.shapes import problems as misfits
from celadon.proof import keys, verifier
from celadon.proof.checking import verify
from celadon.proof.log import Filings
from celadon.proof.verifier import revocation
from celadon.proof.witness import GROWTH, growth
from tests.plant import small
from tests.proof import filed

KEY = filed.SIGNER.key
AT = "2026-05-01T00:00:00+00:00"
TEXT = f"celadon/key-revocation@v1\nkey {KEY}\nat {AT}\nreason laptop stolen\n"
NOTE = filed.SIGNER.note(TEXT.encode())
BODY = {"filed_at": AT, "enterprise": "acme", "key": str(KEY), "package": ""}


@pytest.fixture(scope="module")
def filing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filing that is entry 2 of its log, with its proof and the heads before and after it."""
    folder = tmp_path_factory.mktemp("plant")
    small.loaded(folder).close()
    out = tmp_path_factory.mktemp("sent")
    filings = Filings(folder / "celadon-store")

    def more(name: str) -> None:
        filings.add(name.encode(), {**BODY, "filing": name * 64}, filed.SIGNER)
        head = filings.checkpoint()
        assert head is not None
        (out / f"head-{head.size}").write_bytes(head.note)

    more("a")
    more("b")
    made = filed.file(folder)
    assert made.entry.index == 2
    (out / "x.zip").write_bytes(made.package.read_bytes())
    (out / "x.tlog-proof").write_bytes(filings.proof(made.entry))
    more("c")
    more("d")
    (out / "lines").write_bytes(b"\n".join(filings.counted()))
    return out


def with_growth(filing: Path, head: int) -> None:
    """The growth file between that head and the proof's, which counts 3."""
    lines = (filing / "lines").read_bytes().split(b"\n")
    (filing / "x").with_suffix(GROWTH).write_bytes(growth(lines, min(head, 3), max(head, 3)))


def codes(filing: Path, head: str | None = None, revoked: bytes | None = None) -> list[str]:
    found = verify(
        filing / "x.zip", KEY, filing / "x.tlog-proof", head=filing / head if head else None,
        revoked=[revoked] if revoked else (),
    )  # fmt: skip
    return [item.code for item in found.findings]


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_a_kept_head_and_the_proof_are_of_one_log(filing: Path, size: int) -> None:
    (filing / "x").with_suffix(GROWTH).unlink(missing_ok=True)
    found = verify(filing / "x.zip", KEY, filing / "x.tlog-proof", head=filing / f"head-{size}").findings
    assert [item.code for item in found] == ["filing.head-unproved"]
    assert found[0].says() == (
        f"head-{size} counts {size} entries and the proof 3; x.tlog-growth, which would show that one grew into the other, is not there."
    )
    with_growth(filing, size)
    assert codes(filing, f"head-{size}") == []
    (filing / "x").with_suffix(GROWTH).unlink()


def test_the_head_that_the_proof_itself_has_needs_nothing_more(filing: Path) -> None:
    assert codes(filing, "x.tlog-proof") == []


def test_a_log_that_was_rewritten_is_found_out(filing: Path, tmp_path: Path) -> None:
    """The firm exchanges entry 1 and signs anew: neither its head of the same size nor any growth file leads to the kept one."""
    for names in ("axy", "axyz"):
        other = Filings(tmp_path / names)
        for name in names:
            other.add(name.encode(), {**BODY, "filing": name * 64}, filed.SIGNER)
        head = other.checkpoint()
        assert head is not None
        (filing / "other").write_bytes(head.note)
        with_growth(filing, len(names))
        (said,) = verify(filing / "x.zip", KEY, filing / "x.tlog-proof", head=filing / "other").findings
        assert said.code == "filing.log-not-consistent"
    (filing / "x").with_suffix(GROWTH).unlink()


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"celadon/log-growth@v1\nfrom 2\nto 4\n", b"celadon/log-growth@v1\nfrom 2\nto 3\nAA==\n"],
)
def test_a_growth_file_that_shows_nothing(filing: Path, content: bytes) -> None:
    (filing / "x").with_suffix(GROWTH).write_bytes(content)
    assert codes(filing, "head-2") == ["filing.log-not-consistent"]
    (filing / "x").with_suffix(GROWTH).unlink()


def test_heads_that_are_none_and_heads_of_others(filing: Path, tmp_path: Path) -> None:
    (filing / "none").write_bytes(b"hello")
    assert codes(filing, "none") == ["filing.head-unreadable"]
    assert codes(filing, "nowhere") == ["filing.head-unreadable"]
    others = Filings(tmp_path)
    others.add(b"a", {**BODY, "enterprise": "other", "filing": "a" * 64}, filed.SIGNER)
    head = others.checkpoint()
    assert head is not None
    (filing / "others").write_bytes(head.note)
    (said,) = verify(filing / "x.zip", KEY, filing / "x.tlog-proof", head=filing / "others").findings
    assert said.code == "filing.head-of-another"
    assert (
        said.says()
        == "others is a head of the log celadon/other/filings, the proof is of celadon/acme/filings."
    )


def test_a_note_withdraws_the_key_that_signed_it_and_no_other() -> None:
    assert revocation(NOTE) == (KEY, AT, "laptop stolen")
    assert revocation(filed.OTHER.note(TEXT.encode())) is None  # somebody else withdraws this firm's key
    for wrong in (
        NOTE.replace(b"stolen", b"sold"), NOTE.replace(b"@v1", b"@v2"), TEXT.encode(), b"", b"\xff\n\n",
        filed.SIGNER.note(TEXT.encode() + b"more\n"),
    ):  # fmt: skip
        assert revocation(wrong) is None


def test_a_filing_of_a_withdrawn_key_is_refused(filing: Path) -> None:
    (said,) = verify(filing / "x.zip", KEY, revoked=[NOTE]).findings
    assert (said.code, said.severity) == ("filing.key-revoked", "error")
    assert said.says() == f"The key {KEY} was withdrawn at {AT}: laptop stolen."
    assert said.says("zh") == f"密钥 {KEY} 已于 {AT} 撤销：laptop stolen。"
    assert codes(filing, revoked=filed.OTHER.note(TEXT.encode())) == []


def test_a_head_kept_from_before_softens_it_where_it_counts_the_filing(filing: Path) -> None:
    with_growth(filing, 5)
    found = verify(
        filing / "x.zip", KEY, filing / "x.tlog-proof", head=filing / "head-5", revoked=[NOTE]
    ).findings
    assert [(item.code, item.severity) for item in found] == [("filing.key-revoked-later", "warning")]
    assert found[0].says() == (
        f"The key {KEY} was withdrawn at {AT} (laptop stolen); the log's head in head-5 already counts this filing."
    )
    # Head 2 is of the same log, but was signed before the filing: it does not count it, and the thief may have filed it.
    with_growth(filing, 2)
    assert codes(filing, "head-2", NOTE) == ["filing.key-revoked"]
    # A log that does not hold together softens nothing.
    (filing / "x").with_suffix(GROWTH).unlink()
    assert codes(filing, "head-5", NOTE) == ["filing.key-revoked", "filing.head-unproved"]


def test_a_proof_of_another_filing_softens_nothing(filing: Path, tmp_path: Path) -> None:
    (tmp_path / "x.tlog-proof").write_bytes(
        (filing / "x.tlog-proof").read_bytes().replace(b"index 2", b"index 1")
    )
    found = verify(
        filing / "x.zip", KEY, tmp_path / "x.tlog-proof", head=filing / "x.tlog-proof", revoked=[NOTE]
    ).findings
    assert [item.code for item in found] == ["filing.log-proof", "filing.key-revoked"]


def test_the_small_verifier_refuses_it_too(filing: Path) -> None:
    (filing / "note").write_bytes(NOTE)
    call = [sys.executable, verifier.__file__, str(filing / "x.zip"), "--key", str(KEY)]
    assert subprocess.run(call, capture_output=True, check=False).returncode == 0
    done = subprocess.run(
        [*call, "--revoked", str(filing / "note")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout.startswith("filing.key-revoked\n")


def test_from_a_key_withdrawn_to_a_filing_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    small.loaded(tmp_path / "plant").close()

    def run(*arguments: object, status: int = 0) -> dict:
        assert main([*map(str, arguments), "--json"]) == status
        body = json.loads(capsys.readouterr().out)
        assert misfits(body) == [] or body["shape"] == "error/1"
        return body

    run("keys", "new")
    out = tmp_path / "sent.zip"
    first = run("file", tmp_path / "plant", "-r", filed.BOOK, "-p", "2024-01", "--output", out)
    head = tmp_path / "head.txt"
    assert main(["filings", str(tmp_path / "plant"), "--head"]) == 0
    head.write_text(capsys.readouterr().out, "utf-8")
    assert head.read_bytes() == Filings(tmp_path / "plant" / "celadon-store").checkpoint().note
    run("file", tmp_path / "plant", "-r", filed.BOOK, "-p", "2024-01-01..2024-01-20")
    again = tmp_path / "again.zip"
    second = run("filings", tmp_path / "plant")["filings"][1]["filing"]
    assert run("filings", tmp_path / "plant", second, "--since", head, "--output", again)["grown_by"] == 1
    check = ["verify", again, "--key", first["key"], "--proof", tmp_path / "again.tlog-proof", "--head", head]
    assert run(*check)["findings"] == []

    assert run("keys", "revoke", "celadon", status=2)["findings"][0]["code"] == "command.usage"
    assert run("keys", "revoke", "nobody", "--reason", "x", status=1)["findings"][0]["code"] == "key.absent"
    (gone,) = run("keys", "revoke", keys.load().key.id.hex(), "--reason", "laptop stolen")["keys"]
    assert (gone["key"], gone["revoked"]["reason"]) == (first["key"], "laptop stolen")
    (same,) = run("keys", "revoke", "celadon", "--reason", "another reason")["keys"]
    assert same["revoked"] == gone["revoked"]
    assert run("keys")["keys"][0]["revoked"] == gone["revoked"]
    assert main(["keys", "--lang", "zh"]) == 0
    assert "撤销：laptop stolen" in capsys.readouterr().out
    (found,) = run("file", tmp_path / "plant", "-r", filed.BOOK, "-p", "2024-01", status=1)["findings"]
    assert found["code"] == "key.revoked"
    assert found["says"]["en"].endswith("laptop stolen.")
    # Here its own folder of keys says so; elsewhere the note does.
    assert run("verify", out, "--key", first["key"], status=1)["findings"][0]["code"] == "filing.key-revoked"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    assert run("verify", out, "--key", first["key"])["findings"] == []
    told = run("verify", out, "--key", first["key"], "--revoked", gone["revoked"]["file"], status=1)
    assert [item["code"] for item in told["findings"]] == ["filing.key-revoked"]
    kept = ["--proof", tmp_path / "sent.tlog-proof", "--head", head, "--revoked", gone["revoked"]["file"]]
    told = run("verify", out, "--key", first["key"], *kept)
    assert [item["code"] for item in told["findings"]] == ["filing.key-revoked-later"]
    assert run("verify", out, "--head", head, status=2)["findings"][0]["code"] == "command.usage"
