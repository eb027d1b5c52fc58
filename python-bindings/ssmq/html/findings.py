"""Where the loss sits: shares of the summed KL, and the same in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..judged import JudgedRow
from ..places import BEFORE


@dataclass(frozen=True)
class Share:
    name: str
    share: float


def get_loss(row: JudgedRow) -> float:
    """A KL below zero is rounding."""
    return max(0.0, row.kl or 0.0)


def share_by(rows: Sequence[JudgedRow], get_name: Callable[[JudgedRow], str]) -> list[Share]:
    """The largest first; nothing where there is no loss."""
    sums: dict[str, float] = {}
    for row in rows:
        sums[get_name(row)] = sums.get(get_name(row), 0.0) + get_loss(row)
    total = sum(sums.values())
    if total <= 0:
        return []
    return [Share(name, sums[name] / total) for name in sorted(sums, key=lambda name: -sums[name])]


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.0995 else f"{share * 100:.1f} %"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _count_until(shares: Sequence[Share], part: float) -> int:
    held = 0.0
    for count, one in enumerate(shares, 1):
        held += one.share
        if held >= part - 1e-12:
            return count
    return len(shares)


def _name_layer(layer: str) -> str:
    if layer.isdigit():
        return f"layer {layer}"
    return f"{'before' if layer == BEFORE else 'after'} the layers"


def describe(title: str, rows: Sequence[JudgedRow], num_sites: int) -> list[str]:
    """Sentences on rows that were judged together, one for each site."""
    sites = share_by(rows, lambda row: row.place.label)
    where = (f"{len(rows)} of {_plural(num_sites, 'site')}" if len(rows) < num_sites else
             f"all {num_sites} sites" if num_sites > 1 else "the one site") + f", {title}"
    unusable = [row.place.label for row in rows if row.row.is_unusable]
    lost = [f"The model overflows with {_plural(len(unusable), 'site')} of these, which "
            f"{'has' if len(unusable) == 1 else 'have'} no KL: {', '.join(unusable[:3])}"
            f"{' ...' if len(unusable) > 3 else '.'}"] if unusable else []
    if not sites:
        return lost or [f"No KL above zero: {where}."]
    total = sum(map(get_loss, rows))
    result = [f"Summed KL {total:.3g} nats a token: {where}, each rounded alone.", *lost]
    if len(rows) == 1:
        return result
    half, most = _count_until(sites, 0.5), _count_until(sites, 0.9)
    result.append(f"{sites[0].name} holds {_percent(sites[0].share)} of it. "
                  f"{_plural(half, 'site')} {'holds' if half == 1 else 'hold'} half, "
                  f"{most} hold{'s' if most == 1 else ''} 90 %.")
    layers = share_by(rows, lambda row: _name_layer(row.place.layer))
    roles = share_by(rows, lambda row: row.place.role)
    kinds = share_by(rows, lambda row: row.site.kind)
    result.append("By layer: " + _list(layers) + ". By kind of site: " + _list(roles) + ".")
    if len(kinds) > 1:
        result.append("By kind of value: " + _list(kinds, len(kinds)) + ".")
    result.append(_describe_order(rows))
    return result


def _list(shares: Sequence[Share], most: int = 3) -> str:
    return ", ".join(f"{one.name} {_percent(one.share)}" for one in shares[:most])


def _describe_order(rows: Sequence[JudgedRow]) -> str:
    ranked = [row for row in rows if row.ranks]
    certain = sum(row.ranks[0] == row.ranks[1] for row in ranked)
    below = sum(row.is_below_floor for row in ranked)
    text = (f"The data fix the rank of all {len(ranked)} sites" if certain == len(ranked) else
            f"The data fix the rank of {certain} of {len(ranked)} sites; the others "
            "have ties" if certain else
            f"The data fix no rank: all {len(ranked)} sites have ties")
    if below:
        verb = "lies" if below == 1 else "lie"
        text += f". {below} {verb} below the noise floor, where order means nothing"
    return text + "."
