// What `stable` states of a diagonal scan is shown from the program alone, by values or by a format.
// RUN: ssmq-opt %s -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: @constant
// CHECK: ssm.diagonal_scan {{.*}} {stable}
func.func @constant(%x: tensor<?x2xf32>, %b: tensor<2x4xf32>, %s: tensor<2x4xf32>) -> tensor<?x2xf32> {
  %a = arith.constant dense<[[0.5, -0.5, 0.9999, 0.0], [0.6, 0.79999, 0.0, -0.0]]> : tensor<2x4xf32>
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<?x2xf32>, tensor<2x4xf32>)
  return %y : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: @half_splat
func.func @half_splat(%x: tensor<?x2xf32>, %b: tensor<2x4xf32>, %s: tensor<2x4xf32>) -> tensor<?x2xf32> {
  %a = arith.constant dense<0.7> : tensor<2x4xf16>
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x4xf16>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<?x2xf32>, tensor<2x4xf32>)
  return %y : tensor<?x2xf32>
}

// -----

// 0.5, 0 and 0, -0.5: 64 and -64 in steps of 2^-7.
// CHECK-LABEL: @codes
// CHECK: ssm.diagonal_scan {{.*}} {stable}
func.func @codes(%x: tensor<?x2xf32>, %b: tensor<2x2xf32>, %s: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %codes = arith.constant dense<[[64, 0], [0, -64]]> : tensor<2x2xi8>
  %scales = arith.constant dense<[[0, 32], [0, 32]]> : tensor<2x2xi8>
  %a = ssm.dequantize %codes scales %scales as <"i8 sym per_channel"> : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xf32>
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> (tensor<?x2xf32>, tensor<2x2xf32>)
  return %y : tensor<?x2xf32>
}

// -----

// Whatever the codes and scales are.
// CHECK-LABEL: @format
// CHECK: ssm.diagonal_scan {{.*}} {stable}
func.func @format(%x: tensor<?x2xf32>, %codes: tensor<2x1xi8>, %scales: tensor<2x8xi8>, %b: tensor<2x2xf32>, %s: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %a = ssm.dequantize %codes scales %scales as <"logpolar<1,7> stable per_head"> : (tensor<2x1xi8>, tensor<2x8xi8>) -> tensor<2x2xf32>
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> (tensor<?x2xf32>, tensor<2x2xf32>)
  return %y : tensor<?x2xf32>
}

// -----

func.func @outside(%x: tensor<?x2xf32>, %b: tensor<2x4xf32>, %s: tensor<2x4xf32>) -> tensor<?x2xf32> {
  %a = arith.constant dense<[[0.5, -0.5, 0.9999, 0.0], [0.6, 0.7, 0.8, -0.61]]> : tensor<2x4xf32>
  // expected-error@+1 {{is stable, but |a| is 1.006032 at state 1 of head 1}}
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> (tensor<?x2xf32>, tensor<2x4xf32>)
  return %y : tensor<?x2xf32>
}

// -----

// On the circle is not inside.
func.func @circle(%x: tensor<?x2xf32>, %b: tensor<2x2xf32>, %s: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %a = arith.constant dense<[[0.0, -1.0], [0.5, 0.5]]> : tensor<2x2xf32>
  // expected-error@+1 {{is stable, but |a| is 1.000000 at state 0 of head 0}}
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> (tensor<?x2xf32>, tensor<2x2xf32>)
  return %y : tensor<?x2xf32>
}

// -----

func.func @not_a_number(%x: tensor<?x1xf32>, %b: tensor<1x2xf32>, %s: tensor<1x2xf32>) -> tensor<?x1xf32> {
  %a = arith.constant dense<[[0x7FC00000, 0.0]]> : tensor<1x2xf32>
  // expected-error@+1 {{is stable, but |a| is nan at state 0 of head 0}}
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x1xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) -> (tensor<?x1xf32>, tensor<1x2xf32>)
  return %y : tensor<?x1xf32>
}

// -----

func.func @codes_outside(%x: tensor<?x2xf32>, %b: tensor<2x2xf32>, %s: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %codes = arith.constant dense<[[64, 0], [96, -96]]> : tensor<2x2xi8>
  %scales = arith.constant dense<[[0, 32], [0, 32]]> : tensor<2x2xi8>
  %a = ssm.dequantize %codes scales %scales as <"i8 sym per_channel"> : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xf32>
  // expected-error@+1 {{is stable, but |a| is 1.060660 at state 0 of head 1}}
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> (tensor<?x2xf32>, tensor<2x2xf32>)
  return %y : tensor<?x2xf32>
}

// -----

func.func @unknown(%x: tensor<?x2xf32>, %a: tensor<2x2xf32>, %b: tensor<2x2xf32>, %s: tensor<2x2xf32>) -> tensor<?x2xf32> {
  // expected-error@+1 {{is stable, but |a| < 1 cannot be shown: `a` is neither a constant nor in a format that holds nothing else; run --ssmq-mark-stable}}
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> (tensor<?x2xf32>, tensor<2x2xf32>)
  return %y : tensor<?x2xf32>
}

// -----

// The plain format stays below one only where its scales do.
func.func @plain_format(%x: tensor<?x2xf32>, %codes: tensor<2x1xi8>, %scales: tensor<2x8xi8>, %b: tensor<2x2xf32>, %s: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %a = ssm.dequantize %codes scales %scales as <"logpolar<1,7> per_head"> : (tensor<2x1xi8>, tensor<2x8xi8>) -> tensor<2x2xf32>
  // expected-error@+1 {{is stable, but |a| < 1 cannot be shown}}
  %y, %next = ssm.diagonal_scan %x a %a b %b c %b state %s {stable}
    : (tensor<?x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) -> (tensor<?x2xf32>, tensor<2x2xf32>)
  return %y : tensor<?x2xf32>
}
