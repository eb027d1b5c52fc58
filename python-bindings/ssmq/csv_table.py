"""A sensitivity table as CSV: a line for each row, in full precision, empty where a number misses.

A spreadsheet runs a cell that begins with = + - or @ as a formula, and names come from files that
somebody else may have made: such a name gets a quote before it, as OWASP advises. No name of a
PyTorch module begins so.
"""

import csv
import io
import math
from pathlib import Path

from .judged import KL, JudgedRow, judge, read_table

FIXED = ["site", "kind", "layer", "role", "format", "method", "bits", "bytes", "elements",
         "sequences", "positions", KL, f"{KL}_standardError", f"{KL}_low", f"{KL}_high",
         "rank_low", "rank_high", "belowNoiseFloor"]


def format(path: Path) -> str:
    table = read_table(path)
    others = [name for name in dict.fromkeys(name for row in table.rows for name in row.estimates)
              if name != KL]
    judged = {(one.row.site, one.row.format): one for name in table.formats
              for one in judge(table, table.select(name))}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(FIXED + [column for name in others
                             for column in (name, f"{name}_standardError")])
    for row in table.rows:
        writer.writerow(map(_guard, _make_cells(judged[row.site, row.format], others)))
    return text.getvalue()


def _make_cells(one: JudgedRow, others: list[str]) -> list[object]:
    row, ranks = one.row, one.ranks or (None, None)
    cells = [row.site, one.site.kind, one.place.layer, one.place.role, row.format, one.method,
             one.bits, row.bytes, one.site.elements, len(row.sequences),
             int(row.sums["positions"].sum()) if "positions" in row.sums else 0,
             one.kl, _get(row.estimates, KL, "standard_error"), *one.interval, *ranks,
             int(one.is_below_floor)]
    for name in others:
        cells += [_get(row.estimates, name, "mean"), _get(row.estimates, name, "standard_error")]
    return cells


def _get(estimates: dict, name: str, part: str) -> float | None:
    return getattr(estimates[name], part) if name in estimates else None


def _guard(cell: object) -> object:
    if isinstance(cell, float):
        return repr(cell) if math.isfinite(cell) else None
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + cell
    return cell
