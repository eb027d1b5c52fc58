// RUN: ssmq-opt %s --verify-roundtrip | FileCheck %s
// RUN: ssmq-opt %s --emit-bytecode | ssmq-opt | FileCheck %s
// RUN: ssmq-opt %s --mlir-print-op-generic | ssmq-opt | FileCheck %s

// CHECK-LABEL: @linear
func.func @linear(%x: tensor<?x256xf32>, %w: tensor<512x256xf16>, %b: tensor<512xf16>,
                  %q: tensor<512x256x!quant.any<i4:f32>>, %s: tensor<512x4xf16>,
                  %z: tensor<512x4xi8>) -> tensor<?x512xf32> {
  // CHECK: ssm.linear %{{.*}}, %{{.*}} bias %{{.*}} {path = "layers.0.in_proj"}
  %0 = ssm.linear %x, %w bias %b {path = "layers.0.in_proj"}
    : (tensor<?x256xf32>, tensor<512x256xf16>, tensor<512xf16>) -> tensor<?x512xf32>
  // CHECK: ssm.linear %{{.*}}, %{{.*}} scales %{{.*}} zero_points %{{.*}} {group_size = 64 : i64}
  %1 = ssm.linear %x, %q scales %s zero_points %z {group_size = 64 : i64}
    : (tensor<?x256xf32>, tensor<512x256x!quant.any<i4:f32>>, tensor<512x4xf16>,
       tensor<512x4xi8>) -> tensor<?x512xf32>
  %2 = arith.addf %0, %1 : tensor<?x512xf32>
  return %2 : tensor<?x512xf32>
}

// CHECK-LABEL: @packed_linear
func.func @packed_linear(%x: tensor<1x5xf32>, %q: tensor<3x3xi8>, %s: tensor<3x2xf16>)
    -> tensor<1x3xf32> {
  // CHECK: packed_bits = 4
  %0 = ssm.linear %x, %q scales %s {group_size = 3 : i64, packed_bits = 4 : i64}
    : (tensor<1x5xf32>, tensor<3x3xi8>, tensor<3x2xf16>) -> tensor<1x3xf32>
  return %0 : tensor<1x3xf32>
}

// CHECK-LABEL: @embedding
func.func @embedding(%ids: tensor<?xi32>, %w: tensor<2048x256xf16>) -> tensor<?x256xf32> {
  // CHECK: ssm.embedding
  %0 = ssm.embedding %ids, %w : (tensor<?xi32>, tensor<2048x256xf16>) -> tensor<?x256xf32>
  return %0 : tensor<?x256xf32>
}

// CHECK-LABEL: @norms
func.func @norms(%x: tensor<?x256xf32>, %w: tensor<256xbf16>, %b: tensor<256xf32>)
    -> tensor<?x256xf32> {
  // CHECK: ssm.rms_norm %{{.*}}, %{{.*}} {eps = {{.*}} : f32, groups = 2 : i64}
  %0 = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32, groups = 2 : i64}
    : (tensor<?x256xf32>, tensor<256xbf16>) -> tensor<?x256xf32>
  // CHECK: ssm.layer_norm %{{.*}}, %{{.*}} bias
  %1 = ssm.layer_norm %0, %w bias %b {eps = 1.0e-5 : f32}
    : (tensor<?x256xf32>, tensor<256xbf16>, tensor<256xf32>) -> tensor<?x256xf32>
  return %1 : tensor<?x256xf32>
}

// CHECK-LABEL: @conv
func.func @conv(%x: tensor<?x64xf32>, %w: tensor<64x1x4xf16>, %b: tensor<64xf16>,
                %s: tensor<3x64xf32>) -> (tensor<?x64xf32>, tensor<3x64xf32>) {
  // CHECK: ssm.causal_conv1d %{{.*}}, %{{.*}} bias %{{.*}} state
  %0, %1 = ssm.causal_conv1d %x, %w bias %b state %s
    : (tensor<?x64xf32>, tensor<64x1x4xf16>, tensor<64xf16>, tensor<3x64xf32>)
    -> (tensor<?x64xf32>, tensor<3x64xf32>)
  return %0, %1 : tensor<?x64xf32>, tensor<3x64xf32>
}

// CHECK-LABEL: @selective_scan
func.func @selective_scan(%x: tensor<?x64xf32>, %dt: tensor<?x64xf32>, %a: tensor<64x16xf32>,
                          %b: tensor<?x16xf32>, %d: tensor<64xf32>, %h: tensor<64x16xf32>)
    -> (tensor<?x64xf32>, tensor<64x16xf32>) {
  // CHECK: ssm.selective_scan %{{.*}} dt %{{.*}} a %{{.*}} b %{{.*}} c %{{.*}} d %{{.*}} state
  %0, %1 = ssm.selective_scan %x dt %dt a %a b %b c %b d %d state %h
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<64x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<64xf32>, tensor<64x16xf32>) -> (tensor<?x64xf32>, tensor<64x16xf32>)
  return %0, %1 : tensor<?x64xf32>, tensor<64x16xf32>
}

