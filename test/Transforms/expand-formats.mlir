// Weights in formats without kernels compile once they are expanded, and give the same logits.
// RUN: rm -rf %t && mkdir -p %t
// RUN: split-file %s %t
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t/model
// RUN: ssmq-translate --import-hf %t/model -o %t/program.mlir
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/mix.json" --ssmq-quantize=output=%t/packed.safetensors -o %t/quantized.mlir
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-pack --ssmq-lower-to-cpu 2>&1 | FileCheck %t/refused.check
// RUN: ssmq-opt %t/quantized.mlir --ssmq-expand-formats=output=%t/expanded.safetensors -o %t/expanded.mlir
// RUN: FileCheck %t/expanded.check < %t/expanded.mlir
// RUN: ssmq-run %t/quantized.mlir --backend=interpreter --tokens 4,0,6,2,2,5,1 --logits %t/codes.safetensors
// RUN: ssmq-run %t/expanded.mlir --backend=interpreter --tokens 4,0,6,2,2,5,1 --logits %t/values.safetensors
// RUN: cmp %t/codes.safetensors %t/values.safetensors
// RUN: ssmq-run %t/expanded.mlir --tokens 4,0,6,2,2,5,1 --compare=reference,fast,compiled --chunkings=2

// RUN: not ssmq-opt %t/quantized.mlir --ssmq-expand-formats 2>&1 | FileCheck %t/output.check
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=uniform sites=state format=f8E4M3:head" --ssmq-quantize -o %t/state.mlir
// RUN: not ssmq-opt %t/state.mlir --ssmq-lower-to-cpu 2>&1 | FileCheck %t/state.check
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=uniform sites=activation format=f16" --ssmq-quantize -o %t/activation.mlir
// RUN: not ssmq-opt %t/activation.mlir --ssmq-lower-to-cpu 2>&1 | FileCheck %t/activation.check

//--- mix.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.embed_tokens:weight", "format": "i3 sym group=4"},
  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i4 sym per_channel"},
  {"site": "model.layers.0.mamba.conv1d:weight", "format": "i5 asym per_channel"},
  {"site": "model.layers.0.mamba.out_proj:weight", "format": "nf4 group=8"},
  {"site": "model.layers.0.mamba.scan:a", "format": "log2<8> per_tensor"},
  {"site": "model.layers.0.mamba.scan:d", "format": "bf16"},
  {"site": "model.layers.0.input_layernorm:weight", "format": "f8E4M3 per_tensor"},
  {"site": "lm_head:weight", "format": "mxfp4"}]}
//--- refused.check
CHECK: error: no kernel decodes 'model.layers.0.input_layernorm.weight' from format 'f8E4M3 per_tensor'; run --ssmq-expand-formats first, or the interpreter
CHECK-NOT: error
//--- expanded.check
CHECK-DAG: @model.embed_tokens.weight(#{{.*}}) : tensor<11x8xf32>
CHECK-DAG: @model.layers.0.mamba.in_proj.weight(#{{.*}}) : tensor<48x8x!quant.any<i4{{.*}}:f32>>
CHECK-DAG: @model.layers.0.mamba.conv1d.weight(#{{.*}}) : tensor<28x1x4xf32>
CHECK-DAG: @model.layers.0.mamba.scan.a(#{{.*}}) : tensor<4xf32>
CHECK-DAG: @model.layers.0.mamba.D(#{{.*}}) : tensor<4xbf16>
CHECK-DAG: @lm_head.weight(#{{.*}}) : tensor<11x8xf32>
CHECK-LABEL: @forward
CHECK-NOT: ssm.dequantize
CHECK-NOT: zero_points
//--- output.check
CHECK: error: ssmq-expand-formats needs output=FILE, the safetensors file to write
//--- state.check
CHECK: error: no kernel rounds site 'model.layers.0.mamba.scan:state' to format 'f8E4M3 per_head'; run the interpreter
//--- activation.check
CHECK: error: no kernel rounds site 'model.layers.0.mamba.in_proj:input' to format 'f16'; run the interpreter
