// What the scan of one token becomes: docs/generated/Stages.md shows these stages.
// RUN: ssmq-opt %s --ssmq-bufferize='target=znver4 decode=false prefill=false threads=false' | FileCheck %s --check-prefix=KERNEL
// RUN: %assemble %s znver4 | %inner_loops | FileCheck %s --check-prefix=ASSEMBLY

// A row of the state is read once and written once.
// KERNEL-LABEL: func.func private @ssmq_ssd_scan
// KERNEL: scf.for
// KERNEL: vector.load %[[STATE:.*]][%{{.*}}] : memref<64x2x16xf32>, vector<16xf32>
// KERNEL-COUNT-2: vector.store {{.*}}, %[[STATE]][

// ASSEMBLY: vfmadd{{[123]+}}ps {{.*}}%zmm

func.func @forward(%tokens: tensor<?xi32>, %x: tensor<1x128xf32>, %dt: tensor<1x64xf32>, %a: tensor<64xf32>,
                   %b: tensor<1x16xf32>, %c: tensor<1x16xf32>, %s: tensor<64x2x16xf32> {ssm.state = "s"})
    -> (tensor<1x128xf32>, tensor<64x2x16xf32>) {
  %y, %next = ssm.ssd_scan %x dt %dt a %a b %b c %c state %s
    : (tensor<1x128xf32>, tensor<1x64xf32>, tensor<64xf32>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<64x2x16xf32>)
    -> (tensor<1x128xf32>, tensor<64x2x16xf32>)
  return %y, %next : tensor<1x128xf32>, tensor<64x2x16xf32>
}
