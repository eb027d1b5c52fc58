// RUN: ssmq-opt %s --ssmq-bufferize | FileCheck %s

// CHECK-NOT: @helper
// CHECK-LABEL: func.func @entry
// CHECK: call @ssmq_rms_norm
func.func private @helper(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = arith.constant dense<1.0> : tensor<4xf32>
  %0 = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32}
    : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
func.func @entry(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = func.call @helper(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
