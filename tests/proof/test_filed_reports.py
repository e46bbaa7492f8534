"""Reports in a filing: a workbook's figures are computed anew from the filing's own facts, and a report handed over is told from others."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

import celadon
from celadon.cli import main
from celadon.core.quantities import Space
from celadon.core.text import Lang
from celadon.plant.account import Question
from celadon.plant.opened import open_file
from celadon.proof.checking import verify
from celadon.proof.filing import Asked, file_period
from celadon.proof.reports import stated
from celadon.reports import gather
from celadon.reports.attached import files
from tests.plant import small
from tests.proof.filed import BOOK, SIGNER, contents, signed_again

PERIOD = "2024-01"


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of the small plant, filed with its energy and carbon report."""
    folder = tmp_path_factory.mktemp("filed") / "acme"
    with small.loaded(folder) as plant:
        lang: Lang = "en"
        reports = files(plant, ["energy-carbon"], gather.Asked(PERIOD, (BOOK,)), lang)
    made = file_period(open_file(folder), Asked(BOOK, Question(PERIOD, Space.SITE), reports=reports), SIGNER)
    return made.package


def report(package: Path, name: str) -> bytes:
    return contents(package)[f"data/report/{name}"]


def test_a_workbooks_figures_follow_from_the_filings_facts(filed: Path) -> None:
    found = verify(filed, SIGNER.key)
    assert found.findings == ()
    pdf, workbook = found.reports
    assert (pdf.file, pdf.equal) == ("energy-carbon-en.pdf", None)
    figures = stated(report(filed, "energy-carbon-en.xlsx"))
    assert figures is not None
    # every figure of the report is of this rulebook and this month, and computed anew it is the same
    assert (workbook.file, workbook.equal, workbook.different, workbook.other) == (
        "energy-carbon-en.xlsx", len(figures), 0, 0,
    )  # fmt: skip
    total = next(one for one in figures if one.quantity == "total_emission")
    with celadon.open_plant(filed.parents[2]) as plant:
        account = plant.account(BOOK, period=PERIOD, by="enterprise")
    assert total.value == pytest.approx(account.value("total_emission"), rel=1e-12)
    assert total.unit == "tCO2"


def changed(content: bytes, quantity: str, value: float) -> bytes:
    """The workbook with another value for a quantity on its last sheet: as a careful liar would leave it."""
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    for row in book[book.sheetnames[-1]].iter_rows():
        if row[8].value == quantity:
            row[12].value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_report_that_states_another_figure_is_found_out_though_it_is_signed(
    filed: Path, tmp_path: Path
) -> None:
    name = "data/report/energy-carbon-en.xlsx"

    def lie(payload: dict[str, bytes]) -> None:
        payload[name] = changed(payload[name], "total_emission", 18.5)

    found = verify(signed_again(filed, tmp_path / "lie.zip", lie), SIGNER.key)
    assert [item.code for item in found.findings] == ["filing.report-differs"]
    figures = stated(report(filed, "energy-carbon-en.xlsx")) or ()
    true = next(one.value for one in figures if one.quantity == "total_emission")
    said = found.findings[0].says("en")
    assert f"total_emission {PERIOD} is stated as 18.5 tCO2" in said
    assert f"give {true!r} tCO2" in said
    assert "由所附数据得出" in found.findings[0].says("zh")
    assert found.reports[1].different == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no workbook", b"plain words"])
def test_a_file_that_states_nothing_to_be_read_is_bound_by_its_bytes(content: bytes) -> None:
    assert stated(content) is None


def test_a_report_handed_over_is_one_of_those_filed_or_not(
    filed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "from-the-director.pdf"
    given.write_bytes(report(filed, "energy-carbon-en.pdf"))
    words = ["verify", str(filed), "--key", str(SIGNER.key), "--report", str(given), "--lang", "en"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "energy-carbon-en.xlsx" in said
    assert "part of the filing; " in said
    given.write_bytes(given.read_bytes() + b"\n")
    assert main(words) == 1
    (finding,) = verify(filed, SIGNER.key, report=given).findings
    assert finding.code == "filing.report-not-in-it"
    assert "holds: energy-carbon-en.pdf, energy-carbon-en.xlsx" in finding.says("en")
    assert "from-the-director.pdf" in finding.says("zh")
