"""A plant whose catalogue is on a server: the same commands, the same answers."""

import json
from pathlib import Path

import pytest

from celadon.adapters.plant_file import plant_digest
from celadon.cli import main
from celadon.plant.opened import open_file
from tests.plant import small
from tests.store.servers import schema

BOOK = ("--rulebook", "cn_gbt_32150_2015", "--period", "2024-01")


def said(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> dict:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_the_same_answers_and_digests_as_with_a_catalogue_in_the_folder(
    tmp_path: Path, postgresql_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"{postgresql_server}?schema={schema()}"
    folder = small.write(tmp_path / "works")
    answers, explained = [], []
    for catalogue in ((), ("--catalogue", address)):
        assert said(capsys, "load", folder, *catalogue)["readings"] == 2 * (small.HOURS + 1)
        assert said(capsys, "load", folder)["readings"] == 0  # the store remembers its catalogue
        answers.append(said(capsys, "account", folder, *BOOK))
        explained.append(said(capsys, "explain", folder, "total_emission", *BOOK)["trace"]["value"])
        assert said(capsys, "verify", folder)["ok"]
        assert (folder / "celadon-store" / "catalogue.sqlite").exists() is not bool(catalogue)
        (folder / "celadon-store").rename(tmp_path / f"store-{len(answers)}")
    assert answers[0]["rows"] == answers[1]["rows"] != []
    assert answers[0]["facts_digest"] == answers[1]["facts_digest"]
    assert explained[0] == explained[1]


def test_the_plant_file_names_the_catalogue(
    tmp_path: Path, postgresql_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"{postgresql_server}?schema={schema()}"
    folder = small.write(tmp_path / "named", small.PLANT + f"catalogue: {address}\n")
    opened = open_file(folder)
    assert opened.model.catalogue == address
    assert plant_digest(opened.model) == plant_digest(open_file(small.write(tmp_path / "plain")).model)
    assert said(capsys, "check", folder)["ok"]
    assert (
        said(capsys, "account", folder, *BOOK, status=1)["findings"][0]["code"] == "store.absent"
    )  # check kept nothing
    assert said(capsys, "load", folder)["readings"] > 0
    assert said(capsys, "account", folder, *BOOK)["rows"]
    other = said(capsys, "load", folder, "--catalogue", "postgresql://me:secret@db/energy", status=1)
    assert other["findings"][0]["code"] == "store.catalogue-password"
    assert "secret" not in json.dumps(other)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("postgresql://me:secret@db/energy", "store.catalogue-password"),
        ("oracle://me@db/energy", "store.catalogue-address"),
    ],
)
def test_a_wrong_address_in_the_plant_file_is_said_with_its_line(
    tmp_path: Path, address: str, code: str
) -> None:
    opened = open_file(small.write(tmp_path, small.PLANT + f"catalogue: {address}\n"))
    (finding,) = opened.findings
    assert (finding.code, Path(finding.where.file or "").name, finding.where.line) == (
        code,
        "plant.yaml",
        small.PLANT.count("\n") + 1,
    )
    assert "secret" not in str(finding.to_json())
    assert opened.model.catalogue == ""
