// RUN: %assemble %s lunarlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v4 | %inner_loops | FileCheck %s --check-prefixes=CHECK,ZMM

// The states of some channels stay in registers while tokens pass: one multiply-add a vector for
// the update, one for the output.
// CHECK: loop
// YMM: vfmadd{{[123]+}}ps {{.*}}%ymm
// YMM: vfmadd{{[123]+}}ps {{.*}}%ymm
// ZMM: vfmadd{{[123]+}}ps {{.*}}%zmm
// ZMM: vfmadd{{[123]+}}ps {{.*}}%zmm
func.func @forward(%x: tensor<?x64xf32>, %dt: tensor<?x64xf32>, %a: tensor<64x16xf32>,
                   %b: tensor<?x16xf32>, %c: tensor<?x16xf32>, %d: tensor<64xf32>,
                   %h: tensor<64x16xf32>) -> (tensor<?x64xf32>, tensor<64x16xf32>) {
  %0, %1 = ssm.selective_scan %x dt %dt a %a b %b c %c d %d state %h
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<64x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<64xf32>, tensor<64x16xf32>) -> (tensor<?x64xf32>, tensor<64x16xf32>)
  return %0, %1 : tensor<?x64xf32>, tensor<64x16xf32>
}
