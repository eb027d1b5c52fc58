"""The commands and their options; the work is done in the modules beside this folder."""

from . import (  # in the order of the help
    measuring, tables, assigning, quantizing, deploying, programs, benching, sequences, demo)
from .options import app

__all__ = ["app"]
