"""The machinery around the code: set-up, locks, checks and what a wheel holds."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.shared_data import ROOT
from tools import check_docs, check_file_length


def pins(*names: str) -> dict[str, str]:
    lines = [line for name in names for line in (ROOT / name).read_text().splitlines()]
    found = [line.split("==") for line in lines if line and not line.startswith(("#", "-r "))]
    return {canonicalize_name(name): version for name, version in found}


def test_locks_pin_all_that_pyproject_asks_for():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = pyproject["project"]["optional-dependencies"]
    runtime = pyproject["project"]["dependencies"] + pyproject["build-system"]["requires"]
    runtime += extras["console"] + extras["reports"] + extras["filings"] + extras["columns"]
    dev = extras["dev"]
    for wanted, locked in [
        (runtime, pins("requirements.lock")),
        (dev, pins("requirements.lock", "requirements-dev.lock")),
    ]:
        for requirement in map(Requirement, wanted):
            version = locked.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement.name} is not locked: run `make lock`"
            assert version in requirement.specifier, f"{requirement} but locked at {version}: run `make lock`"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_say_nothing_about_where_packages_come_from(name):
    for line in (ROOT / name).read_text().splitlines():
        assert re.fullmatch(r"#.*|-r requirements\.lock|[\w.-]+==[\w.!+-]+", line), line


def environment(tmp_path: Path, *pythons: str) -> subprocess.CompletedProcess[str]:
    """tools/environment.sh where `pythons` (shell bodies of a python3) are all the Python there is."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ["sh", "cat", "cmp", "mkdir", "rm", "sleep"]:
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"no {name} here"))
    for name, body in zip(["python3", "python3.12"], pythons, strict=False):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    return subprocess.run(
        ["sh", str(ROOT / "tools" / "environment.sh"), "runtime"],
        env={
            "PATH": str(tools),
            "VENV": str(tmp_path / "venv"),
            "PIP_NO_INDEX": "1",
            "PIP_REQUIRE_VIRTUALENV": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


TOO_OLD = "exit 1"
WITHOUT_VENV = "case $2 in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;; esac"


@pytest.mark.parametrize("pythons", [[], [TOO_OLD]])
def test_set_up_without_a_new_enough_python_says_what_to_install(tmp_path, pythons):
    run = environment(tmp_path, *pythons)
    assert run.returncode != 0
    assert "Celadon needs Python 3.11 or newer, and found none. Install it:" in run.stderr
    assert "apt-get install python3 python3-venv" in run.stderr
    assert not (tmp_path / "venv.lock").exists()


def test_set_up_without_the_venv_package_says_what_to_install(tmp_path):
    run = environment(tmp_path, WITHOUT_VENV, TOO_OLD)
    assert run.returncode != 0
    assert "python3 is Python 3.11, but it cannot make virtual environments" in run.stderr
    assert "apt-get install python3-venv " in run.stderr


def test_set_up_never_installs_through_a_half_made_environment(tmp_path):
    venv.create(tmp_path / "venv", symlinks=True)
    (tmp_path / "venv" / "pyvenv.cfg").unlink()  # what is left is a link to the Python outside
    run = environment(tmp_path)
    assert run.returncode != 0
    assert "Celadon needs Python 3.11 or newer, and found none." in run.stderr
    assert "installing" not in run.stderr


def test_long_files_and_unfinished_source_are_refused(tmp_path):
    source = tmp_path / "src" / "celadon"
    source.mkdir(parents=True)
    (source / "right.py").write_text("x = 1\n" * check_file_length.LIMIT)
    (source / "long.py").write_text("x = 1\n" * (check_file_length.LIMIT + 1))
    (source / "later.yaml").write_text("a: 1\nb: 2  # TODO\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "theirs.py").write_text("x = 1\n" * 1000)
    assert check_file_length.problems(tmp_path) == [
        "src/celadon/later.yaml:2: TODO: finish it, or file it as an issue",
        "src/celadon/long.py: 601 lines, more than 600: split it by what it does",
    ]


def test_broken_links_are_found(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# The first\n\n## Reading `x`\n\n[up](../README.md#celadon)\n")
    (tmp_path / "README.md").write_text(
        "# Celadon\n[a](docs/a.md) [b](docs/b.md)\n"
        "[c](docs/a.md#reading-x) [d](docs/a.md#no) [e](mailto:x@y)\n"
        "`[code](gone.md)`\n```\n[code](gone.md)\n```\n"
    )
    assert list(check_docs.broken_links(tmp_path)) == [
        "README.md: nothing at docs/b.md",
        "README.md: no heading for docs/a.md#no",
    ]


def test_stale_handbook_pages_are_found(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, pages in [
        (old, {"same": "1", "changed": "1", "gone": "1"}),
        (new, {"same": "1", "changed": "2", "fresh": "1"}),
    ]:
        folder.mkdir()
        for name, text in pages.items():
            (folder / name).write_text(text)
    assert list(check_docs.stale_pages(old, new)) == [
        "docs/handbook/changed: out of date",
        "docs/handbook/fresh: missing",
        "docs/handbook/gone: no longer generated",
    ]


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(tmp_path):
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src/celadon"]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    present = {name.removeprefix("src/") for name in tracked if (ROOT / name).is_file()}
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        ".",
    ]
    subprocess.run(build, cwd=ROOT, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    [wheel] = tmp_path.glob("celadon-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        assert "celadon = celadon.cli:main" in archive.read(entry_points).decode()
    assert "celadon/py.typed" in present
    assert present <= set(names)


def test_what_the_tests_need_of_the_system_is_named_where_it_may_not_be_installed(tmp_path):
    (tmp_path / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    (tmp_path / "java").chmod(0o755)
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    script = ["sh", str(ROOT / "tools" / "system_packages.sh")]
    run = subprocess.run(
        script, env={"PATH": f"{tmp_path}:/bin:/usr/bin"}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0
    assert "apt-get install openjdk-17-jre-headless" in run.stderr
    assert "of the console in a browser" in run.stderr
    (tmp_path / "java").write_text("#!/bin/sh\necho 'openjdk version \"21\" 2023-09-19' >&2\n")
    for name in ["initdb", "chromium"]:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    run = subprocess.run(
        script, env={"PATH": f"{tmp_path}:/bin:/usr/bin"}, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
