// RUN: ssmq-opt %s --ssmq-store-states --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @half(
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<4x8x24xf16> {ssm.state = "scan"}) -> (tensor<?x32xf32>, tensor<4x8x24xf16>)
// CHECK: ssm.ssd_scan {{.*}} state %[[H]] {state_format
func.func @half(%x: tensor<?x32xf32>, %dt: tensor<?x4xf32>, %a: tensor<4xf32>,
                %b: tensor<?x24xf32>, %h: tensor<4x8x24xf32> {ssm.state = "scan"})
    -> (tensor<?x32xf32>, tensor<4x8x24xf32>) {
  %y, %next = ssm.ssd_scan %x dt %dt a %a b %b c %b state %h {state_format = #ssm.format<"f16">}
    : (tensor<?x32xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x24xf32>, tensor<?x24xf32>,
       tensor<4x8x24xf32>) -> (tensor<?x32xf32>, tensor<4x8x24xf32>)
  return %y, %next : tensor<?x32xf32>, tensor<4x8x24xf32>
}

// -----

// Codes are followed by their scales, rows x runs; the next state keeps its place.
// CHECK-LABEL: func.func @codes(
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<4x8x24xi8> {ssm.state = "scan"}, %[[S:[a-z0-9]+]]: tensor<32x2xf16> {ssm.state = "scan:scales"}, %[[C:[a-z0-9]+]]: tensor<2x32xf32> {ssm.state = "conv"})
// CHECK-SAME: -> (tensor<?x32xf32>, tensor<4x8x24xi8>, tensor<32x2xf16>, tensor<2x32xf32>)
// CHECK: %[[Y:.*]], %[[NEXT:.*]], %[[SCALES:.*]] = ssm.ssd_scan {{.*}} state %[[H]] scales %[[S]] {path = "p", state_format
// CHECK: return %[[Y]], %[[NEXT]], %[[SCALES]],
func.func @codes(%x: tensor<?x32xf32>, %dt: tensor<?x4xf32>, %a: tensor<4xf32>,
                 %b: tensor<?x24xf32>, %w: tensor<32x1x3xf32>,
                 %h: tensor<4x8x24xf32> {ssm.state = "scan"},
                 %c: tensor<2x32xf32> {ssm.state = "conv"})
    -> (tensor<?x32xf32>, tensor<4x8x24xf32>, tensor<2x32xf32>) {
  %z, %past = ssm.causal_conv1d %x, %w state %c
    : (tensor<?x32xf32>, tensor<32x1x3xf32>, tensor<2x32xf32>) -> (tensor<?x32xf32>, tensor<2x32xf32>)
  %y, %next = ssm.ssd_scan %z dt %dt a %a b %b c %b state %h
      {path = "p", state_format = #ssm.format<"i8 sym group=16">}
    : (tensor<?x32xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x24xf32>, tensor<?x24xf32>,
       tensor<4x8x24xf32>) -> (tensor<?x32xf32>, tensor<4x8x24xf32>)
  return %y, %next, %past : tensor<?x32xf32>, tensor<4x8x24xf32>, tensor<2x32xf32>
}

// -----

// A scale a head; a state that is read elsewhere, and formats without a stored form, stay.
// CHECK-LABEL: func.func @others(
// CHECK-SAME: tensor<6x4xf32> {ssm.state = "read"}, %{{.*}}: tensor<6x4xf32> {ssm.state = "four"}, %{{.*}}: tensor<6x4xi8> {ssm.state = "rows"}, %{{.*}}: tensor<6x1xf16> {ssm.state = "rows:scales"})
func.func @others(%x: tensor<?x6xf32>, %a: tensor<6x4xf32>, %b: tensor<?x4xf32>,
                  %read: tensor<6x4xf32> {ssm.state = "read"},
                  %four: tensor<6x4xf32> {ssm.state = "four"},
                  %rows: tensor<6x4xf32> {ssm.state = "rows"})
    -> (tensor<?x6xf32>, tensor<6x4xf32>, tensor<6x4xf32>, tensor<6x4xf32>) {
  %y, %n0 = ssm.selective_scan %x dt %x a %read b %b c %b state %read {state_format = #ssm.format<"f16">}
    : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<6x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<6x4xf32>) -> (tensor<?x6xf32>, tensor<6x4xf32>)
  %z, %n1 = ssm.selective_scan %y dt %x a %a b %b c %b state %four {state_format = #ssm.format<"i4 sym per_channel">}
    : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<6x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<6x4xf32>) -> (tensor<?x6xf32>, tensor<6x4xf32>)
  %v, %n2 = ssm.selective_scan %z dt %x a %a b %b c %b state %rows {state_format = #ssm.format<"i8 sym per_channel">}
    : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<6x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<6x4xf32>) -> (tensor<?x6xf32>, tensor<6x4xf32>)
  return %v, %n0, %n1, %n2 : tensor<?x6xf32>, tensor<6x4xf32>, tensor<6x4xf32>, tensor<6x4xf32>
}

// -----

func.func @wrong_type(%x: tensor<?x6xf32>, %a: tensor<6x4xf32>, %b: tensor<?x4xf32>, %h: tensor<6x4xbf16>) {
  // expected-error @+1 {{stores no state of type 'tensor<6x4xbf16>' in its format}}
  %y, %n = ssm.selective_scan %x dt %x a %a b %b c %b state %h {state_format = #ssm.format<"f16">}
    : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<6x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<6x4xbf16>) -> (tensor<?x6xf32>, tensor<6x4xbf16>)
  return
}

// -----

func.func @without_scales(%x: tensor<?x6xf32>, %a: tensor<6x4xf32>, %b: tensor<?x4xf32>, %h: tensor<6x4xi8>) {
  // expected-error @+1 {{needs state scales of type 'tensor<6x1xf16>'}}
  %y, %n = ssm.selective_scan %x dt %x a %a b %b c %b state %h {state_format = #ssm.format<"i8 sym per_channel">}
    : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<6x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<6x4xi8>) -> (tensor<?x6xf32>, tensor<6x4xi8>)
  return
}
