"""A server that is killed at any moment leaves nothing half-done; two servers on one folder are refused."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from celadon.web import audit
from tests.plant import small
from tests.web.live.serving import ENVIRONMENT, OTHER, PEOPLE, Server, free_port, register, serving, token

pytestmark = pytest.mark.xdist_group("console")


@pytest.fixture
def little(tmp_path: Path) -> Path:
    """A workspace with one small plant and the people."""
    root = tmp_path / "works"
    small.loaded(root / OTHER).close()
    register(root, PEOPLE)
    return root


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
        assert "two servers on one folder are refused" in second.stdout + second.stderr
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
