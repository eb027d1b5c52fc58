"""A configuration of torchao for each module, in the form of torchao.core.config.config_to_dict:
config_from_dict makes an FqnToConfig of it, which quantize_ and transformers' TorchAoConfig take.
"""

import json

from .choices import KEEP, Choice, Match, StoredFormat, describe_sharing

_NEAR = {"nf4": (4, 64, "int4"), "mxfp4": (4, 32, "int4: a float for a scale"),
         "f8E4M3": (8, 0, "int8: a scale for a row"),
         "f8E5M2": (8, 0, "int8: a scale for a row")}
_FLOATS = ("f16", "bf16")


def find(choice: Choice) -> Match:
    """The integer format."""
    format = choice.format
    if format.spelling == KEEP:
        return Match(None)
    if not choice.is_matrix:
        return Match(None, "only weights of linear layers and embeddings are quantized")
    if format.bits and choice.has_whole_groups(format.group):
        return Match(format)
    if format.bits:
        return Match(StoredFormat(format.spelling, format.bits, format.is_symmetric),
                     f"rows of {choice.columns} columns are no whole groups, "
                     + describe_sharing(0))
    if format.name in _NEAR:
        bits, group, difference = _NEAR[format.name]
        group = group if choice.has_whole_groups(group) else 0
        return Match(StoredFormat(format.spelling, bits, group=group), difference)
    if format.name in _FLOATS:
        return Match(None, "stays in the type that the model is loaded in")
    return Match(None, "there is nothing like it")


def _describe(format: StoredFormat) -> dict:
    granularity = {"_type": "PerGroup", "_version": 1, "_data": {"group_size": format.group}} \
        if format.group else {"_type": "PerAxis", "_version": 1, "_data": {"axis": 0}}
    mapping = "SYMMETRIC" if format.is_symmetric else "ASYMMETRIC"
    return {"_type": "IntxWeightOnlyConfig", "_version": 2, "_data": {
        "weight_dtype": {"_type": "torch.dtype", "_data": f"int{format.bits}"},
        "granularity": granularity,
        "mapping_type": {"_type": "MappingType", "_data": mapping}}}


def render(found: list[tuple[Choice, Match]]) -> str:
    """Modules that are not named stay as they are."""
    modules = {choice.module: _describe(one.value) for choice, one in found if one.value}
    return json.dumps({"_type": "FqnToConfig", "_version": 1,
                       "_data": {"fqn_to_config": modules}}, indent=1) + "\n"
