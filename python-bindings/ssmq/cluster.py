"""`ssmq measure --dask`: shards of a measurement as tasks of a Dask cluster that runs already.

A task is one shard; it uses all threads of its worker, which runs one shard at a time. Workers
need ssmq, the model's directory under the same path, and the folder of the output, where each shard
keeps its journal: a task whose worker was lost goes on from there on another worker, and so does a
measurement that is started again with as many shards. Tokens go to the workers and tables come back
through Dask.
"""

import fcntl
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import stages
from .errors import Error
from .output import scratch_directory
from .quantize import load_original
from .text import Labelled, Text

if TYPE_CHECKING:
    import distributed

# Of a task whose worker stays alive; a lost worker's tasks are given to others by Dask itself.
RETRIES = 2
CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Failure:
    """An error of the input, which no other worker would do without."""

    message: str
    status: int


def _get_journal(output: Path, shard: str) -> Path:
    return output.with_name(f"{output.name}.shard-{shard.replace('/', '-of-')}.journal")


def _wait_for_writer(journal: Path) -> None:
    """Until nobody writes it: a task of an earlier start, whose command was killed, goes on to its
    end, and what it measures is of use."""
    if journal.exists():
        with open(journal) as file:
            fcntl.flock(file, fcntl.LOCK_SH)


def measure_shard(model: Path, calibration: Text | Labelled, output: Path, options: stages.MeasureOptions
                  ) -> bytes | Failure:
    """The task: the bytes of the shard's table."""
    from distributed import get_worker

    worker = get_worker()
    options = replace(options, threads=worker.state.nthreads)
    try:
        if not output.parent.is_dir():
            raise Error(f"{output.parent} is not there; all workers must see the folder of the "
                        "output")
        journal = _get_journal(output, options.shard)
        _wait_for_writer(journal)
        with scratch_directory() as scratch:
            table = scratch / "table.json"
            stages.measure(load_original(model), calibration, table, options, journal)
            return table.read_bytes()
    except Error as error:
        return Failure(f"{error} (on worker {worker.address})", error.status)


def _connect(address: str) -> "distributed.Client":
    try:
        import distributed
    except ImportError:
        raise Error("--dask needs the package distributed: pip install 'ssmq[dask]'") from None
    # Its warnings would stand between the lines of the command.
    for name in logging.root.manager.loggerDict:
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise Error(f"no Dask scheduler answers at {address}: {reason}") from None
    return client


def measure(address: str, model: Path, calibration: Text | Labelled, output: Path,
            options: stages.MeasureOptions, num_shards: int | None,
            say: Callable[[str], None]) -> None:
    """Writes the very table of a run without shards; as many as the cluster has workers, unless
    `num_shards` says otherwise."""
    with _connect(address) as client:
        threads = client.nthreads().values()
        if not threads:
            raise Error(f"the Dask scheduler at {address} has no workers; start dask worker "
                        f"{address}")
        count = num_shards or len(threads)
        shards = [f"{index}/{count}" for index in range(count)]
        say(f"{count} shards on {len(threads)} workers with {sum(threads)} threads")
        with scratch_directory(output.absolute().parent, prefix=f".{output.name}.") as scratch:
            tables = _run(client, shards, lambda shard: (
                model.absolute(), calibration, output.absolute(),
                replace(options, shard=shard)), scratch, say)
            stages.merge(tables, output)
    for shard in shards:
        _get_journal(output, shard).unlink(missing_ok=True)


def _run(client: "distributed.Client", shards: list[str], get_arguments: Callable[[str], tuple],
         scratch: Path, say: Callable[[str], None]) -> list[Path]:
    """The shards' tables, in `scratch`."""
    from distributed import as_completed

    started = time.monotonic()
    # An earlier result of an equal task may have been made from another checkpoint: pure=False.
    futures = {client.submit(measure_shard, *get_arguments(shard), key=f"ssmq-{shard}-{started}",
                             retries=RETRIES, pure=False): shard for shard in shards}
    tables = []
    for future in as_completed(futures, loop=client.loop):
        shard = futures[future]
        try:
            result = future.result()
        except Exception as error:
            raise Error(f"shard {shard} failed on the cluster: {type(error).__name__}: {error}; "
                        "what was measured is kept, start again to go on") from None
        if isinstance(result, Failure):
            raise Error(f"shard {shard}: {result.message}", result.status)
        table = scratch / f"{len(tables)}.json"
        table.write_bytes(result)
        tables.append(table)
        say(f"{len(tables)} of {len(shards)} shards after {time.monotonic() - started:.0f} s")
    return tables
