"""What the page knows of a table, ready for JSON. Numbers have six digits, or are null.

A view is what the page shows at a time, judged among themselves: the rows of one format, the best
of each site within so many bits, or those that an assignment chose.
"""

import math
from collections.abc import Sequence

from .. import statistics
from ..judged import KL, JudgedRow, get_bits, judge
from ..places import name_places
from ..sensitivity import Row, SensitivityTable
from .findings import describe, share_by

ESTIMATE_TITLES = {
    "reverseKL": "KL(q‖p)", "meanSquaredError": "MSE", "signalToNoise": "SQNR, dB",
    "crossEntropyChange": "Δ cross-entropy", "perplexityChange": "Δ perplexity",
    "crossEntropyCorrelation": "correlation of ln p", "probabilityChange": "mean Δp",
    "rmsProbabilityChange": "RMS Δp", "sameTop1": "same top-1",
    "teacherCrossEntropy": "cross-entropy before"}

# Bits of the views that compare sites which share no format: what is near 4 and near 8.
LIMITS = (5, 9)


def _round(value: float | None) -> float | None:
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def make_table(table: SensitivityTable, assignment: dict[str, str] | None) -> dict:
    sites = {site.name: index for index, site in enumerate(table.sites)}
    indices = {(row.site, row.format): index for index, row in enumerate(table.rows)}
    extra = [name for name in dict.fromkeys(name for row in table.rows for name in row.estimates)
             if name != KL]
    judged: list[JudgedRow | None] = [None] * len(table.rows)
    views = []
    for format in _order_formats(table):
        rows = judge(table, table.select(format))
        for row in rows:
            judged[indices[row.row.site, format]] = row
        views.append(_make_view(format, rows, indices, len(sites)))
    for limit in LIMITS if all(len(view["rows"]) < len(sites) for view in views) else ():
        rows = judge(table, _choose_best(table, limit))
        if rows:
            views.append(_make_view(f"best up to {limit} bits", rows, indices, len(sites), True))
    if assignment is not None:
        chosen = [row for row in table.rows if assignment.get(row.site) == row.format]
        views.append(_make_view("as assigned", judge(table, chosen), indices, len(sites), True))
    floors = [{"name": row.format, "kl": _round(row.estimates[KL].mean)}
              for row in table.noise_floor if KL in row.estimates]
    return {
        "name": table.run["model"],
        "file": table.path.name,
        "calibration": table.run["calibration"],
        "facts": describe_run(table),
        "gaps": table.gaps,
        "floor": _round(statistics.get_floor(table.noise_floor)),
        "floors": floors,
        "sites": _make_sites(table),
        "extra": [{"name": name, "title": ESTIMATE_TITLES.get(name, name)} for name in extra],
        "rows": [_make_row(row, sites, extra) for row in judged if row],
        "views": views,
        "start": _choose_start(views, assignment is not None),
        "assignment": None if assignment is None else
            [assignment.get(site.name) for site in table.sites]}


def describe_run(table: SensitivityTable) -> list[tuple[str, str]]:
    """What was measured on what, for the head of the page."""
    run = table.run
    predicted, unusable = sum(row.is_predicted for row in table.rows), len(table.unusable)
    sequences, length = run["numSequences"], run["sequenceLength"]
    return [("Parameters", f"{table.num_parameters:,}"),
            ("Calibration", run["calibration"]),
            ("Tokens", f"{sequences} × {length}"),
            ("Sites", f"{len(table.sites)}"),
            ("Formats", f"{len({row.format for row in table.rows})}"),
            ("Measured rows", f"{len(table.rows) - predicted - unusable:,}"),
            ("Predicted rows", f"{predicted:,}"),
            *([("Rows that overflow", f"{unusable:,}")] if unusable else [])]


def _make_sites(table: SensitivityTable) -> list[dict]:
    places = name_places([site.name for site in table.sites])
    return [{"name": site.name, "label": places[site.name].label, "kind": site.kind,
             "layer": places[site.name].layer, "role": places[site.name].role,
             "elements": site.elements} for site in table.sites]


def _make_row(row: JudgedRow, sites: dict[str, int], extra: Sequence[str]) -> list:
    """Site, format, bytes, bits, method, KL, its interval, below the floor?, further estimates."""
    estimates = row.row.estimates
    return [sites[row.row.site], row.row.format, row.row.bytes, _round(row.bits), row.method,
            _round(row.kl), _round(row.interval[0]), _round(row.interval[1]), row.is_below_floor,
            *(_round(estimates[name].mean) if name in estimates else None for name in extra)]


def _order_formats(table: SensitivityTable) -> list[str]:
    """From few bits to many, over the sites that have them."""
    elements = {site.name: site.elements for site in table.sites}

    def get_bits(format: str) -> float:
        rows = table.select(format)
        return sum(row.bytes for row in rows) / max(1, sum(elements[row.site] for row in rows))

    return sorted(dict.fromkeys(row.format for row in table.rows),
                  key=lambda name: (get_bits(name), name))


def _make_view(title: str, rows: list[JudgedRow], indices: dict[tuple[str, str], int],
               num_sites: int, is_mixed: bool = False) -> dict:
    def shares(get_name) -> list[tuple[str, float | None]]:
        return [(one.name, _round(one.share)) for one in share_by(rows, get_name)]

    return {"title": title,
            "isMixed": is_mixed,
            "sentences": describe(title, rows, num_sites),
            "rows": [indices[row.row.site, row.row.format] for row in rows],
            "ranks": [row.ranks for row in rows],
            "tied": [row.is_tied for row in rows],
            "layers": shares(lambda row: row.place.layer),
            "roles": shares(lambda row: row.place.role)}


def _choose_best(table: SensitivityTable, limit: float) -> list[Row]:
    """The row of least KL of each site that has one of at most so many bits."""
    sites = {site.name: site for site in table.sites}
    best: dict[str, Row] = {}
    for row in table.rows:
        bits, kl = get_bits(row, sites[row.site]), row.estimates.get(KL)
        if bits is None or bits > limit or kl is None or not math.isfinite(kl.mean):
            continue
        if row.site not in best or kl.mean < best[row.site].estimates[KL].mean:
            best[row.site] = row
    return [best[name] for name in sites if name in best]


def _choose_start(views: Sequence[dict], has_assignment: bool) -> int:
    """The assignment; or what compares the most sites: the first that mixes formats, or else the
    format of the most sites, of several the coarsest."""
    if has_assignment:
        return len(views) - 1
    mixed = [index for index, view in enumerate(views) if view["isMixed"]]
    most = max(len(view["rows"]) for view in views)
    return (mixed or [index for index, view in enumerate(views) if len(view["rows"]) == most])[0]
