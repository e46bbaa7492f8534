"""A server that is killed at any moment leaves nothing half-done; two servers on one folder are refused."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

import celadon
from celadon.web import audit
from celadon.web.client import Client
from tests.plant import small
from tests.web.live.serving import (
    ENVIRONMENT,
    OTHER,
    PEOPLE,
    Server,
    copied,
    free_port,
    register,
    serving,
    token,
)

pytestmark = pytest.mark.xdist_group("console")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one small plant and the people, never served itself."""
    root = tmp_path_factory.mktemp("little") / "works"
    small.loaded(root / OTHER).close()
    register(root, PEOPLE)
    return root


@pytest.fixture
def little(kept: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return copied(kept, tmp_path / "works")


def test_a_second_server_on_one_folder_is_refused_and_says_so(little: Path) -> None:
    with serving(little) as server:
        words = [
            sys.executable,
            "-m",
            "celadon",
            "serve",
            str(little),
            "--port",
            str(free_port()),
            "--lang",
            "en",
        ]
        second = subprocess.run(
            words, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False
        )
        assert second.returncode != 0
        assert "console.served-already" in second.stdout + second.stderr
        assert "Traceback" not in second.stdout + second.stderr
        # the first one goes on
        assert httpx.get(f"{server.address}/sign-in").status_code == 200
    # a killed server's lock holds nobody up
    with serving(little) as again:
        assert httpx.get(f"{again.address}/sign-in").status_code == 200


def test_an_interrupted_server_ends_in_order(little: Path) -> None:
    server = Server(little)
    server.start()
    code = server.stop()
    assert code in (0, 130), server.said()
    assert "Traceback" not in server.said()


@pytest.mark.stress
def test_changes_are_whole_or_not_there_when_the_server_is_killed(little: Path) -> None:
    """Targets 1, 2, 3 … are set as fast as the server takes them, until it is killed. After the restart the target is one
    that was sent and no less than the last one acknowledged, and the audit log has one entry for each change."""
    secret = token(little, "olga")
    chance = random.Random(20240903)
    answered = sent = 0
    for kills in (1, 2):
        server = Server(little)
        server.start()
        stop = threading.Timer(chance.uniform(0.2, 0.8), server.kill)
        stop.start()
        with httpx.Client(headers={"Authorization": f"Bearer {secret}"}, timeout=10) as http:
            try:
                while True:
                    sent += 1
                    body = {
                        "rulebook": "cn_gbt_2589_2020",
                        "quantity": "comprehensive_energy",
                        "period": "2024",
                        "value": sent,
                    }
                    http.post(
                        f"{server.address}/plants/{OTHER}/overview/target.json", json=body
                    ).raise_for_status()
                    answered = sent
            except httpx.TransportError:
                pass
        stop.join()
        time.sleep(0.05)
        with sqlite3.connect(little / ".celadon" / "console.sqlite") as con:
            [(kept,)] = con.execute("SELECT value FROM target").fetchall()
            details = [
                json.loads(row[0])["value"]
                for row in con.execute("SELECT detail FROM audit WHERE action = 'target.set'")
            ]
        assert answered <= kept <= sent
        assert kept == details[-1]
        assert details == sorted(set(details))  # one entry each, none twice
        # what is missing was under way when the server was killed: one for each kill
        assert len(set(range(1, answered + 1)) - set(details)) <= kills
        found = audit.verify(little)
        assert found.findings == ()
    assert answered > 3


def test_a_change_sent_again_after_a_kill_is_made_once(little: Path) -> None:
    secret = token(little, "olga")
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "the-same"}
    body = {"rulebook": "cn_gbt_2589_2020", "quantity": "comprehensive_energy", "period": "2024", "value": 7}
    path = f"/plants/{OTHER}/overview/target.json"
    with serving(little) as server:
        first = httpx.post(server.address + path, json=body, headers=headers, timeout=30)
        server.kill()
        server.start()
        again = httpx.post(server.address + path, json=body, headers=headers, timeout=30)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    with sqlite3.connect(little / ".celadon" / "console.sqlite") as con:
        assert con.execute("SELECT count(*) FROM audit WHERE action = 'target.set'").fetchone() == (1,)


