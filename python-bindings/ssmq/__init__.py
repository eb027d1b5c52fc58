"""ssmq: measures, chooses and compiles quantization formats of hybrid SSM/attention models."""

try:
    import _ssmq as _ssmq
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("the module _ssmq is not built: run scripts/demo, "
                              "ninja -C build/release _ssmq, or pip install .") from error

from . import formats
from .errors import Error
from .model import Model, load
from .program import Estimate, Evaluation, Program, State, Throughput

__version__ = "0.1.0"
__all__ = ["formats", "Error", "Estimate", "Evaluation", "Model", "Program", "State", "Throughput", "load"]
