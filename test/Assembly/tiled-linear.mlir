// RUN: %assemble %s lunarlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefix=YMM
// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefix=YMM
// RUN: %assemble %s znver4 | %inner_loops | FileCheck %s --check-prefix=ZMM

// Codes become f32 in registers: bits of the mantissa of a power of two.
// YMM: loop
// YMM: vpor {{.*}}%ymm
// YMM: vfmadd{{[123]+}}ps {{.*}}%ymm
// ZMM: loop
// ZMM: vpternlogd {{.*}}%zmm
// ZMM: vfmadd{{[123]+}}ps {{.*}}%zmm
func.func @forward(%x: tensor<1x512xf32>, %w: tensor<16x4096xi8>, %s: tensor<16x16x16xf16>)
    -> tensor<1x256xf32> {
  %0 = ssm.linear %x, %w scales %s {group_size = 32 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<1x512xf32>, tensor<16x4096xi8>, tensor<16x16x16xf16>) -> tensor<1x256xf32>
  return %0 : tensor<1x256xf32>
}
