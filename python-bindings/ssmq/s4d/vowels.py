"""JapaneseVowels: who of nine speakers says /ae/, from 12 LPC cepstrum coefficients a frame.

Kudo, Toyama and Shimbo, "Multidimensional curve classification using passing-through regions",
Pattern Recognition Letters 20 (1999); UCI Machine Learning Repository (its licence: see the card in
models/japanese-vowels). Utterances of 7 to 29 frames of real recordings, 270 to train on (of which
a fifth is held out for validation) and 370 to test on. The package sktime carries them as .ts text:
a sequence a line, its channels parted by colons, the label last.
"""

import importlib.util
from pathlib import Path

import numpy as np

from ..errors import Error
from .sequences import Dataset, Sequences, split

CHANNELS = 12
NAMES = tuple(f"speaker {number}" for number in range(1, 10))
VALIDATION = 0.2
SPLIT_SEED = 0
_MOST_STEPS = 10000


def load_vowels(directory: Path | None = None) -> Dataset:
    directory = directory or find_directory()
    train, test = (read_ts(directory / f"JapaneseVowels_{part}.ts") for part in ("TRAIN", "TEST"))
    parts = split(train, VALIDATION, 0, SPLIT_SEED)
    return Dataset(parts.train, parts.validation, test)


def find_directory() -> Path:
    """Where an installed sktime has them; sktime itself is not imported."""
    found = importlib.util.find_spec("sktime")
    if not found or not found.submodule_search_locations:
        raise Error("JapaneseVowels comes with the package sktime, which is not installed; "
                    "install it (pip install --no-deps sktime), or name a folder with "
                    "JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts")
    return Path(found.submodule_search_locations[0]) / "datasets" / "data" / "JapaneseVowels"


def read_ts(path: Path) -> Sequences:
    """Labels 1..9 become 0..8; sequences are padded with zeros to the longest."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Error(f"{path} is not text: {error}") from error
    series, labels, in_data = [], [], False
    for number, line in enumerate(map(str.strip, lines), 1):
        if in_data and line and not line.startswith("#"):
            values, label = _read_line(line, f"{path}:{number}")
            series.append(values)
            labels.append(label)
        in_data = in_data or line.lower() == "@data"
    if not series:
        raise Error(f"{path} holds no sequences; they stand behind a line @data")
    lengths = np.array([len(one) for one in series], np.int64)
    inputs = np.zeros((len(series), lengths.max(), CHANNELS), np.float32)
    for row, one in zip(inputs, series):
        row[:len(one)] = one
    return Sequences(inputs, np.array(labels, np.int64), lengths)


def _read_line(line: str, place: str) -> tuple[np.ndarray, int]:
    *channels, label = line.split(":")
    if len(channels) != CHANNELS:
        raise Error(f"{place} has {len(channels)} channels instead of {CHANNELS}")
    try:
        values = [np.array(one.split(","), np.float32) for one in channels]
        speaker = int(label)
    except ValueError as error:
        raise Error(f"{place}: {error}") from error
    if len({len(one) for one in values}) > 1 or len(values[0]) > _MOST_STEPS:
        raise Error(f"{place} has channels of different lengths, or over {_MOST_STEPS} steps")
    if not np.isfinite(values).all():
        raise Error(f"{place} holds a value that is not finite")
    if not 1 <= speaker <= len(NAMES):
        raise Error(f"{place}: speaker {speaker} is not in 1..{len(NAMES)}")
    return np.stack(values, axis=1), speaker - 1
