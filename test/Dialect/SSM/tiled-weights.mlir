// Weights in tiles of 16 rows, and one case per mistake; MLIR adds its own line to each.
// RUN: ssmq-opt %s --split-input-file --verify-diagnostics

func.func @regular(%x: tensor<?x256xf32>, %w: tensor<32x2048xi8>, %s: tensor<32x4x16xf16>,
                   %z: tensor<32x4x16xi8>, %ids: tensor<?xi32>) {
  %0 = ssm.linear %x, %w scales %s zero_points %z
    {group_size = 64 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x256xf32>, tensor<32x2048xi8>, tensor<32x4x16xf16>, tensor<32x4x16xi8>)
    -> tensor<?x512xf32>
  %1 = ssm.embedding %ids, %w scales %s
    {group_size = 64 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?xi32>, tensor<32x2048xi8>, tensor<32x4x16xf16>) -> tensor<?x256xf32>
  return
}

// -----

// Groups of 20 columns take 3 blocks of 8, the last of 10 takes 2.
func.func @irregular(%x: tensor<?x50xf32>, %w: tensor<2x512xi8>, %s: tensor<2x3x16xf32>,
                     %b: tensor<19xf32>, %ids: tensor<?xi32>) {
  %0 = ssm.linear %x, %w scales %s bias %b
    {group_size = 20 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64, rows = 19 : i64}
    : (tensor<?x50xf32>, tensor<2x512xi8>, tensor<2x3x16xf32>, tensor<19xf32>) -> tensor<?x19xf32>
  %1 = ssm.embedding %ids, %w scales %s
    {group_size = 20 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64, rows = 19 : i64,
     columns = 50 : i64}
    : (tensor<?xi32>, tensor<2x512xi8>, tensor<2x3x16xf32>) -> tensor<?x50xf32>
  return
}

// -----

func.func @tile_rows(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{tile_rows must be 16}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 8 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x1x16xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @packed_bits(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{a tiled weight needs packed_bits of 4 or 8}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 3 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x1x16xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @float_weight(%x: tensor<?x8xf32>, %w: tensor<2x64xf16>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{packed_bits needs a weight of bytes (i8)}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xf16>, tensor<2x1x16xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @no_scales(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>) {
  // expected-error @+2 {{a quantized weight needs scales and group_size}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>) -> tensor<?x32xf32>
  return
}

// -----

func.func @group_size(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{group_size must be positive, but is 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 0 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x1x16xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @rows(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{weight has 2 tiles of 16 rows, which are not those of 16 rows}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64, rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x1x16xf16>) -> tensor<?x16xf32>
  return
}

// -----

func.func @result(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{inferred type(s) 'tensor<?x32xf32>' are incompatible with return type(s) of operation 'tensor<?x30xf32>'}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x1x16xf16>) -> tensor<?x30xf32>
  return
}

// -----

func.func @bytes(%x: tensor<?x9xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{weight has tiles of 64 bytes, which are not those of 9 columns in groups of 9 at 4 bits}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 9 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x9xf32>, tensor<2x64xi8>, tensor<2x1x16xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @columns(%ids: tensor<?xi32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>) {
  // expected-error @+2 {{weight has tiles of 64 bytes, which are not those of 4611686018427387904 columns in groups of 1 at 8 bits}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.embedding %ids, %w scales %s {group_size = 1 : i64, packed_bits = 8 : i64, tile_rows = 16 : i64, columns = 4611686018427387904 : i64} : (tensor<?xi32>, tensor<2x64xi8>, tensor<2x1x16xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @scales_rank(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<32x1xf16>) {
  // expected-error @+2 {{scales must have rank 3, but has rank 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<32x1xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @scales_tiles(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<1x1x16xf16>) {
  // expected-error @+2 {{scales has size 1 in dimension 0, but the number of tiles is 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<1x1x16xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @scales_groups(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x2x16xf16>) {
  // expected-error @+2 {{scales has size 2 in dimension 1, but the number of groups in a row is 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x2x16xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @scales_rows(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x8xf16>) {
  // expected-error @+2 {{scales has size 8 in dimension 2, but the number of rows of a tile is 16}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x1x8xf16>) -> tensor<?x32xf32>
  return
}

// -----

func.func @zero_points(%x: tensor<?x8xf32>, %w: tensor<2x64xi8>, %s: tensor<2x1x16xf16>, %z: tensor<32x1xi8>) {
  // expected-error @+2 {{zero_points must have the shape of scales}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s zero_points %z {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64} : (tensor<?x8xf32>, tensor<2x64xi8>, tensor<2x1x16xf16>, tensor<32x1xi8>) -> tensor<?x32xf32>
  return
}

// -----

func.func @rows_without_tiles(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>) {
  // expected-error @+2 {{rows belong to a tiled weight}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w {rows = 4 : i64} : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return
}

// -----

func.func @scales_rank_without_tiles(%x: tensor<?x8xf32>, %w: tensor<16x8xi8>, %s: tensor<1x1x16xf16>) {
  // expected-error @+2 {{scales must have rank 2, but has rank 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = ssm.linear %x, %w scales %s {group_size = 8 : i64, packed_bits = 8 : i64} : (tensor<?x8xf32>, tensor<16x8xi8>, tensor<1x1x16xf16>) -> tensor<?x16xf32>
  return
}
