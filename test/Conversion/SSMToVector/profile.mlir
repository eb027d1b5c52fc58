// RUN: ssmq-opt %s --ssmq-bufferize="profile=true decode=false prefill=false" | FileCheck %s
// RUN: ssmq-opt %s --ssmq-bufferize="decode=false prefill=false" | FileCheck %s --check-prefix=OFF

// OFF-NOT: profile

// A linear reads its weight (16 x 8 halves) and writes 16 floats a token after reading 8.
// CHECK: ssm.profile = [
// CHECK-SAME: {bytes = 256 : i64, bytes_per_token = 96 : i64, entry = "forward", kernel = "ssmq_linear_0", kind = "linear", multiply_adds_per_token = 128 : i64, path = "layers.0.proj"}
// The state is read and written.
// CHECK-SAME: {bytes = 448 : i64, bytes_per_token = 128 : i64, entry = "forward", kernel = "ssmq_causal_conv1d_1", kind = "causal_conv1d", multiply_adds_per_token = 48 : i64, path = "layers.0.conv"}
// CHECK-SAME: {bytes_per_token = 128 : i64, entry = "forward", kernel = "ssmq_elementwise_{{[0-9]+}}", kind = "elementwise", path = "layers.0"}
// The caches hold the earlier rows: each token adds its own.
// CHECK-SAME: bytes_per_position = 128 : i64
// CHECK-SAME: kind = "attention", multiply_adds_per_pair = 32 : i64

// CHECK: func.func @forward
// CHECK: %[[BEGIN:.*]] = call @ssmq_profile_begin() : () -> i64
// CHECK-NEXT: call @ssmq_linear_0
// CHECK: call @ssmq_profile_end(%{{.*}}, %[[BEGIN]])
func.func @forward(%x: tensor<?x8xf32>, %w: tensor<16x8xf16>, %taps: tensor<16x1x3xf32>,
                   %conv: tensor<2x16xf32> {ssm.state = "conv"},
                   %keys: tensor<?x16xf32> {ssm.state = "keys"},
                   %values: tensor<?x16xf32> {ssm.state = "values"},
                   %position: tensor<i32>)
    -> (tensor<?x16xf32>, tensor<2x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %0 = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<16x8xf16>) -> tensor<?x16xf32> loc("layers.0.proj")
  %1, %next = ssm.causal_conv1d %0, %taps state %conv
    : (tensor<?x16xf32>, tensor<16x1x3xf32>, tensor<2x16xf32>) -> (tensor<?x16xf32>, tensor<2x16xf32>) loc("layers.0.conv")
  %2 = math.exp %1 : tensor<?x16xf32> loc("layers.0")
  %3, %k, %v = ssm.attention %2, %2, %2, caches %keys, %values at %position {head_dim = 8 : i64, scale = 1.0 : f32}
    : (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<i32>)
    -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) loc("layers.1.attention")
  return %3, %next, %k, %v : tensor<?x16xf32>, tensor<2x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}
