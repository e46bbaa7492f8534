"""Reports: their figures are the account's, their formulas compute them again, their text can be read in both languages."""

import io
import json
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import openpyxl
import pypdf
import pytest

from celadon.cli import main
from celadon.cli.shapes import problems
from celadon.core.findings import FindingError
from celadon.core.periods import parse_period
from celadon.core.text import Text
from celadon.engine.trace import TraceNode
from celadon.examples import cement_works
from celadon.plant.facade import open_plant
from celadon.plant.new import new_plant
from celadon.reports.calculation import Calculation, formula_of
from celadon.reports.gather import Asked, factors_of, period_before
from celadon.reports.layout import _lines
from celadon.reports.model import Question
from celadon.reports.terms import plain_sum
from celadon.reports.write import make, write
from tests.plant import small

PERIOD = "2025-01..2025-02"


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    folder = tmp_path_factory.mktemp("works") / "qinglong"
    new_plant(folder, "en", cement_works.texts())
    with open_plant(folder) as plant:
        plant.load()
        yield plant


@pytest.fixture(scope="module")
def energy(works):
    asked = Asked(
        PERIOD, ("cn_gbt_2589_2020", "cn_ndrc_2013_cement"), address="https://host/plants/qinglong/explain"
    )
    return make(works, "energy-carbon", asked, "en", "9.9")


@pytest.fixture(scope="module")
def workbook(energy):
    return openpyxl.load_workbook(io.BytesIO(write(energy, "xlsx", "en")))


class Sheets:
    """A workbook computed by itself: every formula from its text, as a spreadsheet would; changed cells count."""

    def __init__(self, workbook, changed=()):
        self.workbook, self.changed, self.known = workbook, dict(changed), {}

    def value(self, sheet, cell):
        mark = (sheet, cell)
        if mark in self.changed:
            return self.changed[mark]
        if mark not in self.known:
            raw = self.workbook[sheet][cell].value
            self.known[mark] = (
                self.compute(sheet, raw[1:]) if isinstance(raw, str) and raw.startswith("=") else raw
            )
        return self.known[mark]

    def compute(self, sheet, formula):
        names = {}

        def hold(values):
            names[f"v{len(names)}"] = values
            return f"v{len(names) - 1}"

        def reference(found):
            where = found[2] or sheet
            if found[4]:
                cells = [
                    cell.coordinate for row in self.workbook[where][f"{found[3]}:{found[4]}"] for cell in row
                ]
                return hold(
                    [value for one in cells if isinstance(value := self.value(where, one), int | float)]
                )
            return hold(self.value(where, found[3]) or 0)  # an empty cell counts as zero

        text = re.sub(r"('([^']+)'!)?\b([A-Z]{1,2}\d+)(?::([A-Z]{1,2}\d+))?", reference, formula)

        def flat(parts):
            return [one for part in parts for one in (part if isinstance(part, list) else [part])]

        calls = {
            "SUM": lambda *parts: sum(flat(parts)), "MIN": lambda *parts: min(flat(parts)), "MAX": lambda *parts: max(flat(parts)),
            "ROUND": lambda value, digits: round(value, digits),
        }  # fmt: skip
        return eval(text, {"__builtins__": {}}, names | calls)


def cells_of(workbook, sheet):
    return {
        cell.coordinate: cell.value
        for row in workbook[sheet].iter_rows()
        for cell in row
        if cell.value is not None
    }


def test_every_formula_computes_what_the_account_says(works, energy, workbook):
    sheets = Sheets(workbook)
    shown = openpyxl.load_workbook(io.BytesIO(write(energy, "xlsx", "en")), data_only=True)
    count = 0
    for sheet in workbook.sheetnames:
        for place, raw in cells_of(workbook, sheet).items():
            if isinstance(raw, str) and raw.startswith("="):
                count += 1
                assert shown[sheet][place].value == pytest.approx(
                    sheets.value(sheet, place), rel=1e-9, abs=1e-9
                ), (sheet, place)
    assert count > 250
    checks = [
        place for place in cells_of(workbook, "Calculation") if re.fullmatch(r"L\d+", place) and place != "L3"
    ]
    assert len(checks) > 100
    assert all(sheets.value("Calculation", place) == 0 for place in checks)
    account = works.account("cn_ndrc_2013_cement", PERIOD, by="enterprise")
    labels = {
        row[0].value: row[2].coordinate
        for row in workbook["Key figures"].iter_rows(min_row=4, max_col=10)
        if row[0].value
    }
    assert sheets.value("Key figures", labels["Total emission"]) == pytest.approx(
        account.value("total_emission"), rel=1e-12
    )


