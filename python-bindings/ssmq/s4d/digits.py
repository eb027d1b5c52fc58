"""Digits as sequences of pixels: scikit-learn's 8 x 8 ones, and MNIST where a user has it.

scikit-learn carries 1,797 digits (the test part of UCI's optdigits, CC BY 4.0). As they are they
make 64 steps; upsampled to 28 x 28 (bilinear, corners not aligned) the 784 steps of sequential
MNIST. Pixels lie in [0, 1], row by row.
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from ..errors import Error
from .optional import require
from .sequences import Dataset, Sequences, split

SMALL, LARGE = 8, 28
SPLIT_SEED = 0
# Of each class. Writers are not known, so that one may be in more than one part.
VALIDATION, TEST = 0.1, 0.2
# Of MNIST's 60,000, as is usual.
MNIST_VALIDATION = 1 / 12

_BYTES = 0x08  # the element type of an IDX file
# No IDX file of MNIST's is larger by far; a header that says so is wrong.
_MOST_VALUES = 1 << 30


def load_digits(steps: int) -> Dataset:
    images, labels = require("sklearn.datasets", "the digits").load_digits(return_X_y=True)
    images = images.reshape(-1, SMALL, SMALL).astype(np.float32) / 16
    if steps == LARGE * LARGE:
        images = upsample(images, LARGE)
    return split(_as_sequences(images, labels), VALIDATION, TEST, SPLIT_SEED)


def upsample(images: np.ndarray, size: int) -> np.ndarray:
    """Bilinear, with centres of pixels at halves and edges repeated."""
    weights = _get_weights(images.shape[-1], size)
    return (weights @ images @ weights.T).astype(np.float32)


def _get_weights(source: int, target: int) -> np.ndarray:
    centres = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(source)))
    return weights.astype(np.float32)


def load_mnist(directory: Path) -> Dataset:
    """From the four IDX files, compressed or not; validation is drawn from the training part."""
    train, test = (
        _as_sequences(*_read_pair(directory, part)) for part in ("train", "t10k"))
    parts = split(train, MNIST_VALIDATION, 0, SPLIT_SEED)
    return Dataset(parts.train, parts.validation, test)


def _as_sequences(images: np.ndarray, labels: np.ndarray) -> Sequences:
    return Sequences(images.reshape(len(images), -1, 1), labels.astype(np.int64))


def _read_pair(directory: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    images = read_idx(_find(directory, f"{part}-images", 3), 3)
    labels_file = _find(directory, f"{part}-labels", 1)
    labels = read_idx(labels_file, 1)
    if len(images) != len(labels):
        raise Error(f"{directory}: {part} has {len(images)} images, but {len(labels)} labels")
    if len(labels) == 0 or labels.max() > 9:
        raise Error(f"{labels_file} must hold labels 0..9, and at least one")
    return images.astype(np.float32) / 255, labels


def _find(directory: Path, name: str, rank: int) -> Path:
    names = [f"{name}{separator}idx{rank}-ubyte{end}" for separator in "-." for end in ("", ".gz")]
    for one in names:
        if (directory / one).is_file():
            return directory / one
    raise Error(f"{directory} has no {names[0]} (or .gz), a file of MNIST")


def read_idx(path: Path, rank: int) -> np.ndarray:
    """An array of bytes: magic 0, 0, 8, rank; sizes as big-endian u32; values."""
    try:
        # One byte more than the largest that is read tells a file that is too long.
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read(_MOST_VALUES + 4 + 4 * rank + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Error(f"{path} is not a complete gzip file: {error}") from error
    if content[:4] != bytes([0, 0, _BYTES, rank]):
        raise Error(f"{path} begins with {content[:4].hex(' ') or 'nothing'}, not with "
                    f"{bytes([0, 0, _BYTES, rank]).hex(' ')} as IDX files of {rank} dimensions do")
    if len(content) < 4 + 4 * rank:
        raise Error(f"{path} ends within its header")
    shape = struct.unpack(f">{rank}I", content[4:4 + 4 * rank])
    size, expected = len(content) - 4 - 4 * rank, 1
    for dim in shape:
        expected *= dim
    if size != expected:
        raise Error(f"{path} says {' x '.join(map(str, shape))} values, {expected} bytes, but "
                    f"{'only ' if size < expected else ''}{size} follow")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
