"""A real PostgreSQL server for the tests: its own data folder, loopback only, its own port, gone afterwards."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

INSTALL = "tools/system_packages.sh says how to install it (Debian: apt-get install postgresql)"
QUICK = (
    "fsync=off",
    "full_page_writes=off",
    "max_connections=30",
    "shared_buffers=16MB",
    "log_min_messages=fatal",
)
"""What the server writes survives a killed process, not a power cut: these tests pull no plug."""


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a server's database, without a schema; it trusts everybody on this machine."""
    place = programs()
    if place is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL is not installed; {INSTALL}")
        pytest.skip(f"PostgreSQL is not installed; {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="celadon-pg-") as folder:
        data, port = Path(folder) / "data", _free_port()
        as_user = _unprivileged(Path(folder))
        run = {"check": True, "cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        initdb = [
            place / "initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "celadon",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        ]
        subprocess.run([*as_user, *initdb], **run)
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} " + " ".join(
            f"-c {one}" for one in QUICK
        )
        control = [*as_user, place / "pg_ctl", "-D", data, "-w", "-t", "60"]
        subprocess.run([*control, "-l", Path(folder) / "log", "-o", options, "start"], **run)
        try:
            yield f"postgresql://celadon@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **run)


def schema() -> str:
    """A name for a catalogue of its own on the server."""
    return f"s{secrets.token_hex(6)}"


def _unprivileged(folder: Path) -> list[str]:
    """What to put before a command: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    folder.chmod(0o755)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
