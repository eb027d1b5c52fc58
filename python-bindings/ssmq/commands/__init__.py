"""The commands and their options; the work is done in the modules beside this folder."""

from . import measuring, tables, assigning, quantizing, deploying, programs, benching, demo  # in the order of the help
from .options import app

__all__ = ["app"]
