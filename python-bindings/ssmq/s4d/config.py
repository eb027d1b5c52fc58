"""config.json of a checkpoint with `model_type: s4d`."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Error

MODEL_TYPE = "s4d"
ARCHITECTURE = "S4DForSequenceClassification"
_CHOICES = {"discretization": ("zoh", "bilinear"), "parameterization": ("continuous", "discrete"),
            "activation": ("qgelu", "gelu"), "mixing": ("glu", "linear"),
            "norm": ("none", "layer"), "pooling": ("mean", "last")}
_MOST = {"d_input": 1 << 16, "d_model": 1 << 16, "d_state": 1 << 16, "n_layers": 256,
         "num_labels": 1 << 16}


@dataclass(frozen=True)
class Config:
    """The defaults are the model of arXiv 2506.12480 with 16 heads."""

    d_input: int = 1
    d_model: int = 16
    d_state: int = 64
    n_layers: int = 1
    discretization: str = "zoh"
    parameterization: str = "continuous"
    activation: str = "qgelu"
    mixing: str = "glu"
    norm: str = "none"
    layer_norm_eps: float = 1e-5
    residual: bool = True
    pooling: str = "mean"
    num_labels: int = 10
    id2label: dict[int, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if type(value) is not int or not 0 < value <= most:
                raise Error(f"the config's {name} must be an integer in 1..{most}, not {value!r}")
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise Error(f"the config's {name} must be {' or '.join(choices)}, not {value!r}")
        if self.d_state % 2:
            raise Error(f"the config's d_state must be even, as states come in conjugate pairs, "
                        f"not {self.d_state}")

    @property
    def num_pairs(self) -> int:
        return self.d_state // 2

    def to_json(self) -> str:
        fields = dataclasses.asdict(self)
        labels = fields.pop("id2label") or {i: str(i) for i in range(self.num_labels)}
        return json.dumps({"model_type": MODEL_TYPE, "architectures": [ARCHITECTURE], **fields,
                           "torch_dtype": "float32",
                           "id2label": {str(i): name for i, name in labels.items()}},
                          indent=2) + "\n"


def read_config(path: Path) -> Config:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Error(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("model_type") != MODEL_TYPE:
        raise Error(f"{path} does not say \"model_type\": \"{MODEL_TYPE}\"")
    fields = {one.name: document[one.name] for one in dataclasses.fields(Config)
              if one.name in document}
    labels = fields.get("id2label", {})
    if not isinstance(labels, dict) or not all(
            key.isdecimal() and isinstance(name, str) for key, name in labels.items()):
        raise Error(f"{path}: id2label must name labels by number")
    fields["id2label"] = {int(key): name for key, name in labels.items()}
    if not isinstance(fields.get("layer_norm_eps", 0.0), (int, float)):
        raise Error(f"{path}: layer_norm_eps must be a number")
    if not isinstance(fields.get("residual", True), bool):
        raise Error(f"{path}: residual must be true or false")
    try:
        return Config(**fields)
    except Error as error:
        raise Error(f"{path}: {error}") from error
