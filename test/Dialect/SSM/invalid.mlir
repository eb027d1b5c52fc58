// One case per shape error of the ops; MLIR adds its own line to each.
// RUN: ssmq-opt %s --split-input-file --verify-diagnostics

func.func @case1(%x: tensor<?x8xf32>, %w: tensor<8xf16>) {
  // expected-error @+2 {{weight must have rank 2, but has rank 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<8xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case2(%x: tensor<?x8xf32>, %w: tensor<?x8xf16>) {
  // expected-error @+2 {{weight must have a static shape}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<?x8xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case3(%x: tensor<?x1048576xf32>, %w: tensor<1048576x1048576xf16>) {
  // expected-error @+2 {{weight has 2^40 elements or more}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w : (tensor<?x1048576xf32>, tensor<1048576x1048576xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case4(%x: tensor<?x?xf32>, %w: tensor<4x8xf16>) {
  // expected-error @+2 {{input must have a static number of columns}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w : (tensor<?x?xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case5(%x: tensor<?x8xf32>, %w: tensor<4x7xf16>) {
  // expected-error @+2 {{weight has size 7 in dimension 1, but the number of columns of the input is 8}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<4x7xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case6(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %b: tensor<3xf16>) {
  // expected-error @+2 {{bias has size 3 in dimension 0, but the number of rows of the weight is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w bias %b : (tensor<?x8xf32>, tensor<4x8xf16>, tensor<3xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case7(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>) {
  // expected-error @+2 {{scales, zero_points and group_size belong to a quantized weight}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w {group_size = 4 : i64} : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case8(%x: tensor<?x8xf32>, %w: tensor<4x8x!quant.any<i4:f32>>) {
  // expected-error @+2 {{a quantized weight needs scales and group_size}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8x!quant.any<i4:f32>>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case9(%x: tensor<?x8xf32>, %w: tensor<4x8x!quant.any<i4:f32>>, %s: tensor<4x2xf16>) {
  // expected-error @+2 {{group_size must be positive, but is 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 0 : i64} : (tensor<?x8xf32>, tensor<4x8x!quant.any<i4:f32>>, tensor<4x2xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case10(%x: tensor<?x8xf32>, %w: tensor<4x8x!quant.any<i4:f32>>, %s: tensor<4x2xf16>) {
  // expected-error @+2 {{scales has size 2 in dimension 1, but the number of groups in a row is 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64} : (tensor<?x8xf32>, tensor<4x8x!quant.any<i4:f32>>, tensor<4x2xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case11(%x: tensor<?x8xf32>, %w: tensor<4x8x!quant.any<i4:f32>>, %s: tensor<4x2xf16>, %z: tensor<4x1xi8>) {
  // expected-error @+2 {{zero_points must have the shape of scales}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s zero_points %z {group_size = 4 : i64} : (tensor<?x8xf32>, tensor<4x8x!quant.any<i4:f32>>, tensor<4x2xf16>, tensor<4x1xi8>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case12(%x: tensor<?x8xf32>, %w: tensor<4x4xf16>) {
  // expected-error @+2 {{packed_bits needs a weight of bytes}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w {packed_bits = 4 : i64} : (tensor<?x8xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case13(%x: tensor<?x8xf32>, %w: tensor<4x8xi8>) {
  // expected-error @+2 {{a weight of bytes (i8) needs packed_bits}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xi8>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case14(%x: tensor<?x8xf32>, %w: tensor<4x8xi8>, %s: tensor<4x2xf16>) {
  // expected-error @+2 {{weight has size 8 in dimension 1, but the number of bytes of a packed row is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 4 : i64, packed_bits = 4 : i64} : (tensor<?x8xf32>, tensor<4x8xi8>, tensor<4x2xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @case15(%x: tensor<?x8xf32>, %w: tensor<7xf32>) {
  // expected-error @+2 {{weight has size 7 in dimension 0, but the number of columns of the input is 8}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32, groups = 1 : i64} : (tensor<?x8xf32>, tensor<7xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @case16(%x: tensor<?x8xf32>, %w: tensor<8xf32>) {
  // expected-error @+2 {{groups must divide the 8 columns, but is 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32, groups = 3 : i64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @case17(%x: tensor<?x8xf32>, %w: tensor<8xf32>) {
  // expected-error @+2 {{groups must divide the 8 columns, but is 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32, groups = 0 : i64} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @case18(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %b: tensor<7xf32>) {
  // expected-error @+2 {{bias has size 7 in dimension 0, but the number of columns of the input is 8}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.layer_norm %x, %w bias %b {eps = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf32>, tensor<7xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @case19(%x: tensor<?x5xf32>, %w: tensor<4x1x4xf16>, %s: tensor<3x4xf32>) {
  // expected-error @+2 {{input has size 5 in dimension 1, but the number of rows of the weight is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.causal_conv1d %x, %w state %s : (tensor<?x5xf32>, tensor<4x1x4xf16>, tensor<3x4xf32>) -> (tensor<?x5xf32>, tensor<3x4xf32>)
  return
}

