// RUN: %assemble %s lunarlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v4 | %inner_loops | FileCheck %s --check-prefixes=CHECK,ZMM

// CHECK: loop
// YMM: vfmadd{{[123]+}}ps {{.*}}%ymm
// ZMM: vfmadd{{[123]+}}ps {{.*}}%zmm
func.func @forward(%x: tensor<?x256xf32>, %dt: tensor<?x4xf32>, %a: tensor<4xf32>,
                   %b: tensor<?x128xf32>, %c: tensor<?x128xf32>, %h: tensor<4x64x128xf32>)
    -> (tensor<?x256xf32>, tensor<4x64x128xf32>) {
  %0, %1 = ssm.ssd_scan %x dt %dt a %a b %b c %c state %h
    : (tensor<?x256xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x128xf32>, tensor<?x128xf32>,
       tensor<4x64x128xf32>) -> (tensor<?x256xf32>, tensor<4x64x128xf32>)
  return %0, %1 : tensor<?x256xf32>, tensor<4x64x128xf32>
}
