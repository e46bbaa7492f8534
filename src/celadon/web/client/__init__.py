"""The typed client of a console: one method for each address of its API (see docs/console.md).

    with Client("http://127.0.0.1:8710", token) as console:
        console.overview("mill", period="2024")["title"]

Written by `python -m tools.write_client`; do not edit.
"""

from celadon.web.client.calls.audit import AuditCalls
from celadon.web.client.calls.balance import BalanceCalls
from celadon.web.client.calls.change import ChangeCalls
from celadon.web.client.calls.explain import ExplainCalls
from celadon.web.client.calls.explorer import ExplorerCalls
from celadon.web.client.calls.facts import FactsCalls
from celadon.web.client.calls.filing import FilingCalls
from celadon.web.client.calls.filings import FilingsCalls
from celadon.web.client.calls.findings import FindingsCalls
from celadon.web.client.calls.flows import FlowsCalls
from celadon.web.client.calls.home import HomeCalls
from celadon.web.client.calls.load import LoadCalls
from celadon.web.client.calls.mapping import MappingCalls
from celadon.web.client.calls.me import MeCalls
from celadon.web.client.calls.overview import OverviewCalls
from celadon.web.client.calls.people import PeopleCalls
from celadon.web.client.calls.readings import ReadingsCalls
from celadon.web.client.calls.reconcile import ReconcileCalls
from celadon.web.client.calls.region_enterprises import RegionEnterprisesCalls
from celadon.web.client.calls.region_explain import RegionExplainCalls
from celadon.web.client.calls.region_overview import RegionOverviewCalls
from celadon.web.client.calls.region_public import RegionPublicCalls
from celadon.web.client.calls.region_screening import RegionScreeningCalls
from celadon.web.client.calls.region_warnings import RegionWarningsCalls
from celadon.web.client.calls.reports import ReportsCalls
from celadon.web.client.calls.rulebook import RulebookCalls
from celadon.web.client.calls.rulebook_table import RulebookTableCalls
from celadon.web.client.calls.rulebooks import RulebooksCalls
from celadon.web.client.calls.set_up import SetUpCalls
from celadon.web.client.calls.sign_in import SignInCalls
from celadon.web.client.calls.units import UnitsCalls
from celadon.web.client.transport import ConsoleError
from celadon.web.client.uploads import Uploads

__all__ = ["Client", "ConsoleError"]


class Client(
    Uploads,
    AuditCalls,
    BalanceCalls,
    ChangeCalls,
    ExplainCalls,
    ExplorerCalls,
    FactsCalls,
    FilingCalls,
    FilingsCalls,
    FindingsCalls,
    FlowsCalls,
    HomeCalls,
    LoadCalls,
    MappingCalls,
    MeCalls,
    OverviewCalls,
    PeopleCalls,
    ReadingsCalls,
    ReconcileCalls,
    RegionEnterprisesCalls,
    RegionExplainCalls,
    RegionOverviewCalls,
    RegionPublicCalls,
    RegionScreeningCalls,
    RegionWarningsCalls,
    ReportsCalls,
    RulebookCalls,
    RulebookTableCalls,
    RulebooksCalls,
    SetUpCalls,
    SignInCalls,
    UnitsCalls,
):
    """A console, by its address and a token; use it as a context, or `close` it."""
