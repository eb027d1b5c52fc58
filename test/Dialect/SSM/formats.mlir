// RUN: ssmq-opt %s | ssmq-opt --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func @formats
func.func @formats(%codes: tensor<6x35xi8>, %scales: tensor<12x2xi8>, %plain: tensor<1x24xi8>,
                   %x: tensor<?x16xf32>) -> (tensor<6x70xf32>, tensor<70x6xf32>, tensor<12xf32>, tensor<?x16xf32>) {
  // CHECK: ssm.dequantize %{{.*}} scales %{{.*}} as <"nf4 group=64"> : (tensor<6x35xi8>, tensor<12x2xi8>) -> tensor<6x70xf32>
  %w = ssm.dequantize %codes scales %scales as <"nf4 group=64"> : (tensor<6x35xi8>, tensor<12x2xi8>) -> tensor<6x70xf32>
  // CHECK: ssm.dequantize {{.*}} {channel_dim = 1 : i64} :
  %t = ssm.dequantize %codes scales %scales as <"nf4 group=64"> {channel_dim = 1 : i64} : (tensor<6x35xi8>, tensor<12x2xi8>) -> tensor<70x6xf32>
  // CHECK: ssm.dequantize %{{.*}} as <"bf16"> : (tensor<1x24xi8>) -> tensor<12xf32>
  %a = ssm.dequantize %plain as <"bf16"> : (tensor<1x24xi8>) -> tensor<12xf32>
  // CHECK: ssm.fake_quantize %{{.*}} as <"i8 sym per_token"> : tensor<?x16xf32>
  %y = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<?x16xf32>
  // CHECK: ssm.fake_quantize %{{.*}} as <"i8 asym per_head static=99.9"> {head_size = 8 : i64, ranges = array<f32: -1.000000e+00, 2.500000e+00, 0.000000e+00, 1.000000e+00>, site = "x:input"}
  %z = ssm.fake_quantize %y as <"i8 asym per_head static=99.9"> {head_size = 8 : i64, ranges = array<f32: -1.0, 2.5, 0.0, 1.0>, site = "x:input"} : tensor<?x16xf32>
  return %w, %t, %a, %z : tensor<6x70xf32>, tensor<70x6xf32>, tensor<12xf32>, tensor<?x16xf32>
}

// CHECK-LABEL: func @states
func.func @states(%x: tensor<?x64xf32>, %w: tensor<64x1x4xf32>, %past: tensor<3x64xf32>,
                  %dt: tensor<?x8xf32>, %a: tensor<8xf32>, %b: tensor<?x4xf32>, %h: tensor<8x8x4xf32>) -> tensor<?x64xf32> {
  // CHECK: ssm.causal_conv1d {{.*}} {state_format = #ssm.format<"i8 sym per_token">}
  %y, %next = ssm.causal_conv1d %x, %w state %past {state_format = #ssm.format<"i8 sym per_token">}
    : (tensor<?x64xf32>, tensor<64x1x4xf32>, tensor<3x64xf32>) -> (tensor<?x64xf32>, tensor<3x64xf32>)
  // CHECK: ssm.ssd_scan {{.*}} {state_format = #ssm.format<"i8 sym per_tensor static=99">, state_ranges = array<f32: -4.000000e+00, 4.000000e+00>}
  %z, %n = ssm.ssd_scan %y dt %dt a %a b %b c %b state %h {state_format = #ssm.format<"i8 sym per_tensor static=99">, state_ranges = array<f32: -4.0, 4.0>}
    : (tensor<?x64xf32>, tensor<?x8xf32>, tensor<8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<8x8x4xf32>)
    -> (tensor<?x64xf32>, tensor<8x8x4xf32>)
  return %z : tensor<?x64xf32>
}
