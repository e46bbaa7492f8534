"""How the client talks to a console: addresses, tokens, problems, repeats. The calls themselves are in client/calls/."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

Query = Mapping[str, str | int | float | bool | list[str] | None]
_TRIES = 4
_FIRST_WAIT = 0.2
_BUSY = (502, 503, 504)


class ConsoleError(Exception):
    """The console refused: `status`, the first Finding's `code`, and all `findings` as the console sent them."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.findings: list[dict[str, Any]] = list(problem.get("findings", ()))
        super().__init__(f"{status} {self.code}: {problem.get('detail', problem.get('title', ''))}")


class Transport:
    """One connection to a console. A request that found nobody is sent again; a change carries an Idempotency-Key, so that
    it is made once even where its answer was lost.

    Raises (every call):
        ConsoleError: the console refused, with the findings that say why.
        httpx.TransportError: it could not be reached, after four tries.
    """

    def __init__(
        self,
        address: str,
        token: str,
        *,
        language: str = "en",
        timeout: float = 60.0,
        http: httpx.Client | None = None,
    ) -> None:
        """`address`: as `celadon serve` printed it. `token`: made on the page “Account”. `language`: `en` or `zh`, of texts.
        `http`: a client of your own (proxies, certificates)."""
        self._http = http or httpx.Client(timeout=timeout)
        self._address = address.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept-Language": language,
            "Accept": "application/json",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _part(self, text: str) -> str:
        """A part of an address, with whatever signs it has."""
        return quote(text, safe="")

    def _get(self, path: str, query: Query | None = None) -> Any:
        """JSON of a GET."""
        return self._send("GET", path, query).json()

    def _bytes(self, path: str, query: Query | None = None) -> bytes:
        """Body of a GET, as it came."""
        return self._send("GET", path, query).content

    def _post(self, path: str, body: Any = None, query: Query | None = None) -> Any:
        """JSON of a POST of JSON, made once."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return self._send("POST", path, query, json=body if body is not None else {}, headers=key).json()

    def _send(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response:
        asked = {name: _word(value) for name, value in (query or {}).items() if value is not None}
        last: httpx.TransportError | None = None
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_FIRST_WAIT * 2 ** (attempt - 1))
            try:
                answer = self._http.request(
                    method,
                    self._address + path,
                    params=asked,
                    headers={**self._headers, **(headers or {})},
                    **body,
                )
            except httpx.TransportError as error:
                last = error
                continue
            if answer.status_code not in _BUSY or attempt == _TRIES - 1:
                return _checked(answer)
        raise last or httpx.TransportError("no answer")


def _word(value: str | float | bool | list[str]) -> str | list[str]:
    if isinstance(value, list):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text[:200]}
    raise ConsoleError(answer.status_code, problem if isinstance(problem, dict) else {"detail": str(problem)})
