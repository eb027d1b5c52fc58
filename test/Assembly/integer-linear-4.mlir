// RUN: %assemble %s lunarlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefix=VEX
// RUN: %assemble %s alderlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefix=VEX
// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefix=AVX2
// RUN: %assemble %s znver4 | %inner_loops | FileCheck %s --check-prefix=WIDE

// Two nibbles of a byte are two columns: as they lie they are unsigned, what vpdpbusd takes.
// VEX: loop
// VEX: vpand
// VEX: {vex} vpdpbusd {{.*}}%ymm
// AVX2: loop
// AVX2: vpand
// AVX2: vpmaddubsw {{.*}}%ymm
// AVX2: vpmaddwd {{.*}}%ymm
// WIDE: loop
// WIDE: vpand{{[dq]}} {{.*}}%zmm
// WIDE: vpdpbusd {{.*}}%zmm
func.func @forward(%x: tensor<1x512xf32>, %w: tensor<16x4096xi8>, %s: tensor<16x16x16xf16>)
    -> tensor<1x256xf32> {
  %r = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<1x512xf32>
  %0 = ssm.linear %r, %w scales %s {group_size = 32 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<1x512xf32>, tensor<16x4096xi8>, tensor<16x16x16xf16>) -> tensor<1x256xf32>
  return %0 : tensor<1x256xf32>
}
