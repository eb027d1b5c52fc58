// Ranges of assigned formats stand beside them.
// RUN: ssmq-opt %s -split-input-file -verify-diagnostics

func.func @known(%x: tensor<?x2xf32>, %w: tensor<3x2xf32>) -> tensor<?x3xf32> {
  %y = ssm.linear %x, %w {ssm.formats = {input = #ssm.format<"i8 sym per_tensor static=99">}, ssm.ranges = {input = array<f32: -1.0, 1.0>}} : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// -----

func.func @no_arrays(%x: tensor<?x2xf32>, %w: tensor<3x2xf32>) -> tensor<?x3xf32> {
  // expected-error@+1 {{attribute 'ssm.ranges' must be a dictionary of f32 arrays, but is {input = 1 : i64}}}
  %y = ssm.linear %x, %w {ssm.formats = {input = #ssm.format<"i8 sym per_tensor static=99">}, ssm.ranges = {input = 1}} : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// -----

func.func @no_format(%x: tensor<?x2xf32>, %w: tensor<3x2xf32>) -> tensor<?x3xf32> {
  // expected-error@+1 {{attribute 'ssm.ranges' has ranges of "input", which has no format in 'ssm.formats'}}
  %y = ssm.linear %x, %w {ssm.ranges = {input = array<f32: -1.0, 1.0>}} : (tensor<?x2xf32>, tensor<3x2xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