def test_a_changed_factor_changes_the_total_and_the_check_says_by_how_much(workbook):
    # Clinker 100 000 t and 101 000 t burn 0.14 t of coal per tonne at 22.6 GJ/t, 0.0262 tC/GJ, oxidised by 93 %;
    # with 100 % the two months emit 28 140 t × 22.6 × 0.0262 × 0.07 × 44/12 tCO2 more.
    rows = list(workbook["Calculation"].iter_rows(min_row=4))
    factors = [
        row
        for row in rows
        if row[0].value == "Oxidation rate" and row[1].value == "bituminous" and row[2].value is not None
    ]
    assert {row[2].value for row in factors} == {93}
    changed = {("Calculation", row[2].coordinate): 100.0 for row in factors}
    root = next(row for row in rows if row[0].value == "Total emission")
    before, after = Sheets(workbook), Sheets(workbook, changed)
    moved = after.value("Calculation", root[4].coordinate) - before.value("Calculation", root[4].coordinate)
    assert moved == pytest.approx(28_140 * 22.6 * 0.0262 * 0.07 * 44 / 12, rel=1e-9)
    assert after.value("Calculation", root[11].coordinate) == pytest.approx(moved)


def test_a_ratio_of_two_sites_is_traced_as_the_enterprises(tmp_path):
    """Energy of both sites over a product that only one makes: the trace explains the figure, not the one site's ratio."""
    text = small.PLANT.replace("{id: E1, ", "{id: E1, site: works, ").replace("{E1: E1,", "{E1: E1, E9: E9,")
    office = "  - {id: office, name: {zh: 办公, en: Office}, region: CN-SD}\n"
    products = "products: [{id: ingot, name: {zh: 锭, en: Ingot}, unit: t}]\n"
    meter = "  - {id: E9, name: {zh: 办公表, en: Office}, site: office, carrier: electricity, flow: purchased, unit: kWh, digits: 6, decimals: 1}\n"
    made = (
        "  - {id: made, role: records, files: fuel/made.txt, format: csv, quantity: product_output, "
        "fields: {date: date, item: product, value: t, unit: =t, site: =works, process: =melt}}\n"
    )
    text = text.replace("meters:\n  -", f"{office}{products}meters:\n{meter}  -", 1).replace(
        "factors:\n", f"{made}factors:\n"
    )
    header, *lines = small.rows(0, small.HOURS).splitlines()
    rows = [f"{header},E9", *(f"{line},{2 * hour}" for hour, line in enumerate(lines))]
    small.write(tmp_path, plant=text, readings="\n".join(rows) + "\n")
    (tmp_path / "fuel" / "made.txt").write_text("date,product,t\n2024-01-15,ingot,100\n")
    with open_plant(tmp_path) as plant:
        plant.load()
        report = make(plant, "energy-carbon", Asked("2024-01", ("cn_gbt_2589_2020",)), "en", "9")
    ratio = next(figure for figure in report.figures if figure.question.quantity == "unit_product_energy")
    # 744 h × (10 + 2) kWh × 0.1229 kgce/kWh + 5 t × 1.4571 tce/t = 8.3827512 tce, over 100 t
    assert ratio.value == pytest.approx(0.083827512, rel=1e-9)
    assert all(
        figure.trace.root.value == pytest.approx(figure.value, rel=1e-12)
        for figure in report.figures
        if figure.trace
    )
    assert ratio.trace is not None
    sheets = Sheets(openpyxl.load_workbook(io.BytesIO(write(report, "xlsx", "en"))))
    book = sheets.workbook["Traces"]
    (line,) = (row[0].row for row in book.iter_rows() if row[8].value == "unit_product_energy")
    assert sheets.value("Traces", f"M{line}") == pytest.approx(0.083827512, rel=1e-9)


