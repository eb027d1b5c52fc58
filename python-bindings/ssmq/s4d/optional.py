"""Packages that only S4D needs."""

import importlib
from types import ModuleType

from ..errors import Error


def require(name: str, purpose: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise Error(f"{purpose} needs the package {name.partition('.')[0]}; install "
                    "'ssmq[s4d]'") from error
