// RUN: rm -rf %t && mkdir -p %t
// RUN: split-file %s %t
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t/model
// RUN: ssmq-translate --import-hf %t/model -o %t/program.mlir
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/mix.json" --ssmq-quantize=output=%t/packed.safetensors -o %t/quantized.mlir
// RUN: ssmq-opt %t/quantized.mlir --ssmq-validate="assignment=%t/mix.json original=%t/model" -o /dev/null 2>&1 | FileCheck %t/proven.check
// RUN: ssmq-opt %t/quantized.mlir --ssmq-validate="assignment=%t/mix.json" -o /dev/null 2>&1 | FileCheck %t/forms.check
// The same in tiles.
// RUN: ssmq-opt %t/quantized.mlir --ssmq-tile-weights=output=%t/tiled.safetensors -o %t/tiled.mlir
// RUN: grep -c 'tile_rows = 16' %t/tiled.mlir
// RUN: ssmq-opt %t/tiled.mlir --ssmq-validate="assignment=%t/mix.json original=%t/model" -o /dev/null 2>&1 | FileCheck %t/proven.check
// RUN: not ssmq-opt %t/tiled.mlir --ssmq-validate="assignment=%t/other.json" -o /dev/null 2>&1 | FileCheck %t/errors.check

// Another assignment, site by site.
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-validate="assignment=%t/other.json" -o /dev/null 2> %t/errors
// RUN: FileCheck %t/errors.check < %t/errors

// Other weights, a file without codes, another model.
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t/changed shape=lm_head.weight
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-validate="assignment=%t/mix.json original=%t/changed" -o /dev/null 2>&1 | FileCheck %t/shape.check
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/coarse.json" --ssmq-quantize=output=%t/coarse.safetensors -o /dev/null
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-validate="assignment=%t/mix.json checkpoint=%t/coarse.safetensors original=%t/model" -o /dev/null 2>&1 | FileCheck %t/values.check
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-validate="assignment=%t/mix.json checkpoint=%t/model original=%t/model" -o /dev/null 2>&1 | FileCheck %t/codes.check
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-validate -o /dev/null 2>&1 | FileCheck %t/needs.check
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-validate="assignment=%t/unknown.json" -o /dev/null 2>&1 | FileCheck %t/unknown.check

//--- mix.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i4 asym group=4"},
  {"site": "model.layers.0.mamba.in_proj:input", "format": "i8 sym per_token"},
  {"site": "model.layers.0.mamba.out_proj:weight", "format": "f8E4M3 per_channel"},
  {"site": "model.layers.0.mamba.conv1d:cache", "format": "i8 sym per_token"},
  {"site": "model.layers.0.mamba.scan:state", "format": "i8 asym per_head"},
  {"site": "model.layers.0.mamba.scan:a", "format": "bf16"},
  {"site": "model.layers.0.mamba.scan:d", "format": "i8 sym per_tensor"},
  {"site": "model.layers.0.input_layernorm:weight", "format": "bf16"},
  {"site": "lm_head:weight", "format": "i8 sym per_channel"}]}
//--- proven.check
CHECK: remark: 9 sites are in their formats, {{[0-9]+}} are kept; 5 weights hold the original's values, rounded; 1 that are computed from weights are not compared
//--- forms.check
CHECK: remark: 9 sites are in their formats, {{[0-9]+}} are kept{{$}}

//--- other.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i4 sym group=4"},
  {"site": "model.layers.0.mamba.in_proj:input", "format": "keep"},
  {"site": "model.layers.0.mamba.out_proj:weight", "format": "f8E5M2 per_channel"},
  {"site": "model.layers.0.mamba.conv1d:cache", "format": "f16"},
  {"site": "model.layers.0.mamba.scan:a", "format": "f16"},
  {"site": "model.layers.0.mamba.scan:d", "format": "i8 sym per_tensor"},
  {"site": "model.layers.1.self_attn:query", "format": "i8 sym per_token"},
  {"site": "model.layers.0.input_layernorm:weight", "format": "bf16"},
  {"site": "lm_head:weight", "format": "i8 sym group=4"}]}
//--- errors.check
CHECK-DAG: error: site 'model.layers.0.mamba.in_proj:weight' is assigned 'i4 sym group=4', but is in 'i4 asym group=4'
CHECK-DAG: error: site 'model.layers.0.mamba.in_proj:input' is assigned 'keep', but is in 'i8 sym per_token'
CHECK-DAG: error: site 'model.layers.0.mamba.out_proj:weight' is assigned 'f8E5M2 per_channel', but is in 'f8E4M3 per_channel'
CHECK-DAG: error: site 'model.layers.0.mamba.conv1d:cache' is assigned 'f16', but is in 'i8 sym per_token'
CHECK-DAG: error: site 'model.layers.0.mamba.scan:state' is assigned 'keep', but is in 'i8 asym per_head'
CHECK-DAG: error: site 'model.layers.0.mamba.scan:a' is assigned 'f16', but is in 'bf16'
CHECK-DAG: error: site 'model.layers.1.self_attn:query' is assigned 'i8 sym per_token', but is in no format
CHECK-DAG: error: site 'lm_head:weight' is assigned 'i8 sym group=4', but is in 'i8 sym per_channel'
CHECK-NOT: scan:d
CHECK-NOT: input_layernorm

//--- coarse.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i4 asym group=4"},
  {"site": "model.layers.0.mamba.out_proj:weight", "format": "f8E5M2 per_channel"},
  {"site": "model.layers.0.mamba.scan:a", "format": "bf16"},
  {"site": "model.layers.0.mamba.scan:d", "format": "i8 sym per_tensor"},
  {"site": "model.layers.0.input_layernorm:weight", "format": "bf16"},
  {"site": "lm_head:weight", "format": "i8 sym per_channel"}]}
//--- values.check
CHECK: error: site 'model.layers.0.mamba.out_proj:weight' holds other values than the original rounded to 'f8E4M3 per_channel'
CHECK-NOT: error
//--- shape.check
CHECK: error: site 'lm_head:weight' has another shape in the original
//--- codes.check
CHECK: error: weight '{{.*}}' is stored as f16 in {{.*}} bytes, but the program expects
//--- needs.check
CHECK: error: ssmq-validate needs assignment=FILE, the assignment to prove
//--- unknown.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [{"site": "nowhere:weight", "format": "f16"}]}
//--- unknown.check
CHECK: error: the assignment names site 'nowhere:weight', which the module does not have
