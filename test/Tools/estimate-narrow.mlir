// Activations of a prompt between launches, in f16 and in f32, byte by byte.
// RUN: ssmq-opt %s --ssmq-xe-launches --ssmq-estimate-xe2=tokens=5 -o /dev/null | FileCheck %s
// RUN: ssmq-opt %s --ssmq-xe-launches=narrow=bf16 --ssmq-estimate-xe2=tokens=5 -o /dev/null | FileCheck %s
// RUN: ssmq-opt %s --ssmq-xe-launches=narrow=off --ssmq-estimate-xe2=tokens=5 -o /dev/null | FileCheck %s --check-prefix=FLOATS
// RUN: ssmq-opt %s --ssmq-xe-launches=dpas=false --ssmq-estimate-xe2=tokens=5 -o /dev/null | FileCheck %s --check-prefix=FLOATS

// The embedding reads 5 ids and 5 rows of 64 f16 (660 bytes), the norm what that gives and its weight of
// 128 bytes, the layer what the norm gives and 48 x 64 f16. Its output stays f32: 5 x 48 x 4 bytes.
// With 5 x 64 x 2 bytes in between: 660 + 768 + 6784 are read, 640 + 640 + 960 written.
// CHECK: "prefill": {
// CHECK-NEXT: "bytesRead": 8212,
// CHECK-NEXT: "bytesWritten": 2240,
// With twice these: 660 + 1408 + 7424 and 1280 + 1280 + 960.
// FLOATS: "prefill": {
// FLOATS-NEXT: "bytesRead": 9492,
// FLOATS-NEXT: "bytesWritten": 3520,

ml_program.global private @norm(#ml_program.extern : tensor<64xf16>) : tensor<64xf16>
ml_program.global private @w(#ml_program.extern : tensor<48x64xf16>) : tensor<48x64xf16>
ml_program.global private @e(#ml_program.extern : tensor<11x64xf16>) : tensor<11x64xf16>
func.func @forward(%tokens: tensor<?xi32>) -> tensor<?x48xf32> {
  %e = ml_program.global_load_const @e : tensor<11x64xf16>
  %n = ml_program.global_load_const @norm : tensor<64xf16>
  %w = ml_program.global_load_const @w : tensor<48x64xf16>
  %x = ssm.embedding %tokens, %e : (tensor<?xi32>, tensor<11x64xf16>) -> tensor<?x64xf32>
  %y = ssm.rms_norm %x, %n {eps = 1.0e-5 : f32} : (tensor<?x64xf32>, tensor<64xf16>) -> tensor<?x64xf32>
  %z = ssm.linear %y, %w : (tensor<?x64xf32>, tensor<48x64xf16>) -> tensor<?x48xf32>
  return %z : tensor<?x48xf32>
}
