// What one scan becomes: docs/generated/Stages.md shows these stages.
// RUN: ssmq-opt %s --ssmq-bufferize='target=znver4 decode=false prefill=false threads=false' | FileCheck %s --check-prefix=KERNEL
// RUN: %assemble %s znver4 | %inner_loops | FileCheck %s --check-prefix=ASSEMBLY

// KERNEL-LABEL: func.func private @ssmq_selective_scan
// KERNEL: math.exp {{.*}} : vector<16xf32>
// KERNEL: vector.fma

// ASSEMBLY: vfmadd{{[123]+}}ps {{.*}}%zmm

func.func @forward(%tokens: tensor<?xi32>, %x: tensor<1x64xf32>, %dt: tensor<1x64xf32>, %a: tensor<64x2xf32>,
                   %b: tensor<1x2xf32>, %c: tensor<1x2xf32>, %h: tensor<64x2xf32> {ssm.state = "h"}) -> (tensor<1x64xf32>, tensor<64x2xf32>) {
  %y, %next = ssm.selective_scan %x dt %dt a %a b %b c %c state %h
    : (tensor<1x64xf32>, tensor<1x64xf32>, tensor<64x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<64x2xf32>)
    -> (tensor<1x64xf32>, tensor<64x2xf32>)
  return %y, %next : tensor<1x64xf32>, tensor<64x2xf32>
}