// -----

func.func @case20(%x: tensor<?x4xf32>, %w: tensor<4x1x4xf16>, %s: tensor<3x5xf32>) {
  // expected-error @+2 {{state has size 5 in dimension 1, but the number of rows of the weight is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.causal_conv1d %x, %w state %s : (tensor<?x4xf32>, tensor<4x1x4xf16>, tensor<3x5xf32>) -> (tensor<?x4xf32>, tensor<3x5xf32>)
  return
}

// -----

func.func @case21(%x: tensor<?x4xf32>, %w: tensor<4x2x4xf16>, %s: tensor<3x4xf32>) {
  // expected-error @+2 {{weight has size 2 in dimension 1, but the number of input channels of a depthwise convolution is 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.causal_conv1d %x, %w state %s : (tensor<?x4xf32>, tensor<4x2x4xf16>, tensor<3x4xf32>) -> (tensor<?x4xf32>, tensor<3x4xf32>)
  return
}

// -----

func.func @case22(%x: tensor<?x4xf32>, %w: tensor<4x1x5xf16>, %s: tensor<3x4xf32>) {
  // expected-error @+2 {{weight has size 5 in dimension 2, but the number of rows of the state plus one is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.causal_conv1d %x, %w state %s : (tensor<?x4xf32>, tensor<4x1x5xf16>, tensor<3x4xf32>) -> (tensor<?x4xf32>, tensor<3x4xf32>)
  return
}

// -----

func.func @case23(%x: tensor<?x4xf32>, %t: tensor<?x5xf32>, %a: tensor<4x2xf32>, %b: tensor<?x2xf32>, %c: tensor<?x2xf32>, %d: tensor<4xf32>, %h: tensor<4x2xf32>) {
  // expected-error @+2 {{dt has size 5 in dimension 1, but the number of channels of the state is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.selective_scan %x dt %t a %a b %b c %c d %d state %h : (tensor<?x4xf32>, tensor<?x5xf32>, tensor<4x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<4xf32>, tensor<4x2xf32>) -> (tensor<?x4xf32>, tensor<4x2xf32>)
  return
}

// -----

func.func @case24(%x: tensor<2x4xf32>, %t: tensor<3x4xf32>, %a: tensor<4x2xf32>, %b: tensor<?x2xf32>, %c: tensor<?x2xf32>, %d: tensor<4xf32>, %h: tensor<4x2xf32>) {
  // expected-error @+2 {{dt has size 3 in dimension 0, but the number of tokens is 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.selective_scan %x dt %t a %a b %b c %c d %d state %h : (tensor<2x4xf32>, tensor<3x4xf32>, tensor<4x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<4xf32>, tensor<4x2xf32>) -> (tensor<2x4xf32>, tensor<4x2xf32>)
  return
}

// -----

func.func @case25(%x: tensor<?x4xf32>, %t: tensor<?x4xf32>, %a: tensor<4x3xf32>, %b: tensor<?x2xf32>, %c: tensor<?x2xf32>, %d: tensor<4xf32>, %h: tensor<4x2xf32>) {
  // expected-error @+2 {{a has size 3 in dimension 1, but the size of the state of a channel is 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.selective_scan %x dt %t a %a b %b c %c d %d state %h : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x3xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<4xf32>, tensor<4x2xf32>) -> (tensor<?x4xf32>, tensor<4x2xf32>)
  return
}

// -----

func.func @case26(%x: tensor<?x4xf32>, %t: tensor<?x4xf32>, %a: tensor<4x2xf32>, %b: tensor<?x3xf32>, %c: tensor<?x2xf32>, %d: tensor<4xf32>, %h: tensor<4x2xf32>) {
  // expected-error @+2 {{b has size 3 in dimension 1, but the size of the state of a channel is 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.selective_scan %x dt %t a %a b %b c %c d %d state %h : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x2xf32>, tensor<?x3xf32>, tensor<?x2xf32>, tensor<4xf32>, tensor<4x2xf32>) -> (tensor<?x4xf32>, tensor<4x2xf32>)
  return
}

// -----

func.func @case27(%x: tensor<?x4xf32>, %t: tensor<?x4xf32>, %a: tensor<4x2xf32>, %b: tensor<?x2xf32>, %c: tensor<?x3xf32>, %d: tensor<4xf32>, %h: tensor<4x2xf32>) {
  // expected-error @+2 {{c has size 3 in dimension 1, but the size of the state of a channel is 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.selective_scan %x dt %t a %a b %b c %c d %d state %h : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x2xf32>, tensor<?x2xf32>, tensor<?x3xf32>, tensor<4xf32>, tensor<4x2xf32>) -> (tensor<?x4xf32>, tensor<4x2xf32>)
  return
}

