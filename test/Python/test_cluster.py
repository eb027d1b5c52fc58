"""Shards by hand and on a Dask cluster of two worker processes: the table of one plain run."""

import fcntl
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from ssmq.cluster import measure_shard
from ssmq.stages import MeasureOptions
from ssmq.text import Text
from tiny import make_model, make_text

distributed = pytest.importorskip("distributed")

QUICK = ["--sequence-length", "16", "--formats", "int4:channel,int8:channel"]


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True,
                                  dashboard_address=":0", silence_logs=50) as cluster:
        cluster.wait_for_workers(2)
        yield cluster


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    # Long enough that a worker can be lost in the middle.
    return make_model(folder / "model"), make_text(folder / "text.txt", 1, words=4000)


@pytest.fixture
def measure(run, files, tmp_path):
    def measure(name, *more):
        table = tmp_path / name
        code, output, error = run("measure", files[0], "--calibration", files[1], "-o", table,
                                  *QUICK, *more)
        assert code == 0, error
        return table, output

    return measure


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_shards_by_hand(run, measure, tmp_path):
    whole, _ = measure("whole.json")
    for shards in (2, 3):
        parts = [measure(f"{index}-{shards}.json", "--shard", f"{index}/{shards}")[0]
                 for index in range(shards)]
        assert all(part.stat().st_size < whole.stat().st_size for part in parts)
        merged = tmp_path / f"merged-{shards}.json"
        assert run("merge", *reversed(parts), "-o", merged)[0] == 0
        assert merged.read_bytes() == whole.read_bytes()


def test_cluster(measure, cluster, tmp_path):
    whole, _ = measure("whole.json")
    address = cluster.scheduler_address
    table, output = measure("table.json", "--dask", address)
    assert "2 shards on 2 workers with 2 threads" in output and "2 of 2 shards after" in output
    assert table.read_bytes() == whole.read_bytes()
    table, output = measure("five.json", "--dask", address, "--shards", "5")
    assert "5 of 5 shards after" in output
    assert table.read_bytes() == whole.read_bytes()
    assert list_names(tmp_path) == ["five.json", "table.json", "whole.json"]


def test_lost_worker(measure, cluster, tmp_path):
    everything = ["--num-sequences", "0"]
    whole, _ = measure("whole.json", *everything)
    killed = []

    def kill():
        # The process that writes a journal, once it has written something.
        while not killed:
            for journal in tmp_path.glob("table.json.shard-*.journal"):
                if journal.stat().st_size > 10000:
                    with distributed.Client(cluster, set_as_default=False) as client:
                        killed.append(next(iter(client.run(os.getpid).values())))
                    os.kill(killed[0], signal.SIGKILL)
                    return
            time.sleep(0.002)

    killer = threading.Thread(target=kill)
    killer.start()
    table, output = measure("table.json", *everything, "--dask", cluster.scheduler_address)
    killer.join()
    assert killed and table.read_bytes() == whole.read_bytes()
    assert list_names(tmp_path) == ["table.json", "whole.json"]
    cluster.wait_for_workers(2)


def test_journal_in_use(measure, cluster, tmp_path):
    """A killed command's tasks go on for a while."""
    with open(tmp_path / "table.json.shard-1-of-2.journal", "w") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        threading.Timer(0.5, lambda: fcntl.flock(journal, fcntl.LOCK_UN)).start()
        assert measure("table.json", "--dask", cluster.scheduler_address)[0].exists()


def test_paths_must_be_visible(files, cluster, tmp_path):
    options = MeasureOptions(shard="0/1")
    text = Text(files[1], "", [1, 2, 3])
    with distributed.Client(cluster, set_as_default=False) as client:
        def fail(model, output):
            return client.submit(measure_shard, model, text, output, options).result().message

        assert re.match("/none is not a directory; .* \\(on worker tcp://",
                        fail(Path("/none"), tmp_path / "table.json"))
        assert "all workers must see the folder" in fail(files[0], Path("/none/table.json"))


def test_errors(fails, run, files, cluster, monkeypatch, tmp_path):
    model, text = files
    address = cluster.scheduler_address

    def check(message, *arguments, status=1):
        fails(message, "measure", model, "--calibration", text, "-o", tmp_path / "table.json",
              *arguments, status=status)

    check("i9", "--dask", address, "--formats", "i9")
    check("no Dask scheduler answers at tcp://127.0.0.1:9: ", "--dask", "tcp://127.0.0.1:9", *QUICK)
    check("no Dask scheduler answers at nonsense://x: ", "--dask", "nonsense://x", *QUICK)
    check("--shard or --dask", "--dask", address, "--shard", "0/2", *QUICK, status=2)
    check("--shards only with --dask", "--shards", "2", *QUICK, status=2)
    monkeypatch.setitem(sys.modules, "distributed", None)
    check("--dask needs the package distributed: pip install 'ssmq[dask]'", "--dask", address,
          *QUICK)


def test_no_workers(fails, files, tmp_path):
    with distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=":0",
                                  silence_logs=50) as empty:
        fails("has no workers; start dask worker tcp://", "measure", files[0], "--calibration",
              files[1], "-o", tmp_path / "table.json", "--dask", empty.scheduler_address, *QUICK)
