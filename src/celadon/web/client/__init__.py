"""The typed client of a console: one method for each address of its API (see docs/console.md).

    with Client("http://127.0.0.1:8710", token) as console:
        console.overview("mill", period="2024")["title"]

Written by `python -m tools.write_client`; do not edit.
"""

from celadon.web.client.calls.home import HomeCalls
from celadon.web.client.calls.overview import OverviewCalls
from celadon.web.client.calls.set_up import SetUpCalls
from celadon.web.client.calls.sign_in import SignInCalls
from celadon.web.client.transport import ConsoleError

__all__ = ["Client", "ConsoleError"]


class Client(
    HomeCalls,
    OverviewCalls,
    SetUpCalls,
    SignInCalls,
):
    """A console, by its address and a token; use it as a context, or `close` it."""