// -----

func.func @case28(%x: tensor<?x4xf32>, %t: tensor<?x4xf32>, %a: tensor<4x2xf32>, %b: tensor<?x2xf32>, %c: tensor<?x2xf32>, %d: tensor<5xf32>, %h: tensor<4x2xf32>) {
  // expected-error @+2 {{d has size 5 in dimension 0, but the number of channels of the state is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.selective_scan %x dt %t a %a b %b c %c d %d state %h : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<5xf32>, tensor<4x2xf32>) -> (tensor<?x4xf32>, tensor<4x2xf32>)
  return
}

// -----

func.func @case29(%x: tensor<?x4xf32>, %t: tensor<?x4xf32>, %a: tensor<4x2xf32>, %b: tensor<?x2xf32>, %c: tensor<?x2xf32>, %d: tensor<4xf32>, %h: tensor<?x2xf32>) {
  // expected-error @+2 {{state must have a static shape}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.selective_scan %x dt %t a %a b %b c %c d %d state %h : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<4xf32>, tensor<?x2xf32>) -> (tensor<?x4xf32>, tensor<?x2xf32>)
  return
}

// -----

func.func @case30(%x: tensor<?x9xf32>, %t: tensor<?x2xf32>, %a: tensor<2xf32>, %b: tensor<?x3xf32>, %c: tensor<?x3xf32>, %h: tensor<2x4x3xf32>) {
  // expected-error @+2 {{input has size 9 in dimension 1, but heads times channels of the state is 8}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.ssd_scan %x dt %t a %a b %b c %c state %h : (tensor<?x9xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x3xf32>, tensor<?x3xf32>, tensor<2x4x3xf32>) -> (tensor<?x9xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @case31(%x: tensor<?x8xf32>, %t: tensor<?x3xf32>, %a: tensor<2xf32>, %b: tensor<?x3xf32>, %c: tensor<?x3xf32>, %h: tensor<2x4x3xf32>) {
  // expected-error @+2 {{dt has size 3 in dimension 1, but the number of heads of the state is 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.ssd_scan %x dt %t a %a b %b c %c state %h : (tensor<?x8xf32>, tensor<?x3xf32>, tensor<2xf32>, tensor<?x3xf32>, tensor<?x3xf32>, tensor<2x4x3xf32>) -> (tensor<?x8xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @case32(%x: tensor<?x8xf32>, %t: tensor<?x2xf32>, %a: tensor<3xf32>, %b: tensor<?x3xf32>, %c: tensor<?x3xf32>, %h: tensor<2x4x3xf32>) {
  // expected-error @+2 {{a has size 3 in dimension 0, but the number of heads of the state is 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.ssd_scan %x dt %t a %a b %b c %c state %h : (tensor<?x8xf32>, tensor<?x2xf32>, tensor<3xf32>, tensor<?x3xf32>, tensor<?x3xf32>, tensor<2x4x3xf32>) -> (tensor<?x8xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @case33(%x: tensor<?x8xf32>, %t: tensor<?x2xf32>, %a: tensor<2xf32>, %b: tensor<?x3xf32>, %c: tensor<?x4xf32>, %h: tensor<2x4x3xf32>) {
  // expected-error @+2 {{c has size 4 in dimension 1, but the number of columns of b is 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.ssd_scan %x dt %t a %a b %b c %c state %h : (tensor<?x8xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x3xf32>, tensor<?x4xf32>, tensor<2x4x3xf32>) -> (tensor<?x8xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @case34(%x: tensor<?x8xf32>, %t: tensor<?x2xf32>, %a: tensor<2xf32>, %b: tensor<?x4xf32>, %c: tensor<?x4xf32>, %h: tensor<2x4x3xf32>) {
  // expected-error @+2 {{b has 4 columns, which is no number of groups times the state size 3 that divides the 2 heads}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1 = ssm.ssd_scan %x dt %t a %a b %b c %c state %h : (tensor<?x8xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<2x4x3xf32>) -> (tensor<?x8xf32>, tensor<2x4x3xf32>)
  return
}

// -----

