"""The package as built here: SSMQ_BUILD names another build directory."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SSMQ_BUILD", ROOT / "build" / "release"))
sys.path[:0] = [str(ROOT / "python-bindings"), str(BUILD / "python")]
