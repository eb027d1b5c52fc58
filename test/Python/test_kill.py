"""A measurement that is killed at any moment goes on where it was cut, and ends in the same bytes."""

import random
import signal
import time

from process import start
from tiny import make_model, make_text

KILLS = 4


def wait_until_size(work, journal, size):
    """Until the journal has so many bytes, or the process ends."""
    while work.poll() is None and (not journal.exists() or journal.stat().st_size < size):
        time.sleep(0.001)


def test_kill_and_go_on(run, tmp_path):
    generator = random.Random(1)
    model = make_model(tmp_path / "model")
    text = make_text(tmp_path / "text.txt", 1, words=4000)
    measure = ["measure", model, "--calibration", text, "--sequence-length", "16",
               "--num-sequences", "0", "--formats", "int4:channel,int8:channel", "-o"]
    whole, table = tmp_path / "whole.json", tmp_path / "table.json"
    journal = tmp_path / "table.json.journal"
    assert run(*measure, whole)[0] == 0

    before = 0
    for _ in range(KILLS):
        work = start(*measure, table)
        # A journal line is about as long as the row's share of the table, so that all of the kills
        # come before the end.
        wait_until_size(work, journal, before + generator.uniform(0, whole.stat().st_size / KILLS))
        work.send_signal(signal.SIGKILL)
        work.communicate()
        assert work.returncode == -signal.SIGKILL and not table.exists()
        # Bytes that were not on the disk yet are lost with the power.
        kept = journal.stat().st_size - generator.randint(0, 40)
        with open(journal, "r+b") as file:
            file.truncate(kept)
        assert kept > before
        before = kept

    code, _, error = run(*measure, table)
    assert code == 0, error
    assert table.read_bytes() == whole.read_bytes()
    assert not journal.exists()
