"""Sequences: splits, files, and hostile IDX, .ts and safetensors input."""

import gzip
import struct

import numpy as np
import pytest
import torch
from ssmq import Error
from ssmq.s4d import data, sequences
from ssmq.s4d.digits import load_digits, load_mnist, read_idx, upsample
from ssmq.s4d.sequences import Sequences
from ssmq.s4d.vowels import CHANNELS, load_vowels, read_ts


def write_idx(path, array, magic=None):
    content = magic or bytes([0, 0, 8, array.ndim])
    content += struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    (gzip.open if path.suffix == ".gz" else open)(path, "wb").write(content)
    return content


def make_mnist(directory, count=24):
    random = np.random.default_rng(1)
    for part, end in (("train", ""), ("t10k", ".gz")):
        images = random.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        write_idx(directory / f"{part}-images-idx3-ubyte{end}", images)
        write_idx(directory / f"{part}-labels-idx1-ubyte{end}", (np.arange(count) % 2).astype("u1"))
    return images


def test_digits():
    small, large = load_digits(64), load_digits(784)
    sizes = [len(part.labels) for part in (small.train, small.validation, small.test)]
    assert sum(sizes) == 1797 and sizes == [1259, 179, 359]
    assert small.train.inputs.shape[1:] == (64, 1) and large.test.inputs.shape[1:] == (784, 1)
    np.testing.assert_array_equal(small.test.labels, large.test.labels)
    assert small.train.inputs.min() == 0 and small.train.inputs.max() == 1
    # No sequence is in two parts, and each class is in all.
    rows = {one.tobytes() for one in small.train.inputs}
    assert not any(one.tobytes() in rows for one in small.test.inputs)
    assert set(small.validation.labels) == set(range(10))


def test_upsampling_is_bilinear():
    images = np.random.default_rng(1).random((3, 8, 8), np.float32)
    expected = torch.nn.functional.interpolate(torch.from_numpy(images)[None], size=(28, 28),
                                               mode="bilinear", align_corners=False)[0]
    np.testing.assert_allclose(upsample(images, 28), expected, atol=1e-6)


def test_mnist(tmp_path):
    images = make_mnist(tmp_path)
    dataset = load_mnist(tmp_path)
    assert [len(getattr(dataset, name)) for name in sequences.SPLITS] == [22, 2, 24]
    np.testing.assert_array_equal(dataset.test.inputs[3, :, 0],
                                  images[3].ravel().astype(np.float32) / 255)


@pytest.mark.parametrize("damage,message", [
    (lambda content: content[:-1], "but only 1567 follow"),
    (lambda content: content + b"x", "but 1569 follow"),
    (lambda content: b"\x00\x00\x0d\x03" + content[4:], "begins with 00 00 0d 03"),
    (lambda content: content[:10], "ends within its header"),
    (lambda content: b"", "begins with nothing"),
    (lambda content: content[:4] + b"\xff" * 12 + content[16:], "but only 1568 follow")])
def test_damaged_idx(tmp_path, damage, message):
    path = tmp_path / "images"
    content = write_idx(path, np.ones((2, 28, 28), np.uint8))
    path.write_bytes(damage(content))
    with pytest.raises(Error, match=message):
        read_idx(path, 3)


def test_damaged_mnist(tmp_path):
    with pytest.raises(Error, match="has no train-images-idx3-ubyte"):
        load_mnist(tmp_path)
    make_mnist(tmp_path)
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(labels.read_bytes()[:-9])
    with pytest.raises(Error, match="not a complete gzip file"):
        load_mnist(tmp_path)
    write_idx(labels, np.full(24, 10, np.uint8))
    with pytest.raises(Error, match="labels 0..9"):
        load_mnist(tmp_path)
    write_idx(labels, np.zeros(23, np.uint8))
    with pytest.raises(Error, match="24 images, but 23 labels"):
        load_mnist(tmp_path)


def write_ts(path, lines):
    path.write_text("@problemName JapaneseVowels\n@data\n" + "\n".join(lines) + "\n")


def make_line(steps=2, channels=CHANNELS, label="3", value="0.5"):
    return ":".join([",".join([value] * steps)] * channels + [label])


def test_vowels(tmp_path):
    lines = [make_line(2 + i % 3, label=str(1 + i % 9), value=str(i)) for i in range(45)]
    for part in ("TRAIN", "TEST"):
        write_ts(tmp_path / f"JapaneseVowels_{part}.ts", lines)
    dataset = load_vowels(tmp_path)
    assert [len(getattr(dataset, name)) for name in sequences.SPLITS] == [36, 9, 45]
    test = dataset.test
    assert test.inputs.shape == (45, 4, CHANNELS) and test.labels[10] == 1
    assert test.lengths[10] == 3 and (test.inputs[10, :3] == 10).all()
    assert (test.inputs[10, 3] == 0).all()


@pytest.mark.parametrize("line,message", [
    (make_line(channels=11), "11 channels instead of 12"), (make_line(label="10"), "not in 1..9"),
    (make_line(label="x"), "invalid literal"), (make_line(value="nan"), "not finite"),
    (make_line(value="1,2x"), "could not convert"), ("0.5," + make_line(), "different lengths"),
    ("", "holds no sequences")])
def test_damaged_ts(tmp_path, line, message):
    write_ts(tmp_path / "one.ts", [line])
    with pytest.raises(Error, match=message):
        read_ts(tmp_path / "one.ts")


def make_sequences(**changes):
    tensors = {"inputs": np.ones((4, 5, 2), np.float32), "labels": np.arange(4),
               "lengths": np.array([5, 4, 3, 1]), **changes}
    return Sequences(**tensors)


def test_files(tmp_path):
    sequences.write(tmp_path / "a.safetensors", make_sequences())
    read = sequences.read(tmp_path / "a.safetensors")
    for name in ("inputs", "labels", "lengths"):
        np.testing.assert_array_equal(getattr(read, name), getattr(make_sequences(), name))


@pytest.mark.parametrize("changes,message", [
    ({"labels": np.arange(3)}, "4 sequences, but 3 labels"),
    ({"labels": np.array([0, 1, -1, 0])}, "label -1 is negative"),
    ({"lengths": np.array([5, 4, 3, 6])}, r"lengths must lie in 1..5"),
    ({"lengths": np.array([5, 4, 3])}, "one a sequence"),
    ({"inputs": np.ones((4, 5), np.float32)}, "of rank 3"),
    ({"inputs": np.full((4, 5, 2), np.nan, np.float32)}, "NaN or infinity"),
    ({"inputs": np.ones((4, 0, 2), np.float32)}, "holds no values")])
def test_refused_files(tmp_path, changes, message):
    sequences.write(tmp_path / "a.safetensors", make_sequences(**changes))
    with pytest.raises(Error, match=message):
        sequences.read(tmp_path / "a.safetensors")


def test_damaged_file(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(Error, match="is not a safetensors file"):
        sequences.read(tmp_path / "a.safetensors")


def test_command(run, fails, tmp_path):
    assert run("s4d-data", "digits64", "-o", tmp_path / "digits")[0] == 0
    assert len(data.load(str(tmp_path / "digits")).validation) == 179
    fails("there is no data 'mnist'", "s4d-data", "mnist", "-o", tmp_path / "m", status=2)
