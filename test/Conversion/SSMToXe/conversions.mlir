// Conversions between formats in a launch are of its buffers.
// RUN: not ssmq-opt %s --split-input-file --ssmq-bufferize-launches -o /dev/null 2>&1 | FileCheck %s

// CHECK: error: rounds what is no result of the launch, which no kernel for Xe GPUs does
func.func @rounds(%x: tensor<?x8xf32>, %n: tensor<8xf16>) -> tensor<?x8xf32> {
  %r = ssm.launch(%x, %n) {
  ^bb0(%a: tensor<?x8xf32>, %w: tensor<8xf16>):
    %half = arith.truncf %a : tensor<?x8xf32> to tensor<?x8xf16>
    %wide = arith.extf %half : tensor<?x8xf16> to tensor<?x8xf32>
    %y = ssm.rms_norm %wide, %w {eps = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf16>) -> tensor<?x8xf32>
    ssm.yield %y : tensor<?x8xf32>
  } : (tensor<?x8xf32>, tensor<8xf16>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

// CHECK: error: widens what is no input of the launch, which no kernel for Xe GPUs does
func.func @widens(%n: tensor<8xf16>) -> tensor<1x8xf32> {
  %r = ssm.launch(%n) {
  ^bb0(%w: tensor<8xf16>):
    %e = tensor.empty() : tensor<1x8xf16>
    %wide = arith.extf %e : tensor<1x8xf16> to tensor<1x8xf32>
    %y = ssm.rms_norm %wide, %w {eps = 1.0e-5 : f32} : (tensor<1x8xf32>, tensor<8xf16>) -> tensor<1x8xf32>
    ssm.yield %y : tensor<1x8xf32>
  } : (tensor<8xf16>) -> tensor<1x8xf32>
  return %r : tensor<1x8xf32>
}
