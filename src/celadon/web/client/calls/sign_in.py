"""Calls of the page “sign_in”. Written by `python -m tools.write_client`; do not edit."""

from __future__ import annotations

from typing import TypedDict, cast

from celadon.web.client.calls.shared import Both
from celadon.web.client.transport import Transport


class SignIn(TypedDict):
    """What the form shows. `said`: `wrong` or `code` after an attempt."""

    next: str
    said: str
    nobody_yet: bool
    elsewhere: Both | None


class SignInCalls(Transport):
    """The page “sign_in”."""

    def sign_in(self, *, next: str | None = None, said: str | None = None) -> SignIn:
        """Sign in (GET /sign-in.json)"""
        return cast("SignIn", self._get("/sign-in.json", {"next": next, "said": said}))
