// RUN: ssmq-opt %s --ssmq-bufferize="profile=true" | FileCheck %s

// Every token counts in @forward, the last alone in @prefill, the only one in @decode.
// CHECK: ssm.profile = [
// CHECK-DAG: entry = "forward", {{[^}]*}}kind = "linear", multiply_adds_per_token = 128 : i64
// CHECK-DAG: entry = "prefill", {{[^}]*}}kind = "linear", multiply_adds = 128 : i64
// CHECK-DAG: entry = "decode", {{[^}]*}}kind = "linear", multiply_adds = 128 : i64
ml_program.global private @table(#ml_program.extern : tensor<4x8xf32>) : tensor<4x8xf32>

func.func @forward(%tokens: tensor<?xi32>, %w: tensor<16x8xf16>) -> tensor<?x16xf32> {
  %table = ml_program.global_load_const @table : tensor<4x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  %0 = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<16x8xf16>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}
