// A program of another compiler: tosa, lowered by passes of the stock mlir-opt to linalg.
// RUN: mkdir -p %t
// RUN: %python %S/../Inputs/make_foreign.py > %t/tosa.mlir
// RUN: mlir-opt %t/tosa.mlir --pass-pipeline="builtin.module(func.func(tosa-make-broadcastable,tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,tosa-to-tensor),canonicalize)" -o %t/named.mlir
// RUN: FileCheck %s --check-prefix=LINALG < %t/named.mlir
// LINALG-NOT: {{tosa|ssm}}
// LINALG: arith.constant dense_resource<head.weight> : tensor<1x8x16xf32>
// LINALG-NOT: {{tosa|ssm}}
// LINALG: tensor.extract
// LINALG-NOT: {{tosa|ssm}}
// LINALG: linalg.batch_matmul

// Rows of weights are output channels, the last dimension of tosa's.
// RUN: ssmq-opt %t/named.mlir --ssmq-list-sites -o /dev/null 2>&1 | FileCheck %s --check-prefix=SITES
// SITES: remark: embed:weight: weight, 16 x 8, 512 bytes
// SITES: remark: layers.0.up:input: activation, tokens x 8, 32 bytes a token
// SITES: remark: layers.0.up:weight: weight, 12 x 8, 384 bytes
// SITES: remark: layers.0.down:input: activation, tokens x 12
// SITES: remark: layers.0.down:weight: weight, 8 x 12
// The matrix that takes means over tokens has no name, and what it contracts are tokens.
// SITES: remark: linalg.batch_matmul#2:weight: weight, 8 x 8
// SITES: remark: layers.1.up:input
// SITES: remark: head:input
// SITES: remark: head:weight: weight, 16 x 8
// SITES-NOT: remark

// RUN: echo "[3,1,4,1,5,9,2,6,5,3,5,8,9,7,9,3,2,3,8,4,6,2,6,4,3,3,8,3,2,7,9]" > %t/tokens.json
// RUN: ssmq-opt %t/named.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=9 sites=weight,activation output=%t/table.json" --remarks-filter-analyse=ssmq-sensitivity --remark-policy=all -o /dev/null 2> %t/remarks
// RUN: FileCheck %s --check-prefix=TABLE < %t/remarks
// TABLE: remark: [Analysis] embed:weight in i4 sym per_channel | {{.*}}Bytes=96, {{.*}}KL={{[1-9]\.[0-9]+e-0[2-4]}}, Method=
// TABLE: remark: [Analysis] embed:weight in i8 sym per_channel | {{.*}}Bytes=160, {{.*}}KL={{[1-9]\.[0-9]+e-0[5-7]}}, Method=
// TABLE: remark: [Analysis] layers.0.up:input in {{.*}} KL={{[1-9]\.[0-9]+e-0[2-7]}}, Method=
// TABLE: remark: [Analysis] head:weight in i4 sym per_channel | {{.*}}Bytes=96, {{.*}}KL={{[1-9]\.[0-9]+e-0[1-4]}}, Method=
// TABLE: remark: [Analysis] head:weight in i8 sym per_channel | {{.*}}Bytes=160, {{.*}}KL={{[1-9]\.[0-9]+e-0[5-7]}}, Method=

// A change that should not matter is measured, but no feeding in parts, which has no meaning here.
// RUN: FileCheck %s --check-prefix=JSON < %t/table.json
// JSON: weights in bf16
// JSON-NOT: fed in two halves

// The stock mlir-opt with our plugin writes the same table.
// RUN: mlir-opt %t/named.mlir --load-dialect-plugin=%ssmq_plugin --load-pass-plugin=%ssmq_plugin --pass-pipeline="builtin.module(ssmq-sensitivity{tokens=%t/tokens.json sequence-length=9 sites=weight,activation output=%t/plugin.json})" -o /dev/null
// RUN: diff %t/table.json %t/plugin.json
// So it does of generic ops.
// RUN: mlir-opt %t/named.mlir --linalg-generalize-named-ops -o %t/generic.mlir
// RUN: ssmq-opt %t/generic.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=9 sites=weight,activation output=%t/generic.json" -o /dev/null
// RUN: sed 's/linalg.batch_matmul#2/linalg.generic#14/; s/"named"/"generic"/' %t/table.json > %t/renamed.json
// RUN: diff %t/renamed.json %t/generic.json

// RUN: not ssmq-opt %t/named.mlir --ssmq-sensitivity="tokens=%t/tokens.json output=%t/none.json" 2>&1 | FileCheck %s --check-prefix=LENGTH
// LENGTH: error: @forward takes exactly 8 tokens at a time; set sequence-length=9
// RUN: mlir-opt %t/named.mlir --mlir-elide-resource-strings-if-larger=4 -o %t/elided.mlir
// RUN: not ssmq-opt %t/elided.mlir --ssmq-sensitivity="tokens=%t/tokens.json sequence-length=9 output=%t/none.json" 2>&1 | FileCheck %s --check-prefix=ELIDED
// ELIDED: error: {{.*}} reads the resource '{{.*}}', which has no data; print the module without eliding resources
// RUN: ssmq-opt %t/named.mlir --ssmq-assign="method=uniform format=int4:channel" -o %t/assigned.mlir
// RUN: FileCheck %s --check-prefix=ASSIGNED < %t/assigned.mlir
// ASSIGNED: arith.constant {ssm.format = #ssm.format<"i4 sym per_channel">} dense_resource<head.weight>
// Constants are stored too, as codes beside the program.
// RUN: ssmq-opt %t/assigned.mlir --ssmq-quantize=output=%t/packed.safetensors -o %t/quantized.mlir
// RUN: FileCheck %s --check-prefix=QUANTIZE < %t/quantized.mlir
// QUANTIZE: ml_program.global private @head.weight(#extern{{.*}}) : tensor<16x4xi8> {ssm.format = #ssm.format<"i4 sym per_channel">}
// QUANTIZE: ml_program.global private @head.weight_scale(#extern{{.*}}) : tensor<16x2xi8>
// QUANTIZE: ssm.dequantize %{{.*}} scales %{{.*}} as <"i4 sym per_channel"> {channel_dim = 2 : i64} : (tensor<16x4xi8>, tensor<16x2xi8>) -> tensor<1x8x16xf32>
// QUANTIZE-NOT: dense_resource<{{.*}}.weight>
