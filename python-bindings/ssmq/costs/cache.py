"""Measurements that stay on this machine: a small file for each, named after the hash of all that
decides the time (target, lowering, shape, format, sweep, version)."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from ..errors import Error
from ..output import write_file
from .timing import Times

# Counts up when times are measured in another way.
_MEASUREMENT = 1


def get_directory() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "ssmq" / "costs"


class Cache:
    """`keeps` is False for times that are computed anew each time."""

    def __init__(self, target: dict, is_fresh: bool, keeps: bool = True):
        self.target = target
        self.is_fresh = is_fresh or not keeps
        self.keeps = keeps
        self.num_measured = 0

    def get(self, what: dict, measure: Callable[[], Times]) -> Times | str:
        """Times, or why there are none."""
        key = json.dumps([_MEASUREMENT, self.target, what], sort_keys=True)
        path = get_directory() / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"
        if not self.is_fresh:
            try:
                known = json.loads(path.read_text())
                return known["reason"] if "reason" in known else Times(
                    float(known["decode"]), float(known["prefill"]))
            except (OSError, ValueError, KeyError, TypeError):
                pass  # Not there, or damaged: it is measured.
        self.num_measured += 1
        try:
            result = measure()
            known = vars(result)
        except Error as error:
            # Without the place, which is a file of the moment, and the op.
            result = re.sub(r'loc\([^()]*\): ', "", str(error)).split(" (see current")[0]
            known = {"reason": result}
        if self.keeps:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, json.dumps({"key": key, **known}))
        return result
