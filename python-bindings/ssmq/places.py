"""Where in the model a site is, from its name.

`model.layers.3.mamba.in_proj:weight` is in layer 3 and has the role `in_proj`: the last part of the
path, with the operand behind it where that is not the weight (`in_proj:input`). The same place of
every layer has the same role; where two places of a layer would share one, the path is longer
(`shared_mlp.in_proj`). Sites outside the layers are before or after them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

BEFORE, AFTER = "pre", "post"


@dataclass(frozen=True)
class Place:
    # A number, or BEFORE or AFTER.
    layer: str
    role: str

    @property
    def label(self) -> str:
        """Short, and of this site alone."""
        return f"L{self.layer} {self.role}" if self.layer.isdigit() else self.role


@dataclass(frozen=True)
class _Path:
    layer: str | None
    parts: tuple[str, ...]
    operand: str


def _split(name: str) -> _Path:
    path, _, operand = name.partition(":")
    parts = path.split(".")
    operand = "" if operand in ("", "weight") else f":{operand}"
    # The first number is the layer; a later one, as of an expert, belongs to the role.
    at = next((i for i, part in enumerate(parts) if re.fullmatch("[0-9]{1,6}", part)), None)
    if at is None or at + 1 == len(parts):
        return _Path(None, tuple(parts), operand)
    return _Path(str(int(parts[at])), tuple(parts[at + 1:]), operand)


def name_places(names: Sequence[str]) -> dict[str, Place]:
    """Of sites in the order of the model; no two get the same place."""
    paths = [_split(name) for name in names]
    first = next((i for i, path in enumerate(paths) if path.layer is not None), len(paths))
    layers = [path.layer or (BEFORE if index < first else AFTER)
              for index, path in enumerate(paths)]
    # The shortest end of each path that no other path of its layer has.
    ends: dict[tuple[str, ...], str] = {}
    distinct = {(layer, path.parts) for layer, path in zip(layers, paths, strict=True)}
    for length in range(1, max((len(path.parts) for path in paths), default=0) + 1):
        used = Counter((layer, parts[-length:]) for layer, parts in distinct)
        shared = {end for (_, end), count in used.items() if count > 1}
        for path in paths:
            if path.parts[-length:] not in shared:
                ends.setdefault(path.parts, ".".join(path.parts[-length:]))
    places = [Place(layer, ends[path.parts] + path.operand)
              for layer, path in zip(layers, paths, strict=True)]
    count = Counter(places)
    return {name: place if count[place] == 1 else Place(place.layer, name)
            for place, name in zip(places, names, strict=True)}
