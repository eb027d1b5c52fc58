// Launches, bytes and matrix products of one token and of a prompt, counted from the kernels.
// RUN: ssmq-run %s --tokens 1,2,3,4,5 --estimate=xe2 | FileCheck %s
// RUN: not ssmq-run %s --tokens 1 --estimate=xe3 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// A row of the table (64 x 2 bytes) and an id are read and 64 x 4 bytes written; then a row of 64
// numbers, the norm's weight and 48 x 64 of the layer are read, and 48 x 4 bytes written. Six
// work-groups of 8 rows each compute the norm again, from 128 bytes of weights that memory gives once.
// CHECK: prompt of 5 tokens
// CHECK: one token after 5
// CHECK-NEXT: kernel
// CHECK-NEXT: ssmq_launch_embedding_{{[0-9]+}} 1 1 132 256 128 0
// CHECK-NEXT: ssmq_launch_linear_{{[0-9]+}} 1 6 6528 192 6272 0
// CHECK-NEXT: all 2 7 6660 448 6400 0
// CHECK-NEXT: bytes moved: 1.111 x those of weights, 1.111 x without states; weights are loaded 1.100 times

// UNKNOWN: error: --estimate knows xe2

ml_program.global private @norm(#ml_program.extern : tensor<64xf16>) : tensor<64xf16>
ml_program.global private @w(#ml_program.extern : tensor<48x64xf16>) : tensor<48x64xf16>
ml_program.global private @e(#ml_program.extern : tensor<11x64xf16>) : tensor<11x64xf16>
func.func @forward(%tokens: tensor<?xi32>, %p: tensor<i32> {ssm.state = "position"}) -> (tensor<?x48xf32>, tensor<i32>) {
  %e = ml_program.global_load_const @e : tensor<11x64xf16>
  %n = ml_program.global_load_const @norm : tensor<64xf16>
  %w = ml_program.global_load_const @w : tensor<48x64xf16>
  %x = ssm.embedding %tokens, %e : (tensor<?xi32>, tensor<11x64xf16>) -> tensor<?x64xf32>
  %y = ssm.rms_norm %x, %n {eps = 1.0e-5 : f32} : (tensor<?x64xf32>, tensor<64xf16>) -> tensor<?x64xf32>
  %z = ssm.linear %y, %w : (tensor<?x64xf32>, tensor<48x64xf16>) -> tensor<?x48xf32>
  %s = math.exp %z : tensor<?x48xf32>
  return %s, %p : tensor<?x48xf32>, tensor<i32>
}
