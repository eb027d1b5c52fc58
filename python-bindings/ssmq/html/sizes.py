"""What the page knows of results, ready for JSON."""

from ..report import with_error
from ..results import Point, Results
from ..tables import describe_size


def make_results(results: Results) -> dict:
    series = list(dict.fromkeys(point.series for point in results.points))
    return {"summary": f"{results.model}, perplexity {with_error(results.perplexity, 2)} on "
                       f"{results.num_scored:,} tokens of {results.evaluation}; whiskers are one "
                       "standard error over sequences.",
            "points": [make_point(point, series.index(point.series))
                       for point in results.points]}


def make_point(point: Point, order: int) -> dict:
    """A row of the charts `sizes`."""
    kl, ratio = point.kl, point.perplexity_ratio
    has_kl = kl.mean > 0  # a logarithmic axis has no other place
    return {"series": point.series, "seriesOrder": order, "label": point.label,
            "bits": point.bits, "size": f"{describe_size(point.bytes)}, {point.bits:.2f} bits",
            "kl": kl.mean if has_kl else None,
            "klLow": max(kl.mean - kl.standard_error, kl.mean / 10) if has_kl else None,
            "klHigh": kl.mean + kl.standard_error if has_kl else None,
            "klText": with_error(kl, 5),
            "ratio": ratio.mean, "ratioLow": ratio.mean - ratio.standard_error,
            "ratioHigh": ratio.mean + ratio.standard_error, "ratioText": with_error(ratio, 4)}
