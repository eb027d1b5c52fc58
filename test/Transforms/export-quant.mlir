// Types of upstream that the stock mlir-opt lowers.
// RUN: rm -rf %t && mkdir -p %t
// RUN: split-file %s %t
// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t/model
// RUN: ssmq-translate --import-hf %t/model -o %t/program.mlir
// RUN: echo "[3,1,4,1,5,9,2,6,5,3,5,8,9,7,9]" > %t/tokens.json
// RUN: ssmq-opt %t/program.mlir --ssmq-assign="method=file input=%t/mix.json" --ssmq-quantize="output=%t/packed.safetensors tokens=%t/tokens.json" -o %t/quantized.mlir
// RUN: ssmq-opt %t/quantized.mlir --ssmq-export-quant -o %t/exported.mlir 2> %t/remarks
// RUN: FileCheck %t/exported.check < %t/exported.mlir
// RUN: FileCheck %t/remarks.check < %t/remarks
// The program is as right as before.
// RUN: mlir-opt %t/exported.mlir --load-dialect-plugin=%ssmq_plugin --lower-quant-ops --canonicalize -o %t/lowered.mlir
// RUN: FileCheck %t/lowered.check < %t/lowered.mlir
// It needs no plugin in generic form.
// RUN: ssmq-opt %t/exported.mlir --mlir-print-op-generic -o %t/generic.mlir
// RUN: mlir-opt %t/generic.mlir --allow-unregistered-dialect --lower-quant-ops --canonicalize | FileCheck %t/lowered.check
// Tiles hold the same codes.
// RUN: ssmq-opt %t/quantized.mlir --ssmq-tile-weights=output=%t/tiled.safetensors --ssmq-export-quant -o %t/from-tiles.mlir
// RUN: sed s/tiled.safetensors/packed.safetensors/ %t/from-tiles.mlir | diff - %t/exported.mlir
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-pack --ssmq-export-quant 2>&1 | FileCheck %t/packed.check
// RUN: not ssmq-opt %t/quantized.mlir --ssmq-export-quant=checkpoint=%t/model 2>&1 | FileCheck %t/other.check

//--- mix.json
{"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "by hand", "sites": [
  {"site": "model.embed_tokens:weight", "format": "nf4 group=4"},
  {"site": "model.layers.0.mamba.in_proj:weight", "format": "i4 asym group=4"},
  {"site": "model.layers.0.mamba.in_proj:input", "format": "i8 sym per_tensor static=99"},
  {"site": "model.layers.0.mamba.out_proj:input", "format": "i8 sym per_token"},
  {"site": "model.layers.0.mamba.conv1d:weight", "format": "i4 sym group=2"},
  {"site": "model.layers.0.mamba.scan:d", "format": "i8 sym per_tensor"},
  {"site": "model.layers.0.mamba.scan:state", "format": "f16"},
  {"site": "model.layers.0.mamba.out_proj:weight", "format": "i4 sym group=5"},
  {"site": "model.layers.1.self_attn.o_proj:weight", "format": "i16 sym group=4"},
  {"site": "lm_head:weight", "format": "i8 sym per_channel"}]}
//--- exported.check
CHECK-NOT: @model.layers.0.mamba.in_proj.weight
CHECK-NOT: @lm_head.weight
CHECK: @model.layers.1.self_attn.q_proj.weight
CHECK-LABEL: @forward
CHECK: quant.qcast %{{.*}} : tensor<?x8xf32> to tensor<?x8x!quant.uniform<i8<-127:127>:f32, {{.*}}>>
CHECK: %[[CODES:.*]] = arith.constant dense<{{.*}}> : tensor<48x8xi4>
CHECK: %[[CAST:.*]] = quant.scast %[[CODES]] : tensor<48x8xi4> to tensor<48x8x!quant.uniform<i4:f32:{0:1, 1:4}, {{[{][{]}}{{.*}}
CHECK: quant.dcast %[[CAST]]
CHECK: quant.dcast {{.*}} tensor<28x1x4x!quant.uniform<i4:f32:{0:1, 2:2}
CHECK: quant.dcast {{.*}} tensor<4x!quant.uniform<i8:f32, {{.*}}>> to tensor<4xf32>
CHECK: quant.dcast {{.*}} tensor<8x8x!quant.uniform<i16:f32:{0:1, 1:4}
CHECK: quant.dcast {{.*}} tensor<11x8x!quant.uniform<i8:f32:0, {{.*}}>> to tensor<11x8xf32>
CHECK-NOT: ssm.dequantize
//--- remarks.check
CHECK-DAG: quantized.mlir:{{.*}}: remark: the weight has no type upstream and is exported as f32
CHECK-DAG: remark: format 'i8 sym per_token' has no type upstream
CHECK-DAG: remark: the format of the state has no type upstream
//--- lowered.check
CHECK-NOT: !quant
CHECK-NOT: = quant.
CHECK: arith.sitofp
CHECK-NOT: !quant
//--- packed.check
CHECK: error: the quantized weight is packed; export it before --ssmq-pack
//--- other.check
CHECK: error: weight '{{.*}}' is stored as f16 in {{.*}} bytes, but the program expects
