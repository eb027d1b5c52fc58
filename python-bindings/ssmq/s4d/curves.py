"""Learning curves, of the training.jsonl that trainings write."""

import json
from pathlib import Path

from ..errors import Error
from .pictures import save_chart

_SERIES = {"train": "accuracy %", "validation": "accuracy %", "loss": "loss"}


def read_curve(run: Path) -> list[dict]:
    """A record for each epoch: epoch, loss, train, validation."""
    path = run / "training.jsonl"
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Error(f"{path} is not a learning curve: {error}") from error
    for record in records:
        if not isinstance(record, dict) or not all(
                isinstance(record.get(name), int | float) for name in ("epoch", *_SERIES)):
            raise Error(f"{path} is not a learning curve: a line lacks epoch, loss, train or "
                        "validation")
    if not records:
        raise Error(f"{path} holds no epoch")
    return records


def write_picture(runs: list[Path], path: Path) -> None:
    """Accuracy and loss against epochs, a colour a run."""
    import altair as alt

    points = [{"run": run.name, "epoch": record["epoch"], "of": name, "axis": axis,
               "value": record[name] * (100 if axis == "accuracy %" else 1)}
              for run in runs for record in read_curve(run) for name, axis in _SERIES.items()]

    def draw(axis: str) -> alt.Chart:
        shown = [point for point in points if point["axis"] == axis]
        return alt.Chart(alt.Data(values=shown)).mark_line().encode(
            x=alt.X("epoch:Q"), y=alt.Y("value:Q", title=axis), color=alt.Color("run:N", title=None),
            strokeDash=alt.StrokeDash("of:N", title=None)).properties(width=300, height=200)

    save_chart((draw("accuracy %") | draw("loss")).resolve_scale(strokeDash="shared"), path)
