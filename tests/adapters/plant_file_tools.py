"""Plants written in a test: short texts below a common head, and where their findings should point."""

from pathlib import Path

from celadon.adapters.plant_file.reader import read_plant_text
from celadon.core.findings import Finding, Findings
from celadon.core.model import Plant

HEAD = "celadon: 1\nenterprise: {id: luhe}\nsites: [{id: mill, processes: [{id: eaf}, {id: rolling}]}]\n"
SAMPLES = Path(__file__).parent / "plants"
MARK = "  #!"


def read(text: str, head: str = HEAD) -> tuple[Plant | None, Findings]:
    return read_plant_text(head + text, "plant.yaml")


def sound(text: str, head: str = HEAD) -> Plant:
    """The plant of a text that nothing is wrong with (registers without digits are fine)."""
    plant, findings = read(text, head)
    assert [str(item) for item in told(findings)] == []
    assert plant is not None
    return plant


def told(findings: Findings) -> list[Finding]:
    """All but the notice on registers without digits, which most small examples draw."""
    return [item for item in findings if item.code != "plant.register-without-digits"]


def marked_line(text: str, head: str = HEAD) -> int:
    """The line that carries the mark."""
    lines = [number for number, line in enumerate((head + text).splitlines(), 1) if line.endswith(MARK)]
    assert len(lines) == 1, f"{len(lines)} lines are marked"
    return lines[0]
