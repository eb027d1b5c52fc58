"""Compiled programs kept on disk, used by several processes at once."""

import os
import signal
import subprocess
import time

import pytest
from conftest import BUILD
from test_devices import needs_device
from tiny import make_model

TOKENS = "3,0,10,7,7,1,5,8"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SSMQ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "programs"


def start(directory):
    return subprocess.Popen([BUILD / "bin" / "ssmq-run", directory, "--tokens", TOKENS],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_share_a_folder(directory, cache):
    processes = [start(directory) for _ in range(4)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert len(set(outputs)) == 1 and outputs[0][0].count("\n") == 8
    assert [entry.suffix for entry in cache.iterdir()] == [".ssmqo"]


def test_killed_writers_leave_no_entry_that_harms(directory, cache):
    expected = start(directory).communicate()
    for entry in cache.iterdir():
        entry.unlink()
    for delay in (0.05, 0.1, 0.2, 0.4):
        process = start(directory)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert start(directory).communicate() == expected


def test_the_package_uses_it(directory, cache):
    import ssmq

    first = ssmq.load(directory).compile(threads=1).forward([3, 0, 10])
    entries = {entry: entry.read_bytes() for entry in cache.iterdir()}
    assert len(entries) == 1
    assert (ssmq.load(directory).compile(threads=1).forward([3, 0, 10]) == first).all()
    assert {entry: entry.read_bytes() for entry in cache.iterdir()} == entries


@needs_device
def test_devices_have_code_of_their_own(directory, cache):
    import ssmq

    for device in ("xe", "cpu", "xe:0"):
        ssmq.load(directory).compile(threads=1, device=device).forward([3, 0, 10])
    assert len(list(cache.iterdir())) == 2
