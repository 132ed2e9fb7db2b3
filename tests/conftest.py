import errno
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from core import config, datasets
from core.datasets import checksums

# The same made-up input each time: a failure can be repeated.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def own_runs_folder(tmp_path_factory, monkeypatch):
    """No test reads or writes the runs of the person at the machine."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path_factory.mktemp("runs")))


@pytest.fixture
def workers(own_runs_folder, user_cache, monkeypatch):
    """Workers may be started; none outlives the test."""
    from tests import trainings

    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache))
    # Tests wait for what it does.
    monkeypatch.setenv("HOURGLASS_NICE", "0")
    yield
    trainings.end_workers()


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory):
    """The user's cache of all tests of a session: the docstrings are harvested once, the real one stays untouched."""
    folder = tmp_path_factory.mktemp("user-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "user_cache", lambda: folder)
        yield folder


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """The user's cache of one test and of the processes that it starts."""
    folder = tmp_path / "hourglass" / "data"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(config, "user_cache", lambda: folder)
    return folder


@pytest.fixture
def started(monkeypatch):
    """The processes of `core` that a test starts; none outlives it."""
    processes, genuine = [], subprocess.Popen

    def start(command, *args, **kwargs):
        process = genuine(command, *args, **kwargs)
        if any(str(part).startswith("core.") for part in command):
            processes.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
    yield processes
    for process in processes:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """A folder of small runs, see `tests.pages.conftest.fit_small_runs`; the test processes share one fit."""
    from tests.pages.conftest import fit_small_runs

    base, digits = tmp_path_factory.getbasetemp(), datasets.load("digits")
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "small-runs"
    # Read before any test puts other rows in their place.
    assert checksums.compute_checksum("digits", ()) == digits.checksum
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            fit_small_runs(tmp_path_factory.mktemp("fit"), digits).rename(shared)
    return shutil.copytree(shared, tmp_path_factory.mktemp("fitted") / "runs")


@pytest.fixture(scope="session")
def full_data():
    """The folder of full data sets, where this machine has them."""
    return os.environ.get("HOURGLASS_DATA") or pytest.skip("HOURGLASS_DATA names no folder of full data sets")


def locked(monkeypatch, folder):
    """Make `folder` one that this person may not look into; tests may run as root, whom no mode stops."""
    methods = ("is_dir", "is_file", "exists", "iterdir", "stat", "mkdir", "open")
    for owner, name in (*((Path, method) for method in methods), (os, "scandir")):
        genuine = getattr(owner, name)

        def refused(path, *args, genuine=genuine, **kwargs):
            if folder in (Path(path), *Path(path).parents):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return genuine(path, *args, **kwargs)

        monkeypatch.setattr(owner, name, refused)