// CHECK-LABEL: @ssd_scan
func.func @ssd_scan(%x: tensor<?x512xf32>, %dt: tensor<?x8xf32>, %a: tensor<8xf32>,
                    %b: tensor<?x128xf32>, %h: tensor<8x64x64xf32>)
    -> (tensor<?x512xf32>, tensor<8x64x64xf32>) {
  // CHECK: ssm.ssd_scan %{{.*}} dt %{{.*}} a %{{.*}} b %{{.*}} c %{{.*}} state
  %0, %1 = ssm.ssd_scan %x dt %dt a %a b %b c %b state %h
    : (tensor<?x512xf32>, tensor<?x8xf32>, tensor<8xf32>, tensor<?x128xf32>, tensor<?x128xf32>,
       tensor<8x64x64xf32>) -> (tensor<?x512xf32>, tensor<8x64x64xf32>)
  return %0, %1 : tensor<?x512xf32>, tensor<8x64x64xf32>
}

// CHECK-LABEL: @diagonal_scans
func.func @diagonal_scans(%x: tensor<?x4xf32>, %a: tensor<4x6xf16>, %d: tensor<4xf32>,
                          %s: tensor<4x6xf32>, %q: tensor<?x4xi8>, %m: tensor<?x1xf32>,
                          %p: tensor<4x6xi8>, %n: tensor<4x3xi8>, %k: tensor<4x10xi32>)
    -> (tensor<?x4xf32>, tensor<4x6xf32>, tensor<?x4xf32>, tensor<4x6xi8>) {
  // CHECK: ssm.diagonal_scan %{{.*}} a %{{.*}} b %{{.*}} c %{{.*}} d %{{.*}} state %{{.*}} {state_format = #ssm.format<"i8 sym per_head">}
  %0, %1 = ssm.diagonal_scan %x a %a b %a c %a d %d state %s
      {state_format = #ssm.format<"i8 sym per_head">}
    : (tensor<?x4xf32>, tensor<4x6xf16>, tensor<4x6xf16>, tensor<4x6xf16>, tensor<4xf32>,
       tensor<4x6xf32>) -> (tensor<?x4xf32>, tensor<4x6xf32>)
  // CHECK: ssm.integer_diagonal_scan %{{.*}}, %{{.*}} a %{{.*}} b %{{.*}} c %{{.*}} constants %{{.*}}, %{{.*}} d %{{.*}} state %{{.*}} {a_bits = 8 : i64, b_bits = 4 : i64, c_bits = 8 : i64, path = "layers.0.ssm"}
  %2, %3 = ssm.integer_diagonal_scan %q, %m a %p b %n c %p constants %k, %d d %d state %p
      {a_bits = 8 : i64, b_bits = 4 : i64, c_bits = 8 : i64, path = "layers.0.ssm"}
    : (tensor<?x4xi8>, tensor<?x1xf32>, tensor<4x6xi8>, tensor<4x3xi8>, tensor<4x6xi8>,
       tensor<4x10xi32>, tensor<4xf32>, tensor<4xf32>, tensor<4x6xi8>)
    -> (tensor<?x4xf32>, tensor<4x6xi8>)
  return %0, %1, %2, %3 : tensor<?x4xf32>, tensor<4x6xf32>, tensor<?x4xf32>, tensor<4x6xi8>
}

// CHECK-LABEL: @attention
func.func @attention(%q: tensor<?x256xf32>, %k: tensor<?x128xf32>, %c: tensor<?x128xf32>,
                     %p: tensor<i32>)
    -> (tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32>) {
  // CHECK: ssm.rotary %{{.*}} at %{{.*}}
  %0 = ssm.rotary %q at %p {head_dim = 64 : i64, rotary_dim = 32 : i64, theta = 1.0e4 : f32}
    : (tensor<?x256xf32>, tensor<i32>) -> tensor<?x256xf32>
  // CHECK: ssm.attention %{{.*}}, %{{.*}}, %{{.*}}, caches %{{.*}}, %{{.*}} at %{{.*}}
  %1, %2, %3 = ssm.attention %0, %k, %k, caches %c, %c at %p
      {head_dim = 64 : i64, scale = 0.125 : f32}
    : (tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32>, tensor<?x128xf32>,
       tensor<?x128xf32>, tensor<i32>)
    -> (tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32>)
  return %1, %2, %3 : tensor<?x256xf32>, tensor<?x128xf32>, tensor<?x128xf32>
}

// CHECK: ml_program.global private @w(#extern)
// CHECK-SAME: ssm.format = #ssm.format<"i4 sym group=64">
ml_program.global private @w(#ml_program.extern : tensor<2x4x!quant.any<i4:f32>>)
  : tensor<2x4x!quant.any<i4:f32>> {ssm.format = #ssm.format<"i4 sym group=64">}
