// RUN: %assemble %s lunarlake | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v3 | %inner_loops | FileCheck %s --implicit-check-not=%zmm --check-prefixes=CHECK,YMM
// RUN: %assemble %s x86-64-v4 | %inner_loops | FileCheck %s --check-prefixes=CHECK,ZMM

// Four taps are four multiply-adds a vector of channels.
// CHECK: loop
// YMM-COUNT-3: vfmadd{{[123]+}}ps {{.*}}%ymm
// ZMM-COUNT-3: vfmadd{{[123]+}}ps {{.*}}%zmm
func.func @forward(%x: tensor<?x256xf32>, %w: tensor<256x1x4xf32>, %bias: tensor<256xf32>,
                   %s: tensor<3x256xf32>) -> (tensor<?x256xf32>, tensor<3x256xf32>) {
  %y, %next = ssm.causal_conv1d %x, %w bias %bias state %s
    : (tensor<?x256xf32>, tensor<256x1x4xf32>, tensor<256xf32>, tensor<3x256xf32>)
   -> (tensor<?x256xf32>, tensor<3x256xf32>)
  return %y, %next : tensor<?x256xf32>, tensor<3x256xf32>
}
