"""Labelled sequences, and the safetensors files that hold them.

A file has `inputs` [sequences, steps, d_input] f32, `labels` [sequences] i64 and, where lengths
differ, `lengths` [sequences] i64; steps past the length of a sequence are zeros that nobody reads.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import Error
from .optional import require

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sequences:
    inputs: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> "Sequences":
        lengths = None if self.lengths is None else self.lengths[indices]
        return Sequences(self.inputs[indices], self.labels[indices], lengths)


@dataclass(frozen=True)
class Dataset:
    train: Sequences
    validation: Sequences
    test: Sequences


def split(sequences: Sequences, validation: float, test: float, seed: int) -> Dataset:
    """Shares of each class, drawn with a seed; sequences keep their order within a part."""
    random = np.random.default_rng(seed)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in SPLITS}
    for label in np.unique(sequences.labels):
        members = random.permutation(np.flatnonzero(sequences.labels == label))
        num_test, num_validation = (round(len(members) * share) for share in (test, validation))
        parts["test"].append(members[:num_test])
        parts["validation"].append(members[num_test:num_test + num_validation])
        parts["train"].append(members[num_test + num_validation:])
    return Dataset(**{name: sequences.take(np.sort(np.concatenate(one)))
                      for name, one in parts.items()})


def write(path: Path, sequences: Sequences) -> None:
    tensors = {"inputs": np.ascontiguousarray(sequences.inputs, np.float32),
               "labels": np.ascontiguousarray(sequences.labels, np.int64)}
    if sequences.lengths is not None:
        tensors["lengths"] = np.ascontiguousarray(sequences.lengths, np.int64)
    path.write_bytes(require("safetensors.numpy", "data").save(tensors))


def read(path: Path) -> Sequences:
    safetensors = require("safetensors", "data")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except safetensors.SafetensorError as error:
        raise Error(f"{path} is not a safetensors file: {error}") from error
    return _check(path, tensors)


def read_dataset(directory: Path) -> Dataset:
    return Dataset(*(read(directory / f"{name}.safetensors") for name in SPLITS))


def _check(path: Path, tensors: dict[str, np.ndarray]) -> Sequences:
    """Fails unless the tensors are those of the convention above."""
    for name, dtype, rank in (("inputs", np.float32, 3), ("labels", np.int64, 1)):
        if name not in tensors:
            raise Error(f"{path} has no tensor '{name}'; sequences are stored as inputs and labels")
        if tensors[name].dtype != dtype or tensors[name].ndim != rank:
            raise Error(f"{path}: '{name}' must be {np.dtype(dtype)} of rank {rank}, not "
                        f"{tensors[name].dtype} of rank {tensors[name].ndim}")
    inputs, labels, lengths = (tensors.get(name) for name in ("inputs", "labels", "lengths"))
    if 0 in inputs.shape:
        raise Error(f"{path} holds no values: inputs are {' x '.join(map(str, inputs.shape))}")
    if len(labels) != len(inputs):
        raise Error(f"{path} has {len(inputs)} sequences, but {len(labels)} labels")
    if not np.isfinite(inputs).all():
        raise Error(f"{path}: inputs hold NaN or infinity")
    if labels.min() < 0:
        raise Error(f"{path}: label {labels.min()} is negative")
    if lengths is not None:
        if lengths.dtype != np.int64 or lengths.shape != labels.shape:
            raise Error(f"{path}: 'lengths' must be int64, one a sequence")
        if lengths.min() < 1 or lengths.max() > inputs.shape[1]:
            raise Error(f"{path}: lengths must lie in 1..{inputs.shape[1]}, the steps of inputs")
    return Sequences(inputs, labels, lengths)