def test_every_figure_has_its_trace(energy, workbook):
    ids = {figure.question.id for figure in energy.figures}
    assert len(ids) == len(energy.figures)
    traces = {row[0]: row for row in workbook["Traces"].iter_rows(min_row=4, values_only=True)}
    assert set(traces) == ids
    coal = next(
        one
        for one in energy.figures
        if one.question.quantity == "fuel_combustion_emission" and "bituminous" in one.question.where.values()
    )
    assert traces[coal.question.id][3] == (
        f"celadon explain qinglong fuel_combustion_emission --rulebook cn_ndrc_2013_cement --period {coal.question.period} "
        "--carrier bituminous --key purpose=combustion"
    )
    assert traces[coal.question.id][4].startswith(
        "https://host/plants/qinglong/explain?rulebook=cn_ndrc_2013_cement&quantity="
    )
    linked = [cell for row in workbook["Key figures"].iter_rows() for cell in row if cell.hyperlink]
    assert linked
    for cell in linked:
        sheet, place = re.fullmatch(r"#'(.+)'!(.+)", f"#{cell.hyperlink.location}").groups()
        assert workbook[sheet][place].value
    assert (
        Question("b", "q", "2025", {"site": "a"}, {}).id == Question("b", "q", "2025", {"site": "a"}, {}).id
    )
    assert (
        Question("b", "q", "2025", {"site": "a"}, {}).id != Question("b", "q", "2025", {"site": "b"}, {}).id
    )


def test_factors_come_with_source_clause_and_confidence(energy, workbook):
    used = factors_of(energy.figures)
    unchecked = [item for item in used if item.unchecked]
    assert [item.node.quantity for item in unchecked] == ["default_raw_meal_carbon"]
    rows = list(workbook["Factors"].iter_rows(values_only=True))
    table = [row for row in rows if row[9] is not None][1:]
    assert len(table) == len(used)
    assert all(row[5] for row in table)
    recalled = [row for row in table if row[7] == "UNCHECKED (recalled)"]
    assert len(recalled) == 1
    assert "1 of them unchecked" in str(rows[2][0])
    notes = [str(row[0]) for row in workbook["Key figures"].iter_rows(values_only=True) if row[0]]
    assert any("unchecked factor" in note for note in notes)


def test_the_same_state_gives_the_same_bytes(works, energy):
    again = make(
        works,
        "energy-carbon",
        Asked(PERIOD, ("cn_gbt_2589_2020", "cn_ndrc_2013_cement"), address=energy.address),
        "en",
        "9.9",
    )
    for form in ("xlsx", "pdf"):
        assert sha256(write(energy, form, "en")).digest() == sha256(write(again, form, "en")).digest()
    now = datetime.now(UTC)
    text = write(energy, "xlsx", "en")
    assert openpyxl.load_workbook(io.BytesIO(text)).properties.modified.year == 2000 != now.year


def pdf_text(data):
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pdf_has_the_figures_and_the_language(works, energy, lang):
    text = pdf_text(write(energy, "pdf", lang))
    flat = re.sub(r"\s+", "", text)
    total = works.account("cn_ndrc_2013_cement", PERIOD, by="enterprise").value("total_emission")
    assert f"{total:,.0f}" in flat
    for words in {
        "en": ("Energyandcarbonreport", "Keyfigures", "Limitsofthisreport", "bituminouscoal"),
        "zh": ("能源与碳排放报告", "主要指标", "青龙水泥", "本报告的局限", "烟煤", "未核实"),
    }[lang]:
        assert words in flat, words
    for figure in energy.figures:
        assert figure.question.id in flat


