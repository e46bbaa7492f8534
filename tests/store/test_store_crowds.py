"""Writers that are killed, writers that crowd, a store nobody may write."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from celadon.store import Store
from tests.kills import kills
from tests.shared_data import ROOT
from tests.store.servers import schema
from tests.store.store_tools import quick_folder, read

ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def started(module: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.Popen(
        command, env=ENVIRONMENT, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> dict:
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return json.loads(out)


@pytest.mark.stress
@pytest.mark.slow
def test_kills_lose_nothing_and_double_nothing():
    count = kills(40)
    with quick_folder() as folder:
        seen = finished(started("tests.store.killed_writers", Path(folder) / "s", count, 20180101))
    assert seen["kills"] == count
    assert seen["batches"] > count / 10  # they did get work done between the kills, however slow the machine


@pytest.mark.stress
def test_kills_with_the_catalogue_on_a_server_lose_nothing_and_double_nothing(postgresql_server):
    address = f"{postgresql_server}?schema={schema()}"
    count = kills(20)
    with quick_folder() as folder:
        seen = finished(started("tests.store.killed_writers", Path(folder) / "s", count, 20180102, address))
    assert seen["kills"] == count
    assert seen["batches"] > 0


@pytest.mark.stress
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_loaders_at_once_load_each_file_once(tmp_path, kind, request):
    path, count = tmp_path / "s", 12
    address = []
    if kind == "postgresql":
        address = [f"{request.getfixturevalue('postgresql_server')}?schema={schema()}"]
    loaders = [started("tests.store.loaders", path, count, *address) for _ in range(2)]
    seen = [finished(process) for process in loaders]
    assert sorted(seen[0]["loaded"] + seen[1]["loaded"]) == list(range(1, count + 1))
    assert len(seen[0]["refused"]) + len(seen[1]["refused"]) == count
    assert set(seen[0]["refused"] + seen[1]["refused"]) == {"store.file-loaded"}
    with Store.open(path) as store:
        rows = read(store.snapshot())
        assert len(rows) == 10 * count
        assert {value for _, _, value, _ in rows} == set(range(count))
        assert store.points() == {"P1": 1}


READ_ONLY = """
import os, sys
from pathlib import Path
from celadon.core.findings import FindingError
from celadon.store import Store
from tests.store.store_tools import load, read, utc, with_points

path = Path(sys.argv[1])
with with_points(Store.create(path)) as store:
    load(store, [(1, utc("2018-01-01"), 1.0, 1, 1)])
    expected = read(store.snapshot())
for folder, _, files in os.walk(path):
    for name in files:
        os.chmod(os.path.join(folder, name), 0o444)
    os.chmod(folder, 0o555)
if os.getuid() == 0:
    os.setuid(65534)
with Store.open(path) as store:
    assert read(store.snapshot()) == expected
    assert store.verify() == []
    try:
        store.begin("load")
    except FindingError as error:
        finding, = error.findings
        print(finding.code, "|", finding.says("en"), "|", finding.says("zh"))
"""


def test_a_store_that_may_only_be_read(tmp_path):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "s"
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path)],
            env=ENVIRONMENT,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        for place, _, _ in os.walk(path):
            Path(place).chmod(0o755)
        shutil.rmtree(path)
    assert done.stdout == (
        f"store.not-writable | {path} cannot be written: Permission denied. | {path} 无法写入：没有权限。\n"
    ), done.stderr
