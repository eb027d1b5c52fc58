"""ssmq: measures, chooses and compiles quantization formats of hybrid SSM/attention models."""

from .errors import Error
from .model import Model, load
from .program import Estimate, Evaluation, Program, State, Throughput

__version__ = "0.1.0"
__all__ = ["Error", "Estimate", "Evaluation", "Model", "Program", "State", "Throughput", "load"]
