// RUN: %assemble %s lunarlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v4 | %inner_loops | FileCheck %s --check-prefixes=CHECK,ZMM

// The sum of squares, then the scaled row.
// CHECK: loop
// YMM: vmulps {{.*}}%ymm
// YMM: vaddps {{.*}}%ymm
// ZMM: vmulps {{.*}}%zmm
// ZMM: vaddps {{.*}}%zmm
// CHECK: loop
// YMM: vmulps {{.*}}%ymm
// YMM: vmov{{[au]}}ps %ymm
// ZMM: vmulps {{.*}}%zmm
// ZMM: vmov{{[au]}}ps %zmm
func.func @forward(%x: tensor<?x8192xf32>, %w: tensor<8192xf32>) -> tensor<?x8192xf32> {
  %0 = ssm.rms_norm %x, %w {eps = 1.0e-5 : f32}
    : (tensor<?x8192xf32>, tensor<8192xf32>) -> tensor<?x8192xf32>
  return %0 : tensor<?x8192xf32>
}