def test_evidence_goes_down_to_file_lines_and_proves_conservation(works):
    report = make(works, "evidence", Asked("2025-01", ("cn_ndrc_2013_cement",)), "en", "9.9")
    workbook = openpyxl.load_workbook(io.BytesIO(write(report, "xlsx", "en")))
    sources = [
        str(row[8]) for row in workbook["Calculation"].iter_rows(min_row=4, values_only=True) if row[8]
    ]
    assert any(re.search(r"records\.csv:2\b", source) for source in sources), (
        "14 000 t of coal stand in line 2"
    )
    assert any("readings.csv" in source for source in sources)
    proof = next(row for row in workbook["Proof"].iter_rows(min_row=5, values_only=True) if row[0] == "E1")
    # E1 counts 58 kWh for each of 100 000 t in January, kept in kWh.
    assert proof[1:4] == ("kWh", pytest.approx(5_800_000), pytest.approx(5_800_000))
    cells = cells_of(workbook, "Proof")
    live = [place for place, raw in cells.items() if str(raw).startswith("=ROUND(C")]
    assert len(live) == 4
    assert all(Sheets(workbook).value("Proof", place) == 0 for place in live)
    files = {row[0]: row for row in workbook["Files"].iter_rows(min_row=4, values_only=True) if row[0]}
    assert files["records.csv"][4] == sha256((works.file.parent / "records.csv").read_bytes()).hexdigest()


def test_cbam_tells_a_customer_the_emissions_per_tonne(works):
    report = make(works, "cbam", Asked("2026-01", ()), "zh", "9.9")
    workbook = openpyxl.load_workbook(io.BytesIO(write(report, "xlsx", "zh")))
    goods = next(workbook["货物"].iter_rows(min_row=4, max_row=4))
    assert goods[0].value == "2523 10 00 A"
    sheets = Sheets(workbook)
    # Coal 0.14 t/t × 22.6 GJ/t × 0.096 t/GJ + raw meal 1.55 t/t × 0.34 t/t; electricity 0.058 MWh/t × 0.55 t/MWh.
    direct, indirect = 0.14 * 22.6 * 0.096 + 1.55 * 0.34, 0.058 * 0.55
    assert sheets.value("货物", "H4") == pytest.approx(direct, rel=1e-9)
    assert sheets.value("货物", "I4") == pytest.approx(indirect, rel=1e-9)
    assert sheets.value("交付换算", "E5") == pytest.approx(1000 * direct, rel=1e-9)
    delivered = Sheets(workbook, {("交付换算", "B5"): 250.0})
    assert delivered.value("交付换算", "F5") == pytest.approx(250 * indirect, rel=1e-9)
    flat = re.sub(r"\s+", "", pdf_text(write(report, "pdf", "zh")))
    assert f"{direct:.6f}".rstrip("0") in flat
    assert "不构成核查" in flat
    assert "请运营者填写" in flat


def test_a_plant_without_goods_is_told_so(tmp_path):
    new_plant(tmp_path / "foundry", "en")
    with open_plant(tmp_path / "foundry") as plant:
        plant.load()
        report = make(plant, "cbam", Asked("2024-01", ()), "en", "9.9")
    assert "nothing to communicate" in re.sub(r"\s+", " ", pdf_text(write(report, "pdf", "en")))


def test_quota_shows_levels_grade_and_allowances(works):
    report = make(works, "quota", Asked("2025-01", ()), "en", "9.9")
    workbook = openpyxl.load_workbook(io.BytesIO(write(report, "xlsx", "en")))
    sheets = Sheets(workbook)
    quota = list(workbook["cn_product_energy_quota"].iter_rows(min_row=4, values_only=True))
    clinker = next(row for row in quota if row[1] == "Intensity, standard coal")
    assert clinker[4:7] == (100, 107, 117)  # GB 16780-2021, kgce/t
    account = works.account("cn_product_energy_quota", "2025-01", quantities=["coal_equivalent_intensity"])
    assert clinker[3] == pytest.approx(account.rows[0].value)
    place = next(
        cell.coordinate
        for row in workbook["cn_product_energy_quota"].iter_rows()
        for cell in row
        if str(cell.value).startswith("=G")
    )
    assert sheets.value("cn_product_energy_quota", place) == pytest.approx(117 - account.rows[0].value)
    live = next(
        cell
        for row in workbook["cn_national_ets"].iter_rows()
        for cell in row
        if str(cell.value).startswith("=B")
    )
    position = works.account("cn_national_ets", "2025-01").value("allowance_position")
    assert sheets.value("cn_national_ets", live.coordinate) == pytest.approx(position, rel=1e-9)


