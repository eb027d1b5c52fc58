// Inputs of linear layers with weights in codes of 4 or 8 bits, of tiled ones too, and no others.
// RUN: rm -rf %t && mkdir -p %t
// RUN: split-file %s %t
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t/model
// RUN: ssmq-translate --import-hf %t/model -o %t/program.mlir
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/mix.json" --ssmq-quantize=output=%t/q.safetensors -o %t/q.mlir
// RUN: ssmq-opt %t/q.mlir --ssmq-assign="method=inputs format=int8:token output=%t/inputs.json" --ssmq-quantize -o %t/rounded.mlir
// RUN: FileCheck %t/rounded.check --implicit-check-not=fake_quantize < %t/rounded.mlir
// RUN: FileCheck %t/inputs.check --implicit-check-not='"site"' < %t/inputs.json
// RUN: ssmq-opt %t/q.mlir --ssmq-tile-weights=output=%t/t.safetensors --ssmq-assign="method=inputs format=int8:token" --ssmq-quantize | FileCheck %t/rounded.check --implicit-check-not=fake_quantize
// RUN: not ssmq-opt %t/program.mlir --ssmq-assign="method=inputs format=int8:token" 2>&1 | FileCheck %t/none.check
// RUN: not ssmq-opt %t/q.mlir --ssmq-assign=method=inputs 2>&1 | FileCheck %t/format.check

//--- mix.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i4 sym group=4"},
  {"site": "model.layers.0.mamba.out_proj:weight", "format": "i3 sym group=4"},
  {"site": "model.layers.0.mamba.conv1d:weight", "format": "i8 sym per_channel"},
  {"site": "lm_head:weight", "format": "i8 sym per_channel"}]}
//--- rounded.check
CHECK: %[[X:.*]] = ssm.fake_quantize %{{.*}} as <"i8 sym per_token"> {{.*}}site = "model.layers.0.mamba.in_proj:input"
CHECK: ssm.linear %[[X]], {{.*}}path = "model.layers.0.mamba.in_proj"
CHECK: %[[Y:.*]] = ssm.fake_quantize {{.*}}site = "lm_head:input"
CHECK: ssm.linear %[[Y]], {{.*}}path = "lm_head"
//--- inputs.check
CHECK: "method": "inputs int8:token"
CHECK: "site": "model.layers.0.mamba.in_proj:input"
CHECK: "site": "lm_head:input"
//--- none.check
CHECK: error: no linear layer has a weight in codes of 4 or 8 bits and an input in f32; run --ssmq-quantize first
//--- format.check
CHECK: error: method=inputs needs format=FORMAT
