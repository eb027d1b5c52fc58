"""Texts that are refused, each with one line that says why."""

import pytest
from ssmq.errors import Error
from ssmq.overlap import Sketch
from ssmq.text import Text, read_text, refuse_overlap


class Words:
    """A tokenizer of words."""

    def encode(self, text):
        return [len(word) for word in text.split()]


def words(start, count):
    return " ".join(f"word{i}" for i in range(start, start + count))


@pytest.mark.parametrize("content, reason", [
    (b"", "is empty"),
    (b" \n\t", "is empty"),
    (b"one two", "is too short: 2 tokens, at least 3"),
    (b"fine \xff\xfe text", r"is not UTF-8 text \(byte 5\)"),
])
def test_bad_text(tmp_path, content, reason):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(Error, match=reason):
        read_text(path, Words(), min_tokens=3)


def test_no_text(tmp_path):
    with pytest.raises(Error, match="does not exist"):
        read_text(tmp_path / "none.txt", Words())
    with pytest.raises(Error, match="is a directory"):
        read_text(tmp_path, Words())


def check(calibration, evaluation):
    sketch = Sketch.of("calibration.txt", calibration)
    refuse_overlap(sketch, Text("evaluation.txt", evaluation, []))


def test_same_content_is_refused():
    # Case, layout and punctuation are no difference; neither is a text of few words.
    with pytest.raises(Error, match=r"is the calibration text \(calibration.txt\)"):
        check(words(0, 500), words(0, 500).upper().replace(" ", ",\n"))
    with pytest.raises(Error, match="is the calibration text"):
        check("a few words", "A few words.")


@pytest.mark.parametrize("size", [500, 50000])
def test_overlap_is_refused(size):
    calibration = words(0, size)
    with pytest.raises(Error, match=r"[12]\d% of evaluation.txt is in the calibration text"):
        check(calibration, words(size - size // 5, size))
    check(calibration, words(size, size))


def test_sketch_is_small_and_survives_json():
    sketch = Sketch.of("text", words(0, 50000))
    assert 500 < len(sketch.hashes) < 4096
    assert Sketch.from_json(sketch.to_json()) == sketch
