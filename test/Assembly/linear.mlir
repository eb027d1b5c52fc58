// RUN: %assemble %s lunarlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v4 | %inner_loops | FileCheck %s --check-prefixes=CHECK,ZMM

// Weights widen as they are loaded.
// CHECK: loop
// YMM: vcvtph2ps {{.*}}, %ymm
// YMM: vfmadd{{[123]+}}ps {{.*}}%ymm
// ZMM: vcvtph2ps {{.*}}, %zmm
// ZMM: vfmadd{{[123]+}}ps {{.*}}%zmm
func.func @forward(%x: tensor<?x1024xf32>, %w: tensor<256x1024xf16>) -> tensor<?x256xf32> {
  %0 = ssm.linear %x, %w : (tensor<?x1024xf32>, tensor<256x1024xf16>) -> tensor<?x256xf32>
  return %0 : tensor<?x256xf32>
}
