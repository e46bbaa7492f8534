"""Queries on Spark: a cluster (`spark://host:port`) or this machine's cores (`spark-local`).

The driver is this process; pyspark, the extra `celadon[spark]`, brings Spark, and Java 17 or newer runs it. Files are named
by their paths, so a cluster's workers must see the folder with the facts under the same path as this machine does. What a
cluster needs besides (memory, cores, secrets) comes from `spark-defaults.conf` in SPARK_CONF_DIR, as for any program on it.
"""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from celadon.core.findings import FindingError, FindingKind, Place, Severity
from celadon.core.text import Text, text_of
from celadon.engine.backends import Progress, append_rows, parquet_query, write_parquet
from celadon.engine.dialects import in_spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ADDRESS = FindingKind(
    "engine.address",
    Severity.ERROR,
    Text(en="No such engine", zh="没有此引擎"),
    Text(en="“{address}” names no engine.", zh="“{address}”不是可用的引擎。"),
    Text(
        en="Write spark-local (this machine) or spark://host:7077 (a cluster), or leave --engine out.",
        zh="请写 spark-local（本机）或 spark://主机:7077（集群），或不写 --engine。",
    ),
)
MISSING = FindingKind(
    "engine.spark-missing",
    Severity.ERROR,
    Text(en="Spark is not installed", zh="未安装 Spark"),
    Text(en="Spark needs {what}, which is not there.", zh="Spark 需要 {what}，但尚未安装。"),
    Text(
        en="Install it: pip install 'celadon[spark]', and Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless).",
        zh="请安装：pip install 'celadon[spark]'，以及 Java 17 或更新版本（Debian：apt-get install openjdk-17-jre-headless）。",
    ),
)
AWAY = FindingKind(
    "engine.cluster-away",
    Severity.ERROR,
    Text(en="The cluster does not answer", zh="集群无应答"),
    Text(en="Nothing answers at {address}: {why}.", zh="{address} 无应答：{why}。"),
    Text(
        en="Check the address of the cluster's master and that it runs; without --engine this machine answers by itself.",
        zh="请检查集群主节点的地址及其运行状态；不写 --engine 则由本机计算。",
    ),
)
NO_WORKERS = FindingKind(
    "engine.no-workers",
    Severity.ERROR,
    Text(en="The cluster has no worker for this", zh="集群没有可用的工作节点"),
    Text(
        en="{address} had no worker for this query for {seconds} seconds; it was given up and answers nothing.",
        zh="{address} 在 {seconds} 秒内没有可用的工作节点；查询已放弃，未给出结果。",
    ),
    Text(
        en="Start workers, or free cores and memory on them (spark.executor.memory, spark.cores.max), then run it again.",
        zh="请启动工作节点，或释放其内核与内存（spark.executor.memory、spark.cores.max），然后重试。",
    ),
)
FAILED = FindingKind(
    "engine.failed",
    Severity.ERROR,
    Text(en="Spark ended the query", zh="Spark 终止了查询"),
    Text(en="{address} ended the query: {why}.", zh="{address} 终止了查询：{why}。"),
    Text(
        en="See that every worker can read {folder} under this same path; the cluster's own log says more.",
        zh="请确认每个工作节点都能以同一路径读取 {folder}；详见集群日志。",
    ),
)
LOCAL = "spark-local"
PATIENCE = 60.0
"""Seconds without a single worker after which a query is given up."""
_TICK = 0.2
_TYPES = {"VARCHAR": "STRING", "TIMESTAMP": "TIMESTAMP_NTZ", "UTINYINT": "SMALLINT", "INTEGER": "INT"}
_SETTINGS = {
    "spark.app.name": "celadon",
    # what the text means does not depend on where the driver or a worker stands
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    # nothing listens that nobody asked for, and the terminal is ours
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_PARTS = "spark.sql.shuffle.partitions"
_SILENT = """\
appender.none.type = Null
appender.none.name = none
rootLogger.level = off
rootLogger.appenderRef.none.ref = none
logger.driver.name = org.apache.spark.api.python.PythonGatewayServer
logger.driver.level = off
"""
"""Spark takes a configuration without an appender for none, and speaks."""


class Spark:
    """A session on a cluster or on this machine; `close` it. Only one at a time in a process."""

    def __init__(self, address: str, folder: Path, progress: Progress | None = None) -> None:
        """`folder`: where facts made by the embedded engine are put for the workers, as long as the session lives.

        Raises:
            FindingError: `engine.address`, `engine.spark-missing`, `engine.cluster-away`, `engine.no-workers`.
        """
        check(address)
        self.address, self.folder, self._progress = address, folder.absolute(), progress
        self._views: dict[tuple[str, ...], str] = {}
        self._kept: dict[str, DataFrame] = {}
        _needs()
        if address != LOCAL:
            _knock(address)
        self._session = self._start()
        try:
            self._await_workers()
        except BaseException:
            self.close()
            raise

    def share(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        query = parquet_query(con, name)
        if query is not None:
            self.define(name, query)
            return
        columns = con.execute(f"SELECT column_name, column_type FROM (DESCRIBE {name})").fetchall()
        schema = ", ".join(f"`{column}` {_TYPES.get(kind, kind)}" for column, kind in columns)
        path = write_parquet(con, name, self.folder)
        self._session.read.schema(schema).parquet(_no_glob(str(path))).createOrReplaceTempView(name)

    def define(self, name: str, sql: str) -> None:
        with self._watched():
            self._frame(sql).createOrReplaceTempView(name)

    def keep(self, name: str, sql: str) -> None:
        """Worked out when it is first needed; in the workers' memory, else on their disks, and again where a worker is lost."""
        with self._watched():
            frame = self._frame(sql).persist()
        self.drop(name)
        frame.createOrReplaceTempView(name)
        self._kept[name] = frame

    def drop(self, name: str) -> None:
        if (frame := self._kept.pop(name, None)) is not None:
            self._session.catalog.dropTempView(name)
            frame.unpersist()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._watched():
            return [tuple(row) for row in self._frame(sql).collect()]

    def append(self, con: duckdb.DuckDBPyConnection, table: str, sql: str) -> None:
        append_rows(con, table, self.rows(sql))

    def close(self) -> None:
        self._session.stop()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _start(self) -> SparkSession:
        sql = importlib.import_module("pyspark.sql")
        log = self.folder / "log4j2.properties"
        log.write_text(_SILENT, "utf-8")
        builder = sql.SparkSession.builder.master("local[*]" if self.address == LOCAL else self.address)
        settings = {
            **_SETTINGS,
            "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={log.as_uri()}",
        }
        if self.address == LOCAL:
            settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        for name, value in settings.items():
            builder = builder.config(name, value)
        try:
            session: SparkSession = builder.getOrCreate()
        except Exception as error:
            if not _is_sparks(error):
                raise
            raise FindingError(
                FAILED.at(Place(), address=self.address, why=_reason(error), folder=str(self.folder))
            ) from error
        session.sparkContext.setLogLevel("OFF")
        context = session.sparkContext
        if self.address == LOCAL and not context.getConf().contains(_PARTS):
            # Spark's two hundred are for a cluster: with few rows each costs more than what is in it
            session.conf.set(_PARTS, 4 * context.defaultParallelism)
        return session

    def _await_workers(self) -> None:
        """A cluster gives workers some seconds after it was asked."""
        until = time.monotonic() + PATIENCE
        while not _workers(self._session.sparkContext):
            if time.monotonic() > until:
                raise _no_workers(self.address)
            time.sleep(_TICK)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Whatever Spark does (it looks into files before it is asked for rows) ends, and as a finding where it fails."""
        with _Watch(self._session.sparkContext, self.address, self._progress) as watch:
            try:
                yield
            except Exception as error:  # py4j and Spark have no base class in common
                if not _is_sparks(error):
                    raise
                if watch.gave_up:
                    raise _no_workers(self.address) from error
                why = _reason(error)
                raise FindingError(
                    FAILED.at(Place(), address=self.address, why=why, folder=str(self.folder))
                ) from error

    def _frame(self, sql: str) -> DataFrame:
        return self._session.sql(in_spark(sql, self._files))

    def _files(self, paths: list[str]) -> str:
        name = self._views.setdefault(tuple(paths), f"files_{len(self._views)}")
        self._session.read.parquet(*map(_no_glob, paths)).createOrReplaceTempView(name)
        return name


class _Watch:
    """Beside a running query: tells how far it is, and ends it when no worker is left to do it."""

    def __init__(self, context: Any, address: str, progress: Progress | None) -> None:
        self._context, self._address, self._progress = context, address, progress
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.gave_up = False

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        alone_since: float | None = None
        while not self._done.wait(_TICK):
            if _workers(self._context):
                alone_since = None
            elif alone_since is None:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > PATIENCE:
                self.gave_up = True
                self._context.cancelAllJobs()  # again and again: a query starts jobs of its own while it ends
            if self._progress is not None:
                self._progress(_share_done(self._context), self._address)


def _no_glob(path: str) -> str:
    """Brackets, braces and stars in a path are characters."""
    return "".join(f"\\{sign}" if sign in "\\*?[]{}," else sign for sign in path)


def check(address: str) -> None:
    """FindingError when `address` names no engine."""
    host, _, port = address.removeprefix("spark://").partition(",")[0].rpartition(":")
    if address != LOCAL and not (address.startswith("spark://") and host and port.isdecimal()):
        raise FindingError(ADDRESS.at(Place(), address=address))


def _needs() -> None:
    """FindingError where pyspark or Java is missing."""
    java = os.environ.get("JAVA_HOME")
    if not (Path(java, "bin", "java").exists() if java else shutil.which("java")):
        raise FindingError(MISSING.at(Place(), what="Java"))
    try:
        importlib.import_module("pyspark")
    except ImportError as error:
        raise FindingError(MISSING.at(Place(), what="pyspark")) from error


def _knock(address: str) -> None:
    """See that some master listens: Spark itself would try for minutes."""
    said: OSError | None = None
    for place in address.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            said = error
        else:
            return
    if said is not None:
        raise FindingError(AWAY.at(Place(), address=address, why=text_of(said))) from said


def _workers(context: Any) -> int:
    """How many processes compute for us: this one does on this machine, and does not on a cluster."""
    known = len(context._jsc.sc().statusTracker().getExecutorInfos())
    return known if context.master.startswith("local") else known - 1


def _share_done(context: Any) -> float:
    tracker = context.statusTracker()
    stages = [stage for number in tracker.getActiveStageIds() if (stage := tracker.getStageInfo(number))]
    done, tasks = sum(stage.numCompletedTasks for stage in stages), sum(stage.numTasks for stage in stages)
    return float(done / max(tasks, 1))


def _no_workers(address: str) -> FindingError:
    return FindingError(NO_WORKERS.at(Place(), address=address, seconds=int(PATIENCE)))


def _is_sparks(error: Exception) -> bool:
    """Whether Spark or its Java said it (a query that cannot even be planned is a fault of this program)."""
    errors = importlib.import_module("pyspark.errors")
    if isinstance(error, errors.AnalysisException | errors.ParseException):
        return False
    return isinstance(error, errors.PySparkException) or type(error).__module__.startswith("py4j.")


def _reason(error: Exception) -> Text:
    """What Spark said first; the rest is Java's stack."""
    java = getattr(error, "java_exception", None)
    return text_of(error if java is None else RuntimeError(str(java.getMessage() or java.toString())))
