// RUN: ssmq-opt %s --split-input-file --verify-diagnostics

func.func @static(%c: tensor<4x3xi8>) {
  // expected-error @below {{takes ranges from calibration and stores no values}}
  %w = ssm.dequantize %c as <"i8 sym per_tensor static=99"> : (tensor<4x3xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @rows(%c: tensor<5x3xi8>) {
  // expected-error @below {{5 rows of codes cannot be cut from 'tensor<4x3xf32>'}}
  %w = ssm.dequantize %c as <"f16"> : (tensor<5x3xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @no_rows(%c: tensor<0x3xi8>) {
  // expected-error @below {{0 rows of codes cannot be cut from}}
  %w = ssm.dequantize %c as <"f16"> : (tensor<0x3xi8>) -> tensor<0x3xf32>
  return
}

// -----

func.func @codes(%c: tensor<4x3xi8>) {
  // expected-error @below {{codes must be 4 x 6 bytes, but are 'tensor<4x3xi8>'}}
  %w = ssm.dequantize %c as <"f16"> : (tensor<4x3xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @missing(%c: tensor<4x3xi8>) {
  // expected-error @below {{needs the scales of 'f8E4M3 per_channel'}}
  %w = ssm.dequantize %c as <"f8E4M3 per_channel"> : (tensor<4x3xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @more(%c: tensor<4x6xi8>) {
  // expected-error @below {{has scales, which format 'f16' does not have}}
  %w = ssm.dequantize %c scales %c as <"f16"> : (tensor<4x6xi8>, tensor<4x6xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @scales(%c: tensor<4x3xi8>) {
  // expected-error @below {{scales must be 4 x 2 bytes, but are 'tensor<4x3xi8>'}}
  %w = ssm.dequantize %c scales %c as <"f8E4M3 per_channel"> : (tensor<4x3xi8>, tensor<4x3xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @dim(%c: tensor<4x3xi8>, %s: tensor<4x2xi8>) {
  // expected-error @below {{channel_dim 2 is no dimension of 'tensor<4x3xf32>'}}
  %w = ssm.dequantize %c scales %s as <"f8E4M3 per_channel"> {channel_dim = 2 : i64} : (tensor<4x3xi8>, tensor<4x2xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @negative_dim(%c: tensor<4x3xi8>, %s: tensor<4x2xi8>) {
  // expected-error @below {{channel_dim -1 is no dimension of}}
  %w = ssm.dequantize %c scales %s as <"f8E4M3 per_channel"> {channel_dim = -1 : i64} : (tensor<4x3xi8>, tensor<4x2xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @huge(%c: tensor<4611686018427387904x2xi8>) {
  // expected-error @below {{needs static shapes of less than 2^40 elements}}
  %w = ssm.dequantize %c as <"f16"> : (tensor<4611686018427387904x2xi8>) -> tensor<4611686018427387904x1xf32>
  return
}

// -----

func.func @head(%c: tensor<4x3xi8>) {
  // expected-error @below {{needs the scales of 'i8 sym per_head'}}
  %w = ssm.dequantize %c as <"i8 sym per_head"> : (tensor<4x3xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @spelling(%c: tensor<4x3xi8>) {
  // expected-error @below {{int99}}
  %w = ssm.dequantize %c as <"int99"> : (tensor<4x3xi8>) -> tensor<4x3xf32>
  return
}

// -----

func.func @layout(%x: tensor<?x8xf32>) {
  // expected-error @below {{per_channel over tokens needs ranges known beforehand}}
  %y = ssm.fake_quantize %x as <"i8 sym per_channel"> : tensor<?x8xf32>
  return
}

// -----

func.func @heads(%x: tensor<?x8xf32>) {
  // expected-error @below {{per_head needs whole heads}}
  %y = ssm.fake_quantize %x as <"i8 sym per_head"> {head_size = 3 : i64} : tensor<?x8xf32>
  return
}

// -----

func.func @negative_heads(%x: tensor<?x8xf32>) {
  // expected-error @below {{negative dimension}}
  %y = ssm.fake_quantize %x as <"i8 sym per_head"> {head_size = -8 : i64} : tensor<?x8xf32>
  return
}

// -----

func.func @columns(%x: tensor<4x?xf32>) {
  // expected-error @below {{needs a last dimension of 1 to 2^40 channels}}
  %y = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<4x?xf32>
  return
}

// -----

func.func @scalar(%x: tensor<f32>) {
  // expected-error @below {{needs a last dimension}}
  %y = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<f32>
  return
}

// -----

func.func @no_ranges(%x: tensor<?x8xf32>) {
  // expected-error @below {{needs 8 ranges (low and high each), but there are 0 numbers}}
  %y = ssm.fake_quantize %x as <"i8 sym per_channel static=99"> : tensor<?x8xf32>
  return
}

// -----

func.func @useless_ranges(%x: tensor<?x8xf32>) {
  // expected-error @below {{needs 0 ranges (low and high each), but there are 2 numbers}}
  %y = ssm.fake_quantize %x as <"i8 sym per_token"> {ranges = array<f32: -1.0, 1.0>} : tensor<?x8xf32>
  return
}

// -----

func.func @nan_range(%x: tensor<?x8xf32>) {
  // expected-error @below {{range 0 must be finite and hold zero}}
  %y = ssm.fake_quantize %x as <"i8 sym per_tensor static=99"> {ranges = array<f32: 0x7FC00000, 1.0>} : tensor<?x8xf32>
  return
}

// -----

func.func @odd_range(%x: tensor<?x8xf32>) {
  // expected-error @below {{but there are 3 numbers}}
  %y = ssm.fake_quantize %x as <"i8 sym per_tensor static=99"> {ranges = array<f32: -1.0, 1.0, 2.0>} : tensor<?x8xf32>
  return
}

// -----

func.func @state(%x: tensor<?x64xf32>, %w: tensor<64x1x4xf32>, %past: tensor<3x64xf32>) {
  // expected-error @below {{per_channel over tokens needs ranges known beforehand}}
  %y, %next = ssm.causal_conv1d %x, %w state %past {state_format = #ssm.format<"i8 sym per_channel">}
    : (tensor<?x64xf32>, tensor<64x1x4xf32>, tensor<3x64xf32>) -> (tensor<?x64xf32>, tensor<3x64xf32>)
  return
}

// -----

func.func @state_ranges(%x: tensor<?x64xf32>, %w: tensor<64x1x4xf32>, %past: tensor<3x64xf32>) {
  // expected-error @below {{state_ranges belong to a state_format}}
  %y, %next = ssm.causal_conv1d %x, %w state %past {state_ranges = array<f32: -1.0, 1.0>}
    : (tensor<?x64xf32>, tensor<64x1x4xf32>, tensor<3x64xf32>) -> (tensor<?x64xf32>, tensor<3x64xf32>)
  return
}

// -----

// expected-error @below {{attribute 'ssm.formats' must be a dictionary of #ssm.format}}
func.func @attribute() attributes {ssm.formats = {input = "f16"}} {
  return
}
