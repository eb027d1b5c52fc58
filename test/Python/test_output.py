"""Outputs appear complete or not at all."""

import pytest
from ssmq.errors import Error
from ssmq.output import new_directory


def test_complete(tmp_path):
    with new_directory(tmp_path / "out") as scratch:
        (scratch / "file").write_text("x")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "file").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(Error), new_directory(tmp_path / "out") as scratch:
        (scratch / "file").write_text("x")
        raise Error("no")
    assert not list(tmp_path.iterdir())


def test_existing_output_is_kept(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(Error, match="out exists"), new_directory(tmp_path / "out"):
        pass
    with pytest.raises(Error, match="none is not a directory"):
        with new_directory(tmp_path / "none" / "out"):
            pass
