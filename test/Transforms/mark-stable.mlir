// Systems inside the unit disc are marked, with a proof in the program; others are told.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../Inputs/make_weights.py %s %t/weights.safetensors
// RUN: ssmq-opt %s --ssmq-mark-stable="checkpoint=%t/weights.safetensors output=%t/report.json" -o %t/marked.mlir 2> %t/warnings
// RUN: FileCheck %s < %t/marked.mlir
// RUN: FileCheck %s --check-prefix=WARNING < %t/warnings
// RUN: FileCheck %s --check-prefix=REPORT < %t/report.json
// Nothing is left to mark.
// RUN: ssmq-opt %t/marked.mlir --ssmq-mark-stable=checkpoint=%t/weights.safetensors 2>/dev/null | diff - %t/marked.mlir
// Logits keep their bits, interpreted and compiled.
// RUN: ssmq-run %s --checkpoint=%t/weights.safetensors --backend=interpreter --tokens 2,0,1 --logits %t/before.safetensors
// RUN: ssmq-run %t/marked.mlir --checkpoint=%t/weights.safetensors --backend=interpreter --tokens 2,0,1 --logits %t/after.safetensors
// RUN: cmp %t/before.safetensors %t/after.safetensors
// RUN: ssmq-run %s --checkpoint=%t/weights.safetensors --tokens 2,0,1 --logits %t/compiled.safetensors
// RUN: ssmq-run %t/marked.mlir --checkpoint=%t/weights.safetensors --tokens 2,0,1 --logits %t/marked.safetensors
// RUN: cmp %t/compiled.safetensors %t/marked.safetensors

ml_program.global private @table(#ml_program.extern : tensor<3x2xf32>) : tensor<3x2xf32>
// Nothing reads @a any more; others read @b.
// CHECK-NOT: ml_program.global private @a(
// CHECK: ml_program.global private @b(
// CHECK-NOT: ml_program.global private @a_codes(
ml_program.global private @a(#ml_program.extern : tensor<2x4xf32>) : tensor<2x4xf32>
ml_program.global private @b(#ml_program.extern : tensor<2x4xf32>) : tensor<2x4xf32>
ml_program.global private @a_codes(#ml_program.extern : tensor<2x4xi8>) : tensor<2x4xi8>
ml_program.global private @head(#ml_program.extern : tensor<3x2xf32>) : tensor<3x2xf32>

// WARNING: warning: site 'twice:a': |a| is {{[0-9.]+}} at state {{[01]}} of head {{[01]}}, so that its states grow without bound
// REPORT: "unstable": [
// REPORT: "head": {{[01]}},
// REPORT: "magnitude": {{[0-9.]+}},
// REPORT: "site": "twice:a"

// CHECK-LABEL: @forward
func.func @forward(%tokens: tensor<?xi32>, %s0: tensor<2x4xf32> {ssm.state = "s0"}, %s1: tensor<2x4xf32> {ssm.state = "s1"},
                   %s2: tensor<2x4xf32> {ssm.state = "s2"}, %s3: tensor<2x4xf32> {ssm.state = "s3"})
    -> (tensor<?x3xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
  // CHECK: %[[A:.*]] = arith.constant dense<{{.*}}> : tensor<2x4xf32>
  // CHECK: %[[CODES:.*]] = arith.constant dense<{{.*}}> : tensor<2x4xi8>
  // CHECK: %[[STORED:.*]] = ssm.dequantize %[[CODES]]
  %table = ml_program.global_load_const @table : tensor<3x2xf32>
  %a = ml_program.global_load_const @a : tensor<2x4xf32>
  %b = ml_program.global_load_const @b : tensor<2x4xf32>
  %codes = ml_program.global_load_const @a_codes : tensor<2x4xi8>
  %head = ml_program.global_load_const @head : tensor<3x2xf32>
  // Scales of 2^-8.
  %steps = arith.constant dense<[[0, 28], [0, 28]]> : tensor<2x2xi8>
  %stored = ssm.dequantize %codes scales %steps as <"i8 sym per_channel"> : (tensor<2x4xi8>, tensor<2x2xi8>) -> tensor<2x4xf32>
  %four = arith.constant dense<4.0> : tensor<2x4xf32>
  %half = arith.constant dense<0.5> : tensor<2x4xf32>
  %twice = arith.mulf %b, %four : tensor<2x4xf32>
  %less = arith.mulf %b, %half : tensor<2x4xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<3x2xf32>) -> tensor<?x2xf32>
  // A weight.
  // CHECK: ssm.diagonal_scan {{.*}} a %[[A]] {{.*}} {path = "plain", stable}
  %y0, %n0 = ssm.diagonal_scan %x a %a b %b c %b state %s0 {path = "plain"}
    : (tensor<?x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<?x2xf32>, tensor<2x4xf32>)
  // Codes: they become constants, not their values.
  // CHECK: ssm.diagonal_scan {{.*}} a %[[STORED]] {{.*}} {path = "codes", stable}
  %y1, %n1 = ssm.diagonal_scan %y0 a %stored b %b c %b state %s1 {path = "codes"}
    : (tensor<?x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<?x2xf32>, tensor<2x4xf32>)
  // Computed from weights.
  // CHECK: ssm.diagonal_scan {{.*}} {path = "less", stable}
  %y2, %n2 = ssm.diagonal_scan %y1 a %less b %b c %b state %s2 {path = "less"}
    : (tensor<?x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<?x2xf32>, tensor<2x4xf32>)
  // CHECK: ssm.diagonal_scan {{.*}} {path = "twice"}
  %y3, %n3 = ssm.diagonal_scan %y2 a %twice b %b c %b state %s3 {path = "twice"}
    : (tensor<?x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<?x2xf32>, tensor<2x4xf32>)
  %logits = ssm.linear %y3, %head : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32>
  return %logits, %n0, %n1, %n2, %n3 : tensor<?x3xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}
