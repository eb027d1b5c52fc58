"""How much of one text is in another, from a small sketch of the other.

A text is the set of its runs of 12 words. A sketch keeps the runs whose hash is a multiple of a
power of two, so that a long text keeps about two thousand; the share of them that recurs estimates
the share of all (Broder, On the resemblance and containment of documents, 1997, section 3).
"""

import hashlib
import re
from dataclasses import dataclass

WORDS = 12
KEPT = 2048


def _runs(text: str) -> set[int]:
    words = re.findall(r"\w+", text.lower())
    count = max(1, len(words) - WORDS + 1)
    return {
        int.from_bytes(hashlib.blake2b(" ".join(words[i:i + WORDS]).encode(),
                                       digest_size=8).digest(), "big")
        for i in range(count)
    }


@dataclass
class Sketch:
    name: str
    modulus: int
    hashes: set[int]

    @staticmethod
    def of(name: str, text: str) -> "Sketch":
        runs = _runs(text)
        modulus = 1
        while len(runs) > KEPT * modulus:
            modulus *= 2
        return Sketch(name, modulus, {run for run in runs if run % modulus == 0})

    def share_in(self, text: str) -> float:
        """The share of the runs of `text` that this sketch's text has too."""
        runs = _runs(text)
        kept = {run for run in runs if run % self.modulus == 0}
        return len(kept & self.hashes) / len(kept) if kept else 0.0

    def to_json(self) -> dict:
        return {"name": self.name, "modulus": self.modulus, "hashes": sorted(self.hashes)}

    @staticmethod
    def from_json(value: dict) -> "Sketch":
        return Sketch(str(value["name"]), int(value["modulus"]), set(map(int, value["hashes"])))