func.func @case35(%q: tensor<?x9xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>, %kc: tensor<?x4xf32>, %vc: tensor<?x4xf32>, %p: tensor<i32>) {
  // expected-error @+2 {{query has 9 columns, which is no number of heads of head_dim 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1, %2 = ssm.attention %q, %k, %v, caches %kc, %vc at %p {head_dim = 4 : i64, scale = 0.5 : f32} : (tensor<?x9xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<i32>) -> (tensor<?x9xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @case36(%q: tensor<?x8xf32>, %k: tensor<?x4xf32>, %v: tensor<?x8xf32>, %kc: tensor<?x4xf32>, %vc: tensor<?x4xf32>, %p: tensor<i32>) {
  // expected-error @+2 {{value has size 8 in dimension 1, but the number of columns of the key is 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1, %2 = ssm.attention %q, %k, %v, caches %kc, %vc at %p {head_dim = 4 : i64, scale = 0.5 : f32} : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<i32>) -> (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @case37(%q: tensor<?x8xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>, %kc: tensor<5x4xf32>, %vc: tensor<6x4xf32>, %p: tensor<i32>) {
  // expected-error @+2 {{value_cache has size 6 in dimension 0, but the capacity of the key cache is 5}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1, %2 = ssm.attention %q, %k, %v, caches %kc, %vc at %p {head_dim = 4 : i64, scale = 0.5 : f32} : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<5x4xf32>, tensor<6x4xf32>, tensor<i32>) -> (tensor<?x8xf32>, tensor<5x4xf32>, tensor<6x4xf32>)
  return
}

// -----

func.func @case38(%q: tensor<?x12xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %kc: tensor<?x8xf32>, %vc: tensor<?x8xf32>, %p: tensor<i32>) {
  // expected-error @+2 {{query has 3 heads, which is no multiple of the 2 key heads}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1, %2 = ssm.attention %q, %k, %v, caches %kc, %vc at %p {head_dim = 4 : i64, scale = 0.5 : f32} : (tensor<?x12xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<i32>) -> (tensor<?x12xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
  return
}

// -----

func.func @case39(%q: tensor<?x8xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>, %kc: tensor<?x4xf32>, %vc: tensor<?x4xf32>, %p: tensor<i32>) {
  // expected-error @+2 {{window must not be negative, but is -1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0, %1, %2 = ssm.attention %q, %k, %v, caches %kc, %vc at %p {head_dim = 4 : i64, scale = 0.5 : f32, window = -1 : i64} : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<i32>) -> (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @case40(%x: tensor<?x8xf32>, %p: tensor<i32>) {
  // expected-error @+2 {{rotary_dim must be even and at most head_dim 4, but is 6}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.rotary %x at %p {head_dim = 4 : i64, rotary_dim = 6 : i64, theta = 1.0e4 : f32} : (tensor<?x8xf32>, tensor<i32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @case41(%x: tensor<?x8xf32>, %p: tensor<i32>) {
  // expected-error @+2 {{theta must be positive}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.rotary %x at %p {head_dim = 4 : i64, rotary_dim = 4 : i64, theta = 0.0 : f32} : (tensor<?x8xf32>, tensor<i32>) -> tensor<?x8xf32>
  return
}

// -----

// expected-error @+1 {{attribute 'ssm.format' must be a #ssm.format, but is 1}}
ml_program.global private @w(#ml_program.extern : tensor<2xf32>) : tensor<2xf32> {ssm.format = 1 : i64}

// -----

// expected-error @+1 {{attribute 'ssm.checkpoint' must be a string (a directory), but is 1}}
module attributes {ssm.checkpoint = 1 : i64} {}

// -----

// expected-error @+1 {{format 'i4 sym group=1e3' is not known; write for example 'i4 sym group=128'}}
ml_program.global private @w(#ml_program.extern : tensor<2xf32>) : tensor<2xf32> {ssm.format = #ssm.format<"i4 sym group=1e3">}

// -----

func.func @diagonal_pairs(%x: tensor<?x3xf32>, %a: tensor<3x5xf32>) {
  // expected-error @+2 {{state has 5 columns, which are not pairs of real and imaginary parts}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:2 = ssm.diagonal_scan %x a %a b %a c %a state %a : (tensor<?x3xf32>, tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>) -> (tensor<?x3xf32>, tensor<3x5xf32>)
  return
}

// -----

func.func @diagonal_heads(%x: tensor<?x4xf32>, %a: tensor<3x6xf32>) {
  // expected-error @+2 {{the number of heads of the state}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:2 = ssm.diagonal_scan %x a %a b %a c %a state %a : (tensor<?x4xf32>, tensor<3x6xf32>, tensor<3x6xf32>, tensor<3x6xf32>, tensor<3x6xf32>) -> (tensor<?x4xf32>, tensor<3x6xf32>)
  return
}

// -----

func.func @diagonal_groups(%x: tensor<?x3xf32>, %a: tensor<3x6xf32>) {
  // expected-error @+1 {{has a state in groups of 3, which cut a complex number in two}}
  %0:2 = ssm.diagonal_scan %x a %a b %a c %a state %a {state_format = #ssm.format<"i8 sym group=3">} : (tensor<?x3xf32>, tensor<3x6xf32>, tensor<3x6xf32>, tensor<3x6xf32>, tensor<3x6xf32>) -> (tensor<?x3xf32>, tensor<3x6xf32>)
  return
}