def test_a_plant_that_no_quota_asks_for_is_told_so(works):
    report = make(works, "quota", Asked("2025-01", ("cn_carbon_efficiency_grade",)), "en", "9.9")
    text = re.sub(r"\s+", " ", pdf_text(write(report, "pdf", "en")))
    assert "it is not assessed here" in text


def test_a_text_from_a_file_never_becomes_a_formula(energy):
    spoilt = replace(
        energy, subject=Text("=HYPERLINK(1)", "=1+1"), facts=((Text("=2+2", "=2"), Text("=3+3", "=3")),)
    )
    workbook = openpyxl.load_workbook(io.BytesIO(write(spoilt, "xlsx", "en")))
    cover = workbook[workbook.sheetnames[0]]
    assert [(cell.value, cell.data_type) for cell in (cover["A5"], cover["B5"])] == [
        ("=2+2", "s"),
        ("=3+3", "s"),
    ]


# -- the pieces --------------------------------------------------------------------------------------------------------


def node(quantity, value, unit, formula="", children=(), kind="rule", **detail):
    return TraceNode(
        kind,
        quantity,
        Text(quantity, quantity),
        value,
        unit,
        {},
        formula=formula,
        detail=detail,
        children=tuple(children),
    )


@pytest.mark.parametrize(
    ("formula", "unit", "value", "inputs", "written"),
    [
        ("a × b", "tCO2", 6.0, [("a", 2.0, "t"), ("b", 3.0, "tCO2/t")], "{0}*{1}"),
        ("a × b", "kgCO2", 6000.0, [("a", 2.0, "t"), ("b", 3.0, "tCO2/t")], "{0}*{1}*1000"),
        ("a × 3.6666667 tCO2/tC", "tCO2", 22 / 3, [("a", 2.0, "tC")], "{0}*(11/3)"),
        ("a + b − c", "t", 1.5, [("a", 2.0, "t"), ("b", 500.0, "kg"), ("c", 1.0, "t")], "{0}+{1}/1000-{2}"),
        ("(a + b) ÷ c", "1", 3.0, [("a", 2.0, "t"), ("b", 4.0, "t"), ("c", 2.0, "t")], "({0}+{1})/{2}"),
        ("a × (1 − b)", "t", 1.5, [("a", 2.0, "t"), ("b", 25.0, "%")], "{0}*(1-{1}/100)"),
        ("min(a, b)", "t", 2.0, [("a", 2.0, "t"), ("b", 4.0, "t")], "MIN({0},{1})"),
        ("a + b", "t", 2.0, [("a", 2.0, "t")], "{0}"),
        ("a + -1 × b", "t", 1.0, [("a", 2.0, "t"), ("b", 1.0, "t")], "{0}+(-1)*{1}"),
        ("a × 1 MWh/carrier_unit", "MWh", 2.0, [("a", 2.0, "MWh")], "{0}*1"),
        ("a × choose(…)", "t", 6.0, [("a", 2.0, "t"), ("b", 3.0, "1")], ""),
        ("a × b", "t", 7.0, [("a", 2.0, "t"), ("b", 3.0, "1")], ""),
    ],
)
def test_a_rules_formula_becomes_cells(formula, unit, value, inputs, written):
    children = {i: node(name, amount, of, kind="rule") for i, (name, amount, of) in enumerate(inputs)}
    assert formula_of(node("x", value, unit, formula, children.values()), children) == written


def test_factors_are_converted_from_what_was_printed():
    factor = node("f", 0.0202, "tC/GJ", kind="factor", published_value="20.2", published_unit="tC/TJ")
    assert formula_of(factor, {}) == "{published}/1000"
    assert (
        formula_of(node("f", 0.5, "1", kind="factor", published_value="50–60", published_unit="%"), {}) == ""
    )


def test_a_number_met_again_points_to_where_it_stands():
    shared = node("shared", 2.0, "t", "a", [node("a", 2.0, "t", kind="fact")])
    calculation = Calculation()
    calculation.add("one", node("one", 2.0, "t", "shared", [shared]))
    calculation.add("two", node("two", 4.0, "t", "shared + shared", [shared]))
    assert calculation.roots == {"one": 0, "two": 3}
    assert [line.formula for line in calculation.lines] == ["{1}", "{2}", "", "{4}+{4}", "{1}"]


