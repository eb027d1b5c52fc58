// A = -exp(A_log) becomes a weight, and logits keep their bits.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../Inputs/make_weights.py %S/../Execution/selective_scan.mlir %t/source.safetensors
// RUN: ssmq-opt %S/../Execution/selective_scan.mlir --ssmq-fold-parameters="output=%t/folded.safetensors checkpoint=%t/source.safetensors" -o %t/folded.mlir
// RUN: FileCheck %s < %t/folded.mlir
// RUN: ssmq-run %S/../Execution/selective_scan.mlir --checkpoint=%t/source.safetensors --backend=interpreter --tokens 4,0,1 --logits %t/computed-logits.safetensors
// RUN: ssmq-run %t/folded.mlir --backend=interpreter --tokens 4,0,1 --logits %t/folded-logits.safetensors
// RUN: cmp %t/computed-logits.safetensors %t/folded-logits.safetensors

// Nothing is left to fold, so no file is written.
// RUN: ssmq-opt %t/folded.mlir --ssmq-fold-parameters=output=%t/again.safetensors | diff - %t/folded.mlir
// RUN: not ls %t/again.safetensors
// RUN: not ssmq-opt %t/folded.mlir --ssmq-fold-parameters 2>&1 | FileCheck %s --check-prefix=OUTPUT

// dt is computed from tokens and stays.
// CHECK-DAG: ml_program.global private @a_log.computed({{.*}}) : tensor<11x5xf32> {ssm.computed}
// CHECK-DAG: ml_program.global private @wide_a_log.computed({{.*}}) : tensor<11x16xf32>
// CHECK: func.func @forward
// CHECK-NOT: arith.negf
// CHECK: %[[A:.*]] = ml_program.global_load_const @a_log.computed : tensor<11x5xf32>
// CHECK: math.exp {{.*}} : tensor<?x11xf32>
// CHECK: ssm.selective_scan {{.*}} a %[[A]]

// OUTPUT: error: ssmq-fold-parameters needs output=FILE, the safetensors file to write
