"""Data sets by name, and the folders of safetensors files that everything else reads."""

from pathlib import Path

from ..errors import USAGE, Error
from ..output import new_directory
from . import sequences
from .digits import load_digits, load_mnist
from .sequences import Dataset, read_dataset
from .vowels import load_vowels

HELP = ("digits64, digits784, vowels, vowels:FOLDER of .ts files, mnist:FOLDER of IDX files, or a "
        "folder of train, validation and test.safetensors")


def load(name: str) -> Dataset:
    kind, _, place = name.partition(":")
    if name in ("digits64", "digits784"):
        return load_digits(int(name.removeprefix("digits")))
    if kind == "vowels":
        return load_vowels(Path(place) if place else None)
    if kind == "mnist" and place:
        return load_mnist(Path(place))
    if Path(name).is_dir():
        return read_dataset(Path(name))
    raise Error(f"there is no data '{name}'; give {HELP}", USAGE)


def write(dataset: Dataset, directory: Path) -> None:
    with new_directory(directory) as scratch:
        for name in sequences.SPLITS:
            sequences.write(scratch / f"{name}.safetensors", getattr(dataset, name))
