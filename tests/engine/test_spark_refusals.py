"""What is said where Spark cannot be had, and a statement in its words; no cluster is needed."""

import importlib
import socket

import pytest

from celadon.core.findings import FindingError, Place, Severity
from celadon.engine import spark
from celadon.engine.dialects import in_spark
from celadon.engine.spark import Spark


def refused(address: str, folder) -> tuple[str, str]:
    with pytest.raises(FindingError) as raised:
        Spark(address, folder)
    (finding,) = raised.value.findings
    assert finding.severity is Severity.ERROR
    assert finding.says("zh") != finding.says("en")
    return finding.code, finding.says("en")


@pytest.mark.parametrize(
    "address", ["duckdb", "spark", "spark://", "spark://host", "spark://:7077", "spark://host:x", "yarn"]
)
def test_no_such_engine(address, tmp_path):
    assert refused(address, tmp_path) == ("engine.address", f"“{address}” names no engine.")


def test_java_is_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(spark.shutil, "which", lambda _: None)
    assert refused("spark-local", tmp_path) == (
        "engine.spark-missing",
        "Spark needs Java, which is not there.",
    )
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert refused("spark-local", tmp_path) == (
        "engine.spark-missing",
        "Spark needs Java, which is not there.",
    )


def test_pyspark_is_missing(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError(name)

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setattr(importlib, "import_module", absent)
    assert refused("spark-local", tmp_path) == (
        "engine.spark-missing",
        "Spark needs pyspark, which is not there.",
    )


def test_nobody_listens(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # taken, and not listening
        address = f"spark://127.0.0.1:{probe.getsockname()[1]}"
        assert refused(address, tmp_path) == (
            "engine.cluster-away",
            f"Nothing answers at {address}: Connection refused.",
        )


def test_what_spark_says_is_passed_on_without_javas_stack(tmp_path):
    class Java:
        def getMessage(self):  # noqa: N802 - Java's name
            return "Job aborted: file:/a.parquet does not exist\n\tat org.apache.spark"

    class SaidError(Exception):
        java_exception = Java()

    why = spark._reason(SaidError("An error occurred while calling o1"))
    finding = spark.FAILED.at(Place(), address="spark://h:1", why=why, folder="/store")
    assert finding.code == "engine.failed"
    assert finding.says("en") == "spark://h:1 ended the query: Job aborted: file:/a.parquet does not exist."
    assert "原文“Job aborted" in finding.says("zh")
    assert "/store" in finding.fix("en")


def test_rounding_is_written_out():
    text = " ".join(
        in_spark("SELECT round(a.b, 2) AS x, round(c, 0) AS y, round(d, -3) AS z FROM t AS a").split()
    )
    assert "( ROUND(( a.b ) * CAST(1e2 AS DOUBLE), 0) / CAST(1e2 AS DOUBLE) ) AS x" in text
    assert "ROUND(c, 0) AS y" in text
    assert "( ROUND(( d ) / CAST(1e3 AS DOUBLE), 0) * CAST(1e3 AS DOUBLE) ) AS z" in text


def test_rounding_within_rounding_and_files_below_a_condition():
    inner = in_spark("SELECT round(round(a, 3), 2) FROM t")
    assert inner.count("ROUND(") == 2
    assert "".join(inner.split()).count(",0)") == 2
    asked = []
    view = "SELECT n FROM read_parquet(list_value('/a')) WHERE NOT (n = ANY(SELECT n FROM read_parquet(list_value('/b'))))"
    text = in_spark(view, lambda paths: asked.append(paths) or f"files_{len(asked)}")
    assert asked == [["/b"], ["/a"]]
    assert "NOT ( n IN ( SELECT n FROM files_1 ) )" in " ".join(text.split())
    assert "READ_PARQUET" not in text.upper()


def test_files_are_asked_for_by_their_own_names():
    asked = []
    text = in_spark(
        "SELECT n FROM read_parquet(['/a/[[]x]/[*].parquet', '/b''c.parquet'], hive_partitioning = false) AS q",
        lambda paths: asked.append(paths) or "files_0",
    )
    assert asked == [["/a/[x]/*.parquet", "/b'c.parquet"]]
    assert " ".join(text.split()) == "SELECT n FROM files_0 AS q"


def test_what_only_one_engine_has_a_function_for():
    text = " ".join(
        in_spark("SELECT list_count([a, b]) AS n, quantile_cont(x, [0.25, 0.5]) AS q FROM t").split()
    )
    assert "SIZE(FILTER(ARRAY(a, b), x -> NOT x IS NULL)) AS n" in text
    assert "PERCENTILE(x, ARRAY(0.25, 0.5)) AS q" in text
    assert "LIST_MEDIAN" not in in_spark("SELECT list_median([a, b]) FROM t").upper()
