"""The tables and curves of a sweep, as Markdown and as one picture."""

from pathlib import Path

from .pictures import save_chart


def to_markdown(document: dict) -> str:
    original = document["original"]
    lines = [f"{document['model']}: {_percent(original['accuracy'])} % of {document['sequences']} "
             f"test sequences right (± {_percent(original['error'])}) in f32. Accuracy in % with "
             "one component rounded:", ""]
    bits = [point["bits"] for point in document["curves"][0]["points"]]
    lines += ["| component | shared by | " + " | ".join(f"{one} bit" for one in bits) + " |",
              "|---|---|" + "---:|" * len(bits)]
    for curve in document["curves"]:
        cells = [_percent(point["accuracy"]) for point in curve["points"]]
        lines.append(f"| {curve['component']} | {curve['curve']} | " + " | ".join(cells) + " |")
    lines += _list_unstable(document["curves"])
    lines += ["", "W4A6 with A and the state in more bits: accuracy in %, and bytes of parameters "
              f"and states ({document['bytesInF32']} in f32):", ""]
    states = list(dict.fromkeys(cell["state"] for cell in document["grid"]))
    lines += ["| A \\ state | " + " | ".join(states) + " |", "|---|" + "---:|" * len(states)]
    for a in dict.fromkeys(cell["a"] for cell in document["grid"]):
        row = [f"{_percent(cell['accuracy'])} ({cell['bytes']} B)" for cell in document["grid"]
               if cell["a"] == a]
        lines.append(f"| {a} | " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def _list_unstable(curves: list[dict]) -> list[str]:
    """Heads whose rounded A lets states grow."""
    found = [curve for curve in curves if any("unstable" in point for point in curve["points"])]
    if not found:
        return []
    bits = [point["bits"] for point in found[0]["points"]]
    lines = ["", "Heads with |A| >= 1 after rounding, and the largest |A|:", "",
             "| A shared by | " + " | ".join(f"{one} bit" for one in bits) + " |",
             "|---|" + "---:|" * len(bits)]
    for curve in found:
        cells = []
        for point in curve["points"]:
            most = max((one["magnitude"] for one in point["unstable"]), default=None)
            cells.append(f"{len(point['unstable'])} ({most:.4f})" if most else "0")
        lines.append(f"| {curve['curve']} | " + " | ".join(cells) + " |")
    return lines


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def write_picture(document: dict, path: Path) -> None:
    """Accuracy against bits, a panel a component."""
    import altair as alt

    points = [{"component": curve["component"], "curve": curve["curve"], "bits": point["bits"],
               "accuracy %": 100 * (point["accuracy"] or 0)}
              for curve in document["curves"] for point in curve["points"]]
    chart = alt.Chart(alt.Data(values=points)).mark_line(point=True).encode(
        x=alt.X("bits:O", title="bits"),
        y=alt.Y("accuracy %:Q", scale=alt.Scale(domain=[0, 100])),
        color=alt.Color("curve:N", title=None),
    ).properties(width=180, height=130).facet(alt.Facet("component:N", title=None, sort=None),
                                             columns=4)
    save_chart(chart, path)
