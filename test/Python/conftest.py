"""The package as built here (SSMQ_BUILD names another build directory), and the command."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SSMQ_BUILD", ROOT / "build" / "release"))
# Tests compile what they test; those of the cache name a folder.
os.environ["SSMQ_CACHE_DIR"] = ""
# The only OpenCL driver that tests see, whatever the machine has installed.
os.environ["OCL_ICD_VENDORS"] = str(BUILD / "test" / "opencl")
sys.path[:0] = [str(ROOT / "python-bindings"), str(BUILD / "python")]


@pytest.fixture
def run(capfd):
    """Runs a command; returns its exit code, stdout and stderr."""
    from ssmq import cli

    def run(*arguments):
        capfd.readouterr()
        return cli.run([str(argument) for argument in arguments]), *capfd.readouterr()

    return run


@pytest.fixture
def fails(run, tmp_path):
    """Runs a command that says one line with `message` and leaves no file."""

    def fails(message, *arguments, status=1):
        before = sorted(tmp_path.rglob("*"))
        code, _, error = run(*arguments)
        assert message in error
        assert code == status and error.startswith("ssmq: ") and error.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before

    return fails