def test_plain_sums_are_told_from_other_formulas():
    assert plain_sum("a + Σ b − c + -1 × Σ d") == {"a": 1, "b": 1, "c": -1, "d": -1}
    assert plain_sum("a × b") == plain_sum("min(a, b)") == plain_sum("a + a") == {}


def test_the_period_before():
    def before(text):
        found = period_before(parse_period(text, "Asia/Shanghai"))
        return found.label if found else None

    assert [before(text) for text in ("2025", "2025-03", "2025-Q1", "2025-03-05")] == [
        "2024",
        "2025-02",
        "2024-10-01..2024-12-31",
        None,
    ]


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_writes_the_file_it_tells_of(works, tmp_path, capsys):
    out = tmp_path / "r.pdf"
    arguments = ["report", str(works.file), "energy-carbon", "-r", "cn_gbt_2589_2020", "--period", "2025-01"]
    assert main([*arguments, "--format", "pdf", "--out", str(out), "--lang", "zh", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert problems(body) == []
    assert body["sha256"] == sha256(out.read_bytes()).hexdigest()
    assert body["bytes"] == out.stat().st_size
    assert out.read_bytes()[:5] == b"%PDF-"
    assert list(tmp_path.iterdir()) == [out], "nothing half-written is left"


def test_what_a_report_refuses(works, tmp_path, capsys, monkeypatch):
    with pytest.raises(FindingError) as found:
        make(works, "evidence", Asked("2025", ()), "en", "9.9")
    assert found.value.findings[0].code == "report.no-rulebook"
    with pytest.raises(FindingError) as found:
        make(works, "poem", Asked("2025", ()), "en", "9.9")
    assert found.value.findings[0].code == "report.kind"
    assert "energy-carbon, evidence, cbam, quota" in found.value.findings[0].says("zh")
    for name in [
        name for name in sys.modules if name.startswith(("celadon.reports", "celadon.charts.image"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "typst", None)
    assert (
        main(
            [
                "report",
                str(works.file),
                "quota",
                "--period",
                "2025",
                "--out",
                str(tmp_path / "r"),
                "--lang",
                "en",
            ]
        )
        == 1
    )
    assert "report.not-installed" in capsys.readouterr().err


def test_sheets_read_well_on_screen_and_paper(workbook):
    """Headers of long tables stay, titles of numbers stand over them, and a text that wraps has a row as high as its lines."""
    for sheet in workbook.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
        assert (sheet.oddFooter.left.text, sheet.oddFooter.right.text) == ("&A", "&P / &N")
        if sheet.title in ("Calculation", "Traces", "Finding list"):
            header = next(row[0].row for row in sheet.iter_rows() if row[0].font.b and row[0].row > 1)
            assert sheet.freeze_panes == f"A{header + 1}"
            assert sheet.print_title_rows == f"${header}:${header}"
    figures = workbook["Key figures"]
    header = {
        cell.value: cell for cell in next(row for row in figures.iter_rows() if row[0].value == "Quantity")
    }
    assert header["Value"].alignment.horizontal == header["Coverage"].alignment.horizontal == "right"
    assert header["Rests on"].alignment.horizontal == "left"
    long = [
        (cell, sheet)
        for sheet in workbook.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.alignment.wrap_text and len(str(cell.value or "")) > 150 and cell.column_letter in "DE"
    ]
    assert long
    for cell, sheet in long:  # a column of 60 or fewer digits takes at most 66 letters a line
        assert sheet.row_dimensions[cell.row].height >= 45


def test_lines_of_a_text_that_wraps():
    """Ten wide: words stay whole, Chinese breaks anywhere and is two wide, a word of 25 takes three lines."""
    assert [_lines(text, 10) for text in ("", "0123456789", "01234 6789 ", "01234 67890", "a b c d e f")] == [
        1, 1, 1, 2, 2,
    ]  # fmt: skip
    assert [_lines(text, 10) for text in ("五个汉字五", "六个汉字六个", "x" * 25, "ab " + "x" * 25)] == [
        1, 2, 3, 4,
    ]  # fmt: skip
