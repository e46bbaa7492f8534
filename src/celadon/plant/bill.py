"""`bill`: the monthly bills of the plant's tariffs, from the ledger of the meters at the boundary."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from celadon.core.dataclass import dataclass
from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.periods import Period
from celadon.core.text import Text
from celadon.metering.bills import Bill, billed_meters, monthly_bills
from celadon.plant.keeping import unique
from celadon.plant.ledger import write_ledger
from celadon.plant.opened import View
from celadon.plant.workspace import Workspace

NO_TARIFF = FindingKind(
    "bill.no-tariff",
    Severity.WARNING,
    Text(en="Nothing to bill", zh="没有可计费的内容"),
    Text(en="No meter that buys energy names a tariff.", zh="没有购入能源的计量点引用电价。"),
    Text(
        en="Declare the tariff under `tariffs:` and name it at the purchase meter (`tariff:`).",
        zh="请在 `tariffs:` 中定义电价，并在关口表上写明 `tariff:`。",
    ),
)


@dataclass(frozen=True)
class Bills:
    """Bills in the order of sites, tariffs and months."""

    period: str
    bills: tuple[Bill, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Shape `bill/1` without its findings; money and amounts are decimal texts, null where they cannot be told."""
        return {"period": self.period, "bills": [_bill(item) for item in self.bills]}


def bill(work: Workspace, seen: View, period: Period) -> Bills:
    """The bills of every tariff and local month that `period` touches."""
    points = seen.snapshot.points()
    billed = billed_meters(seen.model)
    needed = {point for meter, point in points.items() if meter in billed}
    found = write_ledger(work.con, seen, period, points=needed)
    bills = monthly_bills(work.con, seen.model, "ledger", points, period)
    findings = [*seen.findings, *found, *(item for one in bills for item in one.findings)]
    if not bills:
        findings.append(NO_TARIFF.at(Place(file=seen.model.file or None)))
    return Bills(period.label, tuple(bills), tuple(unique(findings)))


def _bill(one: Bill) -> dict[str, Any]:
    row = one.adjustment
    return {
        "tariff": one.tariff,
        "month": f"{one.month:%Y-%m}",
        "currency": one.currency,
        "lines": [
            {"kind": line.kind, "period": line.period, "quantity": _text(line.quantity), "unit": line.unit,
             "price": _text(line.price), "money": _text(line.money)}
            for line in one.lines
        ],
        "funds": _text(one.funds),
        "power_factor": _text(one.power_factor),
        "adjustment": {"percent": _text(row.percent), "source": row.source, "clause": row.clause, "confidence": row.confidence} if row else None,
        "total": _text(one.total),
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
