"""Formats: what values become when they are stored, and how many bytes that takes.

A format is spelled as in tables (``i4 sym group=64``) or short (``int4:g64``); docs/Formats.md lists
them. A value is seen as rows x columns, its first dimension counting the rows: tokens for
activations and caches, channels for everything else.
"""

from math import prod

import _ssmq
import numpy as np

KINDS = ("weight", "norm", "activation", "parameter", "state", "cache")


def canonical(spelling: str) -> str:
    """The spelling that tables use."""
    return _ssmq.get_format_spelling(spelling)


def defaults(kind: str = "weight") -> list[str]:
    """The formats measured at sites of this kind when none is named."""
    return _ssmq.get_default_formats(kind)


def num_bytes(shape, spelling: str, kind: str = "weight", head_size: int = 0) -> int:
    """Bytes of codes and scales of a value of this shape."""
    rows, columns = _as_matrix(shape)
    return _ssmq.get_format_bytes(spelling, kind, rows, columns, head_size)


def round(array, spelling: str, kind: str = "weight", head_size: int = 0) -> np.ndarray:
    """What an array of f32 (or complex64, for logpolar) becomes when it is stored.

    These are the numbers that are measured and compiled, bit for bit. `head_size` counts the
    channels of a head, for per_head. A static format takes its ranges from the array itself.
    """
    array = np.asarray(array)
    is_complex = np.iscomplexobj(array)
    values = np.ascontiguousarray(array, np.complex64 if is_complex else np.float32)
    matrix = values.reshape(_as_matrix(array.shape))
    rounded = _ssmq.round_values(spelling, kind, head_size, matrix.view(np.float32))
    return (rounded.view(np.complex64) if is_complex else rounded).reshape(array.shape)


def _as_matrix(shape) -> tuple[int, int]:
    shape = tuple(shape)
    return (shape[0], prod(shape[1:])) if shape else (1, 1)
