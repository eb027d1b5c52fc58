"""Outputs that appear complete or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import Error

_unfinished: set[Path] = set()


def remove_unfinished() -> None:
    for path in list(_unfinished):
        shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_new(path: Path) -> None:
    """Before the work, so that a mistake costs no time."""
    if path.exists() or path.is_symlink():
        raise Error(f"{path} exists; remove it or name another output")
    if not path.absolute().parent.is_dir():
        raise Error(f"{path.absolute().parent} is not a directory")


@contextlib.contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """A directory beside `path` to fill, which becomes `path` at the end and vanishes on errors."""
    check_new(path)
    with scratch_directory(path.absolute().parent, prefix=f".{path.name}.") as scratch:
        yield scratch
        for file in scratch.iterdir():
            _sync(file)
        _sync(scratch)
        # mkdtemp keeps others out.
        scratch.chmod(0o777 & ~_umask())
        os.rename(scratch, path)
        _sync(path.absolute().parent)


def write_file(path: Path, content: str | bytes) -> None:
    """Replaces a file, or leaves it as it was."""
    with scratch_directory(path.absolute().parent, prefix=f".{path.name}.") as scratch:
        file = scratch / path.name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        _sync(file)
        os.replace(file, path)
    _sync(path.absolute().parent)


@contextlib.contextmanager
def scratch_directory(parent: Path | None = None, prefix: str = "ssmq.") -> Iterator[Path]:
    scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    _unfinished.add(scratch)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        _unfinished.discard(scratch)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
