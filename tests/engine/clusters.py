"""A real Spark cluster for the tests: a master and workers as processes of their own, loopback only, gone afterwards."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

INSTALL = "tools/system_packages.sh says how to install it (Debian: apt-get install openjdk-17-jre-headless)"
# short programs: what a second compiler would win later it costs now
JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx192m")
DEFAULTS = """\
spark.driver.memory 700m
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.memory 500m
spark.executor.cores 1
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.sql.shuffle.partitions 2
spark.default.parallelism 2
spark.sql.adaptive.enabled false
spark.shuffle.registration.timeout 2000
"""


def available() -> None:
    """Skips where Java or pyspark is missing; in CI that is a failure."""
    missing = [
        name
        for name, found in (("Java", shutil.which("java")), ("pyspark", importlib.util.find_spec("pyspark")))
        if not found
    ]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{' and '.join(missing)} not installed; {INSTALL}")
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed; {INSTALL}")


@dataclass
class Cluster:
    """A running cluster; `workers` are process groups of a worker and its executors."""

    address: str
    folder: Path
    master: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self) -> None:
        place = self.folder / f"worker-{len(self.workers)}"
        options = [
            "--host",
            "127.0.0.1",
            "--webui-port",
            "0",
            "--cores",
            "1",
            "--memory",
            "600m",
            "--work-dir",
            place,
        ]
        self.workers.append(_java(self.folder, "worker.Worker", *options, self.address))

    def kill_worker(self, number: int) -> None:
        """Without a word, its executors too."""
        os.killpg(self.workers[number].pid, signal.SIGKILL)
        self.workers[number].wait()


@contextmanager
def cluster(workers: int = 2) -> Iterator[Cluster]:
    """A cluster of that many workers of one core each, and the settings that drivers started meanwhile use."""
    available()
    with tempfile.TemporaryDirectory(prefix="celadon-spark-") as name:
        folder, port = Path(name), _free_port()
        (folder / "spark-defaults.conf").write_text(DEFAULTS)
        before = {key: os.environ.get(key) for key in ("SPARK_CONF_DIR", "SPARK_LOCAL_IP")}
        os.environ |= {"SPARK_CONF_DIR": name, "SPARK_LOCAL_IP": "127.0.0.1"}
        options = ("--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        made = Cluster(f"spark://127.0.0.1:{port}", folder, _java(folder, "master.Master", *options))
        try:
            _await_port(port, made.master)
            for _ in range(workers):
                made.add_worker()
            yield made
        finally:
            for process in (*made.workers, made.master):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            for key, value in before.items():
                os.environ.pop(key, None)
                if value is not None:
                    os.environ[key] = value


def _java(folder: Path, kind: str, *arguments: object) -> subprocess.Popen[bytes]:
    home = Path(importlib.util.find_spec("pyspark").origin).parent
    command = [
        "java",
        *JAVA,
        "-cp",
        f"{folder}:{home}/jars/*",
        f"org.apache.spark.deploy.{kind}",
        *map(str, arguments),
    ]
    with (folder / f"{kind}.log").open("ab") as log:
        return subprocess.Popen(
            command,
            env={**os.environ, "SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert process.poll() is None, "the master ended by itself"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the master did not listen within two minutes")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