def test_an_upload_goes_on_where_a_kill_broke_it_off(little: Path, tmp_path: Path) -> None:
    secret = token(little, "olga")
    file = tmp_path / "meters.csv"
    file.write_bytes(
        b"time,E1,E2\n" + random.Random(7).randbytes(3 << 20).hex().encode()
    )  # six parts and a rest
    data = file.read_bytes()
    said = {"name": file.name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with serving(little) as server:
        with Client(server.address, secret) as talk:
            sent = talk.facts_begin(
                OTHER, {"name": file.name, "size": said["size"], "sha256": said["sha256"]}
            )  # type: ignore[typeddict-item]
            for number in range(3):
                part = base64.b64encode(data[number << 20 : (number + 1) << 20]).decode()
                sent = talk.facts_part(OTHER, {"upload": sent["id"], "offset": number << 20, "data": part})
        server.kill()
        server.start()
        with Client(server.address, secret) as talk:
            begun = talk.facts_begin(
                OTHER, {"name": file.name, "size": len(data), "sha256": str(said["sha256"])}
            )
            assert (begun["id"], begun["offset"], begun["whole"]) == (sent["id"], 3 << 20, False)
            whole = talk.upload(OTHER, file)
            assert (whole["id"], whole["offset"], whole["whole"]) == (sent["id"], len(data), True)
            # it waits: nothing of it counts
            assert {one["name"] for one in talk.facts(OTHER)["files"]} == {
                "data/january.csv",
                "fuel/fuel.csv",
            }


# 744 h × 10 kWh × 0.1229 kgce/kWh; 1.5 + 4 − 0.5 = 5 t of diesel by the one invoice, 6 t by the other, × 1.4571 tce/t
BEFORE, AFTER = 8.199876, 9.656976


@pytest.mark.stress
def test_a_correction_is_made_or_not_when_the_server_is_killed_while_making_it(little: Path) -> None:
    """The invoice of 4 t becomes 5 t. Killed at any moment of it, the account is the one before or the one after."""
    secret = token(little, "olga")
    chance = random.Random(4)
    found = set()
    with serving(little) as server:
        assert energy(server, secret) == BEFORE
        for _ in range(3):
            with Client(server.address, secret) as talk:
                [fact] = [
                    one
                    for one in talk.facts(OTHER, period="2024-01-10")["facts"]
                    if one["what"]["quantity"] == "fuel_purchased"
                ]
                now = fact["versions"][-1]
                right = 4.0 if now["value"] == 5.0 else 5.0
                shown = talk.facts_correct(
                    OTHER,
                    {
                        "file": now["file"],
                        "line": now["line"],
                        "value": right,
                        "unit": "t",
                        "reason": "weighed again",
                    },
                )
                stop = threading.Timer(chance.uniform(0.02, 0.4), server.kill)
                stop.start()
                with suppress(httpx.TransportError):
                    http = {"Authorization": f"Bearer {secret}"}
                    path = f"/plants/{OTHER}/facts/commit.json"
                    httpx.post(
                        server.address + path, json={"change": shown["change"]}, headers=http, timeout=30
                    )
                stop.join()
            server.start()
            found.add(energy(server, secret))
        assert found <= {BEFORE, AFTER}
    with celadon.open_plant(little / OTHER) as plant:
        assert plant.balance("2024-01").conserved
    assert audit.verify(little).findings == ()


def energy(server: Server, secret: str) -> float:
    """January's energy, in tce."""
    with Client(server.address, secret) as talk:
        return round(talk.overview(OTHER, period="2024-01")["figures"][0]["value"] or 0.0, 9)


@pytest.mark.stress
def test_a_filing_is_whole_or_not_there_when_the_server_is_killed_while_filing(
    little: Path, tmp_path: Path
) -> None:
    given = {**ENVIRONMENT, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    subprocess.run(
        [sys.executable, "-m", "celadon", "keys", "new"], env=given, check=True, capture_output=True
    )
    secret = token(little, "olga")
    chance = random.Random(11)
    body = {"rulebook": "cn_gbt_2589_2020", "period": "2024-01"}
    with serving(little, environment=given) as server:
        for _ in range(2):
            stop = threading.Timer(chance.uniform(0.05, 0.6), server.kill)
            stop.start()
            with suppress(httpx.TransportError):
                http = {"Authorization": f"Bearer {secret}"}
                httpx.post(
                    f"{server.address}/plants/{OTHER}/filings/freeze.json",
                    json=body,
                    headers=http,
                    timeout=30,
                )
            stop.join()
            server.start()
            with Client(server.address, secret) as talk:
                filings = talk.filings(OTHER)["filings"]
                assert len(filings) <= 1
                for one in filings:
                    assert talk.filing(OTHER, one["id"])["holds"]
        with Client(server.address, secret) as talk:
            talk.filings_freeze(OTHER, {"rulebook": body["rulebook"], "period": body["period"]})
            [one] = talk.filings(OTHER)["filings"]
            assert talk.filing(OTHER, one["id"])["holds"]
